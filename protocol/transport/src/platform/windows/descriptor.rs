//! Who may do what with a pipe, as a security descriptor that is always given: the system's own would let everybody
//! read.

use std::{ffi::c_void, io, ptr::null_mut};

use windows_sys::Win32::{
    Foundation::LocalFree,
    Security::{
        Authorization::{
            ConvertStringSecurityDescriptorToSecurityDescriptorW, ConvertStringSidToSidW,
            SDDL_REVISION_1,
        },
        GetSecurityDescriptorDacl, LookupAccountNameW, PSECURITY_DESCRIPTOR, SECURITY_ATTRIBUTES,
        SECURITY_MAX_SID_SIZE,
    },
};

use super::{identity, wide};
use crate::{Access, DescriptorError, ListenError};

/// What a client may do, and asks for when it opens a pipe: everything that reading and writing mean except
/// FILE_APPEND_DATA (0x4), which on a pipe is the right to make another instance of it and so to pose as its server.
pub(super) const CLIENT_RIGHTS: u32 = 0x0012_019b;

/// A descriptor as the system made it.
pub(super) struct Descriptor(PSECURITY_DESCRIPTOR);

// SAFETY: it is plain memory that nobody changes.
unsafe impl Send for Descriptor {}
// SAFETY: as above.
unsafe impl Sync for Descriptor {}

impl Descriptor {
    /// The one that the access to an endpoint comes to.
    pub(super) fn of(access: &Access) -> Result<Self, ListenError> {
        let text = match &access.descriptor {
            Some(text) => text.clone(),
            None => text_of(access)?,
        };
        Ok(Self::checked(&text)?)
    }

    fn checked(text: &str) -> Result<Self, DescriptorError> {
        let text = || text.to_owned();
        let descriptor = Self::parse(&text())
            .map_err(|why| DescriptorError::NotUnderstood { text: text(), why })?;
        match descriptor.has_list() {
            true => Ok(descriptor),
            false => Err(DescriptorError::Open { text: text() }),
        }
    }

    /// Whether it says at all who may do what. Without a list everybody may do everything.
    fn has_list(&self) -> bool {
        let (mut is_there, mut list, mut is_default) = (0, null_mut(), 0);
        // SAFETY: the descriptor is a live one, and the pointers are to live values.
        let told = unsafe {
            GetSecurityDescriptorDacl(
                self.0,
                &raw mut is_there,
                &raw mut list,
                &raw mut is_default,
            )
        };
        told != 0 && is_there != 0 && !list.is_null()
    }

    fn parse(text: &str) -> io::Result<Self> {
        let text = wide(text.as_ref());
        let mut descriptor = null_mut();
        // SAFETY: the text ends with a NUL, the pointer is to a live value, and the length is not wanted.
        let made = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor,
                null_mut(),
            )
        };
        if made == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self(descriptor))
    }

    /// As CreateNamedPipe takes it. The handle is not inherited.
    pub(super) fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: self.0,
            bInheritHandle: 0,
        }
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: the system made it for us, and this is the only owner.
        unsafe { LocalFree(self.0) };
    }
}

/// Whether a text is a descriptor for a pipe.
pub(crate) fn check_descriptor(text: &str) -> Result<(), DescriptorError> {
    Descriptor::checked(text).map(drop)
}

/// Network and anonymous logons are denied whatever else they are; this user, SYSTEM and administrators may do
/// everything; those who use a public endpoint may read and write.
fn text_of(access: &Access) -> Result<String, ListenError> {
    let own = identity::own_user();
    let mut text =
        format!("O:{own}G:{own}D:P(D;;GA;;;NU)(D;;GA;;;AN)(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;{own})");
    if access.is_public {
        let groups = access
            .group
            .iter()
            .flat_map(|groups| groups.split([',', ';']));
        let groups = groups.map(str::trim).filter(|group| !group.is_empty());
        let groups: Vec<_> = groups.map(sid_of).collect::<Result<_, _>>()?;
        // IU: whoever has logged on at a screen, a remote one included. Batch jobs and services have not.
        for group in ["IU"].into_iter().chain(groups.iter().map(String::as_str)) {
            text.push_str(&format!("(A;;{CLIENT_RIGHTS:#x};;;{group})"));
        }
    }
    Ok(text)
}

/// A user or group by name or SID, as its SID.
pub(crate) fn principal_id(name: &str) -> Option<String> {
    sid_of(name).ok()
}

/// The SID of a group or user, which may be one already.
fn sid_of(group: &str) -> Result<String, ListenError> {
    let unknown = || ListenError::UnknownGroup {
        group: group.to_owned(),
    };
    let name = wide(group.as_ref());
    if group.starts_with("S-1-") {
        let mut sid = null_mut();
        // SAFETY: the text ends with a NUL, and the pointer is to a live value.
        if unsafe { ConvertStringSidToSidW(name.as_ptr(), &raw mut sid) } == 0 {
            return Err(unknown());
        }
        // SAFETY: the system made it for us.
        unsafe { LocalFree(sid) };
        return Ok(group.to_owned());
    }
    let mut sid = [0u64; (SECURITY_MAX_SID_SIZE as usize).div_ceil(8)];
    let mut domain = [0u16; 256];
    let (mut sid_size, mut domain_length) = (size_of_val(&sid) as u32, domain.len() as u32);
    let mut kind = 0;
    // SAFETY: the name ends with a NUL, and the pointers are to live values of the sizes told.
    let found = unsafe {
        LookupAccountNameW(
            std::ptr::null(),
            name.as_ptr(),
            sid.as_mut_ptr().cast::<c_void>(),
            &raw mut sid_size,
            domain.as_mut_ptr(),
            &raw mut domain_length,
            &raw mut kind,
        )
    };
    if found == 0 {
        return Err(unknown());
    }
    identity::in_text(sid.as_mut_ptr().cast::<c_void>()).map_err(|_| unknown())
}
