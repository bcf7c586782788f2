//! The session's actor: what its client says becomes calls, and what comes back becomes answers.

use std::{cell::Cell, collections::VecDeque, rc::Rc};

use standin_core::{
    Fingerprint, RequestId, SessionId,
    session::{
        Admission, Answered, BatchItem, Found, ItemResult, Keep, NumberReused, Origin, RecordedAs,
        SessionCore, is_worth_a_record,
    },
};
use standin_protocol::Outcome;

use crate::{
    checker::{encode_batch, error, outcome_of},
    connection::{ConnectionId, Down, Request, Uid, Up},
    pool::{Call, PoolMail},
    store::{Name, Order, State, Then, Token, Write},
    world::World,
};

#[derive(Debug)]
pub(crate) enum SessionMail {
    Received(u64, ConnectionId, Up),
    ConnectionEnded(u64, ConnectionId),
    Resumed(ConnectionId),
    LingerOver(u64),
    Answered(Origin, ItemResult),
    Opened,
    OnRecord(Origin, ItemResult),
}

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) core: SessionCore<Rc<Call>>,
    pub(crate) token: Option<Token>,
    pub(crate) link: Option<ConnectionId>,
    pub(crate) mail: VecDeque<SessionMail>,
    /// What it may hold beyond its limits: what an earlier life had begun.
    pub(crate) surplus: usize,
    pub(crate) epoch: u64,
}

fn fingerprint(uids: &[Uid], is_batch: bool) -> Fingerprint {
    let first = uids.first().copied().unwrap_or_default() as u128;
    Fingerprint((u128::from(is_batch) << 100) + first)
}

impl World {
    pub(crate) fn session_handles(&mut self) {
        let Some(service) = &self.service else { return };
        let busy = service
            .sessions
            .iter()
            .filter(|(_, it)| !it.mail.is_empty());
        let busy: Vec<SessionId> = busy.map(|(id, _)| *id).collect();
        let Some(id) = self.random.pick(&busy).copied() else {
            return;
        };
        let mail = self.session(id).mail.pop_front().expect("it was just seen");
        self.tell(|| format!("session {id}: {mail:?}"));
        match mail {
            SessionMail::Received(epoch, from, up) => self.received(id, epoch, from, up),
            SessionMail::ConnectionEnded(epoch, of) => self.connection_ended(id, epoch, of),
            SessionMail::Resumed(connection) => self.resumed(id, connection),
            SessionMail::LingerOver(epoch) => {
                let session = self.session(id);
                if session.core.hears(epoch) && session.link.is_none() {
                    self.seen.insert("nobody came back in time");
                    self.leave(id);
                }
            }
            SessionMail::Answered(origin, result) => self.answered(id, origin, result),
            SessionMail::Opened => {
                let token = self.session(id).token.expect("it has one");
                let resumed = false;
                self.say(id, Down::Hello { token, resumed });
            }
            SessionMail::OnRecord(origin, result) => self.deliver(id, origin, result),
        }
        self.check_session(id);
    }

    pub(crate) fn session(&mut self, id: SessionId) -> &mut Session {
        self.service().sessions.get_mut(&id).expect("it lives")
    }

    fn core(&mut self, id: SessionId) -> &mut SessionCore<Rc<Call>> {
        &mut self.session(id).core
    }

    pub(crate) fn session_mail(&mut self, id: SessionId, mail: SessionMail) {
        let service = self.service.as_mut();
        let session = service.and_then(|service| service.sessions.get_mut(&id));
        if let Some(session) = session {
            session.mail.push_back(mail);
        }
    }

    fn say(&mut self, id: SessionId, down: Down) {
        let link = self.session(id).link;
        if let Some(connection) = link.and_then(|link| self.connections.get_mut(&link)) {
            connection.down.push_back(down);
        }
    }

    fn respond(&mut self, id: SessionId, msgid: u64, result: ItemResult) {
        self.say(id, Down::Answer { msgid, result });
    }

    fn refuse(&mut self, id: SessionId, msgid: u64, code: &str, outcome: Outcome) {
        self.respond(id, msgid, Err(error(code, outcome)));
    }

