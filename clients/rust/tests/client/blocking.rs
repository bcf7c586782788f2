//! The client for programs without a runtime.

use std::{collections::BTreeMap, sync::Arc};

use rmpv::Value;
use standin_client::{CallError, Outcome};

use crate::fake::{LIMIT, blocking_client, field, map};

#[test]
fn threads_share_a_client_and_each_gets_its_own_answers() {
    const THREADS: u64 = 4;
    const CALLS: u64 = 50;
    let (client, service) = blocking_client(
        |connect| connect,
        |peer| {
            while let Some(message) = peer.next() {
                let number = field(&message[3][0], "number").clone();
                peer.answer(message[1].as_u64().expect("a msgid"), number);
            }
        },
    );
    let client = Arc::new(client);
    let threads = (0..THREADS).map(|thread| {
        let client = Arc::clone(&client);
        std::thread::spawn(move || {
            for call in 0..CALLS {
                let number = thread * CALLS + call;
                let echoed: u64 = client
                    .call("echo", &BTreeMap::from([("number", number)]))
                    .expect("it answers");
                assert_eq!(echoed, number);
            }
        })
    });
    for thread in threads.collect::<Vec<_>>() {
        thread.join().expect("every answer was right");
    }
    drop(client);
    service.join().expect("the service is content");
}

#[test]
fn calls_that_are_started_one_after_the_other_are_under_way_together() {
    let (has_come, come) = std::sync::mpsc::channel();
    let (client, service) = blocking_client(
        |connect| connect,
        move |peer| {
            let (first, _) = peer.asked("first");
            has_come.send(()).expect("the test waits");
            let (second, _) = peer.asked("second");
            peer.answer(second, 2.into());
            let (cancel, message) = peer.asked("standin.cancel");
            assert_eq!(field(&message[3][0], "msgid"), &first.into());
            peer.answer(cancel, map([("found", true.into())]));
            peer.answer(first, 1.into());
        },
    );
    let start = |method| client.start(client.request(method)).expect("it is sent");
    let first = start("first");
    // It is on its way although nobody waits for it yet.
    come.recv_timeout(LIMIT).expect("the service has it");
    let second = start("second");
    assert_eq!(client.wait::<u64>(second).expect("it answers"), 2);
    client.cancel(&first).expect("the service takes it");
    // It was too late to take it back.
    assert_eq!(client.wait::<u64>(first).expect("it answers"), 1);
    service.join().expect("the service is content");
}

#[test]
fn callbacks_are_served_while_the_program_waits_even_when_they_make_calls() {
    let (client, service) = blocking_client(
        |connect| {
            connect.callbacks(|callback| async move {
                let client = callback.client().clone();
                let found: u64 = client.call("stock", &map([])).await.expect("it answers");
                callback.answer(&(found + 1))
            })
        },
        |peer| {
            let (call, _) = peer.asked("order");
            peer.ask(1, "count", map([]));
            let (inner, _) = peer.asked("stock");
            peer.answer(inner, 41.into());
            let (_, result) = peer.answered(1);
            peer.answer(call, result);
        },
    );
    assert_eq!(
        client
            .call::<_, u64>("order", &map([]))
            .expect("it answers"),
        42
    );
    service.join().expect("the service is content");
}

#[test]
fn a_lost_connection_ends_the_wait() {
    let (client, service) = blocking_client(
        |connect| connect,
        |peer| {
            peer.asked("order");
        },
    );
    match client.call::<_, Value>("order", &map([])) {
        Err(CallError::ConnectionLost { outcome }) => assert_eq!(outcome, Outcome::Unknown),
        other => panic!("{other:?}"),
    }
    service.join().expect("the service is content");
}
