//! Sending a call and waiting for its end.

use std::{pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use standin_client::{CallError, Pending};
use tokio::time::Instant;

use super::{Call, Member, Request, Slot, batch, slot::Running};
use crate::{
    client::{Open, Waiting},
    code::Code,
    failure::{Answer, Failure},
    inbox::Inbox,
    view::View,
};

/// How long a call without a time is waited for where the program has to say one.
const SEND_TIMEOUT_MS: u64 = 30_000;

impl Call {
    /// Sends it.
    pub(crate) fn start(&self) -> Answer {
        let open = self.client.opened()?;
        let waited = open.waited();
        // To wake the tasks of the client from inside of their runtime costs no call of the system.
        open.runtime().block_on(async {
            self.begin(open, waited)?.go_on_alone(open);
            // What was put into the line goes out.
            tokio::task::yield_now().await;
            Ok(Code::Ok)
        })
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
        let waiting = open.waiting();
        open.runtime().block_on(async {
            let begun = self.begin(open, waiting.before)?;
            self.accompany(open, &waiting, begun).await
        })
    }

    /// Waits for the answer right here, as long as nothing else comes: a task for it costs as much as all the rest.
    async fn accompany(&self, open: &Open, waiting: &Waiting<'_>, begun: Begun) -> Answer {
        let Begun {
            mut pending,
            mut ending,
        } = begun;
        // Its own time is limited, and so is that of the answer.
        let limit = pending.limit().unwrap_or(Duration::MAX);
        let mut is_late = pin!(at(waiting.end(limit)));
        loop {
            let changed = open.inbox().changed.notified();
            // Another thread may have closed it.
            if let Some(outcome) = self.slot.outcome() {
                drop(pending);
                // The service is told that nobody waits for it any more.
                tokio::task::yield_now().await;
                return outcome;
            }
            if open.inbox().has_question() {
                Begun { pending, ending }.go_on_alone(open);
                return Ok(Code::Callback);
            }
            let answer = tokio::select! {
                biased;
                answer = pending.answered() => answer,
                () = changed => continue,
                () = &mut is_late => {
                    ending.put(Err(CallError::NoAnswer { waited: limit }), pending.msgid(), None);
                    continue;
                }
            };
            ending.put(answer, pending.msgid(), None);
            return self.slot.outcome().expect("it was just put");
        }
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
    fn begin(&self, open: &Open, waited: Duration) -> Result<Begun, Failure> {
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
        open.inbox().begun();
        self.slot.started(Running {
            msgid: pending.msgid(),
            task: None,
            give_up_at: pending.limit().map(|limit| waited + limit),
        });
        let ending = Ending {
            inbox: Arc::clone(open.inbox()),
            slot: Arc::clone(&self.slot),
            members,
            handle: self.handle,
            is_told: false,
        };
        Ok(Begun { pending, ending })
    }

    fn wait_for(&self, open: &Open, limit: Duration) -> Answer {
        let give_up_at = self.slot.running().and_then(|running| running.give_up_at);
        let waiting = open.waiting();
        let left = give_up_at.map(|at| at.saturating_sub(waiting.before));
        let look = || match self.look_at_end() {
            Ok(Some(code)) => Some(Ok(code)),
            Err(failure) => Some(Err(failure)),
            Ok(None) if open.inbox().has_question() => Some(Ok(Code::Callback)),
            Ok(None) => None,
        };
        let within = left.map_or(limit, |left| left.min(limit));
        if let Some(seen) = waiting.until(within, look) {
            return seen;
        }
        drop(waiting);
        if left.is_some_and(|left| left <= limit) {
            let waited = left.unwrap_or_default();
            self.end_early(open, &CallError::NoAnswer { waited });
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

    /// It is not waited for any more: the service has a connection and says nothing, though the call's time is over, or
    /// the handle is closed.
    fn end_early(&self, open: &Open, why: &CallError) {
        if let Some(running) = self.slot.running() {
            self.slot.put_end(Err(Failure::of_call(why)));
            match running.task {
                Some(task) => task.abort(),
                // Whoever sent it sees its end.
                None => open.inbox().changed.notify_waiters(),
            }
            open.inbox().forget_progress(running.msgid);
            open.nudge();
        }
    }

    /// Has it taken back; in an outage it ends here, or the service is asked when it is back.
    pub(crate) fn cancel(&self) -> Answer {
        self.slot.check_sent()?;
        let open = self.client.opened()?;
        let Some(running) = self.slot.running() else {
            return Ok(Code::Ok);
        };
        let cancelled = open.client().cancel(running.msgid);
        cancelled.map_err(|error| Failure::of_start(&error))?;
        open.nudge();
        Ok(Code::Ok)
    }

    /// Its handle is closed: the service need not go on.
    pub(crate) fn close(&self) {
        if let Ok(open) = self.client.opened() {
            self.end_early(open, &closed());
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

/// At that moment, or never.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

fn closed() -> CallError {
    CallError::Closed {
        outcome: standin_client::Outcome::Unknown,
    }
}

/// A call that is on its way, and what is owed at its end.
struct Begun {
    pending: Pending,
    ending: Ending,
}

impl Begun {
    /// A task waits for the answer, while the program waits for something.
    fn go_on_alone(self, open: &Open) {
        let slot = Arc::clone(&self.ending.slot);
        let task = open.runtime().spawn(async move {
            let Begun {
                mut pending,
                mut ending,
            } = self;
            let answer = pending.answered().await;
            let handle = ending.handle;
            ending.put(answer, pending.msgid(), Some(handle));
        });
        slot.is_waited_for_by(task.abort_handle());
    }
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
    /// `tell`: the handle, if whoever waits for any call has to be told of it.
    fn put(&mut self, answer: Result<Bytes, CallError>, msgid: u64, tell: Option<i64>) {
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
        self.inbox.ended(msgid, tell);
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if !self.is_told {
            let failure = Failure::of_call(&closed());
            batch::fail(&self.members, &failure);
            self.slot.put_end(Err(failure));
            self.inbox.given_up();
        }
    }
}
