//! One process, created into its job. There is no moment in which it exists outside of it, so it does not matter when
//! whoever creates it is killed; and it inherits three handles and no other.
//!
//! The standard library can do neither: it hands out every handle that happens to be inheritable.

use std::{
    ffi::c_void,
    io,
    marker::PhantomData,
    os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle},
    ptr::{null, null_mut},
};

use windows_sys::Win32::{
    Foundation::{HANDLE, HANDLE_FLAG_INHERIT, SetHandleInformation},
    System::Threading::{
        CREATE_NO_WINDOW, CREATE_UNICODE_ENVIRONMENT, CreateProcessW,
        DeleteProcThreadAttributeList, EXTENDED_STARTUPINFO_PRESENT,
        InitializeProcThreadAttributeList, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
        PROC_THREAD_ATTRIBUTE_JOB_LIST, PROCESS_INFORMATION, STARTF_USESTDHANDLES, STARTUPINFOEXW,
        UpdateProcThreadAttribute,
    },
};

/// What a process is made from. The texts end with a zero.
pub(super) struct Plan<'a> {
    pub(super) program: &'a [u16],
    pub(super) command_line: Vec<u16>,
    pub(super) environment: &'a [u16],
    pub(super) folder: Option<&'a [u16]>,
    /// Its stdin, stdout and stderr.
    pub(super) streams: [BorrowedHandle<'a>; 3],
    pub(super) job: BorrowedHandle<'a>,
}

/// Creates the process; it runs at once. It has no window, and a console of its own that nobody sees, so a Ctrl-C in
/// ours is none of its business.
pub(super) fn create(plan: &mut Plan<'_>) -> io::Result<(OwnedHandle, u32)> {
    let streams = plan.streams.map(|stream| stream.as_raw_handle());
    let jobs = [plan.job.as_raw_handle()];
    let mut attributes = Attributes::new(2)?;
    attributes.set(PROC_THREAD_ATTRIBUTE_HANDLE_LIST, &streams)?;
    attributes.set(PROC_THREAD_ATTRIBUTE_JOB_LIST, &jobs)?;
    let mut startup = STARTUPINFOEXW::default();
    startup.StartupInfo.cb = u32::try_from(size_of_val(&startup)).expect("a small structure");
    startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    [
        startup.StartupInfo.hStdInput,
        startup.StartupInfo.hStdOutput,
        startup.StartupInfo.hStdError,
    ] = streams;
    startup.lpAttributeList = attributes.list();
    for stream in streams {
        // The list alone is not enough: what is in it must be inheritable too.
        // SAFETY: the handle is open.
        if unsafe { SetHandleInformation(stream, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT) } == 0 {
            return Err(io::Error::last_os_error());
        }
    }
    let mut created = PROCESS_INFORMATION::default();
    // SAFETY: the texts end with a zero and the environment with two, the command line is ours to be written to, and
    // the handles and the attributes live longer than the call.
    let done = unsafe {
        CreateProcessW(
            plan.program.as_ptr(),
            plan.command_line.as_mut_ptr(),
            null(),
            null(),
            1,
            CREATE_NO_WINDOW | CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT,
            plan.environment.as_ptr().cast::<c_void>(),
            plan.folder.map_or(null(), <[u16]>::as_ptr),
            (&raw const startup.StartupInfo).cast(),
            &raw mut created,
        )
    };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: both were just created and belong to nobody else.
    let (process, _thread) = unsafe {
        (
            OwnedHandle::from_raw_handle(created.hProcess),
            OwnedHandle::from_raw_handle(created.hThread),
        )
    };
    Ok((process, created.dwProcessId))
}

/// What a process can be given beyond the ordinary. It borrows all that it was set to.
struct Attributes<'a> {
    /// Words, because the list wants to be aligned.
    list: Vec<usize>,
    values: PhantomData<&'a [HANDLE]>,
}

impl<'a> Attributes<'a> {
    fn new(count: u32) -> io::Result<Attributes<'a>> {
        let mut size = 0;
        // SAFETY: without a list it only tells the size.
        unsafe { InitializeProcThreadAttributeList(null_mut(), count, 0, &raw mut size) };
        let mut list = vec![0usize; size.div_ceil(size_of::<usize>())];
        // SAFETY: the list is as large as it was just asked for.
        let done = unsafe {
            InitializeProcThreadAttributeList(list.as_mut_ptr().cast(), count, 0, &raw mut size)
        };
        if done == 0 {
            return Err(io::Error::last_os_error());
        }
        let values = PhantomData;
        Ok(Attributes { list, values })
    }

    fn set(&mut self, attribute: u32, handles: &'a [HANDLE]) -> io::Result<()> {
        let list = self.list();
        // SAFETY: the list was initialised, and the handles live as long as it does.
        let done = unsafe {
            let value = handles.as_ptr().cast::<c_void>();
            let (attribute, size) = (attribute as usize, size_of_val(handles));
            UpdateProcThreadAttribute(list, 0, attribute, value, size, null_mut(), null())
        };
        if done == 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(())
        }
    }

    fn list(&mut self) -> *mut c_void {
        self.list.as_mut_ptr().cast()
    }
}

impl Drop for Attributes<'_> {
    fn drop(&mut self) {
        // SAFETY: the list was initialised and is not used any more.
        unsafe { DeleteProcThreadAttributeList(self.list()) };
    }
}
