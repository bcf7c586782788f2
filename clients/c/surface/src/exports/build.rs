//! Building a call, or the answer to a callback.

use std::{
    ffi::{c_char, c_void},
    fs::File,
    io::Read,
    sync::MutexGuard,
};

use super::{exports, path, plain_exports, text};
use crate::{
    call::{Call, Request},
    client::milliseconds,
    code::Code,
    codepage::Codepage,
    failure::{Answer, Failure},
    guard,
    handles::{Object, Table},
    json::from_json,
    node::{Built, Node, copy, copy_text},
    path::Step,
    pointers::{self, Place},
};

/// The longest idempotency key, in bytes.
const KEY_LENGTH_MAX: usize = 128;

/// Far larger than any message; a file of that size was not meant.
const FILE_SIZE_MAX: u64 = 1 << 30;

exports! {
    fn standin_call_new(client: i64, method: *const c_char, call: *mut i64) {
        guard::making(client, |object| {
            let mut place = Place::new(call, 0, "call")?;
            let handle = new_call(object, method)?;
            place.set(handle);
            Ok(Code::Ok)
        })
    }

    fn standin_set_text(handle: i64, path: *const c_char, text: *const c_char) {
        set(handle, path, |object| {
            let text = super::text(object.codepage(), text, "text")?;
            Ok(Node::Text(copy_text(&text)?))
        })
    }

    fn standin_set_int(handle: i64, path: *const c_char, value: i64) {
        set(handle, path, |_| Ok(Node::Int(value)))
    }

    fn standin_set_number(handle: i64, path: *const c_char, value: f64) {
        set(handle, path, |_| {
            if value.is_finite() {
                return Ok(Node::Number(value));
            }
            Err(Failure::new(Code::Range, "The number is infinite, or none at all."))
        })
    }

    fn standin_set_bool(handle: i64, path: *const c_char, value: i32) {
        set(handle, path, |_| Ok(Node::Bool(value != 0)))
    }

    fn standin_set_null(handle: i64, path: *const c_char) {
        set(handle, path, |_| Ok(Node::Null))
    }

    fn standin_set_bytes(
        handle: i64,
        path: *const c_char,
        buffer: *const c_void,
        length: i64,
    ) {
        set(handle, path, |_| Ok(Node::Bytes(copy(pointers::bytes(buffer, length)?)?)))
    }

    fn standin_set_text_buffer(
        handle: i64,
        path: *const c_char,
        buffer: *const c_void,
        length: i64,
    ) {
        set(handle, path, |object| {
            let text = object.codepage().text(pointers::bytes(buffer, length)?)?;
            Ok(Node::Text(copy_text(&text)?))
        })
    }

    fn standin_set_utf8(
        handle: i64,
        path: *const c_char,
        buffer: *const c_void,
        length: i64,
    ) {
        set(handle, path, |_| {
            let utf_8 = Codepage::utf_8();
            let text = utf_8.text(pointers::bytes(buffer, length)?)?;
            Ok(Node::Text(copy_text(&text)?))
        })
    }

    fn standin_append_text(
        handle: i64,
        path: *const c_char,
        buffer: *const c_void,
        length: i64,
    ) {
        change(handle, path, |object, built, steps| {
            built.append_text(steps, pointers::bytes(buffer, length)?, object.codepage())
        })
    }

    fn standin_append_bytes(
        handle: i64,
        path: *const c_char,
        buffer: *const c_void,
        length: i64,
    ) {
        change(handle, path, |_, built, steps| {
            built.append_bytes(steps, pointers::bytes(buffer, length)?)
        })
    }

    fn standin_set_json(
        handle: i64,
        path: *const c_char,
        json: *const c_void,
        length: i64,
    ) {
        set(handle, path, |_| from_json(pointers::bytes(json, length)?))
    }

    fn standin_add(handle: i64, path: *const c_char, text: *const c_char) {
        change(handle, path, |object, built, steps| {
            let text = super::text(object.codepage(), text, "text")?;
            let mut steps = steps.to_vec();
            steps.push(Step::Behind);
            built.set(&steps, Node::Text(copy_text(&text)?))
        })
    }

    fn standin_set_list(handle: i64, path: *const c_char) {
        set(handle, path, |_| Ok(Node::List(Vec::new())))
    }

    fn standin_set_map(handle: i64, path: *const c_char) {
        set(handle, path, |_| Ok(Node::Map(Vec::new())))
    }

    fn standin_set_file(handle: i64, path: *const c_char, file_name: *const c_char) {
        set(handle, path, |object| read_file(object, file_name))
    }

    fn standin_set_key(call: i64, key: *const c_char) {
        wish(call, |request, call| {
            if call.is_batch() {
                let why = "The calls of a batch have keys, each its own; the batch has none.";
                return Err(Failure::new(Code::BadArgument, why));
            }
            let key = text(call.client().codepage(), key, "key")?;
            if key.is_empty() || key.len() > KEY_LENGTH_MAX {
                let why = format!("A key is 1 to {KEY_LENGTH_MAX} bytes long as UTF-8; this one has {}.", key.len());
                return Err(Failure::new(Code::BadArgument, why));
            }
            request.key = Some(key.into_owned());
            Ok(Code::Ok)
        })
    }

    fn standin_set_trace(call: i64, traceparent: *const c_char) {
        wish(call, |request, call| {
            let trace = text(call.client().codepage(), traceparent, "traceparent")?;
            request.trace = Some(trace.into_owned());
            Ok(Code::Ok)
        })
    }

    fn standin_batch_new(client: i64, batch: *mut i64) {
        guard::making(client, |object| {
            let mut place = Place::new(batch, 0, "batch")?;
            let Object::Client(client) = object else {
                return Err(object.is_not("a client"));
            };
            client.opened()?;
            let make = |handle| {
                let call = Call::new_batch(handle, std::sync::Arc::clone(client));
                Object::Call(std::sync::Arc::new(call))
            };
            place.set(Table::current().insert(make)?);
            Ok(Code::Ok)
        })
    }
}

