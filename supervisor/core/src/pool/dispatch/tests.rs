use std::collections::BTreeSet;

use standin_protocol::{ErrorCode, Outcome, Replay};

use super::*;
use crate::{
    Cause,
    pool::{
        Event, PoolSettings, WorkerState,
        fixture::{Fixture, always, ask, ms, one_worker, worker, workers},
    },
};

#[test]
fn a_request_meets_a_worker_at_the_last_moment() {
    let mut pool = Fixture::ready(workers(2));
    for request in 1..=4 {
        pool.submit(always(request));
    }
    assert!(pool.is_running(1) && pool.is_running(2));
    assert_eq!(pool.times_sent(3) + pool.times_sent(4), 0);
    let quick = pool.worker_of(2);
    pool.answer(2);
    assert_eq!(pool.worker_of(3), quick, "the first free worker takes it");
    // A death touches only what was with the worker that died.
    pool.stranger_kills(1);
    assert!(pool.is_running(3));
    assert_eq!(pool.times_sent(4), 0);
}

#[test]
fn sessions_take_turns_at_the_workers() {
    let mut pool = Fixture::ready(one_worker());
    for request in 1..=4 {
        pool.submit(always(request).of_session(1));
    }
    pool.submit(always(5).of_session(2));
    let mut order = Vec::new();
    for _ in 0..5 {
        let running = (1..=5).find(|request| pool.is_running(*request));
        let request = running.expect("the worker is never idle while something waits");
        pool.answer(request);
        order.push(request);
    }
    assert_eq!(order, [1, 2, 5, 3, 4]);
}

#[test]
fn attempts_are_counted_at_dispatch_and_their_names_never_used_again() {
    let mut pool = Fixture::ready(workers(2));
    let mut names = BTreeSet::new();
    for request in 1..=20 {
        pool.submit(always(request));
        pool.stranger_kills(request);
        pool.all_ready(1);
        assert_eq!(pool.last_sent(request).number, 2);
        pool.answer(request);
        assert_eq!(pool.delivered(request), 2);
        let sent = &pool.sent[&RequestId(request)];
        names.extend(sent.iter().map(|sent| sent.attempt));
    }
    assert_eq!(names.len(), 40);
    assert_eq!(pool.core.counters().sent, 40);
    assert_eq!(pool.core.counters().answered_after_replay, 20);
}

#[test]
fn an_attempt_gets_the_shorter_of_its_own_time_and_the_callers() {
    let mut pool = Fixture::ready(workers(3));
    pool.submit(always(1));
    pool.submit(always(2).attempts_of(ms(300)));
    pool.submit(always(3).attempts_of(ms(300)).within(ms(200)));
    let timeouts = [1, 2, 3].map(|request| pool.last_sent(request).timeout);
    assert_eq!(timeouts, [ms(10_000), ms(300), ms(200)]);
}

#[test]
fn a_worker_gets_no_more_than_it_declared_and_the_least_loaded_gets_the_next() {
    let mut pool = Fixture::new(workers(2));
    pool.all_ready(3);
    for request in 1..=7 {
        pool.submit(always(request));
    }
    let load = |pool: &Fixture| {
        let workers = pool.core.view().workers;
        let mut load: Vec<usize> = workers.iter().map(|worker| worker.running).collect();
        load.sort_unstable();
        load
    };
    assert_eq!(load(&pool), [3, 3]);
    assert_eq!(pool.times_sent(7), 0);
    pool.answer(1);
    assert_eq!(pool.worker_of(7), pool.worker_of(1));
}

#[test]
fn a_worker_that_declares_nothing_or_too_much_is_bounded() {
    let mut pool = Fixture::new(PoolSettings {
        concurrency_max: 2,
        ..workers(2)
    });
    for concurrency in [0, u32::MAX] {
        let worker = pool.starting.pop_front().expect("two were started");
        pool.feed(Event::WorkerReady {
            worker,
            concurrency,
        });
    }
    let workers = pool.core.view().workers;
    let concurrency: Vec<u32> = workers.iter().map(|worker| worker.concurrency).collect();
    assert_eq!(concurrency, [1, 2]);
}

#[test]
fn a_spare_is_left_alone_until_a_serving_worker_is_gone() {
    let mut pool = Fixture::ready(PoolSettings {
        spare: 1,
        ..one_worker()
    });
    assert_eq!(pool.ready_count(), 2);
    pool.submit(always(1));
    pool.submit(always(2));
    assert!(pool.is_running(1) && !pool.is_running(2));
    pool.stranger_kills(1);
    assert!(pool.is_running(1), "its replay needs no start");
    assert_eq!(pool.worker_of(1), worker(1, 1));
}

#[test]
fn a_spare_steps_in_for_a_worker_that_is_on_its_way_out() {
    let mut pool = Fixture::new(PoolSettings {
        spare: 1,
        ..one_worker()
    });
    pool.all_ready(2);
    pool.submit(always(1).attempts_of(ms(100)));
    pool.submit(always(2));
    assert_eq!(pool.worker_of(1), pool.worker_of(2));
    pool.pass(ms(100));
    assert!(pool.kills.is_empty(), "request 2 is innocent");
    pool.submit(always(3));
    assert!(pool.is_running(3), "the hung worker holds no place");
    assert_ne!(pool.worker_of(3), pool.worker_of(1));
}