    fn received(&mut self, id: SessionId, epoch: u64, from: ConnectionId, up: Up) {
        if !self.core(id).hears(epoch) {
            self.seen.insert("an older connection was not heard");
            return;
        }
        let link = self.session(id).link;
        assert!(link.is_none_or(|link| link == from), "an older connection");
        match up {
            Up::Hello(wanted) => self.hello(id, wanted),
            Up::Ack(up_to) => {
                if self.core(id).ack(up_to)
                    && let Some(token) = self.session(id).token
                {
                    self.order(Order::Write(Write::Acked(token, up_to), Then::Nobody));
                }
            }
            Up::Cancel(msgid) => {
                let calls: Vec<_> = self.core(id).calls_of(msgid).map(|call| call.id).collect();
                for call in calls {
                    self.pool_mail(PoolMail::Cancel(call));
                }
            }
            Up::Request(request) => self.request(id, &request),
        }
    }

    fn hello(&mut self, id: SessionId, wanted: Option<Token>) {
        match self.session(id).token {
            None => {
                self.last_token += 1;
                let (token, memory) = (self.last_token, self.memory);
                let session = self.session(id);
                session.token = Some(token);
                session.core.remember(memory);
                self.service().tokens.insert(token, id);
                self.order(Order::Write(Write::Opened(token), Then::Opened(id)));
            }
            Some(token) => {
                assert_eq!(wanted, Some(token), "it was found by its token");
                let resumed = true;
                self.say(id, Down::Hello { token, resumed });
            }
        }
    }

    fn request(&mut self, id: SessionId, request: &Rc<Request>) {
        let msgid = request.msgid;
        let whole = fingerprint(&request.calls, request.is_batch);
        let whole = self.core(id).is_resumable().then_some(whole);
        match self.core(id).admit(msgid, 1, whole) {
            Admission::New if request.is_batch => self.batch(id, request, whole),
            Admission::New => self.call(id, request, whole),
            Admission::Duplicate => drop(self.seen.insert("sent again while it ran")),
            Admission::Again(result) => {
                self.seen.insert("sent again and answered again");
                self.respond(id, msgid, result);
            }
            Admission::Acknowledged => {
                self.seen.insert("sent again after it was acknowledged");
                self.refuse(id, msgid, "acknowledged", Outcome::Unknown);
            }
            Admission::Reused => panic!("no client uses a number twice"),
            Admission::BegunBefore => {
                self.seen.insert("begun in an earlier life");
                let result = Err(error("outcome_unknown", Outcome::Unknown));
                let keep = Keep::of_begun_before(whole);
                self.core(id).keep(msgid, keep, &result);
                self.respond(id, msgid, result);
            }
            Admission::TooMany => self.too_many(id, msgid),
        }
    }

    fn too_many(&mut self, id: SessionId, msgid: u64) {
        self.seen.insert("too many open");
        self.refuse(id, msgid, "overloaded", Outcome::NotExecuted);
    }

    fn call(&mut self, id: SessionId, request: &Request, whole: Option<Fingerprint>) {
        let msgid = request.msgid;
        let call = self.make(id, Origin::Request { msgid }, request.calls[0]);
        let keep = Keep::of_call(call.replay, recorded_as(&call), whole);
        if !self.core(id).has_room(msgid, keep) {
            return self.no_room(id, msgid);
        }
        self.core(id).open_call(msgid, Rc::clone(&call), keep);
        self.pool_mail(PoolMail::Submit(call));
    }

    fn no_room(&mut self, id: SessionId, msgid: u64) {
        self.seen.insert("no room for one more answer");
        self.refuse(id, msgid, "overloaded", Outcome::NotExecuted);
    }

    fn make(&mut self, id: SessionId, origin: Origin, uid: Uid) -> Rc<Call> {
        self.last_request += 1;
        let request = RequestId(self.last_request);
        let replay = self.calls[uid].replay;
        let session = self.session(id);
        let token = session.token.filter(|_| session.core.records(replay));
        let record = token.map(|token| Name {
            token,
            msgid: origin.msgid(),
            item: origin.item(),
        });
        Rc::new(Call {
            id: request,
            session: id,
            origin,
            uid,
            replay,
            fingerprint: fingerprint(&[uid], false),
            record,
            begun: Cell::new(false),
            granted: Cell::new(false),
            taken_back: Cell::new(false),
        })
    }

