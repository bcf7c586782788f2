use standin_protocol::ErrorCode;

use crate::{
    Cause,
    pool::{
        Event,
        fixture::{Fixture, always, ms, one_worker, worker, workers},
        settings::PoolSettings,
    },
};

fn reload(pool: &mut Fixture) {
    pool.feed(Event::ReloadRequested);
}

/// Two that are kept, four at most, one to spare.
fn some_workers() -> PoolSettings {
    PoolSettings {
        workers_min: 2,
        workers_max: 4,
        spare: 1,
        ..one_worker()
    }
}

#[test]
fn a_new_worker_is_ready_before_any_old_one_goes() {
    let mut pool = Fixture::ready(one_worker());
    reload(&mut pool);
    assert_eq!(pool.starting.len(), 1);
    assert_eq!(pool.drains, []);
    pool.submit(always(1));
    assert_eq!(pool.worker_of(1), worker(0, 1), "the old one serves");
    pool.answer(1);
    pool.all_ready(1);
    assert_eq!(pool.drains, [worker(0, 1)]);
    assert_eq!((&pool.reload_decisions[..], pool.reloads), (&[true][..], 1));
    pool.submit(always(2));
    assert_ne!(
        pool.worker_of(2).slot,
        worker(0, 1).slot,
        "the new one serves"
    );
}

#[test]
fn if_the_new_worker_does_not_start_the_old_ones_stay_and_somebody_hears_of_it() {
    let mut pool = Fixture::ready(some_workers());
    reload(&mut pool);
    assert_eq!(
        pool.starting.len(),
        1,
        "one is tried, however many there are"
    );
    pool.start_fails(Cause::Exited(1));
    assert_eq!(
        (&pool.reload_decisions[..], pool.reloads),
        (&[false][..], 0)
    );
    pool.pass(ms(1000));
    assert_eq!(pool.drains, []);
    assert_eq!(pool.starting.len(), 0, "it is not tried again by itself");
    pool.submit(always(1));
    assert!(pool.is_running(1));
    assert!(
        pool.degraded.is_empty(),
        "a pool that serves is not degraded"
    );
}

#[test]
fn the_old_ones_go_one_by_one_and_there_are_never_fewer_than_needed() {
    let mut pool = Fixture::ready(some_workers());
    let old = pool.ready_workers();
    reload(&mut pool);
    while let Some(new) = pool.starting.pop_front() {
        assert!(pool.starting.is_empty(), "one comes at a time");
        let concurrency = 1;
        pool.feed(Event::WorkerReady {
            worker: new,
            concurrency,
        });
        assert!(pool.ready_count() >= old.len());
        assert!(pool.ready_count() <= old.len() + 1);
    }
    assert_eq!(pool.reloads, 1);
    pool.drains.sort();
    assert_eq!(pool.drains, old);
    assert_eq!(pool.ready_count(), old.len());
}

#[test]
fn a_call_that_runs_in_an_old_worker_is_finished_there_and_its_place_is_taken_meanwhile() {
    let mut pool = Fixture::ready(workers(2));
    pool.submit(always(1));
    pool.submit(always(2));
    reload(&mut pool);
    pool.all_ready(1);
    assert_eq!(pool.reloads, 1, "it waits for nobody's call");
    assert_eq!(pool.drains, [], "both are at work");
    pool.submit(always(3));
    pool.submit(always(4));
    assert!(
        pool.is_running(3) && pool.is_running(4),
        "the new ones serve"
    );
    pool.answer(1);
    pool.answer(2);
    assert_eq!(pool.drains.len(), 2);
    assert_eq!((pool.delivered(1), pool.delivered(2)), (1, 1));
}

#[test]
fn old_workers_beyond_what_is_needed_are_not_replaced() {
    let mut pool = Fixture::ready(some_workers());
    for request in 1..=4 {
        pool.submit(always(request));
        pool.pass(ms(30));
        pool.all_ready(1);
    }
    for request in 1..=4 {
        pool.answer(request);
    }
    assert_eq!(pool.ready_count(), 5);
    let starts = pool.starts;
    reload(&mut pool);
    pool.all_ready(1);
    assert_eq!(pool.drains.len(), 5);
    assert_eq!(pool.starts - starts, 3, "two that are kept, and the spare");
}

#[test]
fn a_pool_without_workers_tries_one_as_well() {
    let mut pool = Fixture::ready(PoolSettings {
        workers_min: 0,
        ..one_worker()
    });
    assert_eq!(pool.starts, 0);
    reload(&mut pool);
    assert_eq!(pool.starting.len(), 1);
    pool.all_ready(1);
    assert_eq!((&pool.reload_decisions[..], pool.reloads), (&[true][..], 1));
}

#[test]
fn a_degraded_pool_tries_at_once_and_serves_again() {
    let mut pool = Fixture::new(one_worker());
    while pool.degraded.is_empty() {
        pool.wait_for_start();
        pool.start_fails(Cause::Exited(1));
    }
    reload(&mut pool);
    assert_eq!(pool.starting.len(), 1);
    pool.all_ready(1);
    assert_eq!(pool.degraded, [true, false]);
    assert_eq!(pool.reloads, 1);
}

#[test]
fn a_second_reload_replaces_what_the_first_has_started() {
    let mut pool = Fixture::ready(one_worker());
    reload(&mut pool);
    let first = pool.starting[0];
    reload(&mut pool);
    pool.all_ready(1);
    assert_eq!(pool.drains, [worker(0, 1)], "there is no other slot");
    pool.dies(worker(0, 1), Cause::Exited(0));
    pool.all_ready(1);
    assert_eq!(pool.drains[1..], [first], "it may be the old program");
    assert_eq!((pool.reloads, pool.ready_count()), (1, 1));
}

#[test]
fn the_pause_of_a_place_that_fails_is_kept_though_slots_are_free_for_reloads() {
    let mut pool = Fixture::ready(one_worker());
    for _ in 0..2 {
        pool.dies(pool.ready_workers()[0], Cause::Exited(1));
        pool.pass(ms(0));
        if !pool.starting.is_empty() {
            pool.all_ready(1);
        }
    }
    assert!(
        pool.starting.is_empty(),
        "the second restart in a row waits"
    );
    assert_eq!(pool.ready_count(), 0);
    pool.wait_for_start();
}

#[test]
fn a_stop_ends_a_reload() {
    let mut pool = Fixture::ready(one_worker());
    reload(&mut pool);
    let deadline = pool.now + ms(1000);
    pool.feed(Event::Stop { deadline });
    assert_eq!(pool.kills.len(), 1, "the one that was tried");
    pool.submit(always(1));
    assert_eq!(pool.failure(1).code, ErrorCode::ShuttingDown);
    reload(&mut pool);
    assert_eq!(pool.starts, 2);
}
