//! Between client and service: carries bytes both ways, and cuts each connection after so many of them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
    mpsc,
};

use bytes::BytesMut;
use standin_client::Endpoint;
use standin_protocol::Frame;
use standin_transport::{Connection, Listener, connect, message_writer};

use crate::LIMIT;

/// Bytes that are carried at a time.
const PART: usize = 4096;

/// It runs until the test ends.
pub(crate) struct Relay {
    endpoint: Endpoint,
    cuts: Arc<AtomicU64>,
    _folder: tempfile::TempDir,
}

impl Relay {
    /// The n-th connection is cut after `lengths(n)` bytes in one direction.
    pub(crate) fn before(
        service: &Endpoint,
        lengths: impl Fn(u64) -> usize + Send + 'static,
    ) -> Relay {
        let folder = tempfile::tempdir().expect("there is room");
        let relay = Relay {
            endpoint: Endpoint::private(folder.path(), "r"),
            cuts: Arc::new(AtomicU64::new(0)),
            _folder: folder,
        };
        let (endpoint, cuts) = (relay.endpoint.clone(), Arc::clone(&relay.cuts));
        let service = service.clone();
        let (listens, is_there) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("there is room").block_on(async {
                let listener = Listener::bind_private(&endpoint).expect("it is free");
                listens.send(()).expect("the test waits");
                let mut number = 0;
                while let Ok(client) = listener.accept().await {
                    tokio::spawn(carry_both(
                        client,
                        service.clone(),
                        lengths(number),
                        Arc::clone(&cuts),
                    ));
                    number += 1;
                }
            });
        });
        is_there.recv().expect("it listens");
        relay
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        self.endpoint.clone()
    }

    pub(crate) fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::Relaxed)
    }
}

/// Until one direction is over.
async fn carry_both(client: Connection, service: Endpoint, length: usize, cuts: Arc<AtomicU64>) {
    // It may not be up yet.
    let Ok(service) = connect(&service, LIMIT).await else {
        return;
    };
    let was_cut = tokio::select! {
        was_cut = carry(client.clone(), service.clone(), length) => was_cut,
        was_cut = carry(service, client, length) => was_cut,
    };
    if was_cut {
        cuts.fetch_add(1, Ordering::Relaxed);
    }
}

/// Whether it was cut here, and not ended there.
async fn carry(from: Connection, to: Connection, length: usize) -> bool {
    let (writer, work) = message_writer(to);
    let reading = async move {
        let mut left = length;
        loop {
            let mut buffer = BytesMut::with_capacity(PART);
            let Ok(read @ 1..) = from.read_into(&mut buffer).await else {
                return false;
            };
            let part = read.min(left);
            writer.send(Frame::Whole(buffer.split_to(part).freeze()));
            if part < read {
                return true;
            }
            left -= read;
        }
    };
    // What was read before the end is still written.
    let (was_cut, _) = tokio::join!(reading, work);
    was_cut
}
