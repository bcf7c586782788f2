//! What the SDK offers, through a real worker process.

use std::{path::Path, sync::mpsc, time::Duration};

use chaos_tests::{
    platform,
    under_test::{UnderTest, eventually, pool_status, sdk_pool, worker_pids},
};
use serde_json::{Value, json};
use standin_client::{
    CallError, Callback, Connect, ErrorAnswer, ErrorCode, Outcome, Pending, blocking::Client,
};

const LIMIT: Duration = Duration::from_secs(30);

fn service() -> UnderTest {
    let program = Path::new(env!("CARGO_BIN_EXE_chaos-tests"));
    UnderTest::serve(program, |folder| sdk_pool("sdk", program, folder, ""))
}

/// A client of a service whose worker is ready.
fn client_that(under_test: &UnderTest, says: impl FnOnce(Connect) -> Connect) -> Client {
    let connect = Connect::new().endpoint(under_test.endpoint()).limit(LIMIT);
    let client = Client::open(says(connect)).expect("the service starts");
    eventually(LIMIT, "the worker is ready", || {
        worker_pids(&client, "sdk").len() == 1
    });
    client
}

fn client(under_test: &UnderTest) -> Client {
    client_that(under_test, |connect| connect)
}

fn start(client: &Client, method: &str, arguments: &Value) -> Pending {
    let call = client.request(method).arguments(arguments).timeout(LIMIT);
    client.start(call).expect("it is sent")
}

fn the_error(answered: Result<Value, CallError>) -> ErrorAnswer {
    match answered {
        Err(CallError::Service(answer)) => answer,
        other => panic!("{other:?}"),
    }
}

fn logged(under_test: &UnderTest, line: &str) {
    eventually(LIMIT, line, || under_test.log().contains(line));
}

#[test]
fn an_effect_is_granted_to_the_attempt_that_is_waited_for() {
    let under_test = service();
    let client = client(&under_test);
    let when = under_test.folder.path().join("now");
    let effect = start(&client, "sdk.effect", &json!({ "when": when }));
    logged(&under_test, "attempt 1 waits");
    // Before the effect a death costs nothing: the next attempt gets the leave.
    platform::kill(worker_pids(&client, "sdk")[0]);
    logged(&under_test, "attempt 2 waits");
    std::fs::write(&when, "").expect("there is room");
    assert_eq!(
        client.wait::<u64>(effect).expect("it is answered"),
        2,
        "the second attempt"
    );
    logged(&under_test, "attempt 2: leave true");
    let log = under_test.log();
    assert!(!log.contains("attempt 1: leave"), "{log}");
}

#[test]
fn an_effect_is_refused_once_the_caller_has_been_told_that_there_was_none() {
    let under_test = service();
    let client = client(&under_test);
    let when = under_test.folder.path().join("now");
    // It keeps the process alive when its neighbour is late.
    let neighbour = start(&client, "sdk.wait", &json!({}));
    logged(&under_test, "attempt 1 waits");
    let late = client
        .request("sdk.effect")
        .arguments(&json!({ "when": when }))
        .timeout(Duration::from_millis(300));
    let answer = the_error(client.send(late));
    assert_eq!(
        (&*answer.code, answer.outcome),
        ("deadline_exceeded", Outcome::NotExecuted)
    );
    std::fs::write(&when, "").expect("there is room");
    logged(&under_test, "attempt 2: leave false");
    client.cancel(&neighbour).expect("the service takes it");
    assert_eq!(
        the_error(client.wait(neighbour)).message,
        "It stopped half way."
    );
}

#[test]
fn an_effect_is_refused_to_a_call_that_was_cancelled() {
    let under_test = service();
    let client = client(&under_test);
    let when = under_test.folder.path().join("now");
    let effect = start(&client, "sdk.effect", &json!({ "when": when }));
    logged(&under_test, "attempt 1 waits");
    client.cancel(&effect).expect("the service takes it");
    std::fs::write(&when, "").expect("there is room");
    let answer = the_error(client.wait(effect));
    assert_eq!(
        (&*answer.code, answer.outcome),
        ("cancelled", Outcome::NotExecuted)
    );
    assert_eq!(
        answer.message,
        "The call was taken back before it had any effect."
    );
    logged(&under_test, "attempt 1: leave false");
}

