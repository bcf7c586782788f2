use standin_protocol::ErrorCode;

use super::*;
use crate::{
    Cause,
    pool::{
        Event, PoolSettings,
        fixture::{Fixture, always, ms, one_worker, workers},
    },
};

const BAD: Cause = Cause::Exited(127);

/// A pool whose first workers do not start, up to the point where it gives up for a while.
fn degraded(settings: PoolSettings) -> Fixture {
    let mut pool = Fixture::new(settings);
    fail_starts_until_degraded(&mut pool);
    pool
}

fn fail_starts_until_degraded(pool: &mut Fixture) {
    for _ in 0..5000 {
        if pool.degraded.last() == Some(&true) {
            return;
        }
        if pool.starting.is_empty() {
            pool.pass(ms(1));
        } else {
            pool.start_fails(BAD);
        }
    }
    panic!("the pool is not degraded");
}

/// Until nobody is started at once any more.
fn fail_all_starts(pool: &mut Fixture) {
    for _ in 0..100 {
        if pool.starting.is_empty() {
            return;
        }
        pool.start_fails(BAD);
    }
    panic!("workers that do not start are started in a tight loop");
}

#[test]
fn three_failed_starts_in_a_row_degrade_the_pool_and_those_who_wait_are_told() {
    let mut pool = Fixture::new(one_worker());
    pool.submit(always(1));
    for failures in 1..=3 {
        assert!(pool.is_open(1), "after {} failures", failures - 1);
        pool.wait_for_start();
        pool.start_fails(BAD);
    }
    let failure = pool.failure(1);
    assert_eq!(failure.code, ErrorCode::PoolUnavailable);
    assert_eq!(failure.outcome, standin_protocol::Outcome::NotExecuted);
    assert_eq!(
        failure.retry_after,
        Some(ms(5000)),
        "when the next one is tried"
    );
    assert_eq!(pool.degraded, [true]);
    assert!(pool.core.view().degraded);
}

#[test]
fn a_degraded_pool_answers_at_once_and_says_when_it_tries_again() {
    let mut pool = degraded(one_worker());
    pool.pass(ms(2000));
    pool.submit(always(1));
    assert_eq!(pool.failure(1).code, ErrorCode::PoolUnavailable);
    assert_eq!(pool.failure(1).retry_after, Some(ms(3000)));
    pool.pass(ms(3000));
    assert_eq!(pool.starting.len(), 1, "one worker is tried");
    pool.submit(always(2));
    let pause = pool.failure(2).retry_after.expect("when to come back");
    assert!(
        pause >= RETRY_AFTER_MIN,
        "while it is tried nobody asks in a loop"
    );
}

#[test]
fn a_degraded_pool_tries_one_worker_at_a_time_less_and_less_often_and_never_gives_up() {
    let mut pool = degraded(one_worker());
    let mut pauses = Vec::new();
    for _ in 0..7 {
        let before = pool.now;
        pool.wait_for_start();
        pauses.push((pool.now - before).as_secs());
        pool.start_fails(BAD);
    }
    assert_eq!(pauses, [5, 10, 20, 40, 60, 60, 60]);
    assert_eq!(pool.degraded, [true], "said once");
}

#[test]
fn only_one_worker_is_tried_though_many_are_wanted() {
    let mut pool = degraded(workers(4));
    fail_all_starts(&mut pool);
    pool.wait_for_start();
    pool.pass(ms(500));
    assert_eq!(pool.starting.len(), 1);
    pool.all_ready(1);
    assert_eq!(pool.ready_count(), 4, "and the others when it succeeded");
}

#[test]
fn a_worker_that_starts_closes_the_breaker() {
    let mut pool = degraded(one_worker());
    pool.pass(ms(5000));
    pool.all_ready(1);
    assert_eq!(pool.degraded, [true, false]);
    pool.submit(always(1));
    assert!(pool.is_running(1));
    // And the count of failures begins anew.
    pool.dies(pool.worker_of(1), BAD);
    pool.wait_for_start();
    pool.start_fails(BAD);
    assert_eq!(pool.degraded, [true, false]);
}

#[test]
fn a_pool_that_keeps_no_worker_recovers_too() {
    let mut pool = Fixture::new(PoolSettings {
        workers_min: 0,
        ..one_worker()
    });
    assert_eq!(pool.starts, 0);
    pool.submit(always(1));
    fail_starts_until_degraded(&mut pool);
    pool.pass(ms(5000));
    assert_eq!(pool.starting.len(), 1, "though nobody can wait for it");
    pool.all_ready(1);
    pool.submit(always(2));
    assert!(pool.is_running(2));
}

#[test]
fn while_one_worker_serves_failed_starts_of_others_degrade_nothing() {
    let mut pool = Fixture::new(workers(2));
    let first = pool.starting.pop_front().expect("two were started");
    pool.feed(Event::WorkerReady {
        worker: first,
        concurrency: 1,
    });
    for _ in 0..10 {
        pool.wait_for_start();
        pool.start_fails(BAD);
    }
    assert!(pool.degraded.is_empty());
    pool.submit(always(1));
    assert!(pool.is_running(1));
}

#[test]
fn while_one_worker_serves_failed_starts_of_others_are_no_tight_loop() {
    let mut pool = Fixture::new(workers(4));
    let first = pool.starting.pop_front().expect("four were started");
    pool.feed(Event::WorkerReady {
        worker: first,
        concurrency: 1,
    });
    for _ in 0..10_000 {
        fail_all_starts(&mut pool);
        pool.pass(ms(1));
    }
    assert!(pool.starts < 60, "{} starts in ten seconds", pool.starts);
}

#[test]
fn a_storm_of_kills_at_the_start_degrades_late_and_a_killed_try_is_a_failed_try() {
    let mut pool = Fixture::new(one_worker());
    for _ in 0..UNEXPLAINED_STARTS_MAX {
        assert!(pool.degraded.is_empty());
        pool.wait_for_start();
        pool.start_fails(Cause::KilledByStranger(9));
    }
    assert_eq!(pool.degraded, [true]);
    pool.pass(ms(5000));
    pool.start_fails(Cause::KilledByStranger(9));
    assert!(pool.starting.is_empty(), "the next try waits, too");
    pool.pass(ms(9999));
    assert!(pool.starting.is_empty());
    pool.pass(ms(1));
    assert_eq!(pool.starting.len(), 1);
}

#[test]
fn somebody_who_wants_a_worker_now_gets_a_try_now() {
    let mut pool = degraded(one_worker());
    pool.feed(Event::StartRequested);
    assert_eq!(pool.starting.len(), 1);
    pool.feed(Event::StartRequested);
    assert_eq!(pool.starting.len(), 1, "one try at a time");
    pool.start_fails(BAD);
    assert!(pool.starting.is_empty(), "and no loop of them");
}

#[test]
fn a_replay_in_a_degraded_pool_does_not_wait_for_the_long_pause() {
    let mut pool = Fixture::new(workers(2));
    let first = pool.starting.pop_front().expect("two were started");
    pool.feed(Event::WorkerReady {
        worker: first,
        concurrency: 2,
    });
    pool.submit(always(1).attempts_of(ms(100)));
    pool.submit(always(2));
    // Request 1 hangs, so its worker takes nothing new; request 2 goes on in it; and no other worker starts.
    pool.pass(ms(100));
    fail_starts_until_degraded(&mut pool);
    pool.stranger_kills(2);
    let before = pool.now;
    pool.wait_for_start();
    assert!(pool.now - before <= ms(1000));
    pool.start_fails(BAD);
    assert_eq!(pool.failure(2).code, ErrorCode::PoolUnavailable);
}
