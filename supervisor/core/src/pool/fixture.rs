//! A pool in a test's hands: events go in, effects are noted, and time passes only where the test says so. A second
//! answer to a request, or a kill of nobody, fails the test wherever it happens.

mod ask;

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use standin_protocol::Outcome;

pub(super) use self::ask::{Ask, always, ask, ms, one_worker, workers};
use super::{Effect, Event, Failure, PoolCore, PoolSettings, ReplayRule, WorkerState};
use crate::{AttemptId, Cause, Fingerprint, KillReason, RequestId, SlotId, WorkerId};

/// One sending, as the effect told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) worker: WorkerId,
    pub(super) attempt: AttemptId,
    pub(super) number: u32,
    pub(super) timeout: Duration,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Delivered { attempts: u32 },
    Failed(Failure),
}

/// A pool and what it wanted so far.
#[derive(Debug)]
pub(super) struct Fixture {
    pub(super) core: PoolCore<RequestId>,
    pub(super) now: Instant,
    /// Workers ordered and not yet heard of.
    pub(super) starting: VecDeque<WorkerId>,
    pub(super) starts: usize,
    pub(super) sent: BTreeMap<RequestId, Vec<Sent>>,
    pub(super) ends: BTreeMap<RequestId, End>,
    pub(super) kills: Vec<(WorkerId, KillReason)>,
    pub(super) drains: Vec<WorkerId>,
    pub(super) cancels: Vec<AttemptId>,
    /// Answers to `effect.begin`, in order.
    pub(super) grants: Vec<bool>,
    /// Effects that wait for their record.
    pub(super) to_record: Vec<(WorkerId, AttemptId)>,
    /// The rule of each replay, in order.
    pub(super) replays: Vec<ReplayRule>,
    /// What was known of each that was abandoned.
    pub(super) abandoned: Vec<Outcome>,
    pub(super) incidents: Vec<usize>,
    pub(super) degraded: Vec<bool>,
    pub(super) reload_decisions: Vec<bool>,
    pub(super) reloads: u32,
    pub(super) paused: u32,
    pub(super) retired: u32,
    pub(super) stopped: u32,
}

impl Fixture {
    #[expect(clippy::disallowed_methods, reason = "any moment will do for a test")]
    pub(super) fn new(settings: PoolSettings) -> Fixture {
        let now = Instant::now();
        let mut fixture = Fixture {
            core: PoolCore::new(settings, fingerprint, 1, now),
            now,
            starting: VecDeque::new(),
            starts: 0,
            sent: BTreeMap::new(),
            ends: BTreeMap::new(),
            kills: Vec::new(),
            drains: Vec::new(),
            cancels: Vec::new(),
            grants: Vec::new(),
            to_record: Vec::new(),
            replays: Vec::new(),
            abandoned: Vec::new(),
            incidents: Vec::new(),
            degraded: Vec::new(),
            reload_decisions: Vec::new(),
            reloads: 0,
            paused: 0,
            retired: 0,
            stopped: 0,
        };
        fixture.feed(Event::TimePassed);
        fixture
    }

    /// A pool whose workers are all ready, each taking one request at a time.
    pub(super) fn ready(settings: PoolSettings) -> Fixture {
        let mut fixture = Fixture::new(settings);
        fixture.all_ready(1);
        fixture
    }

    pub(super) fn feed(&mut self, event: Event<RequestId>) {
        let mut effects = Vec::new();
        self.core.handle(self.now, event, &mut effects);
        for effect in effects {
            self.note(effect);
        }
    }

