//! The service is gone for a while, or for good: whoever waits does so for as long as he wants to.

use std::time::Duration;

use rmpv::Value;
use standin_client::{CallError, Outcome};

use crate::fake::{Fake, TOKEN, blocking_session, map, session, verdict};

/// What it says when there is no service.
const NOBODY: &str = "the call's time ran out while there was no connection to the service; ";

#[tokio::test]
async fn calls_that_are_made_while_the_service_is_away_are_sent_when_it_is_back() {
    let (gone, is_gone) = tokio::sync::oneshot::channel();
    let (come, comes) = std::sync::mpsc::channel::<()>();
    let (client, service) = session(
        |connect| connect,
        move |fake, mut peer| {
            let (order, _) = peer.asked("order");
            drop(peer);
            let endpoint = fake.goes_away();
            gone.send(()).expect("the test waits");
            comes.recv().expect("the test goes on");
            let fake = Fake::listen_in(endpoint);
            let mut peer = fake.resumed();
            peer.acknowledged();
            assert_eq!(peer.asked("order").0, order);
            for _ in 0..50 {
                let (msgid, _) = peer.asked("meanwhile");
                peer.answer(msgid, Value::Nil);
            }
            peer.answer(order, Value::Nil);
            peer.leaves();
        },
    )
    .await;
    let order = client.request("order").start().expect("it is sent");
    is_gone.await.expect("the service goes");
    let meanwhile: Vec<_> = (0..50)
        .map(|_| client.request("meanwhile").start().expect("it is kept"))
        .collect();
    // Of one that nobody waits for any more the service never hears.
    drop(client.request("not_any_more").start().expect("it is kept"));
    come.send(()).expect("the service waits");
    for pending in meanwhile {
        pending.wait::<()>().await.expect("it answers");
    }
    order.wait::<()>().await.expect("it answers");
    drop(client);
    verdict(service).await;
}

#[test]
fn a_blocking_client_finds_a_service_that_was_away_between_two_calls() {
    let (client, service) = blocking_session(
        |connect| connect,
        |fake, mut peer| {
            let (msgid, _) = peer.asked("first");
            peer.answer(msgid, Value::Nil);
            drop(peer);
            let fake = Fake::listen_in(fake.goes_away());
            let mut peer = fake.resumed();
            assert!(peer.acknowledged() >= msgid);
            let (msgid, _) = peer.asked("second");
            peer.answer(msgid, Value::Nil);
            peer.leaves();
        },
    );
    for method in ["first", "second"] {
        client.call::<_, ()>(method, &map([])).expect("it answers");
    }
    drop(client);
    service.join().expect("the service is content");
}

#[tokio::test]
async fn a_call_whose_time_ends_during_an_outage_is_told_what_is_known() {
    let (client, service) = session(
        |connect| connect,
        |fake, mut peer| {
            peer.asked("order");
            drop(peer);
            fake.goes_away()
        },
    )
    .await;
    let minute = Duration::from_secs(60);
    let written = client.request("order").timeout(minute);
    let written = written.start().expect("it is sent");
    let _folder = verdict(service).await;
    // From here on time passes as soon as everybody waits.
    tokio::time::pause();
    let start = tokio::time::Instant::now();
    let error = written.wait::<()>().await.expect_err("nobody is there");
    assert_eq!(
        (error.code(), error.outcome()),
        (Some("deadline_exceeded"), Outcome::Unknown)
    );
    assert_eq!(
        error.to_string(),
        format!("{NOBODY}whether the call was executed is not known")
    );
    // Its time is up, and not the grace that a service is given to say so.
    assert!(start.elapsed() <= minute + Duration::from_millis(2));
    let later = client.request("order").timeout(minute * 10);
    let later = later.start().expect("it is kept");
    // One that ends sooner than those before it.
    let sooner = client.request("order").timeout(minute);
    let error = sooner.send::<()>().await.expect_err("nobody is there");
    assert_eq!(
        (error.code(), error.outcome()),
        (Some("deadline_exceeded"), Outcome::NotExecuted)
    );
    assert_eq!(
        error.to_string(),
        format!("{NOBODY}the call was not executed")
    );
    let error = later.wait::<()>().await.expect_err("nobody is there");
    assert_eq!(error.outcome(), Outcome::NotExecuted);
    assert!(start.elapsed() <= minute * 11 + Duration::from_millis(4));
}

