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

#[test]
fn a_job_is_begun_when_the_store_has_leased_it_and_settled_once() {
    let mut jobs = Fixture::new(2);
    let effects = jobs.queue(1, user("anna"), Due::AtOnce);
    assert_eq!(leased(&effects), [1]);
    let run = Effect::Run {
        job: JobId(1),
        attempt: 1,
    };
    assert_eq!(jobs.lease(1), [run]);
    let answered = Event::Answered {
        job: JobId(1),
        attempt: 1,
        answer: Answer::Done,
    };
    let settle = Effect::Settle {
        job: JobId(1),
        attempt: 1,
        next: Next::Done,
        outcome: Outcome::Executed,
    };
    assert_eq!(jobs.feed(answered.clone()), [settle]);
    assert_eq!(jobs.feed(answered.clone()), [], "a second answer");
    assert_eq!(jobs.feed(Event::Settled { job: JobId(1) }), []);
    assert_eq!(jobs.feed(answered), []);
    assert_eq!(jobs.core.running(), 0);
}

#[test]
fn an_answer_of_an_earlier_attempt_settles_nothing() {
    let mut jobs = Fixture::new(2);
    jobs.queue(1, user("anna"), Due::AtOnce);
    jobs.feed(Event::Leased {
        job: JobId(1),
        lease: Lease {
            attempt: 2,
            ..LEASE
        },
    });
    let late = jobs.feed(Event::Answered {
        job: JobId(1),
        attempt: 1,
        answer: Answer::Done,
    });
    assert_eq!(late, []);
    assert_eq!(jobs.core.running(), 1);
}

#[test]
fn a_pool_has_no_more_jobs_at_a_time_than_it_is_set_to() {
    let mut jobs = Fixture::new(2);
    for job in 1..=5 {
        jobs.queue(job, user("anna"), Due::AtOnce);
    }
    assert_eq!(jobs.core.running(), 2);
    jobs.lease(1);
    assert_eq!(leased(&jobs.done(1)), [3]);
}

#[test]
fn users_and_methods_take_turns() {
    let mut jobs = Fixture::new(1);
    let mut order = leased(&jobs.queue(1, user("anna"), Due::AtOnce));
    for job in 2..=4 {
        jobs.queue(job, user("anna"), Due::AtOnce);
    }
    jobs.queue(10, user("bert"), Due::AtOnce);
    let report = LaneName {
        method: Bytes::from_static(b"http.request"),
        ..user("anna")
    };
    jobs.queue(20, report, Due::AtOnce);
    while let Some(job) = order.last().copied()
        && order.len() < 6
    {
        jobs.lease(job);
        order.extend(leased(&jobs.done(job)));
    }
    let place = |job| order.iter().position(|other| *other == job);
    assert!(place(10) < place(3) && place(20) < place(3), "{order:?}");
    assert!(place(2) < place(3) && place(3) < place(4), "{order:?}");
}

#[test]
fn a_job_for_later_waits_until_then_and_is_looked_after() {
    let mut jobs = Fixture::new(1);
    let at = Due::At(jobs.now.wall + SECOND * 45);
    assert_eq!(leased(&jobs.queue(1, user("anna"), at)), NONE);
    let looks = jobs.core.next_wakeup().expect("it looks again");
    assert_eq!(looks, jobs.now.steady + LOOK_AGAIN, "clocks jump");
    assert_eq!(leased(&jobs.pass(LOOK_AGAIN)), NONE);
    let looks = jobs.core.next_wakeup().expect("it looks again");
    assert_eq!(looks, jobs.now.steady + SECOND * 15);
    assert_eq!(leased(&jobs.pass(SECOND * 15)), [1]);
    assert_eq!(jobs.core.next_wakeup(), None);
}

#[test]
fn a_job_for_at_once_does_not_ask_what_time_it_is() {
    let mut jobs = Fixture::new(1);
    jobs.now.wall = WallTime(0);
    assert_eq!(leased(&jobs.queue(1, user("anna"), Due::AtOnce)), [1]);
}

#[test]
fn a_clock_that_jumps_ahead_or_back_runs_nothing_twice() {
    let mut jobs = Fixture::new(4);
    let at = Due::At(jobs.now.wall + HOUR);
    jobs.queue(1, user("anna"), at);
    jobs.now.wall = jobs.now.wall + HOUR * 2;
    assert_eq!(leased(&jobs.feed(Event::TimePassed)), [1]);
    jobs.lease(1);
    jobs.now.wall = WallTime(jobs.now.wall.0 - 3 * 3_600_000);
    assert_eq!(leased(&jobs.feed(Event::TimePassed)), NONE);
    assert_eq!(leased(&jobs.done(1)), NONE);
    assert_eq!(leased(&jobs.pass(HOUR * 9)), NONE);
}

