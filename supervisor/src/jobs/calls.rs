//! Attempts as calls of a pool.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use ractor::ActorRef;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use standin_core::{
    JobId, RequestId, SessionId,
    jobs::Event,
    session::{AfterPoolLost, Origin, after_pool_lost},
};
use standin_protocol::{ErrorAnswer, ErrorCode, Outcome, Replay};

use super::{JobsMessage, JobsState};
use crate::{
    accounts::Accounts,
    call::{Call, CallAnswer, CallJob, CallRecord, CallStage, Caller, JobTry, Record},
    clock,
    directory::{Located, Route, Seeker},
    pool::PoolMessage,
    pools::{self, NoUserPool},
    session::{SessionMessage, TIMEOUT_MAX, not_for, unknown_method},
    store::{Durability, LeasedJob, RecordName},
    story::{End, How, NoPool, Notes, Story, What},
};

/// All jobs together are one session: a pool's queue is fair between sessions, and theirs has one turn in each round.
const SESSION: SessionId = SessionId(0);

/// The calls that are under way.
pub(super) struct Calls {
    ear: ActorRef<SessionMessage>,
    last_request: Arc<AtomicU64>,
    accounts: Arc<Accounts>,
    open: FxHashMap<JobId, (u32, Arc<Call>)>,
    /// Those whose method is not known while pools are still starting.
    unlocated: Vec<(u32, Box<LeasedJob>)>,
    outgoing: Vec<Arc<Call>>,
    /// Pools that ended just as they were given calls, which wait for others in their place.
    homeless: Vec<u64>,
    /// The pool that somebody cannot have, while those are answered who wait for it.
    refused: Option<(Arc<str>, NoUserPool)>,
}

impl Calls {
    pub(super) fn new(
        ear: ActorRef<SessionMessage>,
        last_request: Arc<AtomicU64>,
        accounts: Arc<Accounts>,
    ) -> Calls {
        Calls {
            ear,
            last_request,
            accounts,
            open: FxHashMap::default(),
            unlocated: Vec::new(),
            outgoing: Vec::new(),
            homeless: Vec::new(),
            refused: None,
        }
    }

    /// Whose answer it is, and the class of the method that gave it.
    pub(super) fn answered(&mut self, origin: Origin) -> Option<(JobId, u32, Replay)> {
        let job = JobId(origin.msgid() as i64);
        let (attempt, call) = self.open.remove(&job)?;
        Some((job, attempt, call.replay))
    }

    /// What was put together while one message was handled goes out.
    pub(super) fn submit(&mut self) {
        for call in self.outgoing.drain(..) {
            // If its actor is gone, the news of that brings the call back to life.
            let _ = call
                .pool
                .actor
                .cast(PoolMessage::Submit(vec![Arc::clone(&call)]));
        }
    }

    fn open(&mut self, job: JobId, attempt: u32, call: Arc<Call>) {
        self.open.insert(job, (attempt, Arc::clone(&call)));
        self.outgoing.push(call);
    }

