//! What is drawn: settings, requests, and who does what to whom.

use std::time::Duration;

use standin_core::{
    AttemptId, Cause, Random, RequestId, WorkerId,
    pool::{Event, PoolSettings, WorkerState},
};
use standin_protocol::Replay;

use crate::{life::Life, world::Doom};

/// What a worker, or somebody else, does at a moment that was drawn before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deed {
    Hello(WorkerId),
    Begin(WorkerId, AttemptId),
    AskEffect(WorkerId, AttemptId),
    /// It asks for the effect of an attempt that may be another worker's, or nobody's.
    AskWrongEffect(WorkerId, AttemptId),
    /// The store has its grant, or has no room for it.
    EffectRecorded(WorkerId, AttemptId, bool),
    Answer(WorkerId, AttemptId),
    AnswerWrongly(WorkerId, AttemptId),
    Progress(WorkerId, AttemptId),
    BreakProtocol(WorkerId),
    Crash(WorkerId),
    StrangerKills(WorkerId),
    EveryoneCrashes,
    ReportDeath(WorkerId),
    ReportDeathAgain(WorkerId),
    Submit,
    Cancel,
    Abandon,
    StartRequested,
    Reload,
    Pause,
    Measure,
    Starve(bool),
    Stop,
}

pub(crate) fn draw_settings(random: &mut Random) -> PoolSettings {
    let workers_max = 1 + random.below(4) as u32;
    let ms = |random: &mut Random, most: u64| Duration::from_millis(1 + random.below(most));
    PoolSettings {
        workers_min: random.below(u64::from(workers_max) + 1) as u32,
        workers_max,
        spare: random.below(3) as u32,
        idle: ms(random, 3000),
        start_timeout: ms(random, 400),
        call_timeout: ms(random, 400),
        stop_timeout: ms(random, 100),
        queue_max: 1 + random.below(40) as usize,
        queue_wait: ms(random, 1500),
        queue_bytes_max: 100,
        recycle_requests: (random.below(4) == 0).then_some(3),
        recycle_age: (random.below(4) == 0).then_some(Duration::from_millis(500)),
        recycle_rss: Some(1000),
        unused_max: None,
        concurrency_max: 1 + random.below(4) as u32,
    }
}

/// Half of the lives have a timer that is on time.
pub(crate) fn draw_lateness(random: &mut Random) -> Duration {
    let late = random.below(2) == 0;
    let most = if late { 20_000 } else { 1 };
    Duration::from_micros(random.below(most))
}

impl Life {
    pub(crate) fn draw_deeds(&mut self) {
        for _ in 0..5 + self.random.below(40) {
            self.plan_within(2000, Deed::Submit);
        }
        for _ in 0..self.random.below(4) {
            let deed = [Deed::Cancel, Deed::Abandon][self.random.below(2) as usize];
            self.plan_within(2000, deed);
        }
        for _ in 0..self.random.below(3) {
            self.plan_within(2000, Deed::Measure);
        }
        if self.one_in(4) {
            self.plan_within(2000, Deed::EveryoneCrashes);
        }
        if self.one_in(4) {
            self.plan_within(2500, Deed::StartRequested);
        }
        for _ in 0..self.random.below(5).saturating_sub(2) {
            self.plan_within(2000, Deed::Reload);
        }
        if self.one_in(6) {
            let at = self.within(1500);
            self.plan(at, Deed::Pause);
            let again = at + Duration::from_micros(self.random.below(400_000));
            self.plan(again, Deed::StartRequested);
        }
        if self.one_in(6) {
            let at = self.within(1500);
            self.plan(at, Deed::Starve(true));
            self.plan(at + Duration::from_millis(300), Deed::Starve(false));
        }
        if self.one_in(4) {
            self.plan_within(2500, Deed::Stop);
        }
    }

    fn plan_within(&mut self, ms: u64, deed: Deed) {
        let at = self.within(ms);
        self.plan(at, deed);
    }

    /// What a dead worker was going to do does not happen.
    pub(crate) fn happens(&mut self, deed: Deed) {
        match deed {
            Deed::Submit => self.draw_request(),
            Deed::Cancel | Deed::Abandon => self.take_back(deed),
            Deed::StartRequested => {
                self.seen.insert("a launch request");
                self.paused = false;
                self.feed(Event::StartRequested);
            }
            Deed::Reload => self.reload(),
            Deed::Pause => {
                self.paused = true;
                self.feed(Event::PauseRequested);
            }
            Deed::Measure => self.measure(),
            Deed::Starve(starved) => {
                self.was_starved = true;
                self.feed(Event::Starved(starved));
            }
            Deed::Stop => {
                self.stopping = true;
                let deadline = self.start + self.within(500);
                self.feed(Event::Stop { deadline });
            }
            Deed::EveryoneCrashes => {
                let workers: Vec<WorkerId> = self.workers.keys().copied().collect();
                for worker in workers {
                    self.dies(worker, Cause::Crashed(11));
                }
            }
            Deed::ReportDeath(worker) => self.report_death(worker),
            Deed::ReportDeathAgain(worker) => self.report_death_again(worker),
            Deed::Hello(worker) => self.hello(worker),
            Deed::Crash(worker) => self.crashes(worker),
            Deed::StrangerKills(worker) => self.dies(worker, Cause::KilledByStranger(9)),
            Deed::BreakProtocol(worker) => self.breaks_protocol(worker),
            Deed::Begin(worker, attempt) => self.begin(worker, attempt),
            Deed::AskEffect(worker, attempt) => self.ask_effect(worker, attempt),
            Deed::AskWrongEffect(worker, attempt) => self.ask_wrong_effect(worker, attempt),
            Deed::EffectRecorded(worker, attempt, ok) => self.effect_recorded(worker, attempt, ok),
            Deed::Progress(worker, attempt) => self.progress(worker, attempt),
            Deed::Answer(worker, attempt) => self.answer(worker, attempt),
            Deed::AnswerWrongly(worker, attempt) => self.answer_wrongly(worker, attempt),
        }
    }

