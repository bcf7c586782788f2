//! A job object: a process, all that it starts, and their end.

use std::{
    ffi::c_void,
    io,
    os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle},
};

use windows_sys::Win32::{
    Foundation::HANDLE,
    System::{
        JobObjects::{
            CreateJobObjectW, IsProcessInJob, JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION,
            JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE, JOBOBJECT_EXTENDED_LIMIT_INFORMATION,
            JobObjectExtendedLimitInformation, SetInformationJobObject, TerminateJobObject,
        },
        Threading::{OpenProcess, PROCESS_QUERY_INFORMATION},
    },
};

/// The exit code of a job that we ended ("STND"), so that it is told from others.
pub(super) const ENDED_BY_US: u32 = 0x5354_4e44;

/// Its members end with its last handle, which is here and nowhere else: it is not inherited. Nobody can leave it:
/// the two limits that would permit that are not set.
#[derive(Debug)]
pub(super) struct Job(OwnedHandle);

impl Job {
    /// An empty job. A crash in it shows no dialog.
    pub(super) fn new() -> io::Result<Job> {
        // SAFETY: without attributes and name there is nothing to point to.
        let handle = unsafe { CreateJobObjectW(std::ptr::null(), std::ptr::null()) };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: it was just created and belongs to nobody else.
        let job = Job(unsafe { OwnedHandle::from_raw_handle(handle) });
        let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        limits.BasicLimitInformation.LimitFlags =
            JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION;
        let size = u32::try_from(size_of_val(&limits)).expect("a small structure");
        // SAFETY: the handle is open, and the pointer is to a live value of the type and size that the class asks for.
        let set = unsafe {
            let limits = (&raw const limits).cast::<c_void>();
            SetInformationJobObject(
                job.handle(),
                JobObjectExtendedLimitInformation,
                limits,
                size,
            )
        };
        if set == 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(job)
        }
    }

    /// Ends all members now.
    pub(super) fn end(&self) {
        // SAFETY: the handle is open.
        unsafe { TerminateJobObject(self.handle(), ENDED_BY_US) };
    }

    pub(super) fn includes(&self, pid: u32) -> bool {
        // Windows would be content with less, Wine is not; our own children give us this.
        // SAFETY: nothing is pointed to.
        let process = unsafe { OpenProcess(PROCESS_QUERY_INFORMATION, 0, pid) };
        if process.is_null() {
            return false;
        }
        // SAFETY: it was just opened and belongs to nobody else.
        let process = unsafe { OwnedHandle::from_raw_handle(process) };
        let mut is_in = 0;
        // SAFETY: both handles are open, and the pointer is to a live value.
        let asked =
            unsafe { IsProcessInJob(process.as_raw_handle(), self.handle(), &raw mut is_in) };
        asked != 0 && is_in != 0
    }

    fn handle(&self) -> HANDLE {
        self.0.as_raw_handle()
    }
}

impl AsHandle for Job {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.0.as_handle()
    }
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::Foundation::{GetHandleInformation, HANDLE_FLAG_INHERIT};

    use super::*;

    #[test]
    fn nobody_inherits_the_handle_that_keeps_a_job_alive() {
        let job = Job::new().unwrap();
        let mut flags = HANDLE_FLAG_INHERIT;
        // SAFETY: the handle is open, and the pointer is to a live value.
        let asked = unsafe { GetHandleInformation(job.handle(), &raw mut flags) };
        assert!(asked != 0 && flags & HANDLE_FLAG_INHERIT == 0, "{flags:#x}");
    }
}
