//! Another user than the one who runs the service. Only root can be somebody else for a moment; on Windows it takes a
//! second account and its password, and under Wine there is but one.

use std::{fs::Permissions, os::unix::fs::PermissionsExt, path::Path};

use crate::under_test::UnderTest;

/// Somebody to whom nothing is given.
pub const NOBODY: u32 = 65534;

/// A service that whoever is on the machine may use, with the settings that are made for its folder. They begin in the
/// table of the endpoint.
pub fn serve_everybody(program: &Path, settings: impl FnOnce(&Path) -> String) -> UnderTest {
    UnderTest::serve(program, |folder| {
        std::fs::set_permissions(folder, Permissions::from_mode(0o755)).expect("it is ours");
        format!("mode = '0666'\n{}", settings(folder))
    })
}

/// Does it as that user; only root can.
pub fn as_user<T: Send>(user: u32, act: impl FnOnce() -> T + Send) -> T {
    let user = rustix::process::Uid::from_raw(user);
    std::thread::scope(|scope| {
        // Of the system's threads each is somebody of its own.
        let acting = scope.spawn(|| {
            rustix::thread::set_thread_res_uid(user, user, user).expect("root may do that");
            act()
        });
        let acted = acting.join();
        acted.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked))
    })
}

/// Does it as [`NOBODY`]; only root can.
pub fn as_nobody<T: Send>(act: impl FnOnce() -> T + Send) -> T {
    as_user(NOBODY, act)
}
