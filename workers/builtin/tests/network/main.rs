//! `http.request` and `mail.send` against real servers on loopback, with real TLS.

#[path = "../support/certificates.rs"]
mod certificates;
#[path = "../support/http_server.rs"]
mod http_server;
#[path = "../support/test_gate.rs"]
mod test_gate;

mod http;
