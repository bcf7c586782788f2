//! What a client's clones share: the requests that wait, and where they go. The wire is served in `keep`.

pub(crate) mod link;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use bytes::Bytes;
use standin_protocol::{
    self as protocol, ErrorAnswer, ErrorCode, Meta, Notification, Outcome, value,
};
use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};

use self::link::{End, Link};
use crate::{
    CallError,
    acks::Acks,
    callbacks::Handler,
    hello::SaidLimits,
    line::Line,
    outbox::{Answer, Asked, Open, Outbox},
};

/// What happens to notifications of progress: the msgid of the call, and what the worker says.
pub(crate) type OnProgress = std::sync::Arc<dyn Fn(u64, Bytes) + Send + Sync>;

/// The number of the hello that the first connection is greeted with.
pub(crate) const FIRST_MSGID: u64 = 1;

/// How long a request that takes another one back is worth being said.
const TAKE_BACK_LIMIT: Duration = Duration::from_secs(5);

pub(crate) struct Shared {
    state: Mutex<State>,
    handler: Option<Handler>,
    on_progress: Option<OnProgress>,
    /// How long a call that has no time of its own waits for a lost connection; `None`: it is not made again.
    resume: Option<Duration>,
    /// Something was asked while there is no connection.
    asked: Notify,
    /// The same, for whoever looks at the time.
    timed: Notify,
}

struct State {
    outbox: Outbox,
    link: Link,
    /// The token of the session, if the service keeps one.
    session: Option<String>,
    /// Counts the connections.
    connection: u64,
    /// What the service takes, once it has said so.
    limits: SaidLimits,
    unknown_answers: u64,
    /// Why there is no connection, as far as that is known.
    trouble: String,
}

