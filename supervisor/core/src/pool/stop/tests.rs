use standin_protocol::{ErrorCode, Outcome, Replay};

use super::*;
use crate::{
    Cause,
    pool::{
        Event,
        fixture::{Fixture, always, ask, ms, one_worker, worker, workers},
    },
};

fn stop(pool: &mut Fixture, within: u64) {
    let deadline = pool.now + ms(within);
    pool.feed(Event::Stop { deadline });
}

#[test]
fn a_stopping_pool_takes_nothing_new_and_starts_nobody() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(always(1));
    stop(&mut pool, 1000);
    pool.submit(always(2));
    assert_eq!(pool.failure(2).code, ErrorCode::ShuttingDown);
    assert_eq!(pool.failure(2).outcome, Outcome::NotExecuted);
    pool.feed(Event::StartRequested);
    assert_eq!(pool.starts, 1);
}

#[test]
fn a_stop_lets_what_runs_and_what_waits_finish_and_ends_the_workers() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(always(1));
    pool.submit(always(2));
    stop(&mut pool, 1000);
    pool.answer(1);
    assert!(pool.is_running(2));
    pool.answer(2);
    assert_eq!(pool.drains, [worker(0, 1)]);
    assert_eq!(pool.stopped, 0, "a worker is left");
    pool.dies(worker(0, 1), Cause::Exited(0));
    assert_eq!(pool.stopped, 1);
    pool.feed(Event::TimePassed);
    stop(&mut pool, 1000);
    assert_eq!(pool.stopped, 1, "it ends once");
}

#[test]
fn a_stop_lets_what_waits_finish_in_a_worker_that_was_starting() {
    let mut pool = Fixture::new(one_worker());
    pool.submit(always(1));
    stop(&mut pool, 1000);
    pool.all_ready(1);
    assert!(pool.is_running(1));
    pool.answer(1);
    assert_eq!(pool.delivered(1), 1);
    assert_eq!(pool.drains, [worker(0, 1)]);
}

#[test]
fn a_worker_that_is_starting_for_nobody_is_not_waited_for() {
    let mut pool = Fixture::new(one_worker());
    stop(&mut pool, 1000);
    assert_eq!(pool.kills, [(worker(0, 1), KillReason::Stopping)]);
}

#[test]
fn at_the_end_of_its_time_a_stop_answers_everybody_and_kills_everything() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(ask(1, Replay::Never));
    pool.submit(ask(2, Replay::Never));
    stop(&mut pool, 1000);
    pool.pass(ms(1000));
    assert_eq!(pool.failure(1).code, ErrorCode::ShuttingDown);
    assert_eq!(pool.failure(1).outcome, Outcome::Unknown);
    assert_eq!(pool.failure(2).code, ErrorCode::ShuttingDown);
    assert_eq!(pool.failure(2).outcome, Outcome::NotExecuted);
    assert_eq!(pool.kills, [(worker(0, 1), KillReason::Stopping)]);
    pool.dies(worker(0, 1), Cause::KilledByStranger(9));
    assert_eq!(pool.stopped, 1);
    assert_eq!(pool.core.view().running, 0);
}

#[test]
fn nothing_is_sent_in_the_breath_in_which_a_stop_runs_out_of_time() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(ask(1, Replay::Never));
    pool.submit(ask(2, Replay::Never));
    stop(&mut pool, 1000);
    // The timer is late, and the answer to the first one arrives before it.
    pool.pass_unnoticed(ms(1000));
    pool.answer(1);
    assert_eq!(pool.times_sent(2), 0);
    assert_eq!(pool.failure(2).code, ErrorCode::ShuttingDown);
    assert_eq!(pool.failure(2).outcome, Outcome::NotExecuted);
}

#[test]
fn what_loses_its_last_worker_during_a_stop_is_answered_at_once() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(always(1));
    stop(&mut pool, 1000);
    pool.stranger_kills(1);
    assert_eq!(pool.failure(1).code, ErrorCode::ShuttingDown);
    assert_eq!(pool.stopped, 1);
}

#[test]
fn a_death_during_a_stop_is_replayed_while_there_is_a_worker_for_it() {
    let mut pool = Fixture::ready(workers(2));
    pool.submit(always(1));
    pool.submit(always(2));
    stop(&mut pool, 1000);
    pool.stranger_kills(1);
    assert!(pool.is_open(1));
    pool.answer(2);
    assert!(pool.is_running(1));
}

#[test]
fn a_pool_without_workers_stops_at_once() {
    let mut pool = Fixture::new(crate::pool::PoolSettings {
        workers_min: 0,
        ..one_worker()
    });
    stop(&mut pool, 1000);
    assert_eq!(pool.stopped, 1);
}

#[test]
fn a_worker_that_survives_the_kill_at_the_end_of_a_stop_is_killed_again() {
    let mut pool = Fixture::ready(one_worker());
    stop(&mut pool, 0);
    pool.pass(ms(2000));
    assert!(pool.kills.len() > 1);
    assert_eq!(pool.stopped, 0, "it is not over while a worker may live");
}
