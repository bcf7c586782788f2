use standin_protocol::{ErrorCode, Outcome, Replay};

use super::*;
use crate::{
    Cause,
    pool::{
        Event, PoolSettings, WorkerState,
        fixture::{Fixture, always, ask, ms, one_worker, worker},
    },
};

const CLASSES: [Replay; 3] = [Replay::Always, Replay::UntilEffect, Replay::Never];

#[test]
fn a_deadline_that_passes_in_the_queue_proves_that_nothing_happened() {
    for replay in CLASSES {
        let mut pool = Fixture::ready(one_worker());
        pool.submit(always(1));
        pool.submit(ask(2, replay).within(ms(100)));
        pool.pass(ms(100));
        let failure = pool.failure(2);
        assert_eq!(failure.code, ErrorCode::DeadlineExceeded);
        assert_eq!(failure.outcome, Outcome::NotExecuted);
        assert_eq!(failure.attempts, 0);
        assert!(pool.kills.is_empty());
    }
}

#[test]
fn a_deadline_that_passes_in_a_worker_ends_the_worker_and_the_caller_knows_what_is_known() {
    let table = [
        (Replay::Always, Outcome::Unknown),
        (Replay::UntilEffect, Outcome::NotExecuted),
        (Replay::Never, Outcome::Unknown),
    ];
    for (replay, outcome) in table {
        let mut pool = Fixture::ready(one_worker());
        pool.submit(ask(1, replay).within(ms(100)));
        pool.pass(ms(100));
        assert_eq!(pool.failure(1).code, ErrorCode::DeadlineExceeded);
        assert_eq!(pool.failure(1).outcome, outcome);
        assert_eq!(pool.kills, [(worker(0, 1), KillReason::Deadline)]);
        assert!(!pool.ask_effect(1), "what was called not executed stays so");
        pool.dies(worker(0, 1), Cause::KilledByStranger(9));
        assert_eq!(pool.times_sent(1), 1);
    }
}

#[test]
fn a_granted_effect_makes_the_outcome_unknown() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(ask(1, Replay::UntilEffect).within(ms(100)));
    assert!(pool.ask_effect(1));
    pool.pass(ms(100));
    assert_eq!(pool.failure(1).outcome, Outcome::Unknown);
}

#[test]
fn an_attempt_that_takes_too_long_is_ended_and_then_it_is_as_with_any_death() {
    let table = [
        (Replay::Always, None),
        (Replay::UntilEffect, None),
        (Replay::Never, Some(ErrorCode::WorkerLost)),
    ];
    for (replay, code) in table {
        let mut pool = Fixture::ready(one_worker());
        pool.submit(ask(1, replay).attempts_of(ms(100)));
        pool.pass(ms(100));
        assert!(pool.is_open(1), "the caller has more time than the attempt");
        pool.dies(worker(0, 1), Cause::KilledByStranger(9));
        pool.all_ready(1);
        assert_eq!(pool.is_running(1), code.is_none(), "{replay:?}");
        if let Some(code) = code {
            assert_eq!(pool.failure(1).code, code);
        }
    }
}

#[test]
fn a_worker_that_ran_past_a_deadline_never_gets_anything_again() {
    let mut pool = Fixture::new(one_worker());
    pool.all_ready(2);
    pool.submit(always(1).attempts_of(ms(100)));
    pool.submit(always(2));
    pool.pass(ms(100));
    assert!(pool.kills.is_empty(), "the innocent may finish");
    pool.submit(always(3));
    pool.answer(1);
    assert_eq!(pool.delivered(1), 1, "late, and still an answer");
    assert!(!pool.is_running(3));
    pool.answer(2);
    assert_eq!(pool.kills, [(worker(0, 1), KillReason::Deadline)]);
    pool.dies(worker(0, 1), Cause::KilledByStranger(9));
    pool.all_ready(2);
    assert!(pool.is_running(3));
}

#[test]
fn a_worker_is_not_told_to_leave_off_what_its_caller_still_waits_for() {
    // Its "cancelled" would be taken for the answer, and the call would not be replayed.
    let mut pool = Fixture::new(one_worker());
    pool.all_ready(2);
    pool.submit(always(1).attempts_of(ms(100)));
    pool.submit(always(2).within(ms(200)));
    pool.pass(ms(100));
    assert!(pool.cancels.is_empty() && pool.kills.is_empty());
    pool.pass(ms(100));
    assert_eq!(pool.kills.len(), 1);
    assert!(pool.cancels.is_empty(), "nor is one that is being killed");
}

#[test]
fn a_worker_that_lives_on_for_others_is_told_to_leave_off_what_nobody_waits_for() {
    let mut pool = Fixture::new(one_worker());
    pool.all_ready(2);
    pool.submit(always(1).within(ms(100)));
    pool.submit(always(2));
    pool.pass(ms(100));
    assert_eq!(pool.failure(1).code, ErrorCode::DeadlineExceeded);
    assert_eq!(pool.cancels, [pool.last_sent(1).attempt]);
    assert!(pool.is_running(2) && pool.kills.is_empty());
}

#[test]
fn the_caller_is_answered_at_its_deadline_though_the_death_of_its_worker_is_not_reported() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(always(1).attempts_of(ms(100)).within(ms(500)));
    pool.pass(ms(499));
    assert!(pool.is_open(1));
    pool.pass(ms(1));
    assert_eq!(pool.failure(1).code, ErrorCode::DeadlineExceeded);
    pool.pass(ms(2000));
    assert!(pool.kills.len() > 1, "and the kill is made again");
}

#[test]
fn a_worker_that_says_nothing_within_its_start_time_is_killed() {
    let mut pool = Fixture::new(one_worker());
    pool.pass(ms(999));
    assert!(pool.kills.is_empty());
    pool.pass(ms(1));
    assert_eq!(pool.kills, [(worker(0, 1), KillReason::StartTimeout)]);
}

#[test]
fn on_a_starved_machine_lateness_kills_nobody() {
    let mut pool = Fixture::ready(PoolSettings {
        workers_max: 2,
        workers_min: 2,
        ..one_worker()
    });
    pool.submit(always(1).attempts_of(ms(100)));
    pool.dies(worker(1, 1), Cause::Exited(0));
    pool.feed(Event::Starved(true));
    pool.pass(ms(5000));
    assert!(pool.kills.is_empty());
    assert_eq!(pool.state(worker(1, 2)), Some(WorkerState::Starting));
    pool.feed(Event::Starved(false));
    pool.pass(ms(1000));
    assert_eq!(pool.kills.len(), 2);
}

#[test]
fn on_a_starved_machine_the_callers_deadline_holds_all_the_same() {
    let mut pool = Fixture::ready(one_worker());
    pool.feed(Event::Starved(true));
    pool.submit(always(1).attempts_of(ms(100)).within(ms(300)));
    pool.pass(ms(299));
    assert!(pool.is_open(1));
    pool.pass(ms(1));
    assert_eq!(pool.failure(1).code, ErrorCode::DeadlineExceeded);
    assert!(!pool.ask_effect(1));
}
