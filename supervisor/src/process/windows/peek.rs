//! The environment of another process, read out of its memory, where it is for want of a better place.
//!
//! Only what the kernel answers by itself is asked: a query of the process's memory map (`VirtualQueryEx`) is answered
//! under Wine by the process, and one that was killed before it could never does. So the block is read page by page up
//! to its end and not as a region whose size is known. A process of 32 bits has a second set of structures, which is the
//! one that it uses.

use std::{
    ffi::c_void,
    io,
    os::windows::io::{AsRawHandle, OwnedHandle},
};

use windows_sys::Win32::{Foundation::HANDLE, System::Diagnostics::Debug::ReadProcessMemory};

#[link(name = "ntdll")]
unsafe extern "system" {
    fn NtQueryInformationProcess(
        process: HANDLE,
        class: i32,
        information: *mut c_void,
        size: u32,
        written: *mut u32,
    ) -> i32;
}

/// Classes of information: what there is of any process, and where the block of one of 32 bits is.
const BASIC: i32 = 0;
const WOW64: i32 = 26;

/// The structures have had these places since Windows 2000; debuggers and `sysinfo` depend on them too. In the block of
/// the process: its parameters; in those: the environment. With 64 bits, and with 32.
const PARAMETERS: (usize, usize) = (0x20, 0x10);
const ENVIRONMENT: (usize, usize) = (0x80, 0x48);

const PAGE: usize = 4096;

/// A block that has no end by then is none.
const SIZE_MAX: usize = 16 << 20;

/// What the environment of a process is now: entries, each with a zero at its end, and a zero behind the last.
///
/// # Errors
/// Its memory is gone, or not there yet, or changes just now.
pub fn environment(process: &OwnedHandle) -> io::Result<Vec<u16>> {
    let mut place = pointer(process, environment_pointer(process)?)?;
    let mut block: Vec<u16> = Vec::new();
    while block.len() * 2 < SIZE_MAX {
        // Behind the page there may be nothing.
        let mut page = vec![0; PAGE - place.address % PAGE];
        read(process, place.address, &mut page)?;
        place.address += page.len();
        let (units, _) = page.as_chunks::<2>();
        let from = block.len().saturating_sub(1);
        block.extend(units.iter().map(|unit| u16::from_le_bytes(*unit)));
        if let Some(end) = block[from..].windows(2).position(|two| two == [0, 0]) {
            block.truncate(from + end + 2);
            return Ok(block);
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

/// A place in its memory, in which pointers have that many bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) address: usize,
    width: usize,
}

/// Where it has noted where its environment is.
pub(super) fn environment_pointer(process: &OwnedHandle) -> io::Result<Place> {
    let [small] = query(process, WOW64)?;
    let (address, width) = if small == 0 {
        let [_, block, ..]: [usize; 6] = query(process, BASIC)?;
        (block, 8)
    } else {
        (small, 4)
    };
    let at = |address, (wide, narrow)| Place {
        address: address + if width == 8 { wide } else { narrow },
        width,
    };
    let parameters = pointer(process, at(address, PARAMETERS))?;
    Ok(at(parameters.address, ENVIRONMENT))
}

fn query<const WORDS: usize>(process: &OwnedHandle, class: i32) -> io::Result<[usize; WORDS]> {
    let mut words = [0; WORDS];
    let size = u32::try_from(size_of_val(&words)).expect("a few words");
    // SAFETY: the handle is open, the pointer is to as many bytes as told, and nobody wants to know how many were used.
    let status = unsafe {
        let information = words.as_mut_ptr().cast();
        let process = process.as_raw_handle();
        NtQueryInformationProcess(process, class, information, size, std::ptr::null_mut())
    };
    // Only what is told in passing or worse is a negative number.
    if status < 0 {
        return Err(io::ErrorKind::Other.into());
    }
    Ok(words)
}

/// The pointer that is there. One to nowhere has yet to be set.
fn pointer(process: &OwnedHandle, place: Place) -> io::Result<Place> {
    let mut bytes = [0; 8];
    read(process, place.address, &mut bytes[..place.width])?;
    let address = usize::from_le_bytes(bytes);
    if address == 0 {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(Place { address, ..place })
}

fn read(process: &OwnedHandle, address: usize, bytes: &mut [u8]) -> io::Result<()> {
    let from = std::ptr::without_provenance(address);
    let mut done = 0;
    // SAFETY: the handle is open, and the pointers are to as many bytes as told and to a live value; what the process has
    // at that address is looked at by the system.
    let read = unsafe {
        let into = bytes.as_mut_ptr().cast();
        ReadProcessMemory(
            process.as_raw_handle(),
            from,
            into,
            bytes.len(),
            &raw mut done,
        )
    };
    if read == 0 || done != bytes.len() {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
