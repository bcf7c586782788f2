//! The library stays in the process once it is used, whoever unloads it: a 4GL client does after every call unless it is
//! told not to, and our connections would lose the ground under them.

#[cfg(windows)]
pub(crate) fn stay() {
    use std::sync::Once;

    use windows_sys::Win32::System::LibraryLoader::{
        GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_PIN, GetModuleHandleExW,
    };

    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let mut module = std::ptr::null_mut();
        let here = stay as fn() as *const u16;
        // SAFETY: with FROM_ADDRESS the name is not read, it is an address, and this function's lies in our module.
        unsafe {
            GetModuleHandleExW(
                GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                here,
                &raw mut module,
            );
        }
    });
}

/// Elsewhere the linker has said so (`clients/c/build.rs`).
#[cfg(not(windows))]
pub(crate) fn stay() {}
