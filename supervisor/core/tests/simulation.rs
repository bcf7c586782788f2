//! Thousands of lives of a pool, each with deaths at any step, lived in a second or two.
//!
//! A life is a seed: it draws the settings, the requests, what each worker does and who kills it when. Time passes only
//! where the core asks for it or something happens, so a wake-up that the core forgets shows as a request without an
//! answer. After every step the rules are checked. `STANDIN_SIM_SEED=n` lives one life again; `STANDIN_SIM_LIVES=n`
//! changes how many there are.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap},
    time::{Duration, Instant},
};

use standin_core::{
    AttemptId, Cause, KillReason, Random, RequestId, SessionId, WorkerId,
    pool::{Effect, Event, Failure, PoolCore, PoolSettings, Submission, WorkerState},
};
use standin_protocol::{ErrorCode, Outcome, Replay};

/// What a worker, or somebody else, does at a moment that was drawn before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    Hello(WorkerId),
    Begin(WorkerId, AttemptId),
    AskEffect(WorkerId, AttemptId),
    Answer(WorkerId, AttemptId),
    AnswerWrongly(WorkerId, AttemptId),
    Progress(WorkerId, AttemptId),
    Crash(WorkerId),
    StrangerKills(WorkerId),
    EveryoneCrashes,
    ReportDeath(WorkerId),
    Submit,
    Cancel,
    Abandon,
    Starve(bool),
    Stop,
}

#[derive(Debug, Default)]
struct Worker {
    alive: bool,
    running: BTreeMap<AttemptId, RequestId>,
    begun: BTreeSet<AttemptId>,
    granted: BTreeSet<AttemptId>,
    cause: Option<Cause>,
    draining: bool,
}

#[derive(Debug)]
struct Asked {
    replay: Replay,
    deadly: bool,
    begun: u32,
    effects: u32,
    answers: u32,
    abandoned: bool,
}

struct Life {
    core: PoolCore<RequestId>,
    settings: PoolSettings,
    random: Random,
    start: Instant,
    now: Duration,
    deeds: BinaryHeap<Reverse<(Duration, u64, Deed)>>,
    last_deed: u64,
    workers: HashMap<WorkerId, Worker>,
    asked: BTreeMap<RequestId, Asked>,
    last_request: u64,
    calm_after: Duration,
    stopped: u32,
    stopping: bool,
    seen: BTreeSet<&'static str>,
    story: Vec<String>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "only differences to this moment matter"
)]
fn beginning() -> Instant {
    Instant::now()
}

impl Life {
    fn new(seed: u64, start: Instant) -> Life {
        let mut random = Random::new(seed);
        let workers_max = 1 + random.below(4) as u32;
        let ms = |random: &mut Random, most: u64| Duration::from_millis(1 + random.below(most));
        let settings = PoolSettings {
            workers_min: random.below(u64::from(workers_max) + 1) as u32,
            workers_max,
            spare: random.below(3) as u32,
            idle: ms(&mut random, 3000),
            start_timeout: ms(&mut random, 400),
            call_timeout: ms(&mut random, 400),
            stop_timeout: ms(&mut random, 100),
            queue_max: 1 + random.below(40) as usize,
            queue_wait: ms(&mut random, 1500),
            queue_bytes_max: 100,
            recycle_requests: (random.below(4) == 0).then_some(3),
            recycle_age: (random.below(4) == 0).then_some(Duration::from_millis(500)),
            recycle_rss: None,
            concurrency_max: 1 + random.below(4) as u32,
        };
        let core = PoolCore::new(settings.clone(), seed, start);
        let mut life = Life {
            core,
            settings,
            random,
            start,
            now: Duration::ZERO,
            deeds: BinaryHeap::new(),
            last_deed: 0,
            workers: HashMap::new(),
            asked: BTreeMap::new(),
            last_request: 0,
            calm_after: Duration::from_millis(2000),
            stopped: 0,
            stopping: false,
            seen: BTreeSet::new(),
            story: Vec::new(),
        };
        for _ in 0..5 + life.random.below(40) {
            let at = life.within(2000);
            life.plan(at, Deed::Submit);
        }
        for _ in 0..life.random.below(4) {
            let (at, deed) = (
                life.within(2000),
                [Deed::Cancel, Deed::Abandon][life.random.below(2) as usize],
            );
            life.plan(at, deed);
        }
        if life.random.below(4) == 0 {
            let at = life.within(2000);
            life.plan(at, Deed::EveryoneCrashes);
        }
        if life.random.below(6) == 0 {
            let at = life.within(1500);
            life.plan(at, Deed::Starve(true));
            life.plan(at + Duration::from_millis(300), Deed::Starve(false));
        }
        if life.random.below(4) == 0 {
            let at = life.within(2500);
            life.plan(at, Deed::Stop);
        }
        life
    }

