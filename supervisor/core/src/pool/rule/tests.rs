use standin_protocol::{Outcome, Replay};

use super::*;
use crate::{
    Cause, RequestId,
    pool::{
        Event, PoolSettings, UNEXPLAINED_DEATHS_MAX,
        fixture::{Fixture, always, ask, ms, one_worker},
    },
};

/// A pool whose worker has request 1.
fn running(replay: Replay) -> Fixture {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(ask(1, replay));
    assert!(pool.is_running(1));
    pool
}

/// A pool whose worker has request 0, so that request 1 waits.
fn waiting() -> Fixture {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(always(0).of_session(99));
    pool.submit(always(1).within(ms(3000)));
    assert!(pool.is_open(1) && !pool.is_running(1));
    pool
}

fn stop(pool: &mut Fixture) {
    let deadline = pool.now;
    pool.feed(Event::Stop { deadline });
}

fn rule(pool: &Fixture) -> EndRule {
    let failure = pool.failure(1);
    assert_eq!(failure.code, failure.rule.code());
    failure.rule
}

#[test]
fn a_replay_says_why_it_can_do_no_harm() {
    for (replay, granted, unsent, rule) in [
        (Replay::Never, false, true, ReplayRule::NotGiven),
        (Replay::Always, false, true, ReplayRule::NotGiven),
        (Replay::Always, false, false, ReplayRule::Always),
        (Replay::Always, true, false, ReplayRule::Always),
        (
            Replay::UntilEffect,
            false,
            false,
            ReplayRule::EffectNotGranted,
        ),
    ] {
        let mut pool = running(replay);
        if granted {
            assert!(pool.ask_effect(1));
        }
        let unsent: &[u64] = if unsent { &[1] } else { &[] };
        pool.dies_with_unsent(pool.worker_of(1), Cause::Crashed(11), unsent);
        assert_eq!(pool.replays, [rule], "{replay:?}, granted: {granted}");
    }
}

#[test]
fn a_refusal_says_which_bound_was_reached() {
    let mut pool = waiting();
    for request in 2..=5 {
        pool.submit(always(request));
    }
    pool.submit(always(6));
    assert_eq!(pool.failure(6).rule, EndRule::SessionShare);
    for request in 7..=11 {
        pool.submit(always(request).of_session(request));
    }
    pool.submit(always(12).of_session(12));
    assert_eq!(pool.failure(12).rule, EndRule::QueueFull);

    let mut pool = waiting();
    for request in 2..=9 {
        pool.submit(always(request).of_session(request).of_user(7));
    }
    assert!(pool.is_open(9), "the eighth place of ten");
    pool.submit(always(10).of_session(10).of_user(7));
    assert_eq!(pool.failure(10).rule, EndRule::UserShare);

    let mut pool = waiting();
    pool.submit(always(2).sized(1000));
    assert_eq!(pool.failure(2).rule, EndRule::QueueBytes);
    pool.submit(always(3).within(ms(0)));
    assert_eq!(pool.failure(3).rule, EndRule::CameLate);
    stop(&mut pool);
    pool.submit(always(4));
    assert_eq!(pool.failure(4).rule, EndRule::Stopping);

    let mut pool = Fixture::new(one_worker());
    for _ in 0..3 {
        pool.wait_for_start();
        pool.start_fails(Cause::Exited(1));
    }
    pool.submit(always(1));
    assert_eq!(rule(&pool), EndRule::NoWorkers);
}

#[test]
fn what_ended_while_it_waited_says_so() {
    let mut pool = waiting();
    pool.pass(ms(3000));
    assert_eq!(rule(&pool), EndRule::LateInQueue);

    let mut pool = waiting();
    pool.feed(Event::Cancel(RequestId(1)));
    assert_eq!(rule(&pool), EndRule::CancelledInQueue);

    let mut pool = waiting();
    stop(&mut pool);
    assert_eq!(rule(&pool), EndRule::StoppedInQueue);

    let mut pool = Fixture::ready(PoolSettings {
        queue_wait: ms(100),
        ..one_worker()
    });
    pool.submit(always(0).of_session(99));
    pool.submit(always(1));
    pool.pass(ms(100));
    assert_eq!(rule(&pool), EndRule::WaitedLong);
}

#[test]
fn what_ended_while_a_worker_had_it_says_so() {
    let mut pool = Fixture::ready(one_worker());
    pool.submit(always(1).within(ms(500)));
    pool.pass(ms(500));
    assert_eq!(rule(&pool), EndRule::LateInWorker);

    let mut pool = running(Replay::Never);
    pool.feed(Event::Cancel(RequestId(1)));
    pool.pass(ms(500));
    assert_eq!(rule(&pool), EndRule::CancelledInWorker);

    let mut pool = running(Replay::Never);
    stop(&mut pool);
    assert_eq!(rule(&pool), EndRule::StoppedInWorker);
}

#[test]
fn what_is_not_replayed_says_why() {
    let mut pool = running(Replay::Never);
    pool.crash(1);
    assert_eq!(rule(&pool), EndRule::OnceAtMost);

    let mut pool = running(Replay::UntilEffect);
    assert!(pool.ask_effect(1));
    pool.crash(1);
    assert_eq!(rule(&pool), EndRule::EffectGranted);

    let mut pool = running(Replay::Always);
    pool.feed(Event::Cancel(RequestId(1)));
    pool.crash(1);
    assert_eq!(rule(&pool), EndRule::CancelledBefore);

    let mut pool = Fixture::ready(one_worker());
    pool.submit(always(1).within(ms(500)));
    pool.pass(ms(498));
    pool.crash(1);
    assert_eq!(rule(&pool), EndRule::NoRoom);

    for (cause, deaths, expected) in [
        (Cause::Crashed(11), 3, EndRule::Deadly),
        (
            Cause::KilledByStranger(9),
            UNEXPLAINED_DEATHS_MAX,
            EndRule::Suspicious,
        ),
    ] {
        let mut pool = running(Replay::Always);
        for _ in 0..deaths {
            pool.wait_for_dispatch(1);
            pool.dies(pool.worker_of(1), cause);
        }
        assert_eq!(rule(&pool), expected);
        assert_eq!(pool.core.counters().poisoned, 1);
    }
}

#[test]
fn whoever_leaves_is_remembered_with_what_is_known() {
    let mut pool = running(Replay::UntilEffect);
    pool.feed(Event::Abandon(RequestId(1)));
    assert_eq!(pool.abandoned, [Outcome::NotExecuted]);
    let mut pool = running(Replay::Never);
    pool.feed(Event::Abandon(RequestId(1)));
    assert_eq!(pool.abandoned, [Outcome::Unknown]);
}
