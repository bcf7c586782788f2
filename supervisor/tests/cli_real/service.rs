//! The commands that talk to a service, against a real one.

use crate::helpers::{Ask, Service, run, run_in};
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_call_prints_its_result_and_nothing_else() {
    let service = Service::start(&[]);
    let ran = service.ask(&["call", "standin.ping"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
        (Some(0), "\"pong\"\n", "")
    );
    let raw = service.ask(&["call", "standin.ping", "--raw"]);
    assert_eq!(raw.stdout, "pong\n");
}

#[test]
fn a_worker_answers_a_call() {
    let service = Service::start(&[]);
    let ran = service.ask(&[
        "call",
        "text.replace",
        "text=one two",
        "pattern=t..",
        "with=three",
        "--json",
    ]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.contains("one three"), "{}", ran.stdout);
}

#[test]
fn an_error_answer_is_told_on_standard_error_and_by_the_exit_code() {
    let service = Service::start(&[]);
    let ran = service.ask(&["call", "no.such"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(
        ran.stderr
            .contains("code: method_not_found (3), outcome: not_executed"),
        "{}",
        ran.stderr
    );
    let ran = service.ask(&["call", "no.such", "--json"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    let error = json(&ran.stderr);
    assert_eq!(
        (&error["code"], &error["outcome"]),
        (&"method_not_found".into(), &"not_executed".into())
    );
}

#[test]
fn the_methods_are_listed_and_one_is_described_with_its_arguments() {
    let service = Service::start(&[]);
    let ran = service.ask(&["methods"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.starts_with("METHOD"), "{}", ran.stdout);
    assert!(ran.stdout.contains("standin.ping"), "{}", ran.stdout);
    // The pool has answered a call, so its methods are known by now.
    let find = service.ask(&["call", "text.find", "text=a", "pattern=a"]);
    assert_eq!(find.code, Some(0), "{}", find.stderr);
    let described = service.ask(&["methods", "text.find"]);
    assert!(
        described.stdout.contains("pattern"),
        "{}{}",
        described.stdout,
        described.stderr
    );
    let schema = json(&service.ask(&["methods", "text.find", "--json"]).stdout);
    assert!(
        schema["params"]["properties"]["pattern"].is_object(),
        "{schema}"
    );
}

#[test]
fn the_status_is_told_to_people_and_to_programs() {
    let service = Service::start(&[]);
    let status = json(&service.ask(&["status", "--json"]).stdout);
    assert_eq!(status["pid"], service.pid());
    assert_eq!(status["endpoint"], service.endpoint());
    assert!(status["requests"]["answered"].is_u64(), "{status}");
    assert_eq!(status["pools"][0]["name"], "builtin");
    let ran = service.ask(&["status"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(
        ran.stdout.contains(&format!("pid {}, up ", service.pid())),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("builtin: "), "{}", ran.stdout);
}

#[test]
fn a_service_that_is_not_there_is_told_by_a_sentence_and_the_exit_code() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let nowhere = if cfg!(windows) {
        r"\\.\pipe\standin-nowhere".into()
    } else {
        folder.path().join("no.sock")
    };
    let nowhere = nowhere.to_string_lossy();
    for command in ["status", "methods"] {
        let ran = run_in(
            folder.path(),
            &[command, "--wait", "10ms", "--endpoint", &nowhere],
        );
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""));
        assert!(
            ran.stderr
                .starts_with("error: no Standin service answers at "),
            "{}",
            ran.stderr
        );
        assert!(
            ran.stderr.trim_end().ends_with(')') && ran.stderr.contains("\n(hint: start it"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn arguments_that_cannot_be_read_are_refused_before_anything_is_asked() {
    let ran = run(&["call", "text.find", "lonely"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    insta::assert_snapshot!(ran.stderr, @r"
    error: `lonely` is no argument
    (hint: write NAME=VALUE, or one JSON object in quotes)
    ");
}

#[test]
fn a_second_service_on_the_same_name_is_refused_and_the_first_is_named() {
    let service = Service::start(&[]);
    assert_eq!(service.ask(&["call", "standin.ping"]).code, Some(0));
    let second = run(&["serve", "--endpoint", &service.endpoint()]);
    assert_eq!((second.code, second.stdout.as_str()), (Some(3), ""));
    let owner = format!("(pid {})", service.pid());
    assert!(
        second.stderr.contains("another service already owns"),
        "{}",
        second.stderr
    );
    assert!(second.stderr.contains(&owner), "{}", second.stderr);
}

#[test]
fn a_service_says_on_standard_error_alone_that_it_is_ready_and_stops_however_it_is_asked() {
    for ask in [Ask::Interrupt, Ask::Terminate] {
        let service = Service::start(&[]);
        let endpoint = service.endpoint();
        assert_eq!(service.ask(&["call", "standin.ping"]).code, Some(0));
        let ran = service.stop_by(ask);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{ask:?}");
        let ready = format!(
            "standin {} is ready on {endpoint}",
            env!("CARGO_PKG_VERSION")
        );
        for said in [&ready[..], "standin has stopped"] {
            assert!(ran.stderr.contains(said), "{ask:?}: {}", ran.stderr);
        }
        assert!(
            !std::path::Path::new(&endpoint).exists(),
            "the endpoint is gone with the service"
        );
    }
}

#[test]
fn the_log_of_a_service_can_be_lines_of_json() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let file = folder.path().join("json.toml");
    std::fs::write(&file, "[log]\nformat = \"json\"\n").expect("the file can be written");
    let service = Service::start(&["--config", &file.to_string_lossy()]);
    assert_eq!(service.ask(&["call", "standin.ping"]).code, Some(0));
    let log = service.stop().stderr;
    let lines: Vec<Value> = log.lines().map(json).collect();
    let ready = lines.iter().find(|line| {
        line["message"]
            .as_str()
            .is_some_and(|text| text.contains("is ready on"))
    });
    assert!(ready.is_some_and(|line| line["pid"].is_u64()), "{log}");
}

#[test]
fn a_call_is_explained_by_its_number_and_the_latest_are_listed() {
    let service = Service::start(&[]);
    let nothing = service.ask(&["explain"]);
    assert_eq!(
        nothing.stdout, "No call is remembered.\n",
        "{}",
        nothing.stderr
    );
    let find = service.ask(&["call", "text.find", "text=a", "pattern=a"]);
    assert_eq!(find.code, Some(0), "{}", find.stderr);
    let list = service.ask(&["explain"]).stdout;
    assert!(list.starts_with("REQUEST  AGO"), "{list}");
    assert!(list.contains("text.find"), "{list}");
    let story = service.ask(&["explain", "1"]);
    assert!(
        story
            .stdout
            .starts_with("request 1: text.find (always), answered\n"),
        "{}{}",
        story.stdout,
        story.stderr
    );
    // The worker or its spare, whichever was ready first.
    let told = |slot| {
        story
            .stdout
            .contains(&format!("attempt 1: slot {slot}, pid "))
    };
    assert!(told(0) || told(1), "{}", story.stdout);
    assert!(story.stdout.ends_with("answered, outcome executed\n"));
    let all = json(&service.ask(&["explain", "1", "--json"]).stdout);
    assert_eq!(all[0]["method"], "text.find");
    let unknown = service.ask(&["explain", "999"]).stdout;
    assert!(unknown.starts_with("Nothing is known of request 999: "));
    let poisoned = service.ask(&["explain", "--poisoned"]).stdout;
    assert_eq!(poisoned, "No call has been poisoned lately.\n");
}
