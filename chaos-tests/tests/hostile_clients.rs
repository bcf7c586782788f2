//! Whatever one client does, the others are served.

use std::{
    io::{Read, Write},
    path::Path,
    time::Duration,
};

use chaos_tests::{platform, under_test::UnderTest};
use standin_client::blocking::Client;

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn the_service_outlives_every_client_and_serves_the_others() {
    let under_test = UnderTest::start(Path::new(env!("CARGO_BIN_EXE_chaos-tests")), 1, "", "");
    let client = Client::connect(&under_test.endpoint(), LIMIT).expect("the service starts");
    let endpoint = under_test.endpoint();
    let connect = || platform::connect(endpoint.as_path()).expect("there is room");
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

#[test]
fn a_client_that_sends_ten_thousand_calls_and_reads_nothing_is_owed_each_answer_once() {
    const CALLS: u64 = 10_000;
    let under_test = UnderTest::start(Path::new(env!("CARGO_BIN_EXE_chaos-tests")), 2, "", "");
    let client = under_test.client();
    let arguments = serde_json::json!({ "id": 1_000_000, "nonce": 5 });
    let nonce: u64 = client
        .call("chaos.always", &arguments)
        .expect("the workers start");
    assert_eq!(nonce, 5);

    let mut deaf = platform::connect(under_test.endpoint().as_path()).expect("there is room");
    let mut writing = deaf.try_clone().expect("there is room");
    let writer = std::thread::spawn(move || {
        for msgid in 0..CALLS {
            let arguments = rmpv::Value::Map(vec![
                ("id".into(), msgid.into()),
                ("nonce".into(), msgid.into()),
            ]);
            let params = rmpv::Value::Array(vec![arguments]);
            let call = vec![0.into(), msgid.into(), "chaos.never".into(), params];
            let mut bytes = Vec::new();
            rmpv::encode::write_value(&mut bytes, &call.into()).expect("a Vec takes every byte");
            writing
                .write_all(&bytes)
                .expect("the service takes it, sooner or later");
        }
    });
    // Meanwhile the others are served.
    for nonce in 0..50 {
        let arguments = serde_json::json!({ "id": 1_000_001, "nonce": nonce });
        let answered: u64 = client
            .call("chaos.always", &arguments)
            .expect("the others are served");
        assert_eq!(answered, nonce);
    }
    // Now it reads: whatever the service made of each call, it says so once.
    deaf.set_read_timeout(Some(LIMIT)).expect("it can be set");
    let mut buffered = std::io::BufReader::new(&mut deaf);
    let mut answered = vec![0; CALLS as usize];
    let mut executed = 0;
    for _ in 0..CALLS {
        let answer = rmpv::decode::read_value(&mut buffered).expect("an answer");
        let msgid = answer[1].as_u64().expect("a number");
        answered[msgid as usize] += 1;
        if answer[2].is_nil() {
            assert_eq!(answer[3], msgid.into());
            executed += 1;
        } else {
            assert_eq!(
                answer[2][0],
                standin_client::ErrorCode::Overloaded.number().into(),
                "{answer}"
            );
        }
    }
    writer.join().expect("everything was taken");
    assert!(answered.iter().all(|times| *times == 1));
    assert!(
        executed >= 500,
        "what fits into the queue is executed, not {executed}"
    );
    let ledger = chaos_tests::ledger::read(&under_test.ledger());
    assert_eq!(ledger.keys().filter(|id| **id < CALLS).count(), executed);
    let pong: String = client
        .call("standin.ping", &())
        .expect("the others are served");
    assert_eq!(pong, "pong");
}
