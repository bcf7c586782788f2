//! What may stand beside a request: the caller's `meta`, and the one that the service gives a worker.

use bytes::Bytes;

use crate::{WireError, decode::Reader};

/// The caller's wishes for one request; all optional. Unknown entries are passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// The idempotency key, 1 to 128 bytes.
    pub key: Option<Bytes>,
    /// The time for the whole call, queue and replays included, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// The caller vouches that a replay is safe.
    pub idempotent: bool,
    /// It was sent before, over a connection that was lost: whoever had it then may have begun it.
    pub again: bool,
    /// Every msgid up to this one has been answered.
    pub ack: Option<u64>,
    /// A W3C traceparent.
    pub trace: Option<Bytes>,
}

impl Meta {
    /// The longest idempotency key, in bytes.
    pub const KEY_LENGTH_MAX: usize = 128;

    /// So many bytes longer is a request, at most, when it says that it was sent before.
    pub const AGAIN_LENGTH: usize = 8;

    /// Reads the fifth element of a request.
    ///
    /// # Errors
    /// A sentence that names the wrong entry, fit for the caller.
    pub fn decode(bytes: &Bytes) -> Result<Meta, String> {
        let wrong = |name: &str, wanted: &str| {
            format!("The entry \"{name}\" beside the request must be {wanted}.")
        };
        let broken = |_: WireError| "The map beside the request cannot be read.".to_owned();
        let mut meta = Meta::default();
        let mut reader = Reader::new(bytes);
        for _ in 0..reader.map().map_err(broken)? {
            match reader
                .text()
                .map_err(|_| "The names beside the request must be texts.".to_owned())?
            {
                b"key" => {
                    let key = reader.text().map_err(|_| wrong("key", "a text"))?;
                    if key.is_empty() || key.len() > Self::KEY_LENGTH_MAX {
                        return Err(wrong("key", "1 to 128 bytes long"));
                    }
                    meta.key = Some(bytes.slice_ref(key));
                }
                b"timeout_ms" => {
                    let wanted = "a whole number of milliseconds, 1 or more";
                    let timeout_ms = reader.unsigned().map_err(|_| wrong("timeout_ms", wanted))?;
                    if timeout_ms == 0 {
                        return Err(wrong("timeout_ms", wanted));
                    }
                    meta.timeout_ms = Some(timeout_ms);
                }
                b"idempotent" => {
                    meta.idempotent = reader
                        .boolean()
                        .map_err(|_| wrong("idempotent", "true or false"))?;
                }
                b"again" => {
                    meta.again = reader
                        .boolean()
                        .map_err(|_| wrong("again", "true or false"))?;
                }
                b"ack" => meta.ack = Some(reader.unsigned().map_err(|_| wrong("ack", "a msgid"))?),
                b"trace" => {
                    meta.trace =
                        Some(bytes.slice_ref(reader.text().map_err(|_| wrong("trace", "a text"))?));
                }
                _ => drop(reader.value().map_err(broken)?),
            }
        }
        Ok(meta)
    }

    /// Whether nothing is asked for, so that the request can go with four elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Meta::default()
    }

    /// The map as it stands in a request.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        let entries = [
            self.key.is_some(),
            self.timeout_ms.is_some(),
            self.idempotent,
            self.again,
            self.ack.is_some(),
            self.trace.is_some(),
        ];
        let count = entries.iter().filter(|there| **there).count();
        out.push(0x80 | count as u8);
        if let Some(key) = &self.key {
            write_text(&mut out, b"key");
            write_text(&mut out, key);
        }
        if let Some(timeout_ms) = self.timeout_ms {
            write_text(&mut out, b"timeout_ms");
            write_unsigned(&mut out, timeout_ms);
        }
        if self.idempotent {
            write_text(&mut out, b"idempotent");
            out.push(0xc3);
        }
        if self.again {
            write_text(&mut out, b"again");
            out.push(0xc3);
        }
        if let Some(ack) = self.ack {
            write_text(&mut out, b"ack");
            write_unsigned(&mut out, ack);
        }
        if let Some(trace) = &self.trace {
            write_text(&mut out, b"trace");
            write_text(&mut out, trace);
        }
        out
    }
}

/// What the service tells a worker beside an attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkerMeta {
    /// How long the attempt may take, in milliseconds.
    pub timeout_ms: u64,
    /// The session that asked; the same number for all its requests while the service lives.
    pub session: u64,
    /// The operating system's name for the user who asked.
    pub user: String,
    /// Which attempt of the request this is, from 1.
    pub number: u32,
    /// The name of the job that the request belongs to, the same for all its attempts.
    pub job: Option<String>,
    /// What earlier tries of the job have done of it, in the worker's own words: `so_far` in the data of their errors.
    pub so_far: Option<Bytes>,
}

