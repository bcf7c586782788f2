//! Runs of the service that left something behind.

use super::*;
use crate::{recovery::Interruption, store::Interrupted};

#[test]
fn a_run_that_was_not_confirmed_gone_is_named_to_each_one_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let begin =
        |instance| Store::open(folder.path(), |_| "this-boot".to_owned(), instance).unwrap();
    let first = begin("first");
    assert!(first.left().is_empty());
    assert_eq!(first.earlier_runs(), 0);
    assert_eq!(first.interrupted(), None);
    let token = SessionToken::random();
    assert_eq!(written(&first.handle(), session_opened(token)), Ok(()));
    first.close();
    // The second dies as well before it has confirmed anything.
    begin("second").close();
    let third = begin("third");
    assert_eq!(third.left(), ["first", "second"]);
    assert_eq!(third.earlier_runs(), 2);
    let (how, sessions) = (Interruption::Killed, 1);
    assert_eq!(third.interrupted(), Some(Interrupted { how, sessions }));
    for gone in ["first", "second"] {
        third.handle().post(Write::InstanceGone(gone.to_owned()));
    }
    // It has done its work.
    third.handle().post(Write::InstanceGone("third".to_owned()));
    third.close();
    let fourth = begin("fourth");
    assert!(fourth.left().is_empty());
    assert_eq!(fourth.interrupted(), None);
}

#[test]
fn no_run_is_left_over_from_before_a_reboot() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let token = SessionToken::random();
    assert_eq!(written(&store.handle(), session_opened(token)), Ok(()));
    store.close();
    let store = open_after(folder.path(), "next-boot").unwrap();
    assert!(store.left().is_empty());
    let (how, sessions) = (Interruption::Reboot, 0);
    assert_eq!(store.interrupted(), Some(Interrupted { how, sessions }));
}

#[test]
fn the_name_of_the_machines_run_is_made_in_view_of_the_last_one() {
    let folder = tempfile::tempdir().unwrap();
    open_after(folder.path(), "since-1000").unwrap().close();
    let boot = |last: Option<&str>| {
        assert_eq!(last, Some("since-1000"));
        "since-1000".to_owned()
    };
    let store = Store::open(folder.path(), boot, "another").unwrap();
    assert_eq!(store.left().len(), 1);
}
