use std::time::Instant;

use super::*;
use crate::jobs::{RetryPolicy, WallTime};

const LEASE: Lease = Lease {
    attempt: 4,
    failures: 2,
    interrupted: 1,
    retry: RetryPolicy {
        attempts_max: 4,
        backoff: Duration::from_secs(10),
        backoff_max: Duration::from_secs(100),
    },
    cancel_requested: false,
    outcome: Outcome::NotExecuted,
    unrecorded: false,
};

#[expect(
    clippy::disallowed_methods,
    reason = "only differences to this moment matter"
)]
fn now() -> Now {
    Now {
        steady: Instant::now(),
        wall: WallTime(1_000_000),
    }
}

fn error(code: ErrorCode, outcome: Outcome) -> ErrorAnswer {
    ErrorAnswer::new(code, "").with_outcome(outcome)
}

/// An error of a worker's own.
fn own(outcome: Outcome, retry_after_ms: Option<u64>) -> ErrorAnswer {
    ErrorAnswer {
        number: 1414,
        message: String::new(),
        code: "smtp.rejected".into(),
        outcome,
        retry_after_ms,
        data: None,
    }
}

fn verdict_on(lease: Lease, error: &ErrorAnswer, replay: Replay, cancelled: bool) -> Next {
    let answer = Answer::failed(error, replay);
    judge(&lease, answer, cancelled, now(), &mut Random::new(1))
}

fn verdict(error: &ErrorAnswer, replay: Replay) -> Next {
    verdict_on(LEASE, error, replay, false)
}

fn failures_after(next: Next) -> Option<u32> {
    match next {
        Next::Again { failures, .. } => Some(failures),
        _ => None,
    }
}

#[test]
fn a_temporary_error_that_did_nothing_is_tried_again_until_the_tries_are_used_up() {
    let temporary = own(Outcome::NotExecuted, Some(60_000));
    let next = verdict(&temporary, Replay::UntilEffect);
    let Next::Again {
        due: Due::Retry(at),
        failures: 3,
        interrupted: 0,
        ..
    } = next
    else {
        panic!("{next:?}");
    };
    assert_eq!(at, WallTime(1_000_000 + 60_000), "as the server asked");
    let last = Lease {
        failures: 3,
        ..LEASE
    };
    let next = verdict_on(last, &temporary, Replay::UntilEffect, false);
    assert_eq!(next, Next::Dead);
}

#[test]
fn a_permanent_error_is_not_tried_again() {
    for outcome in [Outcome::NotExecuted, Outcome::Executed] {
        for replay in [Replay::Always, Replay::UntilEffect, Replay::Never] {
            assert_eq!(verdict(&own(outcome, None), replay), Next::Dead);
        }
    }
    for code in [
        ErrorCode::InvalidParams,
        ErrorCode::Poisoned,
        ErrorCode::AccessDenied,
    ] {
        let error = error(code, Outcome::NotExecuted);
        assert_eq!(verdict(&error, Replay::UntilEffect), Next::Dead, "{code}");
    }
    for outcome in [Outcome::NotExecuted, Outcome::Unknown] {
        let poisoned = error(ErrorCode::Poisoned, outcome).with_retry_after_ms(5);
        let next = verdict(&poisoned, Replay::UntilEffect);
        assert!(matches!(next, Next::Dead | Next::Unknown), "{next:?}");
    }
}

#[test]
fn what_may_have_happened_is_never_sent_again_by_itself() {
    for code in ErrorCode::ALL {
        for replay in [Replay::UntilEffect, Replay::Never] {
            for retry_after in [None, Some(1)] {
                let mut error = error(*code, Outcome::Unknown);
                error.retry_after_ms = retry_after;
                for cancelled in [false, true] {
                    let next = verdict_on(LEASE, &error, replay, cancelled);
                    assert_eq!(next, Next::Unknown, "{code}");
                }
            }
        }
    }
}

