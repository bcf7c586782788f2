use super::*;
use crate::pool::fixture::ms;

#[expect(clippy::disallowed_methods, reason = "any moment will do for a test")]
fn request(replay: Replay) -> Request<()> {
    let now = Instant::now();
    Request {
        session: SessionId(1),
        user: crate::UserId(1),
        replay,
        deadline: now + ms(1000),
        attempt_timeout: ms(100),
        size: 0,
        phase: Phase::Running(AttemptId(1)),
        attempts: 1,
        effect_granted: false,
        cancelled: false,
        on_trial: false,
        suspect: false,
        blamed: 0,
        unexplained: 0,
        last_cause: None,
        payload: (),
    }
}

fn granted(replay: Replay) -> Request<()> {
    Request {
        effect_granted: true,
        ..request(replay)
    }
}

fn cancelled(replay: Replay) -> Request<()> {
    Request {
        cancelled: true,
        ..request(replay)
    }
}

/// A crash with nothing else in the worker.
const CRASH: Death = Death {
    cause: Cause::Crashed(11),
    expired: false,
    was_only_one: true,
    unsent: false,
};

const UNSENT: Death = Death {
    unsent: true,
    ..CRASH
};

const KILLED: Death = Death {
    cause: Cause::KilledByStranger(9),
    ..CRASH
};

/// What becomes of an idempotent request whose worker had it.
const AGAIN: Verdict = Verdict::Replay(ReplayRule::Always);

#[test]
fn what_was_never_given_to_the_worker_is_replayed_whatever_its_class() {
    for replay in [Replay::Always, Replay::UntilEffect, Replay::Never] {
        let mut request = request(replay);
        let verdict = Verdict::Replay(ReplayRule::NotGiven);
        assert_eq!(request.judge(UNSENT), verdict, "{replay:?}");
        assert_eq!(request.attempts, 0, "it does not count as an attempt");
        assert_eq!(request.blamed, 0, "and nobody can blame it");
    }
}

#[test]
fn once_the_worker_may_have_begun_it_each_class_keeps_its_word() {
    let table = [
        (request(Replay::Always), AGAIN),
        (granted(Replay::Always), AGAIN),
        (
            request(Replay::UntilEffect),
            Verdict::Replay(ReplayRule::EffectNotGranted),
        ),
        (
            granted(Replay::UntilEffect),
            Verdict::End(EndRule::EffectGranted),
        ),
        (request(Replay::Never), Verdict::End(EndRule::OnceAtMost)),
        (granted(Replay::Never), Verdict::End(EndRule::OnceAtMost)),
    ];
    for (mut request, verdict) in table {
        let case = format!("{:?}, granted: {}", request.replay, request.effect_granted);
        assert_eq!(request.judge(CRASH), verdict, "{case}");
    }
}

#[test]
fn a_grant_outweighs_the_claim_that_nothing_was_sent() {
    assert_eq!(
        granted(Replay::UntilEffect).judge(UNSENT),
        Verdict::End(EndRule::EffectGranted)
    );
}

#[test]
fn what_is_not_known_is_never_called_not_executed() {
    use Outcome::{NotExecuted, Unknown};
    let table = [
        (request(Replay::Always), Unknown),
        (request(Replay::Never), Unknown),
        (request(Replay::UntilEffect), NotExecuted),
        (granted(Replay::UntilEffect), Unknown),
    ];
    for (mut request, outcome) in table {
        let case = format!("{:?}, granted: {}", request.replay, request.effect_granted);
        assert_eq!(request.outcome_without_answer(), outcome, "{case}");
        if !request.effect_granted {
            request.attempts = 0;
            assert_eq!(request.outcome_without_answer(), NotExecuted, "unsent");
        }
    }
}

#[test]
fn what_the_caller_took_back_is_never_sent_again() {
    for replay in [Replay::Always, Replay::UntilEffect, Replay::Never] {
        for death in [CRASH, UNSENT, KILLED] {
            assert_eq!(
                cancelled(replay).judge(death),
                Verdict::End(EndRule::CancelledBefore)
            );
        }
    }
}

