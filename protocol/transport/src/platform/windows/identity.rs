//! Who is at the other end, and who we are.
//!
//! Users are told by their SID as text. A client's user is taken from the token that the pipe itself carries. Programs
//! that open a pipe as if it were a file may have asked that their token be shown only with what they write; of them
//! the token of their process is looked at instead.

use std::{
    ffi::c_void,
    io,
    os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle},
    ptr::null_mut,
    sync::OnceLock,
};

use windows_sys::Win32::{
    Foundation::{HANDLE, LocalFree},
    Security::{
        Authorization::{ConvertSidToStringSidW, GetSecurityInfo, SE_KERNEL_OBJECT},
        CheckTokenMembership, CreateWellKnownSid, GetTokenInformation, OWNER_SECURITY_INFORMATION,
        PSID, RevertToSelf, SECURITY_MAX_SID_SIZE, SID_AND_ATTRIBUTES, TOKEN_GROUPS, TOKEN_QUERY,
        TOKEN_USER, TokenGroups, TokenUser, WinBuiltinAdministratorsSid,
    },
    System::{
        Pipes::{
            GetNamedPipeClientProcessId, GetNamedPipeClientSessionId, GetNamedPipeServerProcessId,
            ImpersonateNamedPipeClient,
        },
        SystemServices::{SE_GROUP_ENABLED, SE_GROUP_USE_FOR_DENY_ONLY},
        Threading::{
            GetCurrentProcess, GetCurrentThread, OpenProcess, OpenProcessToken, OpenThreadToken,
            PROCESS_QUERY_LIMITED_INFORMATION,
        },
    },
};

use crate::Peer;

/// The client of a server's end.
pub(super) fn of_client(pipe: BorrowedHandle<'_>) -> Peer {
    let pid = number(|number| {
        // SAFETY: the handle is open, and the pointer is to a live value.
        unsafe { GetNamedPipeClientProcessId(pipe.as_raw_handle(), number) }
    });
    let terminal_session = number(|number| {
        // SAFETY: as above.
        unsafe { GetNamedPipeClientSessionId(pipe.as_raw_handle(), number) }
    });
    let user = user_of_client(pipe).or_else(|_| {
        pid.ok_or_else(io::Error::last_os_error)
            .and_then(user_of_process)
    });
    let (user, is_administrator) = user.unwrap_or_default();
    Peer {
        pid,
        user,
        terminal_session,
        is_administrator,
    }
}

/// The server of a client's end. Its user is the one whom the pipe belongs to.
pub(super) fn of_server(pipe: BorrowedHandle<'_>) -> Peer {
    let pid = number(|number| {
        // SAFETY: the handle is open, and the pointer is to a live value.
        unsafe { GetNamedPipeServerProcessId(pipe.as_raw_handle(), number) }
    });
    Peer {
        pid,
        user: owner_of(pipe.as_raw_handle()).unwrap_or_default(),
        ..Peer::default()
    }
}

/// The server's process, of a client's end.
pub(super) fn server_pid(pipe: BorrowedHandle<'_>) -> Option<u32> {
    of_server(pipe).pid
}

fn number(ask: impl FnOnce(*mut u32) -> i32) -> Option<u32> {
    let mut number = 0;
    (ask(&raw mut number) != 0).then_some(number)
}

/// The user of this process.
pub(crate) fn own_user() -> &'static str {
    static OWN: OnceLock<String> = OnceLock::new();
    OWN.get_or_init(|| {
        let own = own_token().and_then(|token| user_of_token(&token));
        own.expect("a process can look at its own token")
    })
}

fn own_token() -> io::Result<OwnedHandle> {
    opened(|token| {
        // SAFETY: the pseudo handle is always open, and the pointer is to a live value.
        unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, token) }
    })
}

/// The user behind the pipe itself, and whether he is an administrator here and now.
fn user_of_client(pipe: BorrowedHandle<'_>) -> io::Result<(String, bool)> {
    let token = token_of_client(pipe)?;
    Ok((user_of_token(&token)?, is_administrator(&token)))
}

/// The groups of the user behind the pipe that are in force; of the process, where the pipe would not say.
pub(super) fn groups_of_client(pipe: BorrowedHandle<'_>) -> io::Result<Vec<String>> {
    let token = token_of_client(pipe).or_else(|_| {
        let pid = number(|number| {
            // SAFETY: the handle is open, and the pointer is to a live value.
            unsafe { GetNamedPipeClientProcessId(pipe.as_raw_handle(), number) }
        });
        pid.ok_or_else(io::Error::last_os_error)
            .and_then(token_of_process)
    })?;
    groups_of_token(&token)
}

/// The token that the pipe itself carries.
fn token_of_client(pipe: BorrowedHandle<'_>) -> io::Result<OwnedHandle> {
    // SAFETY: the handle is open.
    if unsafe { ImpersonateNamedPipeClient(pipe.as_raw_handle()) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // From here to the end of this block the thread is somebody else.
    let token = opened(|token| {
        // SAFETY: the pseudo handle is always open, and the pointer is to a live value. The token is opened with the
        // rights of the process, not with those of the client.
        unsafe { OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, 1, token) }
    });
    // SAFETY: there is nothing to point to.
    if unsafe { RevertToSelf() } == 0 {
        // A service that goes on with a client's rights is worse than none.
        std::process::abort();
    }
    token
}

fn user_of_process(pid: u32) -> io::Result<(String, bool)> {
    // Membership is asked of a client's own token only: a process may be another one by now.
    Ok((user_of_token(&token_of_process(pid)?)?, false))
}

