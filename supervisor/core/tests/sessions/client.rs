//! What a client does: it asks, reads, acknowledges, takes back, gives up, comes back, and sends again.

use std::{collections::BTreeMap, rc::Rc};

use standin_core::session::ItemResult;

use crate::{
    connection::{Connection, ConnectionId, Down, Request, Up},
    store::Token,
    world::World,
};

/// A request as its client sees it.
#[derive(Debug)]
pub(crate) struct Mine {
    pub(crate) request: Rc<Request>,
    pub(crate) answer: Option<ItemResult>,
    /// Nobody waits for it any more; it counts as read.
    pub(crate) given_up: bool,
    /// Times that it was sent over this connection.
    pub(crate) copies: u32,
}

impl Mine {
    pub(crate) fn is_settled(&self) -> bool {
        self.answer.is_some() || self.given_up
    }
}

#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) token: Option<Token>,
    /// The hello of this connection was answered.
    pub(crate) welcomed: bool,
    pub(crate) next: u64,
    pub(crate) mine: BTreeMap<u64, Mine>,
    pub(crate) to_ask: u64,
    /// What it has acknowledged last, for a copy that comes much too late.
    pub(crate) acked: Option<Rc<Request>>,
}

impl Client {
    pub(crate) fn is_done(&self) -> bool {
        self.to_ask == 0 && self.mine.values().all(Mine::is_settled)
    }
}

impl World {
    pub(crate) fn client_acts(&mut self) {
        let who = self.random.below(self.clients.len() as u64) as usize;
        let Some(connection) = self.clients[who].connection else {
            return self.connect(who);
        };
        let client = &self.clients[who];
        // Before a hello that names a session is answered, nobody knows whether it may be gone on with.
        let may_ask = client.welcomed || client.token.is_none();
        match self.random.below(14) {
            0..6 => self.read(who, connection),
            6..8 if may_ask && client.to_ask > 0 => self.ask(who),
            8..11 if client.welcomed => self.send_unanswered(who),
            11 if client.welcomed => self.ack(who),
            12 if client.welcomed && self.random.one_in(3) => self.send_any_again(who),
            13 if !self.is_calm => self.change_mind(who),
            _ => {}
        }
    }

    fn connect(&mut self, who: usize) {
        self.last_connection += 1;
        let id = ConnectionId(self.last_connection);
        let client = &mut self.clients[who];
        client.connection = Some(id);
        client.welcomed = false;
        client.acked = None;
        for mine in client.mine.values_mut() {
            mine.copies = 0;
        }
        let mut connection = Connection::new();
        connection.up.push_back(Up::Hello(client.token));
        // While no service is there, nobody accepts it.
        connection.down_closed = self.service.is_none();
        self.connections.insert(id, connection);
    }

    pub(crate) fn up(&mut self, who: usize, up: Up) {
        let connection = self.clients[who].connection;
        let connection = connection.and_then(|id| self.connections.get_mut(&id));
        if let Some(connection) = connection.filter(|connection| !connection.down_closed) {
            connection.up.push_back(up);
        }
    }

    fn ask(&mut self, who: usize) {
        let is_batch = self.random.one_in(4);
        let count = if is_batch {
            1 + self.random.below(3)
        } else {
            1
        };
        let calls = (0..count).map(|_| self.new_call()).collect();
        let client = &mut self.clients[who];
        client.to_ask -= 1;
        client.next += 1;
        let msgid = client.next;
        let request = Rc::new(Request {
            msgid,
            is_batch,
            calls,
        });
        let mine = Mine {
            request,
            answer: None,
            given_up: false,
            copies: 0,
        };
        client.mine.insert(msgid, mine);
        self.send(who, msgid);
    }

    fn send(&mut self, who: usize, msgid: u64) {
        let mine = self.clients[who].mine.get_mut(&msgid).expect("it is known");
        mine.copies += 1;
        let request = Rc::clone(&mine.request);
        self.up(who, Up::Request(request));
    }

