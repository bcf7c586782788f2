use super::*;
use crate::session::{Admission, Answered, NumberReused, Origin, SessionCore};

const LIMITS: MemoryLimits = MemoryLimits {
    answers_max: 4,
    bytes_max: 10_000,
};

fn keep(fingerprint: u128, may_repeat: bool) -> Keep {
    Keep {
        fingerprint: Some(Fingerprint(fingerprint)),
        may_repeat,
        recorded: !may_repeat,
    }
}

fn answer(text: &'static str) -> ItemResult {
    Ok(Bytes::from_static(text.as_bytes()))
}

fn resumable() -> SessionCore<&'static str> {
    let mut core = SessionCore::new(100);
    core.remember(LIMITS);
    core
}

/// A request comes, is answered and its answer is kept.
fn serve(core: &mut SessionCore<&'static str>, msgid: u64, may_repeat: bool, text: &'static str) {
    assert_eq!(
        core.admit(msgid, 1, Some(Fingerprint(msgid.into()))),
        Admission::New
    );
    core.open_call(msgid, "call", keep(msgid.into(), may_repeat));
    let origin = Origin::Request { msgid };
    let Answered::Send {
        keep: Some(keep), ..
    } = core.answered(origin, || answer(text))
    else {
        panic!("it is answered and kept");
    };
    assert!(core.keep(msgid, keep, &answer(text)));
}

fn ask(core: &SessionCore<&'static str>, msgid: u64) -> Admission {
    core.admit(msgid, 1, Some(Fingerprint(msgid.into())))
}

#[test]
fn a_request_sent_again_after_its_answer_gets_the_same_bytes() {
    let mut core = resumable();
    serve(&mut core, 1, false, "one");
    assert_eq!(ask(&core, 1), Admission::Again(answer("one")));
    assert_eq!(ask(&core, 1), Admission::Again(answer("one")), "and again");
    serve(&mut core, 2, true, "two");
    assert_eq!(ask(&core, 2), Admission::Again(answer("two")));
}

#[test]
fn answers_that_can_be_had_again_make_room_and_no_others() {
    let mut core = resumable();
    serve(&mut core, 1, false, "must stay");
    serve(&mut core, 2, true, "the older");
    serve(&mut core, 3, true, "the newer");
    core.drop_repeatable(1);
    assert_eq!(ask(&core, 2), Admission::New, "the oldest goes first");
    assert_eq!(ask(&core, 3), Admission::Again(answer("the newer")));
    core.drop_repeatable(100_000);
    assert_eq!(ask(&core, 3), Admission::New);
    assert_eq!(ask(&core, 1), Admission::Again(answer("must stay")));
    core.drop_repeatable(1);
    assert_eq!(core.kept().0, 1);
}

#[test]
fn a_plain_session_keeps_nothing() {
    let mut core: SessionCore<&str> = SessionCore::new(10);
    core.open_call(1, "call", keep(1, false));
    let origin = Origin::Request { msgid: 1 };
    let sent = Answered::Send {
        msgid: 1,
        keep: None,
    };
    assert_eq!(core.answered(origin, || answer("one")), sent);
    assert_eq!(ask(&core, 1), Admission::New);
}

#[test]
fn an_acknowledged_answer_is_forgotten_and_its_number_is_not_taken_again() {
    let mut core = resumable();
    serve(&mut core, 1, false, "one");
    serve(&mut core, 2, false, "two");
    assert!(!core.ack(1), "the store need not hear of each");
    assert_eq!(ask(&core, 1), Admission::Acknowledged);
    assert_eq!(ask(&core, 2), Admission::Again(answer("two")));
    assert_eq!(core.kept().0, 1);
    assert!(!core.ack(1), "nothing new");
    assert!(!core.ack(0), "an old one");
    core.ack(7);
    assert_eq!(core.kept(), (0, 0));
}

#[test]
fn a_number_used_for_another_request_is_told_from_a_request_sent_again() {
    let mut core = resumable();
    core.open_call(1, "call", keep(1, false));
    assert_eq!(core.admit(1, 1, Some(Fingerprint(99))), Admission::Reused);
    assert_eq!(ask(&core, 1), Admission::Duplicate);
    serve(&mut core, 2, false, "two");
    assert_eq!(core.admit(2, 1, Some(Fingerprint(99))), Admission::Reused);
}

#[test]
fn no_unacknowledged_answer_of_what_must_not_run_twice_is_ever_dropped() {
    let mut core = resumable();
    for msgid in 1..=4 {
        assert!(core.has_room(99, keep(99, false)));
        serve(&mut core, msgid, false, "fixed");
    }
    assert!(
        !core.has_room(99, keep(99, false)),
        "new work of that kind is to be refused"
    );
    for msgid in 5..=9 {
        serve(&mut core, msgid, true, "may go");
    }
    for msgid in 1..=4 {
        assert_eq!(ask(&core, msgid), Admission::Again(answer("fixed")));
    }
    // What may be run again is, instead.
    assert_eq!(ask(&core, 5), Admission::New);
    core.ack(2);
    assert!(core.has_room(99, keep(99, false)));
}

