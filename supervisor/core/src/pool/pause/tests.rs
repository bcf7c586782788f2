use standin_protocol::{ErrorCode, Outcome, Replay};

use super::*;
use crate::{
    Cause,
    pool::{
        Event, PoolSettings,
        fixture::{Fixture, always, ask, ms, one_worker, workers},
    },
};

fn pause(pool: &mut Fixture) {
    pool.feed(Event::PauseRequested);
}

#[test]
fn a_paused_pool_refuses_what_comes_and_says_when_to_ask_again() {
    let mut pool = Fixture::ready(one_worker());
    pause(&mut pool);
    pool.submit(always(1));
    let failure = pool.failure(1);
    assert_eq!(failure.code, ErrorCode::PoolUnavailable);
    assert_eq!(failure.rule, EndRule::Paused);
    assert_eq!(failure.outcome, Outcome::NotExecuted);
    assert_eq!(failure.retry_after, Some(ASK_AGAIN_AFTER));
}

#[test]
fn what_runs_is_finished_and_what_waits_was_not_begun() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(always(1));
    pool.submit(always(2));
    pause(&mut pool);
    assert_eq!(pool.failure(2).outcome, Outcome::NotExecuted);
    assert_eq!(pool.drains, []);
    pool.answer(1);
    assert_eq!(pool.delivered(1), 1);
    assert_eq!(pool.drains.len(), 1);
}

#[test]
fn it_is_told_once_when_the_last_worker_has_ended_and_none_comes_after_it() {
    let mut pool = Fixture::ready(workers(2));
    pause(&mut pool);
    let gone = std::mem::take(&mut pool.drains);
    pool.dies(gone[0], Cause::Exited(0));
    assert_eq!(pool.paused, 0, "one is left");
    pool.dies(gone[1], Cause::Exited(0));
    assert_eq!(pool.paused, 1);
    pool.pass(ms(60_000));
    assert_eq!((pool.paused, pool.starts), (1, 2));
    assert!(pool.core.view().paused);
}

#[test]
fn a_worker_that_starts_is_ended_and_one_that_dies_is_not_replaced() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(ask(1, Replay::Always));
    pause(&mut pool);
    pool.stranger_kills(1);
    assert_eq!(pool.failure(1).rule, EndRule::Paused);
    assert_eq!((pool.starts, pool.paused), (1, 1));

    let mut pool = Fixture::new(one_worker());
    pause(&mut pool);
    assert_eq!(pool.kills.len(), 1);
}

#[test]
fn it_serves_again_when_a_worker_is_asked_for_and_not_by_a_reload() {
    let mut pool = Fixture::ready(one_worker());
    pause(&mut pool);
    pool.dies(pool.drains[0], Cause::Exited(0));
    pool.feed(Event::ReloadRequested);
    assert!(pool.starting.is_empty());
    pool.feed(Event::StartRequested);
    pool.all_ready(1);
    pool.submit(always(1));
    assert!(pool.is_running(1));
    pause(&mut pool);
    pool.answer(1);
    pool.dies(pool.drains[1], Cause::Exited(0));
    assert_eq!(pool.paused, 2, "and can be paused again");
}

#[test]
fn a_paused_pool_of_a_users_own_stays_or_the_next_call_would_start_another() {
    let mut pool = Fixture::ready(PoolSettings {
        unused_max: Some(ms(500)),
        ..one_worker()
    });
    pause(&mut pool);
    pool.dies(pool.drains[0], Cause::Exited(0));
    pool.pass(ms(60_000));
    pool.feed(Event::RoomWanted);
    assert_eq!((pool.retired, pool.stopped), (0, 0));
}

#[test]
fn a_paused_pool_can_be_stopped() {
    let mut pool = Fixture::ready(one_worker());
    pause(&mut pool);
    let deadline = pool.now + ms(1000);
    pool.feed(Event::Stop { deadline });
    pool.dies(pool.drains[0], Cause::Exited(0));
    assert_eq!((pool.stopped, pool.paused), (1, 0));
}
