//! One call of a client while the service has it: shared by the session that owns it and the pool that works on it.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering, fence},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use ractor::ActorRef;
use standin_core::{
    RequestId, SessionId,
    quota::{Account, Charge},
    session::{Origin, Stage, outcome_after_pool_lost},
};
use standin_protocol::{ErrorAnswer, ErrorCode, Outcome, Replay};
use standin_transport::Peer;

use crate::{
    directory::PoolHandle,
    keys::KeyClaim,
    pool::PoolMessage,
    session::SessionMessage,
    store::{Durability, Fingerprint, JobName, RecordName},
    story::Notes,
};

/// Who asks. One for each session, shared by its calls.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) session: SessionId,
    /// The operating system's name for the user.
    pub(crate) user: Arc<str>,
    /// What the user has.
    pub(crate) account: Arc<Account>,
    pub(crate) whereabouts: Whereabouts,
    /// Whether the user may change the service, by the connection that the session has now: on Windows one program of a user
    /// may be elevated and another not.
    is_administrator: AtomicBool,
    /// Whether the client asked for progress notifications.
    pub(crate) wants_progress: AtomicBool,
    /// Bytes of progress that lie in the session's mailbox. A mailbox has no limit of its own.
    progress_waiting: AtomicUsize,
    pub(crate) actor: ActorRef<SessionMessage>,
}

/// Where the client's program runs, for the log: its process, and on Windows its session of the Terminal Server. A client
/// that comes back may be another process.
#[derive(Debug)]
pub(crate) struct Whereabouts {
    pid: AtomicU64,
    terminal_session: AtomicU64,
}

/// Not known. Both are numbers of 32 bits.
const NOWHERE: u64 = u64::MAX;

impl Default for Whereabouts {
    fn default() -> Self {
        Self {
            pid: AtomicU64::new(NOWHERE),
            terminal_session: AtomicU64::new(NOWHERE),
        }
    }
}

impl Whereabouts {
    pub(crate) fn of(peer: &Peer) -> Self {
        let whereabouts = Self::default();
        whereabouts.moved(peer);
        whereabouts
    }

    /// The client has come back.
    pub(crate) fn moved(&self, peer: &Peer) {
        let number = |number: Option<u32>| number.map_or(NOWHERE, u64::from);
        self.pid.store(number(peer.pid), Ordering::Relaxed);
        let terminal_session = number(peer.terminal_session);
        self.terminal_session
            .store(terminal_session, Ordering::Relaxed);
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        u32::try_from(self.pid.load(Ordering::Relaxed)).ok()
    }

    pub(crate) fn terminal_session(&self) -> Option<u32> {
        u32::try_from(self.terminal_session.load(Ordering::Relaxed)).ok()
    }
}

/// Bytes of progress that may lie in a session's mailbox. It is a hint: what is left out is made good by the next.
const PROGRESS_WAITING_MAX: usize = 256 * 1024;

/// What one message in a mailbox costs beside its bytes, roughly.
const MESSAGE_COST: usize = 128;

impl Caller {
    pub(crate) fn new(
        session: SessionId,
        account: Arc<Account>,
        is_administrator: bool,
        actor: ActorRef<SessionMessage>,
    ) -> Self {
        Self {
            session,
            user: Arc::clone(account.user()),
            account,
            whereabouts: Whereabouts::default(),
            is_administrator: AtomicBool::new(is_administrator),
            wants_progress: AtomicBool::new(false),
            progress_waiting: AtomicUsize::new(0),
            actor,
        }
    }

    pub(crate) fn is_administrator(&self) -> bool {
        self.is_administrator.load(Ordering::Relaxed)
    }

    /// The client has come back: where from, and with what rights.
    pub(crate) fn moved(&self, peer: &Peer, is_administrator: bool) {
        self.whereabouts.moved(peer);
        self.is_administrator
            .store(is_administrator, Ordering::Relaxed);
    }

    /// The operating system would not say whose program it is. There may be many of them, each somebody else's, so nothing
    /// is kept for them that belongs to a user.
    pub(crate) fn is_nobody(&self) -> bool {
        self.user.is_empty()
    }