#[test]
fn requests_that_are_still_open_hold_their_place_for_an_answer() {
    let mut core = resumable();
    for msgid in 1..=4 {
        assert!(core.has_room(99, keep(99, false)));
        core.open_call(msgid, "call", keep(1, false));
    }
    assert!(!core.has_room(99, keep(99, false)));
}

#[test]
fn what_is_open_has_an_even_share_of_the_bytes_put_by_for_its_answer() {
    let mut core = resumable();
    let large: &'static str = "x".repeat(7000).leak();
    serve(&mut core, 1, false, large);
    core.open_call(2, "call", keep(2, false));
    assert!(
        core.has_room(99, keep(99, false)),
        "there is one share left"
    );
    core.open_call(3, "call", keep(3, false));
    assert!(!core.has_room(99, keep(99, false)));
    assert!(core.has_room(99, keep(99, true)), "that may go again");
    core.ack(1);
    assert!(core.has_room(99, keep(99, false)));
}

#[test]
fn bytes_are_bounded_as_well() {
    let mut core = resumable();
    let large: &'static str = "x".repeat(6000).leak();
    serve(&mut core, 1, true, large);
    serve(&mut core, 2, true, large);
    assert_eq!(core.kept().0, 1, "the older one has gone");
    assert_eq!(ask(&core, 2), Admission::Again(answer(large)));
    serve(&mut core, 3, false, large);
    serve(&mut core, 4, false, large);
    assert!(!core.has_room(99, keep(99, false)));
    assert_eq!(ask(&core, 3), Admission::Again(answer(large)));
}

#[test]
fn an_answer_to_what_was_acknowledged_meanwhile_is_not_kept() {
    let mut core = resumable();
    core.open_call(1, "call", keep(1, false));
    core.ack(1);
    let origin = Origin::Request { msgid: 1 };
    let Answered::Send {
        keep: Some(keep), ..
    } = core.answered(origin, || answer("late"))
    else {
        panic!("the client took it back; it is answered all the same");
    };
    assert!(!core.keep(1, keep, &answer("late")));
    assert_eq!(core.kept(), (0, 0));
}

#[test]
fn what_an_earlier_life_of_the_service_knew_is_known_again() {
    let mut core: SessionCore<&str> = SessionCore::new(10);
    let records = [
        (3, 0, Found::Done(Fingerprint(3), answer("three"))),
        (4, 0, Found::Begun(Fingerprint(4))),
        (5, 2, Found::Done(Fingerprint(52), answer("item"))),
    ];
    core.restore(LIMITS, Some(2), records);
    assert_eq!(ask(&core, 2), Admission::Acknowledged);
    assert_eq!(ask(&core, 3), Admission::Again(answer("three")));
    assert_eq!(ask(&core, 4), Admission::BegunBefore);
    let item = |index, fingerprint| {
        let origin = Origin::Item { msgid: 5, index };
        core.found(origin, Some(Fingerprint(fingerprint)))
    };
    assert!(matches!(item(1, 52), Some(Ok(Found::Done(..)))));
    assert_eq!(item(1, 53), Some(Err(NumberReused)));
    assert_eq!(item(0, 52), None);
    assert_eq!(ask(&core, 6), Admission::New, "it never began");
    core.ack(5);
    assert!(!core.was_begun_before(5));
}

#[test]
fn what_came_to_be_known_takes_the_place_of_what_was_found() {
    let mut core: SessionCore<&str> = SessionCore::new(10);
    core.restore(LIMITS, None, [(4, 0, Found::Begun(Fingerprint(4)))]);
    assert!(core.keep(4, keep(4, false), &answer("not known")));
    assert!(!core.was_begun_before(4));
    assert_eq!(ask(&core, 4), Admission::Again(answer("not known")));
}

#[test]
fn the_store_is_told_of_many_acknowledgements_at_once() {
    let mut core = resumable();
    let told = (1..=100).filter(|msgid| {
        serve(&mut core, *msgid, false, "fixed");
        core.ack(*msgid)
    });
    assert_eq!(told.collect::<Vec<_>>(), [32, 64, 96]);
}

#[test]
fn what_the_store_does_not_have_it_is_not_told_to_forget() {
    let mut core = resumable();
    let told = (1..=100).filter(|msgid| {
        serve(&mut core, *msgid, true, "may go");
        core.ack(*msgid)
    });
    assert_eq!(told.count(), 0);
}

#[test]
fn answers_are_found_and_acknowledged_in_whatever_order_their_requests_came() {
    let limits = MemoryLimits {
        answers_max: 200,
        bytes_max: 1_000_000,
    };
    let mut core: SessionCore<&str> = SessionCore::new(100);
    core.remember(limits);
    // Every number from 1 to 100 once, up and down.
    let order: Vec<u64> = (1..=100).map(|step| step * 37 % 101).collect();
    for msgid in &order {
        serve(&mut core, *msgid, msgid % 3 == 0, "answer");
    }
    for acked in 1..=100 {
        let _ = core.ack(acked);
        assert_eq!(core.kept().0 as u64, 100 - acked);
        for msgid in 1..=100 {
            let expected = if msgid <= acked {
                Admission::Acknowledged
            } else {
                Admission::Again(answer("answer"))
            };
            assert_eq!(ask(&core, msgid), expected, "{msgid} after {acked}");
        }
    }
    assert_eq!(core.kept(), (0, 0));
}
