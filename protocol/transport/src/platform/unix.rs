//! Unix sockets.

#[cfg(target_os = "linux")]
#[path = "unix/activation.rs"]
mod activation;
#[path = "unix/principals.rs"]
mod principals;
#[path = "unix/stream.rs"]
mod stream;

use std::{
    fs::File,
    io,
    os::{
        fd::AsFd,
        unix::fs::{DirBuilderExt, MetadataExt},
    },
    path::{Path, PathBuf},
    time::Duration,
};

use interprocess::local_socket::{GenericFilePath, ListenerOptions, ToFsName, tokio::prelude::*};
use interprocess::os::unix::local_socket::ListenerOptionsExt;
use tokio::net::UnixStream;

use crate::{
    Access, Connection, DescriptorError, Endpoint, EndpointError, ListenError, Peer,
    connect::Refusal,
};

pub(crate) use self::{
    principals::{give_to, group_id, groups, user_id},
    stream::{Stream, read_bytes, read_into, try_write, writable},
};

pub(crate) const ENDPOINT_HINT: &str =
    "give the path of a socket, such as /run/standin/standin.sock";

/// The longest path that fits into a socket's address, the final NUL included in neither.
const PATH_LENGTH_MAX: usize = 107;

pub(crate) fn check_endpoint(text: &str) -> Result<(), EndpointError> {
    if text.len() > PATH_LENGTH_MAX {
        return Err(EndpointError::TooLong {
            text: text.to_owned(),
            length: text.len(),
            limit: PATH_LENGTH_MAX,
        });
    }
    if text.starts_with(r"\\") || text.contains('\0') || text.ends_with('/') {
        return Err(EndpointError::WrongForm {
            text: text.to_owned(),
        });
    }
    Ok(())
}

const SYSTEM_ENDPOINT: &str = "/run/standin/standin.sock";

pub(crate) fn default_endpoint() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        PathBuf::from(SYSTEM_ENDPOINT)
    } else {
        user_endpoint()
    }
}

fn user_endpoint() -> PathBuf {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty());
    runtime.map_or_else(
        || {
            PathBuf::from(format!(
                "/tmp/standin-{}/standin.sock",
                rustix::process::geteuid().as_raw()
            ))
        },
        |folder| PathBuf::from(folder).join("standin/standin.sock"),
    )
}

pub(crate) fn client_endpoint() -> PathBuf {
    let own = user_endpoint();
    if own.exists() {
        own
    } else {
        PathBuf::from(SYSTEM_ENDPOINT)
    }
}

pub(crate) fn private_endpoint(folder: &Path, name: &str) -> PathBuf {
    folder.join(name)
}

/// There are none here.
#[expect(
    clippy::unnecessary_wraps,
    reason = "Windows has them, and says what is wrong with one"
)]
pub(crate) fn check_descriptor(_text: &str) -> Result<(), DescriptorError> {
    Ok(())
}

pub(crate) fn own_user() -> String {
    rustix::process::geteuid().to_string()
}

pub(crate) async fn connect(endpoint: &Endpoint) -> io::Result<Connection> {
    let name = endpoint.as_path().to_fs_name::<GenericFilePath>()?;
    let stream = interprocess::local_socket::tokio::Stream::connect(name).await?;
    connection(stream)
}

fn connection(stream: interprocess::local_socket::tokio::Stream) -> io::Result<Connection> {
    let credentials = stream.peer_creds()?;
    let peer = Peer {
        pid: credentials.pid().and_then(|pid| u32::try_from(pid).ok()),
        user: credentials
            .euid()
            .map(|uid| uid.to_string())
            .unwrap_or_default(),
        ..Peer::default()
    };
    let interprocess::local_socket::tokio::Stream::UdSocket(stream) = stream;
    let stream: UnixStream = stream.into();
    Ok(Connection::new(
        Stream::new(stream.into_std()?.into())?,
        peer,
    ))
}

pub(crate) fn refusal(error: &io::Error) -> Refusal {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Refusal::NotThere,
        io::ErrorKind::PermissionDenied => Refusal::Denied,
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Refusal::Busy,
        _ => Refusal::Other,
    }
}

/// A bound socket, with the lock that keeps two services from taking over the same stale file at once.
#[derive(Debug)]
pub(crate) struct Listener {
    inner: interprocess::local_socket::tokio::Listener,
    /// The file of the socket and its number, if it is ours to remove.
    own_file: Option<(PathBuf, u64)>,
    _lock: Option<File>,
}

impl Listener {
    pub(crate) fn bind(endpoint: &Endpoint, access: &Access) -> Result<Self, ListenError> {
        let path = endpoint.as_path();
        make_folder(path, access)?;
        let lock = patiently(|| lock(endpoint))?;
        patiently(|| remove_stale(endpoint))?;
        let mut listener = Self::bind_private(endpoint)?;
        listener._lock = Some(lock);
        // Until the group is right nobody but the owner gets in; the mode is widened last.
        let access_error = |source| ListenError::Access {
            endpoint: endpoint.clone(),
            source,
        };
        if let Some(group) = &access.group {
            let group = group_number(group)?;
            std::os::unix::fs::chown(path, None, Some(group)).map_err(access_error)?;
        }
        let mode = std::os::unix::fs::PermissionsExt::from_mode(access.mode);
        std::fs::set_permissions(path, mode).map_err(access_error)?;
        Ok(listener)
    }

