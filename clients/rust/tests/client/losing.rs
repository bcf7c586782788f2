//! The connection ends, well or badly, and there is no session that could go on: everybody who waits is told, once.

use rmpv::Value;
use standin_client::{Bytes, CallError, Client, Connect, Outcome};

use crate::fake::{Fake, Peer, TOKEN, client, client_that, map, verdict};

async fn lost(client: &Client) -> (Outcome, String) {
    match client.call::<_, ()>("order", &map([])).await {
        Err(error @ CallError::ConnectionLost { outcome }) => (outcome, error.to_string()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_open_call_ends_with_one_clear_error_when_the_connection_is_lost() {
    let endings: [fn(&mut Peer); 4] = [
        |_| {},
        |peer| peer.send_bytes(b"\x94\x01"),
        |peer| peer.send_bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        |peer| peer.send_bytes(b"\xc1"),
    ];
    for ending in endings {
        let (client, service) = client_that(Connect::without_resume, move |peer| {
            for _ in 0..20 {
                peer.asked("order");
            }
            ending(peer);
        })
        .await;
        let calls = (0..20).map(|_| {
            let client = client.clone();
            tokio::spawn(async move { lost(&client).await })
        });
        let words = "the connection to the service was lost before the answer came; \
                     whether the call was executed is not known";
        for call in calls.collect::<Vec<_>>() {
            let ended = call.await.expect("it ends");
            assert_eq!(ended, (Outcome::Unknown, words.to_owned()));
        }
        // Whoever asks afterwards is told at once, and that nothing was done.
        let (outcome, words) = lost(&client).await;
        assert_eq!(outcome, Outcome::NotExecuted);
        assert!(words.ends_with("; the call was not executed"), "{words}");
        verdict(service).await;
    }
}

#[tokio::test]
async fn a_call_that_never_left_is_known_not_to_have_been_executed() {
    let (go, gone) = std::sync::mpsc::channel::<()>();
    let (client, service) = client_that(Connect::without_resume, move |_| {
        // It reads nothing and then goes.
        gone.recv().expect("the test goes on");
    })
    .await;
    // More than a socket holds, so it is under way until the service goes; the one behind it has not begun.
    let large = Bytes::from([b"\x91\xc6\x00\x80\x00\x00".as_slice(), &vec![7; 8 << 20]].concat());
    let first = client
        .request("order")
        .raw_params(large)
        .start()
        .expect("it is sent");
    let second = client.request("order").start().expect("it is sent");
    go.send(()).expect("the service waits");
    for pending in [first, second] {
        match pending.wait::<()>().await {
            Err(CallError::ConnectionLost { outcome }) => assert_eq!(outcome, Outcome::NotExecuted),
            other => panic!("{other:?}"),
        }
    }
    verdict(service).await;
}

#[tokio::test]
async fn a_service_that_keeps_no_session_for_a_while_is_found_again_and_its_client_has_one_then() {
    let fake = Fake::listen();
    let connect = fake.connect();
    let service = std::thread::spawn(move || {
        for _ in 0..3 {
            let mut peer = fake.accept();
            // Its disk is full.
            peer.greet();
            peer.asked("order");
        }
        let mut peer = fake.accept();
        let (hello, _) = peer.asked("standin.hello");
        peer.welcome(hello, TOKEN, false);
        let (first, _) = peer.asked("order");
        drop(peer);
        let mut peer = fake.resumed();
        peer.acknowledged();
        assert_eq!(peer.asked("order").0, first);
        peer.answer(first, Value::Nil);
        peer.leaves();
    });
    let client = connect.open().await.expect("it is there");
    for _ in 0..3 {
        assert_eq!(lost(&client).await.0, Outcome::Unknown);
    }
    let answered = client.call::<_, ()>("order", &map([])).await;
    answered.expect("it is answered");
    drop(client);
    verdict(service).await;
}

#[tokio::test]
async fn without_a_session_what_the_service_cannot_have_got_or_may_do_twice_waits_for_another_connection()
 {
    let fake = Fake::listen();
    let connect = fake.connect();
    let (go, gone) = std::sync::mpsc::channel::<()>();
    let service = std::thread::spawn(move || {
        let mut peer = fake.accept();
        peer.greet();
        for method in ["keyed", "vouched_for", "neither"] {
            peer.asked(method);
        }
        gone.recv().expect("the test goes on");
        drop(peer);
        let mut peer = fake.accept();
        peer.greet();
        for method in ["keyed", "vouched_for", "large"] {
            let (msgid, _) = peer.asked(method);
            peer.answer(msgid, Value::Nil);
        }
    });
    let client = connect.open().await.expect("it is there");
    let large = Bytes::from([b"\x91\xc6\x00\x80\x00\x00".as_slice(), &vec![7; 8 << 20]].concat());
    let [keyed, vouched_for, neither, large] = [
        client.request("keyed").key("order-17"),
        client.request("vouched_for").idempotent(),
        client.request("neither"),
        client.request("large").raw_params(large),
    ]
    .map(|call| call.start().expect("it is sent"));
    go.send(()).expect("the service waits");
    let error = neither.wait::<()>().await.expect_err("nobody knows");
    assert!(
        matches!(error, CallError::ConnectionLost { .. }),
        "{error:?}"
    );
    assert_eq!(error.outcome(), Outcome::Unknown);
    for pending in [keyed, vouched_for, large] {
        pending.wait::<()>().await.expect("it is answered");
    }
    verdict(service).await;
}

#[tokio::test]
async fn a_client_closes_when_its_last_clone_goes() {
    let (client, service) = client(|peer| {
        peer.asked("order");
        peer.closes();
    })
    .await;
    let other = client.clone();
    drop(client);
    other.request("order").start().expect("it is sent").detach();
    // The service hears the order before the end, so it went out before the connection closed.
    drop(other);
    verdict(service).await;
}
