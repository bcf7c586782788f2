//! What becomes of the session itself: forgotten by the service, denied, taken over, or not wanted.

use rmpv::Value;
use standin_client::{Bytes, CallError, Client, Outcome, Pending};

use crate::fake::{Fake, beside, field, map, session, verdict};

const OTHER: &str = "ffeeddccbbaa99887766554433221100";

/// One that may run twice by each reason there is, and one that may not.
fn start_each(client: &Client) -> [Pending; 3] {
    [
        client.request("keyed").key("order-17"),
        client.request("vouched_for").idempotent(),
        client.request("neither"),
    ]
    .map(|call| call.start().expect("it is sent"))
}

/// The service has no memory of the session: what it is asked then.
fn serve_anew(fake: &Fake, hello_again: impl FnOnce(&Fake) -> crate::fake::Peer) {
    let mut peer = hello_again(fake);
    for method in ["keyed", "vouched_for"] {
        let (msgid, message) = peer.asked(method);
        assert_eq!(beside(&message, "ack"), None, "{message}");
        peer.answer(msgid, method.into());
    }
    let (next, message) = peer.asked("next");
    // Of the numbers that this session knows, all but this one are answered.
    assert_eq!(beside(&message, "ack"), Some(&(next - 1).into()));
    drop(peer);
    // It is the new session that goes on.
    let mut peer = fake.accept();
    let (hello, message) = peer.asked("standin.hello");
    assert_eq!(field(&message[3][0], "session"), &OTHER.into());
    peer.welcome(hello, OTHER, true);
    peer.acknowledged();
    assert_eq!(peer.asked("next").0, next);
    peer.answer(next, Value::Nil);
}

async fn each_is_answered_as_far_as_it_may_run_twice(client: Client, each: [Pending; 3]) {
    let [keyed, vouched_for, neither] = each;
    for (pending, result) in [(keyed, "keyed"), (vouched_for, "vouched_for")] {
        assert_eq!(pending.wait::<String>().await.expect("it answers"), result);
    }
    let error = neither.wait::<()>().await.expect_err("nobody knows");
    assert_eq!(
        (error.code(), error.outcome()),
        (Some("outcome_unknown"), Outcome::Unknown)
    );
    assert_eq!(
        error.to_string(),
        "the service no longer knows what it was asked before the connection was lost; \
         whether the call was executed is not known"
    );
    client
        .call::<_, ()>("next", &map([]))
        .await
        .expect("it answers");
}

#[tokio::test]
async fn a_service_that_has_forgotten_is_asked_again_only_what_may_run_twice() {
    let (client, service) = session(
        |connect| connect,
        |fake, mut peer| {
            for method in ["keyed", "vouched_for", "neither"] {
                peer.asked(method);
            }
            drop(peer);
            serve_anew(&fake, |fake| {
                let (mut peer, hello) = fake.comes_back();
                peer.welcome(hello, OTHER, false);
                peer
            });
        },
    )
    .await;
    let each = start_each(&client);
    each_is_answered_as_far_as_it_may_run_twice(client, each).await;
    verdict(service).await;
}

#[tokio::test]
async fn a_session_that_is_denied_is_replaced_by_a_new_one() {
    let (client, service) = session(
        |connect| connect,
        |fake, mut peer| {
            for method in ["keyed", "vouched_for", "neither"] {
                peer.asked(method);
            }
            drop(peer);
            let (mut peer, hello) = fake.comes_back();
            let about = map([
                ("code", "session_denied".into()),
                ("outcome", "not_executed".into()),
            ]);
            let error = vec![15.into(), "It is somebody else's.".into(), about];
            peer.refuse(hello, error.into());
            peer.closes();
            serve_anew(&fake, |fake| {
                let mut peer = fake.accept();
                let (hello, message) = peer.asked("standin.hello");
                assert_eq!(crate::fake::entry(&message[3][0], "session"), None);
                peer.welcome(hello, OTHER, false);
                peer
            });
        },
    )
    .await;
    let each = start_each(&client);
    each_is_answered_as_far_as_it_may_run_twice(client, each).await;
    verdict(service).await;
}