    fn note(&mut self, effect: Effect<RequestId>) {
        match effect {
            Effect::StartWorker(worker) => {
                self.starting.push_back(worker);
                self.starts += 1;
            }
            Effect::Send {
                worker,
                request,
                attempt,
                number,
                timeout,
            } => {
                assert!(
                    self.core.payload(request).is_some(),
                    "what is sent is known"
                );
                let sent = Sent {
                    worker,
                    attempt,
                    number,
                    timeout,
                };
                self.sent.entry(request).or_default().push(sent);
            }
            Effect::CancelAttempt { attempt, .. } => self.cancels.push(attempt),
            Effect::RecordEffect { worker, attempt } => self.to_record.push((worker, attempt)),
            Effect::AnswerEffect { granted, .. } => self.grants.push(granted),
            Effect::Drain(worker) => self.drains.push(worker),
            Effect::Kill { worker, reason } => self.kills.push((worker, reason)),
            Effect::Deliver {
                request, attempts, ..
            } => self.end(request, End::Delivered { attempts }),
            Effect::Fail {
                request, failure, ..
            } => self.end(request, End::Failed(failure)),
            Effect::Replayed { rule, .. } => self.replays.push(rule),
            Effect::Abandoned { outcome, .. } => self.abandoned.push(outcome),
            Effect::Incident { deaths } => self.incidents.push(deaths),
            Effect::DegradedChanged(degraded) => self.degraded.push(degraded),
            Effect::ReloadDecided(begun) => self.reload_decisions.push(begun),
            Effect::Reloaded => self.reloads += 1,
            Effect::Paused => self.paused += 1,
            Effect::Retired => self.retired += 1,
            Effect::Stopped => self.stopped += 1,
        }
    }

    fn end(&mut self, request: RequestId, end: End) {
        let previous = self.ends.insert(request, end);
        assert_eq!(previous, None, "request {request} is answered once");
    }

