//! Many calls in one round trip.

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use rmp::encode as pack;
use standin_client::{CallError, ErrorAnswer, Outcome};

use super::{Call, Request, Slot};
use crate::{
    code::Code,
    failure::{Answer, Failure},
    path::Step,
    view::View,
};

/// The service takes no more.
const MEMBERS_MAX: usize = 1000;

/// A message may have 64 levels, and so many are left for the parameters of each call: the message, its own parameters, the
/// map in them, the list of the calls and the call are around them.
const MEMBER_DEPTH_MAX: usize = 59;

/// A call in a batch.
#[derive(Debug)]
pub(crate) struct Member {
    /// `[method, params, meta]`.
    encoded: Vec<u8>,
    slot: Arc<Slot>,
}

impl Call {
    /// Puts a call into this batch.
    pub(crate) fn add(&self, call: &Call) -> Answer {
        if !Arc::ptr_eq(&self.client, &call.client) {
            let why = "The call belongs to another client than the batch.";
            return Err(Failure::new(Code::BadArgument, why));
        }
        let members = self.members.as_ref().ok_or_else(|| {
            Failure::new(
                Code::BadHandle,
                "The first handle names a call, and a batch is needed.",
            )
        })?;
        let _unsent = self.building()?;
        let mut members = members.lock().unwrap_or_else(PoisonError::into_inner);
        if members.len() == MEMBERS_MAX {
            let why = format!("A batch has {MEMBERS_MAX} calls at most.");
            return Err(Failure::new(Code::Limit, why));
        }
        let mut request = call.building()?;
        let depth = request.arguments.params_depth();
        if depth > MEMBER_DEPTH_MAX {
            let why = format!(
                "The arguments of the call nest {depth} levels with the list that holds them, and {MEMBER_DEPTH_MAX} are possible in a batch."
            );
            return Err(Failure::new(Code::Limit, why));
        }
        let encoded = request.encode_member()?;
        members.push(Member {
            encoded,
            slot: Arc::clone(&call.slot),
        });
        call.slot.put_in_batch(&self.slot);
        Ok(Code::Ok)
    }
}

impl Request {
    fn encode_member(&mut self) -> Result<Vec<u8>, Failure> {
        let params = self.arguments.encode_params()?;
        let mut meta = Vec::new();
        if let Some(timeout_ms) = self.timeout_ms {
            write_name(&mut meta, "timeout_ms");
            pack::write_uint(&mut meta, timeout_ms).expect("a Vec takes every byte");
        }
        if let Some(key) = &self.key {
            write_name(&mut meta, "key");
            write_name(&mut meta, key);
        }
        if self.is_idempotent {
            write_name(&mut meta, "idempotent");
            meta.push(0xc3);
        }
        if let Some(trace) = &self.trace {
            write_name(&mut meta, "trace");
            write_name(&mut meta, trace);
        }
        let entries = [
            self.timeout_ms.is_some(),
            self.key.is_some(),
            self.is_idempotent,
            self.trace.is_some(),
        ];
        let count = entries.iter().filter(|is_there| **is_there).count();
        let mut out = Vec::with_capacity(params.len() + meta.len() + self.method.len() + 8);
        out.push(0x93);
        write_name(&mut out, &self.method);
        out.extend_from_slice(&params);
        // Four entries at most: a map of one byte.
        out.push(0x80 | u8::try_from(count).expect("there are four of them"));
        out.extend_from_slice(&meta);
        Ok(out)
    }
}

fn write_name(out: &mut Vec<u8>, text: &str) {
    pack::write_str(out, text).expect("a Vec takes every byte");
}

/// The parameters of the batch.
pub(super) fn encode(members: &[Member]) -> Bytes {
    let mut out = vec![0x91, 0x81];
    write_name(&mut out, "calls");
    let count = u32::try_from(members.len()).expect("their number is limited");
    pack::write_array_len(&mut out, count).expect("a Vec takes every byte");
    for member in members {
        out.extend_from_slice(&member.encoded);
    }
    out.into()
}

/// Each call has its own end.
pub(super) fn finish(members: &[Member], result: &Bytes) {
    if members.is_empty() {
        return;
    }
    let whole = View::new(result.clone());
    for (place, member) in members.iter().enumerate() {
        let end = one_of(&whole, result, place);
        member
            .slot
            .put_end(end.map(|view| Arc::new(View::new(view))));
    }
}

/// All of them have the end of the batch.
pub(super) fn fail(members: &[Member], failure: &Failure) {
    for member in members {
        member.slot.put_end(Err(failure.clone()));
    }
}

fn one_of(whole: &View, result: &Bytes, place: usize) -> Result<Bytes, Failure> {
    let part = |which| {
        let range = whole.range(&[Step::Item(place), Step::Item(which)]);
        range.ok().flatten().map(|range| result.slice(range))
    };
    let (Some(error), Some(value)) = (part(0), part(1)) else {
        let why = "The answer to the batch has none for this call.";
        return Err(Failure::new(Code::Lost, why).known_as(Some(Outcome::Unknown)));
    };
    if error[..] == [0xc0] {
        return Ok(value);
    }
    let answer = CallError::Service(ErrorAnswer::decode(&error));
    Err(Failure::of_call(&answer))
}
