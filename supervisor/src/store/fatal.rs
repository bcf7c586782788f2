//! What happens when the disk fails: the process ends, at once and loudly.
//!
//! After a failed flush the system may have thrown away what was to be written, and a second flush says that all is
//! well. So nothing is tried again and nothing more is answered; the service manager starts the service anew, and what is
//! on the disk then is what counts. That start looks the whole database through first (see `open.rs`).

use std::path::{Path, PathBuf};

/// The exit code, `EX_IOERR` of old.
pub(super) const EXIT_CODE: i32 = 74;

/// Left behind in the folder, so that the next start does not trust the database. It holds the reason.
pub(super) const SUSPECT: &str = "standin.suspect";

/// The end of the process.
#[derive(Debug, Clone)]
pub(super) struct Fatal {
    suspect: PathBuf,
}

impl Fatal {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            suspect: folder.join(SUSPECT),
        }
    }

    /// Ends the process.
    pub(super) fn end(&self, what: &str, error: &rusqlite::Error) -> ! {
        tracing::error!(
            %error,
            "the database of the service failed: {what}; the service ends here, so that it answers nothing that it cannot keep"
        );
        // The disk has failed, so this may as well.
        let _ = std::fs::write(&self.suspect, format!("{what}: {error}\n"));
        leave()
    }

    /// Ends the process, should the thread that holds it end by a panic: everybody would wait for it for ever.
    pub(super) fn unless_returned(&self) -> UnlessReturned {
        UnlessReturned
    }
}

/// See [`Fatal::unless_returned`].
pub(super) struct UnlessReturned;

impl Drop for UnlessReturned {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("the thread of the service's database panicked; the service ends here");
            leave();
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "nothing may run any more: a destructor could answer what was not kept"
)]
fn leave() -> ! {
    std::process::exit(EXIT_CODE)
}
