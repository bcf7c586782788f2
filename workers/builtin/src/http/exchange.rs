//! One request from its arguments to its answer: sending, redirects, the repeat that is allowed, and the body.

use std::time::Duration;

use reqwest::{Client, Method, Request, Response};
use standin_worker::{Failure, Outcome};
use tokio::time::Instant;

use super::{
    answer::{self, HttpResponse},
    arguments::HttpRequest,
    clients::Clients,
    failure,
    prepare::{Prepared, prepare},
    redirect,
};
use crate::net::{Attempt, Gate, tls};

/// Whether the verb may be repeated by its definition.
fn is_idempotent(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE | Method::PUT | Method::DELETE
    )
}

pub(super) async fn run<G: Gate>(
    clients: &Clients,
    gate: &G,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let prepared = prepare(request)?;
    let client = clients
        .get(&prepared.key)
        .map_err(|error| failure::bad_settings(&error))?;
    if !prepared.key.trust.verify {
        tls::log_unchecked("http.request", &failure::server(&prepared.url));
    }
    let attempt = Attempt::new(gate, prepared.limit);
    let url = prepared.url.clone();
    let began = Instant::now();
    let mut exchange = Exchange {
        client,
        attempt: &attempt,
        prepared,
        began,
    };
    match attempt.run(exchange.run()).await {
        Some(done) => done,
        None => Err(failure::timeout(
            &url,
            began.elapsed(),
            attempt.outcome_if_lost(),
        )),
    }
}

struct Exchange<'a, G> {
    client: Client,
    attempt: &'a Attempt<'a, G>,
    prepared: Prepared,
    began: Instant,
}

impl<G: Gate> Exchange<'_, G> {
    async fn run(&mut self) -> Result<HttpResponse, Failure> {
        let mut redirects = 0;
        loop {
            let response = self.send().await?;
            if self.prepared.redirects_max == 0 {
                return self.receive(response, redirects).await;
            }
            let from = &self.prepared.url;
            let next = redirect::next(
                response.status(),
                response.headers(),
                from,
                &self.prepared.method,
            )
            .map_err(|place| failure::redirect_to_nowhere(from, &place))?;
            let Some(next) = next else {
                return self.receive(response, redirects).await;
            };
            if redirects == self.prepared.redirects_max {
                return Err(failure::redirects_exhausted(from, redirects));
            }
            redirects += 1;
            redirect::strip(&mut self.prepared.headers, &next);
            if !next.keeps_body {
                self.prepared.body = None;
            }
            (self.prepared.url, self.prepared.method) = (next.url, next.method);
        }
    }

    /// Sends the request as it stands now. A server may close a kept connection just as we write to it; what may be
    /// repeated is repeated once then.
    async fn send(&self) -> Result<Response, Failure> {
        let repeatable = is_idempotent(&self.prepared.method);
        if !repeatable {
            self.attempt.effect_begin().await?;
        }
        self.attempt.touched();
        let mut outcome = self.client.execute(self.request()).await;
        let broke_off = |error: &reqwest::Error| !error.is_connect() && !error.is_timeout();
        if repeatable && outcome.as_ref().is_err_and(broke_off) {
            outcome = self.client.execute(self.request()).await;
        }
        outcome.map_err(|error| self.lost(&error))
    }

    /// The request as it stands now. A user in the address becomes a header, unless the caller brought one.
    fn request(&self) -> Request {
        let prepared = &self.prepared;
        let builder = self
            .client
            .request(prepared.method.clone(), prepared.url.clone());
        let mut request = builder.build().expect("the address was parsed before");
        for name in prepared.headers.keys() {
            request.headers_mut().remove(name);
        }
        for (name, value) in &prepared.headers {
            request.headers_mut().append(name, value.clone());
        }
        *request.body_mut() = prepared.body.clone().map(Into::into);
        request
    }

    fn lost(&self, error: &reqwest::Error) -> Failure {
        let outcome = self.attempt.outcome_if_lost();
        let limit = if error.is_connect() {
            self.prepared.key.connect
        } else {
            self.began.elapsed()
        };
        failure::sending(&self.prepared.url, error, limit, outcome)
    }

    async fn receive(
        &self,
        mut response: Response,
        redirects: u32,
    ) -> Result<HttpResponse, Failure> {
        let size_max = self.prepared.size_max;
        let too_large = || failure::too_large(&self.prepared.url, size_max);
        let mut answer = answer::head(&response, redirects, self.began.elapsed());
        let page = answer::code_page(&response);
        let is_head = self.prepared.method == Method::HEAD;
        if !is_head
            && response
                .content_length()
                .is_some_and(|length| length > size_max)
        {
            return Err(too_large());
        }
        let mut body = Vec::new();
        // The server has acted: its status is here. Only the rest of its words is missing.
        let broken = |error| self.lost(&error).outcome(Outcome::Executed);
        while let Some(piece) = response.chunk().await.map_err(broken)? {
            if (body.len() + piece.len()) as u64 > size_max {
                return Err(too_large());
            }
            body.extend_from_slice(&piece);
        }
        answer::place_body(&mut answer, body, page, self.prepared.kind);
        answer.total_ms = milliseconds(self.began.elapsed());
        Ok(answer)
    }
}

fn milliseconds(time: Duration) -> u64 {
    time.as_millis() as u64
}
