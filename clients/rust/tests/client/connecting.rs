//! Connecting, within a limit that holds, and what is said when it does not succeed.

use std::{os::unix::fs::PermissionsExt, os::unix::net::UnixListener, time::Duration};

use standin_client::{CallError, Client, ConnectError, Endpoint, OpenError, blocking};

use crate::fake::{Fake, LIMIT, endpoint_in, map, verdict};

const SHORT: Duration = Duration::from_millis(50);

async fn within<T>(future: impl Future<Output = T>) -> T {
    let ended = tokio::time::timeout(LIMIT, future).await;
    ended.expect("it keeps to its own limit")
}

#[tokio::test]
async fn a_client_waits_for_a_service_that_comes_later() {
    let folder = tempfile::tempdir().expect("there is room");
    let endpoint = endpoint_in(&folder);
    let mut open = Box::pin(Client::connect(&endpoint, LIMIT));
    tokio::select! {
        opened = &mut open => panic!("nobody is there: {opened:?}"),
        () = tokio::time::sleep(SHORT) => {}
    }
    let service = Fake::listen_in(folder).serve(|peer| peer.closes());
    drop(within(open).await.expect("it has come"));
    verdict(service).await;
}

#[test]
fn a_blocking_client_waits_for_a_service_that_comes_later() {
    let folder = tempfile::tempdir().expect("there is room");
    let endpoint = endpoint_in(&folder);
    let waiting = std::thread::spawn(move || blocking::Client::connect(&endpoint, LIMIT));
    let service = Fake::listen_in(folder).serve(|peer| peer.closes());
    let opened = waiting.join().expect("it does not panic");
    drop(opened.expect("it has come"));
    service.join().expect("the service is content");
}

#[test]
fn a_service_that_never_comes_is_told_within_the_limit() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("there is one");
    let folder = tempfile::tempdir().expect("there is room");
    let endpoint = endpoint_in(&folder);
    let stale = UnixListener::bind(endpoint.as_path()).expect("it is free");
    drop(stale);
    let nowhere = Endpoint::private(folder.path(), "no/such/folder");
    for endpoint in [endpoint, nowhere] {
        let error = runtime.block_on(within(Client::connect(&endpoint, SHORT)));
        let error = error.expect_err("nobody is there");
        assert!(
            matches!(&error, OpenError::Connect(ConnectError::NotRunning { .. })),
            "{error:?}"
        );
        let words = error.to_string();
        let begins = format!("no Standin service answers at `{endpoint}` (waited ");
        assert!(words.starts_with(&begins), "{words}");
        let error = blocking::Client::connect(&endpoint, SHORT).expect_err("nobody is there");
        assert!(error.to_string().starts_with(&begins), "{error}");
    }
}

#[test]
fn a_path_that_this_user_may_not_use_is_told_as_such_and_at_once() {
    let fake = Fake::listen();
    let endpoint = fake.endpoint();
    let nobody = std::fs::Permissions::from_mode(0o000);
    std::fs::set_permissions(endpoint.as_path(), nobody).expect("it is ours");
    // The limit is longer than the test may take: a denial is not waited out.
    let tried = std::thread::spawn(move || {
        be_an_ordinary_user();
        blocking::Client::connect(&endpoint, Duration::from_secs(3600))
    });
    let error = tried.join().expect("it does not panic");
    let error = error.expect_err("this user may not connect");
    assert!(
        matches!(&error, OpenError::Connect(ConnectError::Denied { .. })),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .starts_with("this user may not connect to")
    );
}

/// Root may write to everything; this thread no longer may.
fn be_an_ordinary_user() {
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
    let mut own = capabilities(None).expect("the system tells");
    let above_the_law = CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH;
    own.effective.remove(above_the_law);
    set_capabilities(None, own).expect("less is always allowed");
}

