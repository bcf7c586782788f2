//! What workers make of the jobs that they are given.

use std::sync::Arc;

use standin_core::{
    JobId,
    jobs::{Answer, Event},
};
use standin_protocol::{ErrorAnswer, ErrorCode, Outcome, Replay};

use crate::{
    life::{Life, pool_of, replay_of},
    service::Stage,
    store::Write,
};

impl Life {
    /// One worker gets on.
    pub(crate) fn work(&mut self) {
        let attempts: Vec<_> = self
            .service
            .attempts
            .iter()
            .map(|(k, v)| (*k, *v))
            .collect();
        if attempts.is_empty() {
            return;
        }
        let which = self.random.below(attempts.len() as u64) as usize;
        let ((job, attempt), stage) = attempts[which];
        let method = self.store.rows[&job].lane.method.clone();
        let replay = replay_of(&method);
        if method == "absent" {
            let error = ErrorAnswer::new(ErrorCode::MethodNotFound, "");
            return self.answer(job, attempt, Answer::failed(&error, replay));
        }
        match stage {
            Stage::Working if replay == Replay::Always => {
                let chance = self.random.below(4);
                let answer = match chance {
                    0 => {
                        Answer::failed(&ErrorAnswer::new(ErrorCode::WorkerLost, ""), Replay::Always)
                    }
                    1 => {
                        let error = ErrorAnswer::new(ErrorCode::Overloaded, "");
                        let error = error.with_outcome(Outcome::NotExecuted);
                        return self.answer(job, attempt, Answer::failed(&error, replay));
                    }
                    _ => Answer::Done,
                };
                self.happened.insert(job);
                self.answer(job, attempt, answer);
            }
            Stage::Working => {
                let cancelled = self.service.cancelled.contains(&job);
                let code = match self.random.below(8) {
                    _ if cancelled => Some(ErrorCode::Cancelled),
                    0 => Some(ErrorCode::PoolUnavailable),
                    1 => Some(ErrorCode::Overloaded),
                    2 => Some(ErrorCode::InvalidParams),
                    _ => None,
                };
                if let Some(code) = code {
                    let error = ErrorAnswer::new(code, "").with_outcome(Outcome::NotExecuted);
                    return self.answer(job, attempt, Answer::failed(&error, replay));
                }
                self.service.attempts.insert((job, attempt), Stage::Asking);
                self.store.writes.push_back(Write::Grant { job, attempt });
            }
            Stage::Asking => {}
            Stage::Granted => match self.random.below(10) {
                0 => {
                    let error = ErrorAnswer::new(ErrorCode::WorkerLost, "");
                    self.answer(job, attempt, Answer::failed(&error, replay));
                }
                1 => {
                    // It has leave, fails before it uses it, and says so.
                    let error = ErrorAnswer::new(ErrorCode::Internal, "")
                        .with_outcome(Outcome::NotExecuted);
                    self.answer(job, attempt, Answer::failed(&error, replay));
                }
                _ => {
                    *self.effects.entry(job).or_default() += 1;
                    self.happened.insert(job);
                    self.service
                        .attempts
                        .insert((job, attempt), Stage::Effected);
                }
            },
            Stage::Effected => {
                let answer = match self.random.below(10) {
                    0 => Answer::failed(&ErrorAnswer::new(ErrorCode::WorkerLost, ""), replay),
                    _ => Answer::Done,
                };
                self.answer(job, attempt, answer);
            }
        }
    }

    fn answer(&mut self, job: JobId, attempt: u32, answer: Answer) {
        self.service.attempts.remove(&(job, attempt));
        let lane = &self.store.rows[&job].lane;
        let place = (Arc::clone(&lane.user), pool_of(&lane.method));
        let unavailable = Some(ErrorCode::PoolUnavailable);
        match answer {
            Answer::Failed { code, .. } if code == unavailable => {
                self.refused.insert(place, self.elapsed);
            }
            _ => drop(self.refused.remove(&place)),
        }
        if let Answer::Failed {
            outcome: Outcome::Unknown,
            ..
        } = answer
        {
            self.unsure.insert(job);
        }
        self.service.mailbox.push_back(Event::Answered {
            job,
            attempt,
            answer,
        });
    }
}
