//! A copy of the database that is whole, while a service uses it or while none does.

use std::{
    ffi::OsString,
    fs::File,
    io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags};

use super::open::{self, StoreError};
use crate::state;

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    /// Nothing to back up.
    #[error("there is no database in `{}`\n(hint: name the service's state folder by --state; `standin status` says which it is)", .folder.display())]
    Nothing { folder: PathBuf },
    /// There is something of that name.
    #[error("`{}` is there already, and is not overwritten", .file.display())]
    Exists { file: PathBuf },
    /// The file cannot be written.
    #[error("cannot write the backup `{}`", .file.display())]
    File {
        file: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The database cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be copied.
    #[error("cannot copy the database to `{}`", .file.display())]
    Copy {
        file: PathBuf,
        #[source]
        source: rusqlite::Error,
    },
}

/// Copies the database of `folder` into a new file, which is a database that a service can start on. Sessions are left
/// out: they belong to one run of the machine, and what a copy knows of them is out of date. Until the copy is whole and
/// on the disk it has another name, that of the process besides.
pub(crate) fn back_up(folder: &Path, file: &Path) -> Result<(), BackupError> {
    let database = folder.join(open::FILE);
    if !database.is_file() {
        return Err(BackupError::Nothing {
            folder: folder.to_owned(),
        });
    }
    let is_taken = file.try_exists();
    if is_taken.map_err(|source| cannot_write(file, source))? {
        return Err(BackupError::Exists {
            file: file.to_owned(),
        });
    }
    let from = open::visit(&database)?;
    let mut unfinished = OsString::from(file);
    unfinished.push(format!(".{}.new", std::process::id()));
    let unfinished = PathBuf::from(unfinished);
    claim(&unfinished)?;
    let copied = copy(&from, &unfinished).and_then(|()| finish(&unfinished, file));
    if copied.is_err() {
        // Half of it is worse than nothing.
        let _ = std::fs::remove_file(&unfinished);
    }
    copied
}

/// Makes the empty file, for its owner alone.
fn claim(file: &Path) -> Result<(), BackupError> {
    let made = match state::new_private_file(file) {
        // It is of a process that had this one's number, and was killed.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            std::fs::remove_file(file).and_then(|()| state::new_private_file(file))
        }
        made => made,
    };
    made.map(drop).map_err(|source| cannot_write(file, source))
}

fn copy(from: &Connection, file: &Path) -> Result<(), BackupError> {
    let failed = |source| BackupError::Copy {
        file: file.to_owned(),
        source,
    };
    // An empty file counts as none.
    from.execute("VACUUM INTO ?1", [file.to_string_lossy()])
        .map_err(failed)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let to = Connection::open_with_flags(file, flags).map_err(failed)?;
    to.execute_batch(
        "BEGIN; DELETE FROM requests; DELETE FROM sessions; DELETE FROM instances; COMMIT;",
    )
    .map_err(failed)?;
    to.close().map_err(|(_, source)| failed(source))?;
    File::options()
        .write(true)
        .open(file)
        .and_then(|file| file.sync_all())
        .map_err(|source| cannot_write(file, source))
}

/// Gives a copy that is whole its name; whoever has one of that name keeps it.
fn finish(unfinished: &Path, file: &Path) -> Result<(), BackupError> {
    match std::fs::hard_link(unfinished, file) {
        Ok(()) => {
            let _ = std::fs::remove_file(unfinished);
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(BackupError::Exists {
                file: file.to_owned(),
            });
        }
        // Not every file system has links.
        Err(_) => {
            std::fs::rename(unfinished, file).map_err(|source| cannot_write(file, source))?;
        }
    }
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    open::sync_folder(folder).map_err(|source| cannot_write(file, source))
}

fn cannot_write(file: &Path, source: io::Error) -> BackupError {
    let file = file.to_owned();
    BackupError::File { file, source }
}
