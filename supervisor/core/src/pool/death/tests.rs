use standin_protocol::{ErrorCode, Outcome, Replay};

use super::*;
use crate::pool::{
    Event, PoolSettings, WorkerState,
    fixture::{Fixture, always, ask, ms, one_worker, worker},
    settings::UNEXPLAINED_DEATHS_MAX,
};

/// One worker and one to spare.
fn with_spare() -> PoolSettings {
    PoolSettings {
        spare: 1,
        ..one_worker()
    }
}

#[test]
fn an_idempotent_request_outlives_its_worker() {
    let mut pool = Fixture::ready(with_spare());
    pool.submit(always(1));
    pool.stranger_kills(1);
    assert!(pool.is_running(1));
    pool.answer(1);
    assert_eq!(pool.delivered(1), 2);
}

#[test]
fn until_effect_is_replayed_before_the_grant_and_never_after_it() {
    let mut pool = Fixture::ready(with_spare());
    pool.submit(ask(1, Replay::UntilEffect));
    pool.stranger_kills(1);
    pool.all_ready(1);
    assert!(pool.is_running(1));
    assert!(pool.ask_effect(1));
    pool.stranger_kills(1);
    let failure = pool.failure(1);
    assert_eq!(failure.code, ErrorCode::WorkerLost);
    assert_eq!(failure.outcome, Outcome::Unknown);
    assert_eq!(failure.cause, Some(Cause::KilledByStranger(9)));
    assert_eq!(failure.attempts, 2);
}

#[test]
fn what_must_never_run_twice_is_lost_with_its_worker_and_the_caller_told() {
    let mut pool = Fixture::ready(with_spare());
    pool.submit(ask(1, Replay::Never));
    pool.stranger_kills(1);
    let failure = pool.failure(1);
    assert_eq!(failure.code, ErrorCode::WorkerLost);
    assert_eq!(failure.outcome, Outcome::Unknown);
    assert_eq!(pool.times_sent(1), 1);
}

#[test]
fn nothing_is_replayed_before_its_worker_is_reported_dead() {
    let mut pool = Fixture::ready(with_spare());
    pool.submit(always(1).attempts_of(ms(100)));
    let hung = pool.worker_of(1);
    pool.pass(ms(1000));
    assert_eq!(pool.times_sent(1), 1, "its worker was killed, and may live");
    pool.dies(hung, Cause::KilledByStranger(9));
    assert_eq!(pool.times_sent(1), 2);
}

#[test]
fn a_replay_goes_before_those_that_came_later() {
    let mut pool = Fixture::ready(one_worker());
    for request in 1..=3 {
        pool.submit(always(request));
    }
    pool.stranger_kills(1);
    pool.all_ready(1);
    assert!(pool.is_running(1));
}

#[test]
fn a_replay_is_made_only_while_the_callers_deadline_leaves_room_for_it() {
    let mut pool = Fixture::ready(with_spare());
    pool.submit(always(1).within(ms(1000)));
    pool.pass(ms(996));
    pool.stranger_kills(1);
    assert_eq!(pool.failure(1).code, ErrorCode::DeadlineExceeded);
    assert_eq!(pool.times_sent(1), 1);

    pool.all_ready(1);
    pool.submit(always(2).within(ms(1000)));
    pool.pass(ms(900));
    pool.stranger_kills(2);
    assert_eq!(pool.times_sent(2), 2);
    assert_eq!(pool.last_sent(2).timeout, ms(100));
}

#[test]
fn a_crash_with_neighbours_makes_suspects_and_the_innocent_do_not_die_with_the_guilty() {
    let mut pool = Fixture::new(one_worker());
    pool.all_ready(2);
    pool.submit(always(1));
    pool.submit(always(2));
    pool.crash(1);
    pool.all_ready(2);
    // Each runs alone now, one after the other.
    let (first, second) = if pool.is_running(1) { (1, 2) } else { (2, 1) };
    assert!(!pool.is_running(second));
    pool.answer(first);
    assert!(pool.is_running(second));
    assert_eq!(
        pool.state(pool.worker_of(second)),
        Some(WorkerState::Suspect)
    );
    pool.crash(second);
    assert_eq!(pool.delivered(first), 2, "untouched by the other's crash");
}

/// Lets request 1 crash its workers until it has its answer.
fn crash_until_answered(pool: &mut Fixture) {
    for _ in 0..10 {
        if !pool.is_open(1) {
            return;
        }
        pool.wait_for_dispatch(1);
        pool.crash(1);
    }
}

#[test]
fn a_deadly_request_is_poisoned_at_the_third_attempt() {
    let table = [
        (Replay::Always, Outcome::Unknown),
        (Replay::UntilEffect, Outcome::NotExecuted),
    ];
    for (replay, outcome) in table {
        let mut pool = Fixture::ready(one_worker());
        pool.submit(ask(1, replay));
        crash_until_answered(&mut pool);
        let failure = pool.failure(1);
        assert_eq!(failure.code, ErrorCode::Poisoned);
        assert_eq!(failure.outcome, outcome);
        assert_eq!(failure.attempts, 3);
        assert_eq!(failure.cause, Some(Cause::Crashed(11)));
        assert_eq!(pool.times_sent(1), 3);
        assert_eq!(pool.core.counters().poisoned, 1);
    }
}

#[test]
fn a_hung_request_is_poisoned_at_the_third_attempt() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(always(1).attempts_of(ms(100)));
    for attempt in 1..=3 {
        pool.wait_for_dispatch(1);
        assert_eq!(pool.times_sent(1), attempt);
        pool.pass(ms(100));
        let (hung, reason) = *pool.kills.last().expect("a kill");
        assert_eq!((hung, reason), (pool.worker_of(1), KillReason::Deadline));
        pool.dies(hung, Cause::KilledByStranger(9));
    }
    let failure = pool.failure(1);
    assert_eq!(failure.code, ErrorCode::Poisoned);
    assert_eq!(failure.cause, Some(Cause::KilledByUs(KillReason::Deadline)));
}

