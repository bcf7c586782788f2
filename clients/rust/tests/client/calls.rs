//! Calls and their answers, deadlines and taking back.

use std::time::Duration;

use rmpv::Value;
use standin_client::{Bytes, CallError, Outcome};
use tokio::sync::oneshot;

use crate::fake::{client, field, map, verdict};

#[tokio::test]
async fn what_a_caller_wishes_goes_out_beside_the_call() {
    let (client, service) = client(|peer| {
        let (plain, without) = peer.asked("text.find");
        peer.answer(plain, 1.into());
        let (full, with) = peer.asked("text.find");
        peer.answer(full, 2.into());
        (without, with)
    })
    .await;
    let arguments = serde_json::json!({ "text": "one" });
    assert_eq!(
        client
            .call::<_, u64>("text.find", &arguments)
            .await
            .expect("it answers"),
        1
    );
    let call = client
        .request("text.find")
        .raw_params(Bytes::from_static(b"\x91\x81\xa4text\xa3one"))
        .timeout(Duration::from_millis(2500))
        .idempotent()
        .key("invoice-4711");
    assert_eq!(call.send::<u64>().await.expect("it answers"), 2);
    let (without, with) = verdict(service).await;
    assert_eq!(without.as_array().map(Vec::len), Some(4), "{without}");
    assert_eq!(without[3], with[3]);
    assert_eq!(field(&with[4], "timeout_ms"), &2500.into());
    assert_eq!(field(&with[4], "idempotent"), &true.into());
    assert_eq!(
        field(&with[4], "key").as_slice(),
        Some(b"invoice-4711".as_slice())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_many_calls_from_many_tasks_gets_its_own_answer() {
    const TASKS: u64 = 50;
    const CALLS: u64 = 20;
    let (client, service) = client(|peer| {
        // A task's calls wait for one another, so each round brings one call of every task.
        for _ in 0..CALLS {
            let mut round: Vec<_> = (0..TASKS).map(|_| peer.asked("echo")).collect();
            round.reverse();
            for (msgid, message) in round {
                peer.answer(msgid, field(&message[3][0], "number").clone());
            }
        }
    })
    .await;
    let tasks = (0..TASKS).map(|task| {
        let client = client.clone();
        tokio::spawn(async move {
            for call in 0..CALLS {
                let number = task * CALLS + call;
                let arguments = std::collections::BTreeMap::from([("number", number)]);
                let echoed: u64 = client.call("echo", &arguments).await.expect("it answers");
                assert_eq!(echoed, number);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("every answer was right");
    }
    assert_eq!(client.unknown_answers(), 0);
    verdict(service).await;
}

#[tokio::test]
async fn an_error_carries_all_that_the_service_says_of_it() {
    let (client, service) = client(|peer| {
        let (msgid, _) = peer.asked("mail.send");
        let about = map([
            ("code", "overloaded".into()),
            ("outcome", "not_executed".into()),
            ("retry_after_ms", 250.into()),
            ("data", map([("queue", 1000.into())])),
        ]);
        peer.refuse(
            msgid,
            vec![6.into(), "Too much is waiting.".into(), about].into(),
        );
        let (msgid, _) = peer.asked("mail.send");
        peer.refuse(msgid, "boom".into());
    })
    .await;
    let error = client.call::<_, ()>("mail.send", &map([])).await;
    let error = error.expect_err("it is refused");
    assert_eq!(error.code(), Some("overloaded"));
    assert_eq!(error.outcome(), Outcome::NotExecuted);
    let answer = error.answer().expect("it is the service's");
    assert_eq!((answer.number, answer.retry_after_ms), (6, Some(250)));
    assert_eq!(answer.message, "Too much is waiting.");
    assert_eq!(
        answer.data.as_deref(),
        Some(b"\x81\xa5queue\xcd\x03\xe8".as_slice())
    );
    assert_eq!(error.to_string(), "Too much is waiting. (overloaded)");
    // A strange worker's words come through as well.
    let error = client.call::<_, ()>("mail.send", &map([])).await;
    let error = error.expect_err("it fails");
    assert_eq!(
        (error.code(), error.outcome()),
        (Some("worker_error"), Outcome::Executed)
    );
    assert_eq!(error.to_string(), "boom (worker_error)");
    verdict(service).await;
}

#[tokio::test]
async fn a_result_of_another_shape_is_an_error_that_knows_the_call_was_executed() {
    let (client, service) = client(|peer| {
        let (msgid, _) = peer.asked("count");
        peer.answer(msgid, "many".into());
    })
    .await;
    let error = client.call::<_, u64>("count", &map([])).await;
    let error = error.expect_err("that is no number");
    assert!(matches!(&error, CallError::Decode(_)), "{error:?}");
    assert_eq!(error.outcome(), Outcome::Executed);
    verdict(service).await;
}

#[tokio::test]
async fn a_silent_service_is_not_waited_for_beyond_the_calls_own_time_and_a_grace() {
    let (client, service) = client(|peer| {
        let (call, message) = peer.asked("slow");
        let (_, cancel) = peer.asked("standin.cancel");
        (call, message, cancel)
    })
    .await;
    let call = client.request("slow").timeout(Duration::from_secs(60));
    // From here on time passes as soon as everybody waits, and the service never says anything.
    tokio::time::pause();
    let error = call.send::<()>().await.expect_err("it says nothing");
    match &error {
        CallError::NoAnswer { waited } => assert_eq!(*waited, Duration::from_secs(65)),
        other => panic!("{other:?}"),
    }
    assert_eq!(error.outcome(), Outcome::Unknown);
    let (call, message, cancel) = verdict(service).await;
    assert_eq!(field(&message[4], "timeout_ms"), &60_000.into());
    assert_eq!(
        field(&cancel[3][0], "msgid"),
        &call.into(),
        "nobody waits, so it is taken back"
    );
}

#[tokio::test]
async fn a_call_whose_future_is_dropped_is_taken_back_and_its_late_answer_harms_nobody() {
    let (began, begun) = oneshot::channel();
    let (client, service) = client(|peer| {
        let (slow, _) = peer.asked("slow");
        began.send(()).expect("the test waits");
        let (cancel, message) = peer.asked("standin.cancel");
        assert_eq!(field(&message[3][0], "msgid"), &slow.into());
        peer.answer(cancel, map([("found", true.into())]));
        peer.answer(slow, "late".into());
        let (next, _) = peer.asked("next");
        peer.answer(next, "well".into());
    })
    .await;
    tokio::select! {
        answer = client.request("slow").send::<String>() => panic!("no answer was sent: {answer:?}"),
        begun = begun => begun.expect("the service has the call"),
    }
    let next: String = client
        .call("next", &map([]))
        .await
        .expect("the connection goes on");
    assert_eq!(next, "well");
    assert_eq!(
        client.unknown_answers(),
        0,
        "both answers belong to something that was asked"
    );
    verdict(service).await;
}

#[tokio::test]
async fn a_call_that_is_cancelled_still_gets_its_one_answer() {
    let (client, service) = client(|peer| {
        let (slow, _) = peer.asked("slow");
        let (cancel, message) = peer.asked("standin.cancel");
        assert_eq!(field(&message[3][0], "msgid"), &slow.into());
        peer.answer(cancel, map([("found", true.into())]));
        let about = map([
            ("code", "cancelled".into()),
            ("outcome", "not_executed".into()),
        ]);
        peer.refuse(
            slow,
            vec![8.into(), "It was cancelled.".into(), about].into(),
        );
    })
    .await;
    let pending = client.request("slow").start().expect("it is sent");
    pending.cancel().await.expect("the service takes it");
    let error = pending.wait::<()>().await.expect_err("it was cancelled");
    assert_eq!(
        (error.code(), error.outcome()),
        (Some("cancelled"), Outcome::NotExecuted)
    );
    verdict(service).await;
}

#[tokio::test]
async fn a_detached_call_runs_on_and_an_answered_one_is_not_taken_back() {
    let (client, service) = client(|peer| {
        peer.asked("detached");
        let (answered, _) = peer.asked("answered");
        peer.answer(answered, Value::Nil);
        // What comes next says that nothing was taken back in between.
        let (next, _) = peer.asked("next");
        peer.answer(next, Value::Nil);
    })
    .await;
    client
        .request("detached")
        .start()
        .expect("it is sent")
        .detach();
    client
        .call::<_, ()>("answered", &map([]))
        .await
        .expect("it answers");
    client
        .call::<_, ()>("next", &map([]))
        .await
        .expect("it answers");
    verdict(service).await;
}

#[tokio::test]
async fn answers_to_nothing_are_dropped_and_counted() {
    let (client, service) = client(|peer| {
        let (msgid, _) = peer.asked("once");
        peer.answer(999, "stray".into());
        peer.answer(msgid, "first".into());
        peer.answer(msgid, "second".into());
        let (msgid, _) = peer.asked("once");
        peer.answer(msgid, "third".into());
    })
    .await;
    for expected in ["first", "third"] {
        let answer: String = client.call("once", &map([])).await.expect("it answers");
        assert_eq!(answer, expected);
    }
    assert_eq!(client.unknown_answers(), 2);
    verdict(service).await;
}
