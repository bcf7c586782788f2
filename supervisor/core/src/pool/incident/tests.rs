use super::*;
use crate::{
    Cause,
    pool::{
        Event,
        fixture::{Fixture, always, ms, worker, workers},
    },
};

/// Four workers, each of which has served and is now busy with the request of its number.
fn four_busy() -> Fixture {
    let mut pool = Fixture::ready(workers(4));
    for request in 11..=14 {
        pool.submit(always(request));
    }
    (11..=14).for_each(|request| pool.answer(request));
    for request in 1..=4 {
        pool.submit(always(request));
    }
    pool
}

/// Lets a request crash its workers, far apart from each other, until it is answered.
fn crashes_left(pool: &mut Fixture, request: u64) -> u32 {
    let mut crashes = 0;
    while pool.is_open(request) {
        pool.pass(ms(200));
        pool.wait_for_dispatch(request);
        pool.crash(request);
        crashes += 1;
    }
    crashes
}

#[test]
fn a_mass_death_is_one_incident_that_blames_nobody() {
    let mut pool = four_busy();
    for request in 1..=4 {
        pool.crash(request);
        pool.pass(ms(10));
    }
    assert_eq!(pool.incidents, [3, 4]);
    assert_eq!(pool.core.counters().incidents, 1);
    pool.all_ready(1);
    assert!((1..=4).all(|request| pool.is_running(request)));
    assert_eq!(
        crashes_left(&mut pool, 1),
        3,
        "the one before did not count"
    );
}

#[test]
fn deaths_that_are_far_apart_are_no_incident() {
    let mut pool = four_busy();
    for request in 1..=4 {
        pool.crash(request);
        pool.pass(ms(101));
    }
    assert_eq!(pool.core.counters().incidents, 0);
    pool.all_ready(1);
    assert_eq!(crashes_left(&mut pool, 1), 2, "the one before counted");
}

#[test]
fn two_deaths_are_an_incident_where_that_was_every_worker() {
    let mut pool = Fixture::ready(workers(2));
    pool.submit(always(1));
    pool.submit(always(2));
    pool.crash(1);
    assert_eq!(pool.core.counters().incidents, 0);
    pool.crash(2);
    assert_eq!(pool.core.counters().incidents, 1);
    pool.all_ready(1);
    assert_eq!(crashes_left(&mut pool, 1), 3);
}

#[test]
fn deadly_requests_that_run_alone_do_not_acquit_each_other() {
    let mut pool = Fixture::ready(workers(4));
    for request in 1..=4 {
        pool.submit(always(request));
    }
    // All four are deadly and always crash together.
    let mut rounds = 0;
    while (1..=4).any(|request| pool.is_open(request)) {
        for request in 1..=4 {
            if pool.is_running(request) {
                pool.crash(request);
            }
        }
        for request in 1..=4 {
            if pool.is_open(request) {
                pool.wait_for_dispatch(request);
            }
        }
        pool.pass(ms(101));
        rounds += 1;
        assert!(rounds < 20, "four deadly requests go on for ever");
    }
    let attempts = (1..=4).map(|request| pool.failure(request).attempts);
    assert!(attempts.max() <= Some(4));
}

#[test]
fn a_mass_death_burns_no_restart_budget() {
    let mut pool = four_busy();
    for round in 1..=10 {
        let workers = pool.ready_workers();
        assert_eq!(
            workers.len(),
            4,
            "round {round}: every place is filled at once"
        );
        for victim in workers {
            pool.dies(victim, Cause::Exited(1));
        }
        pool.all_ready(1);
        for request in 1..=4 {
            if pool.is_running(request) {
                pool.answer(request);
            }
        }
        // Something for each to do, so that it is of use before it dies again.
        for request in 0..4 {
            pool.submit(always(100 * round + request));
        }
        (0..4).for_each(|request| pool.answer(100 * round + request));
        pool.pass(ms(1000));
    }
    assert_eq!(pool.core.counters().incidents, 10);
    assert!(pool.degraded.is_empty());
}

#[test]
fn workers_that_crash_together_as_soon_as_they_are_ready_are_not_started_in_a_tight_loop() {
    let mut pool = Fixture::ready(workers(4));
    let start = pool.now;
    for _ in 0..12 {
        for victim in pool.ready_workers() {
            pool.dies(victim, Cause::Exited(1));
        }
        while pool.ready_count() < 4 {
            pool.wait_for_start();
            pool.all_ready(1);
        }
    }
    let taken = pool.now - start;
    assert!(taken > ms(20_000), "48 useless workers in {taken:?}");
}

#[test]
fn a_loop_in_one_slot_is_no_mass_death() {
    let mut pool = Fixture::ready(workers(4));
    let start = pool.now;
    pool.dies(worker(0, 1), Cause::Exited(1));
    for generation in 2..=3 {
        pool.wait_for_start();
        pool.all_ready(1);
        pool.dies(worker(0, generation), Cause::Exited(1));
    }
    assert!(pool.now - start <= ms(100), "three crashes in a blink");
    assert_eq!(pool.core.counters().incidents, 0);
}

#[test]
fn workers_that_do_not_start_do_not_acquit_one_that_crashed() {
    let mut pool = Fixture::new(workers(3));
    let first = pool.starting.pop_front().expect("three were started");
    pool.feed(Event::WorkerReady {
        worker: first,
        concurrency: 1,
    });
    pool.submit(always(1));
    pool.start_fails(Cause::Exited(1));
    pool.start_fails(Cause::Exited(1));
    pool.crash(1);
    assert_eq!(pool.core.counters().incidents, 0);
}

#[test]
fn one_deadly_request_that_goes_from_worker_to_worker_is_no_mass_death() {
    let mut pool = four_busy();
    (2..=4).for_each(|request| pool.answer(request));
    // Three crashes in three places within a blink, and one request that was there each time.
    let mut places = std::collections::BTreeSet::new();
    for _ in 1..=3 {
        places.insert(pool.worker_of(1).slot);
        pool.crash(1);
    }
    assert_eq!(places.len(), 3);
    assert_eq!(pool.core.counters().incidents, 0);
    assert_eq!(pool.failure(1).attempts, 3);
}

#[test]
fn the_memory_of_crashes_is_bounded() {
    let mut incidents = Incidents::default();
    let mut pool = four_busy();
    for crash in 0..1000 {
        pool.pass_unnoticed(ms(1));
        let crash = Crash {
            slot: crash % 5,
            culprit: None,
            was_alone: false,
            served: true,
        };
        let _ = incidents.note(pool.now, crash, 5);
    }
    assert!(incidents.recent.len() <= 5);
}
