use standin_protocol::{ErrorCode, Outcome, Replay};

use crate::{
    RequestId,
    pool::{
        EndRule, Event,
        fixture::{Fixture, ask, one_worker},
    },
};

fn not_sent(pool: &Fixture, request: u64) -> Event<RequestId> {
    let sent = pool.last_sent(request);
    Event::NotSent {
        worker: sent.worker,
        attempt: sent.attempt,
        why: EndRule::NotRecorded,
    }
}

#[test]
fn an_attempt_that_cannot_be_put_on_record_is_refused_and_its_worker_serves_the_next() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(ask(1, Replay::Never));
    pool.submit(ask(2, Replay::Never));
    pool.feed(not_sent(&pool, 1));
    let failure = pool.failure(1);
    assert_eq!(failure.code, ErrorCode::Overloaded);
    assert_eq!(failure.outcome, Outcome::NotExecuted);
    assert!(failure.retry_after.is_some());
    assert!(pool.is_running(2), "the worker is free for the next");
    // News of it that comes twice is nobody's.
    let sent = pool.last_sent(1);
    pool.feed(Event::NotSent {
        worker: sent.worker,
        attempt: sent.attempt,
        why: EndRule::NotRecorded,
    });
    assert!(pool.is_running(2));
}

#[test]
fn what_was_taken_back_before_it_was_sent_is_cancelled_and_certainly_not_executed() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(ask(1, Replay::Never));
    let attempt = pool.last_sent(1).attempt;
    assert!(pool.core.is_wanted(attempt, RequestId(1)));
    assert!(!pool.core.is_wanted(attempt, RequestId(2)));
    pool.feed(Event::Cancel(RequestId(1)));
    assert!(!pool.core.is_wanted(attempt, RequestId(1)));
    pool.feed(not_sent(&pool, 1));
    assert_eq!(pool.failure(1).code, ErrorCode::Cancelled);
    assert_eq!(pool.failure(1).outcome, Outcome::NotExecuted);
}

fn grant_refused(pool: &Fixture, request: u64) -> Event<RequestId> {
    let sent = pool.last_sent(request);
    Event::GrantRefused {
        worker: sent.worker,
        attempt: sent.attempt,
        why: EndRule::NotRecorded,
    }
}

#[test]
fn an_effect_whose_grant_cannot_be_put_on_record_is_refused_and_its_caller_told_that_nothing_happened()
 {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(ask(1, Replay::UntilEffect));
    assert!(pool.ask_effect(1));
    pool.feed(grant_refused(&pool, 1));
    assert_eq!(pool.grants.pop(), Some(false));
    assert_eq!(pool.failure(1).code, ErrorCode::Overloaded);
    assert_eq!(pool.failure(1).outcome, Outcome::NotExecuted);
    assert!(pool.failure(1).retry_after.is_some());
    // What its worker says of it is late, and the worker is free for the next.
    let sent = pool.last_sent(1);
    pool.feed(Event::Answered {
        worker: sent.worker,
        attempt: sent.attempt,
    });
    pool.submit(ask(2, Replay::UntilEffect));
    assert!(pool.is_running(2));
}

#[test]
fn what_may_have_done_something_before_its_effect_is_answered_by_its_worker() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(ask(1, Replay::Never));
    assert!(pool.ask_effect(1));
    pool.feed(grant_refused(&pool, 1));
    assert_eq!(pool.grants.pop(), Some(false));
    assert!(pool.is_running(1), "only its worker knows");
}