#[test]
fn a_clock_that_is_set_back_makes_no_job_wait_for_years() {
    let mut jobs = Fixture::new(1);
    let retry = Due::Retry(jobs.now.wall + HOUR);
    jobs.queue(1, user("anna"), retry);
    jobs.now.wall = WallTime(0);
    jobs.now.steady += SECOND;
    let set_back = Duration::from_millis(1_700_000_001_000);
    assert_eq!(
        jobs.feed(Event::TimePassed),
        [Effect::BoundRetries { set_back }]
    );
    assert_eq!(jobs.feed(Event::TimePassed), [], "it was told once");
    let effects = jobs.feed(Event::RetriesBounded);
    let Some(Effect::Load { lane, .. }) = effects.first() else {
        panic!("{effects:?}");
    };
    let loaded = Event::Loaded {
        lane: lane.clone(),
        jobs: vec![(WallTime(7_200_000), JobId(1))],
        complete: true,
    };
    jobs.feed(loaded);
    assert_eq!(leased(&jobs.pass(HOUR * 2)), [1]);
}

#[test]
fn of_thousands_that_wait_only_the_next_ones_are_held() {
    let mut jobs = Fixture::new(2);
    for job in 1..=10_000 {
        jobs.queue(job, user("anna"), Due::AtOnce);
    }
    assert!(jobs.core.held() <= WINDOW_MAX);
    // As they are worked off, the rest is read.
    let mut load = None;
    for job in 1..=(WINDOW_MAX as i64) {
        jobs.lease(job);
        for effect in jobs.done(job) {
            if let Effect::Load { lane, limit } = effect {
                load = Some((lane, limit, job));
            }
        }
        if load.is_some() {
            break;
        }
    }
    let (lane, limit, job) = load.expect("more is read in time");
    let found = (job + 3..=10_000).map(|job| (WallTime(0), JobId(job)));
    let loaded = Event::Loaded {
        lane,
        jobs: found.take(limit).collect(),
        complete: false,
    };
    jobs.feed(loaded);
    assert!(jobs.core.held() > 16 && jobs.core.held() <= WINDOW_MAX);
}

#[test]
fn what_is_queued_while_the_store_is_read_is_not_overlooked() {
    let mut jobs = Fixture::new(1);
    let effects = jobs.feed(Event::LanesFound(vec![user("anna")]));
    assert!(matches!(effects[..], [Effect::Load { .. }]));
    jobs.queue(7, user("anna"), Due::AtOnce);
    let effects = jobs.feed(Event::Loaded {
        lane: user("anna"),
        jobs: vec![],
        complete: true,
    });
    assert_eq!(leased(&effects), [7]);
}

#[test]
fn what_the_store_does_not_lease_is_forgotten_and_the_next_one_tried() {
    let mut jobs = Fixture::new(1);
    jobs.queue(1, user("anna"), Due::AtOnce);
    jobs.queue(2, user("anna"), Due::AtOnce);
    let effects = jobs.feed(Event::NotLeased {
        job: JobId(1),
        gone: true,
    });
    assert_eq!(leased(&effects), [2]);
}

#[test]
fn a_store_without_room_loses_no_job_and_is_asked_again() {
    let mut jobs = Fixture::new(1);
    jobs.queue(1, user("anna"), Due::AtOnce);
    let effects = jobs.feed(Event::NotLeased {
        job: JobId(1),
        gone: false,
    });
    assert_eq!(effects, [], "it pauses");
    let effects = jobs.pass(SECOND);
    assert!(matches!(effects[..], [Effect::Load { .. }]), "{effects:?}");
    let effects = jobs.feed(Event::Loaded {
        lane: user("anna"),
        jobs: vec![(WallTime(0), JobId(1))],
        complete: true,
    });
    assert_eq!(leased(&effects), [1]);
    jobs.lease(1);
    jobs.feed(Event::Answered {
        job: JobId(1),
        attempt: 1,
        answer: Answer::Done,
    });
    assert_eq!(jobs.feed(Event::NotSettled { job: JobId(1) }), []);
    let effects = jobs.pass(SECOND);
    assert!(matches!(
        effects[..],
        [Effect::Settle {
            next: Next::Done,
            ..
        }]
    ));
}

