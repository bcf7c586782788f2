//! Reading results, and the arguments of callbacks.

use std::{
    ffi::{c_char, c_void},
    sync::Arc,
};

use super::{exports, path, text};
use crate::{
    code::Code,
    failure::{Answer, Failure},
    guard,
    handles::Object,
    pointers::{Place, Room, TextRoom, length, size},
    view::{Item, Kind, TYPE_MISSING, View, wrong_type},
};

exports! {
    fn standin_type(handle: i64, path: *const c_char, r#type: *mut i32) {
        guard::with(handle, |object| {
            let mut place = Place::new(r#type, TYPE_MISSING, "type")?;
            let (view, item) = find(object, path)?;
            if let Some(item) = item {
                place.set(view.type_of(item));
            }
            Ok(Code::Ok)
        })
    }

    fn standin_count(handle: i64, path: *const c_char, count: *mut i64) {
        guard::with(handle, |object| {
            let mut place = Place::new(count, 0, "count")?;
            match find(object, path)? {
                (_, None) => {}
                (_, Some(item)) if item.kind() == Kind::Null => {}
                (_, Some(item)) => {
                    let count = item.count().ok_or_else(|| wrong_type(item, "a list or a map"))?;
                    place.set(length(count));
                }
            }
            Ok(Code::Ok)
        })
    }

    fn standin_key(
        handle: i64,
        path: *const c_char,
        index: i64,
        buffer: *mut c_void,
        capacity: i64,
        needed: *mut i64,
    ) {
        guard::with(handle, |object| {
            let room = TextRoom::new(buffer, capacity, needed)?;
            let index = size(index, "index")?;
            let (view, item) = match find(object, path)? {
                (view, Some(item)) => (view, item),
                (_, None) => return room.empty(Code::Missing),
            };
            if item.kind() != Kind::Map {
                return Err(wrong_type(item, "a map"));
            }
            match view.key(item, index)? {
                None => room.empty(Code::Missing),
                Some(name) => put_text(object, room, &view, name),
            }
        })
    }

    fn standin_get_text(
        handle: i64,
        path: *const c_char,
        buffer: *mut c_void,
        capacity: i64,
        needed: *mut i64,
    ) {
        guard::with(handle, |object| {
            let room = TextRoom::new(buffer, capacity, needed)?;
            match find(object, path)? {
                (_, None) => room.empty(Code::Missing),
                (view, Some(item)) => put_text(object, room, &view, item),
            }
        })
    }

    fn standin_get_int(handle: i64, path: *const c_char, value: *mut i64) {
        get(handle, path, Place::new(value, 0, "value"), |item| match item.kind() {
            Kind::Int(value) => Ok(value),
            Kind::Unsigned(value) => Err(too_large(&value.to_string())),
            Kind::Number(value) if value.fract() == 0.0 => whole(value),
            _ => Err(wrong_type(item, "a whole number")),
        })
    }

    fn standin_get_number(handle: i64, path: *const c_char, value: *mut f64) {
        get(handle, path, Place::new(value, 0.0, "value"), |item| match item.kind() {
            Kind::Int(value) => Ok(value as f64),
            Kind::Unsigned(value) => Ok(value as f64),
            Kind::Number(value) => Ok(value),
            _ => Err(wrong_type(item, "a number")),
        })
    }

    fn standin_get_bool(handle: i64, path: *const c_char, value: *mut i32) {
        get(handle, path, Place::new(value, 0, "value"), |item| match item.kind() {
            Kind::Bool(value) => Ok(i32::from(value)),
            _ => Err(wrong_type(item, "true or false")),
        })
    }

    fn standin_get_bytes(
        handle: i64,
        path: *const c_char,
        offset: i64,
        buffer: *mut c_void,
        capacity: i64,
        copied: *mut i64,
        total: *mut i64,
    ) {
        guard::with(handle, |object| {
            let mut piece = Piece::new((buffer, capacity), offset, copied, total)?;
            with_found(object, path, |view, item| {
                let whole = view.contents(item)?;
                let from = piece.offset.min(whole.len());
                piece.put(&whole[from..], whole.len());
                Ok(Code::Ok)
            })
        })
    }

    fn standin_get_text_part(
        handle: i64,
        path: *const c_char,
        offset: i64,
        buffer: *mut c_void,
        capacity: i64,
        copied: *mut i64,
        total: *mut i64,
    ) {
        guard::with(handle, |object| {
            let mut piece = Piece::new((buffer, capacity), offset, copied, total)?;
            with_found(object, path, |view, item| {
                let place = (piece.offset, piece.room.capacity());
                let (bytes, total) = view.text_piece(item, object.codepage(), place)?;
                let is_stuck = bytes.is_empty() && place.0 < total;
                piece.put(&bytes, total);
                Ok(if is_stuck { Code::TooSmall } else { Code::Ok })
            })
        })
    }

    fn standin_get_json(
        handle: i64,
        path: *const c_char,
        buffer: *mut c_void,
        capacity: i64,
        needed: *mut i64,
    ) {
        guard::with(handle, |object| {
            let room = TextRoom::new(buffer, capacity, needed)?;
            let steps = super::path(object.client(), path)?;
            let view = view(object)?;
            if view.find(&steps)?.is_none() {
                return room.empty(Code::Missing);
            }
            room.put(view.json(&steps)?.as_bytes())
        })
    }

    fn standin_save_file(handle: i64, path: *const c_char, file_name: *const c_char) {
        guard::with(handle, |object| {
            let name = text(object.codepage(), file_name, "file_name")?;
            with_found(object, path, |view, item| {
                std::fs::write(&*name, view.contents(item)?).map_err(|error| {
                    let why = format!("The file \"{name}\" cannot be written: {error}.");
                    Failure::new(Code::File, why)
                })?;
                Ok(Code::Ok)
            })
        })
    }
}

/// What can be read of a handle.
fn view(object: &Object) -> Result<Arc<View>, Failure> {
    match object {
        Object::Call(call) => call.result(),
        Object::Callback(callback) => Ok(Arc::clone(callback.arguments())),
        Object::Client(_) => Err(object.is_not("a call or a callback")),
    }
}

/// What is at a path.
///
/// # Safety
/// As for [`crate::pointers::text`].
unsafe fn find(object: &Object, path: *const c_char) -> Result<(Arc<View>, Option<Item>), Failure> {
    // SAFETY: as the caller promises.
    let steps = unsafe { self::path(object.client(), path) }?;
    let view = view(object)?;
    let item = view.find(&steps)?;
    Ok((view, item))
}

/// Does something with what is at a path; or gives the code that says that there is nothing.
///
/// # Safety
/// As for [`crate::pointers::text`].
unsafe fn with_found(
    object: &Object,
    path: *const c_char,
    act: impl FnOnce(&View, Item) -> Answer,
) -> Answer {
    // SAFETY: as the caller promises.
    match unsafe { find(object, path) }? {
        (_, None) => Ok(Code::Missing),
        (_, Some(item)) if item.kind() == Kind::Null => Ok(Code::Null),
        (view, Some(item)) => act(&view, item),
    }
}

/// Reads one value.
///
/// # Safety
/// As for [`crate::pointers::text`].
unsafe fn get<T: Copy>(
    handle: i64,
    path: *const c_char,
    place: Result<Place<T>, Failure>,
    read: impl FnOnce(Item) -> Result<T, Failure>,
) -> i32 {
    guard::with(handle, |object| {
        let mut place = place?;
        let put = |_: &View, item| {
            place.set(read(item)?);
            Ok(Code::Ok)
        };
        // SAFETY: as the caller promises.
        unsafe { with_found(object, path, put) }
    })
}

/// Whatever can be said in a text.
fn put_text(object: &Object, room: TextRoom, view: &View, item: Item) -> Answer {
    let written = match item.kind() {
        Kind::Null => return room.empty(Code::Null),
        Kind::Bool(value) => value.to_string(),
        Kind::Int(value) => value.to_string(),
        Kind::Unsigned(value) => value.to_string(),
        Kind::Number(value) => value.to_string(),
        _ => {
            let text = view.text(item).ok_or_else(|| wrong_type(item, "text"))?;
            if let Some(position) = text.find('\0') {
                let why = format!(
                    "There is a NUL at position {} (counted from 1) of the text; read it with standin_get_text_part.",
                    text[..position].chars().count() + 1
                );
                return Err(Failure::new(Code::BadText, why));
            }
            return room.put(&object.codepage().bytes(text)?);
        }
    };
    room.put(written.as_bytes())
}

/// The numbers of a double that an `i64` has as well; beyond, it would be another number.
fn whole(value: f64) -> Result<i64, Failure> {
    // From -2^63 to below 2^63, both of which a double has exactly.
    let limit = 9_223_372_036_854_775_808.0;
    if (-limit..limit).contains(&value) {
        Ok(value as i64)
    } else {
        Err(too_large(&value.to_string()))
    }
}

fn too_large(number: &str) -> Failure {
    let why = format!("The number {number} does not fit into 64 bits.");
    Failure::new(Code::Range, why)
}

/// The room for a piece of something.
struct Piece {
    room: Room,
    offset: usize,
    copied: Place<i64>,
    total: Place<i64>,
}

impl Piece {
    /// # Safety
    /// As for [`Room::new`] and [`Place::new`].
    unsafe fn new(
        (buffer, capacity): (*mut c_void, i64),
        offset: i64,
        copied: *mut i64,
        total: *mut i64,
    ) -> Result<Self, Failure> {
        // SAFETY: as the caller promises.
        unsafe {
            Ok(Self {
                copied: Place::new(copied, 0, "copied")?,
                total: Place::new(total, 0, "total")?,
                room: Room::new(buffer, capacity)?,
                offset: size(offset, "offset")?,
            })
        }
    }

    fn put(&mut self, bytes: &[u8], total: usize) {
        self.room.put(bytes);
        self.copied
            .set(length(bytes.len().min(self.room.capacity())));
        self.total.set(length(total));
    }
}