    fn within(&mut self, ms: u64) -> Duration {
        self.now + Duration::from_micros(self.random.below(ms * 1000))
    }

    fn plan(&mut self, at: Duration, deed: Deed) {
        self.last_deed += 1;
        self.deeds.push(Reverse((at, self.last_deed, deed)));
    }

    /// Attempts that may run at a time. Each may come back into the queue, full or not.
    fn attempts_max(&self) -> usize {
        (self.settings.workers_max + self.settings.spare) as usize * 4
    }

    fn calm(&self) -> bool {
        self.now >= self.calm_after
    }

    fn live(&mut self) {
        self.feed(Event::TimePassed);
        for _ in 0..20_000 {
            let wakeup = self
                .core
                .next_wakeup()
                .map(|at| at.saturating_duration_since(self.start));
            let deed = self.deeds.peek().map(|Reverse((at, ..))| *at);
            let (Some(next), is_deed) = (match (wakeup, deed) {
                (Some(wakeup), Some(deed)) => (Some(wakeup.min(deed)), deed <= wakeup),
                (wakeup, None) => (wakeup, false),
                (None, deed) => (deed, true),
            }) else {
                break;
            };
            if next > Duration::from_secs(300) {
                break;
            }
            self.now = self.now.max(next);
            if is_deed {
                let Reverse((_, _, deed)) = self.deeds.pop().expect("it was just seen");
                self.story.push(format!("{:?} {deed:?}", self.now));
                self.happens(deed);
            } else {
                self.feed(Event::TimePassed);
            }
            self.check();
            let answered = self
                .asked
                .values()
                .all(|asked| asked.answers == 1 || asked.abandoned);
            if self.calm()
                && answered
                && self.deeds.is_empty()
                && (!self.stopping || self.stopped == 1)
            {
                break;
            }
        }
        for (id, asked) in &self.asked {
            assert!(
                asked.answers == 1 || asked.abandoned,
                "request {id} was never answered: {asked:?}"
            );
        }
        assert_eq!(self.stopped, u32::from(self.stopping), "a stop ends, once");
    }

    fn happens(&mut self, deed: Deed) {
        match deed {
            Deed::Submit => self.submit(),
            Deed::Cancel | Deed::Abandon => self.take_back(deed),
            Deed::Starve(starved) => self.feed(Event::Starved(starved)),
            Deed::Stop => {
                self.stopping = true;
                let deadline = self.start + self.within(500);
                self.feed(Event::Stop { deadline });
            }
            Deed::EveryoneCrashes => {
                let alive: Vec<WorkerId> = self
                    .workers
                    .iter()
                    .filter(|(_, worker)| worker.alive)
                    .map(|(id, _)| *id)
                    .collect();
                alive
                    .into_iter()
                    .for_each(|worker| self.dies(worker, Cause::Crashed(11)));
            }
            Deed::ReportDeath(worker) => self.report_death(worker),
            Deed::Hello(worker) if self.is_alive(worker) => {
                let concurrency = 1 + self.random.below(4) as u32;
                self.feed(Event::WorkerReady {
                    worker,
                    concurrency,
                });
            }
            Deed::Crash(worker) if self.is_alive(worker) => {
                let cause = [
                    Cause::Exited(1),
                    Cause::Crashed(11),
                    Cause::OutOfMemory,
                    Cause::ClosedItsPipe,
                ];
                let cause = cause[self.random.below(4) as usize];
                self.dies(worker, cause);
            }
            Deed::StrangerKills(worker) if self.is_alive(worker) => {
                self.dies(worker, Cause::KilledByStranger(9))
            }
            Deed::Begin(worker, attempt) if self.has(worker, attempt) => {
                self.begin(worker, attempt)
            }
            Deed::AskEffect(worker, attempt) if self.has(worker, attempt) => {
                self.feed(Event::EffectRequested { worker, attempt });
            }
            Deed::Progress(worker, attempt) if self.has(worker, attempt) => {
                self.feed(Event::Progressed { worker, attempt });
            }
            Deed::Answer(worker, attempt) if self.has(worker, attempt) => {
                self.worker(worker).running.remove(&attempt);
                self.feed(Event::Answered { worker, attempt });
                if self.random.below(20) == 0 {
                    self.feed(Event::Answered { worker, attempt });
                }
            }
            Deed::AnswerWrongly(worker, attempt) if self.is_alive(worker) => {
                let wrong = AttemptId(attempt.0 + self.random.below(3) + 1);
                // The answer to an attempt of its own would be an answer.
                if !self.worker(worker).running.contains_key(&wrong) {
                    self.feed(Event::Answered {
                        worker,
                        attempt: wrong,
                    });
                }
            }
            // What a dead worker was going to do.
            _ => {}
        }
    }

