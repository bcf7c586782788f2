//! `http.request` and `mail.send` against real servers on loopback, with real TLS.

#![expect(
    clippy::unwrap_used,
    reason = "a server that cannot start is a test that fails"
)]

#[path = "../support/certificates.rs"]
mod certificates;
#[path = "../support/http_server.rs"]
mod http_server;
#[path = "../support/smtp_server.rs"]
mod smtp_server;
#[path = "../support/test_gate.rs"]
mod test_gate;

mod http;
mod mail;
