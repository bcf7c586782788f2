//! A client: the session, and the runtime on which it is served while its program waits. No thread is made.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use standin_client::{Connect, Endpoint, OpenError};
use tokio::{runtime::Runtime, time::Instant};

use crate::{
    clock::{self, Driven},
    code::Code,
    codepage::Codepage,
    failure::{Failure, LastError},
    inbox::Inbox,
};

/// How a client is opened.
#[derive(Debug)]
pub(crate) struct Opening {
    /// `None`: the usual one.
    pub(crate) endpoint: Option<String>,
    pub(crate) program_name: Option<String>,
    pub(crate) limit: Duration,
    pub(crate) resume: Resume,
}

/// How long a call without a time of its own waits for a lost connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Resume {
    Usual,
    Never,
    Within(Duration),
}

/// A client.
#[derive(Debug)]
pub(crate) struct Client {
    codepage: Codepage,
    open: Result<Open, Failure>,
    last: LastError,
    /// Handles of the callbacks that were taken and not answered, the innermost last.
    open_callbacks: Mutex<Vec<i64>>,
}

/// One that could be opened.
#[derive(Debug)]
pub(crate) struct Open {
    // Dropped before the runtime that its task runs on.
    client: standin_client::Client,
    runtime: Runtime,
    inbox: Arc<Inbox>,
    driven: Mutex<Driven>,
}

impl Client {
    /// Opens a client. It is there also when it could not be opened, to tell why.
    pub(crate) fn open(opening: Opening, codepage: Codepage) -> Self {
        Self {
            codepage,
            open: Open::new(opening),
            last: LastError::default(),
            open_callbacks: Mutex::default(),
        }
    }

    pub(crate) fn last(&self) -> &LastError {
        &self.last
    }

    pub(crate) fn codepage(&self) -> &Codepage {
        &self.codepage
    }

    /// What there is to work with, if it could be opened.
    pub(crate) fn opened(&self) -> Result<&Open, Failure> {
        self.open.as_ref().map_err(Clone::clone)
    }

    pub(crate) fn open_callbacks(&self) -> MutexGuard<'_, Vec<i64>> {
        self.open_callbacks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn new(opening: Opening) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::of_open(&OpenError::Runtime(error)))?;
        let inbox = Arc::new(Inbox::default());
        let (questions, progress) = (Arc::clone(&inbox), Arc::clone(&inbox));
        let mut connect = Connect::new()
            .limit(opening.limit)
            .callbacks(move |asked| {
                let inbox = Arc::clone(&questions);
                async move { inbox.ask(asked).await }
            })
            .progress(move |msgid, what| progress.progressed(msgid, what));
        if let Some(endpoint) = &opening.endpoint {
            let endpoint = Endpoint::parse(endpoint);
            connect = connect.endpoint(endpoint.map_err(|error| Failure::of_open(&error.into()))?);
        }
        if let Some(name) = opening.program_name {
            connect = connect.name(name);
        }
        connect = match opening.resume {
            Resume::Usual => connect,
            Resume::Never => connect.without_resume(),
            Resume::Within(limit) => connect.resume(limit),
        };
        let client = runtime.block_on(connect.open());
        Ok(Self {
            client: client.map_err(|error| Failure::of_open(&error))?,
            runtime,
            inbox,
            driven: Mutex::default(),
        })
    }

    pub(crate) fn client(&self) -> &standin_client::Client {
        &self.client
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    pub(crate) fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    fn driven(&self) -> MutexGuard<'_, Driven> {
        self.driven.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For how long this client was waited for so far.
    pub(crate) fn waited(&self) -> Duration {
        self.driven().total(clock::now())
    }

    /// Begins to wait for something of this client.
    pub(crate) fn waiting(&self) -> Waiting<'_> {
        let since = clock::now();
        let mut driven = self.driven();
        driven.begin(since);
        Waiting {
            before: driven.total(since),
            since,
            open: self,
        }
    }

    /// Lets go out what was just put into the line.
    pub(crate) fn nudge(&self) {
        self.runtime.block_on(tokio::task::yield_now());
    }

    /// Ends the session. What is open ends with an error.
    pub(crate) fn close(&self) {
        self.inbox.drop_questions();
        self.runtime.block_on(async {
            self.client.close().await;
            // Those who wait are told, and what still runs here sees its end.
            tokio::task::yield_now().await;
        });
        self.inbox.changed.notify_waiters();
    }
}

/// Somebody waits for something of a client.
pub(crate) struct Waiting<'a> {
    open: &'a Open,
    since: std::time::Instant,
    /// For how long the client was waited for before.
    pub(crate) before: Duration,
}

impl Waiting<'_> {
    /// When so much time is over; a time that no clock can count to is never over.
    pub(crate) fn end(&self, limit: Duration) -> Option<Instant> {
        self.since.checked_add(limit).map(Instant::from_std)
    }

    /// Waits until `look` sees something, and looks whenever something has come; at most for `limit`.
    pub(crate) fn until<T>(
        &self,
        limit: Duration,
        mut look: impl FnMut() -> Option<T>,
    ) -> Option<T> {
        let end = self.end(limit);
        self.open.runtime.block_on(async {
            if limit.is_zero() {
                // What has come is read in one turn, and given to those who wait for it in the next.
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                }
                return look();
            }
            loop {
                let changed = self.open.inbox.changed.notified();
                if let Some(seen) = look() {
                    return Some(seen);
                }
                match end {
                    None => changed.await,
                    Some(end) => {
                        if tokio::time::timeout_at(end, changed).await.is_err() {
                            return look();
                        }
                    }
                }
            }
        })
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.open.driven().end(clock::now());
    }
}

/// A time that was given in milliseconds.
pub(crate) fn milliseconds(number: i64, what: &str) -> Result<Duration, Failure> {
    u64::try_from(number)
        .map(Duration::from_millis)
        .map_err(|_| {
            let why = format!("The argument \"{what}\" is {number}, and cannot be negative.");
            Failure::new(Code::BadArgument, why)
        })
}
