//! A client that will not come back says so, and the service need keep nothing for it.

use rmpv::Value;

use crate::fake::{blocking_session, map, session, verdict};

#[tokio::test]
async fn a_client_that_is_closed_says_so_and_ends_what_is_open() {
    let (client, service) = session(
        |connect| connect,
        |_, mut peer| {
            let (first, _) = peer.asked("order");
            peer.asked("slow");
            peer.answer(first, Value::Nil);
            peer.leaves();
        },
    )
    .await;
    let order = client.request("order").start().expect("it is sent");
    let slow = client.request("slow").start().expect("it is sent");
    order.wait::<()>().await.expect("it answers");
    let other = client.clone();
    client.close().await;
    let error = slow.wait::<()>().await.expect_err("the client is closed");
    assert_eq!(
        error.to_string(),
        "the client was closed before the answer came; whether the call was executed is not known"
    );
    let error = other.call::<_, ()>("order", &map([])).await;
    let words = error.expect_err("the client is closed").to_string();
    assert!(words.ends_with("the call was not executed"), "{words}");
    verdict(service).await;
}

#[tokio::test]
async fn a_client_that_is_dropped_says_so_unless_something_still_runs() {
    for is_detached in [false, true] {
        let (client, service) = session(
            |connect| connect,
            move |_, mut peer| {
                let (msgid, _) = peer.asked("order");
                if is_detached {
                    // The call may come to its end.
                    peer.closes();
                } else {
                    peer.answer(msgid, Value::Nil);
                    peer.leaves();
                }
            },
        )
        .await;
        let order = client.request("order").start().expect("it is sent");
        if is_detached {
            order.detach();
        } else {
            order.wait::<()>().await.expect("it answers");
        }
        drop(client);
        verdict(service).await;
    }
}

#[test]
fn a_blocking_client_says_so_before_it_is_gone() {
    for closes in [false, true] {
        let (client, service) = blocking_session(
            |connect| connect,
            |_, mut peer| {
                let (msgid, _) = peer.asked("order");
                peer.answer(msgid, Value::Nil);
                peer.leaves();
            },
        );
        client.call::<_, ()>("order", &map([])).expect("it answers");
        if closes {
            client.close();
        } else {
            drop(client);
        }
        service.join().expect("the service is content");
    }
}

#[tokio::test]
async fn a_client_that_goes_while_the_service_is_away_waits_for_nothing() {
    let (client, service) = session(
        |connect| connect,
        |fake, mut peer| {
            peer.asked("order");
            drop(peer);
            fake
        },
    )
    .await;
    let order = client.request("order").start().expect("it is sent");
    let fake = verdict(service).await;
    client.close().await;
    let words = order
        .wait::<()>()
        .await
        .expect_err("it is closed")
        .to_string();
    assert!(words.starts_with("the client was closed"), "{words}");
    drop(fake);
}
