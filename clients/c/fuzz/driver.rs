//! Calls any functions of the C library in any order, with any handles, paths, texts and buffers. What comes back must be a
//! code of the header and never that of a panic, and nothing may be written outside of what was given.
//!
//! Where the choices come from is for others to say: from a seed in the tests of the chaos suite, from the fuzzer here.

use std::{
    ffi::{CString, c_char, c_void},
    ptr::null,
};

use standin_surface::exports::{build::*, callbacks::*, clients::*, errors::*, read::*, run::*};

#[path = "words.rs"]
mod words;
use words::{METHODS, PAGES, PATHS, TEXTS};

/// Where choices come from; `None`: there are no more.
pub(crate) trait Choices {
    fn next(&mut self) -> Option<u8>;
}

/// The codes of the header but that of a panic.
const CODES: std::ops::RangeInclusive<i32> = -14..=6;

/// Room behind a buffer that must stay as it is.
const CANARY: [u8; 16] = *b"here be no bytes";

/// More clients than this at a time only take long to open.
const CLIENTS_MAX: usize = 6;

/// Goes on for so many steps, or until there are no more choices. It waits for `wait_ms` at most at a time.
pub(crate) fn drive(endpoint: &str, choices: &mut dyn Choices, steps: usize, wait_ms: i64) {
    let mut driver = Driver {
        endpoint,
        choices,
        wait_ms,
        handles: vec![0, -1, 1, i64::MAX, i64::MIN],
        clients: 0,
        texts: Vec::new(),
    };
    for _ in 0..steps {
        if driver.step().is_none() {
            break;
        }
    }
    // Every handle may be closed once, but for those that a client has taken along.
    for handle in std::mem::take(&mut driver.handles) {
        let code = standin_close(handle);
        assert!(code == 0 || code == -1, "closing {handle} is {code}");
        assert_eq!(standin_close(handle), -1, "twice");
    }
}

struct Driver<'a> {
    endpoint: &'a str,
    choices: &'a mut dyn Choices,
    wait_ms: i64,
    handles: Vec<i64>,
    clients: usize,
    /// Kept until the step is over.
    texts: Vec<CString>,
}

/// A buffer with a guard behind it.
struct Guarded {
    bytes: Vec<u8>,
    capacity: usize,
}

impl Guarded {
    fn new(capacity: usize) -> Self {
        let mut bytes = vec![0xa5; capacity];
        bytes.extend_from_slice(&CANARY);
        Self { bytes, capacity }
    }

    fn check(&self) {
        assert_eq!(self.bytes[self.capacity..], CANARY, "it wrote past the end");
    }
}