    fn draw_request(&mut self) {
        let replay = [Replay::Always, Replay::UntilEffect, Replay::Never];
        let replay = replay[self.random.below(3) as usize];
        let doom = match self.random.below(50) {
            0 | 1 => Doom::Crashes,
            2 => Doom::KillsItself,
            _ => Doom::None,
        };
        let within = Duration::from_micros(self.random.below(4_000_000));
        let request = self.submit(doom, replay, within, None);
        self.check_admission(request);
    }

    fn take_back(&mut self, deed: Deed) {
        let open = self.asked.iter().filter(|(_, asked)| !asked.is_settled());
        let open: Vec<RequestId> = open.map(|(id, _)| *id).collect();
        if open.is_empty() {
            return;
        }
        let request = open[self.random.below(open.len() as u64) as usize];
        let asked = self.asked.get_mut(&request).expect("it is open");
        // The worker may take a moment to notice, and no more.
        if let Some(attempt) = asked.with {
            let until = self.now + self.settings.stop_timeout;
            let running = self.workers.values_mut();
            let mut running = running.filter_map(|worker| worker.running.get_mut(&attempt));
            let running = running.next().expect("a worker has it");
            running.until = running.until.min(until);
        }
        if deed == Deed::Cancel {
            asked.cancelled = true;
            self.feed(Event::Cancel(request));
        } else {
            asked.abandoned = true;
            self.feed(Event::Abandon(request));
        }
    }

    fn reload(&mut self) {
        let view = self.core.view();
        if !view.paused && !view.stopping {
            let there = view
                .workers
                .iter()
                .filter(|worker| worker.state == WorkerState::Starting || !worker.leaving);
            self.old = there.map(|worker| worker.worker).collect();
            self.was_reloaded = true;
            self.is_reloaded = false;
        }
        self.feed(Event::ReloadRequested);
    }

    fn measure(&mut self) {
        let workers: Vec<WorkerId> = self.workers.keys().copied().collect();
        for worker in workers {
            let rss = self.random.below(1500);
            if rss > 1000 && self.workers[&worker].ready {
                self.worker(worker).too_large = true;
                self.seen.insert("a worker too large");
            }
            self.feed(Event::MemoryMeasured { worker, rss });
        }
    }

    /// What comes of a worker that was just started.
    pub(crate) fn draw_start(&mut self, worker: WorkerId) {
        let most = self.settings.start_timeout.as_millis().clamp(1, 30) as u64;
        let at = self.within(if self.is_calm() { most } else { 30 });
        match self.random.below(if self.is_calm() { 4 } else { 20 }) {
            17 => self.plan(at, Deed::Crash(worker)),
            18 => self.plan(at, Deed::StrangerKills(worker)),
            // It never says hello.
            19 => {}
            _ => self.plan(at, Deed::Hello(worker)),
        }
    }

    /// What comes of an attempt that was just begun.
    pub(crate) fn draw_work(&mut self, worker: WorkerId, attempt: AttemptId, replay: Replay) {
        let at = self.within(60);
        match self.random.below(if self.is_calm() { 4 } else { 40 }) {
            33 => self.plan(at, Deed::AskWrongEffect(worker, attempt)),
            34 => self.plan(at, Deed::BreakProtocol(worker)),
            35 => self.plan(at, Deed::Progress(worker, attempt)),
            36 => self.plan(at, Deed::Crash(worker)),
            37 => self.plan(at, Deed::StrangerKills(worker)),
            // It hangs: nothing more is planned.
            38 => {}
            39 => self.plan(at, Deed::AnswerWrongly(worker, attempt)),
            _ if replay == Replay::UntilEffect => self.plan(at, Deed::AskEffect(worker, attempt)),
            _ => self.plan(at, Deed::Answer(worker, attempt)),
        }
    }

    pub(crate) fn crashes(&mut self, worker: WorkerId) {
        let cause = [
            Cause::Exited(1),
            Cause::ExitedOrKilled(1),
            Cause::Crashed(11),
            Cause::OutOfMemory,
            Cause::ClosedItsPipe,
        ];
        let cause = cause[self.random.below(cause.len() as u64) as usize];
        self.dies(worker, cause);
    }
}
