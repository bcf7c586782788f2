//! Reading from and writing to a connected socket.
//!
//! The runtime's own stream asks the system to tell it of room for writing too, all the time. A Unix socket has news
//! of that kind whenever the other end reads, so each message would wake its sender for nothing. Here only news of
//! bytes to read is asked for; news of room is asked for when a write finds none.

use std::{
    cell::RefCell,
    future::poll_fn,
    io::{self, IoSlice},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use bytes::{BufMut, BytesMut};
use rustix::net::{SendAncillaryBuffer, SendFlags, send, sendmsg};
use tokio::io::{Interest, unix::AsyncFd};

/// As much as one read takes: more than a message of 64 KiB, so that one comes in one piece. A thread has one such place,
/// a connection none.
const SCRATCH_SIZE: usize = 128 * 1024;

/// From this size on what was read is handed on in the place that it was read into, and the thread makes itself a new
/// one. Below it is copied, since little bytes would hold a large place: at worst a message holds four times its size.
const HANDED_ON_MIN: usize = SCRATCH_SIZE / 4;

thread_local! {
    static SCRATCH: RefCell<BytesMut> = RefCell::new(BytesMut::new());
}

/// A peer that has gone is an error of the write, not a signal for the process.
const SEND_FLAGS: SendFlags = if cfg!(target_vendor = "apple") {
    SendFlags::empty()
} else {
    SendFlags::NOSIGNAL
};

/// A connected socket.
#[derive(Debug)]
pub(crate) struct Stream(AsyncFd<OwnedFd>);

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Stream {
    /// Takes a connected socket that does not block.
    pub(crate) fn new(socket: OwnedFd) -> io::Result<Self> {
        register(socket, Interest::READABLE).map(Self)
    }

    /// Waits for bytes and reads them with `read`, which is given the socket and says how much came, and of how much
    /// room.
    async fn read(
        &self,
        mut read: impl FnMut(&OwnedFd) -> rustix::io::Result<Filled>,
    ) -> io::Result<usize> {
        loop {
            // One task reads from a connection, so the one place for a reader is enough and nothing is set up to wait.
            let mut ready = poll_fn(|context| self.0.poll_read_ready(context)).await?;
            match read(self.0.get_ref()) {
                Ok(filled) => {
                    // What left room was all there was: the next read would find nothing, and is spared.
                    if filled.count < filled.room {
                        ready.clear_ready();
                    }
                    return Ok(filled.count);
                }
                Err(rustix::io::Errno::WOULDBLOCK) => ready.clear_ready(),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits until there is room to write. That is rare, so it may cost a second registration.
    async fn writable(&self) -> io::Result<()> {
        let again = rustix::io::fcntl_dupfd_cloexec(self.0.get_ref(), 0)?;
        let again = register(again, Interest::WRITABLE)?;
        again.writable().await?.retain_ready();
        Ok(())
    }
}

fn register(socket: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` stays open and the same until it is dropped, and it is not taken out again.
    Ok(unsafe { AsyncFd::register_with_interest(socket, interest) }?)
}

struct Filled {
    count: usize,
    room: usize,
}

pub(crate) async fn read_into(stream: &Stream, buffer: &mut BytesMut) -> io::Result<usize> {
    stream.read(|socket| read_spare(socket, buffer)).await
}

pub(crate) async fn read_bytes(stream: &Stream) -> io::Result<BytesMut> {
    let mut bytes = BytesMut::new();
    let read = stream.read(|socket| {
        SCRATCH.with_borrow_mut(|scratch| {
            scratch.reserve(SCRATCH_SIZE);
            let filled = read_spare(socket, scratch)?;
            if filled.count >= HANDED_ON_MIN {
                bytes = scratch.split();
            } else {
                bytes.extend_from_slice(scratch);
                scratch.clear();
            }
            Ok(filled)
        })
    });
    read.await?;
    Ok(bytes)
}

/// Reads into what room the buffer has behind its contents.
fn read_spare(socket: &OwnedFd, buffer: &mut BytesMut) -> rustix::io::Result<Filled> {
    // SAFETY: nothing is read from it before the system has written it.
    let spare = unsafe { buffer.chunk_mut().as_uninit_slice_mut() };
    let room = spare.len();
    let count = rustix::io::read(socket, spare)?.0.len();
    // SAFETY: the system has just written so many bytes at that place.
    unsafe { buffer.advance_mut(count) };
    Ok(Filled { count, room })
}

/// Writes as much as there is room for. `None`: there is none.
pub(crate) fn try_write(stream: &Stream, pieces: &[IoSlice<'_>]) -> io::Result<Option<usize>> {
    let socket = stream.0.get_ref().as_fd();
    let written = match pieces {
        [piece] => send(socket, piece, SEND_FLAGS),
        several => sendmsg(
            socket,
            several,
            &mut SendAncillaryBuffer::default(),
            SEND_FLAGS,
        ),
    };
    match written {
        Ok(0) => Err(io::ErrorKind::WriteZero.into()),
        Ok(written) => Ok(Some(written)),
        Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn writable(stream: &Stream) -> io::Result<()> {
    stream.writable().await
}
