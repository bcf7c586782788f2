//! Messages to a connection: everything that waits goes out in one write.

use std::{
    future::poll_fn,
    io::{self, IoSlice},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use standin_protocol::Frame;

use crate::Connection;

/// Frames written at a time. The system takes at most 1024 pieces in one write.
const FRAMES_MAX: usize = 256;

/// Up to this size a piece is copied together with its neighbours: a copy of so little is cheaper than one more
/// piece for the system to walk through.
const COPIED_PIECE_MAX: usize = 1024;

/// What waits, and who writes it.
#[derive(Debug, Default)]
struct Queue {
    /// A plain list, so that a connection with nothing to write holds no memory for it.
    frames: Vec<Frame>,
    /// Who is to be told when something comes; `None` while somebody writes.
    idle: Option<Idle>,
    /// No more frames can come, or none can be written.
    is_over: bool,
}

#[derive(Debug)]
enum Idle {
    /// The writing work waits.
    Work(Waker),
    /// Nobody does: a task is made when it is needed.
    Nobody(Connection),
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    queued_bytes: AtomicUsize,
    frames_given: AtomicU64,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect("nobody panics while holding it")
    }

    /// Takes what waits, in exchange for an empty list. `None`: nothing does. `Some(false)`: nothing ever will.
    fn take(&self, queue: &mut Queue, into: &mut Vec<Frame>) -> Option<bool> {
        if queue.frames.is_empty() {
            return queue.is_over.then_some(false);
        }
        std::mem::swap(&mut queue.frames, into);
        Some(true)
    }

    fn poll_frames(&self, context: &mut Context<'_>, into: &mut Vec<Frame>) -> Poll<bool> {
        let mut queue = self.queue();
        if let Some(taken) = self.take(&mut queue, into) {
            return Poll::Ready(taken);
        }
        match &mut queue.idle {
            Some(Idle::Work(waker)) => waker.clone_from(context.waker()),
            idle => *idle = Some(Idle::Work(context.waker().clone())),
        }
        Poll::Pending
    }

    /// What waits, or `false` and nobody writes any more.
    fn frames_or_rest(&self, connection: &Connection, into: &mut Vec<Frame>) -> bool {
        let mut queue = self.queue();
        let taken = self.take(&mut queue, into);
        if taken.is_none() {
            queue.idle = Some(Idle::Nobody(connection.clone()));
        }
        taken == Some(true)
    }

    fn end(&self) {
        let idle = {
            let mut queue = self.queue();
            queue.is_over = true;
            queue.idle.take()
        };
        if let Some(Idle::Work(waker)) = idle {
            waker.wake();
        }
    }

    async fn write_out(&self, connection: &Connection, frames: &[Frame]) -> io::Result<()> {
        for part in frames.chunks(FRAMES_MAX) {
            match part {
                [Frame::Whole(bytes)] => {
                    self.write_part(connection, part, &mut [IoSlice::new(bytes)])
                        .await?;
                }
                [Frame::Parts(parts)] => {
                    let [head, body, tail] = &**parts;
                    let mut pieces = [head, body, tail].map(|piece| IoSlice::new(piece));
                    let used = if tail.is_empty() { 2 } else { 3 };
                    self.write_part(connection, part, &mut pieces[..used])
                        .await?;
                }
                _ => {
                    let copied = copy_small(part);
                    self.write_part(connection, part, &mut gather(part, &copied))
                        .await?;
                }
            }
            let written: usize = part.iter().map(Frame::len).sum();
            self.queued_bytes.fetch_sub(written, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Writes the pieces of some frames. While the system is asked, all of them count as given: one that is acted on at
    /// once must never be taken for unsent by whoever looks from another thread. In between, those count that the
    /// system has to their last byte; nobody can act on less.
    async fn write_part(
        &self,
        connection: &Connection,
        frames: &[Frame],
        mut pieces: &mut [IoSlice<'_>],
    ) -> io::Result<()> {
        let before = self.frames_given.load(Ordering::Relaxed);
        let given = |count: usize| {
            self.frames_given
                .store(before + count as u64, Ordering::Release);
        };
        let mut written = 0;
        while !pieces.is_empty() {
            given(frames.len());
            let asked = connection.try_write(pieces);
            if let Ok(Some(count)) = asked {
                written += count;
                IoSlice::advance_slices(&mut pieces, count);
            }
            if pieces.is_empty() {
                break;
            }
            given(whole_in(frames, written));
            if asked?.is_none() {
                // Boxed, so that no idle connection has a place for what rarely is.
                Box::pin(connection.writable()).await?;
            }
        }
        Ok(())
    }
}

/// How many of the frames lie within so many bytes.
fn whole_in(frames: &[Frame], mut bytes: usize) -> usize {
    frames
        .iter()
        .take_while(|frame| {
            let is_whole = frame.len() <= bytes;
            bytes = bytes.saturating_sub(frame.len());
            is_whole
        })
        .count()
}

/// The end that messages are put into. Clones feed the same connection.
#[derive(Debug, Clone)]
pub struct MessageWriter(Arc<Feeding>);

impl MessageWriter {
    /// Puts a message behind those that wait. If the connection is broken it goes nowhere, which the reading side of
    /// the same connection learns anyhow.
    pub fn send(&self, frame: Frame) {
        let shared = &self.0.0;
        let idle = {
            let mut queue = shared.queue();
            if queue.is_over {
                return;
            }
            shared
                .queued_bytes
                .fetch_add(frame.len(), Ordering::Relaxed);
            queue.frames.push(frame);
            queue.idle.take()
        };
        match idle {
            None => {}
            Some(Idle::Work(waker)) => waker.wake(),
            Some(Idle::Nobody(connection)) => {
                let writing = Writing(Some(Arc::clone(shared)));
                drop(tokio::spawn(write_waiting(connection, writing)));
            }
        }
    }

    /// Bytes that were put in and are not yet with the system. It grows when the other end does not read.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.0.0.queued_bytes.load(Ordering::Relaxed)
    }

    /// Messages that the system may have to their last byte, since the beginning. Nobody can have acted on those behind
    /// them.
    #[must_use]
    pub fn frames_given(&self) -> u64 {
        self.0.0.frames_given.load(Ordering::Acquire)
    }

    /// Whether the connection can no longer be written to.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.0.queue().is_over
    }
}

/// What all clones of a writer share: with the last of them no more frames come.
#[derive(Debug)]
struct Feeding(Arc<Shared>);

impl Drop for Feeding {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// The writing work, however it ends: with it nothing more is taken, unless it only rests.
struct Writing(Option<Arc<Shared>>);

impl Drop for Writing {
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            shared.end();
            let left = std::mem::take(&mut shared.queue().frames);
            drop(left);
        }
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
    let shared = Arc::new(Shared::default());
    let work = write(connection, Writing(Some(Arc::clone(&shared))));
    (MessageWriter(Arc::new(Feeding(shared))), work)
}

/// A writer for one of many connections, most of them idle: there is a task only while something is written. It is
/// fed from inside a runtime.
#[must_use]
pub fn occasional_writer(connection: Connection) -> MessageWriter {
    let shared = Arc::new(Shared::default());
    shared.queue().idle = Some(Idle::Nobody(connection));
    MessageWriter(Arc::new(Feeding(shared)))
}

async fn write(connection: Connection, writing: Writing) -> io::Result<()> {
    let Some(shared) = &writing.0 else {
        return Ok(());
    };
    // An idle connection keeps neither frames nor buffer: both are made anew for each burst.
    let mut frames = Vec::new();
    while poll_fn(|context| shared.poll_frames(context, &mut frames)).await {
        shared.write_out(&connection, &frames).await?;
        frames = Vec::new();
    }
    Ok(())
}

/// Writes until nothing waits. A connection that breaks takes its writer with it; the reading side says so.
async fn write_waiting(connection: Connection, mut writing: Writing) {
    let Some(shared) = &writing.0 else { return };
    let mut frames = Vec::new();
    while shared.frames_or_rest(&connection, &mut frames) {
        if shared.write_out(&connection, &frames).await.is_err() {
            return;
        }
        frames = Vec::new();
    }
    writing.0 = None;
}

fn pieces(frames: &[Frame]) -> impl Iterator<Item = &bytes::Bytes> {
    frames
        .iter()
        .flat_map(Frame::pieces)
        .filter(|piece| !piece.is_empty())
}

fn is_small(piece: &bytes::Bytes) -> bool {
    piece.len() <= COPIED_PIECE_MAX
}

/// The small pieces, one behind the other.
fn copy_small(frames: &[Frame]) -> Vec<u8> {
    let small = || pieces(frames).filter(|piece| is_small(piece));
    let mut copied = Vec::with_capacity(small().map(|piece| piece.len()).sum());
    small().for_each(|piece| copied.extend_from_slice(piece));
    copied
}

/// What is to be written: runs of small pieces lie together in the copy; large ones stand between them.
fn gather<'a>(frames: &'a [Frame], copied: &'a [u8]) -> Vec<IoSlice<'a>> {
    let mut slices = Vec::new();
    let (mut run_start, mut run_end) = (0, 0);
    for piece in pieces(frames) {
        if is_small(piece) {
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
    slices
}
