//! Messages to a connection: everything that waits goes out in one write.

use std::{
    io::{self, IoSlice},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use standin_protocol::Frame;
use tokio::sync::mpsc;

use crate::Connection;

/// Frames taken from the queue at a time. The system takes at most 1024 pieces in one write.
const FRAMES_MAX: usize = 256;

/// Up to this size a piece is copied together with its neighbours: a copy of so little is cheaper than one more
/// piece for the system to walk through.
const COPIED_PIECE_MAX: usize = 1024;

#[derive(Debug, Default)]
struct Counters {
    queued_bytes: AtomicUsize,
    frames_written: AtomicU64,
}

/// The end that messages are put into. Clones feed the same connection.
#[derive(Debug, Clone)]
pub struct MessageWriter {
    queue: mpsc::UnboundedSender<Frame>,
    counters: Arc<Counters>,
}

impl MessageWriter {
    /// Puts a message behind those that wait. If the connection is broken it goes nowhere, which the reading side of
    /// the same connection learns anyhow.
    pub fn send(&self, frame: Frame) {
        self.counters
            .queued_bytes
            .fetch_add(frame.len(), Ordering::Relaxed);
        let _ = self.queue.send(frame);
    }

    /// Bytes that were put in and are not yet with the system. It grows when the other end does not read.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.counters.queued_bytes.load(Ordering::Relaxed)
    }

    /// Messages that were given to the system whole, since the beginning.
    #[must_use]
    pub fn frames_written(&self) -> u64 {
        self.counters.frames_written.load(Ordering::Acquire)
    }

    /// Whether the connection can no longer be written to.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }
}

/// A writer for a connection, and the work of writing, which the caller spawns. The work ends when every clone of the
/// writer is gone and all is written, or with an error when the connection breaks.
pub fn message_writer(
    connection: Connection,
) -> (
    MessageWriter,
    impl Future<Output = io::Result<()>> + Send + 'static,
) {
    #[expect(
        clippy::disallowed_methods,
        reason = "sessions and pools bound what is under way before it comes here, and watch queued_bytes"
    )]
    let (queue, waiting) = mpsc::unbounded_channel();
    let counters = Arc::new(Counters::default());
    let writer = MessageWriter {
        queue,
        counters: Arc::clone(&counters),
    };
    (writer, write(connection, waiting, counters))
}

async fn write(
    connection: Connection,
    mut waiting: mpsc::UnboundedReceiver<Frame>,
    counters: Arc<Counters>,
) -> io::Result<()> {
    // An idle connection keeps neither frames nor buffer: both are made anew for each burst.
    while let Some(first) = waiting.recv().await {
        let mut frames = Frames::One(first);
        loop {
            let (bytes, count) = match &frames {
                Frames::One(frame) => (write_one(&connection, frame).await?, 1),
                Frames::Many(frames) => (write_many(&connection, frames).await?, frames.len()),
            };
            counters.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
            counters
                .frames_written
                .fetch_add(count as u64, Ordering::Release);
            let Ok(next) = waiting.try_recv() else { break };
            frames = gather(next, &mut waiting);
        }
    }
    Ok(())
}

enum Frames {
    One(Frame),
    Many(Vec<Frame>),
}

fn gather(first: Frame, waiting: &mut mpsc::UnboundedReceiver<Frame>) -> Frames {
    let Ok(second) = waiting.try_recv() else {
        return Frames::One(first);
    };
    let mut frames = vec![first, second];
    while frames.len() < FRAMES_MAX
        && let Ok(frame) = waiting.try_recv()
    {
        frames.push(frame);
    }
    Frames::Many(frames)
}

async fn write_one(connection: &Connection, frame: &Frame) -> io::Result<usize> {
    match frame {
        Frame::Whole(bytes) => connection.write_all(&mut [IoSlice::new(bytes)]).await?,
        Frame::Parts(parts) => {
            let [head, body, tail] = &**parts;
            let mut pieces = [IoSlice::new(head), IoSlice::new(body), IoSlice::new(tail)];
            let used = if tail.is_empty() { 2 } else { 3 };
            connection.write_all(&mut pieces[..used]).await?;
        }
    }
    Ok(frame.len())
}

async fn write_many(connection: &Connection, frames: &[Frame]) -> io::Result<usize> {
    let pieces = || {
        frames
            .iter()
            .flat_map(Frame::pieces)
            .filter(|piece| !piece.is_empty())
    };
    let small = |piece: &&bytes::Bytes| piece.len() <= COPIED_PIECE_MAX;
    let mut copied = Vec::with_capacity(pieces().filter(small).map(|piece| piece.len()).sum());
    pieces()
        .filter(small)
        .for_each(|piece| copied.extend_from_slice(piece));
    // Runs of small pieces lie together in the copy; large ones stand between them.
    let mut slices = Vec::new();
    let (mut run_start, mut run_end) = (0, 0);
    for piece in pieces() {
        if small(&piece) {
            run_end += piece.len();
        } else {
            if run_end > run_start {
                slices.push(IoSlice::new(&copied[run_start..run_end]));
                run_start = run_end;
            }
            slices.push(IoSlice::new(piece));
        }
    }
    if run_end > run_start {
        slices.push(IoSlice::new(&copied[run_start..run_end]));
    }
    connection.write_all(&mut slices).await?;
    Ok(frames.iter().map(Frame::len).sum())
}