#[tokio::test]
async fn what_the_service_cannot_have_got_is_asked_even_of_one_that_has_forgotten() {
    let (go, gone) = std::sync::mpsc::channel::<()>();
    let (client, service) = session(
        |connect| connect,
        move |fake, peer| {
            // It reads nothing and then goes.
            gone.recv().expect("the test goes on");
            drop(peer);
            let (mut peer, hello) = fake.comes_back();
            peer.welcome(hello, OTHER, false);
            for method in ["large", "behind", "later"] {
                let (msgid, _) = peer.asked(method);
                peer.answer(msgid, Value::Nil);
            }
        },
    )
    .await;
    // More than a socket holds, so it is under way until the service goes; the one behind it has not begun.
    let large = Bytes::from([b"\x91\xc6\x00\x80\x00\x00".as_slice(), &vec![7; 8 << 20]].concat());
    let large = client.request("large").raw_params(large);
    let large = large.start().expect("it is sent");
    let behind = client.request("behind").start().expect("it is sent");
    go.send(()).expect("the service waits");
    for pending in [large, behind] {
        pending.wait::<()>().await.expect("it answers");
    }
    client
        .call::<_, ()>("later", &map([]))
        .await
        .expect("it answers");
    verdict(service).await;
}

#[tokio::test]
async fn a_session_that_was_taken_over_is_left_alone() {
    let (client, service) = session(
        |connect| connect,
        |fake, mut peer| {
            peer.asked("order");
            peer.send(&Value::Array(vec![
                2.into(),
                "session.moved".into(),
                Value::Array(vec![]),
            ]));
            drop(peer);
            fake
        },
    )
    .await;
    let error = client.call::<_, ()>("order", &map([])).await;
    let error = error.expect_err("the answer goes elsewhere");
    assert!(matches!(error, CallError::SessionMoved { .. }), "{error:?}");
    assert_eq!(
        (error.code(), error.outcome()),
        (Some("session_moved"), Outcome::Unknown)
    );
    assert_eq!(
        error.to_string(),
        "a newer connection has taken over this program's session with the service; \
         whether the call was executed is not known"
    );
    let fake = verdict(service).await;
    let error = client.call::<_, ()>("order", &map([])).await;
    let error = error.expect_err("nothing is sent any more");
    assert_eq!(
        (error.code(), error.outcome()),
        (Some("session_moved"), Outcome::NotExecuted)
    );
    assert!(!fake.somebody_connects(), "it does not come back");
}

#[tokio::test]
async fn a_client_that_does_without_is_told_of_a_lost_connection() {
    let (client, service) = session(
        |connect| connect.without_resume(),
        |fake, mut peer| {
            peer.asked("order");
            drop(peer);
            fake
        },
    )
    .await;
    for outcome in [Outcome::Unknown, Outcome::NotExecuted] {
        match client.call::<_, ()>("order", &map([])).await {
            Err(CallError::ConnectionLost { outcome: known }) => assert_eq!(known, outcome),
            other => panic!("{other:?}"),
        }
    }
    let fake = verdict(service).await;
    assert!(!fake.somebody_connects(), "it does not come back");
}

#[tokio::test]
async fn a_service_that_keeps_no_sessions_any_more_is_asked_what_it_may_be_asked() {
    let (client, service) = session(
        |connect| connect,
        |fake, mut peer| {
            for method in ["keyed", "vouched_for", "neither"] {
                peer.asked(method);
            }
            drop(peer);
            let (mut peer, hello) = fake.comes_back();
            // An older version.
            peer.answer(
                hello,
                map([("session", Value::Nil), ("resumed", false.into())]),
            );
            for method in ["keyed", "vouched_for", "next"] {
                let (msgid, _) = peer.asked(method);
                peer.answer(msgid, method.into());
            }
            peer.asked("last");
        },
    )
    .await;
    let [keyed, vouched_for, neither] = start_each(&client);
    keyed.wait::<String>().await.expect("it answers");
    vouched_for.wait::<String>().await.expect("it answers");
    let error = neither.wait::<()>().await.expect_err("nobody knows");
    assert_eq!(error.code(), Some("outcome_unknown"));
    client
        .call::<_, String>("next", &map([]))
        .await
        .expect("it answers");
    match client.call::<_, ()>("last", &map([])).await {
        Err(CallError::ConnectionLost { outcome }) => assert_eq!(outcome, Outcome::Unknown),
        other => panic!("{other:?}"),
    }
    verdict(service).await;
}
