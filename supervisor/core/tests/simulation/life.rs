//! One life, from one moment to the next.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque},
    time::{Duration, Instant},
};

use standin_core::{
    Fingerprint, Random, RequestId, SessionId, UserId, WorkerId,
    pool::{EndRule, Event, PoolCore, PoolSettings, Submission},
};
use standin_protocol::{ErrorCode, Replay};

use crate::{
    blame::Crash,
    checker::Ended,
    coverage::Seen,
    nemesis::{self, Deed},
    world::{Asked, Doom, Worker},
};

/// After this moment nobody does harm any more.
const CALM_AFTER: Duration = Duration::from_millis(2000);

/// How long a pool may take after that until it is of use again. The longest pause of a degraded pool is a minute.
const RECOVERY_MAX: Duration = Duration::from_secs(180);

/// A life of a thousand steps is a long one.
const STEPS_MAX: u32 = 15_000;

/// Steps of the story that are told.
const STORY_STEPS: usize = 60;

pub(crate) struct Life {
    pub(crate) core: PoolCore<RequestId>,
    pub(crate) settings: PoolSettings,
    pub(crate) random: Random,
    pub(crate) start: Instant,
    /// Since the start.
    pub(crate) now: Duration,
    /// The timer comes this much too late.
    pub(crate) lateness: Duration,
    deeds: BinaryHeap<Reverse<(Duration, u64, Deed)>>,
    last_deed: u64,
    pub(crate) workers: BTreeMap<WorkerId, Worker>,
    pub(crate) asked: BTreeMap<RequestId, Asked>,
    last_request: u64,
    pub(crate) last_attempt: u64,
    pub(crate) stale_answers: u64,
    /// What was asked by those that were poisoned.
    pub(crate) deadly: BTreeSet<Fingerprint>,
    /// Reported crashes of the last moment.
    pub(crate) crashes: VecDeque<Crash>,
    pub(crate) stopped: u32,
    pub(crate) stopping: bool,
    pub(crate) paused: bool,
    /// Workers that were there when a reload was asked for.
    pub(crate) old: BTreeSet<WorkerId>,
    /// There may be more workers for a while.
    pub(crate) was_reloaded: bool,
    /// None of the old ones takes anything more.
    pub(crate) is_reloaded: bool,
    /// On a starved machine lateness proves nothing.
    pub(crate) was_starved: bool,
    steps: u32,
    pub(crate) seen: Seen,
    /// What happened last. `None`: nobody listens.
    story: Option<VecDeque<String>>,
}

/// What a request asks: each time three ask the same.
pub(crate) fn asks(request: &RequestId) -> Fingerprint {
    Fingerprint((request.0 / 3).into())
}

impl Life {
    pub(crate) fn new(seed: u64, start: Instant) -> Life {
        let mut random = Random::new(seed);
        let settings = nemesis::draw_settings(&mut random);
        let lateness = nemesis::draw_lateness(&mut random);
        let mut life = Life {
            core: PoolCore::new(settings.clone(), asks, seed, start),
            settings,
            random,
            start,
            now: Duration::ZERO,
            lateness,
            deeds: BinaryHeap::new(),
            last_deed: 0,
            workers: BTreeMap::new(),
            asked: BTreeMap::new(),
            last_request: 0,
            last_attempt: 0,
            stale_answers: 0,
            deadly: BTreeSet::new(),
            crashes: VecDeque::new(),
            stopped: 0,
            stopping: false,
            paused: false,
            old: BTreeSet::new(),
            was_reloaded: false,
            is_reloaded: false,
            was_starved: false,
            steps: 0,
            seen: Seen::default(),
            story: None,
        };
        life.draw_deeds();
        life
    }

    /// The same, with its story told.
    pub(crate) fn with_story(self) -> Life {
        Life {
            story: Some(VecDeque::new()),
            ..self
        }
    }

    pub(crate) fn story(&self) -> String {
        let steps: Vec<&str> = self.story.iter().flatten().map(String::as_str).collect();
        steps.join("\n")
    }

    pub(crate) fn live(&mut self) {
        self.feed(Event::TimePassed);
        while !self.is_over() && self.step(Duration::from_secs(300)) {}
        self.check_end();
        if !self.stopping {
            self.be_of_use_again();
        }
    }

    fn is_over(&self) -> bool {
        self.is_calm()
            && self.deeds.is_empty()
            && self.asked.values().all(Asked::is_settled)
            && (!self.stopping || self.stopped == 1)
    }

