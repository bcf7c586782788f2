//! What a handler asks the program that made its call.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use standin_protocol::{self as protocol, ErrorAnswer, ErrorCode, Outcome, value};

use crate::{Context, Failure};

/// Questions in one message to the service.
const BATCH_MAX: usize = 1000;

impl Context {
    /// Calls a method of the program that made this call. While that thinks, this attempt is not late.
    ///
    /// # Errors
    /// `callback_failed`, with the program's own words, or because its result is not of the type. `not_executed` says
    /// that the program has not been asked; asking again does no harm then.
    pub async fn call_client<A: Serialize + ?Sized, R: DeserializeOwned>(
        &self,
        method: &str,
        arguments: &A,
    ) -> Result<R, Failure> {
        let params = protocol::encode(&(self.attempt.id, method, [arguments]));
        decoded(method, &self.ask("client.call", &params).await?)
    }

    /// The same with parameters and result as MessagePack, undecoded.
    ///
    /// # Errors
    /// As [`call_client`](Self::call_client).
    pub async fn call_client_raw(&self, method: &str, params: &Bytes) -> Result<Bytes, Failure> {
        let mut all = vec![0x93];
        all.extend_from_slice(&protocol::encode(&self.attempt.id));
        all.extend_from_slice(&protocol::encode(method));
        all.extend_from_slice(params);
        self.ask("client.call", &all.into()).await
    }

    /// Calls many methods of the program that made this call, in this order, and gives each its result or its error.
    /// It saves the way there and back for all but the first of a thousand, if the program's client library takes
    /// such a list at once, as those of Standin do; else the service asks one after the other.
    pub async fn call_client_batch<A: Serialize, R: DeserializeOwned>(
        &self,
        calls: &[(&str, A)],
    ) -> Vec<Result<R, Failure>> {
        let mut results = Vec::with_capacity(calls.len());
        for calls in calls.chunks(BATCH_MAX) {
            let list: Vec<_> = calls.iter().map(|(method, a)| (method, [a])).collect();
            let params = protocol::encode(&(self.attempt.id, list));
            let answers = self.ask("client.batch", &params).await;
            let answers = answers.and_then(|answers| pairs(&answers, calls.len()));
            match answers {
                Ok(answers) => {
                    let answers = calls.iter().zip(answers);
                    results.extend(answers.map(|((method, _), answer)| decoded(method, &answer?)));
                }
                Err(failure) => results.extend(calls.iter().map(|_| Err(failure.clone()))),
            }
        }
        results
    }

    async fn ask(&self, what: &str, params: &Bytes) -> Result<Bytes, Failure> {
        self.link.ask(what, params).await.map_err(Failure)
    }
}

fn decoded<R: DeserializeOwned>(method: &str, answer: &Bytes) -> Result<R, Failure> {
    protocol::decode_exact(answer).map_err(|error| {
        let why = format!("The program answered \"{method}\" with something unexpected: {error}.");
        Failure::service(ErrorCode::CallbackFailed, why)
    })
}

/// `[[error, result], ...]`, so many of them.
fn pairs(answers: &Bytes, count: usize) -> Result<Vec<Result<Bytes, Failure>>, Failure> {
    let pair = |item: &Bytes| match value::array_items(item).ok()?.as_slice() {
        [error, result] if error[..] == protocol::NIL[..] => Some(Ok(result.clone())),
        [error, _] => Some(Err(Failure(ErrorAnswer::decode(error)))),
        _ => None,
    };
    let items = value::array_items(answers).unwrap_or_default();
    let answers = items.iter().map(pair).collect::<Option<Vec<_>>>();
    answers
        .filter(|answers| answers.len() == count)
        .ok_or_else(|| {
            let why = "The service's answer to a batch of callbacks is none.";
            Failure::service(ErrorCode::Internal, why).outcome(Outcome::Unknown)
        })
}
