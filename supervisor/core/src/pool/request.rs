//! One request while a pool has it, and the rule that decides about a second attempt.

use std::time::{Duration, Instant};

use standin_protocol::{Outcome, Replay};

use super::{
    EndRule, ReplayRule,
    queue::Weight,
    settings::{
        BLAMED_DEATHS_MAX, REPLAY_ROOM, UNEXPLAINED_DEATHS_MAX, UNEXPLAINED_DEATHS_SUSPECT,
    },
};
use crate::{AttemptId, Cause, KillReason, RequestId, SessionId, UserId, WorkerId};

/// Where a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Waiting { since: Instant },
    Running(AttemptId),
}

/// A request that has no answer yet.
#[derive(Debug)]
pub(super) struct Request<P> {
    pub(super) session: SessionId,
    pub(super) user: UserId,
    pub(super) replay: Replay,
    pub(super) deadline: Instant,
    pub(super) attempt_timeout: Duration,
    pub(super) size: usize,
    pub(super) phase: Phase,
    /// How many times it was sent, counted at dispatch.
    pub(super) attempts: u32,
    pub(super) effect_granted: bool,
    /// The caller took it back: it is never sent again.
    pub(super) cancelled: bool,
    /// The same was poisoned a while ago: one death is enough.
    pub(super) on_trial: bool,
    /// It runs alone from now on.
    pub(super) suspect: bool,
    pub(super) blamed: u32,
    pub(super) unexplained: u32,
    pub(super) last_cause: Option<Cause>,
    pub(super) payload: P,
}

/// One sending. It outlives its request when the caller has been answered and the worker is still at it.
#[derive(Debug)]
pub(super) struct Attempt {
    /// `None`: nobody waits for it any more.
    pub(super) request: Option<RequestId>,
    pub(super) worker: WorkerId,
    pub(super) deadline: Instant,
    /// It ran past its deadline; the worker is to die.
    pub(super) expired: bool,
    /// Questions of its worker that its client has not answered.
    pub(super) asking: u32,
}

/// What a death means for one request that was running in the dead worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Send it to another worker, if there is time.
    Replay(ReplayRule),
    /// Answer it.
    End(EndRule),
}

/// The circumstances of a death, as far as one request is concerned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Death {
    pub(super) cause: Cause,
    /// This very request ran past its deadline.
    pub(super) expired: bool,
    /// Nothing else ran in the worker.
    pub(super) was_only_one: bool,
    /// Not a byte of the attempt had been given to the pipe.
    pub(super) unsent: bool,
}

impl<P> Request<P> {
    /// What it takes of the queue.
    pub(super) const fn weight(&self) -> Weight {
        Weight {
            user: self.user,
            size: self.size,
        }
    }

    /// Whether a second attempt can do no harm though the worker may have begun the first.
    fn may_replay(&self) -> Result<ReplayRule, EndRule> {
        match self.replay {
            Replay::Always => Ok(ReplayRule::Always),
            Replay::UntilEffect if self.effect_granted => Err(EndRule::EffectGranted),
            Replay::UntilEffect => Ok(ReplayRule::EffectNotGranted),
            Replay::Never => Err(EndRule::OnceAtMost),
        }
    }

    /// Whether an attempt that begins now could still be of use to the caller.
    pub(super) fn leaves_room(&self, now: Instant) -> bool {
        let room = if self.attempts == 0 {
            Duration::ZERO
        } else {
            REPLAY_ROOM
        };
        now + room < self.deadline
    }

    /// What is known about the effect if no attempt is made any more and none is running, or the one that runs can
    /// no longer be granted its effect.
    pub(super) fn outcome_without_answer(&self) -> Outcome {
        let certainly_not = match self.replay {
            Replay::UntilEffect => !self.effect_granted,
            Replay::Always | Replay::Never => self.attempts == 0,
        };
        if certainly_not {
            Outcome::NotExecuted
        } else {
            Outcome::Unknown
        }
    }

    /// Judges the death of the worker it was running in. The only place where a replay is allowed.
    pub(super) fn judge(&mut self, death: Death) -> Verdict {
        self.last_cause = Some(death.cause);
        // A worker cannot have begun what it was not given; one that was granted the effect says otherwise.
        let not_given = death.unsent && !self.effect_granted;
        self.attempts -= u32::from(not_given);
        if self.cancelled {
            return Verdict::End(EndRule::CancelledBefore);
        }
        if not_given {
            return Verdict::Replay(ReplayRule::NotGiven);
        }
        let rule = match self.may_replay() {
            Ok(rule) => rule,
            Err(rule) => return Verdict::End(rule),
        };
        self.blame(death);
        if self.blamed >= BLAMED_DEATHS_MAX {
            Verdict::End(EndRule::Deadly)
        } else if self.on_trial && self.blamed > 0 {
            Verdict::End(EndRule::DeadlyAgain)
        } else if self.unexplained >= UNEXPLAINED_DEATHS_MAX {
            Verdict::End(EndRule::Suspicious)
        } else {
            Verdict::Replay(rule)
        }
    }

    fn blame(&mut self, death: Death) {
        let hung = death.cause == Cause::KilledByUs(KillReason::Deadline) && death.expired;
        let is_own_doing = death.cause.is_crash() && !death.cause.is_perhaps_a_strangers();
        if is_own_doing || hung {
            self.suspect = true;
            // With several in flight nobody can say which of them it was; alone, there is no doubt.
            if death.was_only_one || hung {
                self.blamed += 1;
            }
        } else if death.cause.is_perhaps_a_strangers() {
            self.unexplained += 1;
            self.suspect |= self.unexplained >= UNEXPLAINED_DEATHS_SUSPECT;
        }
    }
}

#[cfg(test)]
mod tests;
