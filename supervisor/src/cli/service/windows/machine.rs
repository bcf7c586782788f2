//! The folders of the machine's service, and who may do what in them.

use std::{
    ffi::OsStr,
    io,
    os::windows::ffi::OsStrExt,
    path::{Path, PathBuf},
    ptr,
};

use windows_sys::Win32::{
    Foundation::LocalFree,
    Security::{
        Authorization::{
            ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW,
            SDDL_REVISION_1,
        },
        DACL_SECURITY_INFORMATION, LookupAccountNameW, OWNER_SECURITY_INFORMATION,
        PROTECTED_DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, PSID, SetFileSecurityW,
    },
};

/// Configuration, log and state.
pub(super) fn folder() -> PathBuf {
    let data = std::env::var_os("ProgramData").unwrap_or_else(|| r"C:\ProgramData".into());
    PathBuf::from(data).join("Standin")
}

pub(super) fn log_file() -> PathBuf {
    folder().join("log").join("standin.log")
}

/// Makes the folders. Any user may make a folder of that name in %ProgramData%, and with it the configuration; so it is
/// taken from whoever has it.
pub(super) fn make_folders(account: &str) -> io::Result<()> {
    let folder = folder();
    // Clients read in the configuration where the endpoint is.
    let readable = "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)";
    secure(&folder, readable)?;
    let config = folder.join("standin.toml");
    if config.is_file() {
        set_security(&config, "O:BAD:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;0x1200a9;;;BU)")?;
    }
    let mut private = "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)".to_owned();
    let sid = sid(account);
    if let Ok(sid) = &sid {
        private += &format!("(A;OICI;0x1301bf;;;{sid})");
    }
    secure(&folder.join("log"), &private)?;
    secure(&folder.join("state"), &private)?;
    sid.map(|_| ())
}

fn secure(folder: &Path, descriptor: &str) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    set_security(folder, descriptor)
}

fn set_security(path: &Path, descriptor: &str) -> io::Result<()> {
    let (path, descriptor) = (wide(path), wide(descriptor));
    let mut parsed: PSECURITY_DESCRIPTOR = ptr::null_mut();
    let what = OWNER_SECURITY_INFORMATION
        | DACL_SECURITY_INFORMATION
        | PROTECTED_DACL_SECURITY_INFORMATION;
    // SAFETY: the texts end with a NUL; what the first call makes is used by the second alone and then given back.
    unsafe {
        let understood = ConvertStringSecurityDescriptorToSecurityDescriptorW(
            descriptor.as_ptr(),
            SDDL_REVISION_1,
            &mut parsed,
            ptr::null_mut(),
        );
        if understood == 0 {
            return Err(io::Error::last_os_error());
        }
        let done = SetFileSecurityW(path.as_ptr(), what, parsed);
        let error = io::Error::last_os_error();
        LocalFree(parsed.cast());
        if done == 0 {
            return Err(error);
        }
    }
    Ok(())
}

/// The account's identifier in letters. A service's own account is known once the service is installed.
fn sid(account: &str) -> io::Result<String> {
    // The most that an identifier takes (SECURITY_MAX_SID_SIZE), as words for the sake of alignment.
    let mut sid = [0_u32; 17];
    let mut domain = [0_u16; 256];
    let (mut sid_size, mut domain_size) = (size_of_val(&sid) as u32, domain.len() as u32);
    let (mut kind, account) = (0, wide(account));
    let mut text = ptr::null_mut();
    // SAFETY: the sizes are those of the buffers; the text that the second call makes is copied, then given back.
    unsafe {
        let found = LookupAccountNameW(
            ptr::null(),
            account.as_ptr(),
            sid.as_mut_ptr().cast(),
            &mut sid_size,
            domain.as_mut_ptr(),
            &mut domain_size,
            &mut kind,
        );
        if found == 0 || ConvertSidToStringSidW(sid.as_mut_ptr() as PSID, &mut text) == 0 {
            return Err(io::Error::last_os_error());
        }
        let length = (0..).take_while(|&at| *text.add(at) != 0).count();
        let letters = String::from_utf16_lossy(std::slice::from_raw_parts(text, length));
        LocalFree(text.cast());
        Ok(letters)
    }
}

/// A text for Windows, with the NUL at its end.
pub(super) fn wide(text: impl AsRef<OsStr>) -> Vec<u16> {
    text.as_ref().encode_wide().chain([0]).collect()
}
