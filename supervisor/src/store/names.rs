//! What records are called by: a session and a message, a key, or a job.

use std::{fmt, str::FromStr, sync::Arc};

use bytes::Bytes;
use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, Value, ValueRef},
};
use xxhash_rust::xxh3::Xxh3;

/// Whose fate is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum RecordName {
    /// A request of a resumable session.
    Request {
        session: SessionToken,
        msgid: u64,
        /// 0: the request itself; n: call n-1 of a batch.
        item: u32,
    },
    /// A call with a key.
    Key(Arc<KeyName>),
    /// One attempt at a job.
    Job { job: i64, attempt: u32 },
}

/// A key belongs to a user and a method: others may use the same for something else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct KeyName {
    pub(crate) user: String,
    pub(crate) method: Bytes,
    pub(crate) key: Bytes,
}

/// Names a resumable session, as 32 hex digits. Whoever knows it (and is the same user) may go on with the session, so
/// only the client is shown the whole of it; in the log it is cut short.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SessionToken([u8; 16]);

impl SessionToken {
    /// One that nobody can guess.
    pub(crate) fn random() -> Self {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the system gives random bytes");
        Self(bytes)
    }
}

impl fmt::Display for SessionToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(formatter, "{a:02x}{b:02x}{c:02x}{d:02x}..")
    }
}

/// A text that is no session's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a session's token has 32 hex digits")]
pub(crate) struct NotAToken;

impl FromStr for SessionToken {
    type Err = NotAToken;

    fn from_str(text: &str) -> Result<Self, NotAToken> {
        // A sign would be read as part of a number.
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotAToken);
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| NotAToken)?;
        Ok(Self(number.to_be_bytes()))
    }
}

impl ToSql for SessionToken {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for SessionToken {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 16]>::column_result(value).map(Self)
    }
}

/// Tells two payloads apart that came under the same name. No proof against somebody who makes payloads for it: they
/// would only deceive themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint(u128);

impl Fingerprint {
    /// The one of a call.
    pub(crate) fn of(method: &[u8], params: &[u8]) -> Self {
        let mut hash = Xxh3::new();
        // So that a byte cannot wander from the one to the other.
        hash.update(&(method.len() as u64).to_le_bytes());
        hash.update(method);
        hash.update(params);
        Self(hash.digest128())
    }
}

impl From<standin_core::Fingerprint> for Fingerprint {
    fn from(fingerprint: standin_core::Fingerprint) -> Self {
        Self(fingerprint.0)
    }
}

impl From<Fingerprint> for standin_core::Fingerprint {
    fn from(fingerprint: Fingerprint) -> Self {
        Self(fingerprint.0)
    }
}

impl ToSql for Fingerprint {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(Value::Blob(
            self.0.to_be_bytes().to_vec(),
        )))
    }
}

impl FromSql for Fingerprint {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 16]>::column_result(value).map(|bytes| Self(u128::from_be_bytes(bytes)))
    }
}

/// A message's number in the database, in the order of numbers: a number as far as those of SQLite go, and eight bytes
/// beyond, which it sorts behind all numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Msgid(pub(super) u64);

impl ToSql for Msgid {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match i64::try_from(self.0) {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::Blob(self.0.to_be_bytes().to_vec()),
        };
        Ok(ToSqlOutput::Owned(value))
    }
}

impl FromSql for Msgid {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Integer(number) => {
                let number = u64::try_from(number);
                number.map(Self).map_err(|_| FromSqlError::InvalidType)
            }
            _ => <[u8; 8]>::column_result(value).map(|bytes| Self(u64::from_be_bytes(bytes))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_as_it_was_shown_and_the_log_shows_only_its_beginning() {
        let token = SessionToken::random();
        let shown = token.to_string();
        assert_eq!(shown.len(), 32);
        assert_eq!(shown.parse(), Ok(token));
        assert_eq!(shown.to_uppercase().parse(), Ok(token));
        assert_eq!(format!("{token:?}"), format!("{}..", &shown[..8]));
    }

    #[test]
    fn what_is_no_token_is_none() {
        for text in [
            "",
            "1234",
            &"g".repeat(32),
            &"0".repeat(33),
            "+0000000000000000000000000000000",
        ] {
            assert_eq!(text.parse::<SessionToken>(), Err(NotAToken), "{text}");
        }
    }

    #[test]
    fn a_fingerprint_tells_method_and_params_apart() {
        let all = [
            Fingerprint::of(b"a.b", b"\x91\x01"),
            Fingerprint::of(b"a.b", b"\x91\x02"),
            Fingerprint::of(b"a.c", b"\x91\x01"),
            Fingerprint::of(b"a.b\x91", b"\x01"),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(!all[..at].contains(one), "{at}");
        }
        assert_eq!(all[0], Fingerprint::of(b"a.b", b"\x91\x01"));
    }
}
