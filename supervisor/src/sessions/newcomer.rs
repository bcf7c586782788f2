//! A client before it has a session: a task waits for the first thing that it says. Whoever connects and goes away
//! without a word (old runtimes look that way whether a file exists) costs a task and nothing else.

use ractor::ActorRef;
use standin_core::quota::Place;
use standin_protocol::{self as protocol, Limits, Message, value};
use standin_transport::{Connection, MessageReader, ReadError, occasional_writer};

use super::SessionsMessage;
use crate::{
    call::Whereabouts,
    session::{BrokenStream, refusal},
    store::SessionToken,
    tasks,
};

/// A client that has said something.
pub(crate) struct Newcomer {
    /// Its place in the order in which connections were accepted, from 1. Who speaks first does not say who came last.
    pub(crate) number: u64,
    pub(crate) connection: Connection,
    pub(crate) reader: MessageReader,
    /// What it said first.
    pub(crate) messages: Vec<Message>,
    /// The stream was lost before there was any message.
    pub(crate) broken: Option<Box<BrokenStream>>,
    pub(crate) welcome: Welcome,
    /// It counts for its user for as long as it is there.
    pub(crate) place: Place,
}

/// How its hello is to be answered if it asks for a session that is not its own yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Welcome {
    /// It asked for none, or for one that nobody knows: it gets a new one.
    New,
    /// It asked for one that belongs to somebody else.
    Denied,
}

impl Newcomer {
    /// Answers the first thing that it asks, and closes the connection: its user has too many.
    pub(super) fn turn_away(self) {
        let account = self.place.account();
        let whereabouts = Whereabouts::of(self.connection.peer());
        let error = refusal(account, account.sessions_exceeded(), &whereabouts);
        let asked = self.messages.iter().find_map(|message| match message {
            Message::Request(request) => Some(request.msgid),
            _ => None,
        });
        if let Some(msgid) = asked {
            // What was said is written before the connection closes.
            occasional_writer(self.connection)
                .send(protocol::response_error(msgid, &error.encode()));
        }
    }

    /// The session that it wants to go on with: the first thing it says is a hello that names one.
    pub(super) fn wanted_session(&self) -> Option<SessionToken> {
        let Some(Message::Request(request)) = self.messages.first() else {
            return None;
        };
        if &request.method[..] != b"standin.hello" {
            return None;
        }
        let arguments = value::named_arguments(&request.params).ok()?;
        let (_, session) = arguments.iter().find(|(name, _)| &name[..] == b"session")?;
        let text = value::read_bytes(session)?;
        std::str::from_utf8(&text).ok()?.parse().ok()
    }
}

/// Waits for a client's first words and hands it back to the sessions.
pub(super) fn listen(
    number: u64,
    connection: Connection,
    place: Place,
    limits: Limits,
    sessions: ActorRef<SessionsMessage>,
) {
    let told = sessions.clone();
    let listening = async move {
        let mut reader = MessageReader::new(connection.clone(), limits);
        let mut messages = Vec::new();
        let broken = match reader.read(&mut messages).await {
            Ok(()) => None,
            Err(ReadError::Closed) => {
                let _ = sessions.cast(SessionsMessage::Greeted(None));
                return;
            }
            Err(ReadError::Wire(error)) => Some(Box::new(BrokenStream::Wire(error))),
            Err(ReadError::Broken(error)) => Some(Box::new(BrokenStream::Broken(error))),
        };
        let newcomer = Newcomer {
            number,
            connection,
            reader,
            messages,
            broken,
            welcome: Welcome::New,
            place,
        };
        let _ = sessions.cast(SessionsMessage::Greeted(Some(Box::new(newcomer))));
    };
    tokio::spawn(tasks::or_when_it_panics(listening, move || {
        let _ = told.cast(SessionsMessage::Greeted(None));
    }));
}
