//! Everybody gets in: who tries once, who comes with many others, and who has to wait.

use std::{
    fs::File,
    io::{Read, Write},
    os::windows::fs::OpenOptionsExt,
    sync::{Arc, Barrier},
    time::Duration,
};

use standin_protocol::{Limits, Message};
use standin_transport::{ConnectError, Connection, Listener, MessageReader, connect};

use crate::setup::{LIMIT, as_file, endpoint, public};

/// As many sessions as a Terminal Server has.
const CLIENTS: usize = 60;

/// Accepts for ever and answers each client with the one byte that it sent.
fn echo(listener: Listener) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        while let Ok(connection) = listener.accept().await {
            tokio::spawn(one_echo(connection));
        }
    })
}

async fn one_echo(connection: Connection) {
    let (writer, work) = standin_transport::message_writer(connection.clone());
    tokio::spawn(work);
    let mut reader = MessageReader::new(connection, Limits::default());
    let mut messages = Vec::new();
    while reader.read(&mut messages).await.is_ok() {
        for message in messages.drain(..) {
            if let Message::Request(request) = message {
                writer.send(standin_protocol::response_ok(
                    request.msgid,
                    &request.params,
                ));
            }
        }
    }
}

/// A request and its answer, by hand.
fn one_call(mut pipe: File, msgid: u8) {
    pipe.write_all(&[0x94, 0, msgid, 0xa1, b'm', 0x90]).unwrap();
    let mut answer = [0; 5];
    pipe.read_exact(&mut answer).unwrap();
    assert_eq!(answer, [0x94, 1, msgid, 0xc0, 0x90]);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_try_once_get_in_before_the_service_has_a_turn() {
    let (endpoint, _folder) = endpoint();
    let listener = Listener::bind(&endpoint, &public()).unwrap();
    // Nobody accepts yet.
    let early: Vec<File> = (0..30).map(|_| as_file(&endpoint).unwrap()).collect();
    let serving = echo(listener);
    let calls = tokio::task::spawn_blocking(move || {
        for (msgid, pipe) in early.into_iter().enumerate() {
            one_call(pipe, msgid as u8);
        }
    });
    calls.await.unwrap();
    serving.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_clients_at_once_all_get_in() {
    let (endpoint, _folder) = endpoint();
    let serving = echo(Listener::bind(&endpoint, &public()).unwrap());
    for _ in 0..5 {
        let all = (0..CLIENTS).map(|_| {
            let endpoint = endpoint.clone();
            tokio::spawn(async move { connect(&endpoint, LIMIT).await.map(drop) })
        });
        for one in all.collect::<Vec<_>>() {
            one.await.unwrap().unwrap();
        }
    }
    serving.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_probes_keeps_nobody_out() {
    let (endpoint, _folder) = endpoint();
    let serving = echo(Listener::bind(&endpoint, &public()).unwrap());
    let start = Arc::new(Barrier::new(9));
    let probers: Vec<_> = (0..8)
        .map(|_| {
            let (endpoint, start) = (endpoint.clone(), Arc::clone(&start));
            std::thread::spawn(move || {
                start.wait();
                for round in 0..100 {
                    // Old runtimes look for the file, or open and close it without a byte.
                    if round % 2 == 0 {
                        let _ = std::fs::metadata(endpoint.as_path());
                    } else {
                        let _ = as_file(&endpoint);
                    }
                }
            })
        })
        .collect();
    start.wait();
    for _ in 0..20 {
        connect(&endpoint, LIMIT).await.unwrap();
    }
    let ended = tokio::task::spawn_blocking(move || {
        probers
            .into_iter()
            .for_each(|prober| prober.join().unwrap());
    });
    ended.await.unwrap();
    // Every one of the instances that they took is free again.
    let all: Vec<_> = (0..CLIENTS).map(|_| connect(&endpoint, LIMIT)).collect();
    for one in all {
        one.await.unwrap();
    }
    serving.abort();
}

#[tokio::test]
async fn a_client_waits_for_a_busy_pipe_within_its_limit_and_gets_in_when_there_is_room() {
    let (endpoint, _folder) = endpoint();
    let listener = Listener::bind(&endpoint, &public()).unwrap();
    let mut taken = Vec::new();
    while let Ok(pipe) = as_file(&endpoint) {
        taken.push(pipe);
    }
    assert!(taken.len() >= 30, "only {} were free", taken.len());
    let limit = Duration::from_millis(100);
    assert!(matches!(
        connect(&endpoint, limit).await,
        Err(ConnectError::Busy { .. })
    ));
    let (waiting, accepted) = tokio::join!(connect(&endpoint, LIMIT), listener.accept());
    accepted.unwrap();
    waiting.unwrap();
}

#[tokio::test]
async fn clients_that_wait_get_in_when_the_service_is_started_again() {
    let (endpoint, _folder) = endpoint();
    drop(Listener::bind(&endpoint, &public()).unwrap());
    let waiting: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let endpoint = endpoint.clone();
            tokio::spawn(async move { connect(&endpoint, LIMIT).await.map(drop) })
        })
        .collect();
    tokio::task::yield_now().await;
    let serving = echo(Listener::bind(&endpoint, &public()).unwrap());
    for one in waiting {
        one.await.unwrap().unwrap();
    }
    serving.abort();
}

#[tokio::test]
async fn a_client_that_asks_only_to_read_attributes_takes_nothing_from_others() {
    let (endpoint, _folder) = endpoint();
    let listener = Listener::bind(&endpoint, &public()).unwrap();
    for _ in 0..200 {
        let probe = File::options().access_mode(0x80).open(endpoint.as_path());
        drop(probe);
        let (client, accepted) = tokio::join!(connect(&endpoint, LIMIT), listener.accept());
        client.unwrap();
        accepted.unwrap();
    }
}
