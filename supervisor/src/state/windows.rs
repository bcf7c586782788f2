//! The state folder on Windows.

use std::{
    env,
    ffi::{OsStr, c_void},
    fs::File,
    io,
    os::windows::ffi::OsStrExt,
    path::{Path, PathBuf},
    ptr,
};

use windows_sys::Win32::{
    Storage::FileSystem::{GetDriveTypeW, GetVolumePathNameW},
    System::{
        Registry::{HKEY_LOCAL_MACHINE, RRF_RT_REG_DWORD, RegGetValueW},
        SystemInformation::GetTickCount64,
    },
};

use super::{Keeper, StateError};
use crate::clock;

/// The path from the root. Links stay: what Windows makes of a path without them has a prefix that people do not know.
pub(super) fn whole(path: &Path) -> io::Result<PathBuf> {
    std::path::absolute(path)
}

/// What `GetDriveTypeW` says of a drive that is elsewhere.
const DRIVE_REMOTE: u32 = 4;

/// The clock may have been set a little between two looks at the same beginning.
const SAME_BOOT_MS: u64 = 60_000;

/// The folder that belongs to whoever runs the service.
pub(super) fn usual_folder(keeper: Keeper) -> Result<PathBuf, StateError> {
    let variable = match keeper {
        Keeper::Machine => "ProgramData",
        Keeper::Somebody => "LOCALAPPDATA",
    };
    let base = env::var_os(variable).filter(|base| !base.is_empty());
    // Services are not sure to have it (Wine's have not); the installation uses the same place then.
    let usual = (keeper == Keeper::Machine).then(|| r"C:\ProgramData".into());
    let base = base.or(usual).ok_or(StateError::NoPlace { variable })?;
    Ok(PathBuf::from(base).join("Standin").join("state"))
}

/// What is below a user's own folder, or the machine's that the installation has closed, is closed as well.
pub(super) fn make_private(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

/// Rights come from the folder.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

/// The same, where nothing is of that name.
pub(crate) fn new_private_file(path: &Path) -> io::Result<File> {
    File::options().write(true).create_new(true).open(path)
}

/// Gives a file that size, with real room on the disk behind it.
pub(crate) fn allocate(file: &File, size: u64) -> io::Result<()> {
    file.set_len(size)
}

/// What the folder is on, if that is not a disk of this machine.
pub(super) fn is_remote(folder: &Path) -> io::Result<Option<String>> {
    let mut root = [0_u16; 512];
    let folder = wide(folder.as_os_str());
    // SAFETY: the text ends with a NUL, and the size is that of the buffer.
    let found =
        unsafe { GetVolumePathNameW(folder.as_ptr(), root.as_mut_ptr(), root.len() as u32) };
    if found == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call before has ended the text with a NUL.
    let kind = unsafe { GetDriveTypeW(root.as_ptr()) };
    Ok((kind == DRIVE_REMOTE).then(|| "a network drive".to_owned()))
}

/// Names this run of the machine: what was written before another one was perhaps never flushed. Where Windows does not
/// number its runs, one is known by when it began. `last` is what the last run of the service was told.
pub(crate) fn boot(last: Option<&str>) -> String {
    if let Some(number) = boot_number() {
        return format!("boot-{number}");
    }
    // SAFETY: it takes nothing and cannot fail.
    let since = unsafe { GetTickCount64() };
    let began = clock::unix_ms().saturating_sub(since);
    let began_last = last
        .and_then(|last| last.strip_prefix("since-"))
        .and_then(|last| last.parse::<u64>().ok())
        .filter(|last| last.abs_diff(began) < SAME_BOOT_MS);
    format!("since-{}", began_last.unwrap_or(began))
}

fn boot_number() -> Option<u32> {
    let key =
        r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters";
    let (key, name) = (wide(OsStr::new(key)), wide(OsStr::new("BootId")));
    let (mut number, mut size) = (0_u32, size_of::<u32>() as u32);
    // SAFETY: the texts end with a NUL, and the size is that of the number.
    let result = unsafe {
        RegGetValueW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            name.as_ptr(),
            RRF_RT_REG_DWORD,
            ptr::null_mut(),
            (&raw mut number).cast::<c_void>(),
            &mut size,
        )
    };
    (result == 0).then_some(number)
}

/// A text for Windows, with the NUL at its end.
fn wide(text: &OsStr) -> Vec<u16> {
    text.encode_wide().chain([0]).collect()
}
