//! The floor: a relay and a worker that copy bytes and understand nothing.

use std::{
    collections::HashMap,
    fs::File,
    io::{Read, Write},
    os::{
        fd::{AsFd, AsRawFd},
        unix::net::{UnixListener, UnixStream},
    },
};

use rustix::event::epoll;

/// One epoll loop that carries bytes between each client and a connection of its own to a worker.
pub(crate) fn relay(listen: &str, workers: &str) {
    let listener = UnixListener::bind(listen).expect("the name is free");
    let workers: Vec<&str> = workers.split(',').collect();
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC).expect("the system gives an epoll");
    let add = |fd: &dyn AsFd, data: u64| {
        let data = epoll::EventData::new_u64(data);
        epoll::add(&poll, fd.as_fd(), data, epoll::EventFlags::IN).expect("the descriptor is new");
    };
    add(&listener, u64::MAX);
    // Each connection knows its other side by its place: 2n and 2n + 1 belong together.
    let mut streams: Vec<UnixStream> = Vec::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut events = Vec::with_capacity(128);
    loop {
        events.clear();
        let waited = epoll::wait(&poll, rustix::buffer::spare_capacity(&mut events), None);
        if waited.is_err() {
            continue;
        }
        for event in &events {
            let place = event.data.u64();
            if place == u64::MAX {
                let (client, _) = listener.accept().expect("a client connects");
                let worker = workers[(streams.len() / 2) % workers.len()];
                let worker = UnixStream::connect(worker).expect("the worker listens");
                add(&client, streams.len() as u64);
                streams.push(client);
                add(&worker, streams.len() as u64);
                streams.push(worker);
                continue;
            }
            let place = place as usize;
            match (&streams[place]).read(&mut buffer) {
                Ok(0) | Err(_) => {
                    let _ = epoll::delete(&poll, &streams[place]);
                    let _ = streams[place ^ 1].shutdown(std::net::Shutdown::Both);
                }
                Ok(read) => drop((&streams[place ^ 1]).write_all(&buffer[..read])),
            }
        }
    }
}

/// What must be on the disk before anything is given back.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) file: File,
    /// As often as that, one after the other.
    pub(crate) flushes: usize,
}

impl Kept {
    fn keep(&mut self, bytes: &[u8]) {
        self.file.write_all(bytes).expect("there is room");
        for _ in 0..self.flushes {
            self.file.sync_data().expect("the disk works");
        }
    }
}

/// Gives back what it gets, on every connection, by one epoll loop. `kept`: after all that came at once is kept.
pub(crate) fn worker(listen: &str, mut kept: Option<Kept>) {
    let listener = UnixListener::bind(listen).expect("the name is free");
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC).expect("the system gives an epoll");
    let add = |fd: &dyn AsFd, data: u64| {
        let data = epoll::EventData::new_u64(data);
        epoll::add(&poll, fd.as_fd(), data, epoll::EventFlags::IN).expect("the descriptor is new");
    };
    add(&listener, u64::MAX);
    let mut streams: HashMap<u64, UnixStream> = HashMap::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut events = Vec::with_capacity(128);
    // What came in one turn and is to be kept, and whose the parts are.
    let (mut came, mut owners) = (Vec::new(), Vec::new());
    loop {
        events.clear();
        if epoll::wait(&poll, rustix::buffer::spare_capacity(&mut events), None).is_err() {
            continue;
        }
        for event in &events {
            let data = event.data.u64();
            if data == u64::MAX {
                let (stream, _) = listener.accept().expect("a client connects");
                let number = stream.as_raw_fd() as u64;
                add(&stream, number);
                streams.insert(number, stream);
                continue;
            }
            let mut stream = &streams[&data];
            match stream.read(&mut buffer) {
                Ok(0) | Err(_) => drop(streams.remove(&data)),
                Ok(read) if kept.is_some() => {
                    came.extend_from_slice(&buffer[..read]);
                    owners.push((data, read));
                }
                Ok(read) => drop(stream.write_all(&buffer[..read])),
            }
        }
        if let Some(kept) = kept.as_mut().filter(|_| !owners.is_empty()) {
            kept.keep(&came);
            let mut rest = came.as_slice();
            for (owner, length) in owners.drain(..) {
                let (part, others) = rest.split_at(length);
                rest = others;
                if let Some(mut stream) = streams.get(&owner) {
                    let _ = stream.write_all(part);
                }
            }
            came.clear();
        }
    }
}
