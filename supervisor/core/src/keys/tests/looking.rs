//! Who only looks whether a key was used.

use super::*;

#[test]
fn whoever_only_looks_never_runs_and_hears_whether_anybody_did() {
    let mut keys = Keys::new();
    assert_eq!(keys.look(PAYLOAD), [Act::LookUp]);
    assert_eq!(keys.found(Found::Nothing), [Act::Tell(1, Verdict::Free)]);
    keys.assert_empty();
    keys.look(PAYLOAD);
    keys.look(OTHER_PAYLOAD);
    let found = Found::Done {
        fingerprint: PAYLOAD,
        answer: answer("stored"),
    };
    let told = [
        Act::Tell(3, Verdict::Conflict),
        Act::Tell(2, Verdict::Done(answer("stored"))),
    ];
    assert_eq!(keys.found(found), told);
    keys.assert_empty();
}

#[test]
fn whoever_only_looks_is_told_at_once_that_another_runs() {
    let mut keys = Keys::new();
    assert_eq!(keys.look(PAYLOAD), [Act::LookUp]);
    assert_eq!(keys.look(OTHER_PAYLOAD), []);
    assert_eq!(keys.claim(PAYLOAD), []);
    let told = [
        Act::Tell(3, Verdict::Run),
        Act::Tell(2, Verdict::Conflict),
        Act::Tell(1, Verdict::Running),
    ];
    assert_eq!(keys.found(Found::Nothing), told, "it is before them");
    assert_eq!(keys.look(PAYLOAD), [Act::Tell(4, Verdict::Running)]);
    assert_eq!(keys.look(OTHER_PAYLOAD), [Act::Tell(5, Verdict::Conflict)]);
    assert_eq!(keys.settled(3, "done"), []);
    keys.assert_empty();
}

#[test]
fn whoever_only_looks_hears_that_nobody_knows() {
    let mut keys = Keys::new();
    keys.look(PAYLOAD);
    assert_eq!(
        keys.found(unfinished()),
        [Act::RecordUnknown(PAYLOAD, answer("unknown"))]
    );
    let recorded = Event::UnknownRecorded {
        key: KEY,
        answer: answer("unknown"),
    };
    assert_eq!(keys.handle(recorded), all_done(1..=1, "unknown"));
    keys.assert_empty();
}