impl WorkerMeta {
    /// Reads the fifth element of a request to a worker.
    ///
    /// # Errors
    /// It is not the map that the service writes.
    pub fn decode(bytes: &[u8]) -> Result<WorkerMeta, WireError> {
        let mut meta = WorkerMeta {
            number: 1,
            ..WorkerMeta::default()
        };
        let mut reader = Reader::new(bytes);
        for _ in 0..reader.map()? {
            match reader.text()? {
                b"timeout_ms" => meta.timeout_ms = reader.unsigned()?,
                b"session" => meta.session = reader.unsigned()?,
                b"user" => meta.user = String::from_utf8_lossy(reader.text()?).into_owned(),
                b"number" => meta.number = u32::try_from(reader.unsigned()?).unwrap_or(u32::MAX),
                b"job" => meta.job = Some(String::from_utf8_lossy(reader.text()?).into_owned()),
                b"so_far" => meta.so_far = Some(Bytes::copy_from_slice(reader.value()?)),
                _ => drop(reader.value()?),
            }
        }
        Ok(meta)
    }

    /// Writes the map behind `out`.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        let job = self.job.as_deref();
        let job = job.map(|job| (job, self.so_far.as_deref()));
        Self::write(
            out,
            self.timeout_ms,
            self.session,
            &self.user,
            self.number,
            job,
        );
    }

    /// The same from its parts, for who has no need to put them together first. `job`: its name, and what was done of
    /// it.
    pub fn write(
        out: &mut Vec<u8>,
        timeout_ms: u64,
        session: u64,
        user: &str,
        number: u32,
        job: Option<(&str, Option<&[u8]>)>,
    ) {
        let so_far = job.and_then(|(_, so_far)| so_far);
        out.push(0x84 + u8::from(job.is_some()) + u8::from(so_far.is_some()));
        write_text(out, b"timeout_ms");
        write_unsigned(out, timeout_ms);
        write_text(out, b"session");
        write_unsigned(out, session);
        write_text(out, b"user");
        write_text(out, user.as_bytes());
        write_text(out, b"number");
        write_unsigned(out, u64::from(number));
        if let Some((job, _)) = job {
            write_text(out, b"job");
            write_text(out, job.as_bytes());
        }
        if let Some(so_far) = so_far {
            write_text(out, b"so_far");
            out.extend_from_slice(so_far);
        }
    }
}

/// Writes a str, valid UTF-8 or not: bytes that came as text go on as text.
pub(crate) fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    let length =
        u32::try_from(text.len()).expect("names, keys and users are far shorter than 4 GiB");
    rmp::encode::write_str_len(out, length).expect("a Vec takes every byte");
    out.extend_from_slice(text);
}

pub(crate) fn write_unsigned(out: &mut Vec<u8>, value: u64) {
    rmp::encode::write_uint(out, value).expect("a Vec takes every byte");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meta_survives_the_wire() {
        let meta = Meta {
            key: Some(Bytes::from_static(b"order-1")),
            timeout_ms: Some(1500),
            idempotent: true,
            again: true,
            ack: Some(9),
            trace: Some(Bytes::from_static(b"00-a-b-01")),
        };
        assert_eq!(Meta::decode(&Bytes::from(meta.encode())), Ok(meta));
        let worker = WorkerMeta {
            timeout_ms: 5,
            session: 1 << 40,
            user: "anna".into(),
            number: 2,
            job: Some("7-00".into()),
            so_far: Some(Bytes::from_static(b"\x91\x01")),
        };
        let mut out = Vec::new();
        worker.encode_into(&mut out);
        assert_eq!(WorkerMeta::decode(&out), Ok(worker));
    }

    #[test]
    fn a_wrong_entry_is_named_and_an_unknown_one_passed_over() {
        let zero = Bytes::from_static(b"\x81\xaatimeout_ms\x00");
        assert!(Meta::decode(&zero).is_err_and(|why| why.contains("timeout_ms")));
        let empty_key = Bytes::from_static(b"\x81\xa3key\xa0");
        assert!(Meta::decode(&empty_key).is_err_and(|why| why.contains("key")));
        let unknown = Bytes::from_static(b"\x81\xa5later\x92\x01\x02");
        assert_eq!(Meta::decode(&unknown), Ok(Meta::default()));
    }
}
