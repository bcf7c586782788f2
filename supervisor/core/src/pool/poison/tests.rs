use standin_protocol::{ErrorCode, Outcome, Replay};

use super::*;
use crate::{
    Cause,
    pool::{
        EndRule, Event, PoolSettings,
        fixture::{Ask, Fixture, always, ask, ms, one_worker},
    },
};

/// Requests with the same hundreds ask the same.
fn pool() -> Fixture {
    Fixture::ready(PoolSettings {
        spare: 1,
        ..one_worker()
    })
}

/// Asks, and lets it crash its workers until it has its answer.
fn crashes(pool: &mut Fixture, ask: Ask, request: u64) {
    pool.submit(ask);
    for _ in 0..3 {
        if pool.is_open(request) {
            pool.wait_for_dispatch(request);
            pool.crash(request);
        }
    }
    assert!(!pool.is_open(request));
}

fn rule(pool: &Fixture, request: u64) -> EndRule {
    pool.failure(request).rule
}

fn wait(pool: &mut Fixture, seconds: u64) {
    for _ in 0..seconds {
        pool.pass(ms(1000));
        pool.all_ready(1);
    }
}

/// A pool in which 100 has just been poisoned.
fn poisoned() -> Fixture {
    let mut pool = pool();
    crashes(&mut pool, always(100), 100);
    assert_eq!(rule(&pool, 100), EndRule::Deadly);
    wait(&mut pool, 1);
    pool
}

#[test]
fn the_same_bytes_are_refused_at_once_and_no_worker_dies_of_them_again() {
    let mut pool = poisoned();
    let deaths = pool.core.counters().deaths;
    for (request, ask) in [
        (101, always(101)),
        (102, always(102).of_session(7)),
        (103, ask(103, Replay::UntilEffect)),
    ] {
        pool.submit(ask);
        let failure = pool.failure(request);
        assert_eq!(failure.rule, EndRule::KnownDeadly);
        assert_eq!(failure.code, ErrorCode::Poisoned);
        assert_eq!(failure.outcome, Outcome::NotExecuted);
        let pause = failure.retry_after.expect("when it may be tried");
        assert!(pause < POISON_PAUSE && pause > ms(8000), "{pause:?}");
    }
    assert_eq!(pool.core.counters().deaths, deaths);
    assert_eq!(pool.core.counters().poisoned, 1);
}

#[test]
fn other_bytes_and_what_may_run_only_once_are_not_held_back() {
    let mut pool = poisoned();
    pool.submit(always(200));
    assert!(pool.is_running(200));
    pool.answer(200);
    pool.submit(ask(104, Replay::Never));
    assert!(pool.is_running(104));
}

#[test]
fn after_a_pause_one_is_tried_alone_and_an_answer_clears_the_name() {
    let mut pool = poisoned();
    wait(&mut pool, 10);
    pool.submit(always(101));
    pool.wait_for_dispatch(101);
    pool.submit(always(102));
    assert_eq!(rule(&pool, 102), EndRule::KnownDeadly, "one is enough");
    let tried = pool.worker_of(101);
    pool.submit(always(200));
    pool.wait_for_dispatch(200);
    assert_ne!(pool.worker_of(200), tried, "nobody is beside it");
    pool.answer(101);
    pool.answer(200);
    pool.submit(always(103));
    pool.wait_for_dispatch(103);
    assert!(pool.is_running(103));
}

#[test]
fn one_death_ends_a_trial_and_the_pauses_grow() {
    let mut pool = poisoned();
    wait(&mut pool, 10);
    let mut trials = 0;
    let mut request = 101;
    for _ in 0..600 {
        let deaths = pool.core.counters().deaths;
        crashes(&mut pool, always(request), request);
        let died = pool.core.counters().deaths - deaths;
        assert!(died <= 1, "{died}");
        if died == 1 {
            assert_eq!(rule(&pool, request), EndRule::DeadlyAgain);
            trials += 1;
        } else {
            assert_eq!(rule(&pool, request), EndRule::KnownDeadly);
        }
        wait(&mut pool, 1);
        request = 101 + (request - 100) % 99;
        pool.ends.remove(&RequestId(request));
    }
    // At 0, 20, 60, 140, 300 and 600 seconds, about.
    assert!((5..=6).contains(&trials), "{trials} in ten minutes");
}

#[test]
fn what_killed_nobody_for_ten_minutes_is_forgotten() {
    let mut pool = poisoned();
    wait(&mut pool, 600);
    crashes(&mut pool, always(101), 101);
    assert_eq!(
        rule(&pool, 101),
        EndRule::Deadly,
        "it has three tries again"
    );
}

#[test]
fn a_trial_that_proves_nothing_is_followed_by_the_next() {
    let mut pool = poisoned();
    wait(&mut pool, 10);
    pool.submit(always(101));
    pool.wait_for_dispatch(101);
    pool.feed(Event::Abandon(RequestId(101)));
    pool.answer(101);
    pool.submit(always(102).within(ms(100)));
    pool.wait_for_dispatch(102);
    pool.pass(ms(200));
    assert_eq!(rule(&pool, 102), EndRule::LateInWorker);
    wait(&mut pool, 1);
    pool.submit(always(103));
    assert!(pool.is_open(103), "it is tried");
}

#[test]
fn only_crashes_are_held_against_the_same_bytes() {
    // Hangs have their reason in the world outside more often than in the bytes; kills by strangers always.
    let mut hung = pool();
    hung.submit(always(100).attempts_of(ms(100)));
    for _ in 0..3 {
        hung.wait_for_dispatch(100);
        hung.pass(ms(100));
        hung.dies(hung.worker_of(100), Cause::KilledByStranger(9));
    }
    assert_eq!(rule(&hung, 100), EndRule::Deadly);
    let mut killed = pool();
    killed.submit(always(100));
    while killed.is_open(100) {
        killed.wait_for_dispatch(100);
        killed.stranger_kills(100);
    }
    assert_eq!(rule(&killed, 100), EndRule::Suspicious);
    for mut pool in [hung, killed] {
        wait(&mut pool, 1);
        pool.submit(always(101));
        assert!(pool.is_open(101));
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "any moment will do for a test")]
fn the_memory_is_bounded() {
    let now = Instant::now();
    let mut poisons = Poisons::default();
    for one in 0..10 * POISONS_MAX {
        poisons.proved_deadly(now, Fingerprint(one as u128));
    }
    assert_eq!(poisons.known.len(), POISONS_MAX);
    let oldest = poisons.asked(now, RequestId(1), Fingerprint(0));
    assert_eq!(oldest, Suspicion::None);
}
