//! The server's end: the name is claimed with its first instance, and free instances are always there.

use std::{
    io,
    os::windows::io::{AsHandle, AsRawHandle},
    pin::Pin,
    sync::{Mutex, MutexGuard},
    task::{Context, Poll},
    time::Duration,
};

use tokio::net::windows::named_pipe::{NamedPipeServer, PipeMode, ServerOptions};
use windows_sys::Win32::Foundation::ERROR_ACCESS_DENIED;

use super::{
    claim::{self, Claim},
    descriptor::Descriptor,
    identity,
    stream::Stream,
};
use crate::{Access, Connection, Endpoint, ListenError};

/// Free instances of a public endpoint. A client that finds none has to try again, and many do not know how: they
/// open a pipe as if it were a file. As many as a rush of sixty can find between two turns of ours.
const FREE_INSTANCES: usize = 32;

/// Of an endpoint for one worker: one for it and one for whoever else tries.
const FREE_INSTANCES_PRIVATE: usize = 2;

/// What a pipe holds in each direction before a writer waits, as much as is used.
const BUFFER_SIZE: u32 = 64 * 1024;

/// The system has no room for another instance; somebody will close one soon.
const PAUSE: Duration = Duration::from_millis(20);

/// An instance that waits for its client.
type Waiting = Pin<Box<dyn Future<Output = (io::Result<()>, NamedPipeServer)> + Send>>;

/// A pipe that this process has claimed.
pub(crate) struct Listener {
    maker: Maker,
    count: usize,
    free: Mutex<Vec<Waiting>>,
    /// What keeps a second service away.
    _claim: Option<Claim>,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").finish_non_exhaustive()
    }
}

/// Makes instances of a pipe.
struct Maker {
    endpoint: Endpoint,
    descriptor: Descriptor,
}

impl Maker {
    fn new(endpoint: &Endpoint, access: &Access) -> Result<Self, ListenError> {
        Ok(Self {
            endpoint: endpoint.clone(),
            descriptor: Descriptor::of(access)?,
        })
    }

    /// A service that was killed leaves instances that its clients still hold. They keep their descriptor, so they must
    /// be those of a service of this user.
    fn make_beside_what_is_left(&self) -> io::Result<NamedPipeServer> {
        let made = self.make(false)?;
        match identity::owner_of(made.as_raw_handle())? == identity::own_user() {
            true => Ok(made),
            false => Err(io::Error::from_raw_os_error(ERROR_ACCESS_DENIED as i32)),
        }
    }

    fn make(&self, is_first: bool) -> io::Result<NamedPipeServer> {
        let mut attributes = self.descriptor.attributes();
        let mut options = ServerOptions::new();
        options
            .pipe_mode(PipeMode::Byte)
            .reject_remote_clients(true)
            .first_pipe_instance(is_first)
            .in_buffer_size(BUFFER_SIZE)
            .out_buffer_size(BUFFER_SIZE);
        let name = self.endpoint.as_path();
        // SAFETY: the pointer is to live attributes, which point to a live descriptor.
        unsafe { options.create_with_security_attributes_raw(name, (&raw mut attributes).cast()) }
    }
}

fn waiting(server: NamedPipeServer) -> Waiting {
    Box::pin(async move { (server.connect().await, server) })
}

impl Listener {
    pub(crate) fn bind(endpoint: &Endpoint, access: &Access) -> Result<Self, ListenError> {
        let maker = Maker::new(endpoint, access)?;
        let claim = Claim::take(endpoint)?;
        let first = match maker.make(true) {
            Err(error) if claim::is_taken(&error) => maker.make_beside_what_is_left(),
            made => made,
        };
        let first = first.map_err(|source| claim::refused(endpoint, source))?;
        Self::start(maker, first, FREE_INSTANCES, Some(claim))
    }

    /// For the owner alone, under a name that nobody else uses.
    pub(crate) fn bind_private(endpoint: &Endpoint) -> Result<Self, ListenError> {
        let maker = Maker::new(endpoint, &Access::default())?;
        let first = maker.make(true);
        let first = first.map_err(|source| claim::refused(endpoint, source))?;
        Self::start(maker, first, FREE_INSTANCES_PRIVATE, None)
    }

    fn start(
        maker: Maker,
        first: NamedPipeServer,
        count: usize,
        claim: Option<Claim>,
    ) -> Result<Self, ListenError> {
        // Whoever may not make a second one could serve a single client.
        let second = maker.make(false).map_err(|source| {
            let endpoint = maker.endpoint.clone();
            match source.kind() {
                io::ErrorKind::PermissionDenied => ListenError::LockedOut { endpoint },
                _ => ListenError::Bind { endpoint, source },
            }
        })?;
        let listener = Self {
            maker,
            count,
            free: Mutex::new(vec![waiting(first), waiting(second)]),
            _claim: claim,
        };
        // More of them are made as they can be had.
        let _ = listener.refill();
        Ok(listener)
    }

    fn free(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.free.lock().expect("nobody panics while holding it")
    }

    /// Makes instances until there are as many free ones as there should be. An error only if there is none at all.
    fn refill(&self) -> io::Result<()> {
        let mut free = self.free();
        while free.len() < self.count {
            match self.maker.make(false) {
                Ok(made) => free.push(waiting(made)),
                Err(error) if free.is_empty() => return Err(error),
                Err(_) => return Ok(()),
            }
        }
        Ok(())
    }

    fn poll_taken(&self, context: &mut Context<'_>) -> Poll<(io::Result<()>, NamedPipeServer)> {
        let mut free = self.free();
        for index in 0..free.len() {
            if let Poll::Ready(taken) = free[index].as_mut().poll(context) {
                drop(free.swap_remove(index));
                return Poll::Ready(taken);
            }
        }
        Poll::Pending
    }

    pub(crate) async fn accept(&self) -> io::Result<Connection> {
        loop {
            if self.refill().is_err() {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            let (connected, server) =
                std::future::poll_fn(|context| self.poll_taken(context)).await;
            // The next free instance is there before this one is served.
            let _ = self.refill();
            // A client that was gone before we came is none: it tested whether there is a file of that name.
            if connected.is_ok() {
                let peer = identity::of_client(server.as_handle());
                return Ok(Connection::new(Stream::Server(server), peer));
            }
        }
    }
}
