//! The loop of a worker that was accepted: requests become tasks, answers find their questions, the end comes.

use std::{collections::HashMap, sync::Arc, time::Duration};

use standin_protocol::{
    ErrorAnswer, ErrorCode, Message, Notification, Outcome, Replay, Request, value,
};
use standin_transport::{MessageReader, ReadError};
use tokio::task::JoinSet;

use crate::{
    Context, Error,
    attempt::Attempt,
    link::{Begin, Link},
    serve::Offer,
};

/// What a handler has to answer in its own words after a cancellation. The service waits longer than this by
/// default before it kills the worker.
const CANCEL_GRACE: Duration = Duration::from_secs(1);

/// How serving came to its end.
pub(crate) struct Ended {
    pub(crate) result: Result<(), Error>,
    /// Attempts that had no answer by then. Zero after a drain.
    pub(crate) still_running: usize,
}

pub(crate) struct Running {
    offers: HashMap<Vec<u8>, Arc<Offer>>,
    concurrency: usize,
    link: Arc<Link>,
    tasks: JoinSet<()>,
    draining: bool,
}

impl Running {
    pub(crate) fn new(
        offers: HashMap<Vec<u8>, Arc<Offer>>,
        concurrency: usize,
        link: Arc<Link>,
    ) -> Self {
        Self {
            offers,
            concurrency,
            link,
            tasks: JoinSet::new(),
            draining: false,
        }
    }

    /// Serves until the service says to end or is gone. `messages` have come already.
    pub(crate) async fn run(
        mut self,
        reader: &mut MessageReader,
        mut messages: Vec<Message>,
    ) -> Ended {
        let result = loop {
            messages
                .drain(..)
                .for_each(|message| self.received(message));
            if self.draining && self.link.running() == 0 {
                break Ok(());
            }
            tokio::select! {
                biased;
                Some(finished) = self.tasks.join_next() => {
                    // A handler that panicked takes the process with it.
                    if let Err(error) = finished
                        && error.is_panic()
                    {
                        std::panic::resume_unwind(error.into_panic());
                    }
                }
                read = reader.read(&mut messages) => match read {
                    Ok(()) => {}
                    // The service is gone, and with it everybody who might want an answer.
                    Err(ReadError::Closed) => break Ok(()),
                    Err(error) => break Err(Error::Lost(error)),
                },
            }
        };
        let still_running = self.link.running();
        self.link.close();
        Ended {
            result,
            still_running,
        }
    }

    fn received(&mut self, message: Message) {
        match message {
            Message::Request(request) => self.requested(request),
            Message::Response(response) => self.link.answered(response.msgid, response.result),
            Message::Notification(told) => self.told(&told),
            Message::WrongRequest { msgid, error } => self.link.refuse(msgid, &error),
        }
    }

    fn requested(&mut self, request: Request) {
        let Some(offer) = self.offers.get(&request.method[..]) else {
            let name = String::from_utf8_lossy(&request.method);
            let why = format!("This worker has no method \"{name}\".");
            let error = ErrorAnswer::new(ErrorCode::MethodNotFound, why);
            return self.link.refuse(request.msgid, &error);
        };
        let offer = Arc::clone(offer);
        let attempt = Arc::new(Attempt::new(request.msgid, offer, request.meta.as_ref()));
        match self.link.begin(&attempt, self.concurrency) {
            Begin::Begun => {}
            Begin::RunsAlready => return,
            Begin::Full => {
                let why = "This worker has as many requests as it takes at a time.";
                let error = ErrorAnswer::new(ErrorCode::Overloaded, why);
                return self.link.refuse(request.msgid, &error);
            }
        }
        let link = Arc::clone(&self.link);
        self.tasks.spawn(async move {
            let context = Context::new(Arc::clone(&link), Arc::clone(&attempt));
            let handling = (attempt.offer.handler)(context, request.params);
            let answer = tokio::select! {
                biased;
                answer = handling => answer.map_err(|failure| failure.0),
                error = overdue(&attempt) => Err(error),
            };
            link.finish(attempt.id, &answer);
        });
    }

    fn told(&mut self, told: &Notification) {
        match &told.method[..] {
            b"request.cancel" => {
                let items = value::array_items(&told.params).unwrap_or_default();
                if let Some(attempt) = items
                    .first()
                    .and_then(|attempt| value::read_unsigned(attempt))
                {
                    self.link.cancel(attempt);
                }
            }
            b"worker.drain" => self.draining = true,
            // A newer service may tell more than this worker understands.
            _ => {}
        }
    }
}

/// Resolves when a cancelled handler has had its chance, with what is answered in its place. The handler is dropped
/// then, so this never resolves where that would be wrong: past the effect, or on a thread that goes on regardless.
async fn overdue(attempt: &Attempt) -> ErrorAnswer {
    attempt.cancelled().await;
    if !attempt.offer.droppable {
        return std::future::pending().await;
    }
    tokio::time::sleep(CANCEL_GRACE).await;
    if attempt.effect_granted() {
        return std::future::pending().await;
    }
    let outcome = match attempt.offer.replay {
        Replay::UntilEffect => Outcome::NotExecuted,
        Replay::Always | Replay::Never => Outcome::Unknown,
    };
    ErrorAnswer::new(ErrorCode::Cancelled, "The call was cancelled.").with_outcome(outcome)
}
