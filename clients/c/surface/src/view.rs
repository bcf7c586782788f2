//! A value that is read: MessagePack, looked at where it lies. Nothing is decoded before it is asked for, and a list or map
//! is gone through once, so that items by their places cost the same however many there are.

mod head;
mod text;

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rustc_hash::FxHashMap;

pub(crate) use self::head::Kind;
use self::{
    head::{Head, head, skip},
    text::Part,
};
use crate::{
    code::Code,
    codepage::Codepage,
    failure::Failure,
    json::{write_bytes, write_number, write_text},
    path::Step,
};

/// What a program is told about a value: the numbers of `STANDIN_TYPE_...`.
pub(crate) const TYPE_MISSING: i32 = 0;

/// A value and what was found out about it.
#[derive(Debug)]
pub(crate) struct View {
    bytes: Bytes,
    /// Where the items of lists, and the names in maps, begin; by the place of the list or map.
    places: Mutex<FxHashMap<usize, Arc<[u32]>>>,
    /// The text that was last read in pieces.
    part: Mutex<Option<Part>>,
}

/// One value in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item {
    at: usize,
    head: Head,
}

impl View {
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self {
            bytes,
            places: Mutex::default(),
            part: Mutex::default(),
        }
    }

    /// The arguments of a callback: what stands alone in an array is meant itself.
    pub(crate) fn of_params(params: Bytes) -> Self {
        let inner = match head(&params, 0) {
            Ok(head) if head.kind == Kind::List && head.count == 1 => params.slice(head.body..),
            _ => params,
        };
        Self::new(inner)
    }

    /// What is at the end of a path, if there is something.
    pub(crate) fn find(&self, steps: &[Step]) -> Result<Option<Item>, Failure> {
        let mut at = 0;
        for step in steps {
            let head = head(&self.bytes, at)?;
            let next = match (head.kind, step) {
                (Kind::List, Step::Item(place)) => self.place(at, head, *place)?,
                (Kind::List, Step::FromEnd(back)) => match head.count.checked_sub(*back) {
                    Some(place) => self.place(at, head, place)?,
                    None => None,
                },
                (Kind::Map, Step::Name(name)) => self.named(head, name)?,
                (Kind::Map, Step::Place(place)) => match self.place(at, head, *place)? {
                    Some(name) => Some(skip(&self.bytes, name)?),
                    None => None,
                },
                // What a value has not is missing; but to look for it in what has no parts at all is a mistake, except in
                // nil, which may stand for all of it.
                (Kind::List | Kind::Map | Kind::Null, _) => None,
                _ => return Err(no_parts(step)),
            };
            match next {
                Some(next) => at = next,
                None => return Ok(None),
            }
        }
        let head = head(&self.bytes, at)?;
        Ok(Some(Item { at, head }))
    }

    /// Where in the bytes the value at the end of a path lies.
    pub(crate) fn range(&self, steps: &[Step]) -> Result<Option<std::ops::Range<usize>>, Failure> {
        let found = self.find(steps)?;
        let range = |item: Item| Ok(item.at..skip(&self.bytes, item.at)?);
        found.map(range).transpose()
    }

    /// The name of an entry of a map, by its place.
    pub(crate) fn key(&self, map: Item, place: usize) -> Result<Option<Item>, Failure> {
        let found = self.place(map.at, map.head, place)?;
        let item = |at| head(&self.bytes, at).map(|head| Item { at, head });
        found.map(item).transpose()
    }

    /// Where the item, or the name of the entry, at that place begins.
    fn place(&self, at: usize, head: Head, place: usize) -> Result<Option<usize>, Failure> {
        if place >= head.count {
            return Ok(None);
        }
        if place == 0 {
            return Ok(Some(head.body));
        }
        let places = self.places(at, head)?;
        Ok(places.get(place).map(|place| *place as usize))
    }

    fn places(&self, at: usize, head: Head) -> Result<Arc<[u32]>, Failure> {
        let mut known = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = known.get(&at) {
            return Ok(Arc::clone(places));
        }
        let each = if head.kind == Kind::Map { 2 } else { 1 };
        // The count is a claim of the sender's, and each item has a byte at least.
        let mut places = Vec::with_capacity(head.count.min(self.bytes.len()));
        let mut place = head.body;
        for _ in 0..head.count {
            places.push(u32::try_from(place).map_err(|_| broken())?);
            for _ in 0..each {
                place = skip(&self.bytes, place)?;
            }
        }
        let places: Arc<[u32]> = places.into();
        known.insert(at, Arc::clone(&places));
        Ok(places)
    }

    fn named(&self, head: Head, name: &str) -> Result<Option<usize>, Failure> {
        let mut place = head.body;
        for _ in 0..head.count {
            let key = self::head::head(&self.bytes, place)?;
            let is_it = key.kind.is_contents() && key.contents(&self.bytes)? == name.as_bytes();
            let value = skip(&self.bytes, place)?;
            if is_it {
                return Ok(Some(value));
            }
            place = skip(&self.bytes, value)?;
        }
        Ok(None)
    }

    /// The number of its type.
    pub(crate) fn type_of(&self, item: Item) -> i32 {
        match item.head.kind {
            Kind::Null => 1,
            Kind::Bool(_) => 2,
            Kind::Int(_) | Kind::Unsigned(_) => 3,
            Kind::Number(_) => 4,
            Kind::Text if self.text(item).is_some() => 5,
            Kind::Text | Kind::Bytes | Kind::Extension(_) => 6,
            Kind::List => 7,
            Kind::Map => 8,
        }
    }

    /// The contents of a text, if it is one.
    pub(crate) fn text(&self, item: Item) -> Option<&str> {
        if item.head.kind != Kind::Text {
            return None;
        }
        std::str::from_utf8(item.head.contents(&self.bytes).ok()?).ok()
    }

    /// The contents of a text or of bytes.
    pub(crate) fn contents(&self, item: Item) -> Result<&[u8], Failure> {
        if item.head.kind.is_contents() {
            item.head.contents(&self.bytes)
        } else {
            Err(wrong_type(item, "text or bytes"))
        }
    }

    /// A piece of a text in the code page of the program, and the length of the whole there.
    pub(crate) fn text_piece(
        &self,
        item: Item,
        page: &Codepage,
        place: (usize, usize),
    ) -> Result<(Vec<u8>, usize), Failure> {
        let text = self.text(item).ok_or_else(|| wrong_type(item, "text"))?;
        let mut part = self.part.lock().unwrap_or_else(PoisonError::into_inner);
        text::piece(&mut part, item.at, text, page, place)
    }

    /// The value as JSON.
    pub(crate) fn json(&self, steps: &[Step]) -> Result<String, Failure> {
        let mut out = String::new();
        match self.find(steps)? {
            None => out.push_str("null"),
            Some(item) => drop(self.write(item.at, &mut out)?),
        }
        Ok(out)
    }

    /// Appends the value there as JSON, and tells where the next one begins.
    fn write(&self, at: usize, out: &mut String) -> Result<usize, Failure> {
        let item = head(&self.bytes, at)?;
        match item.kind {
            Kind::Null => out.push_str("null"),
            Kind::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            Kind::Int(value) => out.push_str(&value.to_string()),
            Kind::Unsigned(value) => out.push_str(&value.to_string()),
            Kind::Number(value) => write_number(out, value),
            Kind::Text | Kind::Bytes | Kind::Extension(_) => {
                let contents = item.contents(&self.bytes)?;
                match std::str::from_utf8(contents) {
                    Ok(text) if item.kind == Kind::Text => write_text(out, text),
                    _ => write_bytes(out, item.kind.extension(), contents),
                }
            }
            Kind::List | Kind::Map => return self.write_parts(item, out),
        }
        skip(&self.bytes, at)
    }

    fn write_parts(&self, item: Head, out: &mut String) -> Result<usize, Failure> {
        let is_map = item.kind == Kind::Map;
        let mut at = item.body;
        out.push(if is_map { '{' } else { '[' });
        for place in 0..item.count {
            if place > 0 {
                out.push(',');
            }
            if is_map {
                at = self.write_name(at, out)?;
                out.push(':');
            }
            at = self.write(at, out)?;
        }
        out.push(if is_map { '}' } else { ']' });
        Ok(at)
    }

    /// A name that is no text is written as its JSON.
    fn write_name(&self, at: usize, out: &mut String) -> Result<usize, Failure> {
        let mut name = String::new();
        let next = self.write(at, &mut name)?;
        if name.starts_with('"') {
            out.push_str(&name);
        } else {
            write_text(out, &name);
        }
        Ok(next)
    }
}

