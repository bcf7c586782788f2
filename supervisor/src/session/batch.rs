//! `standin.batch {calls: [[method, params, meta?], ...]}`: many calls in one round trip.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use standin_core::session::{Admission, BatchItem, ItemResult, Keep, Origin};
use standin_protocol::{
    self as protocol, ErrorAnswer, ErrorCode, Limits, Meta, Outcome, Request, value,
};

use super::{
    SessionState,
    intake::{is_own, read_meta, too_many, unacknowledged, unknown_method},
    turned_away::Look,
};
use crate::{
    call::Call,
    directory::{Located, PerUser},
    store::Fingerprint,
};

/// Calls in one batch.
const CALLS_MAX: usize = 1000;

/// The brackets of one answer in the answer to a batch, in bytes.
const AROUND_ANSWER: usize = 2;

/// The levels of arrays around one answer: the message, the list and the pair.
const LEVELS_AROUND_ANSWER: usize = 3;

/// What an answer that does not fit is replaced by is not larger, in bytes.
const REPLACED_SIZE: usize = 256;

/// What a batch waits for.
pub(super) enum Early {
    /// Pools have not said yet what they offer.
    Directory,
    /// The user has no such pool yet.
    UserPool(Arc<PerUser>),
}

impl SessionState {
    /// What a batch has to wait for before it is looked at, if a method in it may become known yet.
    pub(super) fn batch_is_early(&mut self, arguments: &[(Bytes, Bytes)]) -> Option<Early> {
        let directory = Arc::clone(self.directory.get());
        let is_settled = directory.is_settled(&self.caller.user);
        if is_settled && directory.per_user.is_empty() {
            return None;
        }
        let early = |call: &Bytes| {
            let parts = value::array_items(call).unwrap_or_default();
            let method = parts.first().and_then(value::read_bytes)?;
            match directory.locate(self.seeker(), &method) {
                Located::NotYet(pool) if self.refused_pool(&pool.name).is_none() => {
                    Some(Early::UserPool(Arc::clone(pool)))
                }
                Located::Unknown if !is_settled => Some(Early::Directory),
                _ => None,
            }
        };
        calls(arguments)?.iter().find_map(early)
    }

    pub(super) fn batch(
        &mut self,
        request: &Request,
        arguments: &[(Bytes, Bytes)],
        meta: &Meta,
        fingerprint: Option<Fingerprint>,
        since: Option<Instant>,
    ) {
        let msgid = request.msgid;
        let invalid = |why: &str| ErrorAnswer::new(ErrorCode::InvalidParams, why);
        let Some(calls) = calls(arguments) else {
            let why = "\"standin.batch\" wants {calls: [[method, parameters], ...]}.";
            return self.refuse(msgid, &invalid(why));
        };
        if calls.len() > CALLS_MAX {
            let why = format!(
                "A batch may hold {CALLS_MAX} calls; this one has {}.",
                calls.len()
            );
            return self.refuse(msgid, &invalid(&why));
        }
        if meta.key.is_some() {
            let why = "A key stands beside a call of the batch, not beside the batch.";
            return self.refuse(msgid, &ErrorAnswer::new(ErrorCode::InvalidRequest, why));
        }
        if self.core.admit(msgid, calls.len(), None) == Admission::TooMany {
            return self.turn_away(request, too_many());
        }
        let mut looks = Vec::new();
        let items = calls.iter().enumerate().map(|(index, call)| {
            let origin = Origin::Item {
                msgid,
                index: index as u32,
            };
            self.batch_item(origin, call, meta, since, &mut looks)
        });
        let items: Vec<_> = items.collect();
        let open = items.iter().filter_map(|item| match item {
            BatchItem::Open(call) => Some(Self::keep_of(call, None)),
            // The answer to a key is kept with the key.
            BatchItem::LookedFor | BatchItem::Answered(_) => None,
        });
        let begun_before = self.core.was_begun_before(msgid);
        let keep = Keep::of_batch(open, begun_before, fingerprint.map(Into::into));
        if !self.core.has_room(msgid, keep) {
            return self.turn_away(request, unacknowledged());
        }
        for item in &items {
            if let BatchItem::Open(call) = item {
                self.start(Arc::clone(call));
            }
        }
        for look in looks {
            self.look(look);
        }
        self.core.open_batch(msgid, items, keep);
        let finished = self.core.finish_batch(msgid);
        self.act_on_answer(finished, None);
    }

