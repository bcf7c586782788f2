//! What must not be left when everything is over.

use std::time::Duration;

use crate::{
    clock,
    under_test::{UnderTest, eventually},
};

/// Handles that may be open at the end beyond those of the beginning. On Windows a thread alone has several.
const HANDLES_MORE: usize = if cfg!(windows) { 40 } else { 20 };

/// A tenth of a second apart.
const RESTING_LOOKS: usize = 150;

/// Nothing may be left: no process, no zombie, no handle, no file.
pub(super) fn leaks(under_test: &mut UnderTest, files_before: usize) -> Vec<String> {
    let mut broken = Vec::new();
    clock::pause(300);
    let zombies = under_test.zombies();
    if zombies > 0 {
        broken.push(format!("{zombies} zombies"));
    }
    // Workers come and go; a handful of handles either way is theirs. On Windows some are of threads that waited for
    // processes, and rest for ten seconds before they end.
    let mut files = under_test.open_files();
    for _ in 0..RESTING_LOOKS {
        if files <= files_before + HANDLES_MORE {
            break;
        }
        clock::pause(100);
        files = under_test.open_files();
    }
    if files > files_before + HANDLES_MORE {
        broken.push(format!(
            "{files} open handles, {files_before} at the beginning"
        ));
    }
    if let Some(ended) = under_test.service.try_wait().expect("it is ours") {
        broken.push(format!(
            "the service ended by itself ({ended}):\n{}",
            under_test.log()
        ));
        return broken;
    }
    under_test.ask_to_stop();
    let mut exit = None;
    eventually(
        Duration::from_secs(20),
        "the service stops when asked",
        || {
            exit = under_test.service.try_wait().expect("it is ours");
            exit.is_some()
        },
    );
    if !exit.is_some_and(|exit| exit.success()) {
        broken.push(format!("the service did not stop well: {exit:?}"));
    }
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
