//! Connections, and what is on its way over them.

use std::{collections::VecDeque, rc::Rc};

use standin_core::{SessionId, session::ItemResult};

use crate::store::Token;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConnectionId(pub(crate) u64);

/// A call by its place in the world's list.
pub(crate) type Uid = usize;

/// What a client asks under one number.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) msgid: u64,
    pub(crate) is_batch: bool,
    pub(crate) calls: Vec<Uid>,
}

#[derive(Debug, Clone)]
pub(crate) enum Up {
    Hello(Option<Token>),
    Request(Rc<Request>),
    Ack(u64),
    Cancel(u64),
}

#[derive(Debug, Clone)]
pub(crate) enum Down {
    Hello { token: Token, resumed: bool },
    Answer { msgid: u64, result: ItemResult },
    Moved,
}

/// Who reads what comes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Its first message is waited for.
    Nobody,
    /// Its session is being looked for.
    Waiting,
    Session(SessionId, u64),
    /// Another connection has taken its place.
    Dropped,
}

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) up: VecDeque<Up>,
    pub(crate) down: VecDeque<Down>,
    /// The client's end is closed.
    pub(crate) up_closed: bool,
    /// The service's end is closed.
    pub(crate) down_closed: bool,
    pub(crate) reader: Reader,
}

impl Connection {
    pub(crate) fn new() -> Connection {
        Connection {
            up: VecDeque::new(),
            down: VecDeque::new(),
            up_closed: false,
            down_closed: false,
            reader: Reader::Nobody,
        }
    }
}
