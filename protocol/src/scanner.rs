//! Finds where a message ends, byte by byte as they come.
//!
//! The scanner never allocates in proportion to what a head claims: sizes and depths are checked against the limits
//! first. It remembers where each element of the message's own array begins, so that nothing is read twice.

use crate::{
    Limits, WireError,
    decode::{Kind, Reader, read_head},
};

/// How far the scanner has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The message is not whole; at least this many bytes of it, counted from its start, are needed to go on.
    Need(usize),
    /// The message is whole and this many bytes long.
    End(usize),
}

/// The state of one message that is being read. Reset it after each.
#[derive(Debug)]
pub struct Scanner {
    limits: Limits,
    position: usize,
    /// Per open array or map, how many values are still to come.
    open: Vec<u64>,
    elements: [usize; 5],
    element_count: usize,
}

impl Scanner {
    /// A scanner at the start of a message.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            position: 0,
            open: Vec::new(),
            elements: [0; 5],
            element_count: 0,
        }
    }

    /// Makes ready for the next message.
    pub fn reset(&mut self) {
        self.position = 0;
        self.open.clear();
        self.element_count = 0;
    }

    /// Where each element of the message's array begins, from the start of the message.
    #[must_use]
    pub fn elements(&self) -> &[usize] {
        &self.elements[..self.element_count]
    }

    /// Goes on with a message. `message` holds all of its bytes that have come so far, from its first one on, and
    /// may hold more behind its end. Bytes that were seen in an earlier call are not looked at again.
    ///
    /// # Errors
    /// The stream is lost: see [`WireError`].
    pub fn scan(&mut self, message: &[u8]) -> Result<Progress, WireError> {
        loop {
            if self.is_complete() {
                return Ok(if message.len() >= self.position {
                    Progress::End(self.position)
                } else {
                    Progress::Need(self.position)
                });
            }
            let Some(rest) = message.get(self.position..) else {
                return Ok(Progress::Need(self.position));
            };
            let Some(head) = read_head(rest, self.position)? else {
                return Ok(Progress::Need(message.len() + 1));
            };
            if self.open.is_empty()
                && (head.kind != Kind::Array || !(3..=5).contains(&head.children))
            {
                return Err(WireError::NotAMessage {
                    reason: "a message is an array of three to five",
                });
            }
            let end = (self.position + head.length) as u64 + head.payload;
            // Each child is at least one byte, so a count alone can prove that the message is too large.
            if end + head.children > self.limits.message_size_max as u64 {
                return Err(WireError::TooLarge {
                    limit: self.limits.message_size_max,
                    msgid: self.request_id(message),
                });
            }
            if head.opens_level() && self.open.len() >= self.limits.depth_max {
                return Err(WireError::TooDeep {
                    limit: self.limits.depth_max,
                });
            }
            // Only what has passed every check is noted, so an error stays the same however often one asks.
            if let Some(last) = self.open.len().checked_sub(1) {
                if last == 0 {
                    self.elements[self.element_count] = self.position;
                    self.element_count += 1;
                }
                self.open[last] -= 1;
            }
            self.position = end as usize;
            if head.children > 0 {
                self.open.push(head.children);
            }
            while self.open.len() > 1 && self.open.last() == Some(&0) {
                self.open.pop();
            }
        }
    }

    fn is_complete(&self) -> bool {
        self.open.len() == 1 && self.open[0] == 0
    }

    /// The id of a request whose first two elements have come.
    fn request_id(&self, message: &[u8]) -> Option<u64> {
        if self.element_count < 2 || message.get(self.elements[0]) != Some(&0) {
            return None;
        }
        Reader::new(&message[self.elements[1]..]).unsigned().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(bytes: &[u8], limits: Limits) -> Result<Progress, WireError> {
        Scanner::new(limits).scan(bytes)
    }

    #[test]
    fn a_message_ends_where_its_last_element_ends() {
        let ping = b"\x94\x00\x01\xa4ping\x90";
        assert_eq!(scan(ping, Limits::default()), Ok(Progress::End(9)));
        assert_eq!(
            scan(&[ping.as_slice(), b"more"].concat(), Limits::default()),
            Ok(Progress::End(9))
        );
        for cut in 0..ping.len() {
            assert!(
                matches!(scan(&ping[..cut], Limits::default()), Ok(Progress::Need(n)) if n > cut)
            );
        }
    }

    #[test]
    fn a_claimed_size_is_refused_before_its_bytes_come() {
        let limits = Limits {
            message_size_max: 100,
            depth_max: 64,
        };
        let claims_4_gib = b"\x94\x00\x07\xa4ping\xdd\xff\xff\xff\xff";
        assert_eq!(
            scan(claims_4_gib, limits),
            Err(WireError::TooLarge {
                limit: 100,
                msgid: Some(7)
            })
        );
        let claims_bin = b"\x94\x00\x07\xa4ping\xc6\xff\xff\xff\xff";
        assert_eq!(
            scan(claims_bin, limits),
            Err(WireError::TooLarge {
                limit: 100,
                msgid: Some(7)
            })
        );
    }

    #[test]
    fn depth_is_counted_with_the_message_itself() {
        let limits = Limits {
            message_size_max: 1000,
            depth_max: 4,
        };
        assert!(scan(b"\x93\x02\xa1x\x91\x91\x91\x01", limits).is_ok());
        assert_eq!(
            scan(b"\x93\x02\xa1x\x91\x91\x91\x91\x01", limits),
            Err(WireError::TooDeep { limit: 4 })
        );
        for empty in [
            b"\x93\x02\xa1x\x91\x91\x91\x90",
            b"\x93\x02\xa1x\x91\x91\x91\x80",
        ] {
            assert_eq!(scan(empty, limits), Err(WireError::TooDeep { limit: 4 }));
        }
    }

    #[test]
    fn an_error_stays_the_same_however_often_one_asks() {
        let limits = Limits {
            message_size_max: 100,
            depth_max: 4,
        };
        for bytes in [
            b"\x94\x00\x07\xa4ping\xdc\xff\xff".as_slice(),
            b"\x94\xc6\xff\xff\xff\xff",
            b"\x93\x02\xa1x\x91\x91\x91\x91\x01",
            b"\x93\x02\xc1",
            b"\xc0",
        ] {
            let mut scanner = Scanner::new(limits);
            let first = scanner.scan(bytes);
            assert!(first.is_err(), "{bytes:02x?}");
            for _ in 0..10 {
                assert_eq!(scanner.scan(bytes), first, "{bytes:02x?}");
            }
        }
    }

    #[test]
    fn what_is_no_message_is_refused_at_its_first_byte() {
        for bytes in [
            b"\x01".as_slice(),
            b"\x92",
            b"\x96",
            b"\x80",
            b"GET / HTTP/1.1",
        ] {
            assert!(matches!(
                scan(bytes, Limits::default()),
                Err(WireError::NotAMessage { .. })
            ));
        }
        assert_eq!(
            scan(b"\x93\xc1", Limits::default()),
            Err(WireError::ReservedByte { offset: 1 })
        );
    }
}