    fn batch_item(
        &mut self,
        origin: Origin,
        call: &Bytes,
        of_batch: &Meta,
        since: Option<Instant>,
        looks: &mut Vec<Look>,
    ) -> BatchItem<Arc<Call>> {
        let item = match ItemCall::read(call) {
            Ok(item) => item,
            Err(error) => return BatchItem::Answered(Err(error.encode())),
        };
        let fingerprint = || Fingerprint::of(&item.method, &item.params);
        if let Some(result) = self.found(origin, &item.method, fingerprint) {
            return BatchItem::Answered(result);
        }
        match self.call_of_item(origin, &item, of_batch, since) {
            Ok(call) => BatchItem::Open(call),
            Err(error) => self.turn_away_item(origin, &item, of_batch, error, looks),
        }
    }

    fn call_of_item(
        &mut self,
        origin: Origin,
        item: &ItemCall,
        of_batch: &Meta,
        since: Option<Instant>,
    ) -> Result<Arc<Call>, ErrorAnswer> {
        let directory = Arc::clone(self.directory.get());
        let route = match directory.locate(self.seeker(), &item.method) {
            Located::At(route) => route,
            Located::Denied(pool) => return Err(self.denied(pool)),
            // It was waited for, and cannot be had.
            Located::NotYet(pool) => {
                let refused = self.refused_pool(&pool.name);
                return Err(refused.unwrap_or_else(too_many));
            }
            Located::Unknown => {
                return Err(unknown_method(&directory, self.seeker(), &item.method));
            }
        };
        let meta = within(of_batch, item.meta.clone()?);
        self.call(route, origin, item.params.clone(), &meta, None, since)
    }
}

/// One call of a batch as its client wrote it.
pub(super) struct ItemCall {
    pub(super) method: Bytes,
    pub(super) params: Bytes,
    meta: Result<Meta, ErrorAnswer>,
}

impl ItemCall {
    /// Reads `[method, params]` or `[method, params, meta]`.
    pub(super) fn read(call: &Bytes) -> Result<Self, ErrorAnswer> {
        let invalid = |why: &str| ErrorAnswer::new(ErrorCode::InvalidRequest, why);
        let shape =
            || invalid("A call of a batch is [method, parameters] or [method, parameters, meta].");
        let parts = value::array_items(call).map_err(|_| shape())?;
        let (method, params, meta) = match parts.as_slice() {
            [method, params] => (method, params, None),
            [method, params, meta] => (
                method,
                params,
                Some(meta).filter(|meta| meta[..] != protocol::NIL[..]),
            ),
            _ => return Err(shape()),
        };
        let method = value::read_bytes(method).ok_or_else(shape)?;
        if is_own(&method) {
            let why = format!(
                "The methods of Standin itself cannot stand in a batch; call \"{}\" directly.",
                String::from_utf8_lossy(&method)
            );
            return Err(invalid(&why));
        }
        let (params, meta) = (params.clone(), read_meta(meta));
        Ok(Self {
            method,
            params,
            meta,
        })
    }

    pub(super) fn key(&self) -> Option<&Bytes> {
        self.meta.as_ref().ok()?.key.as_ref()
    }

    /// What its caller wishes for it, as one of this batch.
    pub(super) fn meta_within(&self, batch: &Meta) -> Meta {
        within(batch, self.meta.clone().unwrap_or_default())
    }
}

pub(super) fn calls(arguments: &[(Bytes, Bytes)]) -> Option<Vec<Bytes>> {
    let calls = arguments.iter().find(|(name, _)| &name[..] == b"calls");
    calls.and_then(|(_, calls)| value::array_items(calls).ok())
}

/// What the caller wishes for one call, within what they wish for the whole batch.
fn within(batch: &Meta, item: Meta) -> Meta {
    let timeouts = [batch.timeout_ms, item.timeout_ms];
    Meta {
        timeout_ms: timeouts.into_iter().flatten().min(),
        idempotent: batch.idempotent || item.idempotent,
        again: batch.again || item.again,
        ..item
    }
}

