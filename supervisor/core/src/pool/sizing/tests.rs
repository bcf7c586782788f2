use super::*;
use crate::{
    Cause,
    pool::{
        Event, PoolSettings,
        fixture::{Fixture, always, ms, one_worker, worker, workers},
    },
};

/// Started when needed, up to four.
fn lazy() -> PoolSettings {
    PoolSettings {
        workers_min: 0,
        workers_max: 4,
        ..one_worker()
    }
}

#[test]
fn the_least_number_is_started_at_once_and_a_spare_on_top() {
    let pool = Fixture::new(PoolSettings {
        workers_min: 2,
        spare: 1,
        ..lazy()
    });
    assert_eq!(pool.starts, 3);
}

#[test]
fn a_lazy_pool_starts_its_first_worker_for_the_request_that_needs_it() {
    let mut pool = Fixture::new(lazy());
    pool.pass(ms(1000));
    assert_eq!(pool.starts, 0);
    pool.submit(always(1));
    assert_eq!(pool.starts, 1, "at once");
    pool.all_ready(1);
    assert!(
        pool.is_running(1),
        "and it helps the request that caused it"
    );
}

#[test]
fn a_queue_that_is_not_empty_for_twenty_milliseconds_gets_another_worker() {
    let mut pool = Fixture::new(lazy());
    pool.submit(always(1));
    pool.all_ready(1);
    pool.submit(always(2));
    pool.pass(ms(19));
    assert_eq!(pool.starts, 1, "most queues are gone by then");
    pool.pass(ms(1));
    assert_eq!(pool.starts, 2);
    pool.all_ready(1);
    assert!(pool.is_running(2));
}

#[test]
fn there_are_never_more_workers_than_set() {
    let mut pool = Fixture::new(PoolSettings { spare: 1, ..lazy() });
    for request in 1..=10 {
        pool.submit(always(request).of_session(request));
    }
    for _ in 0..10 {
        pool.all_ready(1);
        pool.pass(ms(50));
    }
    assert_eq!(pool.ready_count(), 5);
    let running = (1..=10).filter(|request| pool.is_running(*request));
    assert_eq!(running.count(), 4, "and the spare stays spare");
}

#[test]
fn a_large_pool_does_not_start_all_at_once() {
    let mut pool = Fixture::new(workers(9));
    assert_eq!(pool.starting.len(), STARTING_MAX);
    let first = pool.starting.pop_front().expect("some were started");
    pool.feed(Event::WorkerReady {
        worker: first,
        concurrency: 1,
    });
    assert_eq!(
        pool.starting.len(),
        STARTING_MAX,
        "one more for one that is ready"
    );
}

#[test]
fn idle_workers_beyond_the_least_number_end_after_a_while_and_no_others() {
    let mut pool = Fixture::new(PoolSettings {
        workers_min: 1,
        ..lazy()
    });
    for request in 1..=4 {
        pool.submit(always(request));
    }
    pool.all_ready(1);
    pool.pass(ms(20));
    pool.all_ready(1);
    assert_eq!(pool.ready_count(), 4);
    (1..=4).for_each(|request| pool.answer(request));
    pool.pass(ms(9_999));
    assert!(pool.drains.is_empty());
    pool.pass(ms(1));
    assert_eq!(pool.drains.len(), 3);
    pool.pass(ms(100));
    assert_eq!(pool.ready_count(), 1);
}

#[test]
fn an_idle_worker_ends_in_its_time_though_nothing_else_happens() {
    let mut pool = Fixture::new(PoolSettings {
        idle: ms(2000),
        ..lazy()
    });
    pool.submit(always(1));
    pool.all_ready(1);
    pool.pass(ms(2500));
    pool.answer(1);
    pool.pass(ms(1999));
    assert!(pool.drains.is_empty());
    pool.pass(ms(1));
    assert_eq!(pool.drains, [worker(0, 1)]);
}

#[test]
fn a_worker_that_does_not_end_when_asked_is_killed() {
    let mut pool = Fixture::new(lazy());
    pool.submit(always(1));
    pool.all_ready(1);
    pool.answer(1);
    pool.pass(ms(10_000));
    assert_eq!(pool.drains.len(), 1);
    pool.pass(ms(500));
    assert_eq!(pool.kills, [(worker(0, 1), KillReason::IgnoredDrain)]);
}

