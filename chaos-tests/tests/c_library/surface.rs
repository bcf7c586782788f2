//! The functions of C, as comfortable as a test wants them.

use std::ffi::CString;

use chaos_tests::under_test::UnderTest;
use standin_surface::exports::{
    build::{standin_call_new, standin_set_json},
    callbacks::{standin_callback, standin_callback_method},
    clients::{standin_close, standin_open, standin_open_with},
    errors::{standin_error_code, standin_error_message, standin_error_outcome},
    read::{standin_get_int, standin_get_json},
};

pub(crate) const OK: i32 = 0;
pub(crate) const PENDING: i32 = 1;
pub(crate) const CALLBACK: i32 = 2;
pub(crate) const FAILED: i32 = 3;
pub(crate) const MISSING: i32 = 5;
pub(crate) const BAD_HANDLE: i32 = -1;
pub(crate) const BAD_STATE: i32 = -6;
pub(crate) const TOO_DEEP: i32 = -7;
pub(crate) const NOT_RUNNING: i32 = -8;
pub(crate) const BUSY: i32 = -9;
#[cfg(unix)]
pub(crate) const DENIED: i32 = -10;
pub(crate) const LOST: i32 = -11;
pub(crate) const LIMIT_MS: i64 = 60_000;

pub(crate) fn text(text: &str) -> CString {
    CString::new(text).expect("it has no NUL")
}

/// A client, or the code that there is none, and the handle that tells why.
pub(crate) fn try_open(endpoint: &str, limit_ms: i64) -> (i32, i64) {
    let (endpoint, mut client) = (text(endpoint), 0);
    // SAFETY: the texts end with a NUL, and the handle has a place.
    let code = unsafe {
        standin_open(
            endpoint.as_ptr(),
            std::ptr::null(),
            limit_ms,
            &raw mut client,
        )
    };
    (code, client)
}

pub(crate) fn open(under_test: &UnderTest) -> i64 {
    let (code, client) = try_open(&under_test.endpoint().to_string(), LIMIT_MS);
    assert_eq!(code, OK, "{}", message(client));
    client
}

/// A client that waits for a lost connection for so long.
pub(crate) fn open_with_resume(under_test: &UnderTest, resume_ms: i64) -> i64 {
    let (endpoint, name) = (text(&under_test.endpoint().to_string()), text("till"));
    let mut client = 0;
    // SAFETY: the texts end with a NUL, and the handle has a place.
    let code = unsafe {
        standin_open_with(
            endpoint.as_ptr(),
            std::ptr::null(),
            name.as_ptr(),
            LIMIT_MS,
            resume_ms,
            &raw mut client,
        )
    };
    assert_eq!(code, OK, "{}", message(client));
    client
}

/// A call with these arguments, not sent.
pub(crate) fn new_call(client: i64, method: &str, arguments: &serde_json::Value) -> i64 {
    let (method, mut call) = (text(method), 0);
    // SAFETY: the text ends with a NUL, and the handle has a place.
    let code = unsafe { standin_call_new(client, method.as_ptr(), &raw mut call) };
    assert_eq!(code, OK, "{}", message(client));
    assert_eq!(set_json(call, "", arguments), OK, "{}", message(call));
    call
}

pub(crate) fn set_json(handle: i64, path: &str, value: &serde_json::Value) -> i32 {
    let (path, json) = (text(path), value.to_string());
    let length = i64::try_from(json.len()).expect("it is short");
    // SAFETY: the text ends with a NUL, and the buffer is as long as is said.
    unsafe { standin_set_json(handle, path.as_ptr(), json.as_ptr().cast(), length) }
}

/// A text from one of the functions that fill a buffer.
pub(crate) fn filled(fill: impl FnOnce(*mut std::ffi::c_void, i64, *mut i64) -> i32) -> String {
    let (mut buffer, mut needed) = (vec![0_u8; 65536], 0);
    let code = fill(buffer.as_mut_ptr().cast(), 65536, &raw mut needed);
    assert!(code == OK || code == MISSING, "{code}");
    buffer.truncate(usize::try_from(needed).expect("it is no less than 0"));
    String::from_utf8(buffer).expect("it is UTF-8")
}

pub(crate) fn message(handle: i64) -> String {
    // SAFETY: the buffer is as large as is said.
    filled(|buffer, capacity, needed| unsafe {
        standin_error_message(handle, buffer, capacity, needed)
    })
}

pub(crate) fn code(handle: i64) -> String {
    // SAFETY: the buffer is as large as is said.
    filled(|buffer, capacity, needed| unsafe {
        standin_error_code(handle, buffer, capacity, needed)
    })
}

pub(crate) fn outcome(handle: i64) -> String {
    // SAFETY: the buffer is as large as is said.
    filled(|buffer, capacity, needed| unsafe {
        standin_error_outcome(handle, buffer, capacity, needed)
    })
}

/// What is at a path.
pub(crate) fn json(handle: i64, path: &str) -> serde_json::Value {
    let path = text(path);
    // SAFETY: the text ends with a NUL, and the buffer is as large as is said.
    let json = filled(|buffer, capacity, needed| unsafe {
        standin_get_json(handle, path.as_ptr(), buffer, capacity, needed)
    });
    serde_json::from_str(&json).expect("it is JSON")
}

pub(crate) fn int(handle: i64, path: &str) -> i64 {
    let (path, mut value) = (text(path), 0);
    // SAFETY: the text ends with a NUL, and the number has a place.
    let code = unsafe { standin_get_int(handle, path.as_ptr(), &raw mut value) };
    assert_eq!(code, OK, "{}", message(handle));
    value
}

/// The question that pends.
pub(crate) fn callback(handle: i64) -> (i32, i64) {
    let mut callback = 0;
    // SAFETY: the handle has a place.
    let code = unsafe { standin_callback(handle, &raw mut callback) };
    (code, callback)
}

pub(crate) fn asked(callback: i64) -> String {
    // SAFETY: the buffer is as large as is said.
    filled(|buffer, capacity, needed| unsafe {
        standin_callback_method(callback, buffer, capacity, needed)
    })
}

pub(crate) fn close(handle: i64) {
    assert_eq!(standin_close(handle), OK, "{}", message(0));
}
