//! Who runs, and what the others are told who came with the same key.

use super::*;

#[test]
fn the_first_of_many_runs_and_the_others_get_its_answer() {
    let mut keys = Keys::running(3);
    assert_eq!(keys.settled(1, "done"), all_done(2..=4, "done"));
    keys.assert_empty();
}

#[test]
fn many_that_come_before_the_store_has_answered_are_one_question_and_one_run() {
    let mut keys = Keys::new();
    assert_eq!(keys.claim(PAYLOAD), [Act::LookUp]);
    assert_eq!(keys.claim(PAYLOAD), []);
    assert_eq!(keys.claim(OTHER_PAYLOAD), []);
    assert_eq!(
        keys.found(Found::Nothing),
        [Act::Tell(1, Verdict::Run), Act::Tell(3, Verdict::Conflict)]
    );
    assert_eq!(
        keys.found(Found::Nothing),
        [],
        "a second answer runs nobody"
    );
    assert_eq!(keys.settled(1, "done"), all_done(2..=2, "done"));
}

#[test]
fn another_payload_is_a_conflict_while_the_call_runs_and_while_its_end_is_recorded() {
    let mut keys = Keys::running(0);
    let conflict = |claim| [Act::Tell(claim, Verdict::Conflict)];
    assert_eq!(keys.claim(OTHER_PAYLOAD), conflict(2));
    keys.claim(PAYLOAD);
    assert_eq!(keys.gone(1), [Act::LookUp]);
    assert_eq!(
        keys.found(unfinished()),
        [Act::RecordUnknown(PAYLOAD, answer("unknown"))]
    );
    assert_eq!(keys.claim(OTHER_PAYLOAD), conflict(4));
}

#[test]
fn a_refused_call_does_not_burn_its_key() {
    let mut keys = Keys::running(1);
    let refused = Release::ForAll(answer("overloaded"));
    assert_eq!(keys.released(1, refused), all_done(2..=2, "overloaded"));
    keys.assert_empty();
    assert_eq!(keys.claim(OTHER_PAYLOAD), [Act::LookUp]);
    assert_eq!(keys.found(Found::Nothing), [Act::Tell(3, Verdict::Run)]);
}

#[test]
fn a_caller_that_gives_up_hands_its_key_to_the_next() {
    let mut keys = Keys::running(2);
    assert_eq!(
        keys.released(1, Release::ForItself),
        [Act::Tell(2, Verdict::Run)]
    );
    assert_eq!(keys.settled(1, "late"), [], "it is no longer its key");
    assert_eq!(keys.settled(2, "done"), all_done(3..=3, "done"));
    keys.assert_empty();
}
