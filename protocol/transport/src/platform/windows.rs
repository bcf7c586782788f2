//! Named pipes.
//!
//! The runtime's own pipes are used here and not those of `interprocess`: a client has to open its end by individual
//! rights and so that the server can only look at who it is, and a server has to have more than one free instance;
//! neither can be asked for there (docs/decisions/0007-pipes-of-our-own-on-windows.md).

#[path = "windows/claim.rs"]
mod claim;
#[path = "windows/client.rs"]
mod client;
#[path = "windows/descriptor.rs"]
mod descriptor;
#[path = "windows/identity.rs"]
mod identity;
#[path = "windows/listener.rs"]
mod listener;
#[path = "windows/stream.rs"]
mod stream;

use std::path::{Path, PathBuf};

use crate::EndpointError;

pub(crate) use self::{
    client::{connect, refusal},
    descriptor::{check_descriptor, principal_id as user_id, principal_id as group_id},
    identity::own_user,
    listener::Listener,
    stream::{Stream, read_bytes, read_into, try_write, writable},
};

pub(crate) const ENDPOINT_HINT: &str = r"give the name of a local pipe, such as \\.\pipe\standin";

const PIPE_PREFIX: &str = r"\\.\pipe\";

/// The longest name of a pipe, by the documentation of CreateNamedPipe, with room for the name of the pipe that stands for
/// the claim.
const NAME_LENGTH_MAX: usize = 256 - claim::SUFFIX.len();

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

/// Pipes have no folders. What sets two endpoints of a name apart is the folder that they would have had.
pub(crate) fn private_endpoint(folder: &Path, name: &str) -> PathBuf {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    folder.hash(&mut hasher);
    let (pid, folder) = (std::process::id(), hasher.finish());
    PathBuf::from(format!(r"{PIPE_PREFIX}standin-{pid}-{folder:016x}-{name}"))
}

/// Nobody asks for it: workers run as the service's own user.
pub(crate) fn give_to(_endpoint: &crate::Endpoint, _user: &str) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// The groups that are in force in the token of a client.
pub(crate) fn groups(stream: &Stream, _peer: &crate::Peer) -> std::io::Result<Vec<String>> {
    use std::os::windows::io::AsHandle;
    match stream {
        Stream::Server(server) => identity::groups_of_client(server.as_handle()),
        Stream::Client(_) => Err(std::io::ErrorKind::Unsupported.into()),
    }
}

/// A text as the system takes it.
fn wide(text: &std::ffi::OsStr) -> Vec<u16> {
    use std::os::windows::ffi::OsStrExt;
    text.encode_wide().chain([0]).collect()
}
