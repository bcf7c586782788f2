//! `http.request`: one HTTP exchange, redirects included.
//!
//! A status such as 404 is a result; an error is a request that got no answer, and it says whether it was sent.
//! GET, HEAD, OPTIONS, TRACE, PUT and DELETE may be repeated by definition, so they never ask for leave to act and
//! are replayed whenever a worker dies. Any other verb asks right before it goes out and is sent once: nothing here
//! or below repeats it.

use std::sync::Arc;

use standin_worker::{Failure, Method, Replay};

use crate::net::Gate;

mod answer;
mod arguments;
mod clients;
mod exchange;
mod failure;
mod prepare;
mod redirect;

use self::clients::Clients;
pub use self::{
    answer::HttpResponse,
    arguments::{Basic, BodyKind, HttpRequest, Scalar, Scalars},
};

/// Makes requests. Connections are kept for the next one.
#[derive(Debug, Clone, Default)]
pub struct Http {
    clients: Arc<Clients>,
}

impl Http {
    /// Makes one request.
    ///
    /// # Errors
    /// The codes `http.*` with the numbers 1301 to 1308; `invalid_params`; what the gate said.
    pub async fn request<G: Gate>(
        &self,
        gate: &G,
        request: HttpRequest,
    ) -> Result<HttpResponse, Failure> {
        exchange::run(&self.clients, gate, request).await
    }
}

/// The methods of this module.
pub(crate) fn methods() -> Vec<Method> {
    let http = Http::default();
    let request = Method::new("http.request", move |context, request: HttpRequest| {
        let http = http.clone();
        async move { http.request(&context, request).await }
    });
    vec![
        request
            .replay(Replay::UntilEffect)
            .doc("Makes an HTTP request and gives back the status, the headers and the body."),
    ]
}
