//! What comes in: requests are taken or refused, cancelled or abandoned.

use std::time::{Duration, Instant};

use standin_protocol::{ErrorCode, Outcome, Replay};

use super::{
    Effect, EndRule, Failure, Mode, PoolCore, Submission,
    pause::ASK_AGAIN_AFTER,
    poison::Suspicion,
    queue::Weight,
    request::{Phase, Request},
    settings::RETRY_AFTER_MIN,
};
use crate::{AttemptId, RequestId};

impl<P> PoolCore<P> {
    pub(super) fn submit(
        &mut self,
        now: Instant,
        submission: Submission<P>,
        effects: &mut Vec<Effect<P>>,
    ) {
        let mut refusal = self.refusal(now, &submission);
        let mut on_trial = false;
        // Whoever is refused anyway is not the one that is tried.
        if refusal.is_none() {
            match self.suspicion(now, &submission) {
                Suspicion::None => {}
                Suspicion::OnTrial => on_trial = true,
                Suspicion::Refused(pause) => refusal = Some((EndRule::KnownDeadly, Some(pause))),
            }
        }
        if let Some((rule, retry_after)) = refusal {
            self.counters.refused += 1;
            effects.push(Effect::Fail {
                request: submission.request,
                payload: submission.payload,
                failure: Failure {
                    code: rule.code(),
                    rule,
                    outcome: Outcome::NotExecuted,
                    cause: None,
                    attempts: 0,
                    retry_after,
                },
            });
            return;
        }
        let Submission {
            request,
            session,
            user,
            replay,
            deadline,
            attempt_timeout,
            size,
            payload,
        } = submission;
        let weight = Weight { user, size };
        let previous = self.requests.insert(
            request,
            Request {
                session,
                user,
                replay,
                deadline,
                attempt_timeout: attempt_timeout.unwrap_or(self.settings.call_timeout),
                size,
                phase: Phase::Waiting { since: now },
                attempts: 0,
                effect_granted: false,
                cancelled: false,
                on_trial,
                suspect: on_trial,
                blamed: 0,
                unexplained: 0,
                last_cause: None,
                payload,
            },
        );
        assert!(previous.is_none(), "a request's name is never reused");
        if on_trial {
            self.queue.push_replay(now, request, true, weight);
        } else {
            self.queue.push(now, session, request, weight);
        }
        self.wake_at(deadline.min(now + self.settings.queue_wait));
    }

    /// What is known against those who asked the same. What may run only once is never poisoned: one death ends it.
    fn suspicion(&mut self, now: Instant, submission: &Submission<P>) -> Suspicion {
        if self.poisons.is_empty() || submission.replay == Replay::Never {
            return Suspicion::None;
        }
        let fingerprint = (self.fingerprint)(&submission.payload);
        self.poisons.asked(now, submission.request, fingerprint)
    }

    fn refusal(
        &mut self,
        now: Instant,
        submission: &Submission<P>,
    ) -> Option<(EndRule, Option<Duration>)> {
        match self.mode {
            Mode::Serving => {}
            Mode::Paused { .. } => return Some((EndRule::Paused, Some(ASK_AGAIN_AFTER))),
            Mode::Stopping { .. } | Mode::Stopped => return Some((EndRule::Stopping, None)),
        }
        if now >= submission.deadline {
            return Some((EndRule::CameLate, None));
        }
        if self.breaker.is_open() && !self.slots.iter().any(super::slot::Slot::is_usable) {
            return Some((EndRule::NoWorkers, self.breaker.pause(now)));
        }
        // One session may hold half of the queue, so that a noisy one leaves room for the others, and all sessions of
        // one user three quarters of it. Both are rounded up: whoever is alone in a queue of one place has it.
        let share = self.settings.queue_max.div_ceil(2);
        let share_of_user = self.settings.queue_max.saturating_mul(3).div_ceil(4);
        let bytes_max = self.settings.queue_bytes_max.max(submission.size);
        let rule = if self.queue.len() >= self.settings.queue_max {
            EndRule::QueueFull
        } else if self.queue.waiting_of(submission.session) >= share {
            EndRule::SessionShare
        } else if self.queue.waiting_of_user(submission.user) >= share_of_user {
            EndRule::UserShare
        } else if self.queue.bytes() + submission.size > bytes_max {
            EndRule::QueueBytes
        } else {
            return None;
        };
        Some((rule, Some(self.retry_after())))
    }

