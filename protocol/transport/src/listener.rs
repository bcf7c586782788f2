//! Listening on an endpoint that nobody else listens on.

use std::io;

use crate::{Access, Connection, DescriptorError, Endpoint, platform};

/// Why an endpoint cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Somebody answers there already.
    #[error(
        "another service already owns `{endpoint}`{owner}\n(hint: stop it, or choose another name with `--endpoint`)",
        owner = pid.map_or_else(String::new, |pid| format!(" (pid {pid})"))
    )]
    AlreadyRunning {
        /// Where.
        endpoint: Endpoint,
        /// Who, where the system tells.
        pid: Option<u32>,
    },
    /// The folder of the socket cannot be made.
    #[error("cannot make the folder `{folder}` for the endpoint")]
    Folder {
        /// Which.
        folder: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The group of the setting is not known here.
    #[error("the group `{group}` for the endpoint is not known on this machine")]
    UnknownGroup {
        /// Which.
        group: String,
    },
    /// The security descriptor of the setting is none.
    #[error(transparent)]
    Descriptor(#[from] DescriptorError),
    /// The security descriptor of the setting keeps the service itself out.
    #[error(
        "the security descriptor of `{endpoint}` does not let the service itself make instances of the pipe\n\
         (hint: give the account of the service GA, or at least 0x12019f)"
    )]
    LockedOut {
        /// Of what.
        endpoint: Endpoint,
    },
    /// The rights cannot be set.
    #[error("cannot set the rights of `{endpoint}`")]
    Access {
        /// Of what.
        endpoint: Endpoint,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What the service manager handed over is no socket to listen on.
    #[error(
        "the service manager handed over no socket that can be served\n(hint: the unit `standin.socket` names one path \
         with `ListenStream=`)"
    )]
    Activation {
        /// What is wrong with it.
        #[source]
        source: io::Error,
    },
    /// The system refuses for another reason.
    #[error("cannot listen on `{endpoint}`")]
    Bind {
        /// Where.
        endpoint: Endpoint,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// The one listener of an endpoint. Dropping it frees the name.
#[derive(Debug)]
pub struct Listener {
    inner: platform::Listener,
    endpoint: Endpoint,
}

impl Listener {
    /// Claims the endpoint. What a crashed service left behind is taken over, but only when nobody answers there.
    ///
    /// # Errors
    /// See [`ListenError`].
    pub fn bind(endpoint: &Endpoint, access: &Access) -> Result<Listener, ListenError> {
        let inner = platform::Listener::bind(endpoint, access)?;
        Ok(Listener {
            inner,
            endpoint: endpoint.clone(),
        })
    }

    /// Claims a private endpoint, whose name nobody else knows or uses: for its owner alone, and without the care for
    /// rivals that a well-known name needs. Its folder must be there.
    ///
    /// # Errors
    /// See [`ListenError`].
    pub fn bind_private(endpoint: &Endpoint) -> Result<Listener, ListenError> {
        let inner = platform::Listener::bind_private(endpoint)?;
        Ok(Listener {
            inner,
            endpoint: endpoint.clone(),
        })
    }

    /// The socket that the service manager listens on and has handed to this process, if it has. It may be asked once;
    /// dropping what it gives back leaves the name to the service manager, in whose queue clients go on waiting.
    ///
    /// # Errors
    /// See [`ListenError`].
    pub fn from_activation() -> Result<Option<Listener>, ListenError> {
        #[cfg(target_os = "linux")]
        let handed_over = platform::Listener::from_activation()?
            .map(|(inner, endpoint)| Listener { inner, endpoint });
        #[cfg(not(target_os = "linux"))]
        let handed_over = None;
        Ok(handed_over)
    }

    /// The next client. A client that is gone again already, or a machine that is short of handles for a moment, is
    /// not an error: the next one is waited for.
    ///
    /// # Errors
    /// The listener itself is broken.
    pub async fn accept(&self) -> io::Result<Connection> {
        self.inner.accept().await
    }

    /// Gives a private endpoint to another user, by what [`Peer::user`](crate::Peer::user) would tell: that user alone may
    /// connect to it then, and whoever may do everything.
    ///
    /// # Errors
    /// The system refuses, or does not know such a thing.
    pub fn give_to(&self, user: &str) -> io::Result<()> {
        platform::give_to(&self.endpoint, user)
    }

    /// Where it listens.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}
