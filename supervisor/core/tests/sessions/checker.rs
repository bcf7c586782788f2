//! The rules, held against what workers really did.

use bytes::Bytes;
use standin_core::{SessionId, session::ItemResult};
use standin_protocol::{Outcome, Replay};

use crate::{
    connection::{Request, Uid},
    world::World,
};

/// One call over all lives of the service.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) replay: Replay,
    /// Times that a worker began it, and that it had its effect.
    pub(crate) begun: u32,
    pub(crate) effects: u32,
    /// A fault, or its own client, had a hand in it while it ran.
    pub(crate) touched: bool,
    /// Its client was told that it did not happen.
    pub(crate) never_happened: bool,
}

impl Asked {
    fn happened(&self) -> bool {
        match self.replay {
            Replay::Always => false,
            Replay::UntilEffect => self.effects > 0,
            Replay::Never => self.begun > 0,
        }
    }
}

/// The bytes of an error: what is known about the effect, and its code.
pub(crate) fn error(code: &str, outcome: Outcome) -> Bytes {
    Bytes::from(format!("{} {code}", outcome.name()))
}

pub(crate) fn outcome_of(error: &Bytes) -> Outcome {
    let known = [Outcome::NotExecuted, Outcome::Executed, Outcome::Unknown];
    let mut known = known.into_iter();
    known
        .find(|outcome| error.starts_with(outcome.name().as_bytes()))
        .expect("an error says what is known")
}

/// Answers one behind the other.
pub(crate) fn encode_batch(items: &[ItemResult]) -> Bytes {
    let mut out = Vec::new();
    for item in items {
        let (Ok(bytes) | Err(bytes)) = item;
        out.push(u8::from(item.is_ok()));
        out.push(bytes.len() as u8);
        out.extend_from_slice(bytes);
    }
    Bytes::from(out)
}

fn decode_batch(mut bytes: Bytes) -> Vec<ItemResult> {
    let mut items = Vec::new();
    while !bytes.is_empty() {
        let head = bytes.split_to(2);
        let item = bytes.split_to(head[1] as usize);
        items.push(if head[0] == 1 { Ok(item) } else { Err(item) });
    }
    items
}

/// The answers to the calls of a request.
fn parts(request: &Request, result: &ItemResult) -> Vec<(Uid, ItemResult)> {
    let results = match result {
        Ok(bytes) if request.is_batch => decode_batch(bytes.clone()),
        // What is said of a request is said of all that is in it.
        result => vec![result.clone(); request.calls.len()],
    };
    assert_eq!(
        results.len(),
        request.calls.len(),
        "an answer for each call"
    );
    request.calls.iter().copied().zip(results).collect()
}

fn proves_nothing_happened(result: &ItemResult) -> bool {
    result
        .as_ref()
        .is_err_and(|error| outcome_of(error) == Outcome::NotExecuted)
}

impl World {
    pub(crate) fn check_begun(&mut self, uid: Uid) {
        let call = &self.calls[uid];
        assert!(
            call.replay != Replay::Never || call.begun == 1,
            "call {uid} must never run twice and began twice"
        );
        assert!(
            !(call.never_happened && call.happened()),
            "call {uid} was said not to have been executed, and then began"
        );
    }

    pub(crate) fn check_effect(&mut self, uid: Uid) {
        let call = &self.calls[uid];
        assert_eq!(call.effects, 1, "call {uid} had its effect twice");
        assert!(
            !call.never_happened,
            "call {uid} was said not to have been executed, and then had its effect"
        );
    }

    /// The windows hold, but for what an earlier life had begun.
    pub(crate) fn check_session(&mut self, id: SessionId) {
        let (answers_max, requests_max) = (self.memory.answers_max, self.requests_max);
        let Some(session) = self.service().sessions.get(&id) else {
            return;
        };
        let (kept, _) = session.core.kept();
        assert!(
            kept <= answers_max + session.surplus,
            "{kept} answers are kept, {answers_max} may be"
        );
        assert!(
            session.core.open_calls() <= requests_max + 3 * session.surplus,
            "{} calls are open, {requests_max} may be",
            session.core.open_calls()
        );
    }

    /// Whether an answer allows its client to ask for the same once more as something new.
    pub(crate) fn may_ask_anew(&self, request: &Request, answer: &ItemResult) -> bool {
        let parts = parts(request, answer);
        parts.iter().any(|(_, part)| proves_nothing_happened(part))
    }

    pub(crate) fn answer_read(&mut self, who: usize, msgid: u64, result: ItemResult) {
        let client = &self.clients[who];
        assert!(msgid <= client.next, "an answer to nothing");
        // Acknowledged, or of a session that was lost.
        let Some(mine) = client.mine.get(&msgid) else {
            return;
        };
        let request = std::rc::Rc::clone(&mine.request);
        let (before, given_up, copies) = (mine.answer.clone(), mine.given_up, mine.copies);
        let now = parts(&request, &result);
        if let Some(before) = before {
            for ((uid, before), (_, now)) in parts(&request, &before).iter().zip(&now) {
                assert!(
                    self.calls[*uid].replay == Replay::Always
                        || proves_nothing_happened(before)
                        || before == now,
                    "call {uid} was answered with {before:?} and then with {now:?}"
                );
            }
            return;
        }
        for (uid, now) in &now {
            self.check_told(*uid, now, given_up, copies);
        }
        let mine = self.clients[who].mine.get_mut(&msgid);
        mine.expect("it is known").answer = Some(result);
    }

    fn check_told(&mut self, uid: Uid, result: &ItemResult, given_up: bool, copies: u32) {
        let call = &mut self.calls[uid];
        let Err(error) = result else {
            let own = format!("{uid}:");
            let (Ok(bytes) | Err(bytes)) = result;
            assert!(bytes.starts_with(own.as_bytes()), "the answer of another");
            assert!(call.begun > 0, "call {uid} was answered and never begun");
            return;
        };
        match outcome_of(error) {
            Outcome::NotExecuted => {
                // What is refused is new when it comes again: of two copies over one connection the second may run.
                let is_only_copy = copies <= 1;
                assert!(
                    !(is_only_copy && call.happened()),
                    "call {uid} was said not to have been executed: {error:?} {call:?}"
                );
                call.never_happened |= is_only_copy;
            }
            Outcome::Executed => assert!(call.begun > 0, "call {uid} was never begun"),
            Outcome::Unknown => {
                assert!(
                    given_up || call.touched,
                    "nothing happened to call {uid}, and still nobody knows: {error:?} {call:?}"
                );
                self.seen.insert("unknown");
            }
        }
    }
}