    fn submit(&mut self) {
        self.last_request += 1;
        let request = RequestId(self.last_request);
        let replay =
            [Replay::Always, Replay::UntilEffect, Replay::Never][self.random.below(3) as usize];
        let deadly = self.random.below(25) == 0;
        let asked = Asked {
            replay,
            deadly,
            begun: 0,
            effects: 0,
            answers: 0,
            abandoned: false,
        };
        self.asked.insert(request, asked);
        let submission = Submission {
            request,
            session: SessionId(self.random.below(4)),
            replay,
            deadline: self.start + self.within(4000) + Duration::from_millis(5),
            attempt_timeout: None,
            size: self.random.below(20) as usize,
            payload: request,
        };
        self.feed(Event::Submit(submission));
        let view = self.core.view();
        assert!(
            view.queued <= self.settings.queue_max + self.attempts_max(),
            "the queue is bounded"
        );
    }

    fn take_back(&mut self, deed: Deed) {
        let open: Vec<RequestId> = self
            .asked
            .iter()
            .filter(|(_, asked)| asked.answers == 0 && !asked.abandoned)
            .map(|(id, _)| *id)
            .collect();
        if open.is_empty() {
            return;
        }
        let request = open[self.random.below(open.len() as u64) as usize];
        if deed == Deed::Cancel {
            self.feed(Event::Cancel(request));
        } else {
            self.asked.get_mut(&request).expect("it is open").abandoned = true;
            self.feed(Event::Abandon(request));
        }
    }

    fn worker(&mut self, id: WorkerId) -> &mut Worker {
        self.workers.get_mut(&id).expect("it was started")
    }

    fn is_alive(&self, id: WorkerId) -> bool {
        self.workers.get(&id).is_some_and(|worker| worker.alive)
    }

    fn has(&self, id: WorkerId, attempt: AttemptId) -> bool {
        self.is_alive(id) && self.workers[&id].running.contains_key(&attempt)
    }

    fn dies(&mut self, id: WorkerId, cause: Cause) {
        let worker = self.worker(id);
        if !worker.alive {
            return;
        }
        worker.alive = false;
        worker.cause = Some(cause);
        let at = self.now + Duration::from_micros(self.random.below(3000));
        self.plan(at, Deed::ReportDeath(id));
    }

    fn report_death(&mut self, id: WorkerId) {
        let worker = self.worker(id);
        let cause = worker.cause.expect("the dead died of something");
        let running = std::mem::take(&mut worker.running);
        // What was not begun may or may not have reached the pipe; only what did not is said to be unsent.
        let begun = worker.begun.clone();
        let mut unsent: Vec<AttemptId> = running
            .keys()
            .copied()
            .filter(|attempt| !begun.contains(attempt))
            .collect();
        unsent.retain(|_| self.random.below(2) == 0);
        if !unsent.is_empty() {
            self.seen.insert("unsent");
        }
        self.feed(Event::WorkerExited {
            worker: id,
            cause,
            unsent,
        });
    }

    fn begin(&mut self, id: WorkerId, attempt: AttemptId) {
        let request = self.worker(id).running[&attempt];
        self.worker(id).begun.insert(attempt);
        let asked = self.asked.get_mut(&request).expect("it was asked");
        asked.begun += 1;
        assert!(
            asked.replay != Replay::Never || asked.begun == 1,
            "request {request} must never run twice, and began twice"
        );
        let (replay, deadly) = (asked.replay, asked.deadly);
        let others = self
            .workers
            .iter()
            .filter(|(other, worker)| **other != id && worker.alive);
        let elsewhere = others.flat_map(|(_, worker)| &worker.begun).any(|other| {
            *other != attempt
                && self
                    .workers
                    .values()
                    .any(|worker| worker.alive && worker.running.get(other) == Some(&request))
        });
        assert!(!elsewhere, "request {request} runs in two living workers");
        if deadly {
            return self.dies(id, Cause::Crashed(11));
        }
        let chaos = !self.calm();
        let at = self.within(60);
        match self.random.below(if chaos { 40 } else { 4 }) {
            36 => self.plan(at, Deed::Crash(id)),
            37 => self.plan(at, Deed::StrangerKills(id)),
            // It hangs: nothing more is planned.
            38 => {}
            39 => self.plan(at, Deed::AnswerWrongly(id, attempt)),
            35 => self.plan(at, Deed::Progress(id, attempt)),
            _ if replay == Replay::UntilEffect => self.plan(at, Deed::AskEffect(id, attempt)),
            _ => self.plan(at, Deed::Answer(id, attempt)),
        }
    }

