//! What the store knows of a key decides whether anybody runs under it.

use super::*;

#[test]
fn a_key_whose_call_has_ended_is_answered_from_the_store_and_never_run() {
    let mut keys = Keys::new();
    keys.claim(PAYLOAD);
    keys.claim(OTHER_PAYLOAD);
    let found = Found::Done {
        fingerprint: PAYLOAD,
        answer: answer("stored"),
    };
    assert_eq!(
        keys.found(found),
        [
            Act::Tell(2, Verdict::Conflict),
            Act::Tell(1, Verdict::Done(answer("stored")))
        ]
    );
    keys.assert_empty();
}

#[test]
fn when_the_owner_is_lost_the_store_decides_whether_another_may_run() {
    let mut keys = Keys::running(2);
    assert_eq!(keys.gone(1), [Act::LookUp]);
    assert_eq!(keys.found(Found::Nothing), [Act::Tell(2, Verdict::Run)]);
    assert_eq!(keys.gone(1), [], "it owned nothing any more");
    assert_eq!(keys.gone(2), [Act::LookUp]);
    let found = Found::Done {
        fingerprint: PAYLOAD,
        answer: answer("recorded"),
    };
    assert_eq!(keys.found(found), all_done(3..=3, "recorded"));
    keys.assert_empty();
}

#[test]
fn a_call_that_may_have_had_its_effect_is_unknown_to_everybody_for_ever() {
    let mut keys = Keys::new();
    keys.claim(PAYLOAD);
    keys.claim(OTHER_PAYLOAD);
    assert_eq!(
        keys.found(unfinished()),
        [
            Act::Tell(2, Verdict::Conflict),
            Act::RecordUnknown(PAYLOAD, answer("unknown"))
        ]
    );
    keys.claim(PAYLOAD);
    let recorded = Event::UnknownRecorded {
        key: KEY,
        answer: answer("unknown"),
    };
    let told = keys.handle(recorded);
    let mut expected = all_done(1..=1, "unknown");
    expected.extend(all_done(3..=3, "unknown"));
    assert_eq!(told, expected);
    keys.assert_empty();
}

#[test]
fn an_expired_key_is_never_run() {
    let mut keys = Keys::new();
    keys.claim(PAYLOAD);
    keys.claim(OTHER_PAYLOAD);
    let expired = Found::Expired {
        fingerprint: PAYLOAD,
    };
    assert_eq!(
        keys.found(expired),
        [
            Act::Tell(2, Verdict::Conflict),
            Act::Tell(1, Verdict::Expired)
        ]
    );
    keys.assert_empty();
}

#[test]
fn nothing_runs_under_a_key_that_cannot_be_looked_up() {
    let mut keys = Keys::new();
    keys.claim(PAYLOAD);
    assert_eq!(
        keys.found(Found::Unreadable),
        [Act::Tell(1, Verdict::Unreadable)]
    );
    assert_eq!(
        keys.claim(PAYLOAD),
        [Act::LookUp],
        "the next one asks again"
    );
}
