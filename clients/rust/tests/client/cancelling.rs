//! Calls that are taken back while there is no service: what it cannot have got ends at once, and of the rest it is told
//! when it is back, however long that takes.

use std::time::Duration;

use rmpv::Value;
use standin_client::Outcome;

use crate::fake::{Fake, field, session, verdict};

#[tokio::test]
async fn a_call_that_was_not_sent_is_taken_back_here_and_the_service_never_hears_of_it() {
    let (client, service) = session(|connect| connect, |fake, _| fake.goes_away()).await;
    let endpoint = verdict(service).await;
    // Until the end of the connection is noticed there is something to be lost.
    client
        .request("lost")
        .timeout(Duration::from_millis(1))
        .send::<()>()
        .await
        .expect_err("nobody is there");
    for by_number in [true, false] {
        let pending = client.request("never").start().expect("it is kept");
        match by_number {
            true => client.cancel(pending.msgid()).expect("it is kept"),
            false => pending.cancel().await.expect("it is kept"),
        }
        let error = pending.wait::<()>().await.expect_err("it is cancelled");
        assert_eq!(
            (error.code(), error.outcome()),
            (Some("cancelled"), Outcome::NotExecuted)
        );
        assert_eq!(
            error.to_string(),
            "The call was cancelled before it was sent. (cancelled)"
        );
    }
    let order = client.request("order").start().expect("it is kept");
    let fake = Fake::listen_in(endpoint);
    let service = std::thread::spawn(move || {
        let mut peer = fake.resumed();
        peer.acknowledged();
        let (msgid, _) = peer.asked("order");
        peer.answer(msgid, Value::Nil);
        peer.leaves();
    });
    order.wait::<()>().await.expect("it is answered");
    // What has ended stays as it is.
    client.cancel(2).expect("there is nothing to do");
    drop(client);
    verdict(service).await;
}

#[tokio::test]
async fn a_call_that_the_service_may_have_is_taken_back_when_it_returns() {
    let (client, service) = session(
        |connect| connect.resume(Duration::from_secs(60)),
        |fake, mut peer| {
            let numbers = ["timed", "untimed"].map(|method| peer.asked(method).0);
            (fake.goes_away(), numbers)
        },
    )
    .await;
    let timed = client.request("timed").timeout(Duration::from_secs(50));
    let calls = [timed, client.request("untimed")].map(|call| call.start().expect("it is sent"));
    let (endpoint, numbers) = verdict(service).await;
    for call in &calls {
        client.cancel(call.msgid()).expect("it is kept");
    }
    // From here on time passes as soon as everybody waits.
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(20)).await;
    tokio::time::resume();
    let fake = Fake::listen_in(endpoint);
    let service = std::thread::spawn(move || {
        let mut peer = fake.resumed();
        peer.acknowledged();
        assert_eq!(
            ["timed", "untimed"].map(|method| peer.asked(method).0),
            numbers
        );
        for number in numbers {
            let (cancel, message) = peer.asked("standin.cancel");
            assert_eq!(field(&message[3][0], "msgid"), &number.into());
            peer.answer(cancel, Value::Nil);
            peer.answer(number, "in time".into());
        }
        peer.leaves();
    });
    for call in calls {
        assert_eq!(
            call.wait::<String>().await.expect("it is answered"),
            "in time"
        );
    }
    drop(client);
    verdict(service).await;
}
