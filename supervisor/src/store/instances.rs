//! Runs of the service whose processes may still be alive, and the run of the machine.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::recovery::Interruption;

/// What is known once this run has begun.
#[derive(Debug)]
pub(super) struct Begun {
    /// This run of the machine.
    pub(super) boot: String,
    /// Runs of the service on this run of the machine that nobody has confirmed to be gone with all their processes.
    pub(super) left: Vec<String>,
    /// How many runs there were before this one, with this database.
    pub(super) earlier: u64,
    /// What the last of them has left, if nobody had asked it to stop.
    pub(super) interrupted: Option<Interrupted>,
}

/// What a run has left that ended without being asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interrupted {
    pub(crate) how: Interruption,
    /// Sessions that can be resumed, whichever run they began in.
    pub(crate) sessions: u64,
}

/// Notes this run of the service, before it starts anything. `boot` names the run of the machine; it is told what the
/// last run of the service has called its own.
pub(super) fn begin(
    connection: &mut Connection,
    boot: impl FnOnce(Option<&str>) -> String,
    instance: &str,
) -> rusqlite::Result<Begun> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let last = transaction.query_row("SELECT value FROM state WHERE name = 'boot'", [], |row| {
        row.get::<_, String>(0)
    });
    let boot = boot(last.optional()?.as_deref());
    transaction.execute(
        "INSERT OR REPLACE INTO state (name, value) VALUES ('boot', ?1)",
        [&boot],
    )?;
    let earlier = transaction.query_row("SELECT value FROM state WHERE name = 'runs'", [], |row| {
        row.get::<_, i64>(0)
    });
    let earlier = earlier.optional()?.unwrap_or(0);
    transaction.execute(
        "INSERT OR REPLACE INTO state (name, value) VALUES ('runs', ?1)",
        [earlier + 1],
    )?;
    // No process has outlived the machine.
    let gone = transaction.execute("DELETE FROM instances WHERE boot <> ?1", [&boot])?;
    let left: Vec<_> = {
        let mut statement = transaction.prepare("SELECT id FROM instances ORDER BY id")?;
        let left = statement.query_map([], |row| row.get(0))?;
        left.collect::<rusqlite::Result<_>>()?
    };
    let how = match (&left[..], gone) {
        ([], 0) => None,
        ([], _) => Some(Interruption::Reboot),
        _ => Some(Interruption::Killed),
    };
    let interrupted = match how {
        None => None,
        Some(how) => {
            let text = "SELECT count(*) FROM sessions WHERE boot = ?1";
            let sessions: i64 = transaction.query_row(text, [&boot], |row| row.get(0))?;
            let sessions = sessions as u64;
            Some(Interrupted { how, sessions })
        }
    };
    transaction.execute(
        "INSERT INTO instances (id, boot) VALUES (?1, ?2)",
        params![instance, boot],
    )?;
    transaction.commit()?;
    let earlier = earlier as u64;
    Ok(Begun {
        boot,
        left,
        earlier,
        interrupted,
    })
}
