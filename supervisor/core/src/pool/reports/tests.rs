use standin_protocol::Replay;

use super::*;
use crate::{
    Cause, RequestId,
    pool::{
        Event, WorkerState,
        fixture::{Fixture, always, ask, ms, one_worker, worker, workers},
    },
};

#[test]
fn late_doubled_and_invented_answers_are_dropped_and_counted() {
    let mut pool = Fixture::ready(workers(2));
    pool.submit(always(1));
    let sent = pool.last_sent(1);
    pool.answer(1);
    pool.answer(1);
    assert_eq!(pool.core.counters().stale_answers, 1, "a second answer");
    pool.feed(Event::Answered {
        worker: sent.worker,
        attempt: AttemptId(999),
    });
    assert_eq!(pool.core.counters().stale_answers, 2, "an invented one");

    pool.submit(always(2));
    let first = pool.last_sent(2);
    pool.stranger_kills(2);
    assert_ne!(pool.last_sent(2).attempt, first.attempt);
    pool.feed(Event::Answered {
        worker: first.worker,
        attempt: first.attempt,
    });
    assert_eq!(pool.core.counters().stale_answers, 3, "one from the dead");
    assert!(pool.is_running(2), "and the second attempt goes on");
}

#[test]
fn a_worker_cannot_answer_for_another() {
    let mut pool = Fixture::ready(workers(2));
    pool.submit(always(1));
    pool.submit(always(2));
    pool.feed(Event::Answered {
        worker: pool.worker_of(2),
        attempt: pool.last_sent(1).attempt,
    });
    assert!(pool.is_running(1) && pool.is_running(2));
    assert_eq!(pool.core.counters().stale_answers, 1);
}

#[test]
fn the_answer_to_what_nobody_waits_for_frees_the_worker_and_is_counted() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(always(1));
    pool.submit(always(2));
    pool.feed(Event::Abandon(RequestId(1)));
    pool.answer(1);
    assert_eq!(pool.core.counters().stale_answers, 1);
    assert!(pool.is_running(2));
}

#[test]
fn an_answer_that_overtakes_the_kill_of_a_hung_worker_is_delivered() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(always(1).attempts_of(ms(100)));
    pool.pass(ms(100));
    assert_eq!(pool.kills.len(), 1);
    pool.answer(1);
    assert_eq!(pool.delivered(1), 1);
    assert_eq!(pool.state(pool.worker_of(1)), Some(WorkerState::Dying));
}

#[test]
fn the_effect_is_granted_to_the_attempt_that_its_request_waits_for() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(ask(1, Replay::UntilEffect));
    assert!(pool.ask_effect(1));
    assert_eq!(pool.core.counters().effects_granted, 1);
}

#[test]
fn the_effect_is_refused_to_another_worker_and_for_an_unknown_attempt() {
    let mut pool = Fixture::ready(workers(2));
    pool.submit(ask(1, Replay::UntilEffect));
    pool.submit(ask(2, Replay::UntilEffect));
    for attempt in [pool.last_sent(1).attempt, AttemptId(999)] {
        pool.feed(Event::EffectRequested {
            worker: pool.worker_of(2),
            attempt,
            is_on_record: true,
        });
    }
    assert_eq!(pool.grants, [false, false]);
    // Nothing was granted, so the first request is still replayed.
    pool.stranger_kills(1);
    assert!(pool.is_open(1));
    assert_eq!(pool.core.counters().effects_refused, 2);
}

#[test]
fn the_effect_is_refused_to_the_dead_without_a_word() {
    let mut pool = Fixture::ready(workers(2));
    pool.submit(ask(1, Replay::UntilEffect));
    let first = pool.last_sent(1);
    pool.stranger_kills(1);
    pool.feed(Event::EffectRequested {
        worker: first.worker,
        attempt: first.attempt,
        is_on_record: true,
    });
    assert!(pool.grants.is_empty(), "there is nobody to answer");
    assert!(pool.ask_effect(1), "the second attempt has leave");
}

#[test]
fn the_effect_is_refused_once_the_attempt_has_run_out_of_time() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(ask(1, Replay::UntilEffect).attempts_of(ms(100)));
    pool.pass_unnoticed(ms(100));
    assert!(!pool.ask_effect(1), "even if the timer is late");
    pool.pass(ms(0));
    assert!(!pool.ask_effect(1));
    pool.dies(pool.worker_of(1), Cause::KilledByStranger(9));
    assert!(pool.is_open(1), "so it may be replayed");
}