    fn next_request(&self) -> RequestId {
        RequestId(self.last_request.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// The story of a try that ended before any pool had it.
    fn not_given(&self, leased: &LeasedJob, how: How) -> Story {
        Story {
            request: self.next_request(),
            session: SESSION,
            origin: Origin::Request {
                msgid: leased.name.id.0 as u64,
            },
            user: leased.user.as_str().into(),
            method: leased.method.clone(),
            job: Some(this_try(leased)),
            // What its class is nobody has said; nothing was done of it.
            replay: Replay::Never,
            came: clock::now(),
            notes: SmallVec::new(),
            left_out: 0,
            end: Some(End {
                after: Duration::ZERO,
                how,
            }),
        }
    }

    fn call(&self, route: &Route, leased: LeasedJob) -> Arc<Call> {
        let pool = Arc::clone(&route.pool);
        let own = leased.timeout_ms.or(route.manifest.timeout_ms);
        let own = own.map(|ms| Duration::from_millis(ms).min(TIMEOUT_MAX));
        let job = leased.name.id;
        let name = RecordName::Job {
            job: job.0,
            attempt: leased.lease.attempt,
        };
        let account = self.accounts.of(&leased.user);
        // How many jobs run at a time is limited by other means.
        let charge = account.charge_regardless(leased.params.len());
        let caller = Caller::new(SESSION, account, false, self.ear.clone());
        let now = clock::now();
        let this = this_try(&leased);
        Arc::new(Call {
            id: self.next_request(),
            origin: Origin::Request {
                msgid: job.0 as u64,
            },
            caller: Arc::new(caller),
            deadline: now + own.unwrap_or(pool.call_timeout) + pool.queue_wait,
            pool,
            method: leased.method,
            params: leased.params,
            replay: route.manifest.replay,
            attempt_timeout: own,
            begun_before: false,
            taken_back: AtomicBool::new(false),
            stage: CallStage::default(),
            record: CallRecord::of(Record::new(name, leased.fingerprint, Durability::Power)),
            notes: Notes::new(now),
            charge,
            job: Some(Arc::new(CallJob {
                this,
                so_far: leased.so_far,
            })),
        })
    }
}

fn this_try(leased: &LeasedJob) -> Arc<JobTry> {
    Arc::new(JobTry {
        job: leased.name,
        name: leased.name.to_string(),
        attempt: leased.lease.attempt,
    })
}

impl JobsState {
    pub(super) fn run(&mut self, myself: &ActorRef<JobsMessage>, job: JobId, attempt: u32) {
        let leased = self.leased.remove(&job);
        let leased = leased.expect("what runs was leased just now");
        self.locate(myself, attempt, leased);
    }

    fn locate(&mut self, myself: &ActorRef<JobsMessage>, attempt: u32, leased: Box<LeasedJob>) {
        let directory = Arc::clone(self.directory.get());
        let job = leased.name.id;
        let user = leased.user.clone();
        // The groups of whoever submitted it were looked at then.
        let seeker = Seeker {
            user: &user,
            groups: None,
        };
        match directory.locate(seeker, &leased.method) {
            Located::At(route) => {
                let call = self.calls.call(route, *leased);
                tracing::debug!(%job, attempt, request = %call.id, method = %call.method_name(), "an attempt at a job begins");
                self.calls.open(job, attempt, call);
            }
            Located::Denied(pool) => self.refused(
                myself,
                &leased,
                attempt,
                NoPool::Denied,
                &not_for(&user, pool),
            ),
            Located::NotYet(pool) => match self.refused_pool(&pool.name) {
                Some(error) => self.refused(myself, &leased, attempt, NoPool::NotForUser, &error),
                None => {
                    self.calls.unlocated.push((attempt, leased));
                    self.ask_for_pool(&pool.name, &user);
                }
            },
            Located::Unknown if directory.is_settled(&user) => {
                let error = unknown_method(&directory, seeker, &leased.method);
                self.refused(myself, &leased, attempt, NoPool::Unknown, &error);
            }
            Located::Unknown => {
                self.calls.unlocated.push((attempt, leased));
                self.ask_for_directory();
            }
        }
    }

    /// Nobody wants the attempt any more. It is answered all the same.
    pub(super) fn cancel_attempt(&mut self, myself: &ActorRef<JobsMessage>, job: JobId) {
        if let Some((_, call)) = self.calls.open.get(&job) {
            call.take_back();
            return;
        }
        let mut unlocated = self.calls.unlocated.iter();
        if let Some(index) = unlocated.position(|(_, leased)| leased.name.id == job) {
            let (attempt, leased) = self.calls.unlocated.remove(index);
            let method = String::from_utf8_lossy(&leased.method);
            let why = format!("\"{method}\" was cancelled. It was not executed.");
            let error = ErrorAnswer::new(ErrorCode::Cancelled, why);
            let error = error.with_outcome(Outcome::NotExecuted);
            self.refused(myself, &leased, attempt, NoPool::TakenBack, &error);
        }
    }

    /// An attempt has ended before it reached a pool.
    fn refused(
        &mut self,
        myself: &ActorRef<JobsMessage>,
        leased: &LeasedJob,
        attempt: u32,
        why: NoPool,
        error: &ErrorAnswer,
    ) {
        let job = leased.name.id;
        let story = self.calls.not_given(leased, How::not_given(why, error));
        self.stories.keep(story, &[]);
        let result = Err(error.encode());
        let answer = super::answer_of(&result, Replay::Never);
        self.answers.insert(job, result);
        // After what is being handled: the core is not asked while it is speaking.
        let _ = myself.cast(JobsMessage::News(Event::Answered {
            job,
            attempt,
            answer,
        }));
    }

    fn refused_pool(&self, pool: &str) -> Option<ErrorAnswer> {
        let (refused, why) = self.calls.refused.as_ref()?;
        (**refused == *pool).then(|| why.answer(pool))
    }

    fn ask_for_pool(&self, pool: &Arc<str>, user: &str) {
        pools::ask(&self.pools, pool, &user.into(), self.ear.clone());
    }

    /// Some owner of a job cannot have that pool now; the others who wait for it ask again soon.
    pub(super) fn no_user_pool(
        &mut self,
        myself: &ActorRef<JobsMessage>,
        refused: (Arc<str>, NoUserPool),
    ) {
        self.calls.refused = Some(refused);
        self.directory_changed(myself);
        self.calls.refused = None;
    }

    pub(super) fn directory_changed(&mut self, myself: &ActorRef<JobsMessage>) {
        self.notice_routes(myself);
        for generation in std::mem::take(&mut self.calls.homeless) {
            self.pool_lost(myself, generation);
        }
        for (attempt, leased) in std::mem::take(&mut self.calls.unlocated) {
            self.locate(myself, attempt, leased);
        }
        let directory = Arc::clone(self.directory.get());
        let mut unlearned = directory.unlearned.iter();
        let is_settled = unlearned.all(|pool| pool.trouble.is_some());
        if !is_settled && self.calls.unlocated.is_empty() {
            self.ask_for_directory();
        }
    }

    /// The next pool of its owner takes the call whose pool has ended before it began with it. False: its pool was none
    /// of that kind.
    fn wait_for_next_pool(&mut self, myself: &ActorRef<JobsMessage>, call: &Arc<Call>) -> bool {
        let Some(pool) = &call.pool.template else {
            return false;
        };
        if let Some(error) = self.refused_pool(pool) {
            self.stories.keep(
                Story::ended(
                    call,
                    clock::now(),
                    How::not_given(NoPool::NotForUser, &error),
                ),
                &[],
            );
            let answer = CallAnswer {
                origin: call.origin,
                result: Err(error.encode()),
            };
            self.answered(myself, answer);
        } else if !self.calls.homeless.contains(&call.pool.generation) {
            self.calls.homeless.push(call.pool.generation);
            self.ask_for_pool(pool, &call.caller.user);
        }
        true
    }

    pub(super) fn pool_lost(&mut self, myself: &ActorRef<JobsMessage>, generation: u64) {
        let open = self.calls.open.values();
        let lost = open.filter(|(_, call)| call.pool.generation == generation);
        let lost: Vec<(u32, Arc<Call>)> = lost.cloned().collect();
        let directory = Arc::clone(self.directory.get());
        for (attempt, call) in lost {
            let after = after_pool_lost(call.replay, call.stage.get());
            if after == AfterPoolLost::Resubmit
                && let Some(error) = call.taken_back_in_lost_pool()
            {
                let answer = CallAnswer {
                    origin: call.origin,
                    result: Err(error.encode()),
                };
                self.answered(myself, answer);
                continue;
            }
            let outcome = match after {
                AfterPoolLost::Leave => continue,
                AfterPoolLost::Fail(outcome) => outcome,
                AfterPoolLost::Resubmit => match directory.pool(&call.pool.name) {
                    Some(pool) => {
                        call.notes.add(clock::now(), What::PoolReplaced);
                        let again = Arc::new(call.for_another_pool(pool));
                        self.calls
                            .open(JobId(call.origin.msgid() as i64), attempt, again);
                        continue;
                    }
                    None if self.wait_for_next_pool(myself, &call) => continue,
                    None => Outcome::Unknown,
                },
            };
            let story = Story::ended(&call, clock::now(), How::PoolLost { outcome });
            match directory.pool(&call.pool.name) {
                Some(pool) => drop(pool.actor.cast(PoolMessage::Remember(Box::new(story)))),
                None => self.stories.keep(story, &[]),
            }
            let why = format!(
                "A fault inside Standin ended \"{}\" while it was running; the fault has been mended.",
                call.method_name()
            );
            let error = ErrorAnswer::new(ErrorCode::WorkerLost, why).with_outcome(outcome);
            let answer = CallAnswer {
                origin: call.origin,
                result: Err(error.encode()),
            };
            self.answered(myself, answer);
        }
    }
}