#[test]
fn a_storm_of_strangers_kills_poisons_nobody_but_does_not_go_on_for_ever() {
    let mut pool = Fixture::ready(with_spare());
    pool.submit(always(1));
    for _ in 0..UNEXPLAINED_DEATHS_MAX {
        assert!(pool.is_running(1));
        pool.stranger_kills(1);
        pool.all_ready(1);
    }
    assert_eq!(pool.failure(1).code, ErrorCode::Poisoned);
}

#[test]
fn what_we_did_ourselves_is_not_taken_for_a_strangers_doing() {
    let mut pool = Fixture::ready(one_worker());
    let victim = worker(0, 1);
    let sigkill = Cause::KilledByStranger(9);
    assert_eq!(pool.core.cause_of_death(victim, sigkill), sigkill);
    pool.feed(Event::ProtocolViolated(victim));
    let ours = Cause::KilledByUs(KillReason::ProtocolViolation);
    assert_eq!(pool.core.cause_of_death(victim, sigkill), ours);
    let stranger = worker(5, 1);
    assert_eq!(pool.core.cause_of_death(stranger, sigkill), sigkill);
}

#[test]
fn a_worker_that_ends_as_it_was_asked_to_is_no_death() {
    let mut pool = Fixture::ready(PoolSettings {
        recycle_requests: Some(1),
        ..one_worker()
    });
    pool.submit(always(1));
    pool.answer(1);
    assert_eq!(pool.drains, [worker(0, 1)]);
    let retired = Cause::KilledByUs(KillReason::Retired);
    let ended = Cause::Exited(0);
    assert_eq!(pool.core.cause_of_death(worker(0, 1), ended), retired);
    let crash = Cause::Crashed(11);
    assert_eq!(pool.core.cause_of_death(worker(0, 1), crash), crash);
    pool.dies(worker(0, 1), ended);
    assert_eq!(pool.core.counters().deaths, 0);
    assert_eq!(pool.starting, [worker(0, 2)], "its place is filled at once");
}

/// How long it takes until the next worker is ordered.
fn pause(pool: &mut Fixture) -> Duration {
    let before = pool.now;
    pool.wait_for_start();
    pool.now - before
}

#[test]
fn restarts_wait_longer_each_time_with_jitter_and_up_to_a_bound() {
    let mut pool = Fixture::ready(one_worker());
    let mut pauses = Vec::new();
    for generation in 1..=14 {
        pool.dies(worker(0, generation), Cause::Exited(1));
        pauses.push(pause(&mut pool));
        pool.all_ready(1);
    }
    assert_eq!(pauses[0], ms(0), "the first restart is at once");
    for (index, pause) in pauses.iter().enumerate().skip(1) {
        let bound = ms(100 << (index - 1).min(12)).min(ms(30_000));
        assert!(*pause <= bound + ms(1), "{index}: {pauses:?}");
    }
    assert!(
        pauses[8..].iter().any(|pause| *pause > ms(5000)),
        "{pauses:?}"
    );
    let whole = pauses[8..].iter().filter(|pause| **pause >= ms(30_000));
    assert!(
        whole.count() < 3,
        "jitter is spread over the whole pause: {pauses:?}"
    );
}

#[test]
fn somebody_who_waits_shortens_the_longest_pause() {
    let mut pool = Fixture::ready(one_worker());
    for generation in 1..=14 {
        pool.dies(worker(0, generation), Cause::Exited(1));
        if generation < 14 {
            pause(&mut pool);
            pool.all_ready(1);
        }
    }
    pool.submit(always(1));
    assert!(pause(&mut pool) <= ms(1001));
}

#[test]
fn a_long_and_useful_life_makes_up_for_earlier_failures() {
    let mut pool = Fixture::ready(one_worker());
    for generation in 1..=8 {
        pool.dies(worker(0, generation), Cause::Exited(1));
        pause(&mut pool);
        pool.all_ready(1);
    }
    pool.submit(always(1));
    pool.answer(1);
    pool.pass(ms(60_000));
    pool.dies(worker(0, 9), Cause::Exited(1));
    assert_eq!(pause(&mut pool), ms(0));
}

#[test]
fn a_strangers_kill_is_no_reason_to_wait() {
    let mut pool = Fixture::ready(one_worker());
    for generation in 1..=20 {
        pool.dies(worker(0, generation), Cause::KilledByStranger(9));
        assert_eq!(pause(&mut pool), ms(0));
        pool.all_ready(1);
    }
    assert!(pool.degraded.is_empty());
}

#[test]
fn news_of_a_dead_worker_is_not_taken_for_news_of_the_next() {
    let mut pool = Fixture::ready(one_worker());
    let first = worker(0, 1);
    pool.dies(first, Cause::Crashed(11));
    pool.all_ready(1);
    pool.submit(always(1));
    pool.dies(first, Cause::Crashed(11));
    pool.dies(worker(9, 1), Cause::Crashed(11));
    assert!(pool.is_running(1));
    assert_eq!(pool.core.counters().deaths, 1);
}

#[test]
fn a_kill_that_does_not_work_is_made_again() {
    let mut pool = Fixture::ready(one_worker());
    pool.feed(Event::ProtocolViolated(worker(0, 1)));
    pool.pass(ms(2000));
    pool.pass(ms(2000));
    assert_eq!(pool.kills.len(), 3);
}
