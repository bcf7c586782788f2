//! Times, and clocks that are wrong.

use super::*;

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
