//! What is said again on another connection, and what is not.

use rmpv::Value;
use tokio::sync::oneshot;

use crate::fake::{LIMIT, beside, client_that, field, map, session, verdict};

/// The same request as before, but for what stands beside it.
pub(crate) fn is_the_same(first: &Value, again: &Value) {
    let shown = |message: &Value| message.as_array().expect("a request")[..4].to_vec();
    assert_eq!(shown(first), shown(again));
}

#[tokio::test]
async fn what_a_caller_wishes_stays_and_his_time_is_told_as_what_is_left_of_it() {
    let (client, service) = session(
        |connect| connect,
        |fake, mut peer| {
            let (msgid, first) = peer.asked("order");
            drop(peer);
            let mut peer = fake.resumed();
            peer.acknowledged();
            let (_, again) = peer.asked("order");
            peer.answer(msgid, Value::Nil);
            (first, again)
        },
    )
    .await;
    let call = client.request("order").timeout(LIMIT).idempotent();
    call.key("order-17").send::<()>().await.expect("it answers");
    let (first, again) = verdict(service).await;
    is_the_same(&first, &again);
    for name in ["key", "idempotent"] {
        assert_eq!(beside(&first, name), beside(&again, name));
    }
    let timeout = |message| beside(message, "timeout_ms").and_then(Value::as_u64);
    assert_eq!(timeout(&first), Some(LIMIT.as_millis() as u64));
    assert!(timeout(&again) < timeout(&first), "{again}");
    assert!(timeout(&again) > Some(0), "{again}");
    assert_eq!(
        beside(&again, "ack"),
        None,
        "it is told before, so that no message becomes too large by it"
    );
}

#[tokio::test]
async fn answers_that_come_again_are_dropped_and_counted() {
    let (client, service) = session(
        |connect| connect,
        |fake, mut peer| {
            let (first, _) = peer.asked("first");
            let (second, _) = peer.asked("second");
            peer.answer(first, 1.into());
            // So that the first answer has arrived before the cut.
            let (third, _) = peer.asked("third");
            drop(peer);
            let mut peer = fake.resumed();
            assert_eq!(peer.acknowledged(), first);
            peer.answer(first, "again".into());
            peer.answer(second, 2.into());
            peer.answer(second, "again".into());
            assert_eq!(peer.asked("second").0, second);
            assert_eq!(peer.asked("third").0, third);
            peer.answer(second, "and again".into());
            peer.answer(third, 3.into());
        },
    )
    .await;
    let start = |method| client.request(method).start().expect("it is sent");
    let (first, second) = (start("first"), start("second"));
    assert_eq!(first.wait::<u64>().await.expect("it answers"), 1);
    let third = start("third");
    assert_eq!(second.wait::<u64>().await.expect("it answers"), 2);
    assert_eq!(third.wait::<u64>().await.expect("it answers"), 3);
    assert_eq!(client.unknown_answers(), 3);
    verdict(service).await;
}

#[tokio::test]
async fn a_callback_that_was_being_answered_is_not_answered_on_another_connection() {
    let (began, begun) = oneshot::channel();
    let (release, held) = oneshot::channel::<()>();
    let once = std::sync::Mutex::new(Some((began, held)));
    let (client, service) = session(
        |connect| {
            connect.callbacks(move |callback| {
                let first = once.lock().expect("it is held briefly").take();
                async move {
                    if let Some((began, held)) = first {
                        began.send(()).expect("the test waits");
                        held.await.expect("the test goes on");
                        return callback.answer("late");
                    }
                    callback.answer("in time")
                }
            })
        },
        |fake, mut peer| {
            let (msgid, _) = peer.asked("order");
            peer.ask(1, "confirm", map([]));
            begun.blocking_recv().expect("it is asked");
            drop(peer);
            let mut peer = fake.resumed();
            peer.acknowledged();
            assert_eq!(peer.asked("order").0, msgid);
            // The late answer would come first.
            release.send(()).expect("the handler waits");
            peer.ask(1, "confirm", map([]));
            assert_eq!(peer.answered(1).1, "in time".into());
            peer.answer(msgid, Value::Nil);
            peer.leaves();
        },
    )
    .await;
    client
        .call::<_, ()>("order", &map([]))
        .await
        .expect("it answers");
    drop(client);
    verdict(service).await;
}

#[tokio::test]
async fn a_call_that_was_taken_back_is_not_sent_again_but_taken_back_again() {
    let (taken, is_taken) = oneshot::channel();
    let (client, service) = session(
        |connect| connect,
        |fake, mut peer| {
            let (slow, _) = peer.asked("slow");
            taken.send(()).expect("the test waits");
            let (cancel, _) = peer.asked("standin.cancel");
            drop(peer);
            let mut peer = fake.resumed();
            assert_eq!(peer.acknowledged(), slow - 1);
            let (again, message) = peer.asked("standin.cancel");
            assert_eq!(again, cancel);
            assert_eq!(field(&message[3][0], "msgid"), &slow.into());
            peer.answer(cancel, map([("found", false.into())]));
            let (next, _) = peer.asked("next");
            peer.answer(next, Value::Nil);
            let (last, message) = peer.asked("last");
            // Nobody waits for the slow one any more, and the service need not keep it.
            assert_eq!(beside(&message, "ack"), Some(&(last - 1).into()));
            peer.answer(last, Value::Nil);
        },
    )
    .await;
    let slow = client.request("slow").start().expect("it is sent");
    is_taken.await.expect("the service has it");
    drop(slow);
    for method in ["next", "last"] {
        let answer = client.call::<_, ()>(method, &map([])).await;
        answer.expect("it answers");
    }
    verdict(service).await;
}

#[tokio::test]
async fn a_service_without_sessions_is_said_nothing_that_it_would_not_know() {
    let (client, service) = client_that(
        |connect| connect,
        |peer| {
            for _ in 0..200 {
                let (msgid, message) = peer.asked("order");
                assert_eq!(message.as_array().map(Vec::len), Some(4), "{message}");
                peer.answer(msgid, Value::Nil);
            }
            peer.closes();
        },
    )
    .await;
    for _ in 0..200 {
        client
            .call::<_, ()>("order", &map([]))
            .await
            .expect("it answers");
    }
    client.close().await;
    verdict(service).await;
}
