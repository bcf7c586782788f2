//! Writing messages. A small message becomes one run of bytes; a large body is not copied but goes along as it is.

use std::cell::RefCell;

use bytes::Bytes;

use crate::meta::{write_text, write_unsigned};

/// The encoding of "nothing".
pub const NIL: Bytes = Bytes::from_static(&[0xc0]);

/// Up to this size a body is copied behind its head: one run of bytes is cheaper to hand on than two. Above it, the
/// copy costs more than the second piece.
const COPIED_BODY_MAX: usize = 4096;

/// One encoded message, ready for a pipe: its pieces are written one behind the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// The whole message in one piece.
    Whole(Bytes),
    /// A large body between its head and its tail. Boxed, so that a queue of frames stays small.
    Parts(Box<[Bytes; 3]>),
}

impl Frame {
    /// The pieces in their order; some may be empty.
    #[must_use]
    pub fn pieces(&self) -> &[Bytes] {
        match self {
            Frame::Whole(bytes) => std::slice::from_ref(bytes),
            Frame::Parts(parts) => parts.as_slice(),
        }
    }

    /// The length of the message in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces().iter().map(Bytes::len).sum()
    }

    /// Whether there is nothing to write; no message is like that.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn build(
        head: impl FnOnce(&mut Vec<u8>),
        body: &Bytes,
        tail: impl FnOnce(&mut Vec<u8>),
    ) -> Frame {
        if body.len() <= COPIED_BODY_MAX {
            let whole = |out: &mut Vec<u8>| {
                head(out);
                out.extend_from_slice(body);
                tail(out);
            };
            Frame::Whole(fitting(whole))
        } else {
            let (mut before, mut after) = (Vec::new(), Vec::new());
            head(&mut before);
            tail(&mut after);
            Frame::Parts(Box::new([before.into(), body.clone(), after.into()]))
        }
    }
}

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A tail may be long. So much room stays with the thread.
const SCRATCH_KEPT: usize = 4 * COPIED_BODY_MAX;

/// What is written, in a place of just its size: that takes one allocation, and in a place with room to spare two, since
/// its references would be counted elsewhere.
fn fitting(write: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    // Taken out, so that a writer that writes another frame finds an empty place and no locked one.
    let mut scratch = SCRATCH.take();
    scratch.clear();
    write(&mut scratch);
    let fitting = Bytes::copy_from_slice(&scratch);
    scratch.shrink_to(SCRATCH_KEPT);
    SCRATCH.set(scratch);
    fitting
}

/// Writes a meta map behind what is there.
pub type WriteMeta<'a> = &'a dyn Fn(&mut Vec<u8>);

/// `[0, msgid, method, params]`, or with the meta map that `meta` writes as the fifth element.
#[must_use]
pub fn request(msgid: u64, method: &[u8], params: &Bytes, meta: Option<WriteMeta<'_>>) -> Frame {
    Frame::build(
        |out| {
            out.push(if meta.is_some() { 0x95 } else { 0x94 });
            out.push(0);
            write_unsigned(out, msgid);
            write_text(out, method);
        },
        params,
        |out| {
            if let Some(meta) = meta {
                meta(out);
            }
        },
    )
}

/// `[1, msgid, nil, result]`.
#[must_use]
pub fn response_ok(msgid: u64, result: &Bytes) -> Frame {
    Frame::build(
        |out| {
            out.extend_from_slice(&[0x94, 1]);
            write_unsigned(out, msgid);
            out.push(0xc0);
        },
        result,
        |_| {},
    )
}

/// `[1, msgid, error, nil]`, where `error` is an encoded error answer.
#[must_use]
pub fn response_error(msgid: u64, error: &Bytes) -> Frame {
    Frame::build(
        |out| {
            out.extend_from_slice(&[0x94, 1]);
            write_unsigned(out, msgid);
        },
        error,
        |out| out.push(0xc0),
    )
}

/// `[2, method, params]`.
#[must_use]
pub fn notification(method: &[u8], params: &Bytes) -> Frame {
    Frame::build(
        |out| {
            out.extend_from_slice(&[0x93, 2]);
            write_text(out, method);
        },
        params,
        |_| {},
    )
}