#[test]
fn what_happened_is_never_sent_again_whatever_the_worker_wishes() {
    let done = own(Outcome::Executed, Some(5));
    for replay in [Replay::UntilEffect, Replay::Never] {
        assert_eq!(verdict(&done, replay), Next::Dead);
    }
}

#[test]
fn of_what_was_done_in_part_only_the_rest_is_tried_again_and_it_is_not_called_cancelled() {
    let mut part = own(Outcome::Executed, Some(5));
    part.data = Some(bytes::Bytes::from_static(b"\x81\xa6so_far\x01"));
    assert_eq!(failures_after(verdict(&part, Replay::UntilEffect)), Some(3));
    let next = verdict_on(LEASE, &part, Replay::UntilEffect, true);
    assert_eq!(next, Next::Dead, "no further try, and something happened");
    part.outcome = Outcome::Unknown;
    assert_eq!(verdict(&part, Replay::UntilEffect), Next::Unknown);
    part.outcome = Outcome::Executed;
    part.retry_after_ms = None;
    assert_eq!(verdict(&part, Replay::UntilEffect), Next::Dead);
}

#[test]
fn what_may_run_as_often_as_one_likes_is_tried_again_after_a_loss_but_not_after_poison() {
    let lost = error(ErrorCode::WorkerLost, Outcome::Unknown);
    assert_eq!(failures_after(verdict(&lost, Replay::Always)), Some(3));
    let poisoned = error(ErrorCode::Poisoned, Outcome::Unknown);
    assert_eq!(verdict(&poisoned, Replay::Always), Next::Dead);
}

#[test]
fn a_service_that_had_no_time_for_a_job_costs_it_no_try() {
    for code in [ErrorCode::Overloaded, ErrorCode::ShuttingDown] {
        let last = Lease {
            failures: 3,
            ..LEASE
        };
        let error = error(code, Outcome::NotExecuted);
        let next = verdict_on(last, &error, Replay::Never, false);
        assert_eq!(failures_after(next), Some(3), "{code}");
    }
}

#[test]
fn a_method_that_is_away_for_a_while_costs_tries_and_not_the_job() {
    for code in [ErrorCode::StartFailed, ErrorCode::MethodNotFound] {
        let error = error(code, Outcome::NotExecuted);
        assert_eq!(failures_after(verdict(&error, Replay::Never)), Some(3));
    }
}

#[test]
fn a_pool_without_a_process_costs_a_job_no_try_not_even_its_last() {
    let last = Lease {
        failures: 3,
        ..LEASE
    };
    let error = error(ErrorCode::PoolUnavailable, Outcome::NotExecuted);
    for replay in [Replay::Always, Replay::UntilEffect, Replay::Never] {
        let next = verdict_on(last, &error, replay, false);
        assert_eq!(failures_after(next), Some(3));
        let next = verdict_on(last, &error, replay, true);
        assert_eq!(next, Next::Cancelled);
    }
}

#[test]
fn a_job_that_was_taken_back_is_cancelled_only_if_nothing_happened() {
    let cancelled = error(ErrorCode::Cancelled, Outcome::NotExecuted);
    let next = verdict_on(LEASE, &cancelled, Replay::UntilEffect, true);
    assert_eq!(next, Next::Cancelled);
    let next = verdict_on(
        LEASE,
        &own(Outcome::NotExecuted, Some(1)),
        Replay::UntilEffect,
        true,
    );
    assert_eq!(next, Next::Cancelled, "no further try");
    let next = judge(&LEASE, Answer::Done, true, now(), &mut Random::new(1));
    assert_eq!(next, Next::Done, "it was too late");
}

#[test]
fn an_interrupted_job_goes_on_for_free_unless_it_may_have_happened() {
    let fate = |fate| judge_interrupted(&LEASE, fate, now(), &mut Random::new(1));
    assert_eq!(fate(Fate::MayHaveHappened), Next::Unknown);
    assert_eq!(fate(Fate::Answered(Answer::Done)), Next::Done);
    let expected = Next::Again {
        due: Due::Retry(WallTime(1_000_000)),
        pause: Duration::ZERO,
        failures: 2,
        interrupted: 2,
    };
    assert_eq!(fate(Fate::NotBegun), expected);
}

