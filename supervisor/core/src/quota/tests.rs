use super::*;

const LIMITS: QuotaLimits = QuotaLimits {
    sessions_max: 2,
    requests_max: 3,
    bytes_max: 100,
};

fn account() -> Arc<Account> {
    Arc::new(Account::new(UserId(1), "1000", LIMITS))
}

fn exceeded(quota: Quota, limit: usize) -> Exceeded {
    Exceeded { quota, limit }
}

#[test]
fn a_call_beyond_the_limit_is_refused_until_one_has_ended() {
    let account = account();
    let mut calls: Vec<_> = (0..3)
        .map(|_| account.charge(1).expect("there is room"))
        .collect();
    assert_eq!(
        account.charge(1).err(),
        Some(exceeded(Quota::Requests, 3)),
        "the fourth"
    );
    assert_eq!(account.usage().requests, 3, "a refused call is not counted");
    calls.pop();
    assert!(account.charge(1).is_ok());
}

#[test]
fn bytes_of_calls_and_of_answers_are_limited_together() {
    let account = account();
    let mut kept = Kept::new(Arc::clone(&account));
    kept.set(60);
    let call = account.charge(40).expect("just enough");
    assert_eq!(account.charge(1).err(), Some(exceeded(Quota::Bytes, 100)));
    kept.set(59);
    assert!(account.charge(1).is_ok());
    drop(kept);
    drop(call);
    assert!(account.usage().is_nothing());
}

#[test]
fn a_large_call_that_comes_alone_is_taken() {
    let account = account();
    let call = account.charge(1000).expect("it is alone");
    assert_eq!(account.charge(1).err(), Some(exceeded(Quota::Bytes, 100)));
    drop(call);
}

#[test]
fn a_connection_too_many_has_a_place_to_be_told_so_and_twice_as_many_have_none() {
    let account = account();
    let places: Vec<_> = (0..4).map_while(|_| account.enter()).collect();
    let within: Vec<_> = places.iter().map(Place::is_within).collect();
    assert_eq!(within, [true, true, false, false]);
    assert!(account.enter().is_none());
    assert_eq!(
        account.usage().sessions,
        4,
        "nobody is counted who is not there"
    );
    drop(places);
    assert!(!account.has_too_many_sessions());
    assert!(account.enter().is_some_and(|place| place.is_within()));
}

#[test]
fn answers_that_can_be_had_again_take_half_of_the_bytes_at_most() {
    let account = account();
    let mut kept = Kept::new(Arc::clone(&account));
    assert!(kept.set(50));
    assert_eq!(account.bytes_to_drop(), 0);
    assert!(kept.set(70));
    assert_eq!(account.bytes_to_drop(), 20);
    assert!(!kept.set(50), "fewer than before");
    let _call = account.charge_regardless(30);
    assert_eq!(account.bytes_to_drop(), 30);
}

#[test]
fn what_was_taken_before_is_counted_and_never_refused() {
    let account = account();
    let first = account.charge(10).expect("there is room");
    let calls: Vec<_> = (0..5).map(|_| first.again()).collect();
    assert_eq!(account.usage().requests, 6);
    assert_eq!(account.usage().waiting_bytes, 60);
    drop((first, calls));
    assert!(account.usage().is_nothing());
}

#[test]
fn refusals_are_counted_one_by_one_and_told_now_and_then() {
    let account = account();
    #[expect(clippy::disallowed_methods, reason = "any moment will do for a test")]
    let start = Instant::now();
    assert!(account.refused(start));
    assert!(!account.refused(start + TOLD_EVERY / 2));
    assert!(account.refused(start + TOLD_EVERY));
    assert_eq!(account.usage().refused, 3);
}

#[test]
fn many_threads_never_have_more_than_the_limit_and_leave_nothing_behind() {
    let account = account();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..2000 {
                    let Ok(charge) = account.charge(1) else {
                        continue;
                    };
                    // Others may be counted for the moment in which they are refused.
                    assert!(account.usage().requests <= 3 + 4);
                    drop(charge);
                }
            });
        }
    });
    assert!(account.usage().is_nothing());
}
