//! Who waits for the answer of another: for how long, how many, and when nobody does any more.

use super::*;

#[test]
fn whoever_waits_has_their_own_time() {
    let mut keys = Keys::running(2);
    let of = |keys: &Keys, claim: u64| Some(keys.start + Duration::from_secs(10 * claim));
    assert_eq!(
        keys.core.next_wakeup(),
        of(&keys, 2),
        "the owner's is not here"
    );
    assert_eq!(keys.handle_at(19, Event::TimePassed), []);
    assert_eq!(
        keys.handle_at(20, Event::TimePassed),
        [Act::Tell(2, Verdict::TimeUp)]
    );
    assert_eq!(keys.core.next_wakeup(), of(&keys, 3));
    assert_eq!(keys.settled(1, "done"), all_done(3..=3, "done"));
    keys.assert_empty();
}

#[test]
fn whoever_no_longer_waits_is_told_nothing() {
    let mut keys = Keys::running(2);
    assert_eq!(keys.gone(2), []);
    assert_eq!(keys.settled(1, "done"), all_done(3..=3, "done"));
    keys.assert_empty();
}

#[test]
fn a_key_that_nobody_waits_for_is_let_go() {
    let mut keys = Keys::new();
    keys.claim(PAYLOAD);
    keys.gone(1);
    assert_eq!(keys.found(Found::Nothing), []);
    keys.assert_empty();
    keys.claim(PAYLOAD);
    keys.gone(2);
    assert_eq!(
        keys.found(unfinished()),
        [],
        "there is nobody to tell it to"
    );
    keys.assert_empty();
    let mut keys = Keys::running(0);
    assert_eq!(keys.gone(1), []);
    keys.assert_empty();
}

#[test]
fn only_so_many_may_wait_at_a_time() {
    let mut keys = Keys::running(100);
    assert_eq!(keys.claim(PAYLOAD), [Act::Tell(102, Verdict::TooMany)]);
    assert_eq!(keys.settled(1, "done"), all_done(2..=101, "done"));
    assert_eq!(keys.claim(PAYLOAD), [Act::LookUp]);
}