    /// Tells the session how a call of its is getting on, if the client wants to know and the session keeps up.
    pub(crate) fn progressed(&self, msgid: u64, what: &Bytes) {
        if !self.wants_progress.load(Ordering::Relaxed) {
            return;
        }
        let cost = what.len() + MESSAGE_COST;
        if self.progress_waiting.fetch_add(cost, Ordering::Relaxed) > PROGRESS_WAITING_MAX {
            self.progress_taken(what);
            return;
        }
        let told = Box::new((msgid, what.clone()));
        let _ = self.actor.cast(SessionMessage::Progress(told));
    }

    /// The session has taken one out of its mailbox.
    pub(crate) fn progress_taken(&self, what: &Bytes) {
        let cost = what.len() + MESSAGE_COST;
        self.progress_waiting.fetch_sub(cost, Ordering::Relaxed);
    }
}

/// What was asked. Nothing in it changes but how far it has come.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: RequestId,
    pub(crate) origin: Origin,
    pub(crate) caller: Arc<Caller>,
    pub(crate) pool: Arc<PoolHandle>,
    pub(crate) method: Bytes,
    pub(crate) params: Bytes,
    pub(crate) replay: Replay,
    pub(crate) deadline: Instant,
    pub(crate) attempt_timeout: Option<Duration>,
    /// A pool that was lost since had given it to a worker, or an earlier life of the service may have.
    pub(crate) begun_before: bool,
    /// Nobody wants it any more, and its pool was told.
    pub(crate) taken_back: AtomicBool,
    pub(crate) stage: CallStage,
    pub(crate) record: CallRecord,
    /// What has happened to it.
    pub(crate) notes: Notes,
    /// It counts for its user for as long as it is there.
    pub(crate) charge: Charge,
    /// The job that it belongs to, for its worker.
    pub(crate) job: Option<Arc<CallJob>>,
}

/// The job behind a call, as its worker is told.
#[derive(Debug)]
pub(crate) struct CallJob {
    pub(crate) this: Arc<JobTry>,
    /// What earlier tries have done of it.
    pub(crate) so_far: Option<Bytes>,
}

/// Which try of which job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JobTry {
    pub(crate) job: JobName,
    /// The name as it is written.
    pub(crate) name: String,
    /// From 1.
    pub(crate) attempt: u32,
}

/// How the fate of a call is kept, if it is. A call that came before its session could be resumed has it from then on.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallRecord(OnceLock<Arc<Record>>);

impl CallRecord {
    pub(crate) fn of(record: Record) -> Self {
        Self(OnceLock::from(Arc::new(record)))
    }
}

/// Under which name the fate of a call is kept in the store.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) name: RecordName,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) durability: Durability,
    /// It carries a key, which it must have before it runs.
    claim: Option<KeyClaim>,
    /// The store was told that it begins, or that its effect does.
    begun: AtomicBool,
    granted: AtomicBool,
}

impl Record {
    /// One of which the store has not heard.
    pub(crate) fn new(name: RecordName, fingerprint: Fingerprint, durability: Durability) -> Self {
        Self {
            name,
            fingerprint,
            durability,
            claim: None,
            begun: AtomicBool::new(false),
            granted: AtomicBool::new(false),
        }
    }

    /// One of a call with a key.
    pub(crate) fn keyed(name: RecordName, fingerprint: Fingerprint, claim: KeyClaim) -> Self {
        Self {
            claim: Some(claim),
            ..Self::new(name, fingerprint, Durability::Power)
        }
    }

    pub(crate) fn claim(&self) -> Option<&KeyClaim> {
        self.claim.as_ref()
    }

    /// The store is told now.
    pub(crate) fn begin(&self) {
        self.begun.store(true, Ordering::Relaxed);
    }

    /// Whether the store may have heard of it.
    pub(crate) fn is_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    /// The store has the grant of its effect.
    pub(crate) fn grant(&self) {
        self.granted.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_granted(&self) -> bool {
        self.granted.load(Ordering::Relaxed)
    }
}

/// How far a call has come, kept where it survives the pool's actor.
#[derive(Debug, Default)]
pub(crate) struct CallStage(AtomicU8);

impl CallStage {
    pub(crate) fn reach(&self, stage: Stage) {
        self.0.fetch_max(stage as u8, Ordering::Relaxed);
    }

