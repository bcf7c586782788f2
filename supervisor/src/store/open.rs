//! Opening the database, and making it where there is none.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::{database::want_of_room, schema, suspect};
use crate::state;

/// The database.
pub(super) const FILE: &str = "standin.db";

/// Its write-ahead log.
pub(super) const LOG: &str = "standin.db-wal";

/// What becomes the database, once it is whole.
const UNFINISHED: &str = "standin.db.new";

/// Older ones can lose what they committed (the write-ahead log's reset).
const LIBRARY_VERSION_MIN: i32 = 3_051_003;

/// Somebody who looks in with a tool of their own may hold the database that long; then it is tried again.
const BUSY_LIMIT: Duration = Duration::from_secs(5);

/// Why there is no database.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The folder or a file in it.
    #[error("cannot use the state folder: {what} `{}`", .path.display())]
    Folder {
        what: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The database.
    #[error("cannot {what} the database `{}`", .file.display())]
    Database {
        what: &'static str,
        file: PathBuf,
        #[source]
        source: rusqlite::Error,
    },
    /// No room.
    #[error(
        "the disk is full, or what the service's user may fill of it: there is no room for the database `{}`\n(hint: make room; a service that is started by the service manager tries again)", .file.display()
    )]
    Full {
        file: PathBuf,
        #[source]
        source: rusqlite::Error,
    },
    /// It is damaged.
    #[error(
        "the database `{}` is damaged: {why}\n(hint: put back a backup, or move `standin.db`, `standin.db-wal` and `standin.db-shm` away and start with an empty one; what is kept is told in docs/OPERATIONS.md)", .file.display()
    )]
    Damaged { file: PathBuf, why: String },
    /// A log without its database: a new one would be filled with what is in it.
    #[error(
        "`{}` is there, but not the database that it belongs to\n(hint: put `standin.db` back, or move the log away as well and start with an empty database; what is kept is told in docs/OPERATIONS.md)", .log.display()
    )]
    Orphan { log: PathBuf },
    /// Somebody else's.
    #[error(
        "`{}` is the database of another program\n(hint: give the service a state folder of its own: `dir` in [state])", .file.display()
    )]
    Foreign { file: PathBuf },
    /// Of a later version.
    #[error(
        "the database `{}` was written by a newer Standin (its version is {found}, this program knows {known})\n(hint: start the newer program, or put back the backup that was made before the update)", .file.display()
    )]
    TooNew {
        file: PathBuf,
        found: i64,
        known: i64,
    },
    /// No log beside it.
    #[error(
        "the database `{}` cannot have a write-ahead log here\n(hint: the state folder must be on a disk of this machine)", .file.display()
    )]
    NoLog { file: PathBuf },
    /// Somebody else has it open, at the one moment when that cannot be.
    #[error(
        "another program uses the database `{}`, which must be put in order after a failure of the disk\n(hint: end that program; the service tries again)", .file.display()
    )]
    Held { file: PathBuf },
    /// Not the library that was built in.
    #[error("the SQLite in this program is too old: {found}")]
    Library { found: i32 },
    /// No thread for it.
    #[error("cannot start the thread of the database")]
    Thread(#[source] io::Error),
}

/// The database of a folder, ready for its one writer.
pub(super) fn database(folder: &Path) -> Result<Connection, StoreError> {
    let found = rusqlite::version_number();
    if found < LIBRARY_VERSION_MIN {
        return Err(StoreError::Library { found });
    }
    let file = folder.join(FILE);
    if !is_there(&file)? {
        let log = folder.join(LOG);
        if is_there(&log)? {
            return Err(StoreError::Orphan { log });
        }
        create(folder, &file)?;
    }
    let mut connection = connect(&file)?;
    check(&connection, &file)?;
    // What is written before the writer says how long it must be kept, is kept as long as anything.
    connection
        .execute_batch("PRAGMA synchronous = FULL")
        .map_err(|source| trouble(&connection, "open", &file, source))?;
    suspect::look_through(&connection, folder, &file)?;
    let mode: String = connection
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(|source| trouble(&connection, "open", &file, source))?;
    if mode != "wal" {
        return Err(StoreError::NoLog { file });
    }
    connection
        .execute_batch("PRAGMA wal_autocheckpoint = 0")
        .map_err(|source| trouble(&connection, "open", &file, source))?;
    if let Err(source) = migrate(&mut connection) {
        return Err(trouble(&connection, "update", &file, source));
    }
    Ok(connection)
}

/// What nobody can tell of is an error: it would be replaced by an empty one.
pub(super) fn is_there(path: &Path) -> Result<bool, StoreError> {
    path.try_exists().map_err(|source| StoreError::Folder {
        what: "cannot look for",
        path: path.to_owned(),
        source,
    })
}

