//! The service: its newcomers, its death and its start.

use std::{
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};

use standin_core::{Fingerprint, SessionId, WorkerId, pool::PoolCore, session::SessionCore};

use crate::{
    connection::{ConnectionId, Down, Reader, Up},
    pool::{Call, PoolMail},
    session::{Session, SessionMail},
    store::{Order, State, Then, Token, Write},
    worker::Worker,
    world::World,
};

/// One life of the service, and all that dies with it.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) sessions: BTreeMap<SessionId, Session>,
    pub(crate) tokens: BTreeMap<Token, SessionId>,
    pub(crate) pool: PoolCore<Rc<Call>>,
    pub(crate) pool_mail: VecDeque<PoolMail>,
    pub(crate) orders: VecDeque<Order>,
    pub(crate) workers: BTreeMap<WorkerId, Worker>,
}

impl World {
    pub(crate) fn service(&mut self) -> &mut Service {
        self.service.as_mut().expect("it lives")
    }

    pub(crate) fn starts(&mut self) {
        self.tell(|| "the service starts".to_owned());
        let seed = self.random.next_u64();
        self.service = Some(Service {
            sessions: BTreeMap::new(),
            tokens: BTreeMap::new(),
            pool: PoolCore::new(self.settings.clone(), fingerprint, seed, self.now),
            pool_mail: VecDeque::new(),
            orders: VecDeque::new(),
            workers: BTreeMap::new(),
        });
        self.steps_of_service = 0;
        self.feed(standin_core::pool::Event::TimePassed, None);
    }

    /// Some of what waits is committed, though nobody hears of it; the rest is lost, as is everything but the store.
    pub(crate) fn dies(&mut self) {
        self.tell(|| "the service dies".to_owned());
        if self.steps_of_service < 40 {
            self.seen
                .insert("the service died again while it recovered");
        }
        let service = self.service.take().expect("it lives");
        let committed = self.random.below(service.orders.len() as u64 + 1);
        for order in service.orders.into_iter().take(committed as usize) {
            if let Order::Write(write, _) = order {
                self.store.apply(write);
            }
        }
        for connection in self.connections.values_mut() {
            connection.up.clear();
            connection.down_closed = true;
            connection.reader = Reader::Dropped;
            let read = self.random.below(connection.down.len() as u64 + 1);
            connection.down.truncate(read as usize);
        }
        for session in self.store.sessions.values() {
            for (fingerprint, state) in session.records.values() {
                if !matches!(state, State::Done(_)) {
                    self.calls[fingerprint.0 as usize].touched = true;
                }
            }
        }
    }

    pub(crate) fn order(&mut self, order: Order) {
        self.service().orders.push_back(order);
    }

    /// The store commits some of what waits, and tells.
    pub(crate) fn commits(&mut self) {
        let is_full = !self.is_calm && self.random.one_in(12);
        let Some(service) = &mut self.service else {
            return;
        };
        let count = self.random.below(service.orders.len() as u64 + 1);
        let orders: Vec<Order> = service.orders.drain(..count as usize).collect();
        for order in orders {
            self.tell(|| format!("store (full: {is_full}): {order:?}"));
            match order {
                Order::Ask(token, connection) => self.looked_up(token, connection),
                Order::Write(write, then) => {
                    let needs_room =
                        matches!(write, Write::Put(_, _, State::Intent | State::Granted));
                    let ok = !(is_full && needs_room);
                    if ok {
                        self.store.apply(write);
                    }
                    self.committed(then, ok);
                }
            }
        }
    }

    fn committed(&mut self, then: Then, ok: bool) {
        match then {
            Then::Nobody => {}
            Then::Opened(session) => self.session_mail(session, SessionMail::Opened),
            Then::Answer(session, origin, result) => {
                self.session_mail(session, SessionMail::OnRecord(origin, result));
            }
            Then::Intent(worker, request, attempt) => {
                self.pool_mail(PoolMail::Intent(worker, request, attempt, ok));
            }
            Then::Grant(worker, attempt) => {
                self.pool_mail(PoolMail::Grant(worker, attempt, ok));
            }
        }
    }

