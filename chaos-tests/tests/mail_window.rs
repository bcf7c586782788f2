//! Mails while their workers, or the whole service, are killed.

use std::path::Path;

use chaos_tests::mail_window::{MailWindow, MailWindowOptions, Victim, measure};

fn window(kill: Victim, kills: u64) -> MailWindow {
    let options = MailWindowOptions {
        kills,
        kill,
        step_ms: 3,
        seed: 1,
    };
    measure(Path::new(env!("CARGO_BIN_EXE_chaos-tests")), &options)
}

fn check(window: MailWindow) {
    let MailWindow {
        wrong,
        doubled,
        refused,
        ..
    } = window;
    assert_eq!((wrong, doubled, refused), (0, 0, 0), "{window:?}");
    assert!(window.unknown < window.hit, "{window:?}");
    assert_eq!(window.sent, window.mails - window.unknown, "{window:?}");
    assert!(window.sent > 0, "{window:?}");
}

#[test]
fn no_mail_is_sent_twice_or_lost_whenever_its_worker_is_killed() {
    check(window(Victim::Worker, 30));
}

#[test]
fn no_mail_is_sent_twice_or_lost_whenever_the_service_is_killed() {
    check(window(Victim::Service, 15));
}
