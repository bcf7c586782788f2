//! Waiting: for one, for any, for too long; keys and times.

use serde_json::json;
use standin_surface::exports::{
    build::{standin_set_key, standin_set_timeout},
    clients::standin_close,
    run::{standin_cancel, standin_progress, standin_send, standin_start, standin_wait},
};

use super::{LIMIT, eventually, service, surface::*};

#[test]
fn closing_a_client_takes_all_that_belongs_to_it_along() {
    let under_test = service();
    let (client, other) = (open(&under_test), open(&under_test));
    let slow = new_call(client, "sdk.wait", &json!({}));
    let unsent = new_call(client, "sdk.wait", &json!({}));
    let others = new_call(other, "sdk.echo", &json!({ "text": "a" }));
    assert_eq!(standin_start(slow), OK);
    close(client);
    for handle in [client, slow, unsent] {
        assert_eq!(standin_close(handle), BAD_HANDLE);
    }
    assert_eq!(standin_send(others, LIMIT_MS), OK);
    close(other);
}

#[test]
fn a_call_whose_handle_is_closed_is_taken_back() {
    let under_test = service();
    let client = open(&under_test);
    let slow = new_call(client, "sdk.wait", &json!({}));
    assert_eq!(standin_start(slow), OK);
    eventually(LIMIT, "it runs", || {
        under_test.log().contains("attempt 1 waits")
    });
    close(slow);
    eventually(LIMIT, "its worker was told", || {
        under_test.log().contains("attempt 1 was cancelled")
    });
    let next = new_call(client, "sdk.echo", &json!({ "text": "a" }));
    assert_eq!(standin_send(next, LIMIT_MS), OK);
    close(client);
}

#[test]
fn a_call_ends_in_its_own_time() {
    let under_test = service();
    let client = open(&under_test);
    let slow = new_call(client, "sdk.wait", &json!({}));
    assert_eq!(standin_set_timeout(slow, 0), -2);
    assert_eq!(standin_set_timeout(slow, 100), OK);
    assert_eq!(standin_start(slow), OK);
    assert_eq!(standin_wait(slow, LIMIT_MS), FAILED);
    assert_eq!(code(slow), "deadline_exceeded");
    assert_eq!(outcome(slow), "unknown");
    // It has ended, so there is nothing to take back, and nothing wrong about it.
    assert_eq!(standin_cancel(slow), OK);
    close(client);
}

#[test]
fn under_one_key_a_method_runs_once() {
    let under_test = service();
    let client = open(&under_test);
    let keyed = |id: u64| {
        let call = new_call(client, "chaos.never", &json!({ "id": 7, "nonce": id }));
        let key = text("order-17");
        // SAFETY: the text ends with a NUL.
        assert_eq!(unsafe { standin_set_key(call, key.as_ptr()) }, OK);
        (standin_send(call, LIMIT_MS), call)
    };
    let (code_of_first, first) = keyed(1);
    let (code_of_second, second) = keyed(1);
    assert_eq!((code_of_first, code_of_second), (OK, OK));
    assert_eq!(json(first, ""), json(second, ""));
    let (code_of_third, third) = keyed(2);
    assert_eq!((code_of_third, &*code(third)), (FAILED, "key_conflict"));
    let long = text(&"k".repeat(129));
    let call = new_call(client, "chaos.never", &json!({}));
    // SAFETY: the text ends with a NUL.
    assert_eq!(unsafe { standin_set_key(call, long.as_ptr()) }, -2);
    close(client);
}

#[test]
fn progress_is_what_the_worker_told_last() {
    let under_test = service();
    let client = open(&under_test);
    let call = new_call(
        client,
        "sdk.progress",
        &json!({ "steps": 50, "pause_ms": 20 }),
    );
    let progress = || {
        // SAFETY: the buffer is as large as is said.
        filled(|buffer, capacity, needed| unsafe {
            standin_progress(call, buffer, capacity, needed)
        })
    };
    assert_eq!(standin_start(call), OK);
    let mut seen = Vec::new();
    loop {
        let code = standin_wait(call, 10);
        let told = progress();
        if code != PENDING {
            assert_eq!(code, OK, "{}", message(call));
            break;
        }
        if !told.is_empty() {
            let told: serde_json::Value = serde_json::from_str(&told).expect("it is JSON");
            assert_eq!(told["of"], 50);
            seen.push(told["step"].as_u64().expect("a number"));
        }
    }
    assert!(seen.is_sorted() && !seen.is_empty(), "{seen:?}");
    close(client);
}

#[test]
fn threads_may_use_any_handle() {
    let under_test = service();
    let client = open(&under_test);
    let slow = new_call(client, "sdk.wait", &json!({}));
    assert_eq!(standin_start(slow), OK);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| standin_wait(slow, LIMIT_MS));
        for thread in 0..8 {
            scope.spawn(move || {
                for round in 0..50 {
                    let word = format!("{thread}-{round}");
                    let call = new_call(client, "sdk.echo", &json!({ "text": word }));
                    assert_eq!(standin_send(call, LIMIT_MS), OK, "{}", message(call));
                    assert_eq!(json(call, ""), json!(word));
                    close(call);
                }
                if thread == 0 {
                    assert_eq!(standin_cancel(slow), OK);
                }
            });
        }
        assert_eq!(waiting.join().expect("it waited"), FAILED);
    });
    assert_eq!(code(slow), "cancelled");
    close(client);
}