#[test]
fn the_third_crash_of_its_own_doing_is_the_last() {
    let mut request = request(Replay::Always);
    assert_eq!(request.judge(CRASH), AGAIN);
    assert!(request.suspect, "it runs alone from now on");
    assert_eq!(request.judge(CRASH), AGAIN);
    assert_eq!(request.judge(CRASH), Verdict::End(EndRule::Deadly));
}

#[test]
fn a_hang_counts_like_a_crash_for_the_one_that_hung_and_for_nobody_else() {
    let hang = Death {
        cause: Cause::KilledByUs(KillReason::Deadline),
        expired: true,
        was_only_one: false,
        unsent: false,
    };
    let mut hung = request(Replay::Always);
    assert_eq!(hung.judge(hang), AGAIN);
    assert!(hung.suspect);
    assert_eq!(hung.judge(hang), AGAIN);
    assert_eq!(hung.judge(hang), Verdict::End(EndRule::Deadly));

    let mut neighbour = request(Replay::Always);
    let not_it = Death {
        expired: false,
        ..hang
    };
    for _ in 0..10 {
        assert_eq!(neighbour.judge(not_it), AGAIN);
    }
    assert!(!neighbour.suspect && neighbour.blamed == 0);
}

#[test]
fn with_neighbours_a_crash_makes_a_suspect_and_no_culprit() {
    let mut request = request(Replay::Always);
    let crowded = Death {
        was_only_one: false,
        ..CRASH
    };
    assert_eq!(request.judge(crowded), AGAIN);
    assert!(request.suspect && request.blamed == 0);
}

#[test]
fn a_strangers_kills_blame_nobody_but_are_bounded() {
    let mut request = request(Replay::Always);
    for kill in 1..UNEXPLAINED_DEATHS_MAX {
        assert_eq!(request.judge(KILLED), AGAIN);
        assert_eq!(request.suspect, kill >= UNEXPLAINED_DEATHS_SUSPECT);
        assert_eq!(request.blamed, 0);
    }
    assert_eq!(request.judge(KILLED), Verdict::End(EndRule::Suspicious));
}

#[test]
fn what_may_be_a_strangers_kill_blames_as_little_as_one() {
    let mut request = request(Replay::Always);
    let perhaps_killed = Death {
        cause: Cause::ExitedOrKilled(1),
        ..CRASH
    };
    for kill in 1..UNEXPLAINED_DEATHS_MAX {
        assert_eq!(request.judge(perhaps_killed), AGAIN);
        assert_eq!(request.suspect, kill >= UNEXPLAINED_DEATHS_SUSPECT);
        assert_eq!(request.blamed, 0);
    }
    assert_eq!(
        request.judge(perhaps_killed),
        Verdict::End(EndRule::Suspicious)
    );
}

#[test]
fn our_own_kills_for_other_reasons_blame_nobody_for_ever() {
    let mut request = request(Replay::Always);
    for reason in [
        KillReason::Retired,
        KillReason::Stopping,
        KillReason::IgnoredDrain,
        KillReason::StartTimeout,
        KillReason::Fault,
    ] {
        let death = Death {
            cause: Cause::KilledByUs(reason),
            ..CRASH
        };
        assert_eq!(request.judge(death), AGAIN);
    }
    assert!(!request.suspect && request.blamed == 0 && request.unexplained == 0);
}

#[test]
fn a_replay_needs_room_and_a_first_attempt_only_the_time() {
    let mut request = request(Replay::Always);
    let almost_over = request.deadline - REPLAY_ROOM;
    assert!(!request.leaves_room(almost_over));
    assert!(request.leaves_room(almost_over - ms(1)));
    request.attempts = 0;
    assert!(request.leaves_room(almost_over));
    assert!(!request.leaves_room(request.deadline));
}