    /// One message of one connection is read.
    pub(crate) fn reads(&mut self) {
        if self.service.is_none() {
            return;
        }
        let open = self.connections.iter().filter(|(_, connection)| {
            let reads = matches!(connection.reader, Reader::Nobody | Reader::Session(..));
            reads && (!connection.up.is_empty() || connection.up_closed)
        });
        let open: Vec<ConnectionId> = open.map(|(id, _)| *id).collect();
        let Some(id) = self.random.pick(&open).copied() else {
            return;
        };
        let connection = self.connections.get_mut(&id).expect("it was just seen");
        match (connection.reader, connection.up.pop_front()) {
            (Reader::Session(session, epoch), Some(up)) => {
                self.session_mail(session, SessionMail::Received(epoch, id, up));
            }
            (Reader::Session(session, epoch), None) => {
                connection.reader = Reader::Dropped;
                self.session_mail(session, SessionMail::ConnectionEnded(epoch, id));
            }
            (Reader::Nobody, Some(up)) => {
                connection.reader = Reader::Waiting;
                connection.up.push_front(up.clone());
                match up {
                    Up::Hello(Some(token)) => self.wanted(token, id),
                    _ => self.open(id, None),
                }
            }
            (Reader::Nobody, None) => connection.reader = Reader::Dropped,
            (Reader::Waiting | Reader::Dropped, _) => unreachable!("nobody reads it"),
        }
    }

    fn wanted(&mut self, token: Token, connection: ConnectionId) {
        match self.service().tokens.get(&token).copied() {
            Some(session) => self.session_mail(session, SessionMail::Resumed(connection)),
            None => self.order(Order::Ask(token, connection)),
        }
    }

    fn looked_up(&mut self, token: Token, connection: ConnectionId) {
        match self.service().tokens.get(&token).copied() {
            Some(session) => self.session_mail(session, SessionMail::Resumed(connection)),
            None => self.open(connection, Some(token)),
        }
    }

    fn open(&mut self, connection: ConnectionId, token: Option<Token>) {
        self.last_session += 1;
        let id = SessionId(self.last_session);
        let mut core = SessionCore::new(self.requests_max);
        core.connected(connection.0);
        let found = token.and_then(|token| Some((token, self.store.found(token)?)));
        let mut surplus = 0;
        let token = found.map(|(token, (acked, records))| {
            self.seen.insert("a session of an earlier life");
            surplus = records.len();
            core.restore(self.memory, acked, records);
            token
        });
        if let Some(token) = token {
            self.service().tokens.insert(token, id);
        }
        let session = Session {
            core,
            token,
            link: Some(connection),
            mail: VecDeque::new(),
            surplus,
            epoch: connection.0,
        };
        self.service().sessions.insert(id, session);
        let reader = Reader::Session(id, connection.0);
        self.connections
            .get_mut(&connection)
            .expect("it is known")
            .reader = reader;
    }

    pub(crate) fn resumed(&mut self, id: SessionId, connection: ConnectionId) {
        let session = self.session(id);
        let epoch = connection.0;
        if !session.core.connected(epoch) {
            self.seen
                .insert("a connection that was left was heard last");
            return self.close_down(connection);
        }
        session.epoch = epoch;
        if let Some(older) = session.link.replace(connection) {
            self.seen.insert("a newer connection took the session over");
            if let Some(older) = self.connections.get_mut(&older) {
                older.down.push_back(Down::Moved);
            }
            self.close_down(older);
        }
        let connection = self.connections.get_mut(&connection);
        connection.expect("it is known").reader = Reader::Session(id, epoch);
    }

    pub(crate) fn connection_ended(&mut self, id: SessionId, epoch: u64, of: ConnectionId) {
        let session = self.session(id);
        if !session.core.hears(epoch) {
            self.seen.insert("news of an older connection was no news");
            return;
        }
        assert!(
            session.link.is_none_or(|link| link == of),
            "the end of an older connection ends the newer one"
        );
        session.link = None;
        let is_plain = session.token.is_none();
        self.close_down(of);
        if is_plain {
            self.leave(id);
        }
    }

    pub(crate) fn close_down(&mut self, connection: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(&connection) {
            connection.down_closed = true;
            connection.reader = Reader::Dropped;
        }
    }
}

fn fingerprint(call: &Rc<Call>) -> Fingerprint {
    call.fingerprint
}
