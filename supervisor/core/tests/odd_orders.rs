//! Events in orders that no world would bring: news of workers that were never started, answers before hellos, deaths
//! twice over, attempts that are somebody else's. The pool stands it, and answers every request once.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use proptest::prelude::*;
use standin_core::{
    AttemptId, Cause, Fingerprint, KillReason, RequestId, SessionId, SlotId, UserId, WorkerId,
    pool::{Effect, EndRule, Event, PoolCore, PoolSettings, Submission},
};
use standin_protocol::Replay;

#[expect(
    clippy::disallowed_methods,
    reason = "only differences to this moment matter"
)]
fn beginning() -> Instant {
    Instant::now()
}

fn settings() -> impl Strategy<Value = PoolSettings> {
    let counts = (0..3u32, 1..3u32, 0..2u32, 1..4u32);
    let times = (0..50u64, 0..50u64, 0..50u64, 0..50u64);
    let bounds = (1..8usize, 1..3u64, any::<bool>());
    (counts, times, bounds).prop_map(|(counts, times, (queue_max, requests, recycled))| {
        let ms = Duration::from_millis;
        PoolSettings {
            workers_min: counts.0,
            workers_max: counts.1,
            spare: counts.2,
            concurrency_max: counts.3,
            idle: ms(times.0),
            start_timeout: ms(times.1),
            call_timeout: ms(times.2),
            stop_timeout: ms(times.3),
            queue_max,
            queue_wait: ms(40),
            queue_bytes_max: 50,
            recycle_requests: recycled.then_some(requests),
            recycle_age: recycled.then_some(ms(30)),
            recycle_rss: Some(100),
            unused_max: None,
        }
    })
}

/// Request 0 of a submission is replaced by the next free name.
fn event() -> impl Strategy<Value = Event<()>> {
    let worker = (0..5u32, 0..6u32).prop_map(|(slot, generation)| WorkerId {
        slot: SlotId(slot),
        generation,
    });
    let attempt = (0..25u64).prop_map(AttemptId);
    let request = (0..25u64).prop_map(RequestId);
    let cause = prop_oneof![
        Just(Cause::NotStarted),
        Just(Cause::KilledByUs(KillReason::Deadline)),
        Just(Cause::KilledByUs(KillReason::Fault)),
        Just(Cause::Exited(0)),
        Just(Cause::Crashed(11)),
        Just(Cause::ExitedOrKilled(1)),
        Just(Cause::KilledByStranger(9)),
    ];
    prop_oneof![
        6 => submission(),
        1 => request.clone().prop_map(Event::Cancel),
        1 => request.prop_map(Event::Abandon),
        1 => Just(()).prop_map(|()| Event::StartRequested),
        6 => (worker.clone(), 0..5u32)
            .prop_map(|(worker, concurrency)| Event::WorkerReady { worker, concurrency }),
        6 => (worker.clone(), attempt.clone())
            .prop_map(|(worker, attempt)| Event::Answered { worker, attempt }),
        4 => (worker.clone(), attempt.clone(), any::<bool>()).prop_map(
            |(worker, attempt, is_on_record)| Event::EffectRequested { worker, attempt, is_on_record }),
        2 => (worker.clone(), attempt.clone())
            .prop_map(|(worker, attempt)| Event::EffectRecorded { worker, attempt }),
        1 => (worker.clone(), attempt.clone())
            .prop_map(|(worker, attempt)| Event::GrantRefused { worker, attempt, why: EndRule::NotRecorded }),
        2 => (worker.clone(), attempt.clone())
            .prop_map(|(worker, attempt)| Event::Progressed { worker, attempt }),
        2 => (worker.clone(), attempt.clone())
            .prop_map(|(worker, attempt)| Event::ClientAsked { worker, attempt }),
        2 => (worker.clone(), attempt.clone())
            .prop_map(|(worker, attempt)| Event::ClientAnswered { worker, attempt }),
        1 => worker.clone().prop_map(Event::ProtocolViolated),
        6 => (worker.clone(), cause, prop::collection::vec(attempt, 0..3))
            .prop_map(|(worker, cause, unsent)| Event::WorkerExited { worker, cause, unsent }),
        1 => (worker, 0..200u64).prop_map(|(worker, rss)| Event::MemoryMeasured { worker, rss }),
        1 => any::<bool>().prop_map(Event::Starved),
        4 => Just(()).prop_map(|()| Event::TimePassed),
    ]
}

