//! The client's end of a pipe as a program holds it that knows nothing of Standin. Reading and writing go on at the same
//! time, each with a limit of its own; of the standard library's files one would wait for the other.

use std::{
    cell::Cell,
    fs::File,
    io::{self, Read, Write},
    os::windows::{
        ffi::OsStrExt,
        fs::OpenOptionsExt,
        io::{AsRawHandle, FromRawHandle, OwnedHandle},
    },
    path::Path,
    ptr::{null, null_mut},
    time::Duration,
};

use windows_sys::Win32::{
    Foundation::{ERROR_IO_PENDING, ERROR_PIPE_BUSY, HANDLE, WAIT_TIMEOUT},
    Storage::FileSystem::{FILE_FLAG_OVERLAPPED, ReadFile, WriteFile},
    System::{
        IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED},
        Pipes::WaitNamedPipeW,
        Threading::{CreateEventW, INFINITE, WaitForSingleObject},
    },
};

/// How long is waited for a free instance of a pipe, in milliseconds.
const BUSY_LIMIT_MS: u32 = 20_000;

/// A connected pipe.
#[derive(Debug)]
pub struct Stream {
    /// `None`: it was closed.
    pipe: Option<File>,
    read_limit_ms: Cell<u32>,
    write_limit_ms: Cell<u32>,
}

/// Connects to an endpoint as a program does that knows nothing of Standin.
///
/// # Errors
/// There is no such pipe.
pub fn connect(endpoint: &Path) -> io::Result<Stream> {
    let mut options = File::options();
    options
        .read(true)
        .write(true)
        .custom_flags(FILE_FLAG_OVERLAPPED);
    let pipe = loop {
        match options.open(endpoint) {
            Err(error) if error.raw_os_error() == Some(ERROR_PIPE_BUSY as i32) => {
                let name: Vec<u16> = endpoint.as_os_str().encode_wide().chain([0]).collect();
                // SAFETY: the name ends with a NUL.
                if unsafe { WaitNamedPipeW(name.as_ptr(), BUSY_LIMIT_MS) } == 0 {
                    return Err(io::Error::last_os_error());
                }
            }
            opened => break opened?,
        }
    };
    Ok(Stream {
        pipe: Some(pipe),
        read_limit_ms: Cell::new(INFINITE),
        write_limit_ms: Cell::new(INFINITE),
    })
}

/// Closes a connection; the process goes on.
pub(crate) fn close(stream: &mut Stream) {
    stream.pipe = None;
}

impl Stream {
    /// The same connection once more.
    ///
    /// # Errors
    /// There are no more handles.
    pub fn try_clone(&self) -> io::Result<Stream> {
        Ok(Stream {
            pipe: self.pipe.as_ref().map(File::try_clone).transpose()?,
            read_limit_ms: self.read_limit_ms.clone(),
            write_limit_ms: self.write_limit_ms.clone(),
        })
    }

    /// How long one read may take.
    ///
    /// # Errors
    /// None here.
    pub fn set_read_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        self.read_limit_ms.set(in_ms(limit));
        Ok(())
    }

    /// How long one write may take.
    ///
    /// # Errors
    /// None here.
    pub fn set_write_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        self.write_limit_ms.set(in_ms(limit));
        Ok(())
    }

    /// Begins something with the pipe and waits for its end.
    fn with_pipe(
        &self,
        limit_ms: u32,
        begin: impl FnOnce(HANDLE, *mut OVERLAPPED) -> i32,
    ) -> io::Result<usize> {
        let pipe = self.pipe.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let pipe = pipe.as_raw_handle();
        // SAFETY: nothing is pointed to, and the event belongs to nobody else.
        let event = unsafe { OwnedHandle::from_raw_handle(CreateEventW(null(), 1, 0, null())) };
        let mut overlapped = OVERLAPPED {
            hEvent: event.as_raw_handle(),
            ..OVERLAPPED::default()
        };
        if begin(pipe, &raw mut overlapped) == 0 {
            let error = io::Error::last_os_error();
            if error.raw_os_error() != Some(ERROR_IO_PENDING as i32) {
                return Err(error);
            }
        }
        // SAFETY: the handles are open, and what is in progress is over before its structure goes: either it has ended,
        // or it is cancelled and its end waited for.
        let (late, ended, count) = unsafe {
            let late = WaitForSingleObject(event.as_raw_handle(), limit_ms) == WAIT_TIMEOUT;
            if late {
                CancelIoEx(pipe, &raw const overlapped);
            }
            let mut count = 0;
            let ended = GetOverlappedResult(pipe, &raw const overlapped, &raw mut count, 1);
            (late, ended != 0, count)
        };
        match ended {
            true => Ok(count as usize),
            false if late => Err(io::ErrorKind::TimedOut.into()),
            false => Err(io::Error::last_os_error()),
        }
    }
}

fn in_ms(limit: Option<Duration>) -> u32 {
    limit.map_or(INFINITE, |limit| limit.as_millis() as u32)
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len() as u32;
        let read = self.with_pipe(self.read_limit_ms.get(), |pipe, overlapped| {
            // SAFETY: the buffer and the structure live until the read is over.
            unsafe { ReadFile(pipe, buffer.as_mut_ptr(), length, null_mut(), overlapped) }
        });
        match read {
            // A pipe whose other end is gone has ended.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
            other => other,
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len() as u32;
        self.with_pipe(self.write_limit_ms.get(), |pipe, overlapped| {
            // SAFETY: the bytes and the structure live until the write is over.
            unsafe { WriteFile(pipe, bytes.as_ptr(), length, null_mut(), overlapped) }
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
