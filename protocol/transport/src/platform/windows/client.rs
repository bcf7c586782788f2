//! The client's end: opened by individual rights, so that the server can see who it is and nothing more, and only on
//! a server that could be a service of this machine.

use std::{
    ffi::c_void,
    io,
    os::windows::io::{AsHandle, AsRawHandle, FromRawHandle, IntoRawHandle, OwnedHandle},
    ptr::null_mut,
};

use tokio::net::windows::named_pipe::NamedPipeClient;
use windows_sys::Win32::{
    Foundation::{ERROR_PIPE_BUSY, INVALID_HANDLE_VALUE},
    Storage::FileSystem::{
        CreateFileW, FILE_FLAG_OVERLAPPED, OPEN_EXISTING, SECURITY_IDENTIFICATION,
        SECURITY_SQOS_PRESENT,
    },
};

use super::{descriptor::CLIENT_RIGHTS, identity, stream::Stream, wide};
use crate::{Connection, Endpoint, connect::Refusal};

/// How a pipe is opened: the server may learn who we are, and cannot act as us.
const CLIENT_FLAGS: u32 = FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION;

/// An error of our own among those of the system: the server is somebody whom nobody made a service.
#[derive(Debug, thiserror::Error)]
#[error("it is served by {0}, which is neither the system, nor a service, nor this user")]
struct UntrustedServer(String);

#[expect(clippy::unused_async, reason = "Unix may have to wait here")]
pub(crate) async fn connect(endpoint: &Endpoint) -> io::Result<Connection> {
    let pipe = open(endpoint, CLIENT_RIGHTS)?;
    check_server(&pipe)?;
    // SAFETY: the handle was opened for overlapped use, is a pipe's, and is given away.
    let pipe = unsafe { NamedPipeClient::from_raw_handle(pipe.into_raw_handle()) }?;
    let stream = Stream::Client(pipe);
    let peer = identity::of_server(stream.as_handle());
    Ok(Connection::new(stream, peer))
}

/// Opens the client's end.
pub(super) fn open(endpoint: &Endpoint, rights: u32) -> io::Result<OwnedHandle> {
    let name = wide(endpoint.as_path().as_os_str());
    // SAFETY: the name ends with a NUL and lives until the call is over; nothing else is pointed to.
    let handle = unsafe {
        CreateFileW(
            name.as_ptr(),
            rights,
            0,
            std::ptr::null(),
            OPEN_EXISTING,
            CLIENT_FLAGS,
            null_mut(),
        )
    };
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was just opened and belongs to nobody else.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle.cast::<c_void>()) })
}

/// Anybody may make a pipe of any name as long as no service has it. Whom it belongs to only its maker decides, and
/// only among those that he is.
fn check_server(pipe: &OwnedHandle) -> io::Result<()> {
    let owner = identity::owner_of(pipe.as_raw_handle())?;
    if owner == identity::own_user() || is_service(&owner) {
        Ok(())
    } else {
        Err(io::Error::other(UntrustedServer(owner)))
    }
}

/// LocalSystem, LocalService, NetworkService, administrators, and the accounts of services.
fn is_service(user: &str) -> bool {
    ["S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-5-32-544"].contains(&user)
        || user.starts_with("S-1-5-80-")
}

pub(crate) fn refusal(error: &io::Error) -> Refusal {
    match (error.kind(), error.raw_os_error()) {
        (_, Some(code)) if code == ERROR_PIPE_BUSY as i32 => Refusal::Busy,
        (io::ErrorKind::NotFound, _) => Refusal::NotThere,
        (io::ErrorKind::PermissionDenied, _) => Refusal::Denied,
        (io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut, _) => Refusal::Busy,
        _ => Refusal::Other,
    }
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::Storage::FileSystem::{
        SECURITY_IMPERSONATION, SECURITY_VALID_SQOS_FLAGS,
    };

    use super::*;

    // Wine shows a server more than it was asked to, so there only the flags themselves can be looked at.
    #[test]
    fn a_client_asks_to_be_looked_at_and_not_to_be_acted_for() {
        let asked = CLIENT_FLAGS & SECURITY_VALID_SQOS_FLAGS;
        assert_eq!(asked, SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION);
        assert_eq!(asked & SECURITY_IMPERSONATION, 0);
    }

    #[test]
    fn a_pipe_of_another_user_is_no_service() {
        assert!(is_service("S-1-5-18"));
        assert!(is_service(
            "S-1-5-80-3880718306-3832830129-1677859214-2598158968-1052248003"
        ));
        assert!(!is_service("S-1-5-21-1004336348-1177238915-682003330-1001"));
        assert!(!is_service("S-1-5-800"));
        assert!(!is_service(""));
    }
}
