//! The state folder: where the service keeps what must outlive it, and that only one service uses it at a time.
//!
//! It owns the folder's place, its lock, and the name of this run of the machine. What is in the database there is the
//! store's. The service claims the folder when it starts and holds it to its end.

mod place;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use self::unix as platform;
#[cfg(windows)]
use self::windows as platform;

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

pub(crate) use self::place::{Keeper, place};
pub(crate) use platform::{allocate, boot, new_private_file, private_file};

/// Held by the service that uses the folder. The system lets go of it whatever ends the service.
const LOCK: &str = "standin.lock";

/// Who that is, for people. It is a file of its own, because on Windows nobody else may read a locked one.
const PID: &str = "standin.pid";

/// Why there is no folder to keep the state in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    /// The user has no home, and nobody says where else.
    #[error(
        "there is no folder to keep the service's state in: {variable} is not set\n(hint: name one by `dir` in [state], or by --state)"
    )]
    NoPlace { variable: &'static str },
    /// The folder, or a file in it.
    #[error("cannot {what} `{}`\n(hint: the state folder is named by `dir` in [state], or by --state)", .path.display())]
    Folder {
        what: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// Elsewhere.
    #[error(
        "the state folder `{}` is on {what}, where nobody can promise that what is written is kept\n(hint: name a folder on a disk of this machine by `dir` in [state], or by --state)", .folder.display()
    )]
    Remote { folder: PathBuf, what: String },
    /// Somebody else's.
    #[error(
        "another service{owner} uses the state folder `{}`\n(hint: stop it, or give this one a folder of its own by `dir` in [state], or by --state)", .folder.display()
    )]
    InUse { folder: PathBuf, owner: String },
}

/// The folder, and the right to use it.
#[derive(Debug)]
pub(crate) struct StateFolder {
    path: PathBuf,
    _lock: File,
}

impl StateFolder {
    /// Claims a folder, and makes it where there is none. Until it is dropped, or the process ends, nobody else can.
    pub(crate) fn claim(path: &Path) -> Result<StateFolder, StateError> {
        let failed = |what, path: &Path| {
            let path = path.to_owned();
            move |source| StateError::Folder { what, path, source }
        };
        platform::make_private(path).map_err(failed("make the state folder", path))?;
        let path = platform::whole(path).map_err(failed("use the state folder", path))?;
        if let Some(what) =
            platform::is_remote(&path).map_err(failed("use the state folder", &path))?
        {
            return Err(StateError::Remote { folder: path, what });
        }
        let lock_path = path.join(LOCK);
        let lock = private_file(&lock_path).map_err(failed("open", &lock_path))?;
        match patiently(&lock) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let owner = std::fs::read_to_string(path.join(PID));
                let owner = owner.map_or_else(|_| String::new(), |pid| format!(" (pid {pid})"));
                return Err(StateError::InUse {
                    folder: path,
                    owner,
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed("lock", &lock_path)(source)),
        }
        // Nobody decides by it, so it does not matter when it cannot be written.
        let _ = std::fs::write(path.join(PID), std::process::id().to_string());
        Ok(StateFolder { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// How long somebody else must have the folder before it counts as taken.
const PATIENCE: Duration = Duration::from_secs(1);

const PATIENCE_PAUSE: Duration = Duration::from_millis(10);

/// A service that was killed just as it started a process lives on in that process for a moment, and the lock with it,
/// until the process has become another program.
#[expect(
    clippy::disallowed_methods,
    reason = "nothing else goes on before there is a state folder"
)]
fn patiently(lock: &File) -> Result<(), TryLockError> {
    let mut waited = Duration::ZERO;
    loop {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) if waited < PATIENCE => {
                std::thread::sleep(PATIENCE_PAUSE);
                waited += PATIENCE_PAUSE;
            }
            other => return other,
        }
    }
}

impl Drop for StateFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.path.join(PID));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_made_with_those_above_it_and_belongs_to_one_until_it_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let first = StateFolder::claim(&path).unwrap();
        let refused = StateFolder::claim(&path).expect_err("it is taken");
        let words = refused.to_string();
        assert!(
            words.contains(&format!("(pid {})", std::process::id())),
            "{words}"
        );
        assert!(
            words.contains(&first.path().display().to_string()),
            "{words}"
        );
        drop(first);
        StateFolder::claim(&path).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_look_into_a_folder_that_was_made() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let claimed = StateFolder::claim(&path).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(claimed.path()), 0o700);
        assert_eq!(mode(&claimed.path().join(LOCK)), 0o600);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let refused = StateFolder::claim(&file.join("state")).expect_err("it is below a file");
        let words = refused.to_string();
        assert!(
            words.contains("file") && words.contains("[state]"),
            "{words}"
        );
    }

    #[test]
    fn the_run_of_the_machine_has_a_name_that_stays() {
        let name = boot(None);
        assert!(!name.is_empty());
        assert_eq!(boot(Some(&name)), name);
    }
}