    /// Goes to the next moment in which something happens; false: nothing does until then.
    fn step(&mut self, until: Duration) -> bool {
        let wakeup = self.core.next_wakeup();
        let wakeup = wakeup.map(|at| at.saturating_duration_since(self.start) + self.lateness);
        let deed = self.deeds.peek().map(|Reverse((at, ..))| *at);
        let (next, is_deed) = match (wakeup, deed) {
            (Some(wakeup), Some(deed)) => (wakeup.min(deed), deed <= wakeup),
            (Some(wakeup), None) => (wakeup, false),
            (None, Some(deed)) => (deed, true),
            (None, None) => return false,
        };
        if next > until {
            return false;
        }
        self.steps += 1;
        assert!(self.steps < STEPS_MAX, "this life does not come to rest");
        self.now = self.now.max(next);
        if is_deed {
            let Reverse((_, _, deed)) = self.deeds.pop().expect("it was just seen");
            self.tell(|| format!("{deed:?}"));
            self.happens(deed);
        } else {
            self.feed(Event::TimePassed);
            let next = self.core.next_wakeup();
            assert!(
                next.is_none_or(|next| next > self.instant()),
                "a look at the time is followed by another at once"
            );
        }
        self.check();
        true
    }

    /// Nobody does harm any more: a request that comes now is served, soon, and the pool gets back to its size.
    fn be_of_use_again(&mut self) {
        while self.step(CALM_AFTER) {}
        self.now = self.now.max(CALM_AFTER);
        let until = self.now + RECOVERY_MAX;
        let was_degraded = self.core.view().degraded;
        loop {
            let request = self.submit(Doom::None, Replay::Always, RECOVERY_MAX, Some(RECOVERY_MAX));
            while !self.asked[&request].is_settled() && self.step(until) {}
            match &self.asked[&request].end {
                Some(Ended::Delivered) => break,
                Some(Ended::Failed(failure))
                    if matches!(
                        failure.code,
                        ErrorCode::PoolUnavailable | ErrorCode::Overloaded
                    ) || failure.rule == EndRule::KnownDeadly =>
                {
                    let pause = failure.retry_after.expect("when to come back");
                    assert!(!pause.is_zero(), "coming back at once is a loop");
                    let back_at = self.now + pause;
                    assert!(back_at < until, "the pool is of no use for ever");
                    while self.step(back_at) {}
                    self.now = back_at;
                }
                other => panic!("the pool is of no use when all is calm: {other:?}"),
            }
        }
        self.seen.insert("the pool was of use at the end");
        if was_degraded {
            self.seen
                .insert("the pool was of use at the end though it had been degraded");
        }
        let size = (self.settings.workers_min + self.settings.spare) as usize;
        while self.workers_at_hand() < size {
            assert!(self.step(until), "the pool does not get back to its size");
        }
    }

    pub(crate) fn submit(
        &mut self,
        doom: Doom,
        replay: Replay,
        within: Duration,
        attempt_timeout: Option<Duration>,
    ) -> RequestId {
        self.last_request += 1;
        let request = RequestId(self.last_request);
        let deadline = self.now + within;
        let session = SessionId(self.random.below(4));
        let asked = Asked::new(session, replay, doom, deadline);
        self.asked.insert(request, asked);
        let submission = Submission {
            request,
            session,
            user: UserId(session.0 as u32 / 2),
            replay,
            deadline: self.start + deadline,
            attempt_timeout,
            size: self.random.below(20) as usize,
            payload: request,
        };
        self.feed(Event::Submit(submission));
        request
    }

    pub(crate) fn feed(&mut self, event: Event<RequestId>) {
        let mut effects = Vec::new();
        self.core.handle(self.instant(), event, &mut effects);
        for effect in effects {
            self.tell(|| format!("  -> {effect:?}"));
            self.act(effect);
        }
    }

    pub(crate) fn plan(&mut self, at: Duration, deed: Deed) {
        self.last_deed += 1;
        self.deeds.push(Reverse((at, self.last_deed, deed)));
    }

    pub(crate) fn within(&mut self, ms: u64) -> Duration {
        self.now + Duration::from_micros(self.random.below(ms * 1000))
    }

    pub(crate) fn one_in(&mut self, count: u64) -> bool {
        self.random.below(count) == 0
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.now >= CALM_AFTER
    }

    pub(crate) fn instant(&self) -> Instant {
        self.start + self.now
    }

    fn tell(&mut self, what: impl FnOnce() -> String) {
        let Some(story) = &mut self.story else { return };
        if story.len() == STORY_STEPS {
            story.pop_front();
        }
        story.push_back(format!("{:?} {}", self.now, what()));
    }
}
