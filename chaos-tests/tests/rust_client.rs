//! The Rust client and a real service. What a service that misbehaves does to it is tested in the client's own package.

use std::{
    io::{Read, Write},
    path::Path,
    time::Duration,
};

use chaos_tests::{
    platform,
    under_test::{UnderTest, hostile_pool, sdk_pool},
};
use serde_json::{Value, json};
use standin_client::{CallError, Client, Connect, ErrorCode, Outcome, blocking};

const LIMIT: Duration = Duration::from_secs(30);

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_chaos-tests"))
}

fn service() -> UnderTest {
    UnderTest::serve(program(), |folder| {
        hostile_pool("chaos", program(), folder, 2, "", "")
            + &sdk_pool("sdk", program(), folder, "")
    })
}

async fn client(under_test: &UnderTest) -> Client {
    let client = Client::connect(&under_test.endpoint(), LIMIT).await;
    client.expect("the service starts")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_share_a_client_and_each_call_gets_its_own_answer() {
    const TASKS: u64 = 40;
    const CALLS: u64 = 25;
    let under_test = service();
    let client = client(&under_test).await;
    let tasks = (0..TASKS).map(|task| {
        let client = client.clone();
        tokio::spawn(async move {
            for call in 0..CALLS {
                let id = task * CALLS + call;
                let arguments = json!({ "id": id, "nonce": id });
                let (nonce, text) = tokio::join!(
                    client.call::<_, u64>("chaos.always", &arguments),
                    client.call::<_, String>("sdk.echo", &json!({ "text": id.to_string() })),
                );
                assert_eq!(nonce.expect("it is answered"), id);
                assert_eq!(text.expect("it is answered"), id.to_string());
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("every answer was right");
    }
    assert_eq!(client.unknown_answers(), 0);
}

#[tokio::test]
async fn large_messages_go_both_ways_and_too_large_ones_are_refused_clearly() {
    let under_test = service();
    let client = client(&under_test).await;
    for size in [64 << 10, 1 << 20, 8 << 20] {
        let text = "x".repeat(size);
        let echoed: String = client
            .call("sdk.echo", &json!({ "text": &text }))
            .await
            .expect("it is answered");
        assert!(echoed == text, "{size} bytes came back as {}", echoed.len());
    }
    // The way there: refused before it is sent, and the connection goes on.
    let error = client.call::<_, String>("sdk.echo", &json!({ "text": "x".repeat(16 << 20) }));
    let error = error.await.expect_err("that is too large");
    assert!(
        matches!(
            error,
            CallError::TooLarge {
                limit: 16_777_216,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(error.outcome(), Outcome::NotExecuted);
    // The way back: the worker's library refuses what the service would not take.
    let error = client.call::<_, String>("sdk.large", &json!({ "bytes": 16 << 20 }));
    let error = error.await.expect_err("that is too large");
    assert_eq!(
        (error.code(), error.outcome()),
        (Some("message_too_large"), Outcome::Executed)
    );
    let pong: String = client
        .call("standin.ping", &())
        .await
        .expect("the connection goes on");
    assert_eq!(pong, "pong");
}

#[test]
fn the_service_refuses_what_is_too_large_by_its_number_and_closes() {
    let under_test = service();
    drop(under_test.client());
    let mut stream = platform::connect(under_test.endpoint().as_path()).expect("it listens");
    stream.set_read_timeout(Some(LIMIT)).expect("it can be set");
    // The head alone says how much there is to come.
    let head = b"\x94\x00\x07\xa8sdk.echo\x91\x81\xa4text\xdb\x01\x00\x00\x00";
    stream.write_all(head).expect("the service reads");
    let mut answer = Vec::new();
    stream
        .read_to_end(&mut answer)
        .expect("it answers and closes");
    let answer = rmpv::decode::read_value(&mut answer.as_slice()).expect("it is one message");
    assert_eq!((&answer[0], &answer[1]), (&1.into(), &7.into()), "{answer}");
    let error = &answer[2];
    assert_eq!(
        error[0],
        ErrorCode::MessageTooLarge.number().into(),
        "{answer}"
    );
    let words = error[1].as_str().expect("a text");
    assert!(
        words.contains("not executed") && words.contains("16777216"),
        "{words}"
    );
}

#[tokio::test]
async fn a_call_has_its_time_however_long_its_worker_would_take() {
    let under_test = service();
    let client = client(&under_test).await;
    // Only the calls have little time, not the start of their workers.
    let nonce = client.call::<_, u64>("chaos.always", &json!({ "id": 0, "nonce": 7 }));
    assert_eq!(nonce.await.expect("the workers start"), 7);
    let late = |method: &'static str, work: Value| {
        let call = client.request(method).arguments(&work);
        async move {
            let answered = call.timeout(Duration::from_secs(1)).send::<Value>().await;
            let error = answered.expect_err("it is late");
            let answer = error.answer().expect("the service tells").clone();
            (answer.code.into_owned(), answer.number, answer.outcome)
        }
    };
    let deadline = |outcome| ("deadline_exceeded".to_owned(), 7, outcome);
    let work = json!({ "id": 1, "work_ms": 60_000 });
    assert_eq!(
        late("chaos.never", work.clone()).await,
        deadline(Outcome::Unknown)
    );
    assert_eq!(
        late("chaos.always", work.clone()).await,
        deadline(Outcome::Unknown)
    );
    assert_eq!(
        late("chaos.until_effect", work).await,
        deadline(Outcome::NotExecuted)
    );
}

#[tokio::test]
async fn without_resuming_a_lost_service_ends_every_open_call_once() {
    let mut under_test = service();
    let connect = Connect::new().endpoint(under_test.endpoint()).limit(LIMIT);
    let client = connect.without_resume().open().await;
    let client = client.expect("the service starts");
    let arguments = json!({ "id": 1, "nonce": 1, "work_ms": 60_000 });
    let open: Vec<_> = (0..10)
        .map(|_| {
            client
                .request("chaos.never")
                .arguments(&arguments)
                .start()
                .expect("it is sent")
        })
        .collect();
    let watching = self::client(&under_test).await;
    while pool(&watching).await["running"] != 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    under_test.service.kill().expect("it lives");
    under_test.service.wait().expect("it dies");
    for pending in open {
        match pending.wait::<u64>().await {
            Err(CallError::ConnectionLost { outcome }) => assert_eq!(outcome, Outcome::Unknown),
            other => panic!("{other:?}"),
        }
    }
    match client.call::<_, u64>("chaos.never", &arguments).await {
        Err(CallError::ConnectionLost { outcome }) => assert_eq!(outcome, Outcome::NotExecuted),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_client_waits_for_the_service_that_comes_after_a_dead_one() {
    let mut under_test = service();
    drop(client(&under_test).await);
    under_test.service.kill().expect("it lives");
    under_test.service.wait().expect("it dies");
    // A dead service leaves its socket there, and of a pipe nothing.
    let endpoint = under_test.endpoint();
    let mut waiting = Box::pin(Client::connect(&endpoint, LIMIT));
    tokio::select! {
        opened = &mut waiting => panic!("nobody is there: {opened:?}"),
        () = tokio::time::sleep(Duration::from_millis(50)) => {}
    }
    under_test.start_again(program());
    let again = waiting.await.expect("it has come");
    let nonce: u64 = again
        .call("chaos.always", &json!({ "id": 2, "nonce": 2 }))
        .await
        .expect("it is answered");
    assert_eq!(nonce, 2);
}

async fn pool(client: &Client) -> Value {
    let status: Value = client
        .call("standin.status", &())
        .await
        .expect("it answers");
    status["pools"][0].clone()
}

#[test]
fn a_service_that_has_enough_clients_turns_the_next_away_and_says_so() {
    let under_test = UnderTest::serve(program(), |folder| {
        format!(
            "sessions_max = 2\n{}",
            sdk_pool("sdk", program(), folder, "")
        )
    });
    let first = under_test.client();
    let second = under_test.client();
    let short = Duration::from_millis(120);
    let refused = blocking::Client::connect(&under_test.endpoint(), short);
    let words = refused.expect_err("two are enough").to_string();
    assert!(words.contains("closes every connection at once"), "{words}");
    // One that waits gets in as soon as somebody goes.
    drop(second);
    let third = blocking::Client::connect(&under_test.endpoint(), LIMIT).expect("there is room");
    assert_eq!(
        third
            .call::<_, String>("standin.ping", &())
            .expect("it answers"),
        "pong"
    );
    drop(first);
}

#[test]
fn a_frozen_service_is_told_from_one_that_is_not_there() {
    let under_test = service();
    drop(under_test.client());
    platform::freeze(under_test.service.id());
    let refused = blocking::Client::connect(&under_test.endpoint(), Duration::from_millis(100));
    platform::thaw(under_test.service.id());
    let words = refused.expect_err("it is frozen").to_string();
    assert!(
        words.contains("takes connections but does not answer"),
        "{words}"
    );
    let again = under_test.client();
    assert_eq!(
        again
            .call::<_, String>("standin.ping", &())
            .expect("it answers"),
        "pong"
    );
}
