//! The service is told which answers were read, so that it need not keep them.

use rmpv::Value;

use crate::fake::{beside, map, session, verdict};

#[tokio::test]
async fn a_request_says_what_was_answered_before_it() {
    let (client, service) = session(
        |connect| connect,
        |_, mut peer| {
            let mut acks = Vec::new();
            for _ in 0..3 {
                let (msgid, message) = peer.asked("order");
                acks.push(beside(&message, "ack").and_then(Value::as_u64));
                peer.answer(msgid, Value::Nil);
            }
            peer.leaves();
            acks
        },
    )
    .await;
    for _ in 0..3 {
        client
            .call::<_, ()>("order", &map([]))
            .await
            .expect("it answers");
    }
    drop(client);
    assert_eq!(verdict(service).await, [None, Some(2), Some(3)]);
}

#[tokio::test]
async fn nothing_beyond_an_open_call_is_acknowledged() {
    let (client, service) = session(
        |connect| connect,
        |_, mut peer| {
            let (slow, _) = peer.asked("slow");
            for _ in 0..100 {
                let (msgid, message) = peer.asked("quick");
                assert_eq!(beside(&message, "ack"), None, "{message}");
                peer.answer(msgid, Value::Nil);
            }
            peer.answer(slow, Value::Nil);
            // Now there is much to say, and no request that could say it.
            assert_eq!(peer.acknowledged(), slow + 100);
            peer.leaves();
        },
    )
    .await;
    let slow = client.request("slow").start().expect("it is sent");
    for _ in 0..100 {
        client
            .call::<_, ()>("quick", &map([]))
            .await
            .expect("it answers");
    }
    slow.wait::<()>().await.expect("it answers");
    drop(client);
    verdict(service).await;
}

#[tokio::test]
async fn many_answers_and_large_ones_are_acknowledged_without_a_request() {
    let (client, service) = session(
        |connect| connect,
        |_, mut peer| {
            let many: Vec<_> = (0..64).map(|_| peer.asked("order").0).collect();
            for msgid in &many {
                peer.answer(*msgid, Value::Nil);
            }
            assert_eq!(peer.acknowledged(), many[63]);
            let (large, message) = peer.asked("large");
            assert_eq!(beside(&message, "ack"), None, "that was told");
            peer.answer(large, vec![7_u8; (1 << 20) + 1].as_slice().into());
            assert_eq!(peer.acknowledged(), large);
            peer.leaves();
        },
    )
    .await;
    let start = |method| client.request(method).start().expect("it is sent");
    let many: Vec<_> = (0..64).map(|_| start("order")).collect();
    for pending in many {
        pending.wait::<()>().await.expect("it answers");
    }
    client
        .request("large")
        .send_raw()
        .await
        .expect("it answers");
    drop(client);
    verdict(service).await;
}