    /// For the owner alone, under a name that nobody else uses.
    pub(crate) fn bind_private(endpoint: &Endpoint) -> Result<Self, ListenError> {
        let path = endpoint.as_path();
        let bind_error = |source| ListenError::Bind {
            endpoint: endpoint.clone(),
            source,
        };
        let name = path.to_fs_name::<GenericFilePath>().map_err(bind_error)?;
        let inner = ListenerOptions::new()
            .name(name)
            .mode(0o600)
            .reclaim_name(false)
            .create_tokio()
            .map_err(bind_error)?;
        let inode = std::fs::metadata(path).map_err(bind_error)?.ino();
        Ok(Self {
            inner,
            own_file: Some((path.to_owned(), inode)),
            _lock: None,
        })
    }

    pub(crate) async fn accept(&self) -> io::Result<Connection> {
        loop {
            match self.inner.accept().await {
                Ok(stream) => {
                    // A client that is gone already may have no credentials any more.
                    if let Ok(connection) = connection(stream) {
                        return Ok(connection);
                    }
                }
                Err(error) if is_passing(&error) => tokio::time::sleep(ACCEPT_PAUSE).await,
                Err(error) => return Err(error),
            }
        }
    }
}

/// Out of handles or memory: somebody will close something soon.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

fn is_passing(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let code = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(
        code,
        Some(
            Errno::MFILE
                | Errno::NFILE
                | Errno::NOBUFS
                | Errno::NOMEM
                | Errno::CONNABORTED
                | Errno::INTR
        )
    )
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Only what is still ours: somebody may have removed it and another service may have begun.
        if let Some((path, inode)) = &self.own_file
            && std::fs::metadata(path).is_ok_and(|file| file.ino() == *inode)
        {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn make_folder(path: &Path, access: &Access) -> Result<(), ListenError> {
    let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    else {
        return Ok(());
    };
    // Whoever may use the socket must be able to reach it; nobody else needs to look into the folder.
    let mode = if access.mode & 0o077 == 0 {
        0o700
    } else {
        0o755
    };
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(folder);
    made.map_err(|source| ListenError::Folder {
        folder: folder.display().to_string(),
        source,
    })
}

/// How long somebody else must have a name before it counts as taken.
const PATIENCE: Duration = Duration::from_secs(1);

const PATIENCE_PAUSE: Duration = Duration::from_millis(10);

/// A service that was killed just as it started a process lives on in that process for a moment, with all its files, until
/// the process has become another program. So who finds a name taken looks again.
#[expect(
    clippy::disallowed_methods,
    reason = "nothing else goes on before there is a listener"
)]
fn patiently<T>(mut claim: impl FnMut() -> Result<T, ListenError>) -> Result<T, ListenError> {
    let mut waited = Duration::ZERO;
    loop {
        match claim() {
            Err(ListenError::AlreadyRunning { .. }) if waited < PATIENCE => {
                std::thread::sleep(PATIENCE_PAUSE);
                waited += PATIENCE_PAUSE;
            }
            other => return other,
        }
    }
}

/// One service at a time may look whether a socket is stale and take it over. The lock file stays: removing it would
/// bring the race back.
fn lock(endpoint: &Endpoint) -> Result<File, ListenError> {
    let mut path = endpoint.as_path().as_os_str().to_owned();
    path.push(".lock");
    let bind_error = |source| ListenError::Bind {
        endpoint: endpoint.clone(),
        source,
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(bind_error)?;
    match rustix::fs::flock(
        file.as_fd(),
        rustix::fs::FlockOperation::NonBlockingLockExclusive,
    ) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(ListenError::AlreadyRunning {
            endpoint: endpoint.clone(),
            pid: owner(endpoint),
        }),
        Err(error) => Err(bind_error(error.into())),
    }
}

/// Removes a socket that nobody listens on; leaves anything else alone.
fn remove_stale(endpoint: &Endpoint) -> Result<(), ListenError> {
    let path = endpoint.as_path();
    let bind_error = |source| ListenError::Bind {
        endpoint: endpoint.clone(),
        source,
    };
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => Err(ListenError::AlreadyRunning {
            endpoint: endpoint.clone(),
            pid: owner(endpoint),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            use std::os::unix::fs::FileTypeExt;
            let kind = std::fs::symlink_metadata(path)
                .map_err(bind_error)?
                .file_type();
            if !kind.is_socket() {
                let reason = "there is a file of that name that is not a socket";
                return Err(bind_error(io::Error::new(
                    io::ErrorKind::AlreadyExists,
                    reason,
                )));
            }
            std::fs::remove_file(path).map_err(bind_error)
        }
        Err(error) => Err(bind_error(error)),
    }
}

/// Who listens there now.
fn owner(endpoint: &Endpoint) -> Option<u32> {
    let stream = std::os::unix::net::UnixStream::connect(endpoint.as_path()).ok()?;
    #[cfg(target_os = "linux")]
    {
        let credentials = rustix::net::sockopt::socket_peercred(&stream).ok()?;
        u32::try_from(credentials.pid.as_raw_nonzero().get()).ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = stream;
        None
    }
}

/// A group's number: it is one already, or stands in the group file. Other directories than that file are not asked,
/// so a group from elsewhere is given by its number.
fn group_number(group: &str) -> Result<u32, ListenError> {
    if let Ok(number) = group.parse() {
        return Ok(number);
    }
    let file = std::fs::read_to_string("/etc/group").unwrap_or_default();
    let number = file.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(group)).then(|| fields.nth(1)?.parse().ok())?
    });
    number.ok_or_else(|| ListenError::UnknownGroup {
        group: group.to_owned(),
    })
}
