//! Which job is next, and how many run.

use super::*;

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
