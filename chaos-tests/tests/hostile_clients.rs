//! Whatever one client does, the others are served.
#![cfg(unix)]

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use chaos_tests::under_test::UnderTest;
use standin_client::blocking::Client;

const LIMIT: Duration = Duration::from_secs(20);

#[test]
fn the_service_outlives_every_client_and_serves_the_others() {
    let under_test = UnderTest::start(Path::new(env!("CARGO_BIN_EXE_chaos-tests")), 1, "", "");
    let client = Client::connect(&under_test.endpoint(), LIMIT).expect("the service starts");
    let endpoint = under_test.endpoint();
    let connect = || UnixStream::connect(endpoint.as_path()).expect("there is room");
    chaos_tests::under_test::eventually(LIMIT, "both workers are ready", || {
        let status: serde_json::Value = client.call("standin.status", &()).expect("it answers");
        let workers = status["pools"][0]["workers"].as_array().expect("a list");
        workers.len() == 2 && workers.iter().all(|worker| worker["state"] == "ready")
    });
    let files_before = under_test.open_files();

    let mut deep = vec![0x94, 0x00, 0x01, 0xa1, b'x'];
    deep.extend([0x91; 200]);
    let hostile: [&[u8]; 9] = [
        b"",
        b"\x94\x00",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xc1",
        b"\x94\x00\x01\xa1x\xdd\xff\xff\xff\xff",
        b"\x94\x07\x01\xa1x\x90",
        b"\x94\x01\xcd\xff\xff\xc0\xc0",
        b"\x93\x02\xa7unknown\x90",
        &deep,
    ];
    for bytes in hostile {
        for _ in 0..20 {
            connect().write_all(bytes).expect("the service reads");
        }
        let pong: String = client
            .call("standin.ping", &())
            .expect("the others are served");
        assert_eq!(pong, "pong");
    }
    // One that asks and asks and never reads its answers.
    let mut deaf = connect();
    deaf.set_write_timeout(Some(Duration::from_millis(500)))
        .expect("it can be set");
    let question = b"\x94\x00\x01\xb0standin.methods_\x90".repeat(5000);
    let _ = deaf.write_all(&question);
    let pong: String = client
        .call("standin.ping", &())
        .expect("the others are served");
    assert_eq!(pong, "pong");
    drop(deaf);

    // A wrong request is answered, and the connection goes on.
    let mut wrong = connect();
    wrong
        .write_all(b"\x94\x00\x05\x07\x90\x94\x00\x06\xacstandin.ping\x90")
        .expect("the service reads");
    wrong.set_read_timeout(Some(LIMIT)).expect("it can be set");
    let mut answers = Vec::new();
    let mut buffer = [0; 1024];
    while !answers.windows(4).any(|window| window == b"pong") {
        let read = wrong.read(&mut buffer).expect("it answers");
        assert!(read > 0, "it does not hang up");
        answers.extend_from_slice(&buffer[..read]);
    }
    drop(wrong);
    chaos_tests::under_test::eventually(LIMIT, "the service has let go of its clients", || {
        under_test.open_files() <= files_before + 5
    });
}
