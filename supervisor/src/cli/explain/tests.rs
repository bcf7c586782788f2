use serde_json::{Value, json};

use super::*;

/// A request as the service tells it, with some of it changed.
fn told(changes: &Value) -> ToldRequest {
    let mut told = json!({
        "request": 17, "method": "mail.send", "replay": "until_effect", "pool": "builtin", "user": "1000",
        "session": 3, "msgid": 5, "came_at_ms": 1_772_323_200_007_u64, "came_ms_ago": 61_000, "state": "failed",
        "waited_us": 38, "attempts": [], "notes": [], "ended_us": 12_345,
        "code": "worker_lost", "outcome": "unknown", "rule": "not replayed: its effect had been granted",
    });
    for (name, value) in changes.as_object().expect("a map") {
        told[name] = value.clone();
    }
    serde_json::from_value(told).expect("it is one")
}

fn first_attempt() -> Value {
    json!({
        "number": 1, "slot": 0, "pid": 4711, "began_us": 38, "effect_granted_us": null, "ended_us": 2100,
        "end": "worker_died", "cause": "crashed with SIGSEGV (signal 11)",
        "rule": "replayed: it is `until_effect`, and its effect had not been granted",
    })
}

#[test]
fn the_story_of_a_call_says_who_died_of_what_and_which_rule_decided() {
    let told = told(&json!({
        "attempts": [first_attempt(), {
            "number": 2, "slot": 1, "pid": 4712, "began_us": 2150, "effect_granted_us": 9000, "ended_us": 12_300,
            "end": "worker_died", "cause": "killed from outside with SIGKILL (signal 9)",
            "rule": "not replayed: its effect had been granted",
        }],
        "notes": [{ "at_us": 10_000, "text": "the caller took it back" }],
    }));
    insta::assert_snapshot!(story(&told), @r"
    request 17: mail.send (until_effect), failed
      came 1 min 1 s ago, 2026-03-01T00:00:00.007Z, as message 5 of session 3, user 1000, to the pool builtin
      +0.03 ms  attempt 1: slot 0, pid 4711
      +2.10 ms  the worker died: crashed with SIGSEGV (signal 11)
      +2.10 ms  replayed: it is `until_effect`, and its effect had not been granted
      +2.15 ms  attempt 2: slot 1, pid 4712
      +9.00 ms  its effect was granted
      +10 ms    the caller took it back
      +12 ms    the worker died: killed from outside with SIGKILL (signal 9)
      +12 ms    not replayed: its effect had been granted
      +12 ms    answered worker_lost, outcome unknown
    ");
}

#[test]
fn what_still_waits_or_runs_says_so() {
    let waiting = told(&json!({
        "state": "waiting", "waited_us": 61_000_000, "ended_us": null, "code": null, "outcome": null, "rule": null,
        "call": 2,
    }));
    insta::assert_snapshot!(story(&waiting), @r"
    request 17: mail.send (until_effect), waiting
      came 1 min 1 s ago, 2026-03-01T00:00:00.007Z, as call 2 of message 5 of session 3, user 1000, to the pool builtin
      It has not ended.
    ");
}

#[test]
fn what_ended_without_a_death_says_why() {
    let refused = told(&json!({
        "code": "overloaded", "outcome": "not_executed", "rule": "refused: half of the queue was this session's already",
    }));
    insta::assert_snapshot!(story(&refused), @r"
    request 17: mail.send (until_effect), failed
      came 1 min 1 s ago, 2026-03-01T00:00:00.007Z, as message 5 of session 3, user 1000, to the pool builtin
      +12 ms  answered overloaded, outcome not_executed: refused: half of the queue was this session's already
    ");
    let abandoned =
        told(&json!({ "state": "abandoned", "code": null, "rule": "the caller had gone" }));
    insta::assert_snapshot!(story(&abandoned), @r"
    request 17: mail.send (until_effect), abandoned
      came 1 min 1 s ago, 2026-03-01T00:00:00.007Z, as message 5 of session 3, user 1000, to the pool builtin
      +12 ms  nobody was answered, outcome unknown: the caller had gone
    ");
}

#[test]
fn a_poisoned_call_shows_what_was_in_it() {
    let params = [0x91, 0x81, 0xa1, b'a', 0x01];
    let poisoned = told(&json!({
        "code": "poisoned", "rule": "poisoned: three deaths of its own doing", "params": params, "params_size": 5,
    }));
    let large = told(&json!({ "params": params, "params_size": 100_000 }));
    let last = |text: String| text.lines().last().expect("it has lines").to_owned();
    assert_eq!(last(story(&poisoned)), r#"  Its arguments: [{"a":1}]"#);
    let expected = "  It had 100000 bytes of arguments; --json shows the first of them.";
    assert_eq!(last(story(&large)), expected);
}

#[test]
fn the_latest_are_a_line_each() {
    let answered = told(&json!({
        "request": 18, "state": "answered", "code": null, "outcome": "executed", "rule": null,
        "attempts": [first_attempt()],
    }));
    let running = told(
        &json!({ "request": 19, "state": "running", "ended_us": null, "code": null, "outcome": null }),
    );
    insta::assert_snapshot!(list(&[running, answered, told(&json!({}))]), @r"
    REQUEST  AGO        METHOD     POOL     USER  WAITED   TOOK   ATTEMPTS  END
    19       1 min 1 s  mail.send  builtin  1000  0.03 ms  -      0         running
    18       1 min 1 s  mail.send  builtin  1000  0.03 ms  12 ms  1         answered
    17       1 min 1 s  mail.send  builtin  1000  0.03 ms  12 ms  0         worker_lost, unknown

    The story of one: standin explain REQUEST
    ");
}

#[test]
fn an_error_leads_to_the_story_of_its_call() {
    use standin_client::ErrorCode;
    let data = value::from_json(json!({ "request": 17 }));
    let lost = ErrorAnswer::new(ErrorCode::WorkerLost, "It is gone.").with_data(data.clone());
    let expected = "(hint: `standin explain 17` tells what happened to it)";
    assert_eq!(hint(&lost).as_deref(), Some(expected));
    let mut strange = lost.clone();
    strange.code = "shop.nothing".into();
    assert_eq!(hint(&strange), None, "a worker's data is the worker's own");
    let other = lost.with_data(value::from_json(json!([1, 2])));
    assert_eq!(hint(&other), None);
}