#[test]
fn a_job_taken_back_while_it_runs_is_told_and_one_taken_back_before_is_not_begun() {
    let mut jobs = Fixture::new(2);
    jobs.queue(1, user("anna"), Due::AtOnce);
    jobs.queue(2, user("anna"), Due::AtOnce);
    jobs.lease(1);
    let effects = jobs.feed(Event::CancelRequested(JobId(1)));
    assert_eq!(effects, [Effect::CancelAttempt(JobId(1))]);
    assert_eq!(jobs.feed(Event::CancelRequested(JobId(2))), []);
    let settle = Effect::Settle {
        job: JobId(2),
        attempt: 1,
        next: Next::Cancelled,
        outcome: Outcome::NotExecuted,
    };
    assert_eq!(jobs.lease(2), [settle]);
}

#[test]
fn a_service_that_stops_begins_nothing_more() {
    let mut jobs = Fixture::new(1);
    jobs.queue(1, user("anna"), Due::AtOnce);
    jobs.feed(Event::Stop);
    let effects = jobs.lease(1);
    assert!(
        matches!(
            effects[..],
            [Effect::Settle {
                next: Next::Again { failures: 0, .. },
                ..
            }]
        ),
        "{effects:?}"
    );
    assert_eq!(jobs.feed(Event::Settled { job: JobId(1) }), []);
    assert_eq!(jobs.queue(2, user("anna"), Due::AtOnce), []);
}

#[test]
fn a_job_of_a_method_that_nobody_offers_yet_holds_up_no_other() {
    let mut jobs = Fixture::new(1);
    let unknown = LaneName {
        method: Bytes::from_static(b"reports.make"),
        ..user("anna")
    };
    assert_eq!(leased(&jobs.queue(1, unknown.clone(), Due::AtOnce)), [1]);
    assert_eq!(leased(&jobs.queue(2, unknown, Due::AtOnce)), NONE);
    assert_eq!(leased(&jobs.queue(3, user("anna"), Due::AtOnce)), [3]);
}

#[test]
fn a_pause_that_could_not_be_written_yet_is_as_long_as_it_was_though_the_clock_is_set_back() {
    let mut jobs = Fixture::new(1);
    jobs.queue(1, user("anna"), Due::AtOnce);
    jobs.lease(1);
    let job = JobId(1);
    let pause = |effects: Vec<Effect>, now: Now| match effects.last() {
        Some(Effect::Settle {
            next:
                Next::Again {
                    due: Due::Retry(at),
                    ..
                },
            ..
        }) => at.saturating_since(now.wall),
        _ => panic!("{effects:?}"),
    };
    let effects = jobs.feed(Event::Answered {
        job,
        attempt: 1,
        answer: temporary(),
    });
    let meant = pause(effects, jobs.now);
    jobs.feed(Event::NotSettled { job });
    jobs.now.wall = jobs.now.wall.earlier(HOUR);
    let effects = jobs.pass(SECOND);
    assert!(effects.contains(&Effect::BoundRetries { set_back: HOUR }));
    assert_eq!(pause(effects, jobs.now), meant - SECOND);
}

/// As a mail server that says "later" is answered for.
fn temporary() -> Answer {
    let error = ErrorAnswer::new(ErrorCode::StartFailed, "");
    Answer::failed(
        &error.with_outcome(Outcome::NotExecuted),
        Replay::UntilEffect,
    )
}

#[test]
fn a_job_taken_back_while_its_next_try_is_being_written_down_has_none() {
    let mut jobs = Fixture::new(1);
    jobs.queue(1, user("anna"), Due::AtOnce);
    jobs.lease(1);
    let (job, attempt, answer) = (JobId(1), 1, temporary());
    let effects = jobs.feed(Event::Answered {
        job,
        attempt,
        answer,
    });
    assert!(matches!(
        effects[..],
        [Effect::Settle {
            next: Next::Again { .. },
            ..
        }]
    ));
    // The store has noted it while the job ran, and so it has cancelled the job instead.
    assert_eq!(jobs.feed(Event::CancelRequested(job)), []);
    assert_eq!(jobs.feed(Event::Settled { job }), []);
    assert_eq!(jobs.core.held(), 0);
    assert_eq!(leased(&jobs.pass(HOUR * 3)), NONE);
}

