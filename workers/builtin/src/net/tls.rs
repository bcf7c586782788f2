//! Whom TLS trusts.
//!
//! The operating system's own store decides, plus what the caller brings. ring does the arithmetic; no process-wide
//! default is installed, since this worker is a guest of whoever links it.

use std::{io, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, Error, RootCertStore,
    client::danger::ServerCertVerifier,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use rustls_platform_verifier::Verifier;

use super::find_cause;

mod brought;
mod unchecked;

/// What a caller may say about trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trust {
    /// More authorities, as PEM.
    pub(crate) ca_pem: Option<String>,
    /// Our own certificate, its chain and its key, as PEM.
    pub(crate) client_pem: Option<String>,
    /// Whether the other side's certificate is checked at all.
    pub(crate) verify: bool,
}

/// A setting for TLS that cannot be used; nothing was sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrustError {
    #[error(
        "\"ca_pem\" holds no certificate that can be read; it must be text that begins with -----BEGIN CERTIFICATE-----"
    )]
    Authority,
    #[error("\"client_pem\" must hold a certificate and its private key, both as PEM")]
    Client,
    #[error("the certificate and the key in \"client_pem\" do not fit together: {0}")]
    ClientPair(#[source] Error),
}

/// The settings of a TLS client that trusts like that.
pub(crate) fn client_config(trust: &Trust) -> Result<ClientConfig, TrustError> {
    let provider = provider();
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("ring has all that TLS 1.2 and 1.3 need");
    let authorities = trust.ca_pem.as_deref().map(authorities).transpose()?;
    let builder = if trust.verify {
        let authorities_of_system = Verifier::new(Arc::clone(&provider));
        let system = authorities_of_system
            .ok()
            .map(|verifier| Arc::new(verifier) as Arc<dyn ServerCertVerifier>);
        let verifier = match authorities {
            Some(authorities) => Some(brought::verifier(authorities, system, provider)),
            None => system,
        };
        match verifier {
            Some(verifier) => builder
                .dangerous()
                .with_custom_certificate_verifier(verifier),
            // The machine has no store at all. Plain http must work all the same, and TLS will say whom it misses.
            None => builder.with_root_certificates(RootCertStore::empty()),
        }
    } else {
        builder
            .dangerous()
            .with_custom_certificate_verifier(unchecked::verifier(provider))
    };
    match &trust.client_pem {
        None => Ok(builder.with_no_client_auth()),
        Some(pem) => {
            let chain = certificates(pem).ok_or(TrustError::Client)?;
            let key =
                PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| TrustError::Client)?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(TrustError::ClientPair)
        }
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn authorities(pem: &str) -> Result<RootCertStore, TrustError> {
    let found = certificates(pem).ok_or(TrustError::Authority)?;
    let mut store = RootCertStore::empty();
    for certificate in found {
        store.add(certificate).map_err(|_| TrustError::Authority)?;
    }
    Ok(store)
}

/// At least one certificate, or nothing.
fn certificates(pem: &str) -> Option<Vec<CertificateDer<'static>>> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .ok()?;
    (!found.is_empty()).then_some(found)
}

/// Why TLS failed, as the end of a sentence.
pub(crate) fn explain(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(why) => explain_certificate(why),
        Error::AlertReceived(alert) => format!("the server refused it (alert {alert:?})"),
        Error::InvalidMessage(_) => "the server does not speak TLS on this port".to_owned(),
        other => other.to_string(),
    }
}

fn explain_certificate(why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer => {
            "nobody whom this machine trusts has signed the server's certificate (its authority can be given in \"ca_pem\")".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate is for another name".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet; is this machine's clock right?".to_owned()
        }
        CertificateError::Revoked => "the server's certificate was revoked".to_owned(),
        CertificateError::Other(other) => {
            // Windows says why by a number of its own, and not always in words.
            let code = find_cause::<io::Error>(&*other.0).and_then(io::Error::raw_os_error);
            let why = code.map_or_else(|| other.0.to_string(), |code| format!("code {code:#010x}"));
            format!(
                "this machine refuses the server's certificate ({why}); its authority can be given in \"ca_pem\""
            )
        }
        other => format!("the server's certificate cannot be used: {other}"),
    }
}

/// Says in the log that a call went without checks; whoever looks into an incident wants to know.
#[expect(clippy::print_stderr, reason = "a worker's stderr is its log")]
pub(crate) fn log_unchecked(method: &str, host: &str) {
    eprintln!(
        "{method}: the certificate of {host} is not checked, as the caller asked (verify: false)"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trust() -> Trust {
        Trust {
            ca_pem: None,
            client_pem: None,
            verify: true,
        }
    }

    #[test]
    fn pem_that_holds_nothing_is_refused_by_name() {
        let authority = Trust {
            ca_pem: Some("hello".into()),
            ..trust()
        };
        assert!(matches!(
            client_config(&authority),
            Err(TrustError::Authority)
        ));
        let client = Trust {
            client_pem: Some(String::new()),
            ..trust()
        };
        assert!(matches!(client_config(&client), Err(TrustError::Client)));
    }
}