    /// Time passes, and the pool is woken whenever it wanted to be.
    pub(super) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(at) = self.core.next_wakeup().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.feed(Event::TimePassed);
            let next = self.core.next_wakeup();
            assert!(
                next.is_none_or(|next| next > self.now),
                "a look at the time is not followed by another at once"
            );
        }
        self.now = until;
    }

    /// Time passes and the timer is late: the pool does not hear of it.
    pub(super) fn pass_unnoticed(&mut self, time: Duration) {
        self.now += time;
    }

    /// All that were started say hello, and those that are started because of it.
    pub(super) fn all_ready(&mut self, concurrency: u32) {
        while let Some(worker) = self.starting.pop_front() {
            self.feed(Event::WorkerReady {
                worker,
                concurrency,
            });
        }
    }

    /// Time passes until a worker is ordered.
    pub(super) fn wait_for_start(&mut self) {
        for _ in 0..70_000 {
            if !self.starting.is_empty() {
                return;
            }
            self.pass(ms(1));
        }
        panic!("no worker is started any more");
    }

    /// Time passes, and every worker that is started is ready at once, until a worker has the request.
    pub(super) fn wait_for_dispatch(&mut self, request: u64) {
        for _ in 0..5000 {
            self.all_ready(1);
            if self.is_running(request) {
                return;
            }
            self.pass(ms(1));
        }
        panic!("request {request} waits for ever");
    }

    /// The next of those that were started ends before its hello.
    pub(super) fn start_fails(&mut self, cause: Cause) {
        let worker = self.starting.pop_front().expect("a worker was started");
        self.dies(worker, cause);
    }

    pub(super) fn submit(&mut self, ask: Ask) {
        self.feed(Event::Submit(ask.submission(self.now)));
    }

    pub(super) fn answer(&mut self, request: u64) {
        let Sent {
            worker, attempt, ..
        } = self.last_sent(request);
        self.feed(Event::Answered { worker, attempt });
    }

    /// Whether the worker of the request gets leave for its effect.
    pub(super) fn ask_effect(&mut self, request: u64) -> bool {
        self.request_effect(request, true);
        self.grants.pop().expect("an answer to effect.begin")
    }

    /// The worker of the request asks for leave, which must be put on record first.
    pub(super) fn ask_effect_to_record(&mut self, request: u64) -> (WorkerId, AttemptId) {
        self.request_effect(request, false);
        self.to_record.pop().expect("it is to be put on record")
    }

    fn request_effect(&mut self, request: u64, is_on_record: bool) {
        let Sent {
            worker, attempt, ..
        } = self.last_sent(request);
        self.feed(Event::EffectRequested {
            worker,
            attempt,
            is_on_record,
        });
    }

    pub(super) fn dies(&mut self, worker: WorkerId, cause: Cause) {
        self.dies_with_unsent(worker, cause, &[]);
    }

    /// The worker dies before it was given these requests.
    pub(super) fn dies_with_unsent(&mut self, worker: WorkerId, cause: Cause, unsent: &[u64]) {
        let unsent = unsent.iter().map(|request| self.last_sent(*request));
        let unsent = unsent.map(|sent| sent.attempt).collect();
        self.feed(Event::WorkerExited {
            worker,
            cause,
            unsent,
        });
    }

    /// The worker that has the request brings its own death upon itself.
    pub(super) fn crash(&mut self, request: u64) {
        self.dies(self.worker_of(request), Cause::Crashed(11));
    }

    /// Somebody kills the worker that has the request.
    pub(super) fn stranger_kills(&mut self, request: u64) {
        self.dies(self.worker_of(request), Cause::KilledByStranger(9));
    }

    pub(super) fn times_sent(&self, request: u64) -> usize {
        self.sent.get(&RequestId(request)).map_or(0, Vec::len)
    }

    pub(super) fn last_sent(&self, request: u64) -> Sent {
        let sent = self
            .sent
            .get(&RequestId(request))
            .and_then(|all| all.last());
        *sent.unwrap_or_else(|| panic!("request {request} was never sent"))
    }

    pub(super) fn worker_of(&self, request: u64) -> WorkerId {
        self.last_sent(request).worker
    }

    /// Sent, and neither answered nor back in the queue.
    pub(super) fn is_running(&self, request: u64) -> bool {
        let sent = self
            .sent
            .get(&RequestId(request))
            .and_then(|all| all.last());
        sent.is_some_and(|sent| self.core.request_of(sent.attempt) == Some(RequestId(request)))
    }

    pub(super) fn is_open(&self, request: u64) -> bool {
        self.core.payload(RequestId(request)).is_some()
    }

    /// How many attempts the worker's answer took.
    pub(super) fn delivered(&self, request: u64) -> u32 {
        match self.ends.get(&RequestId(request)) {
            Some(End::Delivered { attempts }) => *attempts,
            other => panic!("request {request} was not answered by a worker: {other:?}"),
        }
    }

    pub(super) fn failure(&self, request: u64) -> Failure {
        match self.ends.get(&RequestId(request)) {
            Some(End::Failed(failure)) => *failure,
            other => panic!("request {request} did not fail: {other:?}"),
        }
    }

    pub(super) fn state(&self, worker: WorkerId) -> Option<WorkerState> {
        let workers = self.core.view().workers;
        let found = workers.iter().find(|view| view.worker == worker);
        found.map(|view| view.state)
    }

    /// Workers that are ready, at work or idle.
    pub(super) fn ready_workers(&self) -> Vec<WorkerId> {
        use WorkerState::{Busy, Ready, Suspect};
        let workers = self.core.view().workers;
        let ready = |state| matches!(state, Ready | Busy | Suspect);
        let ready = workers.iter().filter(|view| ready(view.state));
        ready.map(|view| view.worker).collect()
    }

    pub(super) fn ready_count(&self) -> usize {
        self.ready_workers().len()
    }
}

/// From 100 on, those with the same hundreds ask the same.
fn fingerprint(request: &RequestId) -> Fingerprint {
    let RequestId(number) = *request;
    let number = if number < 100 {
        number
    } else {
        number / 100 * 100
    };
    Fingerprint(number.into())
}

/// The worker of that life in that slot.
pub(super) fn worker(slot: u32, generation: u32) -> WorkerId {
    WorkerId {
        slot: SlotId(slot),
        generation,
    }
}
