//! Which file a command means. As on Unix a name is looked for in the search path and a path counts from the folder
//! that the process is to run in; as in a Windows console what makes a file a program may be left out.

use std::{
    env,
    ffi::{OsStr, OsString},
    io,
    os::windows::ffi::{OsStrExt, OsStringExt},
    path::{Component, Path, PathBuf, Prefix},
};

use windows_sys::Win32::System::SystemInformation::{GetSystemDirectoryW, GetWindowsDirectoryW};

/// Tried in this order, as consoles do.
const ENDINGS: [&str; 4] = ["com", "exe", "bat", "cmd"];

/// Finds the file. `path` is the search path of the process that is to be started.
pub(super) fn find(
    program: &OsStr,
    folder: Option<&Path>,
    path: Option<&OsStr>,
) -> io::Result<PathBuf> {
    let named = Path::new(program);
    let mut parts = named.components();
    let is_bare = matches!(
        (parts.next(), parts.next()),
        (Some(Component::Normal(_)), None)
    );
    if !is_bare {
        let full = folder.map_or_else(|| named.to_owned(), |folder| folder.join(named));
        return file(&full).ok_or_else(|| not_found("there is no such file"));
    }
    let own = env::current_exe().ok();
    let own = own.as_deref().and_then(Path::parent).map(Path::to_owned);
    let of_system = [
        folder_of(GetSystemDirectoryW),
        folder_of(GetWindowsDirectoryW),
    ];
    let of_path = path.map(|path| env::split_paths(path).collect::<Vec<_>>());
    // The folder that somebody happened to start the service in is not among them, nor is any that depends on it.
    let places = own.into_iter().chain(of_system.into_iter().flatten());
    let mut places = places.chain(
        of_path
            .into_iter()
            .flatten()
            .filter(|place| place.is_absolute()),
    );
    places
        .find_map(|place| file(&place.join(named)))
        .ok_or_else(|| not_found("no program of this name is in the search path"))
}

/// Whether it is for `cmd.exe`.
pub(super) fn is_batch_file(file: &Path) -> bool {
    let ending = file.extension().unwrap_or_default();
    ending.eq_ignore_ascii_case("bat") || ending.eq_ignore_ascii_case("cmd")
}

/// The program that runs batch files.
pub(super) fn command_prompt() -> io::Result<PathBuf> {
    let folder = folder_of(GetSystemDirectoryW).ok_or_else(io::Error::last_os_error)?;
    Ok(folder.join("cmd.exe"))
}

/// The file itself, or with an ending that makes it a program.
fn file(path: &Path) -> Option<PathBuf> {
    let has_ending = path.extension().is_some_and(|own| {
        ENDINGS
            .iter()
            .any(|ending| own.eq_ignore_ascii_case(ending))
    });
    let completed = ENDINGS.iter().map(|ending| {
        let mut completed = path.as_os_str().to_owned();
        completed.push(".");
        completed.push(ending);
        PathBuf::from(completed)
    });
    let mut candidates: Vec<PathBuf> = completed.collect();
    let at = if has_ending { 0 } else { candidates.len() };
    candidates.insert(at, path.to_owned());
    candidates.into_iter().find(|candidate| candidate.is_file())
}

fn not_found(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, what)
}

fn folder_of(ask: unsafe extern "system" fn(*mut u16, u32) -> u32) -> Option<PathBuf> {
    let mut buffer = [0u16; 512];
    // SAFETY: the size is that of the buffer.
    let length = unsafe { ask(buffer.as_mut_ptr(), buffer.len() as u32) };
    let name = buffer
        .get(..length as usize)
        .filter(|name| !name.is_empty());
    name.map(|name| PathBuf::from(OsString::from_wide(name)))
}

