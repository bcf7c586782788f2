use super::*;

/// A call that must not run twice.
fn once() -> Keep {
    Keep {
        fingerprint: None,
        may_repeat: false,
        recorded: false,
    }
}

fn unused() -> ItemResult {
    unreachable!("no batch here")
}

#[test]
fn a_request_is_answered_once_however_many_answers_come() {
    let mut core = SessionCore::new(10);
    assert_eq!(core.admit(0, 1, None), Admission::New);
    core.open_call(0, "call", once());
    let origin = Origin::Request { msgid: 0 };
    assert_eq!(
        core.answered(origin, unused),
        Answered::Send {
            msgid: 0,
            keep: None
        }
    );
    assert_eq!(core.answered(origin, unused), Answered::Nobody);
    assert_eq!(core.open_calls(), 0);
    assert_eq!(core.unwanted_answers(), 1);
}

#[test]
fn a_request_sent_again_while_it_is_open_is_not_run_again() {
    let mut core = SessionCore::new(10);
    core.open_call(7, "call", once());
    assert_eq!(core.admit(7, 1, None), Admission::Duplicate);
}

#[test]
fn a_session_cannot_hold_more_than_its_share_open() {
    let mut core = SessionCore::new(2);
    core.open_call(1, "a", once());
    assert_eq!(core.admit(2, 2, None), Admission::TooMany);
    core.open_own(2);
    assert_eq!(core.admit(3, 1, None), Admission::TooMany);
    assert_eq!(
        core.answered(Origin::Request { msgid: 2 }, unused),
        Answered::Send {
            msgid: 2,
            keep: None
        }
    );
    assert_eq!(core.admit(3, 1, None), Admission::New);
}

#[test]
fn a_batch_is_answered_when_its_last_call_is() {
    let mut core = SessionCore::new(10);
    let refused = ItemResult::Err(bytes(b"\xa2no"));
    let items = vec![
        BatchItem::Open("a"),
        BatchItem::Answered(refused.clone()),
        BatchItem::Open("b"),
    ];
    core.open_batch(5, items, once());
    assert_eq!(core.finish_batch(5), Answered::Kept);
    assert_eq!(core.calls_of(5).count(), 2);
    let item = |index| Origin::Item { msgid: 5, index };
    assert_eq!(
        core.answered(item(2), || Ok(bytes(b"\x02"))),
        Answered::Kept
    );
    assert_eq!(
        core.answered(item(2), || Ok(bytes(b"\x02"))),
        Answered::Nobody
    );
    assert_eq!(
        core.answered(item(9), || Ok(bytes(b"\x02"))),
        Answered::Nobody
    );
    let all = vec![Ok(bytes(b"\x00")), refused, Ok(bytes(b"\x02"))];
    assert_eq!(
        core.answered(item(0), || Ok(bytes(b"\x00"))),
        Answered::SendBatch {
            msgid: 5,
            keep: None,
            items: all
        }
    );
    assert_eq!(core.open_calls(), 0);
}

#[test]
fn a_call_given_to_a_new_pool_takes_the_place_of_the_old_one() {
    let mut core = SessionCore::new(10);
    core.open_call(1, "first", once());
    core.open_batch(2, vec![BatchItem::Open("a"), BatchItem::Open("b")], once());
    core.replace_call(Origin::Request { msgid: 1 }, "second");
    core.replace_call(Origin::Item { msgid: 2, index: 1 }, "c");
    // One that has its answer by now, or never was, is nobody's.
    core.replace_call(Origin::Request { msgid: 9 }, "x");
    core.replace_call(Origin::Item { msgid: 2, index: 9 }, "x");
    let mut calls: Vec<_> = core.calls().copied().collect();
    calls.sort_unstable();
    assert_eq!(calls, ["a", "c", "second"]);
    assert_eq!(core.open_calls(), 3);
}

#[test]
fn a_batch_that_fails_at_the_door_is_answered_at_once() {
    let mut core: SessionCore<&str> = SessionCore::new(10);
    let refused = ItemResult::Err(bytes(b"\xa2no"));
    core.open_batch(5, vec![BatchItem::Answered(refused.clone())], once());
    let items = vec![refused];
    assert_eq!(
        core.finish_batch(5),
        Answered::SendBatch {
            msgid: 5,
            keep: None,
            items
        }
    );
    assert_eq!(core.open_calls(), 0);
    assert_eq!(core.admit(5, 1, None), Admission::New);
}

fn bytes(text: &'static [u8]) -> bytes::Bytes {
    bytes::Bytes::from_static(text)
}

#[test]
fn a_batch_waits_for_the_answer_of_a_call_that_was_refused_and_is_looked_for() {
    let mut core: SessionCore<&str> = SessionCore::new(10);
    core.open_batch(5, vec![BatchItem::LookedFor], once());
    assert_eq!(core.finish_batch(5), Answered::Kept);
    assert_eq!(core.calls().count(), 0, "no pool has it");
    let (origin, answer) = (Origin::Item { msgid: 5, index: 0 }, Ok(bytes(b"\x01")));
    let expected = Answered::SendBatch {
        msgid: 5,
        keep: None,
        items: vec![answer.clone()],
    };
    assert_eq!(core.answered(origin, || answer.clone()), expected);
    assert_eq!(core.open_calls(), 0);
}