    /// A replay begins: no worker has it any more.
    pub(crate) fn back_to_waiting(&self) {
        self.0.store(Stage::Waiting as u8, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> Stage {
        Stage::from_u8(self.0.load(Ordering::Relaxed))
    }
}

impl Call {
    /// Nobody wants it any more; it is answered all the same.
    pub(crate) fn take_back(&self) {
        self.taken_back.store(true, Ordering::Relaxed);
        // If the pool is lost, this is seen by whoever would give the call to the next one.
        let _ = self.pool.actor.cast(PoolMessage::Cancel(self.id));
    }

    /// Its answer instead of a further pool, when it was taken back and its pool is lost.
    pub(crate) fn taken_back_in_lost_pool(&self) -> Option<ErrorAnswer> {
        if !self.taken_back.load(Ordering::Relaxed) {
            return None;
        }
        let outcome = outcome_after_pool_lost(self.replay, self.was_begun(), Outcome::NotExecuted);
        let what = match outcome {
            Outcome::NotExecuted => "It was not executed.",
            _ => "Whether it was executed is not known.",
        };
        let why = format!("\"{}\" was cancelled. {what}", self.method_name());
        Some(ErrorAnswer::new(ErrorCode::Cancelled, why).with_outcome(outcome))
    }

    /// A worker had it, in this pool or in one that was lost.
    fn was_begun(&self) -> bool {
        self.begun_before || self.stage.get() != Stage::Waiting
    }

    /// The same call for another pool. Its name stays, so that the log tells one story.
    pub(crate) fn for_another_pool(&self, pool: &Arc<PoolHandle>) -> Call {
        Call {
            id: self.id,
            origin: self.origin,
            caller: Arc::clone(&self.caller),
            pool: Arc::clone(pool),
            method: self.method.clone(),
            params: self.params.clone(),
            replay: self.replay,
            deadline: self.deadline,
            attempt_timeout: self.attempt_timeout,
            begun_before: self.was_begun(),
            taken_back: AtomicBool::new(self.taken_back.load(Ordering::Relaxed)),
            stage: CallStage::default(),
            record: self.record.clone(),
            notes: self.notes.handed_on(),
            charge: self.charge.again(),
            job: self.job.clone(),
        }
    }

    pub(crate) fn record(&self) -> Option<&Arc<Record>> {
        self.record.0.get()
    }

    /// Gives it a record, unless it has one, and says whether its effect may have been granted by somebody who did not see
    /// that record.
    pub(crate) fn record_late(&self, record: impl FnOnce() -> Record) -> (&Arc<Record>, bool) {
        let record = self.record.0.get_or_init(|| Arc::new(record()));
        // The other half is in `grant_effect`: each writes, then reads, so that one of them sees what the other wrote.
        fence(Ordering::SeqCst);
        (record, self.stage.get() >= Stage::EffectGranted)
    }

    /// Its effect is granted, once that is on record if it has one.
    pub(crate) fn grant_effect(&self) -> Option<&Arc<Record>> {
        self.stage.reach(Stage::EffectGranted);
        fence(Ordering::SeqCst);
        self.record()
    }

    /// Whether it has to come to its end though nobody waits for it: it has a name that others may ask for.
    pub(crate) fn outlives_its_session(&self) -> bool {
        let record = self.record();
        record.is_some_and(|record| !matches!(record.name, RecordName::Request { .. }))
    }

    pub(crate) fn has_a_key(&self) -> bool {
        let record = self.record();
        record.is_some_and(|record| record.claim.is_some())
    }

    /// Whether it has a key that is not, or not yet, its own.
    pub(crate) fn waits_for_its_key(&self) -> bool {
        let claim = self.record().and_then(|record| record.claim());
        claim.is_some_and(KeyClaim::is_waiting)
    }

    /// The method's name for a log or a sentence.
    pub(crate) fn method_name(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.method)
    }
}

/// A pool's answer to a call: an encoded result or an encoded error answer.
#[derive(Debug)]
pub(crate) struct CallAnswer {
    pub(crate) origin: Origin,
    pub(crate) result: Result<Bytes, Bytes>,
}