#[test]
fn who_always_has_one_job_has_every_second_turn_beside_somebody_who_has_a_hundred() {
    let mut jobs = Fixture::new(1);
    for job in 1..=100 {
        jobs.queue(job, user("anna"), Due::AtOnce);
    }
    let mut bert = 1000;
    jobs.queue(bert, user("bert"), Due::AtOnce);
    let (mut running, mut order) = (1, Vec::new());
    for _ in 0..20 {
        order.push(running);
        jobs.lease(running);
        if running == bert {
            bert += 1;
            jobs.queue(bert, user("bert"), Due::AtOnce);
        }
        running = leased(&jobs.done(running))[0];
    }
    // Who has just come is behind who has waited.
    let turns: Vec<_> = order[1..].iter().map(|job| *job <= 100).collect();
    assert!(turns.windows(2).all(|two| two[0] != two[1]), "{order:?}");
}

#[test]
fn news_of_an_earlier_lease_end_no_later_one_and_begin_nothing_twice() {
    let mut jobs = Fixture::new(1);
    jobs.queue(1, user("anna"), Due::AtOnce);
    assert_eq!(jobs.lease(1).len(), 1);
    assert_eq!(jobs.lease(1), [], "it is begun once");
    for gone in [true, false] {
        let late = Event::NotLeased {
            job: JobId(1),
            gone,
        };
        assert_eq!(jobs.feed(late), []);
    }
    assert_eq!(jobs.core.running(), 1);
    let effects = jobs.feed(Event::Answered {
        job: JobId(1),
        attempt: 1,
        answer: Answer::Done,
    });
    assert_eq!(effects.len(), 1, "its answer is kept");
}

/// Somebody has stopped the pool.
fn stopped() -> Answer {
    let error = ErrorAnswer::new(ErrorCode::PoolUnavailable, "");
    Answer::failed(
        &error.with_outcome(Outcome::NotExecuted),
        Replay::UntilEffect,
    )
}

#[test]
fn jobs_wait_for_a_pool_that_is_stopped_and_one_looks_now_and_then_whether_it_is_back() {
    let mut jobs = Fixture::new(2);
    for job in 1..=50 {
        jobs.queue(job, user("anna"), Due::AtOnce);
    }
    let answered = |job, answer| Event::Answered {
        job: JobId(job),
        attempt: 1,
        answer,
    };
    jobs.lease(1);
    jobs.lease(2);
    for job in [1, 2] {
        jobs.feed(answered(job, stopped()));
        jobs.feed(Event::Settled { job: JobId(job) });
    }
    let mut pauses = Vec::new();
    for _ in 0..8 {
        assert_eq!(jobs.core.running(), 0, "it is away");
        let looks = jobs.core.next_wakeup().expect("it looks again");
        let pause = looks - jobs.now.steady;
        pauses.push(pause.as_secs());
        let look = leased(&jobs.pass(pause));
        assert_eq!(look.len(), 1, "one looks, not two");
        jobs.lease(look[0]);
        assert_eq!(leased(&jobs.feed(answered(look[0], stopped()))), NONE);
        jobs.feed(Event::Settled {
            job: JobId(look[0]),
        });
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30]);
    // Another user's jobs ask for themselves: the pool may be each user's own.
    let other = leased(&jobs.queue(100, user("bert"), Due::AtOnce));
    assert_eq!(other, [100]);
    jobs.lease(100);
    jobs.done(100);
    let look = leased(&jobs.pass(SECOND * 30));
    jobs.lease(look[0]);
    let effects = jobs.feed(answered(look[0], Answer::Done));
    assert_eq!(leased(&effects).len(), 1, "it is back");
    let effects = jobs.feed(Event::Settled {
        job: JobId(look[0]),
    });
    assert_eq!(leased(&effects).len(), 1, "with all its room");
}

#[test]
fn a_job_by_which_a_pool_is_looked_at_and_that_is_taken_back_leaves_the_look_to_the_next() {
    let mut jobs = Fixture::new(1);
    jobs.queue(1, user("anna"), Due::AtOnce);
    jobs.queue(2, user("anna"), Due::AtOnce);
    jobs.lease(1);
    let (job, attempt, answer) = (JobId(1), 1, stopped());
    jobs.feed(Event::Answered {
        job,
        attempt,
        answer,
    });
    jobs.feed(Event::Settled { job });
    let look = leased(&jobs.pass(SECOND))[0];
    let gone = Event::NotLeased {
        job: JobId(look),
        gone: true,
    };
    assert_eq!(leased(&jobs.feed(gone)).len(), 1);
}
