//! One client's session: the actor that owns its open calls and, if the client said hello, outlives its connection.
//!
//! A session without a hello ends with its connection. One with it keeps its answers until the client has acknowledged
//! them, and waits for the client to come back. It decides nothing that [`SessionCore`] can decide.

mod access;
mod answers;
mod batch;
mod callbacks;
mod evidence;
mod explain;
mod intake;
mod job_methods;
mod keyed;
mod link;
mod own_methods;
mod per_user;
mod pool_methods;
mod quota;
mod reading;
mod recording;
mod resuming;
mod shown;
mod submission;
mod turned_away;
mod unlocated;

use std::sync::{Arc, atomic::AtomicU64};

use bytes::Bytes;
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use standin_core::{
    SessionId,
    quota::Kept,
    session::{Callbacks, MemoryLimits, SessionCore},
};
use standin_protocol::{Limits, Message};
use standin_transport::Peer;

pub(crate) use self::{
    access::not_for,
    callbacks::{Asked, Callback, CallbackReply},
    evidence::outcome_unknown,
    intake::{TIMEOUT_MAX, unknown_method},
    quota::refusal,
    reading::BrokenStream,
    resuming::Restored,
};
use self::{
    callbacks::{CALLBACKS_MAX, Ticket},
    link::Link,
    recording::OnRecord,
    unlocated::Unlocated,
};
use crate::{
    accounts::Accounts,
    call::{Call, CallAnswer, Caller},
    directory::{DirectoryReader, DirectoryWriter, PoolHandle},
    failpoint,
    jobs::JobsHandle,
    keys::{KeyNews, KeysMessage},
    pools::{NoUserPool, PoolsMessage},
    sessions::{Newcomer, SessionsMessage, Welcome},
    store::{SessionToken, StoreHandle},
};

/// What a session is told. It is kept small, since each idle session has room for some of these; what comes rarely is
/// boxed.
pub(crate) enum SessionMessage {
    /// The client sent these, over its connection of that number.
    Received(u64, Vec<Message>),
    /// The connection of that number is over; why, if it was not just closed.
    ConnectionEnded(u64, Option<Box<reading::BrokenStream>>),
    /// The client has come back over another connection.
    Resumed(Box<Newcomer>),
    /// Nobody can come back to it any more: it may end.
    Forgotten,
    /// Nobody has come back; the number is that of the connection that was lost.
    LingerOver(u64),
    /// There are too many sessions without a client.
    MakeRoom,
    /// Pools answered, or the service itself.
    Answered(Vec<CallAnswer>),
    /// The store has what it was told, or refused it.
    OnRecord(Box<OnRecord>),
    /// What is to become of a call that waits for its key.
    Key(Box<KeyNews>),
    /// A worker asks the client.
    Callback(Box<Callback>),
    /// A worker is getting on with the call of this number.
    Progress(Box<(u64, Bytes)>),
    /// The directory has changed, or is complete.
    DirectoryChanged,
    /// The user cannot have a pool of their own, though a request needs it.
    NoUserPool(Box<(Arc<str>, NoUserPool)>),
    /// A request that waits for the directory may have waited long enough.
    UnlocatedDue,
    /// Everything before this has been handled when it is dropped.
    Settle(tokio::sync::mpsc::Sender<()>),
    /// A pool's actor was lost and another has taken its place.
    PoolLost { generation: u64 },
}

/// What all sessions of a service share.
pub(crate) struct SessionEnvironment {
    pub(crate) directory: DirectoryWriter,
    pub(crate) pools: ActorRef<PoolsMessage>,
    pub(crate) keys: ActorRef<KeysMessage>,
    pub(crate) store: StoreHandle,
    pub(crate) jobs: JobsHandle,
    pub(crate) limits: Limits,
    pub(crate) requests_max: usize,
    /// How long a session waits for its client to come back.
    pub(crate) linger: std::time::Duration,
    pub(crate) memory: MemoryLimits,
    /// Names for requests, unique while the service lives.
    pub(crate) last_request: Arc<AtomicU64>,
    /// The same for sessions.
    pub(crate) last_session: Arc<AtomicU64>,
    /// Who runs the service: that user may change it.
    pub(crate) owner: String,
    /// What users have.
    pub(crate) accounts: Arc<Accounts>,
    /// Whether any pool is for groups only.
    pub(crate) groups_matter: bool,
}

impl SessionEnvironment {
    /// Whether whoever is at the other end may change the service.
    pub(crate) fn is_administrator(&self, peer: &Peer) -> bool {
        failpoint::strikes("administrator")
            || peer.is_administrator
            || peer.user == self.owner
            || ADMINISTRATORS.contains(&peer.user.as_str())
    }
}

