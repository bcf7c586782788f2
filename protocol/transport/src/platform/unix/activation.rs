//! A socket that somebody else listens on already and hands to us: socket activation, as systemd does it. The service
//! manager keeps the socket while we are gone, so clients that connect meanwhile wait in its queue and are served by
//! the next life of the service.

use std::{
    io,
    os::{
        fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd},
        linux::net::SocketAddrExt as _,
        unix::net::UnixListener,
    },
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
};

use rustix::{io::FdFlags, net::sockopt};

use super::Listener;
use crate::{Endpoint, ListenError};

/// The first handle that is handed over, by the protocol; those below are the standard streams.
const FIRST: RawFd = 3;

/// A handle has one owner, so it is taken once.
static TAKEN: AtomicBool = AtomicBool::new(false);

impl Listener {
    /// The socket that was handed to this process, if one was.
    pub(crate) fn from_activation() -> Result<Option<(Self, Endpoint)>, ListenError> {
        if !is_meant_for_us() || TAKEN.swap(true, Ordering::Relaxed) {
            return Ok(None);
        }
        let count = std::env::var("LISTEN_FDS").unwrap_or_default();
        if count != "1" {
            let words = format!("LISTEN_FDS is `{count}`, where one socket is expected");
            return Err(refused(io::Error::new(io::ErrorKind::InvalidInput, words)));
        }
        let socket = take().map_err(refused)?;
        let path = path(&socket).map_err(refused)?;
        let endpoint = Endpoint::parse(&path.to_string_lossy())
            .map_err(|error| refused(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
        let inner = interprocess::os::unix::uds_local_socket::tokio::Listener::try_from(socket)
            .map_err(refused)?;
        let listener = Self {
            inner: inner.into(),
            own_file: None,
            _lock: None,
        };
        Ok(Some((listener, endpoint)))
    }
}

fn refused(source: io::Error) -> ListenError {
    ListenError::Activation { source }
}

/// The variables are inherited by children, for whom the handle is not; so they name the process they are for.
fn is_meant_for_us() -> bool {
    std::env::var("LISTEN_PID").is_ok_and(|pid| pid == std::process::id().to_string())
}

/// Takes the handle after a look at what it is: anything may be open under that number.
fn take() -> io::Result<OwnedFd> {
    // SAFETY: the number is only looked at; a closed one is answered with an error by the calls below.
    let looked_at = unsafe { BorrowedFd::borrow_raw(FIRST) };
    let wrong = |what| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    if sockopt::socket_domain(looked_at)? != rustix::net::AddressFamily::UNIX {
        return wrong("handle 3 is no Unix socket");
    }
    if sockopt::socket_type(looked_at)? != rustix::net::SocketType::STREAM {
        return wrong("handle 3 is no stream socket (ListenStream= is wanted)");
    }
    if !sockopt::socket_acceptconn(looked_at)? {
        return wrong("handle 3 is a socket that does not listen (Accept=no is wanted)");
    }
    // Workers must not hold the endpoint.
    rustix::io::fcntl_setfd(looked_at, FdFlags::CLOEXEC)?;
    // SAFETY: the handle is open and was handed over to this process, whose other parts open only handles of their own;
    // `TAKEN` lets nobody else come here.
    Ok(unsafe { OwnedFd::from_raw_fd(FIRST) })
}

/// Where clients find the socket.
fn path(socket: &OwnedFd) -> io::Result<PathBuf> {
    let listener = UnixListener::from(socket.try_clone()?);
    let address = listener.local_addr()?;
    let path = address.as_pathname().map(PathBuf::from);
    path.ok_or_else(|| {
        let words = match address.as_abstract_name() {
            Some(_) => "the socket has an abstract name, which has no rights",
            None => "the socket has no path",
        };
        io::Error::new(io::ErrorKind::InvalidInput, words)
    })
}
