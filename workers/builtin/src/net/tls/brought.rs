//! Authorities that the caller brings: what they have signed is good, and for everything else the system decides.
//!
//! They are asked here and not through the system's own way of adding authorities, which differs from system to system
//! and is missing on some.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

#[derive(Debug)]
struct Brought {
    authorities: Arc<WebPkiServerVerifier>,
    /// `None`: the machine trusts nobody.
    system: Option<Arc<dyn ServerCertVerifier>>,
}

/// Trusts these authorities beside the system. They are at least one.
pub(super) fn verifier(
    authorities: RootCertStore,
    system: Option<Arc<dyn ServerCertVerifier>>,
    provider: Arc<CryptoProvider>,
) -> Arc<dyn ServerCertVerifier> {
    let authorities =
        WebPkiServerVerifier::builder_with_provider(Arc::new(authorities), provider).build();
    Arc::new(Brought {
        authorities: authorities.expect("there is an authority and no list of revocations"),
        system,
    })
}

/// Whether somebody else may see it otherwise: a certificate that is its own authority is one for the system.
fn is_another_matter(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::Other(_))
    )
}

impl ServerCertVerifier for Brought {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verify = |verifier: &dyn ServerCertVerifier| {
            verifier.verify_server_cert(certificate, intermediates, name, ocsp, now)
        };
        match (verify(&*self.authorities), &self.system) {
            (Err(error), Some(system)) if is_another_matter(&error) => verify(&**system),
            (verdict, _) => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}