#[test]
fn the_effect_is_refused_to_a_worker_that_is_being_killed() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(ask(1, Replay::UntilEffect));
    pool.feed(Event::ProtocolViolated(pool.worker_of(1)));
    assert!(!pool.ask_effect(1));
}

#[test]
fn a_sign_of_life_starts_the_attempts_time_anew_within_the_callers() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(always(1).attempts_of(ms(100)).within(ms(250)));
    let progress = |pool: &mut Fixture| {
        let sent = pool.last_sent(1);
        pool.feed(Event::Progressed {
            worker: sent.worker,
            attempt: sent.attempt,
        });
    };
    pool.pass(ms(80));
    progress(&mut pool);
    pool.pass(ms(80));
    progress(&mut pool);
    pool.pass(ms(80));
    progress(&mut pool);
    assert!(pool.kills.is_empty(), "it lives");
    pool.pass(ms(10));
    assert_eq!(pool.kills.len(), 1, "the caller's deadline holds");
    assert!(!pool.is_open(1));
}

#[test]
fn a_worker_is_not_late_while_its_client_thinks_and_the_callers_time_holds() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(always(1).attempts_of(ms(100)).within(ms(1000)));
    let sent = pool.last_sent(1);
    let (worker, attempt) = (sent.worker, sent.attempt);
    pool.feed(Event::ClientAsked { worker, attempt });
    pool.feed(Event::ClientAsked { worker, attempt });
    pool.pass(ms(300));
    pool.feed(Event::ClientAnswered { worker, attempt });
    pool.pass(ms(300));
    // A sign of life in between takes nothing away from the one that is still open.
    pool.feed(Event::Progressed { worker, attempt });
    pool.pass(ms(200));
    assert!(pool.kills.is_empty(), "the client is slow, not the worker");
    pool.feed(Event::ClientAnswered { worker, attempt });
    pool.pass(ms(99));
    assert!(pool.kills.is_empty(), "it has its time anew");
    pool.pass(ms(1));
    assert_eq!(pool.kills.len(), 1, "from then on it is the worker again");

    let mut pool = Fixture::ready(one_worker());
    pool.submit(always(2).attempts_of(ms(100)).within(ms(250)));
    let sent = pool.last_sent(2);
    let (worker, attempt) = (sent.worker, sent.attempt);
    pool.feed(Event::ClientAsked { worker, attempt });
    pool.pass(ms(249));
    assert!(pool.is_open(2));
    pool.pass(ms(1));
    assert!(!pool.is_open(2), "the caller's own time is up");
}

#[test]
fn signs_of_life_do_not_prolong_what_was_taken_back() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(always(1));
    pool.feed(Event::Cancel(RequestId(1)));
    let sent = pool.last_sent(1);
    pool.pass(ms(499));
    pool.feed(Event::Progressed {
        worker: sent.worker,
        attempt: sent.attempt,
    });
    pool.pass(ms(1));
    assert!(!pool.is_open(1));
}

#[test]
fn a_second_hello_and_one_from_the_dead_change_nothing() {
    let mut pool = Fixture::ready(one_worker());
    let hello = |worker| Event::WorkerReady {
        worker,
        concurrency: 9,
    };
    pool.feed(hello(worker(0, 1)));
    assert_eq!(pool.core.view().workers[0].concurrency, 1);
    pool.dies(worker(0, 1), Cause::Crashed(11));
    pool.feed(hello(worker(0, 1)));
    pool.feed(hello(worker(7, 1)));
    assert_eq!(pool.ready_count(), 0);
    assert_eq!(pool.state(worker(0, 2)), Some(WorkerState::Starting));
}

#[test]
fn who_breaks_the_protocol_is_killed_and_its_request_replayed() {
    let mut pool = Fixture::ready(workers(2));
    pool.submit(always(1));
    let culprit = pool.worker_of(1);
    pool.feed(Event::ProtocolViolated(culprit));
    assert_eq!(pool.kills, [(culprit, KillReason::ProtocolViolation)]);
    assert_eq!(pool.times_sent(1), 1, "not before it is dead");
    pool.dies(culprit, Cause::KilledByStranger(9));
    assert_eq!(pool.times_sent(1), 2);
    pool.feed(Event::ProtocolViolated(culprit));
    assert_eq!(pool.kills.len(), 1, "the dead are not killed");
}
