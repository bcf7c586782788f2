//! Reading the few values that Standin itself must understand, without copying them.
//!
//! The bytes have been through the scanner, or come from a worker's error place which has; lengths are checked all
//! the same, so that a wrong one is an error and never a panic.

use crate::WireError;

const SHORT: WireError = WireError::NotAMessage {
    reason: "a value ends too early",
};

/// A cursor over MessagePack bytes.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], WireError> {
        let end = self.position.checked_add(length).ok_or(SHORT)?;
        let taken = self.bytes.get(self.position..end).ok_or(SHORT)?;
        self.position = end;
        Ok(taken)
    }

    fn head(&mut self) -> Result<Head, WireError> {
        let rest = self.bytes.get(self.position..).ok_or(SHORT)?;
        let head = read_head(rest, self.position)?.ok_or(SHORT)?;
        Ok(head)
    }

    /// The length of an array; the cursor then stands before its first element.
    pub(crate) fn array(&mut self) -> Result<u64, WireError> {
        let head = self.head()?;
        match head.kind {
            Kind::Array => {
                self.position += head.length;
                Ok(head.children)
            }
            _ => Err(WireError::NotAMessage {
                reason: "an array was expected",
            }),
        }
    }

    /// The number of entries of a map.
    pub(crate) fn map(&mut self) -> Result<u64, WireError> {
        let head = self.head()?;
        match head.kind {
            Kind::Map => {
                self.position += head.length;
                Ok(head.children / 2)
            }
            _ => Err(WireError::NotAMessage {
                reason: "a map was expected",
            }),
        }
    }

    /// A whole number that is not negative, however it was encoded.
    pub(crate) fn unsigned(&mut self) -> Result<u64, WireError> {
        const WRONG: WireError = WireError::NotAMessage {
            reason: "a number of 0 or more was expected",
        };
        let marker = *self.bytes.get(self.position).ok_or(SHORT)?;
        self.position += 1;
        let (width, signed) = match marker {
            0x00..=0x7f => return Ok(u64::from(marker)),
            0xcc => (1, false),
            0xcd => (2, false),
            0xce => (4, false),
            0xcf => (8, false),
            0xd0 => (1, true),
            0xd1 => (2, true),
            0xd2 => (4, true),
            0xd3 => (8, true),
            _ => return Err(WRONG),
        };
        let bytes = self.take(width)?;
        if signed && bytes[0] & 0x80 != 0 {
            return Err(WRONG);
        }
        Ok(bytes
            .iter()
            .fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    /// The contents of a str or a bin: old encoders know no difference.
    pub(crate) fn text(&mut self) -> Result<&'a [u8], WireError> {
        let head = self.head()?;
        match head.kind {
            Kind::Text => {
                self.position += head.length;
                self.take(usize::try_from(head.payload).map_err(|_| SHORT)?)
            }
            _ => Err(WireError::NotAMessage {
                reason: "a text was expected",
            }),
        }
    }

    /// True or false.
    pub(crate) fn boolean(&mut self) -> Result<bool, WireError> {
        match self.take(1)? {
            [0xc2] => Ok(false),
            [0xc3] => Ok(true),
            _ => Err(WireError::NotAMessage {
                reason: "true or false was expected",
            }),
        }
    }

    /// One whole value of any kind, as bytes.
    pub(crate) fn value(&mut self) -> Result<&'a [u8], WireError> {
        let start = self.position;
        let mut open: u64 = 1;
        while open > 0 {
            let head = self.head()?;
            self.position += head.length;
            self.take(usize::try_from(head.payload).map_err(|_| SHORT)?)?;
            open = (open - 1).checked_add(head.children).ok_or(SHORT)?;
        }
        Ok(&self.bytes[start..self.position])
    }

    /// Whether arrays and maps nest at most `levels` deep in the next value, which is skipped if so.
    pub(crate) fn nests_at_most(&mut self, levels: usize) -> Result<bool, WireError> {
        // Per open array or map, how many values are still to come.
        let mut open: Vec<u64> = Vec::new();
        loop {
            let head = self.head()?;
            if head.opens_level() && open.len() >= levels {
                return Ok(false);
            }
            self.position += head.length;
            self.take(usize::try_from(head.payload).map_err(|_| SHORT)?)?;
            if head.children > 0 {
                open.push(head.children);
                continue;
            }
            // A value has ended, and perhaps those around it.
            loop {
                let Some(left) = open.last_mut() else {
                    return Ok(true);
                };
                *left -= 1;
                if *left > 0 {
                    break;
                }
                open.pop();
            }
        }
    }

    /// Whether everything was read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.position == self.bytes.len()
    }
}

