//! Decisions about jobs, one by one.

mod clocks;
mod ending;
mod store;
mod turns;

use bytes::Bytes;
use standin_protocol::{ErrorAnswer, ErrorCode, Outcome, Replay};

use super::*;

/// A core and a store that does at once what it is told.
struct Fixture {
    core: JobsCore,
    now: Now,
    effects: Vec<Effect>,
}

fn user(name: &str) -> LaneName {
    LaneName {
        user: Arc::from(name),
        method: Bytes::from_static(b"mail.send"),
        kind: LaneKind::AtOnce,
    }
}

const LEASE: Lease = Lease {
    attempt: 1,
    failures: 0,
    interrupted: 0,
    retry: RetryPolicy {
        attempts_max: 25,
        backoff: Duration::from_secs(60),
        backoff_max: Duration::from_secs(7200),
    },
    cancel_requested: false,
    outcome: Outcome::NotExecuted,
    unrecorded: false,
};

impl Fixture {
    #[expect(
        clippy::disallowed_methods,
        reason = "only differences to this moment matter"
    )]
    fn new(jobs_at_a_time: usize) -> Fixture {
        let now = Now {
            steady: Instant::now(),
            wall: WallTime(1_700_000_000_000),
        };
        let pool: Arc<str> = Arc::from("builtin");
        let mut fixture = Fixture {
            core: JobsCore::new(1, now),
            now,
            effects: Vec::new(),
        };
        fixture.feed(Event::RoutesChanged(Routes {
            pools: BTreeMap::from([(Arc::clone(&pool), jobs_at_a_time)]),
            methods: [&b"mail.send"[..], b"http.request"]
                .into_iter()
                .map(|method| {
                    let route = MethodRoute {
                        pool: Arc::clone(&pool),
                        replay: Replay::UntilEffect,
                    };
                    (Bytes::from_static(method), route)
                })
                .collect(),
        }));
        fixture
    }

    fn feed(&mut self, event: Event) -> Vec<Effect> {
        self.core.handle(self.now, event, &mut self.effects);
        std::mem::take(&mut self.effects)
    }

    fn queue(&mut self, job: i64, lane: LaneName, due: Due) -> Vec<Effect> {
        let lane = lane.with_kind(due.kind());
        self.feed(Event::Queued {
            job: JobId(job),
            lane,
            due,
        })
    }

    fn pass(&mut self, time: Duration) -> Vec<Effect> {
        self.now.steady += time;
        self.now.wall = self.now.wall + time;
        self.feed(Event::TimePassed)
    }

    fn lease(&mut self, job: i64) -> Vec<Effect> {
        self.feed(Event::Leased {
            job: JobId(job),
            lease: LEASE,
        })
    }

    fn done(&mut self, job: i64) -> Vec<Effect> {
        self.feed(Event::Answered {
            job: JobId(job),
            attempt: 1,
            answer: Answer::Done,
        });
        self.feed(Event::Settled { job: JobId(job) })
    }
}

fn leased(effects: &[Effect]) -> Vec<i64> {
    let jobs = effects.iter().filter_map(|effect| match effect {
        Effect::Lease { job, .. } => Some(job.0),
        _ => None,
    });
    jobs.collect()
}

const NONE: [i64; 0] = [];
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// As a mail server that says "later" is answered for.
fn temporary() -> Answer {
    let error = ErrorAnswer::new(ErrorCode::StartFailed, "");
    Answer::failed(
        &error.with_outcome(Outcome::NotExecuted),
        Replay::UntilEffect,
    )
}