#[test]
fn a_job_under_which_the_service_dies_again_and_again_lets_the_others_go_first() {
    let mut lease = LEASE;
    let mut waits = Vec::new();
    for _ in 0..8 {
        let next = judge_interrupted(&lease, Fate::NotBegun, now(), &mut Random::new(1));
        let Next::Again {
            due: Due::Retry(at),
            interrupted,
            ..
        } = next
        else {
            panic!("{next:?}");
        };
        waits.push(at.saturating_since(WallTime(1_000_000)).as_secs());
        lease.interrupted = interrupted;
    }
    assert_eq!(waits[..2], [0, 0]);
    assert!(waits[3] > 0, "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= 100), "{waits:?}");
}

#[test]
fn an_interrupted_job_that_was_taken_back_does_not_go_on() {
    let lease = Lease {
        cancel_requested: true,
        ..LEASE
    };
    let next = judge_interrupted(&lease, Fate::NotBegun, now(), &mut Random::new(1));
    assert_eq!(next, Next::Cancelled);
    let next = judge_interrupted(&lease, Fate::MayHaveHappened, now(), &mut Random::new(1));
    assert_eq!(next, Next::Unknown);
}

#[test]
fn what_an_earlier_try_may_have_done_is_not_forgotten_for_a_later_one_that_did_nothing() {
    use Outcome::{Executed, NotExecuted, Unknown};
    let nothing = Answer::failed(&own(NotExecuted, Some(1)), Replay::UntilEffect);
    let lost = Answer::failed(&error(ErrorCode::WorkerLost, Unknown), Replay::Always);
    let before = |outcome| Lease { outcome, ..LEASE };
    assert_eq!(outcome_after(&LEASE, nothing), NotExecuted);
    assert_eq!(outcome_after(&LEASE, lost), Unknown);
    assert_eq!(outcome_after(&before(Unknown), nothing), Unknown);
    assert_eq!(outcome_after(&before(Unknown), Answer::Done), Executed);
    assert_eq!(outcome_after(&before(Executed), lost), Executed);
}

#[test]
fn of_what_is_begun_with_nothing_on_record_nobody_says_after_a_death_that_it_was_not() {
    let unrecorded = Lease {
        unrecorded: true,
        ..LEASE
    };
    for (lease, fate, outcome) in [
        (LEASE, Fate::NotBegun, Outcome::NotExecuted),
        (unrecorded, Fate::NotBegun, Outcome::Unknown),
        (LEASE, Fate::MayHaveHappened, Outcome::Unknown),
        (LEASE, Fate::Answered(Answer::Done), Outcome::Executed),
    ] {
        assert_eq!(outcome_of_interrupted(&lease, fate), outcome, "{fate:?}");
    }
}

#[test]
fn what_may_run_twice_waits_for_its_pool_though_one_that_was_lost_had_begun_it() {
    for code in [ErrorCode::PoolUnavailable, ErrorCode::Overloaded] {
        let error = error(code, Outcome::Unknown);
        let next = verdict(&error, Replay::Always);
        assert_eq!(failures_after(next), Some(2), "{code}: it costs no try");
        for replay in [Replay::UntilEffect, Replay::Never] {
            assert_eq!(verdict(&error, replay), Next::Unknown, "{code}");
        }
    }
    let unavailable = error(ErrorCode::PoolUnavailable, Outcome::Unknown);
    for (replay, is_of_no_worker) in [(Replay::Always, true), (Replay::Never, false)] {
        let answer = Answer::failed(&unavailable, replay);
        assert_eq!(answer.is_of_no_worker(), is_of_no_worker);
    }
}
