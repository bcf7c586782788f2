//! The state folder on Unix.

use std::{
    env,
    fs::{DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::{Keeper, StateError};

/// The path from the root, without links.
pub(super) fn whole(path: &Path) -> io::Result<PathBuf> {
    path.canonicalize()
}

/// The folder that belongs to whoever runs the service.
pub(super) fn usual_folder(keeper: Keeper) -> Result<PathBuf, StateError> {
    if keeper == Keeper::Machine
        && let Some(folder) = of_manager()
    {
        return Ok(folder);
    }
    if rustix::process::geteuid().is_root() {
        return Ok(PathBuf::from("/var/lib/standin"));
    }
    let absolute = |variable| {
        let path = env::var_os(variable).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let base = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .ok_or(StateError::NoPlace { variable: "HOME" })?;
    Ok(base.join("standin"))
}

/// What systemd has made for the service (`StateDirectory=`).
fn of_manager() -> Option<PathBuf> {
    let folders = env::var("STATE_DIRECTORY").ok()?;
    let first = folders.split(':').next()?;
    Some(PathBuf::from(first)).filter(|folder| folder.is_absolute())
}

/// A folder that only its owner can look into. One that is there is left as it is.
pub(super) fn make_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// A file that only its owner can read, made where there is none.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

/// The same, where nothing is of that name.
pub(crate) fn new_private_file(path: &Path) -> io::Result<File> {
    File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Gives a file that size, with real room on the disk behind it.
pub(crate) fn allocate(file: &File, size: u64) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::{fs::FallocateFlags, io::Errno};
        match rustix::fs::fallocate(file, FallocateFlags::empty(), 0, size) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => {}
            done => return Ok(done?),
        }
    }
    let mut file = file;
    let zeros = vec![0; 1 << 20];
    let mut left = size;
    while left > 0 {
        let part = left.min(zeros.len() as u64);
        io::Write::write_all(&mut file, &zeros[..part as usize])?;
        left -= part;
    }
    file.sync_all()
}

/// What the folder is on, if that is not a disk of this machine.
pub(super) fn is_remote(folder: &Path) -> io::Result<Option<String>> {
    #[cfg(target_os = "linux")]
    {
        let kind = rustix::fs::statfs(folder)?.f_type as u32;
        Ok(remote_kind(kind).map(|name| format!("a network file system ({name})")))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = folder;
        Ok(None)
    }
}

/// By the numbers of statfs(2). FUSE is not among them: what is behind it may be anything.
#[cfg(target_os = "linux")]
fn remote_kind(number: u32) -> Option<&'static str> {
    let kinds = [
        (0x0000_6969, "NFS"),
        (0x0000_517b, "SMB"),
        (0xfe53_4d42, "SMB"),
        (0xff53_4d42, "CIFS"),
        (0x0102_1997, "9P"),
        (0x00c3_6400, "Ceph"),
        (0x5346_414f, "AFS"),
        (0x7375_7245, "Coda"),
        (0x0bd0_0bd0, "Lustre"),
        (0x4750_4653, "GPFS"),
        (0x0116_1970, "GFS2"),
        (0x7461_636f, "OCFS2"),
    ];
    let found = kinds.iter().find(|(kind, _)| *kind == number);
    found.map(|(_, name)| *name)
}

/// Names this run of the machine: what was written before another one was perhaps never flushed.
pub(crate) fn boot(_last: Option<&str>) -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    match id.map(|id| id.trim().to_owned()) {
        Ok(id) if !id.is_empty() => id,
        // Nobody can tell, so each run of the service counts as one of the machine.
        _ => {
            let random = std::process::id();
            format!("unknown-{random}-{}", crate::clock::unix_ms())
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_told_from_disks() {
        assert_eq!(remote_kind(0x6969), Some("NFS"));
        assert_eq!(remote_kind(0xff53_4d42), Some("CIFS"));
        // ext4, XFS, btrfs, tmpfs, overlayfs, FUSE.
        for local in [
            0xef53,
            0x5846_5342,
            0x9123_683e,
            0x0102_1994,
            0x794c_7630,
            0x6573_5546,
        ] {
            assert_eq!(remote_kind(local), None, "{local:x}");
        }
        assert_eq!(is_remote(&env::temp_dir()).unwrap(), None);
    }
}
