//! A worker whose first request comes together with the answer to its hello.

use standin_protocol::{self as protocol, Frame, Limits, Message};
use standin_transport::{Access, Endpoint, Listener, MessageReader, connect, message_writer};
use standin_worker::{Context, Failure, Method, Replay, Worker};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Nothing {}

async fn ping(_context: Context, _nothing: Nothing) -> Result<String, Failure> {
    Ok("pong".to_owned())
}

#[tokio::test]
async fn a_request_right_behind_the_answer_to_the_hello_is_served() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let endpoint = Endpoint::private(folder.path(), "early.sock");
    let listener = Listener::bind(&endpoint, &Access::default()).expect("it can listen");
    let limit = std::time::Duration::from_secs(10);
    let service = tokio::spawn(async move {
        let connection = listener.accept().await.expect("the worker connects");
        let (writer, work) = message_writer(connection.clone());
        let mut reader = MessageReader::new(connection, Limits::default());
        let mut messages = Vec::new();
        reader
            .read(&mut messages)
            .await
            .expect("the worker says hello");
        let Some(Message::Request(hello)) = messages.pop() else {
            panic!("the first word of a worker is a request");
        };
        // One piece, so that the worker reads both at once.
        let mut both = Vec::new();
        let answer = protocol::response_ok(hello.msgid, &protocol::encode(&true));
        let request = protocol::request(7, b"early.ping", &protocol::encode(&[()]), None);
        for piece in answer.pieces().iter().chain(request.pieces()) {
            both.extend_from_slice(piece);
        }
        writer.send(Frame::Whole(both.into()));
        tokio::spawn(work);
        reader
            .read(&mut messages)
            .await
            .expect("the worker answers");
        messages.pop()
    });
    let connection = connect(&endpoint, limit)
        .await
        .expect("the service listens");
    let method = Method::new("early.ping", ping)
        .replay(Replay::Always)
        .doc("Answers.");
    let worker = Worker::new("early", "1").method(method);
    let served = tokio::spawn(async move { worker.serve(connection, "token").await });
    let answer = tokio::time::timeout(limit, service)
        .await
        .expect("an answer comes");
    match answer.expect("the service does not fail") {
        Some(Message::Response(answer)) => assert_eq!(answer.msgid, 7),
        other => panic!("an answer was expected, not {other:?}"),
    }
    served
        .await
        .expect("the worker does not panic")
        .expect("it ends with the service");
}
