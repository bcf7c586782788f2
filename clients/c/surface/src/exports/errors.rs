//! What went wrong last. These leave the error as it is.

use std::ffi::c_void;

use super::exports;
use crate::{
    code::Code,
    failure::{Answer, Failure},
    guard,
    handles::{Object, Table},
    pointers::{Place, TextRoom},
    view::View,
};

exports! {
    fn standin_error_number(handle: i64, number: *mut i32) {
        guard::process(|table| {
            let mut place = Place::new(number, 0, "number")?;
            if let Some(failure) = last(table, handle).1 {
                place.set(failure.number);
            }
            Ok(Code::Ok)
        })
    }

    fn standin_error_code(
        handle: i64,
        buffer: *mut c_void,
        capacity: i64,
        needed: *mut i64,
    ) {
        told(handle, (buffer, capacity), needed, |failure| failure.name.to_string())
    }

    fn standin_error_outcome(
        handle: i64,
        buffer: *mut c_void,
        capacity: i64,
        needed: *mut i64,
    ) {
        told(handle, (buffer, capacity), needed, |failure| failure.outcome.name().to_owned())
    }

    fn standin_error_message(
        handle: i64,
        buffer: *mut c_void,
        capacity: i64,
        needed: *mut i64,
    ) {
        told(handle, (buffer, capacity), needed, |failure| failure.message.clone())
    }

    fn standin_error_retry_after(handle: i64, milliseconds: *mut i64) {
        guard::process(|table| {
            let mut place = Place::new(milliseconds, -1, "milliseconds")?;
            let failure = last(table, handle).1;
            if let Some(ms) = failure.and_then(|failure| failure.retry_after_ms) {
                place.set(i64::try_from(ms).unwrap_or(i64::MAX));
            }
            Ok(Code::Ok)
        })
    }

    fn standin_error_data(
        handle: i64,
        buffer: *mut c_void,
        capacity: i64,
        needed: *mut i64,
    ) {
        guard::process(|table| {
            let room = TextRoom::new(buffer, capacity, needed)?;
            match last(table, handle).1.and_then(|failure| failure.data) {
                None => room.empty(Code::Missing),
                Some(data) => room.put(View::new(data).json(&[])?.as_bytes()),
            }
        })
    }
}

/// The handle, if it is one, and the last error there or in the process.
fn last(table: &Table, handle: i64) -> (Option<Object>, Option<Failure>) {
    match table.get(handle) {
        Ok(object) => {
            let failure = object.last().get();
            (Some(object), failure)
        }
        Err(_) => (None, table.last().get()),
    }
}

/// Tells one thing about the last error, as it can be read in the code page of the client; without an error, nothing.
///
/// # Safety
/// As for [`TextRoom::new`].
unsafe fn told(
    handle: i64,
    (buffer, capacity): (*mut c_void, i64),
    needed: *mut i64,
    tell: impl FnOnce(&Failure) -> String,
) -> i32 {
    guard::process(|table| -> Answer {
        // SAFETY: as the caller promises.
        let room = unsafe { TextRoom::new(buffer, capacity, needed) }?;
        let (object, failure) = last(table, handle);
        let words = failure.map(|failure| tell(&failure)).unwrap_or_default();
        match object {
            Some(object) => room.put(&object.client().codepage().readable(&words)),
            None => room.put(words.as_bytes()),
        }
    })
}
