//! A copy of the database that is whole, while a service uses it or while none does.

use std::{
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
/// out: they belong to one run of the machine, and what a copy knows of them is out of date.
pub(crate) fn back_up(folder: &Path, file: &Path) -> Result<(), BackupError> {
    let database = folder.join(open::FILE);
    if !database.is_file() {
        return Err(BackupError::Nothing {
            folder: folder.to_owned(),
        });
    }
    let from = open::visit(&database)?;
    claim(file)?;
    let copied = copy(&from, file);
    if copied.is_err() {
        // Half of it is worse than nothing.
        let _ = std::fs::remove_file(file);
    }
    copied
}

/// Makes the empty file, for its owner alone; whoever has one of that name keeps it.
fn claim(file: &Path) -> Result<(), BackupError> {
    let file = file.to_owned();
    match state::new_private_file(&file) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(BackupError::Exists { file })
        }
        Err(source) => Err(BackupError::File { file, source }),
    }
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
        .map_err(|source| BackupError::File {
            file: file.to_owned(),
            source,
        })
}
