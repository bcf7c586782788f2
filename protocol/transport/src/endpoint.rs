//! Names of endpoints.

use std::path::{Path, PathBuf};

use crate::platform;

/// Where a service listens: the path of a socket, or the name of a pipe.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint(PathBuf);

/// Why a text is no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Nothing there.
    #[error("the endpoint is empty\n(hint: {hint})", hint = platform::ENDPOINT_HINT)]
    Empty,
    /// Not of the form that this system wants.
    #[error("`{text}` is no endpoint here\n(hint: {hint})", hint = platform::ENDPOINT_HINT)]
    WrongForm {
        /// What was given.
        text: String,
    },
    /// Longer than the system allows.
    #[error("the endpoint `{text}` is {length} bytes long; this system allows {limit}")]
    TooLong {
        /// What was given.
        text: String,
        /// Its length in bytes.
        length: usize,
        /// The longest there may be.
        limit: usize,
    },
}

impl Endpoint {
    /// The variable that names the endpoint for clients and for the service.
    pub const VARIABLE: &str = "STANDIN_ENDPOINT";

    /// Understands a path of a socket, or on Windows a name that begins with `\\.\pipe\`.
    ///
    /// # Errors
    /// See [`EndpointError`].
    pub fn parse(text: &str) -> Result<Endpoint, EndpointError> {
        if text.is_empty() {
            return Err(EndpointError::Empty);
        }
        platform::check_endpoint(text)?;
        Ok(Endpoint(PathBuf::from(text)))
    }

    /// Where a service of this user listens when nobody says otherwise: the system's place for an administrator, the
    /// user's own otherwise.
    #[must_use]
    pub fn default_for_user() -> Endpoint {
        Endpoint(platform::default_endpoint())
    }

    /// Where a client looks: what `STANDIN_ENDPOINT` says, else the user's own service if there is one, else the
    /// machine's.
    ///
    /// # Errors
    /// The variable holds no endpoint.
    pub fn for_client() -> Result<Endpoint, EndpointError> {
        match std::env::var(Self::VARIABLE) {
            Ok(text) => Self::parse(&text),
            Err(_) => Ok(Endpoint(platform::client_endpoint())),
        }
    }

    /// A private endpoint in `folder`, for one worker. `name` must be unique.
    #[must_use]
    pub fn private(folder: &Path, name: &str) -> Endpoint {
        Endpoint(platform::private_endpoint(folder, name))
    }

    /// The path or pipe name.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        &self.0
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.display().fmt(f)
    }
}