fn submission() -> impl Strategy<Value = Event<()>> {
    let replay = prop_oneof![
        Just(Replay::Always),
        Just(Replay::UntilEffect),
        Just(Replay::Never),
    ];
    (replay, 0..100usize, 0..3u64, any::<bool>()).prop_map(|(replay, size, session, timed)| {
        Event::Submit(Submission {
            request: RequestId(0),
            session: SessionId(session),
            user: UserId(session as u32 / 2),
            replay,
            // Replaced as well: a moment is known only when it comes.
            deadline: beginning(),
            attempt_timeout: timed.then_some(Duration::ZERO),
            size,
            payload: (),
        })
    })
}

/// A pool, and how often each request was answered.
struct Life {
    core: PoolCore<()>,
    now: Instant,
    open: BTreeMap<RequestId, bool>,
    alive: Vec<WorkerId>,
    stopped: bool,
}

impl Life {
    fn feed(&mut self, event: Event<()>) {
        let mut effects = Vec::new();
        self.core.handle(self.now, event, &mut effects);
        for effect in effects {
            match effect {
                Effect::Deliver { request, .. } | Effect::Fail { request, .. } => {
                    let waited = self.open.insert(request, false);
                    assert_eq!(waited, Some(true), "{request} is answered once");
                }
                Effect::Send { request, .. } => {
                    assert!(
                        self.core.payload(request).is_some(),
                        "what is sent is known"
                    );
                }
                Effect::StartWorker(worker) => self.alive.push(worker),
                Effect::Stopped => {
                    assert!(!self.stopped, "a stop ends once");
                    self.stopped = true;
                }
                _ => {}
            }
        }
    }

    fn happens(&mut self, event: Event<()>, within: u64) {
        match event {
            Event::Submit(mut submission) => {
                submission.request = RequestId(self.open.len() as u64);
                submission.deadline = self.now + Duration::from_millis(within);
                self.open.insert(submission.request, true);
                self.feed(Event::Submit(submission));
            }
            Event::Abandon(request) => {
                // An answered or unknown one is nobody's.
                if let Some(open) = self.open.get_mut(&request) {
                    *open = false;
                }
                self.feed(Event::Abandon(request));
            }
            event => {
                if let Event::WorkerExited { worker, .. } = event {
                    self.alive.retain(|alive| *alive != worker);
                }
                self.feed(event);
            }
        }
    }
}

proptest! {
    #[test]
    fn whatever_comes_in_whatever_order_the_pool_stands_it_and_answers_once(
        settings in settings(),
        events in prop::collection::vec((event(), 0..20u64, 0..200u64), 0..150),
    ) {
        let now = beginning();
        let mut life = Life {
            core: PoolCore::new(settings, |_| Fingerprint(0), 1, now),
            now,
            open: BTreeMap::new(),
            alive: Vec::new(),
            stopped: false,
        };
        for (event, pause, within) in events {
            life.now += Duration::from_millis(pause);
            life.happens(event, within);
        }
        // And it ends when it is told to, with everybody answered.
        let deadline = life.now;
        life.feed(Event::Stop { deadline });
        for worker in std::mem::take(&mut life.alive) {
            let (cause, unsent) = (Cause::KilledByStranger(9), Vec::new());
            life.feed(Event::WorkerExited { worker, cause, unsent });
        }
        prop_assert!(life.stopped);
        prop_assert!(life.open.values().all(|open| !open), "{:?}", life.open);
    }
}
