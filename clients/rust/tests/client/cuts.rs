//! The connection is cut, and the session goes on by another one: whoever called notices nothing.

use std::{collections::BTreeMap, sync::Arc};

use rmpv::Value;
use standin_client::Bytes;

use crate::{
    fake::{Peer, TOKEN, blocking_session, field, map, session, verdict},
    resuming::is_the_same,
};

#[tokio::test]
async fn a_call_that_is_cut_off_anywhere_before_the_end_of_its_answer_is_answered_once() {
    let endings: [fn(&mut Peer); 5] = [
        |_| {},
        |peer| peer.send_bytes(b"\x94"),
        |peer| peer.send_bytes(b"\x94\x01\x02\xc0\xa5ear"),
        |peer| peer.send_bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        |peer| peer.send_bytes(b"\xc1"),
    ];
    for ending in endings {
        let (client, service) = session(
            |connect| connect,
            move |fake, mut peer| {
                let (msgid, first) = peer.asked("order");
                ending(&mut peer);
                drop(peer);
                let mut peer = fake.resumed();
                assert_eq!(peer.acknowledged(), msgid - 1);
                let (again, message) = peer.asked("order");
                assert_eq!(again, msgid);
                is_the_same(&first, &message);
                peer.answer(msgid, "done".into());
                peer.leaves();
            },
        )
        .await;
        let arguments = map([("text", "tea".into())]);
        let done: String = client.call("order", &arguments).await.expect("it answers");
        assert_eq!(done, "done");
        assert_eq!(client.unknown_answers(), 0);
        drop(client);
        verdict(service).await;
    }
}

#[tokio::test]
async fn a_cut_while_the_client_is_still_writing_costs_nothing() {
    let (client, service) = session(
        |connect| connect,
        |fake, mut peer| {
            // It reads a part and goes: what is unread makes a reset of the end.
            peer.read_part(1000);
            drop(peer);
            let mut peer = fake.resumed();
            peer.acknowledged();
            let (msgid, message) = peer.asked("order");
            let bytes = message[3][0].as_slice().expect("it is bytes");
            peer.answer(msgid, bytes.len().into());
            let (msgid, _) = peer.asked("next");
            peer.answer(msgid, Value::Nil);
        },
    )
    .await;
    let large = [b"\x91\xc6\x00\x80\x00\x00".as_slice(), &vec![7; 8 << 20]].concat();
    let order = client.request("order").raw_params(Bytes::from(large));
    let order = order.start().expect("it is sent");
    let next = client.request("next").start().expect("it is sent");
    assert_eq!(order.wait::<u64>().await.expect("it answers"), 8 << 20);
    next.wait::<()>().await.expect("it answers");
    verdict(service).await;
}

#[tokio::test]
async fn cuts_that_follow_each_other_cost_no_more_than_one_even_in_the_greeting() {
    let (client, service) = session(
        |connect| connect,
        |fake, mut peer| {
            let mut numbers = vec![1];
            let (msgid, _) = peer.asked("order");
            drop(peer);
            // Before the hello, in its middle, before its answer, in the middle of that, and after it.
            drop(fake.accept());
            fake.accept().read_part(10);
            let (peer, hello) = fake.comes_back();
            numbers.push(hello);
            drop(peer);
            let (mut peer, hello) = fake.comes_back();
            numbers.push(hello);
            peer.send_bytes(b"\x94\x01");
            drop(peer);
            let (mut peer, hello) = fake.comes_back();
            numbers.push(hello);
            peer.welcome(hello, TOKEN, true);
            drop(peer);
            let mut peer = fake.resumed();
            peer.acknowledged();
            assert_eq!(peer.asked("order").0, msgid);
            drop(peer);
            let mut peer = fake.resumed();
            peer.acknowledged();
            assert_eq!(peer.asked("order").0, msgid);
            peer.answer(msgid, "done".into());
            peer.leaves();
            numbers
        },
    )
    .await;
    let done: String = client.call("order", &map([])).await.expect("it answers");
    assert_eq!(done, "done");
    drop(client);
    let numbers = verdict(service).await;
    assert!(
        numbers.is_sorted_by(|a, b| a < b),
        "no number is used twice: {numbers:?}"
    );
}

#[tokio::test]
async fn a_thousand_open_calls_go_through_a_cut_and_each_gets_its_own_answer() {
    const CALLS: u64 = 1000;
    let (client, service) = session(
        |connect| connect,
        |fake, mut peer| {
            let asked: Vec<_> = (0..CALLS).map(|_| peer.asked("echo")).collect();
            // Some are answered before the cut, and some of these never arrive.
            for (msgid, message) in asked.iter().step_by(3) {
                peer.answer(*msgid, field(&message[3][0], "number").clone());
            }
            drop(peer);
            let mut peer = fake.resumed();
            let floor = peer.acknowledged();
            let mut last = floor;
            let mut again = Vec::new();
            while again.len() < CALLS as usize - CALLS.div_ceil(3) as usize {
                let (msgid, message) = peer.asked("echo");
                assert!(msgid > last, "in their order");
                last = msgid;
                again.push((msgid, message));
            }
            again.reverse();
            for (msgid, message) in again {
                peer.answer(msgid, field(&message[3][0], "number").clone());
            }
            while peer.next().is_some() {}
        },
    )
    .await;
    let pending: Vec<_> = (0..CALLS)
        .map(|number| {
            let arguments = BTreeMap::from([("number", number)]);
            let call = client.request("echo").arguments(&arguments);
            (number, call.start().expect("it is sent"))
        })
        .collect();
    for (number, pending) in pending {
        assert_eq!(pending.wait::<u64>().await.expect("it answers"), number);
    }
    assert_eq!(client.unknown_answers(), 0);
    drop(client);
    verdict(service).await;
}

#[test]
fn blocking_calls_of_several_threads_go_through_cuts() {
    const THREADS: u64 = 4;
    const CALLS: u64 = 30;
    let (client, service) = blocking_session(
        |connect| connect,
        |fake, mut peer| {
            let mut answered = 0;
            while answered < THREADS * CALLS {
                // Every tenth message is the last of its connection.
                for _ in 0..10 {
                    let Some(message) = peer.next() else { return };
                    if message[0] == 0.into() {
                        let number = field(&message[3][0], "number").clone();
                        peer.answer(message[1].as_u64().expect("a msgid"), number);
                        answered += 1;
                    }
                }
                if peer.next().is_none() {
                    return;
                }
                drop(peer);
                peer = fake.resumed();
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
