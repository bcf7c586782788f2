//! The groups of the processes that the service has started and that are not known to be dead, kept where the guardian
//! can read them when the service is gone: a descendant that merely wiped its environment is still in its group.
//!
//! It is a file in memory that both hold. Each group has a place in it: the number of its first process, and when the
//! system says that this began, because a number alone may be somebody else's by then. A place of zeros is free.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    os::unix::fs::FileExt,
    sync::{Mutex, MutexGuard, OnceLock},
};

use super::table::{self, Stat};

/// A group, by its first process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) pid: u32,
    /// In the system's ticks since it was started itself.
    pub(super) began: u64,
}

/// Two numbers of eight bytes each.
const PLACE: usize = 16;

impl Group {
    fn to_bytes(self) -> [u8; PLACE] {
        let mut bytes = [0; PLACE];
        bytes[..8].copy_from_slice(&u64::from(self.pid).to_ne_bytes());
        bytes[8..].copy_from_slice(&self.began.to_ne_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Group> {
        let (pid, began) = bytes.split_at_checked(8)?;
        let pid = u64::from_ne_bytes(pid.try_into().ok()?);
        let began = u64::from_ne_bytes(began.try_into().ok()?);
        let pid = u32::try_from(pid).ok().filter(|pid| *pid != 0)?;
        Some(Group { pid, began })
    }

    /// Whether a process is in it. The number of a group is not given again while somebody is in it, so if there is a
    /// process of that number, it is either the first one of this group, or the group is another.
    pub(super) fn includes(self, stat: Stat) -> bool {
        let is_this_one = || {
            let first = table::stat(self.pid);
            first.is_none_or(|first| first.began == self.began)
        };
        stat.group == self.pid && stat.began >= self.began && is_this_one()
    }
}

/// The service's side.
#[derive(Debug)]
struct Table {
    file: File,
    /// Who has which place.
    places: BTreeMap<u32, u64>,
    free: Vec<u64>,
}

/// `None`: the system gives no such file. Then only marks are looked for.
static TABLE: OnceLock<Option<Mutex<Table>>> = OnceLock::new();

fn table() -> Option<MutexGuard<'static, Table>> {
    let table = TABLE.get_or_init(|| match memory() {
        Ok(file) => Some(Mutex::new(Table {
            file,
            places: BTreeMap::new(),
            free: Vec::new(),
        })),
        Err(error) => {
            tracing::warn!(%error, "the guardian will not know the groups of the service's processes");
            None
        }
    });
    let table = table.as_ref()?;
    Some(table.lock().expect("nobody panics while holding it"))
}

#[cfg(target_os = "linux")]
fn memory() -> io::Result<File> {
    let flags = rustix::fs::MemfdFlags::CLOEXEC;
    Ok(rustix::fs::memfd_create("standin-groups", flags)?.into())
}

#[cfg(not(target_os = "linux"))]
fn memory() -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// What the guardian is given.
pub(super) fn for_guardian() -> Option<File> {
    table()?.file.try_clone().ok()
}

/// A group has begun: its first process was just started, and is no zombie that was reaped.
pub(super) fn begun(pid: u32) {
    let (Some(stat), Some(mut table)) = (table::stat(pid), table()) else {
        return;
    };
    let next = (table.places.len() * PLACE) as u64;
    let place = table.free.pop().unwrap_or(next);
    let group = Group {
        pid,
        began: stat.began,
    };
    if table.file.write_all_at(&group.to_bytes(), place).is_ok() {
        table.places.insert(pid, place);
    } else {
        table.free.push(place);
    }
}

/// Nobody is in it any more.
pub(super) fn ended(pid: u32) {
    let Some(mut table) = table() else { return };
    if let Some(place) = table.places.remove(&pid) {
        let _ = table.file.write_all_at(&[0; PLACE], place);
        table.free.push(place);
    }
}

/// The guardian's side: those that are left. Nothing, if it was given something else.
pub(super) fn left(file: &File) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut place = [0; PLACE];
    for at in 0.. {
        if file.read_exact_at(&mut place, at * PLACE as u64).is_err() {
            break;
        }
        groups.extend(Group::from_bytes(&place));
    }
    groups
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_guardian_reads_which_groups_are_left() {
        let own = std::process::id();
        let file = for_guardian().unwrap();
        let knows = |pid| left(&file).iter().any(|group| group.pid == pid);
        begun(own);
        assert!(knows(own));
        ended(own);
        assert!(!knows(own));
        // A file of another kind tells nothing.
        assert_eq!(left(&File::open("/dev/null").unwrap()), []);
    }

    #[test]
    fn a_group_of_the_same_number_that_began_at_another_time_is_another() {
        let own = std::process::id();
        let stat = table::stat(own).unwrap();
        let first = Group {
            pid: stat.group,
            began: table::stat(stat.group).map_or(0, |first| first.began),
        };
        assert!(first.includes(stat));
        let later = Group {
            began: stat.began + 1,
            ..first
        };
        assert!(!later.includes(stat), "it began before it");
        let elsewhere = Group {
            pid: first.pid + 1,
            ..first
        };
        assert!(!elsewhere.includes(stat));
    }
}