/// What kind of value a head announces, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Array,
    Map,
    Text,
    Other,
}

/// The head of one value: how long the head is, and what follows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) kind: Kind,
    /// Bytes of the head itself.
    pub(crate) length: usize,
    /// Bytes that follow and belong to this value alone.
    pub(crate) payload: u64,
    /// Values that follow and belong to this one; a map of n entries has 2 n.
    pub(crate) children: u64,
}

impl Head {
    /// Whether it is an array or a map, empty ones included.
    #[inline]
    pub(crate) fn opens_level(&self) -> bool {
        matches!(self.kind, Kind::Array | Kind::Map)
    }
}

/// Reads the head at the start of `bytes`. `None`: more bytes are needed. `offset` is only for the error.
#[inline]
pub(crate) fn read_head(bytes: &[u8], offset: usize) -> Result<Option<Head>, WireError> {
    let Some(&marker) = bytes.first() else {
        return Ok(None);
    };
    let fixed = |kind, payload, children| Head {
        kind,
        length: 1,
        payload,
        children,
    };
    let head = match marker {
        0x00..=0x7f | 0xc0 | 0xc2 | 0xc3 | 0xe0..=0xff => fixed(Kind::Other, 0, 0),
        0x80..=0x8f => fixed(Kind::Map, 0, u64::from(marker & 0x0f) * 2),
        0x90..=0x9f => fixed(Kind::Array, 0, u64::from(marker & 0x0f)),
        0xa0..=0xbf => fixed(Kind::Text, u64::from(marker & 0x1f), 0),
        0xc1 => return Err(WireError::ReservedByte { offset }),
        0xcc | 0xd0 => fixed(Kind::Other, 1, 0),
        0xcd | 0xd1 => fixed(Kind::Other, 2, 0),
        0xca | 0xce | 0xd2 => fixed(Kind::Other, 4, 0),
        0xcb | 0xcf | 0xd3 => fixed(Kind::Other, 8, 0),
        // A fixext has one byte for its type.
        0xd4..=0xd8 => fixed(Kind::Other, 1 + (1 << (marker - 0xd4)), 0),
        0xc4 | 0xd9 => return Ok(counted(bytes, 1, |n| (Kind::Text, n, 0))),
        0xc5 | 0xda => return Ok(counted(bytes, 2, |n| (Kind::Text, n, 0))),
        0xc6 | 0xdb => return Ok(counted(bytes, 4, |n| (Kind::Text, n, 0))),
        0xc7 => return Ok(counted(bytes, 1, |n| (Kind::Other, n + 1, 0))),
        0xc8 => return Ok(counted(bytes, 2, |n| (Kind::Other, n + 1, 0))),
        0xc9 => return Ok(counted(bytes, 4, |n| (Kind::Other, n + 1, 0))),
        0xdc => return Ok(counted(bytes, 2, |n| (Kind::Array, 0, n))),
        0xdd => return Ok(counted(bytes, 4, |n| (Kind::Array, 0, n))),
        0xde => return Ok(counted(bytes, 2, |n| (Kind::Map, 0, n * 2))),
        0xdf => return Ok(counted(bytes, 4, |n| (Kind::Map, 0, n * 2))),
    };
    Ok(Some(head))
}

/// A head whose length field is `width` bytes wide.
fn counted(bytes: &[u8], width: usize, meaning: fn(u64) -> (Kind, u64, u64)) -> Option<Head> {
    let field = bytes.get(1..1 + width)?;
    let count = field
        .iter()
        .fold(0, |value, byte| value << 8 | u64::from(*byte));
    let (kind, payload, children) = meaning(count);
    Some(Head {
        kind,
        length: 1 + width,
        payload,
        children,
    })
}
