//! The end of a process, and what its exit code tells.

use std::os::windows::io::{AsRawHandle, OwnedHandle};

use windows_sys::Win32::System::Threading::{GetExitCodeProcess, INFINITE, WaitForSingleObject};

use super::{super::Exit, job::ENDED_BY_US};

/// Waits for the death and gives the exit code.
pub(super) fn wait(process: &OwnedHandle) -> u32 {
    let mut code = 0;
    // SAFETY: the handle is open, and the pointer is to a live value.
    unsafe {
        WaitForSingleObject(process.as_raw_handle(), INFINITE);
        GetExitCodeProcess(process.as_raw_handle(), &raw mut code);
    }
    code
}

/// Whoever ends a process from outside chooses its exit code. Windows keeps no other trace of it, so a choice that
/// programs make themselves cannot be told from theirs: `taskkill` and the task manager give 1, PowerShell's
/// `Stop-Process` gives -1.
pub(super) fn of_code(code: u32) -> Exit {
    let signed = code.cast_signed();
    match code {
        ENDED_BY_US => Exit::ByUs,
        // No memory, no room in the page file.
        0xc000_0017 | 0xc000_012d => Exit::OutOfMemory,
        1 | u32::MAX => Exit::CodeOrKill(signed),
        // The system's own orders to end (at log-off), a breakpoint, and the exceptions, those of languages included.
        0x4001_0000..=0x4001_ffff | 0x8000_0000..=0x8000_ffff | 0xc000_0000..=0xefff_ffff => {
            Exit::Signal(signed)
        }
        _ => Exit::Code(signed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_code_tells_who_ended_a_process_as_far_as_it_can() {
        assert_eq!(of_code(0), Exit::Code(0));
        assert_eq!(of_code(101), Exit::Code(101));
        assert_eq!(of_code(u32::MAX - 1), Exit::Code(-2));
        assert_eq!(of_code(1), Exit::CodeOrKill(1));
        assert_eq!(of_code(u32::MAX), Exit::CodeOrKill(-1));
        assert_eq!(of_code(ENDED_BY_US), Exit::ByUs);
        assert_eq!(of_code(0xc000_0017), Exit::OutOfMemory);
        for code in [
            0xc000_0005u32,
            0xc000_013a,
            0xe06d_7363,
            0x4001_0004,
            0x8000_0003,
        ] {
            assert_eq!(of_code(code), Exit::Signal(code.cast_signed()));
        }
    }
}
