//! What the store holds, does and cannot do.

use super::*;

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