#[test]
fn a_suspect_runs_alone_and_the_others_go_on_beside_it() {
    let mut pool = Fixture::new(workers(2));
    pool.all_ready(4);
    pool.submit(always(1));
    pool.crash(1);
    assert_eq!(pool.state(pool.worker_of(1)), Some(WorkerState::Suspect));
    for request in 2..=6 {
        pool.submit(always(request));
    }
    pool.all_ready(4);
    let with_suspect = (2..=6)
        .filter(|other| pool.times_sent(*other) > 0 && pool.worker_of(*other) == pool.worker_of(1));
    assert_eq!(with_suspect.count(), 0);
    pool.answer(1);
    assert!(
        pool.is_running(6),
        "and then its worker serves the others again"
    );
}

#[test]
fn busy_workers_make_room_for_a_suspect_that_would_never_find_one_idle() {
    let mut pool = Fixture::new(workers(2));
    pool.all_ready(2);
    for request in 1..=4 {
        pool.submit(always(request));
    }
    let dead = pool.worker_of(1);
    let beside = (2..=4).find(|request| pool.worker_of(*request) == dead);
    let beside = beside.expect("each worker has two");
    pool.crash(1);
    // Two suspects; the other worker has two requests and never becomes idle by itself.
    for request in 5..=8 {
        pool.submit(always(request));
    }
    let others: Vec<u64> = (2..=4).filter(|request| *request != beside).collect();
    pool.answer(others[0]);
    assert_eq!(pool.times_sent(5), 0, "the worker is emptied for a suspect");
    pool.answer(others[1]);
    assert!(pool.is_running(1) || pool.is_running(beside));
}

#[test]
fn a_place_kept_for_a_suspect_is_free_again_when_the_suspect_is_served_elsewhere() {
    let mut pool = Fixture::ready(workers(2));
    pool.submit(always(1));
    pool.submit(always(2));
    // One dies; its request is a suspect and waits, for both slots are taken or empty; a place is kept for it.
    let kept = pool.worker_of(2);
    pool.crash(1);
    assert_eq!(pool.times_sent(1), 1);
    // Another worker is ready first and takes the suspect.
    pool.all_ready(1);
    assert!(pool.is_running(1));
    assert_ne!(pool.worker_of(1), kept);
    pool.answer(2);
    pool.submit(always(3));
    assert!(
        pool.is_running(3),
        "no worker is idle while a request waits"
    );
    assert_eq!(pool.worker_of(3), kept);
}

#[test]
fn a_place_kept_for_a_suspect_is_free_again_when_the_suspect_is_gone() {
    for event in [Event::Cancel(RequestId(1)), Event::Abandon(RequestId(1))] {
        let mut pool = Fixture::ready(workers(2));
        pool.submit(always(1));
        pool.submit(always(2));
        pool.crash(1);
        pool.feed(event);
        pool.answer(2);
        pool.submit(always(3));
        assert!(
            pool.is_running(3),
            "no worker is idle while a request waits"
        );
    }
}

#[test]
fn a_request_whose_time_was_up_in_the_queue_is_not_begun_though_the_timer_is_late() {
    for replay in [Replay::Always, Replay::UntilEffect, Replay::Never] {
        let mut pool = Fixture::ready(one_worker());
        pool.submit(always(1));
        pool.submit(ask(2, replay).within(ms(100)));
        pool.submit(ask(3, replay));
        pool.pass_unnoticed(ms(100));
        pool.answer(1);
        let failure = pool.failure(2);
        assert_eq!(failure.code, ErrorCode::DeadlineExceeded);
        assert_eq!(failure.outcome, Outcome::NotExecuted);
        assert_eq!(pool.times_sent(2), 0);
        assert!(pool.is_running(3), "and the next one is");
    }
}

#[test]
fn a_suspect_whose_time_was_up_in_the_queue_is_not_begun_again() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(always(1));
    pool.crash(1);
    pool.pass_unnoticed(ms(59_998));
    pool.all_ready(1);
    assert_eq!(pool.failure(1).code, ErrorCode::DeadlineExceeded);
    assert_eq!(pool.times_sent(1), 1);
}

#[test]
fn a_death_with_nothing_written_is_no_attempt() {
    let mut pool = Fixture::ready(workers(2));
    pool.submit(ask(1, Replay::Never));
    let first = pool.last_sent(1);
    pool.dies_with_unsent(first.worker, Cause::Crashed(11), &[1]);
    let second = pool.last_sent(1);
    assert!(
        pool.is_running(1),
        "even what must never run twice is sent again"
    );
    assert_ne!(first.attempt, second.attempt);
    assert_eq!(second.number, 1);
    pool.answer(1);
    assert_eq!(pool.delivered(1), 1);
}
