//! Sending a call and waiting for its end.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use standin_client::{CallError, Pending};

use super::{Call, Member, Request, Slot, batch, slot::Running};
use crate::{
    client::Open,
    code::Code,
    failure::{Answer, Failure},
    inbox::Inbox,
    view::View,
};

/// How long a call without a time is waited for where the program has to say one.
const SEND_TIMEOUT_MS: u64 = 30_000;

/// How long a request to take a call back may be waited for.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(5);

impl Call {
    /// Sends it.
    pub(crate) fn start(&self) -> Answer {
        let open = self.client.opened()?;
        open.inside(|| self.begin(open))?;
        open.nudge();
        Ok(Code::Ok)
    }

    /// Sends it and waits for its end, or for a question.
    pub(crate) fn send(&self, limit: Duration) -> Answer {
        let open = self.client.opened()?;
        {
            let mut request = self.building()?;
            let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
            let given = Some(limit_ms).filter(|limit| *limit > 0);
            request.timeout_ms = given.or(request.timeout_ms).or(Some(SEND_TIMEOUT_MS));
        }
        open.inside(|| self.begin(open))?;
        // It ends by itself: its own time is limited, and so is that of the answer.
        self.wait_for(open, Duration::MAX)
    }

    /// Waits for its end, or for a question, for a while.
    pub(crate) fn wait(&self, limit: Duration) -> Answer {
        if let Some(code) = self.look_at_end()? {
            return Ok(code);
        }
        let in_batch = self.slot.running().is_none();
        if in_batch {
            self.slot.check_sent()?;
        }
        self.wait_for(self.client.opened()?, limit)
    }

    /// Puts it into the line. It goes out when the client is served next.
    fn begin(&self, open: &Open) -> Result<(), Failure> {
        let mut request = self.building()?;
        let mut call = open.client().request(&request.method);
        let members = match &self.members {
            None => {
                call = call.raw_params(request.arguments.encode_params()?.into());
                Vec::new()
            }
            Some(members) => {
                let mut members = members
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                call = call.raw_params(batch::encode(&members));
                std::mem::take(&mut *members)
            }
        };
        let pending = with_wishes(call, &request).start();
        let pending = pending.map_err(|error| {
            let failure = Failure::of_start(&error);
            batch::fail(&members, &failure);
            failure
        })?;
        // Under the lock of the request, so that it is begun once.
        let (msgid, limit) = (pending.msgid(), pending.limit());
        let ending = Ending {
            inbox: Arc::clone(open.inbox()),
            slot: Arc::clone(&self.slot),
            members,
            handle: self.handle,
            is_told: false,
        };
        open.inbox().begun();
        let task = open.runtime().spawn(finish(pending, ending));
        self.slot.started(Running {
            msgid,
            task: task.abort_handle(),
            give_up_at: limit.map(|limit| open.waited() + limit),
        });
        Ok(())
    }

    fn wait_for(&self, open: &Open, limit: Duration) -> Answer {
        let give_up_at = self.slot.running().and_then(|running| running.give_up_at);
        let left = give_up_at.map(|at| at.saturating_sub(open.waited()));
        let look = || match self.look_at_end() {
            Ok(Some(code)) => Some(Ok(code)),
            Err(failure) => Some(Err(failure)),
            Ok(None) if open.inbox().has_question() => Some(Ok(Code::Callback)),
            Ok(None) => None,
        };
        let within = left.map_or(limit, |left| left.min(limit));
        if let Some(seen) = open.wait_until(within, look) {
            return seen;
        }
        if left.is_some_and(|left| left <= limit) {
            let waited = left.unwrap_or_default();
            self.give_up(open, waited);
            return self.look_at_end().map(|code| code.unwrap_or(Code::Pending));
        }
        Ok(Code::Pending)
    }

    /// How it ended, as a wait tells it.
    fn look_at_end(&self) -> Result<Option<Code>, Failure> {
        let Some(end) = self.slot.end() else {
            return Ok(None);
        };
        if let Ok(open) = self.client.opened() {
            open.inbox().told(self.handle);
        }
        end.map(|_| Some(Code::Ok))
    }

    /// The service has a connection and says nothing, though the call's time is over.
    fn give_up(&self, open: &Open, waited: Duration) {
        if let Some(running) = self.slot.running() {
            let failure = Failure::of_call(&CallError::NoAnswer { waited });
            self.slot.put_end(Err(failure));
            running.task.abort();
            open.nudge();
        }
    }

    /// Asks the service to take it back.
    pub(crate) fn cancel(&self) -> Answer {
        self.slot.check_sent()?;
        let open = self.client.opened()?;
        let Some(running) = self.slot.running() else {
            return Ok(Code::Ok);
        };
        let arguments = serde_json::json!({ "msgid": running.msgid });
        let cancel = open.client().request("standin.cancel");
        let cancel = cancel.arguments(&arguments).timeout(CANCEL_TIMEOUT).start();
        let mut cancel = cancel.map_err(|error| Failure::of_start(&error))?;
        open.runtime().spawn(async move {
            // Whether there was something to take back shows in the answer to the call.
            let _ = cancel.answered().await;
        });
        open.nudge();
        Ok(Code::Ok)
    }

    /// Its handle is closed: the service need not go on.
    pub(crate) fn close(&self) {
        if let (Some(running), Ok(open)) = (self.slot.running(), self.client.opened()) {
            running.task.abort();
            open.inbox().forget_progress(running.msgid);
            open.nudge();
        }
        if let Ok(open) = self.client.opened() {
            open.inbox().told(self.handle);
        }
    }

    /// What its worker told last, as MessagePack.
    pub(crate) fn progress(&self) -> Result<Option<Bytes>, Failure> {
        self.slot.check_sent()?;
        let open = self.client.opened()?;
        let running = self.slot.running();
        Ok(running.and_then(|running| open.inbox().progress(running.msgid)))
    }
}

fn with_wishes(mut call: standin_client::Call, request: &Request) -> standin_client::Call {
    if let Some(timeout_ms) = request.timeout_ms {
        call = call.timeout(Duration::from_millis(timeout_ms));
    }
    if let Some(key) = &request.key {
        call = call.key(key.clone());
    }
    if request.is_idempotent {
        call = call.idempotent();
    }
    if let Some(trace) = &request.trace {
        call = call.trace(trace.clone());
    }
    call
}

/// Waits for the answer while the program waits for something.
async fn finish(mut pending: Pending, mut ending: Ending) {
    let answer = pending.answered().await;
    ending.inbox.forget_progress(pending.msgid());
    ending.put(answer);
}

/// Sees to it that a call that is begun is seen to end, also if what waits for it is ended.
struct Ending {
    inbox: Arc<Inbox>,
    slot: Arc<Slot>,
    members: Vec<Member>,
    handle: i64,
    is_told: bool,
}

impl Ending {
    fn put(&mut self, answer: Result<Bytes, CallError>) {
        let end = match answer {
            Ok(result) => {
                batch::finish(&self.members, &result);
                Ok(Arc::new(View::new(result)))
            }
            Err(error) => {
                let failure = Failure::of_call(&error);
                batch::fail(&self.members, &failure);
                Err(failure)
            }
        };
        self.slot.put_end(end);
        self.is_told = true;
        self.inbox.ended(Some(self.handle));
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if !self.is_told {
            let closed = CallError::Closed {
                outcome: standin_client::Outcome::Unknown,
            };
            let failure = Failure::of_call(&closed);
            batch::fail(&self.members, &failure);
            self.slot.put_end(Err(failure));
            self.inbox.ended(None);
        }
    }
}
