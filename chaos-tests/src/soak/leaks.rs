//! What must not be left when everything is over.

use std::time::Duration;

use crate::{
    clock,
    under_test::{UnderTest, eventually},
};

/// Nothing may be left: no process, no zombie, no handle, no file.
pub(super) fn leaks(mut under_test: UnderTest, files_before: usize) -> Vec<String> {
    let mut broken = Vec::new();
    clock::pause(300);
    let zombies = under_test.zombies();
    if zombies > 0 {
        broken.push(format!("{zombies} zombies"));
    }
    // Workers come and go; a handful of handles either way is theirs.
    let files = under_test.open_files();
    if files > files_before + 20 {
        broken.push(format!(
            "{files} open handles, {files_before} at the beginning"
        ));
    }
    under_test.ask_to_stop();
    eventually(
        Duration::from_secs(20),
        "the service stops when asked",
        || {
            under_test
                .service
                .try_wait()
                .is_ok_and(|exit| exit.is_some())
        },
    );
    let left = under_test.descendants();
    if !left.is_empty() {
        broken.push(format!("processes were left behind: {left:?}"));
    }
    println!(
        "leaks: {} zombies, {} processes left, {} handles more",
        zombies,
        left.len(),
        files.saturating_sub(files_before)
    );
    broken
}
