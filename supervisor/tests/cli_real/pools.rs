//! `standin pools`: an administrator's orders, and what is said of them.

use crate::helpers::{Ran, Service};

fn is_told(ran: &Ran, line: &str) {
    assert_eq!((ran.code, &*ran.stdout), (Some(0), line), "{}", ran.stderr);
}

#[test]
fn a_pool_is_started_reloaded_and_stopped_and_each_is_told_in_a_sentence() {
    let service = Service::start(&[]);
    let order = |verb: &str| service.ask(&["pools", verb, "builtin"]);
    let state = || {
        let listed = service.ask(&["pools", "list"]).stdout;
        let line = listed.lines().find(|line| line.starts_with("builtin "));
        let mut words = line.expect("it is listed").split_whitespace();
        words.nth(1).map(str::to_owned).expect("a state")
    };
    is_told(&order("start"), "A process is ready.\n");
    is_told(
        &order("reload"),
        "A new process is ready. The others follow; the old ones end when their calls are done.\n",
    );
    is_told(
        &order("stop"),
        "Every process has ended. Calls are refused until the pool is started.\n",
    );
    assert_eq!(state(), "stopped");
    let status = service.ask(&["status"]).stdout;
    let hint = "  Somebody has stopped it; standin pools start builtin starts it.";
    assert!(status.lines().any(|line| line == hint), "{status}");
    let refused = order("reload");
    assert_eq!(refused.code, Some(1));
    let why = "error: \"builtin\" has been stopped. pool.start starts it again.\n";
    assert!(refused.stderr.starts_with(why), "{}", refused.stderr);
    is_told(&order("start"), "A process is ready.\n");
    assert_eq!(state(), "ready");
}
