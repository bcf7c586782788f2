//! Large messages, and too large ones.

use rmpv::Value;
use standin_client::{CallError, Outcome};

use crate::fake::{Fake, client, client_that, field, map, verdict};

#[tokio::test]
async fn large_messages_go_both_ways() {
    let sizes = [64 << 10, 1 << 20, (8 << 20) - 3];
    let (client, service) = client(move |peer| {
        for _ in sizes {
            let (msgid, message) = peer.asked("echo");
            peer.answer(msgid, field(&message[3][0], "text").clone());
        }
    })
    .await;
    for size in sizes {
        let text = "x".repeat(size);
        let arguments = std::collections::BTreeMap::from([("text", &text)]);
        let echoed: String = client.call("echo", &arguments).await.expect("it answers");
        assert!(echoed == text, "{size} bytes came back as {}", echoed.len());
    }
    verdict(service).await;
}

#[tokio::test]
async fn what_is_too_large_for_the_service_is_refused_here_and_the_connection_goes_on() {
    let fake = Fake::listen();
    let connect = fake.connect();
    let service = std::thread::spawn(move || {
        let mut peer = fake.accept();
        let (hello, _) = peer.asked("standin.hello");
        let limits = map([("message_size_max", 1000.into())]);
        peer.answer(hello, map([("limits", limits)]));
        let (msgid, message) = peer.asked("echo");
        peer.answer(msgid, field(&message[3][0], "text").clone());
    });
    let client = connect.open().await.expect("it is there");
    let text = |length| std::collections::BTreeMap::from([("text", "x".repeat(length))]);
    let error = client.call::<_, String>("echo", &text(1000)).await;
    let error = error.expect_err("that is too large");
    // With room for what stands beside it if it has to be said again.
    assert!(
        matches!(
            error,
            CallError::TooLarge {
                length: 1026,
                limit: 1000
            }
        ),
        "{error:?}"
    );
    assert_eq!(error.code(), Some("message_too_large"));
    assert_eq!(error.outcome(), Outcome::NotExecuted);
    assert_eq!(
        error.to_string(),
        "the call is 1026 bytes long and the service takes 1000; it was not sent"
    );
    let echoed: String = client
        .call("echo", &text(974))
        .await
        .expect("that fits exactly");
    assert_eq!(echoed.len(), 974);
    verdict(service).await;
}

#[tokio::test]
async fn an_answer_to_a_callback_that_is_too_large_becomes_an_error_that_says_so() {
    let (client, service) = client_that(
        |connect| {
            connect.callbacks(|callback| async move {
                let huge = "x".repeat(17 << 20);
                callback.answer(&huge)
            })
        },
        |peer| {
            let (call, _) = peer.asked("order");
            peer.ask(1, "everything", map([]));
            let (error, _) = peer.answered(1);
            peer.answer(call, Value::Nil);
            error
        },
    )
    .await;
    client
        .call::<_, ()>("order", &map([]))
        .await
        .expect("the call goes on");
    let error = verdict(service).await;
    assert_eq!(
        field(&error[2], "code"),
        &"message_too_large".into(),
        "{error}"
    );
    assert_eq!(field(&error[2], "outcome"), &"executed".into(), "{error}");
}

/// Lists within one another, so many levels of them.
fn nested(levels: usize) -> Vec<u8> {
    let mut bytes = vec![0x91; levels];
    bytes.push(0xc0);
    bytes
}

#[tokio::test]
async fn what_nests_deeper_than_the_service_reads_is_refused_here_and_the_connection_goes_on() {
    let fake = Fake::listen();
    let connect = fake
        .connect()
        .callbacks(|_| async { Ok(nested(10).into()) });
    let service = std::thread::spawn(move || {
        let mut peer = fake.accept();
        let (hello, _) = peer.asked("standin.hello");
        let limits = map([("depth_max", 10.into())]);
        peer.answer(hello, map([("limits", limits)]));
        let (order, _) = peer.asked("order");
        peer.ask(1, "everything", map([]));
        let (error, _) = peer.answered(1);
        peer.answer(order, Value::Nil);
        error
    });
    let client = connect.open().await.expect("it is there");
    for params in [nested(10), nested(500), b"\x92\xc0".to_vec()] {
        let call = client.request("order").raw_params(params.into());
        let error = call.send::<()>().await.expect_err("it cannot be read");
        assert!(
            matches!(error, CallError::TooDeep { limit: 10 }),
            "{error:?}"
        );
        assert_eq!(error.code(), Some("message_too_large"));
        assert_eq!(error.outcome(), Outcome::NotExecuted);
        assert_eq!(
            error.to_string(),
            "the call nests lists and maps more than the 10 levels deep that a message may have, or ends in the middle of \
             one; it was not sent"
        );
    }
    let fits = client.request("order").raw_params(nested(9).into());
    fits.send::<()>().await.expect("it is answered");
    // The worker that asked is told, and the stream is whole.
    let error = verdict(service).await;
    assert_eq!(field(&error[2], "outcome"), &"executed".into(), "{error}");
}