/// What a session is made from.
pub(crate) struct SessionArguments {
    pub(crate) id: SessionId,
    pub(crate) newcomer: Box<Newcomer>,
    /// It goes on with one of an earlier life of the service.
    pub(crate) restored: Option<Restored>,
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
    /// The groups of the user, if any pool asks for them.
    groups: Box<[String]>,
    /// What the core keeps, as the user's account knows it.
    kept: Kept,
    /// By what it can be resumed, once its client said hello.
    token: Option<SessionToken>,
    /// What is known of its calls that earlier lives of the service had begun.
    begun: evidence::BegunBefore,
    /// The client wants a session that it may not have.
    welcome: Welcome,
    callbacks: Callbacks<Ticket>,
    /// Callbacks for a client that is away, which has not heard of them.
    held: Vec<Callback>,
    /// The client said in its hello that it serves callbacks, and that it takes a list of them at a time.
    serves_callbacks: bool,
    takes_lists: bool,
    /// The client has come back and has not said hello yet.
    awaits_hello: bool,
    /// It has told its parent that it is over, which has not forgotten it yet.
    has_ended: bool,
    directory: DirectoryReader,
    /// Requests whose method is not known while pools are still starting.
    unlocated: Unlocated,
    /// Calls that are refused, and whose keys are looked up first.
    looks: turned_away::Looks,
    /// Pools of the user's own that are waited for.
    wanted: per_user::Wanted,
    /// `None`: the client is away.
    link: Option<Link>,
    /// Calls of the message that is being handled, by pool, so that each pool is told once.
    outgoing: Vec<(Arc<PoolHandle>, Vec<Arc<Call>>)>,
}

impl Drop for SessionState {
    /// However the session ends, its own failure included: the connection closes, nobody works for it any more, and
    /// no worker waits for an answer of its client.
    fn drop(&mut self) {
        self.let_go();
    }
}

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
            newcomer,
            restored,
            environment,
            sessions,
        } = arguments;
        failpoint::pass("session_begins", "");
        let peer = newcomer.connection.peer();
        tracing::debug!(
            session = %id,
            user = %peer.user,
            pid = peer.pid,
            terminal_session = peer.terminal_session,
            "a client connected"
        );
        let is_administrator = environment.is_administrator(peer);
        let groups = access::groups_of(&newcomer.connection, environment.groups_matter);
        let account = Arc::clone(newcomer.place.account());
        let kept = Kept::new(Arc::clone(&account));
        let caller = Caller::new(id, account, is_administrator, myself.clone());
        caller.whereabouts.moved(peer);
        let mut core = SessionCore::new(environment.requests_max);
        let restored = restored.map(|restored| restored.into_core(&mut core, environment.memory));
        let (token, begun) =
            restored.map_or_else(Default::default, |(token, begun)| (Some(token), begun));
        core.connected(newcomer.number);
        let welcome = newcomer.welcome;
        let link = Link::start(*newcomer, &myself);
        Ok(SessionState {
            core,
            kept,
            groups,
            token,
            begun,
            welcome,
            callbacks: Callbacks::new(CALLBACKS_MAX),
            held: Vec::new(),
            serves_callbacks: false,
            takes_lists: false,
            awaits_hello: false,
            has_ended: false,
            directory: environment.directory.reader(),
            unlocated: Unlocated::default(),
            looks: turned_away::Looks::default(),
            wanted: per_user::Wanted::default(),
            outgoing: Vec::new(),
            caller: Arc::new(caller),
            environment,
            sessions,
            link: Some(link),
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
            SessionMessage::Received(epoch, messages) => state.received(&myself, epoch, messages),
            SessionMessage::ConnectionEnded(epoch, why) => {
                state.connection_ended(&myself, epoch, why);
            }
            SessionMessage::Resumed(newcomer) => state.resumed(&myself, *newcomer),
            SessionMessage::Forgotten => myself.stop(None),
            SessionMessage::LingerOver(epoch) => state.linger_over(epoch),
            SessionMessage::MakeRoom => state.make_room(),
            SessionMessage::Answered(answers) => {
                for answer in answers {
                    state.answered(&myself, answer);
                }
                state.close_ended_callbacks();
            }
            SessionMessage::OnRecord(news) => state.on_record(*news),
            SessionMessage::Key(news) => state.key_news(*news),
            SessionMessage::Callback(asked) => state.callback(*asked),
            SessionMessage::Progress(told) => state.progress(told.0, &told.1),
            SessionMessage::DirectoryChanged => state.directory_changed(&myself),
            SessionMessage::NoUserPool(refused) => state.no_user_pool(&myself, *refused),
            SessionMessage::UnlocatedDue => state.unlocated_due(),
            SessionMessage::Settle(end) => drop(end),
            SessionMessage::PoolLost { generation } => state.pool_lost(&myself, generation),
        }
        state.submit_outgoing();
        state.count_kept();
        state.end_if_done();
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
