//! One session: the actor between a client's connection and the pools.
//!
//! It owns the client's open requests ([`SessionCore`]) and the writing end of the connection; a task reads the other
//! end and casts what came. A request for a pool becomes a [`Call`]; a request for the service itself is answered
//! here. If a pool's actor is lost, the session submits what it may again.

mod answers;
mod batch;
mod callbacks;
mod intake;
mod own_methods;
mod reading;
mod unlocated;

use std::sync::{Arc, atomic::AtomicU64};

use bytes::Bytes;
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use standin_core::{
    SessionId,
    session::{Callbacks, SessionCore},
};
use standin_protocol::{Limits, Message};
use standin_transport::{Connection, MessageReader, MessageWriter, occasional_writer};
use tokio::task::JoinHandle;

pub(crate) use self::callbacks::{Callback, CallbackReply};
use self::{
    reading::{Credit, Reading},
    unlocated::Unlocated,
};
use crate::{
    call::{Call, CallAnswer, Caller},
    directory::{DirectoryReader, DirectoryWriter, PoolHandle},
    failpoint,
    pools::PoolsMessage,
    sessions::SessionsMessage,
};

/// What a session is told. It is kept small, since each idle session has room for some of these; what comes rarely is
/// boxed.
pub(crate) enum SessionMessage {
    /// The client sent these.
    Received(Vec<Message>),
    /// The connection is over; why, if it was not just closed.
    ConnectionEnded(Option<Box<reading::BrokenStream>>),
    /// Pools answered, or the service itself.
    Answered(Vec<CallAnswer>),
    /// A worker asks the client.
    Callback(Box<Callback>),
    /// A worker is getting on with the call of this number.
    Progress(Box<(u64, Bytes)>),
    /// The directory has changed, or is complete.
    DirectoryChanged,
    /// A request that waits for the directory may have waited long enough.
    UnlocatedDue,
    /// A pool's actor was lost and another has taken its place.
    PoolLost { generation: u64 },
}

/// What all sessions of a service share.
pub(crate) struct SessionEnvironment {
    pub(crate) directory: DirectoryWriter,
    pub(crate) pools: ActorRef<PoolsMessage>,
    pub(crate) limits: Limits,
    pub(crate) requests_max: usize,
    /// Names for requests, unique while the service lives.
    pub(crate) last_request: AtomicU64,
    /// Who runs the service: that user may change it.
    pub(crate) owner: String,
}

/// What a session is made from.
pub(crate) struct SessionArguments {
    pub(crate) id: SessionId,
    pub(crate) connection: Connection,
    pub(crate) environment: Arc<SessionEnvironment>,
    pub(crate) sessions: ActorRef<SessionsMessage>,
}

/// The session actor.
pub(crate) struct Session;

/// What the session actor holds.
pub(crate) struct SessionState {
    caller: Arc<Caller>,
    environment: Arc<SessionEnvironment>,
    sessions: ActorRef<SessionsMessage>,
    core: SessionCore<Arc<Call>>,
    callbacks: Callbacks<CallbackReply>,
    /// The client said in its hello that it serves callbacks.
    serves_callbacks: bool,
    directory: DirectoryReader,
    /// Requests whose method is not known while pools are still starting.
    unlocated: Vec<Unlocated>,
    writer: MessageWriter,
    credit: Arc<Credit>,
    reading: JoinHandle<()>,
    /// Calls of the message that is being handled, by pool, so that each pool is told once.
    outgoing: Vec<(Arc<PoolHandle>, Vec<Arc<Call>>)>,
}

impl Drop for SessionState {
    /// However the session ends, its own failure included: the connection closes, nobody works for it any more, and
    /// no worker waits for an answer of its client.
    fn drop(&mut self) {
        self.reading.abort();
        self.let_go();
    }
}

/// Callbacks that a client may have unanswered at a time; it serves them one inside the other.
const CALLBACKS_MAX: usize = 256;

/// The user that may do everything.
const ADMINISTRATORS: [&str; 2] = ["0", "S-1-5-18"];

impl Actor for Session {
    type Msg = SessionMessage;
    type State = SessionState;
    type Arguments = SessionArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<SessionMessage>,
        arguments: SessionArguments,
    ) -> Result<SessionState, ActorProcessingErr> {
        let SessionArguments {
            id,
            connection,
            environment,
            sessions,
        } = arguments;
        let peer = connection.peer();
        tracing::debug!(session = %id, user = %peer.user, pid = peer.pid, "a client connected");
        let is_administrator =
            peer.user == environment.owner || ADMINISTRATORS.contains(&peer.user.as_str());
        let user = peer.user.clone();
        let caller = Caller::new(id, user, is_administrator, myself.clone());
        let caller = Arc::new(caller);
        let writer = occasional_writer(connection.clone());
        let credit = Arc::new(Credit::new());
        let reader = MessageReader::new(connection, environment.limits);
        let reading = Reading::new(reader, writer.clone(), myself, Arc::clone(&credit));
        let reading = tokio::spawn(reading.run());
        Ok(SessionState {
            core: SessionCore::new(environment.requests_max),
            callbacks: Callbacks::new(CALLBACKS_MAX),
            serves_callbacks: false,
            directory: environment.directory.reader(),
            unlocated: Vec::new(),
            outgoing: Vec::new(),
            caller,
            environment,
            sessions,
            writer,
            credit,
            reading,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<SessionMessage>,
        message: SessionMessage,
        state: &mut SessionState,
    ) -> Result<(), ActorProcessingErr> {
        failpoint::pass("session", state.caller.session);
        match message {
            SessionMessage::Received(messages) => {
                for message in messages {
                    state.received(&myself, message);
                }
                state.credit.give_back();
            }
            SessionMessage::ConnectionEnded(why) => state.connection_ended(&myself, why),
            SessionMessage::Answered(answers) => {
                for answer in answers {
                    state.answered(answer);
                }
            }
            SessionMessage::Callback(asked) => state.callback(*asked),
            SessionMessage::Progress(told) => state.progress(told.0, &told.1),
            SessionMessage::DirectoryChanged => state.locate_again(&myself),
            SessionMessage::UnlocatedDue => state.unlocated_due(),
            SessionMessage::PoolLost { generation } => state.pool_lost(generation),
        }
        state.submit_outgoing();
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<SessionMessage>,
        event: SupervisionEvent,
        _state: &mut SessionState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            // It has no children.
            SupervisionEvent::ActorStarted(_)
            | SupervisionEvent::ActorTerminated(..)
            | SupervisionEvent::ActorFailed(..)
            | SupervisionEvent::ProcessGroupChanged(_) => Ok(()),
        }
    }
}
