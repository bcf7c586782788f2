use super::*;
use crate::session::{Admission, Found, MemoryLimits};

const LIMITS: MemoryLimits = MemoryLimits {
    answers_max: 1,
    bytes_max: 1000,
};

const FIXED: Keep = Keep {
    fingerprint: None,
    may_repeat: false,
    recorded: true,
};

const REPEATABLE: Keep = Keep {
    fingerprint: None,
    may_repeat: true,
    recorded: false,
};

/// A session of an earlier life of the service, in which a batch, number 5, had begun.
fn restored() -> SessionCore<&'static str> {
    let mut core = SessionCore::new(1);
    core.restore(LIMITS, None, [(5, 2, Found::Begun(Fingerprint(52)))]);
    core
}

#[test]
fn what_had_begun_before_is_never_refused_as_if_nothing_had_happened() {
    let mut core = restored();
    core.open_call(7, "call", FIXED);
    assert_eq!(core.admit(8, 1, None), Admission::TooMany);
    assert_eq!(core.admit(5, 3, None), Admission::New);
    assert!(!core.has_room(8, FIXED));
    assert!(core.has_room(8, REPEATABLE));
    assert!(core.has_room(5, FIXED));
    assert!(core.was_begun_before(5) && !core.was_begun_before(7));
}

#[test]
fn the_answer_to_a_batch_that_had_begun_before_is_not_given_up() {
    let keep = Keep::of_batch([REPEATABLE].into_iter(), true, None);
    assert_eq!(keep, FIXED);
    let keep = Keep::of_batch([REPEATABLE, FIXED].into_iter(), false, None);
    assert_eq!(keep, FIXED);
    let keep = Keep::of_batch([REPEATABLE].into_iter(), false, None);
    assert_eq!(keep, REPEATABLE);
}

#[test]
fn a_call_sent_again_under_the_number_of_another_costs_that_one_nothing() {
    let mut core = restored();
    core.restore(LIMITS, None, [(4, 0, Found::Begun(Fingerprint(4)))]);
    let ask = |fingerprint| core.admit(4, 1, Some(Fingerprint(fingerprint)));
    assert_eq!(ask(9), Admission::Reused);
    assert_eq!(ask(4), Admission::BegunBefore);
}

#[test]
fn only_what_proves_that_nothing_happened_needs_no_record() {
    assert!(!is_worth_a_record(false, Some(Outcome::NotExecuted)));
    assert!(is_worth_a_record(true, Some(Outcome::NotExecuted)));
    for outcome in [None, Some(Outcome::Executed), Some(Outcome::Unknown)] {
        assert!(is_worth_a_record(false, outcome));
    }
}

#[test]
fn an_older_connection_is_not_heard() {
    let mut core = restored();
    assert!(core.connected(3));
    assert!(core.hears(3));
    assert!(core.connected(5));
    assert!(core.hears(5) && !core.hears(3));
    assert!(!core.connected(4), "it was left before the newest was made");
    assert!(core.hears(5) && !core.hears(4));
}