#[test]
fn however_a_retired_worker_ends_its_place_is_filled_at_once() {
    let mut pool = Fixture::ready(PoolSettings {
        recycle_requests: Some(1),
        ..one_worker()
    });
    for generation in 1..=30 {
        pool.submit(always(u64::from(generation)));
        pool.answer(u64::from(generation));
        let end = match generation {
            0..10 => Cause::Exited(1),
            10..20 => Cause::KilledByStranger(9),
            // It is deaf, and killed for it.
            _ => {
                pool.pass(ms(500));
                Cause::KilledByStranger(9)
            }
        };
        pool.dies(worker(0, generation), end);
        assert_eq!(pool.starting, [worker(0, generation + 1)]);
        pool.all_ready(1);
    }
    assert_eq!(pool.kills.len(), 11);
    assert!(pool.incidents.is_empty());
}

#[test]
fn a_launch_request_starts_a_worker_though_there_is_no_work_for_it() {
    let mut pool = Fixture::new(lazy());
    pool.feed(Event::StartRequested);
    assert_eq!(pool.starts, 1);
    pool.all_ready(1);
    assert_eq!(pool.ready_count(), 1);
    pool.feed(Event::StartRequested);
    assert_eq!(pool.starts, 1, "there is one");
    pool.pass(ms(10_000));
    assert_eq!(pool.drains.len(), 1, "it is idle like any other");
}

#[test]
fn a_launch_request_does_not_wait_for_the_pause_before_a_restart() {
    let mut pool = Fixture::ready(one_worker());
    for _ in 0..12 {
        while pool.starting.is_empty() && pool.ready_count() == 0 {
            pool.pass(ms(10));
        }
        pool.all_ready(1);
        let ready = pool.core.view().workers[0].worker;
        pool.dies(ready, Cause::Exited(1));
    }
    assert!(pool.starting.is_empty(), "by now there is a pause");
    pool.feed(Event::StartRequested);
    assert_eq!(pool.starting.len(), 1);
}

#[test]
fn a_launch_request_that_failed_is_over() {
    let mut pool = Fixture::new(lazy());
    pool.feed(Event::StartRequested);
    pool.start_fails(Cause::Exited(1));
    pool.pass(ms(60_000));
    assert_eq!(pool.starts, 1, "nobody asked for a second one");
}

#[test]
fn a_worker_is_replaced_after_so_many_requests_when_it_is_idle() {
    let mut pool = Fixture::ready(PoolSettings {
        recycle_requests: Some(3),
        ..one_worker()
    });
    for request in 1..=3 {
        assert!(pool.drains.is_empty());
        pool.submit(always(request));
        pool.answer(request);
    }
    assert_eq!(pool.drains, [worker(0, 1)]);
    pool.dies(worker(0, 1), Cause::Exited(0));
    assert_eq!(pool.starting, [worker(0, 2)]);
}

#[test]
fn a_worker_that_is_due_takes_nothing_new_or_it_would_never_be_idle() {
    let mut pool = Fixture::new(PoolSettings {
        recycle_requests: Some(3),
        ..one_worker()
    });
    pool.all_ready(2);
    for request in 1..=4 {
        pool.submit(always(request));
    }
    (1..=3).for_each(|request| pool.answer(request));
    pool.submit(always(5));
    assert!(pool.is_running(4) && !pool.is_running(5));
    assert!(pool.drains.is_empty());
    pool.answer(4);
    assert_eq!(pool.drains, [worker(0, 1)]);
}

#[test]
fn a_pools_workers_are_not_all_replaced_at_once() {
    let mut pool = Fixture::ready(PoolSettings {
        recycle_age: Some(ms(100_000)),
        ..workers(4)
    });
    let mut ends = Vec::new();
    for second in 0..111 {
        pool.pass(ms(1000));
        ends.extend(std::iter::repeat_n(second, pool.drains.len() - ends.len()));
    }
    assert_eq!(ends.len(), 4);
    assert!(ends[0] >= 99 && ends[3] <= 110);
    ends.dedup();
    assert!(ends.len() > 2, "{ends:?}");
}

#[test]
fn an_aged_worker_finishes_what_it_has() {
    let mut pool = Fixture::ready(PoolSettings {
        recycle_age: Some(ms(1000)),
        ..one_worker()
    });
    pool.submit(always(1));
    pool.pass(ms(1100));
    assert!(pool.drains.is_empty());
    pool.answer(1);
    assert_eq!(pool.drains.len(), 1);
}

#[test]
fn a_worker_that_has_grown_too_large_is_replaced_at_its_next_idle_moment() {
    let mut pool = Fixture::ready(PoolSettings {
        recycle_rss: Some(1000),
        ..workers(2)
    });
    pool.submit(always(1));
    let large = pool.worker_of(1);
    let measure = |pool: &mut Fixture, rss| {
        pool.feed(Event::MemoryMeasured { worker: large, rss });
    };
    measure(&mut pool, 1000);
    pool.submit(always(2));
    measure(&mut pool, 1001);
    assert!(pool.drains.is_empty(), "it is at work");
    pool.answer(1);
    assert_eq!(pool.drains, [large]);
}
