use standin_protocol::{ErrorCode, Outcome, Replay};

use crate::{
    AttemptId, RequestId, WorkerId,
    pool::{
        EndRule, Event,
        fixture::{Fixture, ask, ms, one_worker, workers},
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
    pool.ask_effect_to_record(1);
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
    pool.ask_effect_to_record(1);
    pool.feed(grant_refused(&pool, 1));
    assert_eq!(pool.grants.pop(), Some(false));
    assert!(pool.is_running(1), "only its worker knows");
}

fn recorded(pool: &mut Fixture, (worker, attempt): (WorkerId, AttemptId)) {
    pool.feed(Event::EffectRecorded { worker, attempt });
}

#[test]
fn an_effect_is_granted_when_it_is_on_record_and_not_before() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(ask(1, Replay::UntilEffect));
    let asked = pool.ask_effect_to_record(1);
    assert!(pool.grants.is_empty());
    assert_eq!(pool.core.counters().effects_granted, 0);
    recorded(&mut pool, asked);
    assert_eq!(pool.grants, [true]);
    assert_eq!(pool.core.counters().effects_granted, 1);
    pool.stranger_kills(1);
    assert_eq!(pool.failure(1).rule, EndRule::EffectGranted);
    assert_eq!(pool.failure(1).outcome, Outcome::Unknown);
}

#[test]
fn a_worker_that_dies_while_its_grant_is_put_on_record_has_not_heard_of_it_and_its_call_is_replayed()
 {
    let mut pool = Fixture::ready(workers(3));
    pool.submit(ask(1, Replay::UntilEffect));
    let asked = pool.ask_effect_to_record(1);
    pool.stranger_kills(1);
    assert!(pool.is_running(1));
    assert_eq!(pool.times_sent(1), 2);
    // The news is late: it is nobody's, and the second attempt has no leave by it.
    recorded(&mut pool, asked);
    assert!(pool.grants.is_empty());
    pool.stranger_kills(1);
    assert_eq!(pool.times_sent(1), 3, "its effect was not granted either");
}

#[test]
fn a_caller_whose_time_is_up_while_the_grant_is_put_on_record_is_told_that_nothing_happened() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(ask(1, Replay::UntilEffect).within(ms(100)));
    let asked = pool.ask_effect_to_record(1);
    pool.pass(ms(100));
    assert_eq!(pool.failure(1).outcome, Outcome::NotExecuted);
    recorded(&mut pool, asked);
    assert_eq!(pool.grants, [false], "and so it stays");
}

#[test]
fn whoever_asks_twice_has_the_same_answer_twice_whatever_becomes_of_the_second_record() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(ask(1, Replay::UntilEffect));
    let first = pool.ask_effect_to_record(1);
    let second = pool.ask_effect_to_record(1);
    assert_eq!(first, second);
    recorded(&mut pool, first);
    pool.feed(grant_refused(&pool, 1));
    assert_eq!(pool.grants, [true, true]);
    assert!(pool.is_running(1));
}