plain_exports! {
    fn standin_set_timeout(call: i64, timeout_ms: i64) {
        wish(call, |request, _| {
            let timeout = milliseconds(timeout_ms, "timeout_ms")?;
            if timeout.is_zero() {
                let why = "A call needs a millisecond at least.";
                return Err(Failure::new(Code::BadArgument, why));
            }
            request.timeout_ms = u64::try_from(timeout_ms).ok();
            Ok(Code::Ok)
        })
    }

    fn standin_set_idempotent(call: i64, is_idempotent: i32) {
        wish(call, |request, _| {
            request.is_idempotent = is_idempotent != 0;
            Ok(Code::Ok)
        })
    }

    fn standin_batch_add(batch: i64, call: i64) {
        guard::with(batch, |object| {
            let Object::Call(batch) = object else {
                return Err(object.is_not("a batch"));
            };
            match Table::current().get(call)? {
                Object::Call(call) if !call.is_batch() => batch.add(&call),
                other => Err(other.is_not("a call")),
            }
        })
    }
}

/// A new call.
///
/// # Safety
/// As for [`pointers::text`].
pub(super) unsafe fn new_call(object: &Object, method: *const c_char) -> Result<i64, Failure> {
    let Object::Client(client) = object else {
        return Err(object.is_not("a client"));
    };
    client.opened()?;
    // SAFETY: as the caller promises.
    let method = unsafe { text(client.codepage(), method, "method") }?.into_owned();
    Table::current().insert(|handle| {
        let call = Call::new(handle, std::sync::Arc::clone(client), method);
        Object::Call(std::sync::Arc::new(call))
    })
}

/// Sets the value at a path.
///
/// # Safety
/// As for [`pointers::text`].
unsafe fn set(
    handle: i64,
    path: *const c_char,
    node: impl FnOnce(&Object) -> Result<Node, Failure>,
) -> i32 {
    let put = |object: &Object, built: &mut Built, steps: &[Step]| built.set(steps, node(object)?);
    // SAFETY: as the caller promises.
    unsafe { change(handle, path, put) }
}

/// Changes what is built.
///
/// # Safety
/// As for [`pointers::text`].
unsafe fn change(
    handle: i64,
    path: *const c_char,
    change: impl FnOnce(&Object, &mut Built, &[Step]) -> Result<(), Failure>,
) -> i32 {
    guard::with(handle, |object| {
        // SAFETY: as the caller promises.
        let steps = unsafe { self::path(object.client(), path) }?;
        built(object, |built| change(object, built, &steps))
    })
}

/// Changes what is built of a call or an answer.
pub(super) fn built(
    object: &Object,
    change: impl FnOnce(&mut Built) -> Result<(), Failure>,
) -> Answer {
    match object {
        Object::Call(call) if !call.is_batch() => change(&mut call.building()?.arguments)?,
        Object::Callback(callback) => callback.build(change)?,
        _ => return Err(object.is_not("a call or a callback")),
    }
    Ok(Code::Ok)
}

/// Changes what is wished of a call.
fn wish(handle: i64, change: impl FnOnce(&mut MutexGuard<'_, Request>, &Call) -> Answer) -> i32 {
    guard::with(handle, |object| match object {
        Object::Call(call) => change(&mut call.building()?, call),
        _ => Err(object.is_not("a call")),
    })
}

/// The bytes of a file.
///
/// # Safety
/// As for [`pointers::text`].
pub(super) unsafe fn read_file(object: &Object, name: *const c_char) -> Result<Node, Failure> {
    // SAFETY: as the caller promises.
    let name = unsafe { text(object.codepage(), name, "file_name") }?;
    let failed = |error: std::io::Error| {
        let why = format!("The file \"{name}\" cannot be read: {error}.");
        Failure::new(Code::File, why)
    };
    let file = File::open(&*name).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let mut bytes = Vec::new();
    if length > FILE_SIZE_MAX {
        let why =
            format!("The file \"{name}\" is {length} bytes long; {FILE_SIZE_MAX} are possible.");
        return Err(Failure::new(Code::Limit, why));
    }
    let room = usize::try_from(length).unwrap_or(usize::MAX);
    bytes
        .try_reserve(room)
        .map_err(|_| crate::codepage::no_room(room))?;
    // It may grow meanwhile, and some files say nothing of their length.
    let read = file.take(FILE_SIZE_MAX).read_to_end(&mut bytes);
    read.map_err(failed)?;
    Ok(Node::Bytes(bytes))
}
