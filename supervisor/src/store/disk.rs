//! Room on the disk: a ballast file that is given up when the disk is full, so that what has begun can still be ended.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::state;

/// Kept for bad times. It holds the answers of what runs when the disk fills up, each at most as large as a message.
const BALLAST: u64 = 32 << 20;

/// There must be that much, ballast included, before the disk counts as usable again: otherwise it would be full again at
/// once, and so on to and fro.
const ROOM: u64 = 2 * BALLAST;

/// How often a full disk is looked at.
const LOOK_PAUSE: Duration = Duration::from_secs(5);

const FILE: &str = "standin.ballast";

/// The disk as the store sees it.
#[derive(Debug)]
pub(super) struct Disk {
    ballast: PathBuf,
    /// Since when it is full, or was last looked at.
    full: Option<Instant>,
    look_pause: Duration,
}

impl Disk {
    /// With its ballast, unless there is no room for it.
    pub(super) fn new(folder: &Path, now: Instant) -> Disk {
        let mut disk = Disk {
            ballast: folder.join(FILE),
            full: None,
            look_pause: LOOK_PAUSE,
        };
        if let Err(error) = disk.take_ballast(BALLAST) {
            tracing::error!(%error, "there is no room on the disk of the state folder");
            disk.filled_up(now);
        }
        disk
    }

    /// One that is known to be full, and whose ballast is gone.
    pub(super) fn full(folder: &Path, now: Instant) -> Disk {
        Disk {
            ballast: folder.join(FILE),
            full: Some(now),
            look_pause: LOOK_PAUSE,
        }
    }

    /// Looks at once whenever it is asked.
    #[cfg(test)]
    pub(super) fn without_pause(mut self) -> Disk {
        self.look_pause = Duration::ZERO;
        self
    }

    /// Whether nothing new can be taken.
    pub(super) fn is_full(&self) -> bool {
        self.full.is_some()
    }

    /// When it should be looked at the next time.
    pub(super) fn look_at(&self) -> Option<Instant> {
        self.full.map(|looked| looked + self.look_pause)
    }

    /// It is full: the ballast goes.
    pub(super) fn filled_up(&mut self, now: Instant) {
        if self.full.is_none() {
            tracing::error!(
                "the disk of the state folder `{}` is full; nothing new is taken that must be recorded, until there is room",
                self.folder().display()
            );
        }
        self.full = Some(now);
        // If it cannot be removed there is just no more room.
        let _ = std::fs::remove_file(&self.ballast);
    }

    /// Looks whether there is room again, if that is due.
    pub(super) fn look(&mut self, now: Instant) {
        if self.look_at().is_none_or(|at| now < at) {
            return;
        }
        self.full = Some(now);
        match self.take_ballast(ROOM) {
            Ok(()) => {
                tracing::info!("there is room on the disk of the state folder again");
                self.full = None;
            }
            Err(_) => {
                let _ = std::fs::remove_file(&self.ballast);
            }
        }
    }

    fn folder(&self) -> &Path {
        self.ballast.parent().unwrap_or(&self.ballast)
    }

    /// Fails unless there is as much room as `room` in all; keeps the ballast of it.
    fn take_ballast(&self, room: u64) -> io::Result<()> {
        let file: File = state::private_file(&self.ballast)?;
        if file.metadata()?.len() != room {
            state::allocate(&file, room)?;
        }
        file.set_len(BALLAST)
    }
}

/// Gives up the ballast that an earlier run has left in a folder. False when there is none.
pub(super) fn give_up_ballast(folder: &Path) -> bool {
    std::fs::remove_file(folder.join(FILE)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn the_ballast_goes_when_the_disk_is_full_and_comes_back_with_the_room() {
        let folder = tempfile::tempdir().unwrap();
        let now = clock::now();
        let mut disk = Disk::new(folder.path(), now);
        let size = || folder.path().join(FILE).metadata().map_or(0, |it| it.len());
        assert!(!disk.is_full());
        assert_eq!(size(), BALLAST);
        disk.filled_up(now);
        assert!(disk.is_full());
        assert_eq!(size(), 0);
        disk.look(now + LOOK_PAUSE / 2);
        assert!(disk.is_full(), "it was looked at a moment ago");
        disk.look(now + LOOK_PAUSE);
        assert!(!disk.is_full());
        assert_eq!(size(), BALLAST);
    }

    #[test]
    fn without_room_for_the_ballast_nothing_new_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let gone = folder.path().join("gone");
        assert!(Disk::new(&gone, clock::now()).is_full());
    }
}
