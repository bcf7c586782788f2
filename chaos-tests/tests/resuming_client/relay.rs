//! Between client and service: carries bytes both ways, and cuts each connection after so many of them.

use std::{
    io::{Read, Write},
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use standin_client::Endpoint;

/// It runs until the test ends.
pub(crate) struct Relay {
    folder: tempfile::TempDir,
    cuts: Arc<AtomicU64>,
}

impl Relay {
    /// The n-th connection is cut after `lengths(n)` bytes in one direction.
    pub(crate) fn before(
        service: &Endpoint,
        lengths: impl Fn(u64) -> usize + Send + 'static,
    ) -> Relay {
        let folder = tempfile::tempdir().expect("there is room");
        let listener = UnixListener::bind(folder.path().join("r")).expect("it is free");
        let cuts = Arc::new(AtomicU64::new(0));
        let relay = Relay {
            folder,
            cuts: Arc::clone(&cuts),
        };
        let service = service.as_path().to_owned();
        std::thread::spawn(move || {
            let mut number = 0;
            while let Ok((client, _)) = listener.accept() {
                // It may not be up yet.
                if let Ok(service) = UnixStream::connect(&service) {
                    carry_both(&client, &service, lengths(number), &cuts);
                    number += 1;
                }
            }
        });
        relay
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        let path = self.folder.path().join("r");
        Endpoint::parse(path.to_str().expect("a plain name")).expect("it is a path")
    }

    pub(crate) fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::Relaxed)
    }
}

fn carry_both(client: &UnixStream, service: &UnixStream, length: usize, cuts: &Arc<AtomicU64>) {
    for (from, to) in [(client, service), (service, client)] {
        let from = from.try_clone().expect("there is room");
        let to = to.try_clone().expect("there is room");
        let cuts = Arc::clone(cuts);
        std::thread::spawn(move || {
            if carry(&from, &to, length).is_none() {
                cuts.fetch_add(1, Ordering::Relaxed);
            }
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
        });
    }
}

/// `None`: it was cut here.
fn carry(mut from: &UnixStream, mut to: &UnixStream, length: usize) -> Option<()> {
    let mut left = length;
    let mut buffer = [0; 4096];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer) else {
            return Some(());
        };
        let part = read.min(left);
        if to.write_all(&buffer[..part]).is_err() {
            return Some(());
        }
        if part < read {
            return None;
        }
        left -= read;
    }
}
