//! Where requests go: by a connection, into the outbox while there is none, or nowhere any more.

use std::{io, time::Duration};

use bytes::Bytes;
use standin_protocol::{self as protocol, Outcome};
use tokio::{task::JoinHandle, time::Instant};

use super::{Shared, State, tell};
use crate::{
    CallError,
    acks::Acks,
    hello::{Greeted, Reading},
    line::{Ending, Line},
};

/// A connection that has lasted so long was of use, even if nothing was answered by it: it is not one of those that are
/// lost as soon as they are made.
const STEADY: Duration = Duration::from_secs(1);

/// Where requests go.
pub(super) enum Link {
    Up {
        line: Line,
        /// There, if the service keeps a session.
        acks: Option<Acks>,
        /// Whether it was of any use so far.
        has_answered: bool,
        since: Instant,
    },
    /// There is no connection, but there will be.
    Down,
    Over(End),
}

/// Why there will be no connection any more.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    /// It was lost, and no other one is wanted.
    Lost,
    /// Another one goes on with the session.
    Moved,
    /// The program wants it so.
    Closed,
}

impl End {
    pub(super) fn error(self, outcome: Outcome) -> CallError {
        match self {
            End::Lost => CallError::ConnectionLost { outcome },
            End::Moved => CallError::SessionMoved { outcome },
            End::Closed => CallError::Closed { outcome },
        }
    }
}

/// What comes after a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    Nothing,
    /// Another one, and whether the lost one was of any use.
    Another {
        was_fruitful: bool,
    },
}

impl Shared {
    /// The connection is lost. If another one is wanted the requests wait for it; else everybody who waits is told what
    /// is known.
    pub(crate) fn lost(&self, ending: Ending) -> After {
        let mut state = self.state();
        let next = match self.resume {
            Some(_) => Link::Down,
            None => Link::Over(End::Lost),
        };
        let Some((line, was_fruitful)) = state.take_line(next) else {
            return After::Nothing;
        };
        state.trouble = match was_fruitful {
            true => "no try to make it again has ended yet".to_owned(),
            false => "the service took the last one and lost it at once".to_owned(),
        };
        let given = line.end(ending);
        let lost = |outcome| End::Lost.error(outcome);
        let Some(resume) = self.resume else {
            state.outbox.end_all(given, lost);
            return After::Nothing;
        };
        let until = Instant::now() + resume;
        state.outbox.connection_lost(given, until, was_fruitful);
        // A service keeps no session while its disk is full. That is no reason to do without it later.
        if state.session.is_none() {
            state.outbox.session_lost(|| lost(Outcome::Unknown));
        }
        After::Another { was_fruitful }
    }

    /// Nothing more is sent than what is on its way, and everybody who waits is told so. The work of writing the rest,
    /// which goes on by itself.
    pub(crate) fn end(&self, end: End) -> Option<JoinHandle<io::Result<()>>> {
        let mut state = self.state();
        if matches!(state.link, Link::Over(_)) {
            return None;
        }
        let line = state.take_line(Link::Over(end));
        state.link = Link::Over(end);
        state.outbox.end_all(u64::MAX, |outcome| end.error(outcome));
        line.map(|(line, _)| line.finish())
    }

    /// The program closes the client: the service need keep nothing, and give up what is still open.
    pub(crate) fn close(&self) -> Option<JoinHandle<io::Result<()>>> {
        self.state().say_goodbye();
        self.end(End::Closed)
    }

    /// The last clone of the client is going. If nothing is open, nobody can miss the session; else what runs may come
    /// to its end.
    pub(crate) fn leave(&self) {
        let mut state = self.state();
        if state.outbox.is_empty() && state.say_goodbye() {
            // Once is enough.
            drop(state.take_line(Link::Over(End::Closed)));
        }
    }

    /// A new connection that was greeted takes the place of the lost one: all that has no answer yet is said on it.
    /// What there is to read, and the number of the connection. `None`: no connection is wanted any more.
    pub(crate) fn adopt(&self, greeted: Greeted) -> Option<(Reading, u64)> {
        let Greeted {
            said,
            mut line,
            reading,
        } = greeted;
        let mut state = self.state();
        let state = &mut *state;
        if !matches!(state.link, Link::Down) {
            return None;
        }
        let goes_on = said.resumed && said.session.is_some();
        let mut acks = said.session.is_some().then(Acks::default);
        state.session = said.session;
        state.limits = said.limits;
        state.connection += 1;
        if !goes_on {
            state.outbox.session_lost(|| CallError::OutcomeUnknown);
        }
        let floor = state.outbox.answered_up_to();
        match &mut acks {
            Some(acks) if goes_on => tell(&mut line, acks, floor),
            // What was answered before is nothing to a new session.
            Some(acks) => acks.told(floor),
            None => {}
        }
        let now = Instant::now();
        state.outbox.say_again(now, |frame| line.write(frame));
        state.link = Link::Up {
            line,
            acks,
            has_answered: false,
            since: now,
        };
        Some((reading, state.connection))
    }

    /// The session that the next connection is to go on with, and the number of the hello that says so.
    pub(crate) fn introduce(&self) -> (u64, Option<String>) {
        let mut state = self.state();
        (state.outbox.use_msgid(), state.session.clone())
    }

    /// A try to connect came to nothing.
    pub(crate) fn not_connected(&self, trouble: String) {
        self.state().trouble = trouble;
    }

    /// The service will have nothing of this session: the next try asks for a new one.
    pub(crate) fn session_denied(&self) {
        self.state().session = None;
    }

    /// Waits until something is open that needs a connection.
    pub(crate) async fn is_wanted(&self) {
        while self.state().outbox.is_empty() {
            self.asked.notified().await;
        }
    }

    /// Ends the calls that have waited long enough for a connection, for as long as there is none.
    pub(crate) async fn watch_times(&self) -> std::convert::Infallible {
        loop {
            match self.expire(Instant::now()) {
                None => self.timed.notified().await,
                Some(next) => tokio::select! {
                    () = tokio::time::sleep_until(next) => {}
                    () = self.timed.notified() => {}
                },
            }
        }
    }

    fn expire(&self, now: Instant) -> Option<Instant> {
        let mut state = self.state();
        let State {
            outbox, trouble, ..
        } = &mut *state;
        let waited = self.resume.unwrap_or_default();
        outbox.expire(now, |outcome| CallError::NotResumed {
            outcome,
            waited,
            reason: trouble.clone(),
        });
        outbox.next_expiry()
    }
}

impl State {
    /// Tells a service that keeps a session that nobody will come back to it. Whether there is one to tell.
    fn say_goodbye(&mut self) -> bool {
        let Link::Up {
            line,
            acks: Some(_),
            ..
        } = &mut self.link
        else {
            return false;
        };
        let none = Bytes::from_static(&[0x90]);
        line.write(protocol::notification(b"standin.goodbye", &none));
        true
    }

    /// Takes the line, if there is one, and puts something in its place; and whether the line was of any use.
    fn take_line(&mut self, next: Link) -> Option<(Line, bool)> {
        if !matches!(self.link, Link::Up { .. }) {
            return None;
        }
        match std::mem::replace(&mut self.link, next) {
            Link::Up {
                line,
                has_answered,
                since,
                ..
            } => Some((line, has_answered || since.elapsed() >= STEADY)),
            Link::Down | Link::Over(_) => None,
        }
    }
}
