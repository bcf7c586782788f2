//! Questions of workers.

use std::ffi::{c_char, c_void};

use super::{exports, plain_exports, text};
use crate::{
    callback::{self, Callback},
    code::Code,
    failure::Answer,
    guard,
    handles::{Object, Table},
    pointers::{Place, TextRoom},
};

exports! {
    fn standin_callback(client_or_call: i64, callback: *mut i64) {
        guard::with(client_or_call, |object| {
            let mut place = Place::new(callback, 0, "callback")?;
            match callback::next(Table::current(), object.client())? {
                None => Ok(Code::Missing),
                Some(handle) => {
                    place.set(handle);
                    Ok(Code::Ok)
                }
            }
        })
    }

    fn standin_callback_method(
        callback: i64,
        buffer: *mut c_void,
        capacity: i64,
        needed: *mut i64,
    ) {
        on_callback(callback, |callback| {
            let room = TextRoom::new(buffer, capacity, needed)?;
            room.put(&callback.client().codepage().bytes(callback.method())?)
        })
    }

    fn standin_fail(callback: i64, code: *const c_char, message: *const c_char) {
        on_callback(callback, |callback| {
            let codepage = callback.client().codepage();
            let code = text(codepage, code, "code")?.into_owned();
            let message = text(codepage, message, "message")?.into_owned();
            callback.fail(code, message)
        })
    }
}

plain_exports! {
    fn standin_answer(callback: i64) {
        on_callback(callback, Callback::answer)
    }
}

fn on_callback(handle: i64, act: impl FnOnce(&Callback) -> Answer) -> i32 {
    guard::with(handle, |object| match object {
        Object::Callback(callback) => act(callback),
        _ => Err(object.is_not("a callback")),
    })
}
