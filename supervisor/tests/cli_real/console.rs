//! Consoles: a service gets one of its own that nobody sees, and somebody who attaches to it presses its keys.

use std::{
    ffi::c_void,
    os::windows::process::CommandExt,
    process::{Child, Command},
    ptr::{null, null_mut, without_provenance},
};

use windows_sys::Win32::System::{
    Console::{
        AttachConsole, CTRL_BREAK_EVENT, CTRL_C_EVENT, FreeConsole, GenerateConsoleCtrlEvent,
        SetConsoleCtrlHandler,
    },
    LibraryLoader::{GetModuleHandleA, GetProcAddress},
    Threading::{CREATE_NO_WINDOW, CreateRemoteThread, OpenProcess, PROCESS_ALL_ACCESS},
};

use crate::helpers::Ask;

/// The variable that makes this executable press a key: the key and whose console.
const PRESS: &str = "STANDIN_TEST_PRESS";

pub(crate) fn give_one_of_its_own(command: &mut Command) {
    command.creation_flags(CREATE_NO_WINDOW);
}

/// Presses a key in the service's console. A process has one console at a time, so another one does it.
pub(crate) fn ask_to_stop(service: &Child, ask: Ask) {
    let key = match ask {
        Ask::Interrupt => CTRL_C_EVENT,
        Ask::Terminate => CTRL_BREAK_EVENT,
    };
    let this = std::env::current_exe().expect("it is known");
    let pressed = Command::new(this)
        .args(["console::presses_a_key", "--exact"])
        .env(PRESS, format!("{key} {}", service.id()))
        .output()
        .expect("it starts");
    assert!(pressed.status.success(), "{pressed:?}");
}

/// This is no test: it is what [`ask_to_stop`] starts.
#[test]
fn presses_a_key() {
    let Ok(order) = std::env::var(PRESS) else {
        return;
    };
    let (key, console) = order.split_once(' ').expect("two numbers");
    let (key, console) = (key.parse().expect("a key"), console.parse().expect("a pid"));
    let last = || std::io::Error::last_os_error();
    // SAFETY: nothing is pointed to but a function that is always there.
    unsafe {
        FreeConsole();
        assert_ne!(AttachConsole(console), 0, "{}", last());
        assert_ne!(SetConsoleCtrlHandler(Some(not_for_us), 1), 0, "{}", last());
        if GenerateConsoleCtrlEvent(key, 0) == 0 {
            assert_eq!(key, CTRL_BREAK_EVENT, "{}", last());
            break_in(console);
        }
    }
}

/// Ctrl-Break where the console does not know that key, which is so in Wine 8: starts the thread in the service that the
/// console would start there.
fn break_in(service: u32) {
    // SAFETY: the routine is there in every process at the same place, and takes the key for its argument; the handles
    // are left to the end of this process, which is near.
    unsafe {
        let library = GetModuleHandleA(c"kernel32.dll".as_ptr().cast());
        let routine = GetProcAddress(library, c"CtrlRoutine".as_ptr().cast());
        let routine = routine.expect("every console program has it");
        let process = OpenProcess(PROCESS_ALL_ACCESS, 0, service);
        let thread = CreateRemoteThread(
            process,
            null(),
            0,
            Some(std::mem::transmute::<
                unsafe extern "system" fn() -> isize,
                unsafe extern "system" fn(*mut c_void) -> u32,
            >(routine)),
            without_provenance(CTRL_BREAK_EVENT as usize),
            0,
            null_mut(),
        );
        assert!(!thread.is_null(), "{}", std::io::Error::last_os_error());
    }
}

/// Whoever presses a key is attached to the console as well.
unsafe extern "system" fn not_for_us(_key: u32) -> i32 {
    1
}