/// Makes an empty database under another name first: whoever finds the file finds a whole one.
fn create(folder: &Path, file: &Path) -> Result<(), StoreError> {
    let unfinished = folder.join(UNFINISHED);
    for left in [UNFINISHED, "standin.db.new-journal"] {
        remove_if_there(&folder.join(left))?;
    }
    let failed = |what, path: &Path| {
        let path = path.to_owned();
        move |source| StoreError::Folder { what, path, source }
    };
    // What the library makes beside a file has the rights of that file.
    state::private_file(&unfinished).map_err(failed("cannot make", &unfinished))?;
    fill(&unfinished)?;
    File::options()
        .write(true)
        .open(&unfinished)
        .and_then(|file| file.sync_all())
        .map_err(failed("cannot flush", &unfinished))?;
    std::fs::rename(&unfinished, file).map_err(failed("cannot rename to", file))?;
    sync_folder(folder).map_err(failed("cannot flush", folder))
}

/// What an empty database begins with.
fn fill(file: &Path) -> Result<(), StoreError> {
    let opened = Connection::open(file);
    let mut connection = opened.map_err(|source| cannot("make", file, source))?;
    let mut fill = || -> rusqlite::Result<()> {
        connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA synchronous = FULL")?;
        connection.pragma_update(None, "application_id", schema::APPLICATION_ID)?;
        migrate(&mut connection)
    };
    if let Err(source) = fill() {
        return Err(trouble(&connection, "make", file, source));
    }
    let closed = connection.close();
    closed.map_err(|(connection, source)| trouble(&connection, "make", file, source))
}

pub(super) fn remove_if_there(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(StoreError::Folder {
            what: "cannot remove",
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

/// So that a name in it outlives a loss of power.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Windows writes names through its own journal and has no call for it.
#[cfg(windows)]
pub(super) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// The database for somebody who only wants to look, perhaps beside the service that uses it.
pub(super) fn visit(file: &Path) -> Result<Connection, StoreError> {
    let connection = connect(file)?;
    check(&connection, file)?;
    Ok(connection)
}

/// A second connection beside the writer's, that only reads.
pub(super) fn reader(file: &Path) -> Result<Connection, StoreError> {
    let connection = connect(file)?;
    let only_reads = connection.execute_batch("PRAGMA query_only = ON");
    only_reads.map_err(|source| trouble(&connection, "open", file, source))?;
    Ok(connection)
}

fn connect(file: &Path) -> Result<Connection, StoreError> {
    let open = || -> rusqlite::Result<Connection> {
        // It is there; a file that has just been taken away is not made again, empty.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(BUSY_LIMIT)?;
        // Nothing in the file can make the library call functions, and cells are looked at before they are believed.
        connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON")?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    };
    open().map_err(|source| cannot("open", file, source))
}

/// Whether it is ours and whole enough to be read. Nothing has been written by then.
fn check(connection: &Connection, file: &Path) -> Result<(), StoreError> {
    let failed = |source| trouble(connection, "read", file, source);
    let id: i32 = connection
        .query_row("PRAGMA application_id", [], |row| row.get(0))
        .map_err(failed)?;
    if id != schema::APPLICATION_ID {
        return Err(StoreError::Foreign {
            file: file.to_owned(),
        });
    }
    let found = schema::version(connection).map_err(failed)?;
    if found > schema::VERSION {
        return Err(StoreError::TooNew {
            file: file.to_owned(),
            found,
            known: schema::VERSION,
        });
    }
    Ok(())
}

/// All steps or none.
fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version = schema::version(&transaction)?;
    if version < schema::VERSION {
        schema::migrate(&transaction, version)?;
    }
    transaction.commit()
}

/// What has failed on a connection, or that there is no room for it.
pub(super) fn trouble(
    connection: &Connection,
    what: &'static str,
    file: &Path,
    source: rusqlite::Error,
) -> StoreError {
    match want_of_room(connection, &source) {
        Some(_) => StoreError::Full {
            file: file.to_owned(),
            source,
        },
        None => cannot(what, file, source),
    }
}

fn cannot(what: &'static str, file: &Path, source: rusqlite::Error) -> StoreError {
    let file = file.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged {
            file,
            why: source.to_string(),
        },
        _ => StoreError::Database { what, file, source },
    }
}

impl StoreError {
    /// Whether it would be none on a disk with more room.
    pub(super) fn is_for_want_of_room(&self) -> bool {
        match self {
            StoreError::Full { .. } => true,
            StoreError::Folder { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            ),
            _ => false,
        }
    }
}
