//! Sending calls and waiting for them.

use std::{
    ffi::{c_char, c_void},
    sync::Arc,
};

use super::{build, exports, plain_exports};
use crate::{
    call::Call,
    client::{Client, milliseconds},
    code::Code,
    failure::{Answer, Failure},
    guard,
    handles::{Object, Table},
    json::from_json,
    node::Node,
    path::Step,
    pointers::{self, Place, TextRoom},
    view::View,
};

exports! {
    fn standin_call(
        client: i64,
        method: *const c_char,
        json: *const c_char,
        limit_ms: i64,
        call: *mut i64,
    ) {
        guard::beginning(client, |object| {
            let place = Place::new(call, 0, "call")?;
            whole(object, (method, json), limit_ms, place, None)
        })
    }

    fn standin_call_file(
        client: i64,
        method: *const c_char,
        json: *const c_char,
        path: *const c_char,
        file_name: *const c_char,
        limit_ms: i64,
        call: *mut i64,
    ) {
        guard::beginning(client, |object| {
            let place = Place::new(call, 0, "call")?;
            let steps = super::path(object.client(), path)?;
            let file = build::read_file(object, file_name)?;
            whole(object, (method, json), limit_ms, place, Some((steps, file)))
        })
    }

    fn standin_wait_any(client: i64, limit_ms: i64, call: *mut i64) {
        guard::with(client, |object| {
            let mut place = Place::new(call, 0, "call")?;
            let Object::Client(client) = object else {
                return Err(object.is_not("a client"));
            };
            let limit = milliseconds(limit_ms, "limit_ms")?;
            let open = client.opened()?;
            let seen = open.waiting().until(limit, || look_for_any(client).transpose());
            let (code, handle) = seen.unwrap_or(Ok((Code::Pending, 0)))?;
            place.set(handle);
            Ok(code)
        })
    }

    fn standin_progress(
        call: i64,
        buffer: *mut c_void,
        capacity: i64,
        needed: *mut i64,
    ) {
        on_call(call, |call| {
            let room = TextRoom::new(buffer, capacity, needed)?;
            match call.progress()? {
                None => room.empty(Code::Missing),
                Some(what) => room.put(View::new(what).json(&[])?.as_bytes()),
            }
        })
    }
}

plain_exports! {
    fn standin_start(call: i64) {
        on_call(call, Call::start)
    }

    fn standin_wait(call: i64, limit_ms: i64) {
        on_call(call, |call| call.wait(milliseconds(limit_ms, "limit_ms")?))
    }

    fn standin_cancel(call: i64) {
        on_call(call, Call::cancel)
    }

    fn standin_send(call: i64, limit_ms: i64) {
        on_call(call, |call| call.send(milliseconds(limit_ms, "limit_ms")?))
    }
}

fn on_call(handle: i64, act: impl FnOnce(&Call) -> Answer) -> i32 {
    guard::with(handle, |object| match object {
        Object::Call(call) => act(call),
        _ => Err(object.is_not("a call")),
    })
}

/// A call in one. Its handle is told as soon as there is one, whatever comes of it.
///
/// # Safety
/// As for [`pointers::text`].
unsafe fn whole(
    object: &Object,
    (method, json): (*const c_char, *const c_char),
    limit_ms: i64,
    mut place: Place<i64>,
    file: Option<(Vec<Step>, Node)>,
) -> Answer {
    let limit = milliseconds(limit_ms, "limit_ms")?;
    // SAFETY: as the caller promises.
    let json = unsafe { pointers::optional_text(json) }.unwrap_or_default();
    let arguments = match object.codepage().text(json)? {
        json if json.trim().is_empty() => None,
        json => Some(from_json(json.as_bytes())?),
    };
    // SAFETY: as the caller promises.
    let handle = unsafe { build::new_call(object, method) }?;
    let table = Table::current();
    let new = table.get(handle)?;
    let filled = build::built(&new, |built| {
        if let Some(arguments) = arguments {
            built.set(&[], arguments)?;
        }
        match file {
            Some((steps, file)) => built.set(&steps, file),
            None => Ok(()),
        }
    });
    let Object::Call(call) = &new else {
        return Err(new.is_not("a call"));
    };
    if let Err(failure) = filled {
        // It could not be made, so nobody is told of it.
        table.remove(handle)?;
        return Err(failure);
    }
    place.set(handle);
    let sent = call.send(limit);
    if let Err(failure) = &sent {
        call.last().set(failure.clone());
    }
    sent
}

/// The first call that ended, or a question, or why it is in vain to wait for one.
fn look_for_any(client: &Arc<Client>) -> Result<Option<(Code, i64)>, Failure> {
    let inbox = client.opened()?.inbox();
    let table = Table::current();
    while let Some(handle) = inbox.next_ended() {
        // One that was closed meanwhile is nobody's any more.
        let Ok(Object::Call(call)) = table.get(handle) else {
            continue;
        };
        return Ok(Some(match call.result() {
            Ok(_) => (Code::Ok, handle),
            Err(failure) => {
                call.last().set(failure);
                (Code::Failed, handle)
            }
        }));
    }
    if inbox.has_question() {
        return Ok(Some((Code::Callback, 0)));
    }
    if !inbox.has_running() {
        let why = "No call of this client runs, so none can end.";
        return Err(Failure::new(Code::BadState, why));
    }
    Ok(None)
}
