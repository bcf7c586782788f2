//! What an endpoint promises: one owner, readable refusals, and no harm from those who only look.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use bytes::Bytes;
use standin_protocol::{Limits, Message, notification};
use standin_transport::{
    Access, ConnectError, Endpoint, ListenError, Listener, MessageReader, ReadError, connect,
    message_writer,
};

fn endpoint(folder: &tempfile::TempDir) -> Endpoint {
    Endpoint::private(folder.path(), "s.sock")
}

#[tokio::test]
async fn a_second_service_on_the_same_name_is_refused_and_told_who_owns_it() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = endpoint(&folder);
    let first = Listener::bind(&endpoint, &Access::default()).unwrap();
    match Listener::bind(&endpoint, &Access::default()) {
        Err(ListenError::AlreadyRunning { pid, .. }) => assert_eq!(pid, Some(std::process::id())),
        other => panic!("{other:?}"),
    }
    drop(first);
    Listener::bind(&endpoint, &Access::default()).expect("the name is free again");
}

#[cfg(unix)]
#[tokio::test]
async fn a_stale_socket_is_taken_over_but_another_file_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = endpoint(&folder);
    drop(std::os::unix::net::UnixListener::bind(endpoint.as_path()).unwrap());
    assert!(endpoint.as_path().exists(), "a crash leaves the file");
    drop(Listener::bind(&endpoint, &Access::default()).unwrap());
    assert!(
        !endpoint.as_path().exists(),
        "a listener removes its own file"
    );
    std::fs::write(endpoint.as_path(), "somebody's data").unwrap();
    Listener::bind(&endpoint, &Access::default()).expect_err("that is no socket");
    assert_eq!(
        std::fs::read(endpoint.as_path()).unwrap(),
        b"somebody's data"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn the_socket_has_the_mode_that_was_set() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let endpoint = endpoint(&folder);
    let _listener = Listener::bind(&endpoint, &Access::new(0o660, None)).unwrap();
    let mode = std::fs::metadata(endpoint.as_path())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o660);
    let unknown = Access::new(0o660, Some("no-such-group-here".into()));
    let other = Endpoint::private(folder.path(), "t.sock");
    assert!(matches!(
        Listener::bind(&other, &unknown),
        Err(ListenError::UnknownGroup { .. })
    ));
}

#[tokio::test]
async fn a_client_waits_for_a_service_that_is_not_there_yet_but_not_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = endpoint(&folder);
    let limit = Duration::from_millis(60);
    assert!(matches!(
        connect(&endpoint, limit).await,
        Err(ConnectError::NotRunning { .. })
    ));
    let late = endpoint.clone();
    let service = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let listener = Listener::bind(&late, &Access::default()).unwrap();
        listener.accept().await.unwrap()
    });
    let client = connect(&endpoint, Duration::from_secs(10)).await.unwrap();
    let accepted = service.await.unwrap();
    assert_eq!(accepted.peer().pid, Some(std::process::id()));
    assert_eq!(accepted.peer().user, client.peer().user);
    assert_eq!(accepted.peer().user, standin_transport::own_user());
}

#[tokio::test]
async fn a_probe_without_a_byte_costs_nothing_and_the_next_client_gets_in() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = endpoint(&folder);
    let listener = Listener::bind(&endpoint, &Access::default()).unwrap();
    for _ in 0..100 {
        drop(connect(&endpoint, Duration::from_secs(5)).await.unwrap());
        let probe = listener.accept().await.unwrap();
        let mut reader = MessageReader::new(probe, Limits::default());
        assert!(matches!(
            reader.read(&mut Vec::new()).await,
            Err(ReadError::Closed)
        ));
    }
    let _client = connect(&endpoint, Duration::from_secs(5)).await.unwrap();
    listener.accept().await.unwrap();
}

async fn pair() -> (
    MessageReader,
    standin_transport::Connection,
    tempfile::TempDir,
) {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = endpoint(&folder);
    let listener = Listener::bind(&endpoint, &Access::default()).unwrap();
    let client = connect(&endpoint, Duration::from_secs(5)).await.unwrap();
    let server = listener.accept().await.unwrap();
    (
        MessageReader::new(server, Limits::default()),
        client,
        folder,
    )
}

