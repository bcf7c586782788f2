use super::*;
use crate::{
    Cause,
    pool::{
        Event, PoolSettings,
        fixture::{Fixture, always, ms, one_worker, worker},
    },
};

/// One that ends after a minute without use.
fn of_a_user() -> PoolSettings {
    PoolSettings {
        unused_max: Some(ms(60_000)),
        ..one_worker()
    }
}

#[test]
fn a_pool_that_nobody_has_needed_for_long_enough_ends_with_its_workers() {
    let mut pool = Fixture::ready(of_a_user());
    pool.pass(ms(59_000));
    assert_eq!(pool.retired, 0);
    pool.pass(ms(1000));
    assert_eq!(pool.retired, 1);
    assert_eq!(pool.drains, [worker(0, 1)]);
    pool.dies(worker(0, 1), Cause::Exited(0));
    assert_eq!((pool.retired, pool.stopped), (1, 1));
}

#[test]
fn a_pool_is_needed_from_the_first_request_to_the_last_answer() {
    let mut pool = Fixture::ready(of_a_user());
    pool.pass(ms(59_000));
    pool.submit(always(1).attempts_of(ms(200_000)).within(ms(200_000)));
    pool.pass(ms(100_000));
    assert_eq!(pool.retired, 0, "it is at work");
    pool.answer(1);
    pool.pass(ms(59_999));
    assert_eq!(pool.retired, 0);
    pool.pass(ms(1));
    assert_eq!(pool.retired, 1);
}

#[test]
fn a_worker_that_is_still_at_what_nobody_wants_any_more_keeps_the_pool() {
    let mut pool = Fixture::ready(PoolSettings {
        unused_max: Some(ms(300)),
        ..one_worker()
    });
    pool.submit(always(1));
    pool.feed(Event::Abandon(crate::RequestId(1)));
    pool.pass(ms(400));
    assert_eq!(pool.retired, 0, "it has 500 ms to leave off");
}

#[test]
fn a_pool_that_was_not_used_lately_makes_room_and_another_does_not() {
    let mut pool = Fixture::ready(of_a_user());
    pool.submit(always(1));
    pool.answer(1);
    pool.pass(MAKES_ROOM_AFTER - ms(1));
    pool.feed(Event::RoomWanted);
    assert_eq!(pool.retired, 0);
    pool.pass(ms(1));
    pool.feed(Event::RoomWanted);
    assert_eq!(pool.retired, 1);
    pool.feed(Event::RoomWanted);
    assert_eq!(pool.retired, 1, "once");
}

#[test]
fn a_pool_of_everybody_never_ends_for_want_of_use() {
    let mut pool = Fixture::ready(one_worker());
    pool.pass(ms(100_000_000));
    assert_eq!(pool.retired, 0);
}
