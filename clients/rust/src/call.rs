//! One call: what is asked, how long it may take, and its one answer.

use std::time::Duration;

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use standin_protocol::{self as protocol, ErrorAnswer, Meta};
use tokio::sync::oneshot;

use crate::{
    CallError, Client,
    outbox::{Answer, Asked},
};

/// How much longer than a call's own time its answer is waited for: the service's word on what happened is better
/// than this library's guess.
const ANSWER_GRACE: Duration = Duration::from_secs(5);

/// The service answers a request to cancel at once.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(5);

/// A call that has not been sent.
#[derive(Debug)]
#[must_use]
pub struct Call {
    client: Client,
    method: String,
    params: Result<Bytes, rmp_serde::encode::Error>,
    meta: Meta,
}

impl Call {
    pub(crate) fn new(client: Client, method: &str) -> Self {
        let params = Ok(Bytes::from_static(&[0x90]));
        Self {
            client,
            method: method.to_owned(),
            params,
            meta: Meta::default(),
        }
    }

    /// One map of named arguments: a struct or a map.
    pub fn arguments<A: Serialize + ?Sized>(mut self, arguments: &A) -> Self {
        let mut out = vec![0x91];
        self.params = rmp_serde::encode::write_named(&mut out, arguments).map(|()| out.into());
        self
    }

    /// The whole parameters as MessagePack, an array or a map.
    pub fn raw_params(mut self, params: Bytes) -> Self {
        self.params = Ok(params);
        self
    }

    /// The time for the whole call, queue, replays and lost connections included. Without it the service's own limits
    /// hold, and a lost connection is waited for as long as [`Connect::resume`](crate::Connect::resume) says.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        let timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        self.meta.timeout_ms = Some(timeout_ms.max(1));
        self
    }

    /// Vouches that running it twice does no harm, whatever the method says of itself.
    pub fn idempotent(mut self) -> Self {
        self.meta.idempotent = true;
        self
    }

    /// The idempotency key, 1 to 128 bytes such as `order-17`: under one key the service runs a method once, and whoever
    /// asks again, now or in days, by this connection or another one, gets the same answer.
    pub fn key(mut self, key: impl Into<Bytes>) -> Self {
        self.meta.key = Some(key.into());
        self
    }

    /// A W3C traceparent, for the service's log.
    pub fn trace(mut self, traceparent: impl Into<Bytes>) -> Self {
        self.meta.trace = Some(traceparent.into());
        self
    }

    /// Sends it and waits for its result.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn send<R: DeserializeOwned>(self) -> Result<R, CallError> {
        let result = self.send_raw().await?;
        protocol::decode_exact(&result).map_err(CallError::Decode)
    }

    /// Sends it and waits for its result as MessagePack.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn send_raw(self) -> Result<Bytes, CallError> {
        self.start()?.wait_raw().await
    }

    /// Sends it and does not wait.
    ///
    /// # Errors
    /// The arguments cannot be written, or are larger or deeper than the service takes.
    pub fn start(self) -> Result<Pending, CallError> {
        let asked = Asked {
            method: self.method,
            params: self.params.map_err(CallError::Encode)?,
            meta: self.meta,
        };
        let limit = asked
            .meta
            .timeout_ms
            .map(|ms| Duration::from_millis(ms) + ANSWER_GRACE);
        let (msgid, answer) = self.client.shared().ask(asked)?;
        Ok(Pending {
            client: self.client,
            msgid,
            answer,
            limit,
            take_back: true,
        })
    }
}

/// A call that is on its way. Dropping it before its answer has come takes the call back, as far as the service still
/// can; [`detach`](Self::detach) lets it run.
#[derive(Debug)]
#[must_use]
pub struct Pending {
    client: Client,
    msgid: u64,
    answer: oneshot::Receiver<Answer>,
    limit: Option<Duration>,
    take_back: bool,
}

impl Pending {
    /// The call's number in this session, as progress names it.
    #[must_use]
    pub fn msgid(&self) -> u64 {
        self.msgid
    }

    /// How long [`wait_raw`](Self::wait_raw) waits, if the call has a time of its own.
    #[must_use]
    pub fn limit(&self) -> Option<Duration> {
        self.limit
    }

    /// Has the call taken back, as [`Client::cancel`] does, and waits a while for the service to say that it has heard. The
    /// call is still answered: wait for it.
    ///
    /// # Errors
    /// The request to cancel failed itself; or it was not answered so far ([`NoAnswer`](CallError::NoAnswer)), and stands.
    pub async fn cancel(&self) -> Result<(), CallError> {
        let Some(answer) = self.client.shared().cancel(self.msgid)? else {
            return Ok(());
        };
        match tokio::time::timeout(CANCEL_TIMEOUT, answered(answer)).await {
            Ok(answer) => answer.map(|_| ()),
            Err(_) => Err(CallError::NoAnswer {
                waited: CANCEL_TIMEOUT,
            }),
        }
    }

    /// Lets it run without anybody who waits for it.
    pub fn detach(mut self) {
        self.take_back = false;
    }

    /// Waits for the result.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn wait<R: DeserializeOwned>(self) -> Result<R, CallError> {
        protocol::decode_exact(&self.wait_raw().await?).map_err(CallError::Decode)
    }

    /// Waits for the result as MessagePack.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn wait_raw(mut self) -> Result<Bytes, CallError> {
        match self.limit {
            None => self.answered().await,
            Some(limit) => match tokio::time::timeout(limit, self.answered()).await {
                Ok(answer) => answer,
                Err(_) => Err(CallError::NoAnswer { waited: limit }),
            },
        }
    }

    /// The same for a program that waits for a while now and a while then: it may be dropped and begun anew. It is for the
    /// program to say how long that goes on: [`NoAnswer`](CallError::NoAnswer) never comes of it. After its end it must not
    /// be begun again.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn answered(&mut self) -> Result<Bytes, CallError> {
        answered(&mut self.answer).await
    }
}

async fn answered(
    answer: impl Future<Output = Result<Answer, oneshot::error::RecvError>>,
) -> Result<Bytes, CallError> {
    let lost = CallError::ConnectionLost {
        outcome: protocol::Outcome::Unknown,
    };
    let answer = answer.await.unwrap_or(Err(lost))?;
    answer.map_err(|error| CallError::Service(ErrorAnswer::decode(&error)))
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.client.shared().give_up(self.msgid, self.take_back);
    }
}