    /// A guess at when there will be room: the queue is rarely full for long, and a tenth of its longest wait is
    /// neither at once nor never. Up to half as much is added, so that those who were refused together do not come
    /// back together.
    fn retry_after(&mut self) -> Duration {
        let least = (self.settings.queue_wait / 10).max(RETRY_AFTER_MIN);
        let jitter = self.random.below(least.as_millis() as u64 / 2 + 1);
        least + Duration::from_millis(jitter)
    }

    pub(super) fn cancel(
        &mut self,
        now: Instant,
        request: RequestId,
        effects: &mut Vec<Effect<P>>,
    ) {
        let Some(known) = self.requests.get_mut(&request) else {
            return;
        };
        known.cancelled = true;
        match known.phase {
            Phase::Waiting { .. } => {
                let (session, weight) = (known.session, known.weight());
                self.queue.remove(session, request, weight);
                self.fail(request, EndRule::CancelledInQueue, effects);
            }
            Phase::Running(attempt) => self.cancel_attempt(now, attempt, effects),
        }
    }

    /// The worker may take a moment to notice, and no more: nobody wants the answer, and others want the worker.
    fn cancel_attempt(&mut self, now: Instant, attempt: AttemptId, effects: &mut Vec<Effect<P>>) {
        let running = self
            .attempts
            .get_mut(&attempt)
            .expect("a running request has an attempt");
        let worker = running.worker;
        running.deadline = running.deadline.min(now + self.settings.stop_timeout);
        let deadline = running.deadline;
        self.wake_at(deadline);
        effects.push(Effect::CancelAttempt { worker, attempt });
    }

    /// Nobody waits for this attempt any more; its worker is told.
    pub(super) fn leave_off(
        &mut self,
        now: Instant,
        attempt: AttemptId,
        effects: &mut Vec<Effect<P>>,
    ) {
        self.attempts
            .get_mut(&attempt)
            .expect("a running request has an attempt")
            .request = None;
        self.cancel_attempt(now, attempt, effects);
    }

    pub(super) fn abandon(
        &mut self,
        now: Instant,
        request: RequestId,
        effects: &mut Vec<Effect<P>>,
    ) {
        let Some(known) = self.requests.remove(&request) else {
            return;
        };
        match known.phase {
            Phase::Waiting { .. } => {
                let (session, weight) = (known.session, known.weight());
                self.queue.remove(session, request, weight);
            }
            Phase::Running(attempt) => self.leave_off(now, attempt, effects),
        }
        if known.on_trial {
            self.poisons.proved_nothing(request);
        }
        self.counters.abandoned += 1;
        effects.push(Effect::Abandoned {
            outcome: known.outcome_without_answer(),
            payload: known.payload,
        });
    }

    /// Ends a request without a worker's answer. It must be out of the queue already.
    pub(super) fn fail(&mut self, request: RequestId, rule: EndRule, effects: &mut Vec<Effect<P>>) {
        let known = self
            .requests
            .remove(&request)
            .expect("only a known request fails");
        let code = rule.code();
        if known.on_trial {
            self.poisons.proved_nothing(request);
        }
        self.counters.failed += 1;
        self.counters.poisoned += u64::from(code == ErrorCode::Poisoned);
        let retry_after = match code {
            ErrorCode::Overloaded => Some(self.retry_after()),
            ErrorCode::PoolUnavailable if rule == EndRule::Paused => Some(ASK_AGAIN_AFTER),
            ErrorCode::PoolUnavailable => self.breaker.delay(),
            _ => None,
        };
        effects.push(Effect::Fail {
            request,
            failure: Failure {
                code,
                rule,
                outcome: known.outcome_without_answer(),
                cause: known.last_cause,
                attempts: known.attempts,
                retry_after,
            },
            payload: known.payload,
        });
    }
}

#[cfg(test)]
mod tests;