/// A path as Windows takes it, with a zero at the end. The prefix that lifts all limits is there only where it is
/// needed, because many programs do not know it, `cmd.exe` among them.
pub(super) fn wide(path: &Path) -> io::Result<Vec<u16>> {
    let mut wide: Vec<u16> = path.as_os_str().encode_wide().collect();
    if wide.contains(&0) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a path with a zero in it",
        ));
    }
    let prefix = path.components().next();
    let prefix = prefix.and_then(|first| match first {
        Component::Prefix(prefix) => Some(prefix.kind()),
        _ => None,
    });
    match prefix {
        Some(Prefix::VerbatimDisk(_)) if wide.len() < LENGTH_MAX => drop(wide.drain(..4)),
        Some(Prefix::Verbatim(_) | Prefix::VerbatimDisk(_) | Prefix::VerbatimUNC(..)) => {}
        _ if wide.len() < LENGTH_MAX => {}
        _ => wide = verbatim(&std::path::absolute(path)?),
    }
    wide.push(0);
    Ok(wide)
}

/// An absolute path with the prefix.
fn verbatim(path: &Path) -> Vec<u16> {
    let path: Vec<u16> = path.as_os_str().encode_wide().collect();
    const BACKSLASH: u16 = b'\\' as u16;
    let (prefix, rest) = match *path {
        [BACKSLASH, BACKSLASH, ..] => (r"\\?\UNC\", &path[2..]),
        _ => (r"\\?\", &path[..]),
    };
    prefix.encode_utf16().chain(rest.iter().copied()).collect()
}

/// The classic limit of a path, with its zero, and with room for a name in a folder.
const LENGTH_MAX: usize = 248;

#[cfg(test)]
mod tests {
    use super::*;

    fn found(program: &str, folder: &Path, path: &Path) -> Option<PathBuf> {
        find(program.as_ref(), Some(folder), Some(path.as_os_str())).ok()
    }

    #[test]
    fn a_name_is_looked_for_in_the_path_and_a_path_counts_from_the_workers_folder() {
        let place = tempfile::tempdir().unwrap();
        let (folder, path) = (place.path().join("folder"), place.path().join("path"));
        for made in [&folder, &path] {
            std::fs::create_dir(made).unwrap();
        }
        std::fs::write(folder.join("one.exe"), "").unwrap();
        std::fs::write(path.join("two.cmd"), "").unwrap();
        std::fs::write(path.join("two.py"), "").unwrap();
        std::fs::write(path.join("three.0.exe"), "").unwrap();
        assert_eq!(found("one", &folder, &path), None);
        assert_eq!(
            found(r".\one", &folder, &path),
            Some(folder.join(r".\one.exe"))
        );
        assert_eq!(
            found(r"..\path\two", &folder, &path),
            Some(folder.join(r"..\path\two.cmd"))
        );
        assert_eq!(found("two", &folder, &path), Some(path.join("two.cmd")));
        assert_eq!(found("two.CMD", &folder, &path), Some(path.join("two.CMD")));
        assert_eq!(
            found("three.0", &folder, &path),
            Some(path.join("three.0.exe"))
        );
        let whole = path.join("two");
        assert_eq!(
            found(whole.to_str().unwrap(), &folder, &path),
            Some(path.join("two.cmd"))
        );
        assert!(found("cmd", &folder, &path).is_some(), "the system's own");
    }

    #[test]
    fn a_path_has_the_prefix_for_long_ones_where_it_needs_it() {
        let told = |path: &str| String::from_utf16(&wide(Path::new(path)).unwrap()).unwrap();
        assert_eq!(told(r"\\?\C:\a b"), "C:\\a b\0");
        assert_eq!(told(r"C:\a"), "C:\\a\0");
        let long = "x".repeat(300);
        let prefixed = format!(r"\\?\C:\{long}");
        assert_eq!(told(&prefixed), format!("{prefixed}\0"));
        assert_eq!(told(&format!(r"C:\y\..\{long}")), format!("{prefixed}\0"));
        let share = format!(r"\\?\UNC\server\share\{long}");
        assert_eq!(
            told(&format!(r"\\server\share\{long}")),
            format!("{share}\0")
        );
    }
}