/// `[[error, result], ...]` in the order of the calls. Answers that would make the message larger or deeper than it may
/// be are left out, and an error stands in their place that says what is known about the effect.
pub(super) fn encode_batch(items: &[ItemResult], message_size_max: usize) -> Bytes {
    let length = |item: &ItemResult| item.as_ref().unwrap_or_else(|error| error).len();
    let all = items.iter().map(|item| length(item) + AROUND_ANSWER);
    let mut out = Vec::with_capacity(all.sum::<usize>().min(message_size_max));
    let count = u32::try_from(items.len()).expect("a batch is bounded");
    rmp::encode::write_array_len(&mut out, count).expect("a Vec takes every byte");
    // Whatever becomes of the others, each can be told at least that it does not fit.
    let reserved = items.len() * AROUND_ANSWER + REPLACED_SIZE * (items.len() + 1);
    let mut room = message_size_max.saturating_sub(reserved);
    let levels = Limits::default().depth_max - LEVELS_AROUND_ANSWER;
    for item in items {
        out.push(0x92);
        let more = length(item).saturating_sub(REPLACED_SIZE);
        let is_too_deep =
            !value::nests_at_most(item.as_ref().unwrap_or_else(|error| error), levels);
        if more > room || is_too_deep {
            let outcome = match item {
                Ok(_) => Outcome::Executed,
                Err(error) => ErrorAnswer::decode(error).outcome,
            };
            out.extend_from_slice(&if is_too_deep {
                too_deep(outcome)
            } else {
                too_large(message_size_max, outcome)
            });
            out.push(0xc0);
            continue;
        }
        room -= more;
        match item {
            Ok(result) => {
                out.push(0xc0);
                out.extend_from_slice(result);
            }
            Err(error) => {
                out.extend_from_slice(error);
                out.push(0xc0);
            }
        }
    }
    out.into()
}

fn too_large(message_size_max: usize, outcome: Outcome) -> Bytes {
    let why = format!(
        "The call was answered, but the answers of the batch together are larger than the {message_size_max} bytes \
         allowed."
    );
    let error = ErrorAnswer::new(ErrorCode::MessageTooLarge, why);
    error.with_outcome(outcome).encode()
}

fn too_deep(outcome: Outcome) -> Bytes {
    let why = "The call was answered, but the answer nests too deep to stand in that of a batch.";
    let error = ErrorAnswer::new(ErrorCode::MessageTooLarge, why);
    error.with_outcome(outcome).encode()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(encoded: &Bytes) -> Vec<(Option<String>, Outcome)> {
        let items = value::array_items(encoded).expect("it is a list");
        let code = |item: &Bytes| {
            let pair = value::array_items(item).expect("it is a pair");
            if pair[0][..] == protocol::NIL[..] {
                return (None, Outcome::Executed);
            }
            let error = ErrorAnswer::decode(&pair[0]);
            (Some(error.code.into_owned()), error.outcome)
        };
        items.iter().map(code).collect()
    }

    #[test]
    fn the_answer_to_a_batch_is_never_larger_than_a_message_may_be() {
        let small = || Ok(protocol::encode("small"));
        let large = || Ok(protocol::encode(&"x".repeat(5000)));
        let large_error = || {
            let error = ErrorAnswer::new(ErrorCode::Overloaded, "y".repeat(5000));
            Err(error.encode())
        };
        for (items, expected) in [
            (vec![small(), large()], vec![None, None]),
            (
                vec![large(), large(), small(), large_error()],
                vec![
                    None,
                    Some(Outcome::Executed),
                    None,
                    Some(Outcome::NotExecuted),
                ],
            ),
            (vec![], vec![]),
        ] {
            let encoded = encode_batch(&items, 10_000);
            assert!(encoded.len() < 10_000 - 16, "{}", encoded.len());
            let told: Vec<_> = codes(&encoded)
                .into_iter()
                .map(|(code, outcome)| code.map(|code| (code, outcome)))
                .collect();
            let expected: Vec<_> = expected
                .into_iter()
                .map(|outcome| outcome.map(|outcome| ("message_too_large".to_owned(), outcome)))
                .collect();
            assert_eq!(told, expected);
        }
        assert!(too_large(usize::MAX, Outcome::NotExecuted).len() <= REPLACED_SIZE);
    }

    #[test]
    fn the_answer_to_a_batch_is_never_deeper_than_a_message_may_be() {
        let nested = |levels: usize| Ok(Bytes::from([vec![0x91; levels], vec![0xc0]].concat()));
        let encoded = encode_batch(&[nested(61), nested(62)], 10_000);
        assert!(value::nests_at_most(&encoded, 63));
        let told = codes(&encoded);
        assert_eq!(told[0].0, None);
        let expected = (Some("message_too_large".to_owned()), Outcome::Executed);
        assert_eq!(told[1], expected);
        assert!(too_deep(Outcome::NotExecuted).len() <= REPLACED_SIZE);
    }
}
