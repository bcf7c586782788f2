//! The environment of another process, read out of its memory.
//!
//! Nothing is asked but to read. Who asks how far a piece of memory goes (`VirtualQueryEx`), as libraries do that tell
//! environments, has it told by that process itself under Wine, and if it is killed while it tells waits for ever.

use std::{
    ffi::c_void,
    os::windows::io::{AsRawHandle, OwnedHandle},
    ptr::null_mut,
};

use windows_sys::Win32::System::{
    Diagnostics::Debug::ReadProcessMemory,
    Threading::{PROCESS_QUERY_INFORMATION, PROCESS_VM_READ},
};

use super::opened;

#[link(name = "ntdll")]
unsafe extern "system" {
    fn NtQueryInformationProcess(
        process: *mut c_void,
        class: u32,
        information: *mut c_void,
        length: u32,
        returned: *mut u32,
    ) -> i32;
}

/// ProcessBasicInformation: six words, the second of which says where the process's description of itself is.
const BASIC: u32 = 0;
const DESCRIPTION: usize = 1;

/// Where in that, with 64 bits, stands where the parameters are, and where in those the environment. Neither has changed
/// since Vista.
const PARAMETERS: usize = 0x20;
const ENVIRONMENT: usize = 0x80;

/// Memory comes in pages of this size: what is read never goes beyond one, behind which there may be nothing.
const PAGE: usize = 4096;

/// Longer than any environment that Windows takes.
const UNITS_MAX: usize = 64 * 1024;

/// The entries of the environment, `NAME=VALUE`. `None`: there is no such process any more, or it does not tell.
pub(super) fn of(pid: u32) -> Option<Vec<String>> {
    let process = opened(pid, PROCESS_QUERY_INFORMATION | PROCESS_VM_READ)?;
    let mut basic = [0usize; 6];
    let size = size_of_val(&basic) as u32;
    // SAFETY: the handle is open, and the pointer is to as many bytes as told.
    let status = unsafe {
        let basic = basic.as_mut_ptr().cast();
        NtQueryInformationProcess(process.as_raw_handle(), BASIC, basic, size, null_mut())
    };
    if status < 0 {
        return None;
    }
    let parameters = address(&process, basic[DESCRIPTION].checked_add(PARAMETERS)?)?;
    let environment = address(&process, parameters.checked_add(ENVIRONMENT)?)?;
    let block = block(&process, environment)?;
    let entries = block.split(|unit| *unit == 0);
    Some(entries.map(String::from_utf16_lossy).collect())
}

/// The environment's units, without the two zeros that end it.
fn block(process: &OwnedHandle, mut from: usize) -> Option<Vec<u16>> {
    let mut units = Vec::new();
    while units.len() < UNITS_MAX {
        let mut page = [0; PAGE];
        let part = &mut page[..PAGE - from % PAGE];
        read(process, from, part)?;
        from += part.len();
        let (pairs, _) = part.as_chunks::<2>();
        units.extend(pairs.iter().map(|pair| u16::from_le_bytes(*pair)));
        if let Some(end) = units.windows(2).position(|two| two == [0, 0]) {
            units.truncate(end);
            return Some(units);
        }
    }
    None
}

/// The address that stands at an address; none is zero.
fn address(process: &OwnedHandle, at: usize) -> Option<usize> {
    let mut bytes = [0; size_of::<usize>()];
    read(process, at, &mut bytes)?;
    Some(usize::from_le_bytes(bytes)).filter(|address| *address != 0)
}

fn read(process: &OwnedHandle, at: usize, into: &mut [u8]) -> Option<()> {
    let mut count = 0;
    // SAFETY: the handle is open, the pointer is to as many bytes as told, and where they are read from is the system's care.
    let done = unsafe {
        ReadProcessMemory(
            process.as_raw_handle(),
            at as *const c_void,
            into.as_mut_ptr().cast(),
            into.len(),
            &raw mut count,
        )
    };
    (done != 0 && count == into.len()).then_some(())
}
