use super::*;
use crate::{
    Cause, KillReason,
    pool::{
        Event, PoolSettings,
        fixture::{Fixture, always, ask, ms, one_worker, workers},
    },
};
use standin_protocol::Replay;

/// A pool with one worker that is busy with request 0, so that whatever comes waits.
fn busy(settings: PoolSettings) -> Fixture {
    let mut pool = Fixture::ready(settings);
    pool.submit(always(0).of_session(99));
    assert!(pool.is_running(0));
    pool
}

#[test]
fn a_full_queue_refuses_and_says_that_nothing_happened_and_when_to_come_back() {
    let mut pool = busy(one_worker());
    for request in 1..=10 {
        pool.submit(always(request).of_session(request));
    }
    pool.submit(always(11).of_session(11));
    let failure = pool.failure(11);
    assert_eq!(failure.code, ErrorCode::Overloaded);
    assert_eq!(failure.outcome, Outcome::NotExecuted);
    assert_eq!(failure.attempts, 0);
    let retry_after = failure.retry_after.expect("when to come back");
    assert!(
        (ms(500)..=ms(750)).contains(&retry_after),
        "{retry_after:?}"
    );
    assert!((1..=10).all(|request| pool.is_open(request)));

    pool.answer(0);
    pool.submit(always(12).of_session(12));
    assert!(pool.is_open(12), "there is room again");
}

#[test]
fn those_who_are_refused_together_are_not_asked_back_together() {
    let mut pool = busy(PoolSettings {
        queue_max: 1,
        ..one_worker()
    });
    pool.submit(always(1));
    let mut pauses = std::collections::BTreeSet::new();
    for request in 2..30 {
        pool.submit(always(request).of_session(request));
        pauses.insert(pool.failure(request).retry_after);
    }
    assert!(pauses.len() > 10, "{pauses:?}");
}

#[test]
fn a_session_cannot_take_more_than_half_of_the_queue() {
    let mut pool = busy(one_worker());
    for request in 1..=5 {
        pool.submit(always(request).of_session(1));
    }
    pool.submit(always(6).of_session(1));
    assert_eq!(pool.failure(6).code, ErrorCode::Overloaded);
    pool.submit(always(7).of_session(2));
    assert!(pool.is_open(7), "the others still have room");
}

#[test]
fn a_user_cannot_take_more_than_three_quarters_of_the_queue_with_any_number_of_sessions() {
    let mut pool = busy(one_worker());
    for request in 1..=8 {
        pool.submit(always(request).of_session(request).of_user(7));
    }
    pool.submit(always(9).of_session(9).of_user(7));
    assert_eq!(pool.failure(9).code, ErrorCode::Overloaded);
    assert_eq!(pool.failure(9).outcome, Outcome::NotExecuted);
    pool.submit(always(10).of_session(10).of_user(8));
    assert!(pool.is_open(10), "another user still has room");
    pool.answer(0);
    pool.submit(always(11).of_session(9).of_user(7));
    assert!(pool.is_open(11), "one of the eight is with the worker now");
}

#[test]
fn whoever_is_alone_at_a_queue_of_one_place_has_it() {
    let mut pool = busy(PoolSettings {
        queue_max: 1,
        ..one_worker()
    });
    pool.submit(always(1));
    assert!(pool.is_open(1));
}

#[test]
fn the_bytes_that_wait_are_bounded_but_one_large_request_always_fits() {
    let mut pool = busy(one_worker());
    pool.submit(always(1).sized(5000));
    assert!(pool.is_open(1), "nothing else waits");
    pool.submit(always(2).sized(1).of_session(2));
    assert_eq!(pool.failure(2).code, ErrorCode::Overloaded);
    pool.answer(0);
    pool.submit(always(3).sized(1000).of_session(2));
    assert!(pool.is_open(3), "request 1 is with a worker now");
    assert_eq!(pool.core.view().queued_bytes, 1000);
}

#[test]
fn a_wait_for_a_first_attempt_is_bounded() {
    let mut pool = busy(one_worker());
    pool.submit(always(1));
    pool.pass(ms(4999));
    assert!(pool.is_open(1));
    pool.pass(ms(1));
    let failure = pool.failure(1);
    assert_eq!(failure.code, ErrorCode::Overloaded);
    assert_eq!(failure.outcome, Outcome::NotExecuted);
    assert!(failure.retry_after.is_some());
}