    fn feed(&mut self, event: Event<RequestId>) {
        let mut effects = Vec::new();
        self.core.handle(self.start + self.now, event, &mut effects);
        for effect in effects {
            self.story.push(format!("{:?}   -> {effect:?}", self.now));
            self.act(effect);
        }
    }

    fn act(&mut self, effect: Effect<RequestId>) {
        match effect {
            Effect::StartWorker(worker) => {
                self.workers.insert(
                    worker,
                    Worker {
                        alive: true,
                        ..Worker::default()
                    },
                );
                let at = self.within(30);
                match self.random.below(if self.calm() { 4 } else { 20 }) {
                    17 => self.plan(at, Deed::Crash(worker)),
                    18 => self.plan(at, Deed::StrangerKills(worker)),
                    // It never says hello.
                    19 => {}
                    _ => self.plan(at, Deed::Hello(worker)),
                }
            }
            Effect::Send {
                worker,
                request,
                attempt,
                ..
            } => {
                assert!(
                    !self.worker(worker).draining,
                    "a worker that was asked to end gets nothing new"
                );
                self.worker(worker).running.insert(attempt, request);
                let at = self.now + Duration::from_micros(self.random.below(200));
                self.plan(at, Deed::Begin(worker, attempt));
            }
            Effect::Kill { worker, reason } => {
                self.seen.insert(match reason {
                    KillReason::Deadline => "killed at its deadline",
                    KillReason::StartTimeout => "killed at its start time",
                    KillReason::IgnoredDrain => "killed for ignoring the drain",
                    KillReason::Stopping => "killed at the end of a stop",
                    _ => "killed for another reason",
                });
                self.dies(worker, Cause::KilledByStranger(9));
            }
            Effect::Drain(worker) => {
                self.seen.insert("drain");
                self.worker(worker).draining = true;
                assert!(
                    self.worker(worker).running.is_empty() || self.stopping,
                    "only an idle worker is drained"
                );
                if self.random.below(8) > 0 {
                    self.dies(worker, Cause::Exited(0));
                }
            }
            Effect::AnswerEffect {
                worker,
                attempt,
                granted,
            } => self.effect_answered(worker, attempt, granted),
            Effect::Deliver {
                request, payload, ..
            } => {
                assert_eq!(request, payload);
                self.answered(request);
            }
            Effect::Fail {
                request,
                payload,
                failure,
            } => {
                assert_eq!(request, payload);
                self.failed(request, failure);
            }
            Effect::Replayed { .. } => drop(self.seen.insert("replayed")),
            Effect::Incident { .. } => drop(self.seen.insert("incident")),
            Effect::DegradedChanged(true) => drop(self.seen.insert("degraded")),
            Effect::DegradedChanged(false) => drop(self.seen.insert("no longer degraded")),
            Effect::CancelAttempt { worker, attempt } => {
                if self.random.below(2) == 0 && self.has(worker, attempt) {
                    let at = self.within(20);
                    self.plan(at, Deed::Answer(worker, attempt));
                }
            }
            Effect::Stopped => self.stopped += 1,
        }
    }

    fn effect_answered(&mut self, worker: WorkerId, attempt: AttemptId, granted: bool) {
        if !self.has(worker, attempt) {
            return;
        }
        let request = self.worker(worker).running[&attempt];
        let at = self.within(10);
        if !granted {
            self.seen.insert("effect refused");
            return self.plan(at, Deed::Answer(worker, attempt));
        }
        let asked = self.asked.get_mut(&request).expect("it was asked");
        assert!(
            asked.answers == 0,
            "an effect was granted for request {request}, which has its answer"
        );
        asked.effects += 1;
        assert!(
            asked.replay == Replay::Always || asked.effects == 1,
            "request {request} had its effect twice"
        );
        self.worker(worker).granted.insert(attempt);
        match self.random.below(if self.calm() { 1 } else { 8 }) {
            7 => self.plan(at, Deed::Crash(worker)),
            _ => self.plan(at, Deed::Answer(worker, attempt)),
        }
    }

