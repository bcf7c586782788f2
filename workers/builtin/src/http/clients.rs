//! The connection pools, one for each way to reach servers.
//!
//! Nearly every program uses one way all day, so a handful is enough; the least recently used goes.

use std::{
    error::Error,
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::{
    Client, Proxy, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect, retry,
};
use standin_worker::shown;

use crate::net::tls::{self, Trust, TrustError};

const CLIENTS_MAX: usize = 16;
/// Shorter than the 60 or 75 seconds after which common servers and firewalls close: a connection that closes just
/// as a POST goes out would leave the caller with an unknown outcome.
const IDLE_MAX: Duration = Duration::from_secs(30);
const IDLE_PER_HOST_MAX: usize = 4;

/// What connections may be shared by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) trust: Trust,
    pub(super) connect: Duration,
    pub(super) proxy: Option<String>,
}

/// The pools in use, the most recently used last.
#[derive(Default)]
pub(super) struct Clients {
    open: Mutex<Vec<(Key, Client)>>,
}

/// Why there is no client for a key; nothing was sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    #[error(transparent)]
    Trust(#[from] TrustError),
    #[error("{} cannot be the address of a proxy; it must begin with http:// or https://", shown(.0))]
    Proxy(String),
    #[error("the connection settings cannot be used: {0}")]
    Build(#[source] reqwest::Error),
}

impl Clients {
    pub(super) fn get(&self, key: &Key) -> Result<Client, ClientError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = open.iter().position(|(known, _)| known == key) {
            let entry = open.remove(place);
            let client = entry.1.clone();
            open.push(entry);
            return Ok(client);
        }
        let client = build(key)?;
        if open.len() == CLIENTS_MAX {
            open.remove(0);
        }
        open.push((key.clone(), client.clone()));
        Ok(client)
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").finish_non_exhaustive()
    }
}

fn build(key: &Key) -> Result<Client, ClientError> {
    let mut config = tls::client_config(&key.trust)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let builder = Client::builder()
        .user_agent(concat!("Standin/", env!("CARGO_PKG_VERSION")))
        .tls_backend_preconfigured(config)
        .connect_timeout(key.connect)
        .pool_idle_timeout(IDLE_MAX)
        .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
        .dns_resolver(Arc::new(SystemNames))
        // Redirects and repeats are decided in `exchange`, where the verb is known. What hyper still repeats on its
        // own is a request of which not one byte was written.
        .redirect(redirect::Policy::none())
        .retry(retry::never());
    let builder = match key.proxy.as_deref() {
        None => builder,
        Some("none" | "") => builder.no_proxy(),
        Some(address) => {
            let proxy = Url::parse(address)
                .ok()
                // The client would take another kind without a word, and go without.
                .filter(|url| matches!(url.scheme(), "http" | "https"))
                .and_then(|url| Proxy::all(url).ok())
                .ok_or_else(|| ClientError::Proxy(address.to_owned()))?;
            builder.proxy(proxy)
        }
    };
    builder.build().map_err(ClientError::Build)
}

/// The system's own name lookup, with an error that can be told from others.
struct SystemNames;

/// A name that the system does not know.
#[derive(Debug, thiserror::Error)]
#[error("the name \"{name}\" was not found")]
pub(super) struct NameError {
    pub(super) name: String,
    #[source]
    why: Option<io::Error>,
}

impl Resolve for SystemNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let name = name.as_str().to_owned();
            let fail = |why| {
                Box::new(NameError {
                    name: name.clone(),
                    why,
                }) as Box<dyn Error + Send + Sync>
            };
            // The port is put in by the connector.
            let found: Vec<_> = match tokio::net::lookup_host((name.as_str(), 0)).await {
                Ok(found) => found.collect(),
                Err(error) => return Err(fail(Some(error))),
            };
            if found.is_empty() {
                return Err(fail(None));
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
