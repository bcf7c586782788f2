//! One write, as what it changes in the tables.

use bytes::Bytes;
use rusqlite::{Connection, params};

use super::{
    jobs,
    names::{Fingerprint, KeyName, Msgid, RecordName, SessionToken},
    record::{Begun, Evidence, StateNumber, Write},
    sweep,
};

/// What a write needs to know besides itself.
pub(super) struct Circumstances<'a> {
    /// This run of the machine.
    pub(super) boot: &'a str,
    /// Milliseconds since 1970.
    pub(super) at: u64,
}

/// A record as it is about to be written.
struct Record<'a> {
    fingerprint: Fingerprint,
    state: StateNumber,
    result: Option<&'a [u8]>,
    /// What is not in it stays as it was.
    evidence: Evidence,
}

/// What becomes of a row that is there: more is known, or the same of a later attempt.
macro_rules! unless_more_is_known {
    ($also:literal) => {
        concat!(
            "ON CONFLICT DO UPDATE SET ",
            $also,
            " state = excluded.state, result = excluded.result,
                begun = coalesce(begun, excluded.begun), granted = coalesce(excluded.granted, granted),
                pid = coalesce(excluded.pid, pid), attempt = coalesce(excluded.attempt, attempt)
            WHERE state < 3 AND state <= excluded.state"
        )
    };
}

/// Carries out one write, within the transaction that is open.
pub(super) fn apply(
    connection: &Connection,
    write: &Write,
    circumstances: &Circumstances<'_>,
) -> rusqlite::Result<()> {
    match write {
        Write::SessionOpened { token, user, begun } => {
            let text = "INSERT INTO sessions (token, user, boot) VALUES (?1, ?2, ?3)
                        ON CONFLICT DO NOTHING";
            let mut statement = connection.prepare_cached(text)?;
            statement.execute(params![token, user, circumstances.boot])?;
            for begun in begun {
                put_begun(connection, *token, begun, circumstances)?;
            }
        }
        Write::SessionEnded(token) => session_ended(connection, *token)?,
        Write::Intent {
            name,
            fingerprint,
            by,
        } => {
            let evidence = Evidence {
                begun: Some(circumstances.at),
                granted: None,
                by: *by,
            };
            let record = begun(*fingerprint, StateNumber::Intent, evidence);
            put(connection, name, &record, circumstances)?;
        }
        Write::Grant {
            name,
            fingerprint,
            by,
        } => {
            let evidence = Evidence {
                begun: None,
                granted: Some(circumstances.at),
                by: *by,
            };
            let record = begun(*fingerprint, StateNumber::Granted, evidence);
            put(connection, name, &record, circumstances)?;
        }
        Write::Completion {
            name,
            fingerprint,
            result,
        } => put(
            connection,
            name,
            &completion(*fingerprint, result),
            circumstances,
        )?,
        Write::Forget(name) => forget(connection, name)?,
        Write::Acked { session, up_to } => acked(connection, *session, *up_to)?,
        Write::InstanceGone(instance) => {
            let text = "DELETE FROM instances WHERE id = ?1";
            connection.prepare_cached(text)?.execute([instance])?;
        }
        Write::ExpireKeys { from, before } => {
            sweep::expire(connection, *from, *before, circumstances.at)?;
        }
        Write::Job(write) => jobs::apply(connection, write, circumstances.at)?,
    }
    Ok(())
}

fn put_begun(
    connection: &Connection,
    session: SessionToken,
    begun: &Begun,
    circumstances: &Circumstances<'_>,
) -> rusqlite::Result<()> {
    let name = RecordName::Request {
        session,
        msgid: begun.msgid,
        item: begun.item,
    };
    let record = Record {
        fingerprint: begun.fingerprint,
        state: match begun.is_granted {
            true => StateNumber::Granted,
            false => StateNumber::Intent,
        },
        result: None,
        // Nobody has put down when it was.
        evidence: Evidence::default(),
    };
    put(connection, &name, &record, circumstances)
}

fn completion(fingerprint: Fingerprint, result: &Result<Bytes, Bytes>) -> Record<'_> {
    let (state, bytes) = match result {
        Ok(bytes) => (StateNumber::Result, bytes),
        Err(bytes) => (StateNumber::Error, bytes),
    };
    Record {
        fingerprint,
        state,
        result: Some(bytes),
        evidence: Evidence::default(),
    }
}

fn begun(fingerprint: Fingerprint, state: StateNumber, evidence: Evidence) -> Record<'static> {
    Record {
        fingerprint,
        state,
        result: None,
        evidence,
    }
}

fn session_ended(connection: &Connection, token: SessionToken) -> rusqlite::Result<()> {
    let mut records = connection.prepare_cached("DELETE FROM requests WHERE session = ?1")?;
    records.execute([token])?;
    let mut session = connection.prepare_cached("DELETE FROM sessions WHERE token = ?1")?;
    session.execute([token]).map(|_| ())
}

