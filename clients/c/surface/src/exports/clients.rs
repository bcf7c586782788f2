//! The library itself, and clients.

use std::{
    ffi::{c_char, c_void},
    sync::Arc,
    time::Duration,
};

use super::{exports, plain_exports};
use crate::{
    client::{Client, Opening, Resume, milliseconds},
    code::Code,
    codepage::Codepage,
    failure::{Answer, Failure},
    guard,
    handles::{Object, Table},
    pointers::{self, Place, TextRoom},
};

/// The version of the functions.
const ABI: i32 = 1;

exports! {
    fn standin_version(buffer: *mut c_void, capacity: i64, needed: *mut i64) {
        guard::process(|_| {
            let room = TextRoom::new(buffer, capacity, needed)?;
            room.put(env!("CARGO_PKG_VERSION").as_bytes())
        })
    }

    fn standin_open(
        endpoint: *const c_char,
        code_page: *const c_char,
        limit_ms: i64,
        client: *mut i64,
    ) {
        guard::process(|table| {
            let place = Place::new(client, 0, "client")?;
            let who = (pointers::optional_text(endpoint), pointers::optional_text(code_page), None);
            opening(table, who, (limit_ms, -1), place)
        })
    }

    fn standin_open_as(
        endpoint: *const c_char,
        code_page: *const c_char,
        program_name: *const c_char,
        limit_ms: i64,
        client: *mut i64,
    ) {
        guard::process(|table| {
            let place = Place::new(client, 0, "client")?;
            let name = pointers::optional_text(program_name);
            let who = (pointers::optional_text(endpoint), pointers::optional_text(code_page), name);
            opening(table, who, (limit_ms, -1), place)
        })
    }

    fn standin_open_with(
        endpoint: *const c_char,
        code_page: *const c_char,
        program_name: *const c_char,
        limit_ms: i64,
        resume_ms: i64,
        client: *mut i64,
    ) {
        guard::process(|table| {
            let place = Place::new(client, 0, "client")?;
            let name = pointers::optional_text(program_name);
            let who = (pointers::optional_text(endpoint), pointers::optional_text(code_page), name);
            opening(table, who, (limit_ms, resume_ms), place)
        })
    }

    fn standin_set_replacement(client: i64, replacement: *const c_char) {
        guard::with(client, |object| {
            let Object::Client(client) = object else {
                return Err(object.is_not("a client"));
            };
            let replacement = pointers::optional_text(replacement).unwrap_or_default();
            client.codepage().replace_with(replacement)?;
            Ok(Code::Ok)
        })
    }
}

plain_exports! {
    fn standin_abi() {
        ABI
    }

    fn standin_close(handle: i64) {
        guard::process(|table| {
            let removed = table.remove(handle)?;
            close(&removed);
            Ok(Code::Ok)
        })
    }
}

/// Endpoint, code page and name of a program.
type Who<'a> = (Option<&'a [u8]>, Option<&'a [u8]>, Option<&'a [u8]>);

/// Opens a client, and notes how that went.
fn opening(table: &Table, who: Who<'_>, times: (i64, i64), place: Place<i64>) -> Answer {
    let opened = open(table, who, times, place);
    table.made(opened.as_ref().err());
    opened
}

fn open(
    table: &Table,
    (endpoint, code_page, program_name): Who<'_>,
    (limit_ms, resume_ms): (i64, i64),
    mut place: Place<i64>,
) -> Answer {
    let codepage = Codepage::find(code_page.unwrap_or_default())?;
    let text = |bytes: Option<&[u8]>| {
        let bytes = bytes.filter(|bytes| !bytes.is_empty());
        let text = bytes.map(|bytes| codepage.text(bytes));
        Ok::<_, Failure>(text.transpose()?.map(|text| text.into_owned()))
    };
    let resume = match resume_ms {
        -1 => Resume::Usual,
        0 => Resume::Never,
        more => Resume::Within(milliseconds(more, "resume_ms")?),
    };
    let opening = Opening {
        endpoint: text(endpoint)?,
        program_name: text(program_name)?,
        limit: milliseconds(limit_ms, "limit_ms")?.min(LIMIT_MAX),
        resume,
    };
    let client = Arc::new(Client::open(opening, codepage));
    let failure = client.opened().err();
    let handle = table.insert(|_| Object::Client(Arc::clone(&client)))?;
    place.set(handle);
    match failure {
        None => Ok(Code::Ok),
        Some(failure) => {
            client.last().set(failure.clone());
            Err(failure)
        }
    }
}

/// Longer than anybody waits; clocks can be counted up so far.
const LIMIT_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Outside of the table's lock: a client takes leave of the service.
fn close(removed: &[Object]) {
    match removed.last() {
        // What belongs to it ends with it.
        Some(Object::Client(client)) => {
            if let Ok(open) = client.opened() {
                open.close();
            }
        }
        Some(Object::Call(call)) => call.close(),
        Some(Object::Callback(callback)) => callback.close(),
        None => {}
    }
}