#[tokio::test]
async fn a_call_without_a_time_of_its_own_waits_as_long_as_the_client_was_told() {
    let (client, service) = session(
        |connect| connect.resume(Duration::from_secs(20)),
        |fake, mut peer| {
            peer.asked("order");
            drop(peer);
            fake.goes_away()
        },
    )
    .await;
    let written = client.request("order").start().expect("it is sent");
    let endpoint = verdict(service).await;
    tokio::time::pause();
    let error = written.wait::<()>().await.expect_err("nobody is there");
    assert_eq!(error.outcome(), Outcome::Unknown);
    let where_it_was = endpoint.path().join("s");
    assert_eq!(
        error.to_string(),
        format!(
            "the connection to the service was lost and could not be made again within 20s: \
             no service answers at `{}`; whether the call was executed is not known",
            where_it_was.display()
        )
    );
    // Whoever comes later has time of his own.
    let start = tokio::time::Instant::now();
    let error = client.call::<_, ()>("order", &map([])).await;
    let error = error.expect_err("nobody is there");
    assert!(matches!(error, CallError::NotResumed { .. }), "{error:?}");
    assert_eq!(error.outcome(), Outcome::NotExecuted);
    assert!(start.elapsed() >= Duration::from_secs(20));
    // And the client is still good.
    tokio::time::resume();
    let fake = Fake::listen_in(endpoint);
    let service = std::thread::spawn(move || {
        let mut peer = fake.resumed();
        peer.acknowledged();
        let (msgid, _) = peer.asked("order");
        peer.answer(msgid, Value::Nil);
    });
    client
        .call::<_, ()>("order", &map([]))
        .await
        .expect("it answers");
    verdict(service).await;
}

#[tokio::test]
async fn a_service_that_loses_every_connection_is_not_asked_all_the_time() {
    let (client, service) = session(
        |connect| connect.resume(Duration::from_secs(1)),
        move |fake, mut peer| {
            peer.asked("order");
            drop(peer);
            let endpoint = fake.endpoint();
            // It takes the client in and goes, each time, until somebody says nothing.
            let service = std::thread::spawn(move || {
                let mut tries = 0;
                while let Some((mut peer, hello)) = fake.comes_back_or_ends() {
                    tries += 1;
                    peer.welcome(hello, TOKEN, true);
                    peer.acknowledged();
                }
                tries
            });
            (endpoint, service)
        },
    )
    .await;
    let error = client.call::<_, ()>("order", &map([])).await;
    let error = error.expect_err("it is never answered");
    assert_eq!(error.outcome(), Outcome::Unknown);
    let why = "within 1s: the service took the last one and lost it at once; whether";
    assert!(error.to_string().contains(why), "{error}");
    let (endpoint, service) = verdict(service).await;
    drop(std::os::unix::net::UnixStream::connect(endpoint.as_path()).expect("it listens"));
    let tries: u32 = verdict(service).await;
    // With the shortest pauses there are nine tries in the first second, and one more when the call is over.
    assert!((2..=10).contains(&tries), "{tries} tries");
}

#[tokio::test]
async fn a_client_with_nothing_open_leaves_the_service_alone_until_it_has() {
    let (client, service) = session(
        |connect| connect,
        |fake, mut peer| {
            let (msgid, _) = peer.asked("order");
            peer.answer(msgid, Value::Nil);
            drop(peer);
            fake
        },
    )
    .await;
    client
        .call::<_, ()>("order", &map([]))
        .await
        .expect("it answers");
    let fake = verdict(service).await;
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    tokio::time::resume();
    assert!(!fake.somebody_connects());
    let service = std::thread::spawn(move || {
        let mut peer = fake.resumed();
        peer.acknowledged();
        let (msgid, _) = peer.asked("order");
        peer.answer(msgid, Value::Nil);
    });
    client
        .call::<_, ()>("order", &map([]))
        .await
        .expect("it answers");
    verdict(service).await;
}