#[test]
fn progress_reaches_the_client_in_its_order_and_before_the_answer() {
    let under_test = service();
    let (say, said) = mpsc::channel();
    let client = client_that(&under_test, |connect| {
        connect.progress(move |msgid, what| say.send((msgid, what)).expect("the test listens"))
    });
    let slow = start(&client, "sdk.progress", &json!({ "steps": 20 }));
    let msgid = slow.msgid();
    assert_eq!(client.wait::<u64>(slow).expect("it is answered"), 20);
    let steps: Vec<(u64, Value)> = said
        .try_iter()
        .map(|(of, what)| (of, rmp_serde::from_slice(&what).expect("it is a map")))
        .collect();
    let expected: Vec<_> = (1..=20)
        .map(|step| (msgid, json!({ "step": step, "of": 20 })))
        .collect();
    assert_eq!(steps, expected);
}

async fn answer(callback: Callback) -> Result<standin_client::Bytes, ErrorAnswer> {
    match callback.method.as_str() {
        "greet" => {
            let argument: Value = callback.arguments()?;
            let name = argument["name"].as_str().unwrap_or("stranger");
            callback.answer(&json!({ "greeting": format!("Good day, {name}.") }))
        }
        "deeper" => {
            // The answer takes a call, in whose course this program is asked again.
            let Value::Number(depth) = callback.arguments::<Value>()?["depth"].take() else {
                return Err(ErrorAnswer::new(ErrorCode::InvalidParams, "No depth."));
            };
            let depth = depth.as_u64().unwrap_or(0);
            if depth == 0 {
                return callback.answer(&"the bottom");
            }
            let again = json!({ "method": "deeper", "arguments": { "depth": depth - 1 } });
            let heard: Value = callback
                .client()
                .call("sdk.ask", &again)
                .await
                .map_err(|error| error.answer().expect("it is the service's").clone())?;
            callback.answer(&heard["answer"])
        }
        "panic" => panic!("as it was told"),
        _ => Err(ErrorAnswer::new(
            ErrorCode::MethodNotFound,
            "That is not known here.",
        )),
    }
}

fn ask(client: &Client, method: &str, arguments: &Value) -> Value {
    let question = json!({ "method": method, "arguments": arguments });
    client
        .call("sdk.ask", &question)
        .expect("the call itself is answered")
}

#[test]
fn a_worker_asks_the_program_that_made_the_call_while_it_waits() {
    let under_test = service();
    let client = client_that(&under_test, |connect| connect.callbacks(answer));
    let heard = ask(&client, "greet", &json!({ "name": "Ada" }));
    assert_eq!(heard["answer"]["greeting"], "Good day, Ada.", "{heard}");
    // Calls within callbacks within calls, as deep as the worker takes calls at a time.
    let heard = ask(&client, "deeper", &json!({ "depth": 2 }));
    assert_eq!(heard["answer"], "the bottom", "{heard}");
}

#[test]
fn a_callback_that_fails_is_callback_failed_at_the_worker() {
    let under_test = service();
    let client = client_that(&under_test, |connect| connect.callbacks(answer));
    for (method, says) in [
        ("unheard_of", "That is not known here."),
        ("panic", "The program failed while it was answering."),
    ] {
        let heard = ask(&client, method, &json!({}));
        assert_eq!(heard["code"], "callback_failed", "{heard}");
        assert_eq!(heard["message"], says);
    }
    let without = self::client(&under_test);
    let heard = ask(&without, "greet", &json!({}));
    assert_eq!(heard["code"], "callback_failed", "{heard}");
    assert_eq!(
        heard["message"],
        "The program that made the call takes no callbacks: its hello did not say so."
    );
}

#[test]
fn a_worker_does_not_wait_for_an_answer_of_a_program_that_is_gone() {
    let under_test = service();
    let watching = client(&under_test);
    let (asked, is_asked) = mpsc::channel();
    let leaving = Connect::new()
        .endpoint(under_test.endpoint())
        .callbacks(move |_| {
            asked.send(()).expect("the test waits");
            std::future::pending()
        });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.expect("the system gives a runtime");
    runtime.spawn(async move {
        let client = leaving.open().await.expect("the service is there");
        let question = json!({ "method": "greet", "arguments": {} });
        client.call::<_, Value>("sdk.ask", &question).await
    });
    is_asked.recv_timeout(LIMIT).expect("the worker asks");
    assert_eq!(pool_status(&watching, "sdk")["running"], 1);
    // The program ends in the middle of its callback.
    runtime.shutdown_background();
    logged(
        &under_test,
        "heard no answer: The program that made the call has gone. (callback_failed)",
    );
    eventually(LIMIT, "the worker is free again", || {
        pool_status(&watching, "sdk")["running"] == 0
    });
}

