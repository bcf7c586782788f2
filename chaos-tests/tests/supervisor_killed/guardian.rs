//! The guardian, which ends what a killed service leaves behind. There is none on Windows: the job objects of the workers
//! end with the service, and `main.rs` holds that on both.
#![cfg(unix)]

use chaos_tests::{
    platform,
    under_test::{UnderTest, eventually},
};

use crate::{LIMIT, is_killed_and_leaves_nothing, leave_things_behind, start};

/// The process that outlives the service for a moment.
fn guardian(under_test: &UnderTest) -> Option<u32> {
    let is_guardian = |pid: &u32| {
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        name.trim() == "standin-guard"
    };
    under_test.children().into_iter().find(is_guardian)
}

#[test]
fn a_killed_guardian_is_replaced_and_the_service_may_be_killed_all_the_same() {
    let (under_test, client) = start();
    eventually(LIMIT, "there is a guardian", || {
        guardian(&under_test).is_some()
    });
    let first = guardian(&under_test).expect("there is one");
    platform::kill(first);
    eventually(LIMIT, "there is another guardian", || {
        guardian(&under_test).is_some_and(|second| second != first)
    });
    assert!(platform::is_gone(first));
    leave_things_behind(&client);
    is_killed_and_leaves_nothing(under_test);
}
