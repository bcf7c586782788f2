//! What happens when the disk fails: the process ends, at once and loudly.
//!
//! After a failed flush the system may have thrown away what was to be written, and a second flush says that all is
//! well. So nothing is tried again and nothing more is answered; the service manager starts the service anew, and what is
//! on the disk then is what counts.

/// The exit code, `EX_IOERR` of old.
const EXIT_CODE: i32 = 74;

/// Ends the process.
pub(super) fn end(what: &str, error: &rusqlite::Error) -> ! {
    tracing::error!(
        %error,
        "the service's database failed: {what}; the service ends here, so that it answers nothing that it cannot keep"
    );
    leave()
}

/// Ends the process, should the thread that holds it end by a panic: everybody would wait for it for ever.
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