impl Shared {
    /// Before the first connection is [adopted](Self::adopt), which was greeted under [`FIRST_MSGID`].
    pub(crate) fn new(
        handler: Option<Handler>,
        on_progress: Option<OnProgress>,
        resume: Option<Duration>,
    ) -> Self {
        Self {
            state: Mutex::new(State {
                outbox: Outbox::after(FIRST_MSGID),
                link: Link::Down,
                session: None,
                connection: 0,
                limits: SaidLimits::default(),
                unknown_answers: 0,
                trouble: String::new(),
            }),
            handler,
            on_progress,
            resume,
            asked: Notify::new(),
            timed: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding it")
    }

    pub(crate) fn handler(&self) -> Option<&Handler> {
        self.handler.as_ref()
    }

    /// Sends a request, or keeps it until there is a connection; its answer comes through the receiver.
    pub(crate) fn ask(&self, asked: Asked) -> Result<(u64, oneshot::Receiver<Answer>), CallError> {
        let (sender, receiver) = oneshot::channel();
        let timeout = asked.meta.timeout_ms.map(Duration::from_millis);
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let open = Open::new(asked, Some(sender), deadline);
        // Written under the lock, so that messages are counted in the order in which they go out.
        let msgid = self.put(&mut self.state(), open)?;
        Ok((msgid, receiver))
    }

    fn put(&self, state: &mut State, open: Open) -> Result<u64, CallError> {
        let State { outbox, link, .. } = state;
        let asked = open.asked();
        let (msgid, timeout_ms) = (outbox.next_msgid(), asked.meta.timeout_ms);
        match link {
            Link::Up { line, acks, .. } => {
                let floor = outbox.answered_up_to();
                let news = acks.as_ref().and_then(|acks| acks.news(floor));
                let frame = asked.frame(msgid, timeout_ms, news);
                state
                    .limits
                    .check(frame.len() + Meta::AGAIN_LENGTH, &asked.params)?;
                if let (Some(acks), Some(floor)) = (acks, news) {
                    acks.told(floor);
                }
                let place = line.write(frame);
                Ok(outbox.insert(open, place))
            }
            Link::Down => {
                let frame = asked.frame(msgid, timeout_ms, None);
                state
                    .limits
                    .check(frame.len() + Meta::AGAIN_LENGTH, &asked.params)?;
                let until = Instant::now() + self.resume.unwrap_or_default();
                let msgid = outbox.insert_waiting(open, until);
                self.asked.notify_one();
                self.timed.notify_one();
                Ok(msgid)
            }
            Link::Over(end) => {
                open.end(Err(end.error(Outcome::NotExecuted)));
                Ok(outbox.use_msgid())
            }
        }
    }

    /// Nobody waits for this one any more. If it is still open, the service is asked to take it back.
    pub(crate) fn give_up(&self, msgid: u64, take_back: bool) {
        let mut state = self.state();
        let was_waited_for = state.outbox.forget_waiter(msgid);
        if !was_waited_for || !take_back {
            return;
        }
        if state.outbox.is_unsent(msgid) {
            return state.outbox.drop_unsent(msgid);
        }
        let until = Some(Instant::now() + TAKE_BACK_LIMIT);
        let open = Open::new(cancel(msgid, Meta::default()), None, until);
        // It is far smaller than any service's limit; and where nothing more can be said, nothing need be taken back.
        if let Ok(cancel) = self.put(&mut state, open) {
            state.outbox.takes_back(cancel, msgid);
        }
    }

    /// Has a call taken back, which is still answered: here, if the service cannot have got it; else by the service, which
    /// is asked to for as long as the call has time. `None`: there is nothing to take back any more.
    pub(crate) fn cancel(
        &self,
        msgid: u64,
    ) -> Result<Option<oneshot::Receiver<Answer>>, CallError> {
        let mut state = self.state();
        if state.outbox.is_unsent(msgid) {
            let error = ErrorAnswer::new(
                ErrorCode::Cancelled,
                "The call was cancelled before it was sent.",
            );
            let error = error.with_outcome(Outcome::NotExecuted).encode();
            state.outbox.answered(msgid, Err(error));
        }
        let Some(deadline) = state.outbox.deadline_of_open(msgid) else {
            return Ok(None);
        };
        let (sender, receiver) = oneshot::channel();
        let twice_does_no_harm = Meta {
            idempotent: true,
            ..Meta::default()
        };
        let open = Open::new(cancel(msgid, twice_does_no_harm), Some(sender), deadline);
        self.put(&mut state, open)?;
        Ok(Some(receiver))
    }

    pub(crate) fn unknown_answers(&self) -> u64 {
        self.state().unknown_answers
    }

    /// Whether that connection is the present one.
    pub(crate) fn is_connected_by(&self, connection: u64) -> bool {
        let state = self.state();
        state.connection == connection && matches!(state.link, Link::Up { .. })
    }

    /// Answers the service's own question, which came by this connection. If that is lost, the service has told the
    /// worker already that no answer will come.
    pub(crate) fn respond(&self, connection: u64, msgid: u64, result: &Result<Bytes, ErrorAnswer>) {
        let (mut frame, value) = match result {
            Ok(result) => (protocol::response_ok(msgid, result), result.clone()),
            Err(error) => {
                let error = error.encode();
                (protocol::response_error(msgid, &error), error)
            }
        };
        let mut state = self.state();
        if let Err(error) = state.limits.check(frame.len(), &value) {
            let error = ErrorAnswer::new(ErrorCode::MessageTooLarge, error.to_string());
            let error = error.with_outcome(Outcome::Executed);
            frame = protocol::response_error(msgid, &error.encode());
        }
        if state.connection == connection
            && let Link::Up { line, .. } = &mut state.link
        {
            line.write(frame);
        }
    }

    /// An answer has come.
    pub(crate) fn answered(&self, msgid: u64, result: Result<Bytes, Bytes>) {
        let mut state = self.state();
        let State { outbox, link, .. } = &mut *state;
        let (Ok(bytes) | Err(bytes)) = &result;
        let length = bytes.len();
        let was_open = outbox.answered(msgid, result);
        if let Link::Up {
            line,
            acks,
            has_answered,
            ..
        } = link
        {
            *has_answered = true;
            if let Some(acks) = acks {
                acks.answered(length);
                if let Some(floor) = acks.much_news(outbox.answered_up_to()) {
                    tell(line, acks, floor);
                }
            }
        }
        // Given before, or never asked for: dropped and counted.
        state.unknown_answers += u64::from(!was_open);
    }

    /// The service tells something.
    pub(crate) fn told(&self, told: &Notification) {
        match &told.method[..] {
            b"session.moved" => drop(self.end(End::Moved)),
            b"request.progress" => self.progressed(&told.params),
            _ => {}
        }
    }

    fn progressed(&self, params: &Bytes) {
        if let Some(on_progress) = &self.on_progress
            && let Ok([msgid, what]) = value::array_items(params).as_deref()
            && let Some(msgid) = value::read_unsigned(msgid)
        {
            // A panic there has been shown already, and is no reason to lose the connection.
            let _ = catch_unwind(AssertUnwindSafe(|| on_progress(msgid, what.clone())));
        }
    }
}

/// Says that all answers up to this number have been read.
fn tell(line: &mut Line, acks: &mut Acks, floor: u64) {
    acks.told(floor);
    line.write(protocol::notification(
        b"standin.ack",
        &protocol::encode(&[floor]),
    ));
}

/// The request that takes another one back.
fn cancel(msgid: u64, meta: Meta) -> Asked {
    Asked {
        method: "standin.cancel".to_owned(),
        params: protocol::encode(&[std::collections::BTreeMap::from([("msgid", msgid)])]),
        meta,
    }
}

impl SaidLimits {
    /// Whether the service takes a message, which has this value in it. It would have to close the connection on one that
    /// is too large or too deep, and every other open call would be lost with it. `length`: the most that it comes to,
    /// should it have to be said again.
    fn check(&self, length: usize, value: &[u8]) -> Result<(), CallError> {
        if let Some(limit) = self.message_size_max
            && length > limit
        {
            return Err(CallError::TooLarge { length, limit });
        }
        // The message itself is a level.
        if let Some(limit) = self.depth_max
            && !value::nests_at_most(value, limit.saturating_sub(1))
        {
            return Err(CallError::TooDeep { limit });
        }
        Ok(())
    }
}
