//! What is asked of the store: short reads by name.

use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::oneshot;

use super::{
    names::{KeyName, Msgid, SessionToken},
    record::{By, Evidence, RecordState, StoredKey, StoredRecord, StoredSession},
    sweep::{self, OldestKey},
};

/// A question and where its answer goes. Whoever asked may be gone by then.
#[derive(Debug)]
pub(super) enum Question {
    Session {
        token: SessionToken,
        reply: oneshot::Sender<Option<StoredSession>>,
    },
    OldestKey {
        from: i64,
        reply: oneshot::Sender<Option<OldestKey>>,
    },
    /// A look at the tables by those who know them.
    Look(Look),
}

/// What looks, and hands its answer on.
pub(super) struct Look(pub(super) Box<LookFn>);

type LookFn = dyn FnOnce(&Connection) -> rusqlite::Result<()> + Send;

impl std::fmt::Debug for Look {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Look")
    }
}

impl Question {
    /// Looks and answers. `boot` is this run of the machine.
    pub(super) fn answer(self, connection: &Connection, boot: &str) -> rusqlite::Result<()> {
        match self {
            Question::Session { token, reply } => {
                let _ = reply.send(session(connection, token, boot)?);
            }
            Question::OldestKey { from, reply } => {
                let _ = reply.send(sweep::oldest_key(connection, from)?);
            }
            Question::Look(look) => (look.0)(connection)?,
        }
        Ok(())
    }
}

fn session(
    connection: &Connection,
    token: SessionToken,
    boot: &str,
) -> rusqlite::Result<Option<StoredSession>> {
    let text = "SELECT user, acked FROM sessions WHERE token = ?1 AND boot = ?2";
    let mut statement = connection.prepare_cached(text)?;
    let found = statement.query_row(params![token, boot], |row| {
        let acked: Option<Msgid> = row.get(1)?;
        Ok((row.get(0)?, acked.map(|msgid| msgid.0)))
    });
    let Some((user, acked)) = found.optional()? else {
        return Ok(None);
    };
    let text =
        "SELECT msgid, item, fingerprint, state, result, begun, granted, pid, attempt FROM requests
        WHERE session = ?1 ORDER BY msgid, item";
    let mut statement = connection.prepare_cached(text)?;
    let records = statement.query_map([token], |row| {
        Ok(StoredRecord {
            msgid: row.get::<_, Msgid>(0)?.0,
            item: row.get(1)?,
            fingerprint: row.get(2)?,
            state: RecordState::new(row.get(3)?, row.get(4)?),
            evidence: evidence(row, 5)?,
        })
    })?;
    let records = records.collect::<rusqlite::Result<_>>()?;
    Ok(Some(StoredSession {
        user,
        acked,
        records,
    }))
}

/// The four columns of it, from that one on.
fn evidence(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Evidence> {
    let moment = |at| -> rusqlite::Result<Option<u64>> {
        let moment: Option<i64> = row.get(at)?;
        Ok(moment.map(|moment| moment.max(0) as u64))
    };
    Ok(Evidence {
        begun: moment(at)?,
        granted: moment(at + 1)?,
        by: By {
            pid: row.get(at + 2)?,
            attempt: row.get(at + 3)?,
        },
    })
}

pub(super) fn key(connection: &Connection, name: &KeyName) -> rusqlite::Result<Option<StoredKey>> {
    let text = "SELECT fingerprint, state, result, at, begun, granted, pid, attempt FROM keys
        WHERE user = ?1 AND method = ?2 AND key = ?3";
    let mut statement = connection.prepare_cached(text)?;
    let name = params![name.user, name.method.as_ref(), name.key.as_ref()];
    let found = statement.query_row(name, |row| {
        Ok(StoredKey {
            fingerprint: row.get(0)?,
            state: RecordState::new(row.get(1)?, row.get(2)?),
            at: row.get::<_, i64>(3)?.max(0) as u64,
            evidence: evidence(row, 4)?,
        })
    });
    found.optional()
}