#[tokio::test]
async fn a_path_that_can_never_be_a_service_is_told_at_once() {
    let folder = tempfile::tempdir().expect("there is room");
    std::fs::write(folder.path().join("file"), "no folder").expect("there is room");
    let endpoint = Endpoint::private(&folder.path().join("file"), "s");
    let error = within(Client::connect(&endpoint, Duration::from_secs(3600))).await;
    let error = error.expect_err("a file holds no sockets");
    assert!(
        matches!(&error, OpenError::Connect(ConnectError::Failed { .. })),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_service_that_takes_connections_and_says_nothing_is_told_within_the_limit() {
    let fake = Fake::listen();
    let error = Client::connect(&fake.endpoint(), LIMIT).await;
    let error = error.expect_err("it says nothing");
    match &error {
        OpenError::Silent { waited_ms, .. } => assert_eq!(*waited_ms, LIMIT.as_millis()),
        other => panic!("{other:?}"),
    }
    assert!(
        error
            .to_string()
            .contains("does not answer (waited 30000 ms)"),
        "{error}"
    );
}

#[tokio::test]
async fn a_service_that_is_ending_is_waited_for_and_one_that_stays_full_is_told() {
    let fake = Fake::listen();
    let endpoint = fake.endpoint();
    let service = std::thread::spawn(move || {
        drop(fake.accept());
        fake.accept().asked("standin.hello");
        let mut peer = fake.accept();
        peer.greet();
        peer.closes();
        fake
    });
    drop(
        within(Client::connect(&endpoint, LIMIT))
            .await
            .expect("the third time it is there"),
    );
    let fake = verdict(service).await;

    let service = std::thread::spawn(move || while fake.accept().next().is_some() {});
    let error = within(Client::connect(&endpoint, Duration::from_millis(120))).await;
    let error = error.expect_err("it is full");
    assert!(matches!(&error, OpenError::TurnedAway { .. }), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("closes every connection at once"),
        "{error}"
    );
    // A client that says nothing ends the service.
    drop(std::os::unix::net::UnixStream::connect(endpoint.as_path()).expect("it listens"));
    verdict(service).await;
}

#[tokio::test]
async fn a_refused_hello_is_told_in_the_services_words() {
    let fake = Fake::listen();
    let connect = fake.connect();
    let service = std::thread::spawn(move || {
        let mut peer = fake.accept();
        let (hello, _) = peer.asked("standin.hello");
        let about = map([
            ("code", "access_denied".into()),
            ("outcome", "not_executed".into()),
        ]);
        peer.refuse(
            hello,
            vec![17.into(), "You are not a customer.".into(), about].into(),
        );
    });
    let error = within(connect.open()).await.expect_err("it is refused");
    assert!(
        matches!(&error, OpenError::Hello(CallError::Service(_))),
        "{error:?}"
    );
    assert_eq!(
        error.to_string(),
        "the service refused the hello: You are not a customer. (access_denied)"
    );
    verdict(service).await;
}

#[tokio::test]
async fn the_hello_says_who_is_there_and_what_it_takes() {
    for (connects, says) in [
        (
            (|connect| connect) as fn(standin_client::Connect) -> _,
            map([("callbacks", false.into()), ("progress", false.into())]),
        ),
        (
            |connect| {
                let connect = connect.name("books").progress(|_, _| {});
                connect.callbacks(|callback| async move { callback.answer(&()) })
            },
            map([
                ("client", "books".into()),
                ("callbacks", true.into()),
                ("callback_batches", true.into()),
                ("progress", true.into()),
            ]),
        ),
    ] {
        let fake = Fake::listen();
        let connect = connects(fake.connect());
        let service = std::thread::spawn(move || {
            let mut peer = fake.accept();
            let (hello, message) = peer.asked("standin.hello");
            peer.answer(hello, map([]));
            message[3].clone()
        });
        let client = within(connect.open())
            .await
            .expect("an empty answer will do");
        let said = verdict(service).await;
        assert_eq!(said, rmpv::Value::Array(vec![says]));
        drop(client);
    }
}
