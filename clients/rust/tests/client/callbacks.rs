//! Questions of workers and news of progress, while a call is pending.

use std::sync::{Arc, Mutex};

use rmpv::Value;
use standin_client::{Callback, Connect, ErrorAnswer, ErrorCode};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::fake::{client, client_that, field, map, verdict};

#[derive(serde::Deserialize)]
struct Price {
    article: String,
}

async fn answer(callback: Callback) -> Result<standin_client::Bytes, ErrorAnswer> {
    match callback.method.as_str() {
        "price" => {
            let Price { article } = callback.arguments()?;
            callback.answer(&format!("{article} costs 3"))
        }
        "nested" => {
            let found: u64 = callback
                .client()
                .call("stock", &map([]))
                .await
                .map_err(|error| error.answer().expect("it is the service's").clone())?;
            callback.answer(&(found + 1))
        }
        "panic" => panic!("as it was told"),
        _ => {
            let why = "Nobody knows the answer.";
            Err(ErrorAnswer::new(ErrorCode::MethodNotFound, why))
        }
    }
}

#[tokio::test]
async fn a_callback_is_answered_while_the_call_is_pending() {
    let (client, service) = client_that(
        |connect| connect.callbacks(answer),
        |peer| {
            let (call, _) = peer.asked("order");
            let arguments = map([("article", "tea".into())]);
            peer.ask(7, "price", vec![arguments.clone()].into());
            let listed = peer.answered(7);
            peer.ask(7, "price", arguments);
            assert_eq!(listed, peer.answered(7), "a bare map is the same");
            peer.answer(call, listed.1);
            listed.0
        },
    )
    .await;
    let ordered: String = client.call("order", &map([])).await.expect("it answers");
    assert_eq!(ordered, "tea costs 3");
    assert_eq!(verdict(service).await, Value::Nil);
}

#[tokio::test]
async fn a_callbacks_handler_may_make_calls_of_its_own() {
    let (client, service) = client_that(
        |connect| connect.callbacks(answer),
        |peer| {
            let (call, _) = peer.asked("order");
            peer.ask(1, "nested", map([]));
            let (inner, _) = peer.asked("stock");
            // Deeper still: while the handler waits, another question comes and is answered first.
            peer.ask(2, "price", map([("article", "tea".into())]));
            assert_eq!(peer.answered(2).1, "tea costs 3".into());
            peer.answer(inner, 41.into());
            let (_, result) = peer.answered(1);
            peer.answer(call, result);
        },
    )
    .await;
    let ordered: u64 = client.call("order", &map([])).await.expect("it answers");
    assert_eq!(ordered, 42);
    verdict(service).await;
}

#[tokio::test]
async fn a_handler_that_fails_or_panics_or_is_missing_still_answers() {
    let code = |error: &Value| field(&error[2], "code").as_str().map(str::to_owned);
    let (with, service) = client_that(
        |connect| connect.callbacks(answer),
        move |peer| {
            let (call, _) = peer.asked("order");
            peer.ask(1, "unheard_of", map([]));
            let (error, _) = peer.answered(1);
            assert_eq!(error[1], "Nobody knows the answer.".into());
            peer.ask(2, "panic", map([]));
            let (error, _) = peer.answered(2);
            assert_eq!(code(&error).as_deref(), Some("internal"));
            peer.ask(3, "price", map([("articel", "tea".into())]));
            let (error, _) = peer.answered(3);
            assert_eq!(code(&error).as_deref(), Some("invalid_params"));
            // A question of the wrong shape is answered as well.
            peer.ask(4, "price", 7.into());
            let (error, _) = peer.answered(4);
            assert_eq!(code(&error).as_deref(), Some("invalid_request"));
            peer.answer(call, Value::Nil);
        },
    )
    .await;
    with.call::<_, ()>("order", &map([]))
        .await
        .expect("the call goes on");
    verdict(service).await;

    let (without, service) = client(move |peer| {
        let (call, _) = peer.asked("order");
        peer.ask(1, "price", map([]));
        let (error, _) = peer.answered(1);
        assert_eq!(code(&error).as_deref(), Some("method_not_found"));
        peer.answer(call, Value::Nil);
    })
    .await;
    without
        .call::<_, ()>("order", &map([]))
        .await
        .expect("the call goes on");
    verdict(service).await;
}

