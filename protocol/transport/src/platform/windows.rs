//! Named pipes. Compiled and reviewed; what is promised for Windows is tested in a later step.

use std::{
    cell::RefCell,
    io::{self, IoSlice},
    path::{Path, PathBuf},
    pin::Pin,
    time::Duration,
};

use bytes::BytesMut;
use interprocess::{
    local_socket::{GenericFilePath, ListenerOptions, ToFsName, tokio::prelude::*},
    os::windows::{local_socket::ListenerOptionsExt, security_descriptor::SecurityDescriptor},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{Access, Connection, Endpoint, EndpointError, ListenError, Peer, connect::Refusal};

pub(crate) type Stream = interprocess::local_socket::tokio::Stream;

pub(crate) const ENDPOINT_HINT: &str = r"give the name of a local pipe, such as \\.\pipe\standin";

const PIPE_PREFIX: &str = r"\\.\pipe\";

/// The longest name of a pipe, by the documentation of CreateNamedPipe.
const NAME_LENGTH_MAX: usize = 256;

/// Network and anonymous logons denied; SYSTEM and administrators everything; interactive users read and write by
/// individual rights, without FILE_CREATE_PIPE_INSTANCE (0x4), so that none can pose as the server.
const PUBLIC_DESCRIPTOR: &str =
    "D:P(D;;GA;;;NU)(D;;GA;;;AN)(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;OW)(A;;0x12019b;;;IU)";

/// The owner, SYSTEM and administrators.
const PRIVATE_DESCRIPTOR: &str = "D:P(D;;GA;;;NU)(D;;GA;;;AN)(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;OW)";

const SCRATCH_SIZE: usize = 64 * 1024;

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH_SIZE].into_boxed_slice());
}

pub(crate) fn check_endpoint(text: &str) -> Result<(), EndpointError> {
    // A UNC name would send the user's credentials to another machine.
    let name = text
        .get(..PIPE_PREFIX.len())
        .filter(|prefix| prefix.eq_ignore_ascii_case(PIPE_PREFIX));
    if name.is_none() || text.len() == PIPE_PREFIX.len() || text.contains('\0') {
        return Err(EndpointError::WrongForm {
            text: text.to_owned(),
        });
    }
    if text.len() > NAME_LENGTH_MAX {
        let (length, limit) = (text.len(), NAME_LENGTH_MAX);
        return Err(EndpointError::TooLong {
            text: text.to_owned(),
            length,
            limit,
        });
    }
    Ok(())
}

pub(crate) fn default_endpoint() -> PathBuf {
    PathBuf::from(r"\\.\pipe\standin")
}

pub(crate) fn client_endpoint() -> PathBuf {
    default_endpoint()
}

pub(crate) fn private_endpoint(_folder: &Path, name: &str) -> PathBuf {
    PathBuf::from(format!(
        r"{PIPE_PREFIX}standin-{}-{name}",
        std::process::id()
    ))
}

pub(crate) async fn connect(endpoint: &Endpoint) -> io::Result<Connection> {
    let name = endpoint.as_path().to_fs_name::<GenericFilePath>()?;
    Ok(connection(Stream::connect(name).await?))
}

fn connection(stream: Stream) -> Connection {
    let pid = stream
        .peer_creds()
        .ok()
        .and_then(|credentials| credentials.pid());
    // The user's SID comes with the work on Windows; until then the session is bound to the process alone.
    Connection::new(
        stream,
        Peer {
            pid,
            user: String::new(),
        },
    )
}

pub(crate) fn refusal(error: &io::Error) -> Refusal {
    const ERROR_PIPE_BUSY: i32 = 231;
    match (error.kind(), error.raw_os_error()) {
        (_, Some(ERROR_PIPE_BUSY)) => Refusal::Busy,
        (io::ErrorKind::NotFound, _) => Refusal::NotThere,
        (io::ErrorKind::PermissionDenied, _) => Refusal::Denied,
        (io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut, _) => Refusal::Busy,
        _ => Refusal::Other,
    }
}

/// A pipe whose other end is gone ends the stream; it is not an error.
fn ended(result: io::Result<usize>) -> io::Result<usize> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        other => other,
    }
}

pub(crate) async fn read_into(stream: &Stream, buffer: &mut BytesMut) -> io::Result<usize> {
    let mut stream = stream;
    ended(tokio::io::AsyncReadExt::read_buf(&mut stream, buffer).await)
}

pub(crate) async fn read_with(stream: &Stream, mut take: impl FnMut(&[u8])) -> io::Result<usize> {
    let mut stream = stream;
    let read = std::future::poll_fn(|context| {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            Pin::new(&mut stream)
                .poll_read(context, &mut buffer)
                .map_ok(|()| {
                    take(buffer.filled());
                    buffer.filled().len()
                })
        })
    });
    ended(read.await)
}

pub(crate) async fn write_all(stream: &Stream, mut pieces: &mut [IoSlice<'_>]) -> io::Result<()> {
    let mut stream = stream;
    while let Some(piece) = pieces.first() {
        let written =
            std::future::poll_fn(|context| Pin::new(&mut stream).poll_write(context, piece))
                .await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        IoSlice::advance_slices(&mut pieces, written);
    }
    Ok(())
}

/// A pipe that this process has claimed.
#[derive(Debug)]
pub(crate) struct Listener {
    inner: interprocess::local_socket::tokio::Listener,
}

impl Listener {
    pub(crate) fn bind(endpoint: &Endpoint, access: &Access) -> Result<Self, ListenError> {
        let bind_error = |source| ListenError::Bind {
            endpoint: endpoint.clone(),
            source,
        };
        let access_error = |source| ListenError::Access {
            endpoint: endpoint.clone(),
            source,
        };
        let text = if access.mode & 0o077 == 0 {
            PRIVATE_DESCRIPTOR
        } else {
            PUBLIC_DESCRIPTOR
        };
        let text = widestring::U16CString::from_str(text).expect("the descriptor holds no NUL");
        let descriptor = SecurityDescriptor::deserialize(&text).map_err(access_error)?;
        let name = endpoint
            .as_path()
            .to_fs_name::<GenericFilePath>()
            .map_err(bind_error)?;
        let bound = ListenerOptions::new()
            .name(name)
            .security_descriptor(descriptor)
            .create_tokio();
        let inner = bound.map_err(|source| match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::AddrInUse => {
                ListenError::AlreadyRunning {
                    endpoint: endpoint.clone(),
                    pid: None,
                }
            }
            _ => bind_error(source),
        })?;
        Ok(Self { inner })
    }

    /// For the owner alone, under a name that nobody else uses.
    pub(crate) fn bind_private(endpoint: &Endpoint) -> Result<Self, ListenError> {
        Self::bind(endpoint, &Access::default())
    }

    pub(crate) async fn accept(&self) -> io::Result<Connection> {
        /// The client closed before it was accepted: a test for the file's existence.
        const ERROR_NO_DATA: i32 = 232;
        loop {
            match self.inner.accept().await {
                Ok(stream) => return Ok(connection(stream)),
                Err(error) if error.raw_os_error() == Some(ERROR_NO_DATA) => {}
                Err(error) if error.kind() == io::ErrorKind::OutOfMemory => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }
}
