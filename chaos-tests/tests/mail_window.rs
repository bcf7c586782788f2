//! Mails while their workers are killed.

use std::path::Path;

use chaos_tests::mail_window::{MailWindowOptions, measure};

#[test]
fn no_mail_is_sent_twice_or_lost_whenever_its_worker_is_killed() {
    let options = MailWindowOptions {
        kills: 30,
        step_ms: 3,
        seed: 1,
    };
    let window = measure(Path::new(env!("CARGO_BIN_EXE_chaos-tests")), &options);
    assert_eq!((window.wrong, window.doubled), (0, 0), "{window:?}");
    assert!(window.unknown < window.kills, "{window:?}");
}
