//! Reading from and writing to a connected pipe, whichever its end.

use std::{
    cell::RefCell,
    io::{self, IoSlice},
    os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle},
};

use bytes::{BufMut, BytesMut};
use tokio::net::windows::named_pipe::{NamedPipeClient, NamedPipeServer};

/// As much as one read takes. A thread has one such place, a connection none.
const SCRATCH_SIZE: usize = 64 * 1024;

/// As much as one write hands over: about what a pipe holds. More would wait inside the process, where nobody can see
/// that the other end does not read.
const WRITE_SIZE_MAX: usize = 64 * 1024;

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH_SIZE].into_boxed_slice());
}

/// A connected pipe. Dropping it lets what was written go out.
#[derive(Debug)]
pub(crate) enum Stream {
    Server(NamedPipeServer),
    Client(NamedPipeClient),
}

impl Stream {
    async fn readable(&self) -> io::Result<()> {
        match self {
            Stream::Server(pipe) => pipe.readable().await,
            Stream::Client(pipe) => pipe.readable().await,
        }
    }

    async fn writable(&self) -> io::Result<()> {
        match self {
            Stream::Server(pipe) => pipe.writable().await,
            Stream::Client(pipe) => pipe.writable().await,
        }
    }

    fn try_read(&self, room: &mut [u8]) -> io::Result<usize> {
        let read = match self {
            Stream::Server(pipe) => pipe.try_read(room),
            Stream::Client(pipe) => pipe.try_read(room),
        };
        match read {
            // A pipe whose other end is gone has ended; that is not an error.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
            other => other,
        }
    }

    fn try_write(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Stream::Server(pipe) => pipe.try_write_vectored(pieces),
            Stream::Client(pipe) => pipe.try_write_vectored(pieces),
        }
    }

    async fn read(&self, mut read: impl FnMut(&Self) -> io::Result<usize>) -> io::Result<usize> {
        loop {
            self.readable().await?;
            match read(self) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => return other,
            }
        }
    }
}

impl AsHandle for Stream {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        let handle = match self {
            Stream::Server(pipe) => pipe.as_raw_handle(),
            Stream::Client(pipe) => pipe.as_raw_handle(),
        };
        // SAFETY: the pipe stays open as long as it is borrowed.
        unsafe { BorrowedHandle::borrow_raw(handle) }
    }
}

pub(crate) async fn read_into(stream: &Stream, buffer: &mut BytesMut) -> io::Result<usize> {
    stream
        .read(|stream| {
            SCRATCH.with_borrow_mut(|scratch| {
                let room = scratch.len().min(buffer.remaining_mut());
                let count = stream.try_read(&mut scratch[..room])?;
                buffer.put_slice(&scratch[..count]);
                Ok(count)
            })
        })
        .await
}

pub(crate) async fn read_bytes(stream: &Stream) -> io::Result<BytesMut> {
    let mut bytes = BytesMut::new();
    let read = stream.read(|stream| {
        SCRATCH.with_borrow_mut(|scratch| {
            let count = stream.try_read(scratch)?;
            bytes.extend_from_slice(&scratch[..count]);
            Ok(count)
        })
    });
    read.await?;
    Ok(bytes)
}

/// The runtime takes a copy of what it is given and writes it behind our back, one part at a time. When this comes
/// back the last part may still be on its way.
/// Writes as much as there is room for. `None`: there is none.
pub(crate) fn try_write(stream: &Stream, pieces: &[IoSlice<'_>]) -> io::Result<Option<usize>> {
    let Some(first) = pieces.first() else {
        return Ok(Some(0));
    };
    let written = if first.len() > WRITE_SIZE_MAX {
        stream.try_write(&[IoSlice::new(&first[..WRITE_SIZE_MAX])])
    } else {
        let mut size = 0;
        let count = pieces
            .iter()
            .take_while(|piece| {
                size += piece.len();
                size <= WRITE_SIZE_MAX
            })
            .count();
        stream.try_write(&pieces[..count])
    };
    match written {
        Ok(0) => Err(io::ErrorKind::WriteZero.into()),
        Ok(written) => Ok(Some(written)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

pub(crate) async fn writable(stream: &Stream) -> io::Result<()> {
    stream.writable().await
}