    fn answered(&mut self, request: RequestId) {
        let asked = self.asked.get_mut(&request).expect("it was asked");
        asked.answers += 1;
        assert_eq!(asked.answers, 1, "request {request} was answered twice");
        assert!(!asked.abandoned, "request {request} was abandoned");
        assert!(
            asked.begun > 0,
            "request {request} was answered and never begun"
        );
    }

    fn failed(&mut self, request: RequestId, failure: Failure) {
        let asked = self.asked.get_mut(&request).expect("it was asked");
        asked.answers += 1;
        assert_eq!(asked.answers, 1, "request {request} was answered twice");
        assert!(!asked.abandoned, "request {request} was abandoned");
        if failure.outcome == Outcome::NotExecuted {
            let happened = if asked.replay == Replay::UntilEffect {
                asked.effects
            } else {
                asked.begun
            };
            assert_eq!(
                happened, 0,
                "request {request} was said not to be executed: {failure:?} {asked:?}"
            );
        }
        if failure.code == ErrorCode::WorkerLost {
            assert_ne!(
                asked.replay,
                Replay::Always,
                "an idempotent request is replayed, not lost"
            );
        }
        self.seen.insert(failure.code.name());
        if failure.code == ErrorCode::DeadlineExceeded && failure.attempts == 0 {
            self.seen.insert("deadline exceeded while waiting");
        }
    }

    fn check(&mut self) {
        let view = self.core.view();
        assert!(
            view.queued_bytes <= self.settings.queue_bytes_max + 20 * self.attempts_max(),
            "bytes are bounded"
        );
        let slots = (self.settings.workers_max + self.settings.spare) as usize;
        assert!(
            view.workers.len() <= slots,
            "no more workers than there are slots"
        );
        for worker in &view.workers {
            assert!(
                worker.running <= worker.concurrency as usize,
                "no worker has more than it declared"
            );
            if worker.state == WorkerState::Suspect {
                self.seen.insert("a suspect runs alone");
                assert_eq!(worker.running, 1, "a suspect runs alone");
            }
        }
        // A worker that serves already and has room, and an ordinary request that waits, never stay together.
        let ordinary = view.queued > 0 && !view.suspects_queued;
        let serving = view
            .workers
            .iter()
            .filter(|worker| worker.state == WorkerState::Busy)
            .count();
        let idle_one = view.workers.iter().any(|worker| {
            worker.has_room && (worker.running > 0 || serving < self.settings.workers_max as usize)
        });
        assert!(
            !(ordinary && idle_one),
            "a worker has room and a request waits: {view:?}"
        );
    }
}

#[expect(clippy::print_stderr, reason = "a broken life tells its story")]
fn live(seed: u64, start: Instant) -> BTreeSet<&'static str> {
    let mut life = Life::new(seed, start);
    let lived = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| life.live()));
    if let Err(panic) = lived {
        let story = life.story.len().saturating_sub(40);
        eprintln!(
            "life {seed} broke a rule; its last steps:\n{}",
            life.story[story..].join("\n")
        );
        eprintln!("live it again with STANDIN_SIM_SEED={seed}");
        std::panic::resume_unwind(panic);
    }
    life.seen
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn the_rules_hold_in_ten_thousand_lives_with_deaths_at_any_step() {
    let start = beginning();
    if let Some(seed) = variable("STANDIN_SIM_SEED") {
        live(seed, start);
        return;
    }
    let mut seen = BTreeSet::new();
    for seed in 0..variable("STANDIN_SIM_LIVES").unwrap_or(10_000) {
        seen.extend(live(seed, start));
    }
    // Rules that were never tried have proved nothing.
    let rare = [
        "replayed",
        "incident",
        "degraded",
        "no longer degraded",
        "unsent",
        "drain",
        "effect refused",
        "a suspect runs alone",
        "worker_lost",
        "poisoned",
        "overloaded",
        "pool_unavailable",
        "cancelled",
        "shutting_down",
        "deadline_exceeded",
        "deadline exceeded while waiting",
        "killed at its deadline",
        "killed at its start time",
        "killed for ignoring the drain",
        "killed at the end of a stop",
    ];
    for branch in rare {
        assert!(seen.contains(branch), "no life came to this: {branch}");
    }
}
