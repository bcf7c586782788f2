//! From the pointers of C to slices and back.
//!
//! What can be seen of a wrong pointer is seen: NULL, and a negative length. The rest is the promise of the caller.

use std::ffi::{CStr, c_char, c_void};

use crate::{
    code::Code,
    failure::{Answer, Failure},
};

/// A text that must be there.
///
/// # Safety
/// The pointer is NULL or leads to a text with a NUL at its end, which stays as it is for as long as it is used.
pub(crate) unsafe fn text<'a>(pointer: *const c_char, what: &str) -> Result<&'a [u8], Failure> {
    // SAFETY: as the caller promises.
    unsafe { optional_text(pointer) }.ok_or_else(|| missing(what))
}

/// A text that may be NULL.
///
/// # Safety
/// As for [`text`].
pub(crate) unsafe fn optional_text<'a>(pointer: *const c_char) -> Option<&'a [u8]> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: it is not NULL, and the caller promises the rest.
    Some(unsafe { CStr::from_ptr(pointer) }.to_bytes())
}

/// A buffer that is read.
///
/// # Safety
/// The pointer is NULL or leads to `length` bytes, which stay as they are for as long as they are used.
pub(crate) unsafe fn bytes<'a>(pointer: *const c_void, length: i64) -> Result<&'a [u8], Failure> {
    if length == 0 {
        return Ok(&[]);
    }
    let length = size(length, "length")?;
    if pointer.is_null() {
        return Err(missing("buffer"));
    }
    // SAFETY: it is not NULL, `length` fits an address space, and the caller promises the rest.
    Ok(unsafe { std::slice::from_raw_parts(pointer.cast(), length) })
}

/// A place for one value. Whatever was there is overwritten.
pub(crate) struct Place<T>(*mut T);

impl<T: Copy> Place<T> {
    /// A place that must be there; it has `value` at first.
    ///
    /// # Safety
    /// The pointer is NULL or leads to room for a value, aligned or not, that nobody else uses meanwhile.
    pub(crate) unsafe fn new(pointer: *mut T, value: T, what: &str) -> Result<Self, Failure> {
        if pointer.is_null() {
            return Err(missing(what));
        }
        let mut place = Self(pointer);
        place.set(value);
        Ok(place)
    }

    /// The same where NULL means that nobody wants to know.
    ///
    /// # Safety
    /// As for [`new`](Self::new).
    pub(crate) unsafe fn optional(pointer: *mut T, value: T) -> Self {
        let mut place = Self(pointer);
        place.set(value);
        place
    }

    pub(crate) fn set(&mut self, value: T) {
        if !self.0.is_null() {
            // SAFETY: it leads to room for a value, as whoever made this promised.
            unsafe { self.0.write_unaligned(value) };
        }
    }
}

/// A buffer that is written.
pub(crate) struct Room {
    pointer: *mut u8,
    capacity: usize,
}

impl Room {
    /// # Safety
    /// The pointer is NULL or leads to `capacity` bytes that nobody else uses meanwhile.
    pub(crate) unsafe fn new(pointer: *mut c_void, capacity: i64) -> Result<Self, Failure> {
        let capacity = size(capacity, "capacity")?;
        if pointer.is_null() && capacity > 0 {
            return Err(missing("buffer"));
        }
        Ok(Self {
            pointer: pointer.cast(),
            capacity,
        })
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Writes as much as fits, without a NUL.
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        let length = bytes.len().min(self.capacity);
        if length > 0 {
            // SAFETY: the room is `capacity` bytes large, as whoever made this promised, and nobody else's.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.pointer, length) };
        }
    }
}

/// A buffer for one text, and the place for its length.
pub(crate) struct TextRoom {
    room: Room,
    needed: Place<i64>,
}

impl TextRoom {
    /// # Safety
    /// As for [`Room::new`] and [`Place::new`]. Here `needed` may be NULL.
    pub(crate) unsafe fn new(
        pointer: *mut c_void,
        capacity: i64,
        needed: *mut i64,
    ) -> Result<Self, Failure> {
        // SAFETY: as the caller promises.
        unsafe {
            Ok(Self {
                needed: Place::optional(needed, 0),
                room: Room::new(pointer, capacity)?,
            })
        }
    }

    /// Writes it with its NUL, or nothing but its length.
    pub(crate) fn put(mut self, bytes: &[u8]) -> Answer {
        self.needed.set(length(bytes.len()));
        if bytes.len() < self.room.capacity {
            self.room.put(bytes);
            // SAFETY: there is room for one more byte than there are, and it is ours to write to.
            unsafe { self.room.pointer.add(bytes.len()).write(0) };
            return Ok(Code::Ok);
        }
        self.room.put(b"\0");
        Ok(Code::TooSmall)
    }

    /// An empty text, for what is not there.
    pub(crate) fn empty(self, code: Code) -> Answer {
        self.put(b"")?;
        Ok(code)
    }
}

/// A length as it is told.
pub(crate) fn length(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// A length or an offset that was given.
pub(crate) fn size(number: i64, what: &str) -> Result<usize, Failure> {
    if number < 0 {
        let why = format!("The argument \"{what}\" is {number}, and cannot be negative.");
        return Err(Failure::new(Code::BadArgument, why));
    }
    isize::try_from(number)
        .map(isize::unsigned_abs)
        .map_err(|_| {
            let why =
                format!("The argument \"{what}\" is {number}, more than this process can have.");
            Failure::new(Code::Limit, why)
        })
}

fn missing(what: &str) -> Failure {
    let why = format!("The argument \"{what}\" is NULL.");
    Failure::new(Code::BadArgument, why)
}
