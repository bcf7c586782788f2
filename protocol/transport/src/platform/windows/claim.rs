//! Which of several services has a name.
//!
//! The pipe itself cannot say it. An instance of a pipe lives until both of its ends are closed, so of a service that was
//! killed something is left for as long as one of its clients has not noticed; and a service that is alive may have no
//! free instance at the moment, so that nobody can ask it. Therefore a service has a second pipe that nobody ever
//! connects to, which ends with it.

use std::{io, os::windows::io::AsHandle};

use tokio::net::windows::named_pipe::{NamedPipeServer, PipeMode, ServerOptions};
use windows_sys::Win32::{
    Foundation::{ERROR_ACCESS_DENIED, ERROR_ALREADY_EXISTS, ERROR_PIPE_BUSY},
    Storage::FileSystem::FILE_READ_ATTRIBUTES,
};

use super::{client, descriptor::Descriptor, identity};
use crate::{Access, Endpoint, ListenError};

/// What the name of the second pipe has more than that of the first.
pub(super) const SUFFIX: &str = ".owner";

/// How often a rival's pipe is tried, to learn who he is.
const OWNER_TRIES: usize = 10;

/// The right to serve under a name. It ends with this value, and with the process at the latest.
pub(super) struct Claim(#[expect(dead_code, reason = "it is held, nothing else")] NamedPipeServer);

impl Claim {
    /// Takes it, unless somebody has it or serves under the name without having it.
    pub(super) fn take(endpoint: &Endpoint) -> Result<Self, ListenError> {
        let descriptor = Descriptor::of(&Access::default())?;
        let mut attributes = descriptor.attributes();
        let mut name = endpoint.as_path().as_os_str().to_owned();
        name.push(SUFFIX);
        let mut options = ServerOptions::new();
        // One instance at most is the same once more: Wine knows only this way of being the first.
        options
            .pipe_mode(PipeMode::Byte)
            .reject_remote_clients(true)
            .first_pipe_instance(true)
            .max_instances(1);
        // SAFETY: the pointer is to live attributes, which point to a live descriptor.
        let claimed = unsafe {
            options.create_with_security_attributes_raw(name, (&raw mut attributes).cast())
        };
        let claim = Self(claimed.map_err(|source| refused(endpoint, source))?);
        match server(endpoint) {
            Server::Listens(pid) => Err(taken(endpoint, pid)),
            Server::Nobody | Server::Silent => Ok(claim),
        }
    }
}

/// Why a pipe of a name cannot be made.
pub(super) fn refused(endpoint: &Endpoint, source: io::Error) -> ListenError {
    let endpoint = endpoint.clone();
    if is_taken(&source) {
        let pid = match server(&endpoint) {
            Server::Listens(pid) => pid,
            Server::Nobody | Server::Silent => None,
        };
        taken(&endpoint, pid)
    } else {
        ListenError::Bind { endpoint, source }
    }
}

/// Whether somebody else has a pipe of that name.
pub(super) fn is_taken(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(|code| code as u32);
    matches!(
        code,
        Some(ERROR_ACCESS_DENIED | ERROR_ALREADY_EXISTS | ERROR_PIPE_BUSY)
    )
}

fn taken(endpoint: &Endpoint, pid: Option<u32>) -> ListenError {
    ListenError::AlreadyRunning {
        endpoint: endpoint.clone(),
        pid,
    }
}

/// Who serves under a name.
enum Server {
    /// There is no such pipe.
    Nobody,
    /// Somebody with a free instance; who, if the system tells.
    Listens(Option<u32>),
    /// There is something of that name that cannot be asked.
    Silent,
}

/// Asking takes one of the free instances for a moment, as any client does.
fn server(endpoint: &Endpoint) -> Server {
    for _ in 0..OWNER_TRIES {
        match client::open(endpoint, FILE_READ_ATTRIBUTES) {
            Ok(pipe) => return Server::Listens(identity::server_pid(pipe.as_handle())),
            Err(error) if error.raw_os_error() == Some(ERROR_PIPE_BUSY as i32) => {
                std::thread::yield_now();
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Server::Nobody,
            Err(_) => break,
        }
    }
    Server::Silent
}