#[tokio::test]
async fn a_batch_of_questions_is_answered_in_its_order_and_each_failure_stays_its_own() {
    let (client, service) = client_that(
        |connect| connect.callbacks(answer),
        |peer| {
            let (call, _) = peer.asked("order");
            let asked = |method: &str, article: &str| {
                let arguments = map([("article", article.into())]);
                Value::Array(vec![method.into(), vec![arguments].into()])
            };
            let list = vec![
                asked("price", "tea"),
                asked("panic", "tea"),
                asked("unheard_of", "tea"),
                asked("price", "salt"),
            ];
            peer.ask(7, "client.batch", Value::Array(list));
            let (error, answers) = peer.answered(7);
            assert!(error.is_nil(), "{error}");
            let answers = answers.as_array().expect("a list").clone();
            let result = |text: &str| Value::Array(vec![Value::Nil, text.into()]);
            assert_eq!(answers[0], result("tea costs 3"));
            assert_eq!(
                answers[1][0][1],
                "The program failed while it was answering.".into()
            );
            assert_eq!(answers[2][0][1], "Nobody knows the answer.".into());
            assert_eq!(answers[3], result("salt costs 3"));
            // None is one as well; what is no list of questions is refused.
            peer.ask(8, "client.batch", Value::Array(Vec::new()));
            assert_eq!(peer.answered(8).1, Value::Array(Vec::new()));
            peer.ask(9, "client.batch", vec![Value::from("price")].into());
            assert!(!peer.answered(9).0.is_nil());
            peer.answer(call, Value::Nil);
        },
    )
    .await;
    client
        .call::<_, ()>("order", &map([]))
        .await
        .expect("it answers");
    verdict(service).await;
}

#[tokio::test]
async fn the_rest_of_a_batch_is_not_answered_when_nobody_would_hear_it() {
    let (began, mut begun) = mpsc::channel(10);
    let (go, gone) = std::sync::mpsc::channel::<()>();
    let may_answer = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&may_answer);
    let (client, service) = client_that(
        |connect: Connect| {
            connect.callbacks(move |callback| {
                began
                    .try_send(callback.method.clone())
                    .expect("there is room");
                let held = Arc::clone(&held);
                async move {
                    held.acquire().await.expect("nobody closes it").forget();
                    callback.answer(&())
                }
            })
        },
        move |peer| {
            peer.asked("order");
            let asked = |method: &str| Value::Array(vec![method.into(), Value::Array(Vec::new())]);
            let list = ["first", "second", "third"].map(asked);
            peer.ask(1, "client.batch", Value::Array(list.into()));
            gone.recv().expect("the test goes on");
        },
    )
    .await;
    let call = client.request("order").start().expect("it is sent");
    assert_eq!(begun.recv().await.as_deref(), Some("first"));
    go.send(()).expect("the service waits");
    call.wait::<()>().await.expect_err("the connection is lost");
    may_answer.add_permits(3);
    drop(client);
    assert_eq!(begun.recv().await, None, "nothing more was asked");
    verdict(service).await;
}

#[tokio::test]
async fn a_client_that_is_dropped_while_it_answers_closes_when_the_answer_is_out() {
    let (began, begun) = oneshot::channel();
    let (release, held) = oneshot::channel::<()>();
    let once = Mutex::new(Some((began, held)));
    let (client, service) = client_that(
        |connect: Connect| {
            connect.callbacks(move |callback| {
                let once = once.lock().expect("it is held briefly").take();
                let (began, held) = once.expect("it is asked once");
                async move {
                    began.send(()).expect("the test waits");
                    held.await.expect("the test goes on");
                    callback.answer("done")
                }
            })
        },
        |peer| {
            peer.ask(1, "wait", map([]));
            let answered = peer.answered(1).1;
            peer.closes();
            answered
        },
    )
    .await;
    begun.await.expect("the handler is asked");
    drop(client);
    release.send(()).expect("the handler waits");
    let answered = verdict(service).await;
    assert_eq!(answered, "done".into());
}

#[tokio::test]
async fn progress_is_delivered_with_the_number_of_its_call() {
    let (say, mut said) = mpsc::channel(10);
    let (client, service) = client_that(
        |connect| {
            connect.progress(move |msgid, what| {
                say.try_send((msgid, what)).expect("there is room");
                assert_ne!(msgid, 999, "a panic of the program's own");
            })
        },
        |peer| {
            let (call, _) = peer.asked("slow");
            let told = |msgid: u64, what: Value| {
                let params = Value::Array(vec![msgid.into(), what]);
                Value::Array(vec![2.into(), "request.progress".into(), params])
            };
            peer.send(&told(call, map([("percent", 50.into())])));
            peer.send(&Value::Array(vec![
                2.into(),
                "unheard.of".into(),
                Value::Array(vec![]),
            ]));
            peer.send(&told(999, Value::Nil));
            peer.send(&told(call, map([("percent", 100.into())])));
            peer.answer(call, Value::Nil);
            call
        },
    )
    .await;
    let pending = client.request("slow").start().expect("it is sent");
    let msgid = pending.msgid();
    pending.wait::<()>().await.expect("it answers");
    let half = said.recv().await.expect("it was told");
    assert_eq!(
        (half.0, &half.1[..]),
        (msgid, b"\x81\xa7percent\x32".as_slice())
    );
    assert_eq!(said.recv().await.expect("it was told").0, 999);
    let whole = said.recv().await.expect("a panic in between lost nothing");
    assert_eq!(
        (whole.0, &whole.1[..]),
        (msgid, b"\x81\xa7percent\x64".as_slice())
    );
    assert_eq!(verdict(service).await, msgid);
}