impl Driver<'_> {
    fn byte(&mut self) -> Option<u8> {
        self.choices.next()
    }

    fn below(&mut self, count: usize) -> Option<usize> {
        Some(usize::from(self.byte()?) % count)
    }

    fn handle(&mut self) -> Option<i64> {
        let place = self.below(self.handles.len().min(256))?;
        // The latest are the most interesting.
        Some(self.handles[self.handles.len() - 1 - place])
    }

    fn text(&mut self, texts: &[&str]) -> Option<*const c_char> {
        let place = self.below(texts.len() + 1)?;
        let Some(text) = texts.get(place) else {
            return Some(null());
        };
        self.texts.push(CString::new(*text).ok()?);
        Some(self.texts.last()?.as_ptr())
    }

    fn number(&mut self) -> Option<i64> {
        Some(match self.byte()? {
            0..=99 => i64::from(self.byte()?),
            100..=199 => -i64::from(self.byte()?),
            200..=220 => i64::MAX,
            221..=240 => i64::MIN,
            _ => 1 << self.below(63)?,
        })
    }

    fn limit(&mut self) -> Option<i64> {
        let byte = i64::from(self.byte()?);
        Some(if byte == 255 {
            -1
        } else {
            byte % (self.wait_ms + 1)
        })
    }

    /// A buffer to fill, and whether it is given at all.
    fn fill(&mut self, fill: impl FnOnce(*mut c_void, i64, *mut i64) -> i32) -> Option<()> {
        let capacity = self.below(70)?;
        let mut buffer = Guarded::new(capacity);
        let mut needed = -7;
        let code = match self.byte()? {
            0..=9 => fill(std::ptr::null_mut(), 0, &raw mut needed),
            10..=19 => fill(std::ptr::null_mut(), 1, &raw mut needed),
            20..=29 => fill(buffer.bytes.as_mut_ptr().cast(), -1, &raw mut needed),
            _ => fill(
                buffer.bytes.as_mut_ptr().cast(),
                capacity as i64,
                &raw mut needed,
            ),
        };
        buffer.check();
        self.check(code);
        if code == 0 || code == 4 {
            assert!(needed >= 0, "a length of {needed}");
            assert!(code == 4 || needed < capacity as i64, "it does not fit");
        }
        Some(())
    }

    fn check(&self, code: i32) {
        assert!(CODES.contains(&code), "the code {code}");
    }

    fn made(&mut self, code: i32, handle: i64) {
        self.check(code);
        if handle != 0 {
            self.handles.push(handle);
        }
    }

    /// One function.
    fn step(&mut self) -> Option<()> {
        self.texts.clear();
        let which = self.byte()?;
        let handle = self.handle()?;
        match which % 8 {
            0 => self.clients_and_calls(handle),
            1..=3 => self.build(handle),
            4 => self.run(handle),
            5 => self.callbacks(handle),
            _ => self.read(handle),
        }
    }

    // SAFETY, for all that follows: texts end with a NUL and live until the next step, buffers are as large as is said, and
    // numbers have their places.

    fn clients_and_calls(&mut self, handle: i64) -> Option<()> {
        let mut new = 0;
        let code = match self.byte()? {
            0..=19 if self.clients < CLIENTS_MAX => {
                let endpoints = [self.endpoint, self.endpoint, "/no/such/place", "x"];
                let (endpoint, page) = (self.text(&endpoints)?, self.text(&PAGES)?);
                // The usual endpoint is somebody else's.
                let endpoint = if endpoint.is_null() {
                    c"".as_ptr()
                } else {
                    endpoint
                };
                // SAFETY: see above.
                if unsafe { *endpoint } == 0 {
                    return Some(());
                }
                self.clients += 1;
                // SAFETY: see above.
                unsafe { standin_open(endpoint, page, 5, &raw mut new) }
            }
            20..=39 => {
                if let Some(place) = self.handles.iter().position(|known| *known == handle) {
                    self.handles.remove(place);
                }
                if self.handles.is_empty() {
                    self.handles.push(0);
                }
                standin_close(handle)
            }
            // SAFETY: see above.
            40..=69 => unsafe { standin_batch_new(handle, &raw mut new) },
            70..=79 => {
                let replacement = self.text(&TEXTS)?;
                // SAFETY: see above.
                unsafe { standin_set_replacement(handle, replacement) }
            }
            _ => {
                let method = self.text(&METHODS)?;
                // SAFETY: see above.
                unsafe { standin_call_new(handle, method, &raw mut new) }
            }
        };
        self.made(code, new);
        Some(())
    }

    fn build(&mut self, handle: i64) -> Option<()> {
        let (path, text) = (self.text(&PATHS)?, self.text(&TEXTS)?);
        let (which, number) = (self.byte()?, self.number()?);
        let buffer: Vec<u8> = (0..self.below(9)?)
            .map(|_| self.byte().unwrap_or(0))
            .collect();
        let (bytes, length) = (buffer.as_ptr().cast::<c_void>(), buffer.len() as i64);
        // SAFETY: see above.
        let code = unsafe {
            match which % 18 {
                0..=3 => standin_set_text(handle, path, text),
                4 => standin_set_int(handle, path, number),
                5 => standin_set_number(handle, path, f64::from_bits(number.cast_unsigned())),
                6 => standin_set_bool(handle, path, number as i32),
                7 => standin_set_null(handle, path),
                8 => standin_set_bytes(handle, path, bytes, length),
                9 => standin_set_text_buffer(handle, path, bytes, length),
                10 => standin_append_text(handle, path, bytes, length),
                11 => standin_append_bytes(handle, path, bytes, length),
                12 => standin_set_json(handle, path, bytes, length),
                13 => standin_add(handle, path, text),
                14 => standin_set_list(handle, path),
                15 => standin_set_utf8(handle, path, bytes, length),
                16 => standin_set_map(handle, path),
                _ => standin_set_bytes(handle, path, null(), number),
            }
        };
        self.check(code);
        Some(())
    }

    fn run(&mut self, handle: i64) -> Option<()> {
        let mut new = 0;
        let limit = self.limit()?;
        let code = match self.byte()? % 12 {
            0 | 1 => standin_start(handle),
            2 => standin_wait(handle, limit),
            3 => standin_cancel(handle),
            4 => standin_send(handle, limit.max(1)),
            5 => {
                // SAFETY: see above.
                let code = unsafe { standin_wait_any(handle, limit, &raw mut new) };
                self.check(code);
                return Some(());
            }
            6 => {
                let other = self.handle()?;
                standin_batch_add(handle, other)
            }
            7 => standin_set_timeout(handle, limit),
            8 => standin_set_idempotent(handle, i32::from(self.byte()?)),
            9 => {
                let key = self.text(&TEXTS)?;
                // SAFETY: see above.
                unsafe { standin_set_key(handle, key) }
            }
            10 => {
                let (method, json) = (self.text(&METHODS)?, self.text(&TEXTS)?);
                // SAFETY: see above.
                unsafe { standin_call(handle, method, json, limit.max(1), &raw mut new) }
            }
            _ => {
                // SAFETY: see above.
                return self.fill(|buffer, capacity, needed| unsafe {
                    standin_progress(handle, buffer, capacity, needed)
                });
            }
        };
        self.made(code, new);
        Some(())
    }

    fn callbacks(&mut self, handle: i64) -> Option<()> {
        let mut new = 0;
        let code = match self.byte()? % 4 {
            // SAFETY: see above.
            0 | 1 => unsafe { standin_callback(handle, &raw mut new) },
            2 => standin_answer(handle),
            _ => {
                let (code, message) = (self.text(&TEXTS)?, self.text(&TEXTS)?);
                // SAFETY: see above.
                unsafe { standin_fail(handle, code, message) }
            }
        };
        // The same one may be given again.
        let new = if self.handles.contains(&new) { 0 } else { new };
        self.made(code, new);
        Some(())
    }

    fn read(&mut self, handle: i64) -> Option<()> {
        let path = self.text(&PATHS)?;
        let number = self.number()?;
        let (mut whole, mut small, mut fraction) = (0, 0, 0.0);
        // SAFETY: see above.
        let code = unsafe {
            match self.byte()? % 16 {
                0 => standin_type(handle, path, &raw mut small),
                1 => standin_count(handle, path, &raw mut whole),
                2 => standin_get_int(handle, path, &raw mut whole),
                3 => standin_get_number(handle, path, &raw mut fraction),
                4 => standin_get_bool(handle, path, &raw mut small),
                5 => standin_error_number(handle, &raw mut small),
                6 => standin_error_retry_after(handle, &raw mut whole),
                7 | 8 => return self.pieces(handle, path, number),
                9 => return self.fill(|b, c, n| standin_get_text(handle, path, b, c, n)),
                10 => return self.fill(|b, c, n| standin_get_json(handle, path, b, c, n)),
                11 => return self.fill(|b, c, n| standin_key(handle, path, number, b, c, n)),
                12 => return self.fill(|b, c, n| standin_error_message(handle, b, c, n)),
                13 => return self.fill(|b, c, n| standin_error_code(handle, b, c, n)),
                14 => return self.fill(|b, c, n| standin_error_data(handle, b, c, n)),
                _ => return self.fill(|b, c, n| standin_callback_method(handle, b, c, n)),
            }
        };
        self.check(code);
        Some(())
    }

    fn pieces(&mut self, handle: i64, path: *const c_char, offset: i64) -> Option<()> {
        let capacity = self.below(20)?;
        let mut buffer = Guarded::new(capacity);
        let (mut copied, mut total) = (-7, -7);
        let (pointer, room) = (buffer.bytes.as_mut_ptr().cast(), capacity as i64);
        let is_text = self.byte()?.is_multiple_of(2);
        // SAFETY: see above.
        let code = unsafe {
            if is_text {
                standin_get_text_part(
                    handle,
                    path,
                    offset,
                    pointer,
                    room,
                    &raw mut copied,
                    &raw mut total,
                )
            } else {
                standin_get_bytes(
                    handle,
                    path,
                    offset,
                    pointer,
                    room,
                    &raw mut copied,
                    &raw mut total,
                )
            }
        };
        buffer.check();
        self.check(code);
        if code == 0 {
            assert!(copied >= 0 && copied <= room && copied <= total);
        }
        Some(())
    }
}