    /// Whatever was not sent over this connection, in any order.
    fn send_unanswered(&mut self, who: usize) {
        let mine = self.clients[who].mine.iter();
        let unsent = mine.filter(|(_, mine)| !mine.is_settled() && mine.copies == 0);
        let unsent: Vec<u64> = unsent.map(|(msgid, _)| *msgid).collect();
        if let Some(msgid) = self.random.pick(&unsent).copied() {
            self.send(who, msgid);
        }
    }

    /// Once more, answered or not, as long as the answer did not say that it may be asked anew.
    fn send_any_again(&mut self, who: usize) {
        if let Some(acked) = self.clients[who].acked.take() {
            return self.up(who, Up::Request(acked));
        }
        let mine = self.clients[who].mine.iter();
        let again = mine.filter(|(_, mine)| {
            let answer = mine.answer.as_ref();
            answer.is_none_or(|answer| !self.may_ask_anew(&mine.request, answer))
        });
        let again: Vec<u64> = again.map(|(msgid, _)| *msgid).collect();
        if let Some(msgid) = self.random.pick(&again).copied() {
            self.send(who, msgid);
        }
    }

    /// Says up to where everything was read, and forgets it.
    fn ack(&mut self, who: usize) {
        let client = &mut self.clients[who];
        let mut open = client.mine.iter().filter(|(_, mine)| !mine.is_settled());
        let up_to = open.next().map_or(client.next, |(msgid, _)| msgid - 1);
        let rest = client.mine.split_off(&(up_to + 1));
        let acked = std::mem::replace(&mut client.mine, rest);
        let last = acked.into_values().next_back();
        client.acked = last.map(|mine| mine.request).or(client.acked.take());
        self.up(who, Up::Ack(up_to));
    }

    fn change_mind(&mut self, who: usize) {
        let mine = self.clients[who].mine.iter();
        let open = mine.filter(|(_, mine)| !mine.is_settled());
        let open: Vec<u64> = open.map(|(msgid, _)| *msgid).collect();
        let Some(msgid) = self.random.pick(&open).copied() else {
            return;
        };
        if self.random.one_in(2) {
            self.up(who, Up::Cancel(msgid));
        } else if self.random.one_in(2) {
            let mine = self.clients[who].mine.get_mut(&msgid);
            mine.expect("it is known").given_up = true;
        }
    }

    fn read(&mut self, who: usize, id: ConnectionId) {
        let connection = self.connections.get_mut(&id).expect("it is known");
        let Some(down) = connection.down.pop_front() else {
            if connection.down_closed {
                self.connection_lost(who);
            }
            return;
        };
        self.tell(|| format!("client {who} reads {down:?}"));
        match down {
            Down::Hello { token, resumed } => self.welcomed(who, token, resumed),
            Down::Answer { msgid, result } => self.answer_read(who, msgid, result),
            Down::Moved => panic!("nobody else has come with the session of this connection"),
        }
    }

    pub(crate) fn connection_lost(&mut self, who: usize) {
        let client = &mut self.clients[who];
        client.connection = None;
        if client.token.is_none() {
            self.forget_session(who);
        }
    }

    /// What was asked before is nobody's: nothing is known of it.
    fn forget_session(&mut self, who: usize) {
        let client = &mut self.clients[who];
        client.token = None;
        if !client.mine.is_empty() {
            self.seen
                .insert("a session was lost with what was asked in it");
        }
        self.clients[who].mine.clear();
        self.clients[who].acked = None;
    }

    fn welcomed(&mut self, who: usize, token: Token, resumed: bool) {
        let wanted = self.clients[who].token;
        if resumed {
            assert_eq!(wanted, Some(token), "the session that was asked for");
        } else if let Some(wanted) = wanted {
            assert!(
                self.ended.contains(&wanted),
                "session {wanted} was forgotten though its client did not stay away"
            );
            self.forget_session(who);
        }
        let client = &mut self.clients[who];
        client.token = Some(token);
        client.welcomed = true;
    }
}
