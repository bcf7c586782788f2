//! The connection ends, well or badly: everybody who waits is told, once.

use standin_client::{Bytes, CallError, Client, Outcome};

use crate::fake::{Peer, client, map, verdict};

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
        let (client, service) = client(move |peer| {
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
    let (client, service) = client(move |_| {
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
