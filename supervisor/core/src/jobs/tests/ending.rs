//! How a job ends, and who takes it back.

use super::*;

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