#[test]
fn a_request_that_comes_too_late_is_not_begun() {
    for mut pool in [Fixture::ready(one_worker()), busy(one_worker())] {
        pool.submit(always(1).within(ms(0)));
        let failure = pool.failure(1);
        assert_eq!(failure.code, ErrorCode::DeadlineExceeded);
        assert_eq!(failure.outcome, Outcome::NotExecuted);
        assert_eq!(pool.times_sent(1), 0);
    }
}

#[test]
fn what_is_taken_back_while_it_waits_is_never_sent() {
    let mut pool = busy(one_worker());
    pool.submit(ask(1, Replay::Never));
    pool.feed(Event::Cancel(RequestId(1)));
    let failure = pool.failure(1);
    assert_eq!(failure.code, ErrorCode::Cancelled);
    assert_eq!(failure.outcome, Outcome::NotExecuted);
    pool.answer(0);
    assert_eq!(pool.times_sent(1), 0);
}

#[test]
fn a_running_request_that_is_taken_back_is_answered_soon_even_by_a_deaf_worker() {
    for (replay, outcome) in [
        (Replay::Always, Outcome::Unknown),
        (Replay::Never, Outcome::Unknown),
        (Replay::UntilEffect, Outcome::NotExecuted),
    ] {
        let mut pool = Fixture::ready(one_worker());
        pool.submit(ask(1, replay));
        pool.feed(Event::Cancel(RequestId(1)));
        assert_eq!(pool.cancels.len(), 1, "its worker is told");
        assert!(!pool.ask_effect(1), "and may not go on to the effect");
        pool.pass(ms(500));
        assert_eq!(pool.failure(1).code, ErrorCode::Cancelled);
        assert_eq!(pool.failure(1).outcome, outcome, "{replay:?}");
        assert_eq!(pool.kills.len(), 1, "a deaf worker does not keep its place");
    }
}

#[test]
fn the_answer_of_a_worker_that_was_quicker_than_the_cancel_is_delivered() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(ask(1, Replay::Never));
    pool.feed(Event::Cancel(RequestId(1)));
    pool.answer(1);
    assert_eq!(pool.delivered(1), 1);
    assert!(pool.kills.is_empty());
}

#[test]
fn what_was_taken_back_is_not_replayed_when_its_worker_dies() {
    let mut pool = Fixture::ready(workers(2));
    pool.submit(always(1));
    pool.feed(Event::Cancel(RequestId(1)));
    pool.crash(1);
    assert_eq!(pool.failure(1).code, ErrorCode::Cancelled);
    assert_eq!(pool.times_sent(1), 1);
}

#[test]
fn a_cancel_of_what_has_hung_already_is_answered_at_once() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(always(1).attempts_of(ms(100)));
    pool.pass(ms(100));
    assert_eq!(pool.kills.len(), 1, "it hangs and its death is ordered");
    pool.feed(Event::Cancel(RequestId(1)));
    pool.pass(ms(1));
    assert_eq!(pool.failure(1).code, ErrorCode::Cancelled);
}

#[test]
fn a_cancel_of_the_unknown_or_the_answered_changes_nothing() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(always(1));
    pool.answer(1);
    pool.feed(Event::Cancel(RequestId(1)));
    pool.feed(Event::Cancel(RequestId(77)));
    pool.feed(Event::Abandon(RequestId(1)));
    assert_eq!(pool.delivered(1), 1);
    assert_eq!(pool.core.counters().abandoned, 0);
}

#[test]
fn what_a_dead_client_had_waiting_is_forgotten() {
    let mut pool = busy(one_worker());
    pool.submit(always(1));
    pool.feed(Event::Abandon(RequestId(1)));
    pool.answer(0);
    assert_eq!(pool.times_sent(1), 0);
    assert!(!pool.ends.contains_key(&RequestId(1)), "nobody is answered");
    assert_eq!(pool.core.view().queued, 0);
    assert_eq!(pool.core.counters().abandoned, 1);
}

#[test]
fn a_dead_client_does_not_keep_its_worker() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(always(1));
    let worker = pool.worker_of(1);
    pool.feed(Event::Abandon(RequestId(1)));
    assert_eq!(pool.cancels.len(), 1);
    assert!(!pool.ask_effect(1), "nobody wants the effect any more");
    pool.pass(ms(500));
    assert_eq!(pool.kills, [(worker, KillReason::Deadline)]);
    pool.dies(worker, Cause::KilledByStranger(9));
    assert_eq!(pool.times_sent(1), 1, "and it is not replayed");
    assert_eq!(pool.core.view().running, 0);
}