impl Item {
    pub(crate) fn kind(self) -> Kind {
        self.head.kind
    }

    /// How many items or entries it has.
    pub(crate) fn count(self) -> Option<usize> {
        matches!(self.head.kind, Kind::List | Kind::Map).then_some(self.head.count)
    }
}

/// It is not what was asked for.
pub(crate) fn wrong_type(item: Item, wanted: &str) -> Failure {
    let is = match item.head.kind {
        Kind::Null => "nil",
        Kind::Bool(_) => "true or false",
        Kind::Int(_) | Kind::Unsigned(_) => "a whole number",
        Kind::Number(_) => "a number",
        Kind::Text => "text",
        Kind::Bytes | Kind::Extension(_) => "bytes",
        Kind::List => "a list",
        Kind::Map => "a map",
    };
    let why = format!("At the path is {is}, and {wanted} was asked for.");
    Failure::new(Code::WrongType, why)
}

fn no_parts(step: &Step) -> Failure {
    let to = match step {
        Step::Name(name) => format!("\"{name}\""),
        Step::Place(place) => format!("#{place}"),
        _ => "an item".to_owned(),
    };
    let why = format!("The path leads to {to} in what is neither a list nor a map.");
    Failure::new(Code::BadPath, why)
}

/// What the service sends was looked through before; so this is a fault of somebody's.
fn broken() -> Failure {
    Failure::new(Code::WrongType, "The value is no whole MessagePack.")
}

#[cfg(test)]
mod tests;