#[test]
fn a_worker_gets_as_many_calls_at_a_time_as_it_declares_and_no_more() {
    let under_test = service();
    let client = client(&under_test);
    // They wait for one another inside the worker: fewer at a time would never end.
    let together: Vec<_> = (0..3)
        .map(|_| start(&client, "sdk.together", &json!({})))
        .collect();
    let pid = worker_pids(&client, "sdk")[0];
    for pending in together {
        assert_eq!(client.wait::<u32>(pending).expect("it is answered"), pid);
    }
    let waiting: Vec<_> = (0..3)
        .map(|_| start(&client, "sdk.wait", &json!({})))
        .collect();
    let fourth = start(&client, "sdk.echo", &json!({ "text": "at last" }));
    eventually(LIMIT, "three run and one waits", || {
        let pool = pool_status(&client, "sdk");
        pool["running"] == 3 && pool["queued"] == 1 && pool["workers"][0]["running"] == 3
    });
    for pending in waiting {
        client.cancel(&pending).expect("the service takes it");
        the_error(client.wait(pending));
    }
    assert_eq!(
        client.wait::<String>(fourth).expect("it is answered"),
        "at last"
    );
}

#[test]
fn a_workers_own_error_reaches_the_caller_as_it_is() {
    let under_test = service();
    let client = client(&under_test);
    let answer = the_error(client.call("sdk.fail", &json!({})));
    assert_eq!((answer.number, &*answer.code), (1007, "sdk.broken"));
    assert_eq!(
        (answer.outcome, answer.retry_after_ms),
        (Outcome::NotExecuted, Some(1500))
    );
    assert_eq!(answer.message, "It is broken.");
    assert_eq!(answer.data.as_deref(), Some(b"\x93\x01\x02\x03".as_slice()));
    for arguments in [json!({}), json!({ "text": 7 })] {
        let answer = the_error(client.call("sdk.echo", &arguments));
        assert_eq!(
            (&*answer.code, answer.outcome),
            ("invalid_params", Outcome::NotExecuted)
        );
        assert!(answer.message.contains("text"), "{}", answer.message);
    }
}

#[test]
fn a_worker_is_drained_when_the_service_stops_and_finishes_what_it_has_begun() {
    let mut under_test = service();
    let client = client(&under_test);
    let when = under_test.folder.path().join("now");
    let effect = start(&client, "sdk.effect", &json!({ "when": when }));
    logged(&under_test, "attempt 1 waits");
    under_test.ask_to_stop();
    logged(&under_test, "standin is stopping");
    std::fs::write(&when, "").expect("there is room");
    assert_eq!(client.wait::<u64>(effect).expect("it is finished first"), 1);
    eventually(LIMIT, "the service ends", || {
        under_test
            .service
            .try_wait()
            .is_ok_and(|exit| exit.is_some())
    });
    let log = under_test.log();
    assert!(log.contains("the worker was drained"), "{log}");
    assert!(!log.contains("killing a worker"), "{log}");
    assert!(under_test.descendants().is_empty());
}

#[test]
fn a_method_has_the_time_that_its_worker_says_and_progress_gives_it_anew() {
    let program = Path::new(env!("CARGO_BIN_EXE_chaos-tests"));
    let under_test = UnderTest::serve(program, |folder| {
        sdk_pool("sdk", program, folder, "timeouts = { call = '400ms' }")
    });
    let client = client(&under_test);
    // Three times as long as the pool gives to one attempt, but never silent for that long.
    let steps = json!({ "steps": 12, "pause_ms": 100 });
    assert_eq!(
        client
            .call::<_, u64>("sdk.progress", &steps)
            .expect("it is at it"),
        12
    );
    let silent = json!({ "steps": 1, "pause_ms": 60_000 });
    let answer = the_error(client.call("sdk.progress", &silent));
    assert_eq!(answer.code, "poisoned", "it hangs each time: {answer}");
    // This one has less than the pool would give, and is not run again.
    let described: Value = client
        .call("standin.describe", &json!({ "method": "sdk.hurry" }))
        .expect("it is answered");
    assert_eq!(described["timeout_ms"], 200);
    let hurried = client
        .request("sdk.hurry")
        .arguments(&json!({}))
        .timeout(LIMIT);
    let answer = the_error(client.send(hurried));
    assert_eq!(
        (&*answer.code, answer.outcome),
        ("worker_lost", Outcome::Unknown)
    );
    assert!(
        answer.message.contains("a call ran past its time in it"),
        "{answer}"
    );
}
