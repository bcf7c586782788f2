//! Somebody else's process, looked at from outside. A witness holds on to the process itself, so it is not fooled by
//! another one that gets the same number.

#[cfg(windows)]
pub(crate) use platform::with_name;
pub(crate) use platform::{Witness, end_from_outside, left_behind};

#[cfg(target_os = "linux")]
mod platform {
    use std::{os::fd::OwnedFd, process::Child};

    use rustix::{
        event::{PollFd, PollFlags, Timespec, poll},
        process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open},
    };

    #[derive(Debug)]
    pub(crate) struct Witness {
        pid: u32,
        handle: OwnedFd,
    }

    impl Witness {
        pub(crate) fn of(pid: u32) -> Option<Witness> {
            let handle = pidfd_open(number(pid), PidfdFlags::empty()).ok()?;
            Some(Witness { pid, handle })
        }

        /// Dead, and no zombie of ours.
        pub(crate) fn is_gone(&self) -> bool {
            let mut watched = [PollFd::new(&self.handle, PollFlags::IN)];
            let is_dead = poll(&mut watched, Some(&Timespec::default())).unwrap() > 0;
            is_dead && !crate::linux::is_zombie(self.pid)
        }

        /// Dead, or so far on its way there that it has no memory any more.
        pub(crate) fn runs_nothing(&self) -> bool {
            let environment = std::fs::read(format!("/proc/{}/environ", self.pid));
            environment.is_ok_and(|it| it.is_empty()) || self.is_gone()
        }
    }

    /// As an administrator does it.
    pub(crate) fn end_from_outside(pid: u32) {
        kill_process(number(pid), Signal::KILL).unwrap();
    }

    /// What a service has started and is still there.
    pub(crate) fn left_behind(_service: &Child, instance: &str) -> Vec<u32> {
        let entry = format!("{}={instance}", standin::process::INSTANCE_VARIABLE);
        crate::linux::with_variable(&entry)
    }

    fn number(pid: u32) -> Pid {
        Pid::from_raw(pid.cast_signed()).unwrap()
    }
}

#[cfg(windows)]
mod platform {
    use std::{
        os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle},
        process::Child,
    };

    use windows_sys::Win32::{
        Foundation::{FILETIME, INVALID_HANDLE_VALUE, WAIT_OBJECT_0},
        System::Diagnostics::ToolHelp::{
            CreateToolhelp32Snapshot, PROCESSENTRY32W, Process32FirstW, Process32NextW,
            TH32CS_SNAPPROCESS,
        },
        System::Threading::{
            GetProcessTimes, OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE,
            PROCESS_TERMINATE, TerminateProcess, WaitForSingleObject,
        },
    };

    #[derive(Debug)]
    pub(crate) struct Witness(OwnedHandle);

    impl Witness {
        pub(crate) fn of(pid: u32) -> Option<Witness> {
            open(pid, PROCESS_SYNCHRONIZE).map(Witness)
        }

        pub(crate) fn is_gone(&self) -> bool {
            // SAFETY: the handle is open.
            unsafe { WaitForSingleObject(self.0.as_raw_handle(), 0) == WAIT_OBJECT_0 }
        }

        pub(crate) fn runs_nothing(&self) -> bool {
            self.is_gone()
        }
    }

    /// As `taskkill /F` does it.
    pub(crate) fn end_from_outside(pid: u32) {
        let process = open(pid, PROCESS_TERMINATE).unwrap();
        // SAFETY: the handle is open.
        assert_ne!(unsafe { TerminateProcess(process.as_raw_handle(), 1) }, 0);
    }

    /// What a service has started and is still there. The service may be dead as long as somebody holds on to it.
    ///
    /// A process keeps its parent's number for life, and the number of a dead parent is given out again. So whoever is
    /// older than the service is a child of somebody who had that number before; `services.exe`, whose parent dies soon
    /// after the system has started, is one.
    pub(crate) fn left_behind(service: &Child, _instance: &str) -> Vec<u32> {
        let since = born(service).expect("we hold on to it");
        let is_ours = |pid| {
            let process = open(pid, PROCESS_QUERY_LIMITED_INFORMATION);
            process.and_then(|process| born(&process)) >= Some(since)
        };
        all()
            .iter()
            .filter(|entry| entry.th32ParentProcessID == service.id())
            .map(|entry| entry.th32ProcessID)
            .filter(|pid| is_ours(*pid))
            .collect()
    }

    /// When it was created, counted as the system does. Dead or alive, as long as it is held on to.
    fn born(process: &impl AsRawHandle) -> Option<u64> {
        let (mut born, mut other) = (FILETIME::default(), [FILETIME::default(); 3]);
        let [died, kernel, user] = other.each_mut();
        // SAFETY: the handle is open, and the pointers are to live values.
        let told =
            unsafe { GetProcessTimes(process.as_raw_handle(), &raw mut born, died, kernel, user) };
        (told != 0).then(|| u64::from(born.dwHighDateTime) << 32 | u64::from(born.dwLowDateTime))
    }

    /// The processes whose program has this name.
    pub(crate) fn with_name(name: &str) -> Vec<u32> {
        let has_name = |entry: &PROCESSENTRY32W| {
            let length = entry.szExeFile.iter().position(|unit| *unit == 0);
            String::from_utf16_lossy(&entry.szExeFile[..length.unwrap()]) == name
        };
        all()
            .iter()
            .filter(|entry| has_name(entry))
            .map(|entry| entry.th32ProcessID)
            .collect()
    }

    fn all() -> Vec<PROCESSENTRY32W> {
        // SAFETY: nothing is pointed to.
        let snapshot = unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0) };
        assert_ne!(snapshot, INVALID_HANDLE_VALUE);
        // SAFETY: it was just created and belongs to nobody else.
        let snapshot = unsafe { OwnedHandle::from_raw_handle(snapshot) };
        let mut entry = PROCESSENTRY32W::default();
        entry.dwSize = u32::try_from(size_of_val(&entry)).unwrap();
        let mut entries = Vec::new();
        // SAFETY: the handle is open, and the pointer is to a live value that tells its size.
        let mut found = unsafe { Process32FirstW(snapshot.as_raw_handle(), &raw mut entry) };
        while found != 0 {
            entries.push(entry);
            // SAFETY: as above.
            found = unsafe { Process32NextW(snapshot.as_raw_handle(), &raw mut entry) };
        }
        entries
    }

    fn open(pid: u32, access: u32) -> Option<OwnedHandle> {
        // SAFETY: nothing is pointed to.
        let process = unsafe { OpenProcess(access, 0, pid) };
        // SAFETY: it was just opened and belongs to nobody else.
        (!process.is_null()).then(|| unsafe { OwnedHandle::from_raw_handle(process) })
    }
}