fn acked(connection: &Connection, session: SessionToken, up_to: u64) -> rusqlite::Result<()> {
    let text = "UPDATE sessions SET acked = ?2
                WHERE token = ?1 AND (acked IS NULL OR acked < ?2)";
    let mut floor = connection.prepare_cached(text)?;
    floor.execute(params![session, Msgid(up_to)])?;
    let text = "DELETE FROM requests WHERE session = ?1 AND msgid <= ?2";
    let mut records = connection.prepare_cached(text)?;
    records.execute(params![session, Msgid(up_to)]).map(|_| ())
}

/// Records a state, unless more is known already.
fn put(
    connection: &Connection,
    name: &RecordName,
    record: &Record<'_>,
    circumstances: &Circumstances<'_>,
) -> rusqlite::Result<()> {
    match name {
        RecordName::Request {
            session,
            msgid,
            item,
        } => {
            // What is late has nobody to be kept for: the session has ended, or the client has read the answer.
            let text = concat!(
                "INSERT INTO requests
                    (session, msgid, item, fingerprint, state, result, begun, granted, pid, attempt)
                SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 WHERE EXISTS (
                    SELECT 1 FROM sessions WHERE token = ?1 AND (acked IS NULL OR acked < ?2)) ",
                unless_more_is_known!("")
            );
            let mut statement = connection.prepare_cached(text)?;
            let state = record.state as i64;
            let Record {
                fingerprint,
                result,
                evidence,
                ..
            } = record;
            statement.execute(params![
                session,
                Msgid(*msgid),
                item,
                fingerprint,
                state,
                result,
                moment(evidence.begun),
                moment(evidence.granted),
                evidence.by.pid,
                evidence.by.attempt
            ])?;
        }
        RecordName::Key(name) => put_key(connection, name, record, circumstances)?,
        RecordName::Job { job, attempt } => {
            let text = "INSERT INTO attempts (job, attempt, fingerprint, state, result)
                VALUES (?1, ?2, ?3, ?4, ?5)
                ON CONFLICT DO UPDATE SET state = excluded.state, result = excluded.result
                WHERE state < 3 AND state < excluded.state";
            let mut statement = connection.prepare_cached(text)?;
            let state = record.state as i64;
            statement.execute(params![
                job,
                attempt,
                record.fingerprint,
                state,
                record.result
            ])?;
        }
    }
    Ok(())
}

fn put_key(
    connection: &Connection,
    name: &KeyName,
    record: &Record<'_>,
    circumstances: &Circumstances<'_>,
) -> rusqlite::Result<()> {
    // Its age counts from here, and so does its number, which is in the order of their age.
    let text = concat!(
        "INSERT INTO keys
            (user, method, key, fingerprint, state, result, at, begun, granted, pid, attempt)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ",
        unless_more_is_known!("at = excluded.at, id = (SELECT max(id) + 1 FROM keys),")
    );
    let mut statement = connection.prepare_cached(text)?;
    let KeyName { user, method, key } = name;
    let Record {
        fingerprint,
        result,
        evidence,
        ..
    } = record;
    let (state, at) = (record.state as i64, circumstances.at as i64);
    let (method, key) = (method.as_ref(), key.as_ref());
    statement
        .execute(params![
            user,
            method,
            key,
            fingerprint,
            state,
            result,
            at,
            moment(evidence.begun),
            moment(evidence.granted),
            evidence.by.pid,
            evidence.by.attempt
        ])
        .map(|_| ())
}

fn moment(unix_ms: Option<u64>) -> Option<i64> {
    unix_ms.map(|unix_ms| unix_ms as i64)
}

fn forget(connection: &Connection, name: &RecordName) -> rusqlite::Result<()> {
    match name {
        RecordName::Request {
            session,
            msgid,
            item,
        } => {
            let text = "DELETE FROM requests
                WHERE session = ?1 AND msgid = ?2 AND item = ?3 AND state < 3";
            let mut statement = connection.prepare_cached(text)?;
            statement.execute(params![session, Msgid(*msgid), item])?;
        }
        RecordName::Key(name) => {
            let text = "DELETE FROM keys
                WHERE user = ?1 AND method = ?2 AND key = ?3 AND state < 3";
            let mut statement = connection.prepare_cached(text)?;
            statement.execute(params![name.user, name.method.as_ref(), name.key.as_ref()])?;
        }
        RecordName::Job { job, attempt } => {
            let text = "DELETE FROM attempts WHERE job = ?1 AND attempt = ?2 AND state < 3";
            let mut statement = connection.prepare_cached(text)?;
            statement.execute(params![job, attempt])?;
        }
    }
    Ok(())
}