fn token_of_process(pid: u32) -> io::Result<OwnedHandle> {
    // SAFETY: nothing is pointed to.
    let process = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid) };
    if process.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was just opened and belongs to nobody else.
    let process = unsafe { OwnedHandle::from_raw_handle(process) };
    opened(|token| {
        // SAFETY: the handle is open, and the pointer is to a live value.
        unsafe { OpenProcessToken(process.as_raw_handle(), TOKEN_QUERY, token) }
    })
}

fn opened(open: impl FnOnce(*mut HANDLE) -> i32) -> io::Result<OwnedHandle> {
    let mut handle = null_mut();
    if open(&raw mut handle) == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was just opened and belongs to nobody else.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

fn user_of_token(token: &OwnedHandle) -> io::Result<String> {
    // The structure and the SID behind it, aligned as the structure must be.
    let mut room = [0u64; (size_of::<TOKEN_USER>() + SECURITY_MAX_SID_SIZE as usize).div_ceil(8)];
    let mut length = 0;
    // SAFETY: the handle is open, and the pointers are to live values of the sizes told.
    let got = unsafe {
        GetTokenInformation(
            token.as_raw_handle(),
            TokenUser,
            room.as_mut_ptr().cast::<c_void>(),
            size_of_val(&room) as u32,
            &raw mut length,
        )
    };
    if got == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the system has just put such a structure there.
    let user = unsafe { &*room.as_ptr().cast::<TOKEN_USER>() };
    in_text(user.User.Sid)
}

/// The groups of a token that are in force, without those that only deny.
fn groups_of_token(token: &OwnedHandle) -> io::Result<Vec<String>> {
    let mut size = 0;
    // SAFETY: the handle is open; nothing but the size is asked for.
    unsafe {
        GetTokenInformation(
            token.as_raw_handle(),
            TokenGroups,
            null_mut(),
            0,
            &raw mut size,
        )
    };
    // Aligned as the structure must be, with room for its head if the size was not told.
    let mut room = vec![0u64; (size as usize).max(size_of::<TOKEN_GROUPS>()).div_ceil(8)];
    // SAFETY: the handle is open, and the pointers are to live values of the sizes told.
    let got = unsafe {
        GetTokenInformation(
            token.as_raw_handle(),
            TokenGroups,
            room.as_mut_ptr().cast::<c_void>(),
            size_of_val(room.as_slice()) as u32,
            &raw mut size,
        )
    };
    if got == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the system has just put such a structure there, with as many entries behind it as it says.
    let groups = unsafe {
        let head = room.as_ptr().cast::<TOKEN_GROUPS>();
        let first = (&raw const (*head).Groups).cast::<SID_AND_ATTRIBUTES>();
        std::slice::from_raw_parts(first, (*head).GroupCount as usize)
    };
    let in_force = |attributes: u32| {
        attributes & SE_GROUP_ENABLED as u32 != 0
            && attributes & SE_GROUP_USE_FOR_DENY_ONLY as u32 == 0
    };
    let groups = groups.iter().filter(|group| in_force(group.Attributes));
    groups.map(|group| in_text(group.Sid)).collect()
}

/// Whether the group of administrators is in force in a token that was shown for looking at.
fn is_administrator(token: &OwnedHandle) -> bool {
    let mut sid = [0u64; (SECURITY_MAX_SID_SIZE as usize).div_ceil(8)];
    let mut length = size_of_val(&sid) as u32;
    let mut is_member = 0;
    // SAFETY: the pointers are to live values of the sizes told, and the handle is open.
    unsafe {
        let sid = sid.as_mut_ptr().cast::<c_void>();
        CreateWellKnownSid(
            WinBuiltinAdministratorsSid,
            null_mut(),
            sid,
            &raw mut length,
        ) != 0
            && CheckTokenMembership(token.as_raw_handle(), sid, &raw mut is_member) != 0
            && is_member != 0
    }
}

/// Whom a pipe belongs to.
pub(super) fn owner_of(pipe: *mut c_void) -> io::Result<String> {
    let (mut owner, mut descriptor) = (null_mut(), null_mut());
    // SAFETY: the handle is open, the pointers are to live values, and what is not wanted is null.
    let status = unsafe {
        GetSecurityInfo(
            pipe,
            SE_KERNEL_OBJECT,
            OWNER_SECURITY_INFORMATION,
            &raw mut owner,
            null_mut(),
            null_mut(),
            null_mut(),
            &raw mut descriptor,
        )
    };
    if status != 0 {
        return Err(io::Error::from_raw_os_error(status as i32));
    }
    let owner = if owner.is_null() {
        Err(io::Error::other("it belongs to nobody"))
    } else {
        in_text(owner)
    };
    // SAFETY: the system made it for us, and the owner inside it is no longer needed.
    unsafe { LocalFree(descriptor) };
    owner
}

/// A SID as people write it: S-1-5-...
pub(super) fn in_text(sid: PSID) -> io::Result<String> {
    let mut text = null_mut();
    // SAFETY: the SID came from the system, and the pointer is to a live value.
    if unsafe { ConvertSidToStringSidW(sid, &raw mut text) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the system has made a text that ends with a NUL, and it is ours to free.
    unsafe {
        let length = (0..).take_while(|&index| *text.add(index) != 0).count();
        let copied = String::from_utf16_lossy(std::slice::from_raw_parts(text, length));
        LocalFree(text.cast::<c_void>());
        Ok(copied)
    }
}
