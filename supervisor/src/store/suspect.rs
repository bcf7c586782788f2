//! The first start after a failure of the disk, before anything is read or written.
//!
//! When a flush fails, the system may forget that what it could not write is still to be written, and yet show it to
//! whoever reads (PostgreSQL's "fsyncgate"). The log as it reads now may then be longer than the log on the disk, and
//! what is written behind its end, and flushed, would be lost with the power: a log counts up to its first gap. So all of
//! it is written once more, as it reads, and flushed; then it goes into the database, which the failure may have hit as
//! well: whatever the last flush of the database did not keep is in the log still, for only such a flush empties it.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

use rusqlite::Connection;

use super::{
    fatal,
    open::{LOG, StoreError, is_there, remove_if_there, trouble},
};

/// So much of it is held at a time.
const PIECE: usize = 1 << 20;

/// Looks through the whole database, which takes a while in a large one, and makes sure that what it is now is on the
/// disk; if the last run has said that the disk had failed.
pub(super) fn look_through(
    connection: &Connection,
    folder: &Path,
    file: &Path,
) -> Result<(), StoreError> {
    let suspect = folder.join(fatal::SUSPECT);
    if !is_there(&suspect)? {
        return Ok(());
    }
    tracing::warn!("the database failed in an earlier run; it is looked through before it is used");
    let found: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|source| trouble(connection, "look through", file, source))?;
    if found != "ok" {
        return Err(StoreError::Damaged {
            file: file.to_owned(),
            why: found,
        });
    }
    write_log_again(connection, &folder.join(LOG), file)?;
    empty_log(connection, file)?;
    tracing::info!("the database is whole, and all of it is on the disk");
    remove_if_there(&suspect)
}

/// Nobody writes meanwhile: as long as a transaction that may write is open, the log neither grows nor begins anew.
fn write_log_again(connection: &Connection, log: &Path, file: &Path) -> Result<(), StoreError> {
    let do_it = |text| {
        let done = connection.execute_batch(text);
        done.map_err(|source| trouble(connection, "write", file, source))
    };
    do_it("BEGIN IMMEDIATE")?;
    let written = write_again(log).map_err(|source| StoreError::Folder {
        what: "cannot write again",
        path: log.to_owned(),
        source,
    });
    do_it("ROLLBACK")?;
    written
}

/// Each byte as it reads.
fn write_again(path: &Path) -> io::Result<()> {
    let mut file = match File::options().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    let mut piece = vec![0; PIECE];
    let mut at = 0;
    loop {
        file.seek(SeekFrom::Start(at))?;
        let read = file.read(&mut piece)?;
        if read == 0 {
            return file.sync_all();
        }
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&piece[..read])?;
        at += read as u64;
    }
}

fn empty_log(connection: &Connection, file: &Path) -> Result<(), StoreError> {
    let text = "PRAGMA wal_checkpoint(TRUNCATE)";
    let busy = connection.query_row(text, [], |row| row.get::<_, i64>(0));
    match busy.map_err(|source| trouble(connection, "write", file, source))? {
        0 => Ok(()),
        _ => Err(StoreError::Held {
            file: file.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_written_again_is_what_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_again(&path).expect("a file that is not there has nothing to lose");
        assert!(!path.exists());
        let bytes: Vec<u8> = (0..2 * PIECE + 4321).map(|at| (at % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        write_again(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
}