    fn batch(&mut self, id: SessionId, request: &Request, whole: Option<Fingerprint>) {
        let msgid = request.msgid;
        if self.core(id).admit(msgid, request.calls.len(), whole) == Admission::TooMany {
            return self.too_many(id, msgid);
        }
        let mut items = Vec::new();
        for (index, uid) in request.calls.iter().enumerate() {
            let index = index as u32;
            let origin = Origin::Item { msgid, index };
            let known = self
                .core(id)
                .found(origin, Some(fingerprint(&[*uid], false)));
            let known = known.map(|known| match known {
                Ok(Found::Done(_, result)) => result.clone(),
                Ok(Found::Begun(_)) => Err(error("outcome_unknown", Outcome::Unknown)),
                Err(NumberReused) => panic!("no client uses a number twice"),
            });
            items.push(match known {
                Some(result) => BatchItem::Answered(result),
                None => BatchItem::Open(self.make(id, origin, *uid)),
            });
        }
        let open = |item: &BatchItem<Rc<Call>>| match item {
            BatchItem::Open(call) => Some(Rc::clone(call)),
            BatchItem::LookedFor | BatchItem::Answered(_) => None,
        };
        let calls: Vec<Rc<Call>> = items.iter().filter_map(open).collect();
        let keeps = calls.iter();
        let keeps = keeps.map(|call| Keep::of_call(call.replay, recorded_as(call), None));
        let begun_before = self.core(id).was_begun_before(msgid);
        if begun_before {
            self.seen.insert("a batch of which some was known");
        }
        let keep = Keep::of_batch(keeps, begun_before, whole);
        if !self.core(id).has_room(msgid, keep) {
            return self.no_room(id, msgid);
        }
        self.core(id).open_batch(msgid, items, keep);
        for call in calls {
            self.pool_mail(PoolMail::Submit(call));
        }
        let finished = self.core(id).finish_batch(msgid);
        self.act_on_answer(id, finished, None);
    }

    fn answered(&mut self, id: SessionId, origin: Origin, result: ItemResult) {
        let call = self.core(id).call(origin).cloned();
        let recorded = call.and_then(|call| {
            let outcome = result.as_ref().err().map(outcome_of);
            let worth = is_worth_a_record(call.begun.get(), outcome);
            Some((call.record?, call.fingerprint)).filter(|_| worth)
        });
        let Some((name, fingerprint)) = recorded else {
            return self.deliver(id, origin, result);
        };
        let write = Write::Put(name, fingerprint, State::Done(result.clone()));
        self.order(Order::Write(write, Then::Answer(id, origin, result)));
    }

    fn deliver(&mut self, id: SessionId, origin: Origin, result: ItemResult) {
        let answered = self.core(id).answered(origin, || result.clone());
        self.act_on_answer(id, answered, Some(result));
    }

    fn act_on_answer(&mut self, id: SessionId, answered: Answered, result: Option<ItemResult>) {
        let (msgid, keep, result) = match answered {
            Answered::Send { msgid, keep } => (msgid, keep, result.expect("it is at hand")),
            Answered::SendBatch { msgid, keep, items } => (msgid, keep, Ok(encode_batch(&items))),
            Answered::Kept | Answered::Nobody => return,
        };
        if let Some(keep) = keep
            && !self.core(id).keep(msgid, keep, &result)
        {
            self.seen.insert("acknowledged before it was answered");
            if let Some(token) = self.session(id).token.filter(|_| keep.recorded) {
                self.order(Order::Write(Write::Acked(token, msgid), Then::Nobody));
            }
        }
        self.respond(id, msgid, result);
    }

    pub(crate) fn leave(&mut self, id: SessionId) {
        let calls: Vec<_> = self.core(id).calls().map(|call| call.id).collect();
        for call in calls {
            self.pool_mail(PoolMail::Abandon(call));
        }
        if let Some(token) = self.session(id).token {
            self.order(Order::Write(Write::Ended(token), Then::Nobody));
            self.service().tokens.remove(&token);
            self.ended.insert(token);
        }
        // Whoever was handed over to it meanwhile is turned away.
        let session = self.service().sessions.remove(&id).expect("it lives");
        for mail in session.mail {
            if let SessionMail::Resumed(connection) = mail {
                self.close_down(connection);
            }
        }
    }
}

fn recorded_as(call: &Call) -> RecordedAs {
    if call.record.is_some() {
        RecordedAs::Request
    } else {
        RecordedAs::Nothing
    }
}
