//! The head of a MessagePack value: what it is, how much of it there is, where it goes on.

use rmp::Marker;

use super::broken;
use crate::failure::Failure;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    /// Larger than an `i64` can be.
    Unsigned(u64),
    Number(f64),
    Text,
    Bytes,
    Extension(i8),
    List,
    Map,
}

impl Kind {
    /// Whether it has contents: text or bytes.
    pub(super) fn is_contents(self) -> bool {
        matches!(self, Kind::Text | Kind::Bytes | Kind::Extension(_))
    }

    /// The type of an extension.
    pub(super) fn extension(self) -> Option<i8> {
        match self {
            Kind::Extension(kind) => Some(kind),
            _ => None,
        }
    }
}

/// A head.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) kind: Kind,
    /// Bytes of contents, items of a list, or entries of a map.
    pub(super) count: usize,
    /// Where what is behind the head begins.
    pub(super) body: usize,
}

impl Head {
    pub(super) fn contents(self, bytes: &[u8]) -> Result<&[u8], Failure> {
        let end = self.body.checked_add(self.count).ok_or_else(broken)?;
        bytes.get(self.body..end).ok_or_else(broken)
    }
}

/// Reads the head of the value that begins there.
pub(super) fn head(bytes: &[u8], at: usize) -> Result<Head, Failure> {
    let marker = Marker::from_u8(*bytes.get(at).ok_or_else(broken)?);
    let mut reader = Numbers { bytes, at: at + 1 };
    let (kind, count) = match marker {
        Marker::Null => (Kind::Null, 0),
        Marker::False => (Kind::Bool(false), 0),
        Marker::True => (Kind::Bool(true), 0),
        Marker::FixPos(value) => (Kind::Int(i64::from(value)), 0),
        Marker::FixNeg(value) => (Kind::Int(i64::from(value)), 0),
        Marker::U8 => (whole(reader.unsigned(1)?), 0),
        Marker::U16 => (whole(reader.unsigned(2)?), 0),
        Marker::U32 => (whole(reader.unsigned(4)?), 0),
        Marker::U64 => (whole(reader.unsigned(8)?), 0),
        Marker::I8 => (Kind::Int(reader.signed(1)?), 0),
        Marker::I16 => (Kind::Int(reader.signed(2)?), 0),
        Marker::I32 => (Kind::Int(reader.signed(4)?), 0),
        Marker::I64 => (Kind::Int(reader.signed(8)?), 0),
        Marker::F32 => {
            let bits = u32::try_from(reader.unsigned(4)?).map_err(|_| broken())?;
            (Kind::Number(f64::from(f32::from_bits(bits))), 0)
        }
        Marker::F64 => (Kind::Number(f64::from_bits(reader.unsigned(8)?)), 0),
        Marker::FixStr(count) => (Kind::Text, usize::from(count)),
        Marker::Str8 => (Kind::Text, reader.count(1)?),
        Marker::Str16 => (Kind::Text, reader.count(2)?),
        Marker::Str32 => (Kind::Text, reader.count(4)?),
        Marker::Bin8 => (Kind::Bytes, reader.count(1)?),
        Marker::Bin16 => (Kind::Bytes, reader.count(2)?),
        Marker::Bin32 => (Kind::Bytes, reader.count(4)?),
        Marker::FixExt1 => reader.extension(1)?,
        Marker::FixExt2 => reader.extension(2)?,
        Marker::FixExt4 => reader.extension(4)?,
        Marker::FixExt8 => reader.extension(8)?,
        Marker::FixExt16 => reader.extension(16)?,
        Marker::Ext8 => {
            let count = reader.count(1)?;
            reader.extension(count)?
        }
        Marker::Ext16 => {
            let count = reader.count(2)?;
            reader.extension(count)?
        }
        Marker::Ext32 => {
            let count = reader.count(4)?;
            reader.extension(count)?
        }
        Marker::FixArray(count) => (Kind::List, usize::from(count)),
        Marker::Array16 => (Kind::List, reader.count(2)?),
        Marker::Array32 => (Kind::List, reader.count(4)?),
        Marker::FixMap(count) => (Kind::Map, usize::from(count)),
        Marker::Map16 => (Kind::Map, reader.count(2)?),
        Marker::Map32 => (Kind::Map, reader.count(4)?),
        Marker::Reserved => return Err(broken()),
    };
    Ok(Head {
        kind,
        count,
        body: reader.at,
    })
}

/// Where the value behind the one that begins there begins.
pub(super) fn skip(bytes: &[u8], at: usize) -> Result<usize, Failure> {
    let mut at = at;
    // Without recursion: whoever calls has no bound to give for the depth.
    let mut open: u64 = 1;
    while open > 0 {
        open -= 1;
        let head = head(bytes, at)?;
        at = head.body;
        match head.kind {
            Kind::List => open += head.count as u64,
            Kind::Map => open += 2 * head.count as u64,
            kind if kind.is_contents() => {
                at = at.checked_add(head.count).ok_or_else(broken)?;
            }
            _ => {}
        }
        if at > bytes.len() {
            return Err(broken());
        }
    }
    Ok(at)
}

fn whole(value: u64) -> Kind {
    i64::try_from(value).map_or(Kind::Unsigned(value), Kind::Int)
}

struct Numbers<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Numbers<'_> {
    fn unsigned(&mut self, width: usize) -> Result<u64, Failure> {
        let bytes = self.bytes.get(self.at..self.at + width);
        let bytes = bytes.ok_or_else(broken)?;
        self.at += width;
        Ok(bytes
            .iter()
            .fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn signed(&mut self, width: usize) -> Result<i64, Failure> {
        let unused = 64 - 8 * u32::try_from(width).map_err(|_| broken())?;
        let value = self.unsigned(width)?;
        Ok((value << unused).cast_signed() >> unused)
    }

    fn count(&mut self, width: usize) -> Result<usize, Failure> {
        usize::try_from(self.unsigned(width)?).map_err(|_| broken())
    }

    fn extension(&mut self, count: usize) -> Result<(Kind, usize), Failure> {
        let kind = self.unsigned(1)?.to_le_bytes()[0].cast_signed();
        Ok((Kind::Extension(kind), count))
    }
}
