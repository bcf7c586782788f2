//! Thousands of lives of an outbox, with cuts at every point: each request is answered exactly once, and nothing is
//! acknowledged, forgotten or said again that must not be.

use std::{collections::BTreeSet, time::Duration};

use standin_protocol::Message;

use super::*;

/// A die that shows the same when it is thrown again.
struct Die(u64);

impl Die {
    fn below(&mut self, count: u64) -> u64 {
        // Marsaglia's xorshift.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % count
    }
}

struct Life {
    die: Die,
    outbox: Outbox,
    now: Instant,
    waiting: Vec<(u64, oneshot::Receiver<Answer>)>,
    /// On the present connection: `None` while there is none.
    line: Option<u64>,
    /// What was said on it.
    said: Vec<u64>,
    answered: BTreeSet<u64>,
}

impl Life {
    fn new(seed: u64) -> Life {
        Life {
            die: Die(seed * 2 + 1),
            outbox: Outbox::after(1),
            now: Instant::now(),
            waiting: Vec::new(),
            line: Some(1),
            said: Vec::new(),
            answered: BTreeSet::new(),
        }
    }

    fn open(&mut self) -> (Open, oneshot::Receiver<Answer>) {
        let (sender, receiver) = oneshot::channel();
        let meta = Meta {
            key: (self.die.below(4) == 0).then(|| Bytes::from_static(b"k")),
            idempotent: self.die.below(4) == 0,
            ..Meta::default()
        };
        let asked = Asked {
            method: "m".to_owned(),
            params: Bytes::from_static(&[0x90]),
            meta,
        };
        let time = Duration::from_millis(self.die.below(300));
        let deadline = (self.die.below(2) == 0).then(|| self.now + time);
        (Open::new(asked, Some(sender), deadline), receiver)
    }

    fn put(&mut self, open: Open) -> u64 {
        match &mut self.line {
            Some(last) => {
                *last += 1;
                let msgid = self.outbox.insert(open, *last);
                self.said.push(msgid);
                msgid
            }
            None => {
                let otherwise = self.now + Duration::from_millis(200);
                self.outbox.insert_waiting(open, otherwise)
            }
        }
    }

    fn ask(&mut self) {
        let (open, receiver) = self.open();
        let msgid = self.put(open);
        self.waiting.push((msgid, receiver));
    }

    /// The service answers something that it was asked on this connection.
    fn answer(&mut self) {
        if self.line.is_some() && !self.said.is_empty() {
            let index = self.die.below(self.said.len() as u64) as usize;
            let msgid = self.said.swap_remove(index);
            if self
                .outbox
                .answered(msgid, Ok(Bytes::from(vec![msgid as u8])))
            {
                assert!(self.answered.insert(msgid), "{msgid} was answered twice");
            }
        }
    }

    fn take_back(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let index = self.die.below(self.waiting.len() as u64) as usize;
        let (msgid, receiver) = self.waiting.swap_remove(index);
        drop(receiver);
        if !self.outbox.forget_waiter(msgid) {
            return;
        }
        if self.outbox.is_unsent(msgid) {
            return self.outbox.drop_unsent(msgid);
        }
        let (mut open, _) = self.open();
        open.answer = None;
        let cancel = self.put(open);
        self.outbox.takes_back(cancel, msgid);
    }

    fn lose(&mut self) {
        if let Some(last) = self.line.take() {
            let given = self.die.below(last + 1);
            let otherwise = self.now + Duration::from_millis(200);
            let was_fruitful = self.die.below(2) == 0;
            self.outbox.connection_lost(given, otherwise, was_fruitful);
            self.said.clear();
        }
    }

    fn connect(&mut self) {
        if self.line.is_some() {
            return;
        }
        self.outbox.use_msgid();
        if self.die.below(4) == 0 {
            self.outbox.session_lost(|| CallError::OutcomeUnknown);
        }
        let floor = self.outbox.answered_up_to();
        let (mut place, mut said, mut marked) = (1, Vec::new(), Vec::new());
        self.outbox.say_again(self.now, |frame| {
            let (msgid, again) = said_by(&frame);
            said.push(msgid);
            marked.extend(again.then_some(msgid));
            place += 1;
            place
        });
        assert!(said.is_sorted_by(|a, b| a < b), "{said:?}");
        assert!(said.iter().all(|msgid| *msgid > floor), "{said:?} {floor}");
        for msgid in &said {
            let is_taken_back = self.outbox.open[msgid].taken_back_by.is_some();
            assert!(!is_taken_back, "{msgid} is wanted by nobody");
            let is_given = self.outbox.open[msgid].is_given;
            assert_eq!(is_given, marked.contains(msgid), "{msgid}");
        }
        (self.line, self.said) = (Some(place), said);
    }

    fn pass_time(&mut self) {
        self.now += Duration::from_millis(self.die.below(100));
        if self.line.is_none() {
            let reason = |outcome| CallError::ConnectionLost { outcome };
            self.outbox.expire(self.now, reason);
            let next = self.outbox.next_expiry();
            assert!(next.is_none_or(|next| next > self.now));
        }
    }

    /// Who has heard something waits no more, and nobody is acknowledged who has not heard.
    fn check(&mut self) {
        let floor = self.outbox.answered_up_to();
        self.waiting.retain_mut(|(msgid, receiver)| {
            let heard = match receiver.try_recv() {
                Ok(Ok(Ok(bytes))) => {
                    assert_eq!(bytes[..], [*msgid as u8]);
                    true
                }
                Ok(Ok(Err(_))) => panic!("nobody answers with an error here"),
                Ok(Err(_)) => true,
                Err(oneshot::error::TryRecvError::Empty) => false,
                Err(oneshot::error::TryRecvError::Closed) => panic!("{msgid} was forgotten"),
            };
            assert!(
                heard || *msgid > floor,
                "{msgid} is acknowledged and was not answered"
            );
            !heard
        });
    }
}

/// The number of a request, and whether it says that it was sent before.
fn said_by(frame: &Frame) -> (u64, bool) {
    let bytes: Vec<u8> = frame.pieces().concat();
    let mut splitter = protocol::Splitter::new(protocol::Limits::default());
    splitter.push(&bytes);
    match splitter.next_message() {
        Ok(Some(Message::Request(request))) => {
            let meta = request.meta.as_ref().map(Meta::decode).transpose();
            let meta = meta.expect("it can be read").unwrap_or_default();
            (request.msgid, meta.again)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn through_any_cuts_each_request_is_answered_once_and_nothing_is_acknowledged_before() {
    for seed in 0..1500 {
        let mut life = Life::new(seed);
        for _ in 0..120 {
            match life.die.below(10) {
                0..=2 => life.ask(),
                3..=5 => life.answer(),
                6 => life.take_back(),
                7 => life.lose(),
                8 => life.connect(),
                _ => life.pass_time(),
            }
            life.check();
        }
        // When all goes well at last, everybody is answered and nothing is left.
        life.connect();
        while !life.said.is_empty() {
            life.answer();
        }
        life.check();
        assert!(life.waiting.is_empty(), "seed {seed}: {:?}", life.waiting);
        assert!(life.outbox.is_empty(), "seed {seed}: {:?}", life.outbox);
        assert_eq!(life.outbox.answered_up_to(), life.outbox.last_msgid);
    }
}
