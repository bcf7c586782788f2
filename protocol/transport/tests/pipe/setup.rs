//! An endpoint, and ways to open it.

use std::{fs::File, time::Duration};

use standin_transport::{Access, Endpoint};
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleA, GetProcAddress};

pub(crate) const LIMIT: Duration = Duration::from_secs(30);

pub(crate) fn endpoint() -> (Endpoint, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Endpoint::private(folder.path(), "pipe"), folder)
}

pub(crate) fn public() -> Access {
    Access::new(0o600, None)
}

/// Opens it as old programs do.
pub(crate) fn as_file(endpoint: &Endpoint) -> std::io::Result<File> {
    File::options()
        .read(true)
        .write(true)
        .open(endpoint.as_path())
}

/// Wine is known by a function that Windows does not have.
pub(crate) fn is_wine() -> bool {
    // SAFETY: both names end with a NUL, and the module is in every process.
    unsafe {
        let ntdll = GetModuleHandleA(c"ntdll.dll".as_ptr().cast());
        GetProcAddress(ntdll, c"wine_get_version".as_ptr().cast()).is_some()
    }
}