#[tokio::test]
async fn messages_small_and_large_arrive_in_order_and_whole() {
    let (mut reader, client, _folder) = pair().await;
    let (writer, work) = message_writer(client);
    let sizes = [0, 10, 1500, 5000, 100, 3_000_000, 70_000, 1, 2];
    let body = |size: usize| {
        let mut body = Vec::new();
        rmp_bin(&mut body, &vec![7; size]);
        Bytes::from(body)
    };
    for size in sizes {
        writer.send(notification(b"n", &body(size)));
    }
    assert!(writer.queued_bytes() > 3_000_000);
    let counter = writer.clone();
    let work = tokio::spawn(work);
    let mut messages = Vec::new();
    while messages.len() < sizes.len() {
        reader.read(&mut messages).await.unwrap();
    }
    for (message, size) in messages.iter().zip(sizes) {
        let Message::Notification(told) = message else {
            panic!("{message:?}")
        };
        assert_eq!(told.params, body(size));
    }
    drop(writer);
    assert_eq!(counter.frames_given(), sizes.len() as u64);
    assert_eq!(counter.queued_bytes(), 0);
    drop(counter);
    work.await.unwrap().unwrap();
    assert!(matches!(
        reader.read(&mut messages).await,
        Err(ReadError::Closed)
    ));
}

/// The other end may act on the first of several messages while the last still waits for room. The first may then not be
/// taken for unsent, nor the last for sent.
#[cfg(unix)]
#[tokio::test]
async fn of_a_write_that_stalls_exactly_the_whole_messages_count_as_given() {
    let (mut reader, client, _folder) = pair().await;
    let (writer, work) = message_writer(client);
    let mut body = Vec::new();
    rmp_bin(&mut body, &vec![7; 100_000]);
    for _ in 0..40 {
        writer.send(notification(b"n", &Bytes::from(body.clone())));
    }
    let work = tokio::spawn(work);
    let mut messages = Vec::new();
    reader.read(&mut messages).await.unwrap();
    assert!(writer.queued_bytes() > 0, "the last has no room yet");
    let given = writer.frames_given();
    assert!(
        given >= messages.len() as u64 && given < 40,
        "{given} given, {} have come",
        messages.len()
    );
    while messages.len() < 40 {
        reader.read(&mut messages).await.unwrap();
    }
    assert_eq!(writer.frames_given(), 40);
    work.abort();
}

// On Windows the system takes a write before it looks who reads, so there nothing is claimed of such a message.
#[cfg(unix)]
#[tokio::test]
async fn messages_for_an_end_that_is_gone_are_known_to_be_unsent() {
    let (reader, client, _folder) = pair().await;
    drop(reader);
    let (writer, work) = message_writer(client);
    writer.send(notification(b"n", &Bytes::from_static(&[0x90])));
    work.await.expect_err("nobody is there");
    assert!(writer.is_closed());
    assert_eq!(writer.frames_given(), 0);
}

fn rmp_bin(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(0xc6);
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_be_bytes());
    out.extend_from_slice(bytes);
}

#[tokio::test]
async fn an_end_inside_a_message_is_an_error_and_what_came_before_is_delivered() {
    let (mut reader, client, _folder) = pair().await;
    let (writer, work) = message_writer(client);
    writer.send(notification(b"n", &Bytes::from_static(&[0x90])));
    writer.send(standin_protocol::Frame::Whole(Bytes::from_static(
        b"\x93\x02\xa5he",
    )));
    drop(writer);
    work.await.unwrap();
    let mut messages = Vec::new();
    reader.read(&mut messages).await.unwrap();
    assert_eq!(messages.len(), 1);
    assert!(matches!(
        reader.read(&mut messages).await,
        Err(ReadError::Wire(_))
    ));
}

#[test]
fn a_wrong_endpoint_is_explained() {
    assert!(Endpoint::parse("").is_err());
    assert!(
        Endpoint::parse(r"\\server\pipe\standin")
            .is_err_and(|error| error.to_string().contains("hint"))
    );
    assert!(Endpoint::parse(&"x".repeat(300)).is_err());
}
