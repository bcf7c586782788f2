//! The event log, for the little that an administrator shall see there: start, stop, and why it did not start. The
//! texts are those of Windows' own EventCreate, which has a message for whatever it is given.

use std::{io, ptr};

use windows_sys::Win32::{
    Foundation::ERROR_SUCCESS,
    System::{
        EventLog::{
            DeregisterEventSource, EVENTLOG_ERROR_TYPE, EVENTLOG_INFORMATION_TYPE,
            REPORT_EVENT_TYPE, RegisterEventSourceW, ReportEventW,
        },
        Registry::{HKEY_LOCAL_MACHINE, REG_DWORD, REG_EXPAND_SZ, RegDeleteTreeW, RegSetKeyValueW},
    },
};

use super::{NAME, machine::wide};

const SOURCE: &str = r"SYSTEM\CurrentControlSet\Services\EventLog\Application\Standin";
const MESSAGES: &str = r"%SystemRoot%\System32\EventCreate.exe";

/// Error, warning and information.
const TYPES: u32 = 7;

/// EventCreate has messages for 1 to 1000, each of which is the text alone.
const EVENT: u32 = 1;

/// Makes the texts readable in the event viewer.
pub(super) fn register() -> io::Result<()> {
    let messages = wide(MESSAGES);
    let bytes = messages.len() * size_of::<u16>();
    set(
        "EventMessageFile",
        REG_EXPAND_SZ,
        messages.as_ptr().cast(),
        bytes,
    )?;
    set(
        "TypesSupported",
        REG_DWORD,
        ptr::from_ref(&TYPES).cast(),
        size_of::<u32>(),
    )
}

fn set(name: &str, kind: u32, data: *const core::ffi::c_void, bytes: usize) -> io::Result<()> {
    let (key, name) = (wide(SOURCE), wide(name));
    // SAFETY: both texts end with a NUL and, as the data of that many bytes, live until the call returns.
    let code = unsafe {
        RegSetKeyValueW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            name.as_ptr(),
            kind,
            data,
            bytes as u32,
        )
    };
    match code {
        ERROR_SUCCESS => Ok(()),
        code => Err(io::Error::from_raw_os_error(code as i32)),
    }
}

/// What is not there need not be removed.
pub(super) fn unregister() {
    let key = wide(SOURCE);
    // SAFETY: the text ends with a NUL and lives until the call returns.
    unsafe { RegDeleteTreeW(HKEY_LOCAL_MACHINE, key.as_ptr()) };
}

pub(super) fn information(text: &str) {
    write(EVENTLOG_INFORMATION_TYPE, text);
}

pub(super) fn error(text: &str) {
    write(EVENTLOG_ERROR_TYPE, text);
}

/// The event log may be full or switched off, which must not matter to the service.
fn write(kind: REPORT_EVENT_TYPE, text: &str) {
    let (name, text) = (wide(NAME), wide(text));
    // SAFETY: the texts end with a NUL and live until the calls return; the handle is used between the two calls that
    // open and close it.
    unsafe {
        let source = RegisterEventSourceW(ptr::null(), name.as_ptr());
        if source.is_null() {
            return;
        }
        let texts = [text.as_ptr()];
        ReportEventW(
            source,
            kind,
            0,
            EVENT,
            ptr::null_mut(),
            1,
            0,
            texts.as_ptr(),
            ptr::null(),
        );
        DeregisterEventSource(source);
    }
}
