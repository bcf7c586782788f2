//! Lost connections, killed services, and services that are not there.

use serde_json::json;
use standin_surface::exports::{
    build::standin_set_timeout,
    run::{standin_send, standin_start, standin_wait},
};

use super::{program, service, surface::*};

#[test]
fn a_killed_service_costs_a_program_nothing_but_time() {
    let mut under_test = service();
    let client = open(&under_test);
    for round in 0..3 {
        let calls: Vec<i64> = (0..20)
            .map(|id| {
                let arguments = json!({ "id": round * 100 + id, "nonce": id, "work_ms": 20 });
                new_call(client, "chaos.always", &arguments)
            })
            .collect();
        for call in &calls {
            assert_eq!(standin_start(*call), OK);
        }
        under_test.service.kill().expect("it runs");
        under_test.service.wait().expect("it ends");
        under_test.start_again(program());
        for (id, call) in calls.into_iter().enumerate() {
            assert_eq!(standin_wait(call, LIMIT_MS), OK, "{}", message(call));
            assert_eq!(json(call, ""), json!(id));
            close(call);
        }
    }
    close(client);
}

#[test]
fn a_program_that_does_without_resume_is_told_that_the_connection_is_lost() {
    let mut under_test = service();
    let client = open_with_resume(&under_test, 0);
    let call = new_call(client, "sdk.wait", &json!({}));
    assert_eq!(standin_start(call), OK);
    under_test.service.kill().expect("it runs");
    under_test.service.wait().expect("it ends");
    assert_eq!(standin_wait(call, LIMIT_MS), FAILED);
    assert_eq!(code(call), "connection_lost");
    assert_eq!(outcome(call), "unknown");
    let next = new_call(client, "sdk.echo", &json!({ "text": "a" }));
    assert_eq!(standin_send(next, LIMIT_MS), FAILED);
    assert_eq!(outcome(next), "not_executed");
    close(client);
    under_test.start_again(program());
    close(open(&under_test));
}

#[test]
fn an_outage_is_waited_for_as_long_as_was_said() {
    let mut under_test = service();
    let client = open_with_resume(&under_test, 200);
    let timed = new_call(client, "sdk.wait", &json!({}));
    assert_eq!(standin_set_timeout(timed, 300), OK);
    let untimed = new_call(client, "sdk.wait", &json!({}));
    assert_eq!(standin_start(timed), OK);
    assert_eq!(standin_start(untimed), OK);
    under_test.service.kill().expect("it runs");
    under_test.service.wait().expect("it ends");
    assert_eq!(standin_wait(untimed, LIMIT_MS), FAILED);
    assert_eq!(code(untimed), "connection_lost");
    let why = message(untimed);
    assert!(
        why.contains("could not be made again within 200ms"),
        "{why}"
    );
    assert_eq!(standin_wait(timed, LIMIT_MS), FAILED);
    assert_eq!(code(timed), "deadline_exceeded");
    close(client);
}

#[test]
fn a_service_that_is_not_there_is_not_running_and_one_that_says_nothing_is_busy() {
    let folder = tempfile::tempdir().expect("there is room");
    let endpoint = standin_client::Endpoint::private(folder.path(), "s").to_string();
    let (number, client) = try_open(&endpoint, 50);
    assert_eq!((number, &*code(client)), (NOT_RUNNING, "not_running"));
    let why = message(client);
    assert!(
        why.contains("No Standin service answers") && why.ends_with('.'),
        "{why}"
    );
    close(client);
    #[cfg(unix)]
    {
        let _listener = std::os::unix::net::UnixListener::bind(&endpoint).expect("it is free");
        let (number, client) = try_open(&endpoint, 50);
        assert_eq!((number, &*code(client)), (BUSY, "silent"));
        close(client);
    }
    let _ = BUSY;
    let (number, client) = try_open(&"x".repeat(5000), 50);
    assert_eq!((number, &*code(client)), (-2, "bad_argument"));
    close(client);
}

#[cfg(unix)]
#[test]
fn a_service_that_this_user_may_not_open_denies_him_at_once_and_lets_him_in_when_he_may() {
    use std::os::unix::fs::PermissionsExt;
    let under_test = service();
    let mode = |path: &std::path::Path, mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, permissions).expect("it is ours");
    };
    let endpoint = under_test.endpoint();
    mode(endpoint.as_path().parent().expect("a folder"), 0o755);
    mode(endpoint.as_path(), 0);
    let endpoint = &endpoint.to_string();
    as_anybody(|| {
        let (number, client) = try_open(endpoint, LIMIT_MS);
        assert_eq!((number, &*code(client)), (DENIED, "denied"));
        assert_eq!(outcome(client), "not_executed");
        let why = message(client);
        assert!(why.contains(endpoint) && why.ends_with('.'), "{why}");
        close(client);
    });
    mode(under_test.endpoint().as_path(), 0o666);
    as_anybody(|| {
        let client = open(&under_test);
        let call = new_call(client, "sdk.echo", &json!({ "text": "a" }));
        assert_eq!(standin_send(call, LIMIT_MS), OK, "{}", message(call));
        close(client);
    });
}

/// Runs it as somebody to whom nothing is given: root is somebody else for it, and others are themselves.
#[cfg(unix)]
fn as_anybody(act: impl FnOnce() + Send) {
    match rustix::process::geteuid().is_root() {
        true => chaos_tests::other_user::as_nobody(act),
        false => act(),
    }
}

#[test]
fn a_service_that_is_not_up_yet_is_waited_for() {
    let mut under_test = service();
    under_test.service.kill().expect("it runs");
    under_test.service.wait().expect("it ends");
    let endpoint = under_test.endpoint().to_string();
    std::thread::scope(|scope| {
        let opening = scope.spawn(|| try_open(&endpoint, LIMIT_MS));
        under_test.start_again(program());
        let (code, client) = opening.join().expect("it waited");
        assert_eq!(code, OK, "{}", message(client));
        close(client);
    });
}
