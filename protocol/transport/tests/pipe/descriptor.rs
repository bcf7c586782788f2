//! Who may open a pipe: the security descriptor, and the way over the network.

use std::{fs::File, os::windows::io::AsRawHandle};

use standin_transport::{Access, ListenError, Listener};
use windows_sys::Win32::{
    Foundation::LocalFree,
    Security::{
        Authorization::{
            ConvertSecurityDescriptorToStringSecurityDescriptorW, GetSecurityInfo, SDDL_REVISION_1,
            SE_KERNEL_OBJECT,
        },
        DACL_SECURITY_INFORMATION, OWNER_SECURITY_INFORMATION,
    },
};

use crate::setup::{as_file, endpoint, is_wine, public};

/// The descriptor that is in force, as the system tells it.
fn descriptor(pipe: &File) -> String {
    let mut descriptor = std::ptr::null_mut();
    let wanted = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    let mut text = std::ptr::null_mut();
    // SAFETY: the handle is open, the pointers are to live values, and what is not wanted is null.
    unsafe {
        let status = GetSecurityInfo(
            pipe.as_raw_handle(),
            SE_KERNEL_OBJECT,
            wanted,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            &raw mut descriptor,
        );
        assert_eq!(status, 0);
        let made = ConvertSecurityDescriptorToStringSecurityDescriptorW(
            descriptor,
            SDDL_REVISION_1,
            wanted,
            &raw mut text,
            std::ptr::null_mut(),
        );
        assert_ne!(made, 0);
        let length = (0..).take_while(|&index| *text.add(index) != 0).count();
        let copied = String::from_utf16(std::slice::from_raw_parts(text, length)).unwrap();
        LocalFree(text.cast());
        LocalFree(descriptor);
        copied
    }
}

#[tokio::test]
async fn the_descriptor_in_force_lets_users_read_and_write_and_nobody_pose_as_the_service() {
    let (endpoint, _folder) = endpoint();
    let _listener = Listener::bind(
        &endpoint,
        &Access::new(0o600, Some("S-1-5-6, S-1-5-3".into())),
    )
    .unwrap();
    let text = descriptor(&as_file(&endpoint).unwrap());
    let own = standin_transport::own_user();
    assert!(text.starts_with(&format!("O:{own}D:P")), "{text}");
    for entry in [
        "(D;;GA;;;NU)".to_owned(),
        "(D;;GA;;;AN)".to_owned(),
        "(A;;GA;;;SY)".to_owned(),
        "(A;;GA;;;BA)".to_owned(),
        format!("(A;;GA;;;{own})"),
        "(A;;0x12019b;;;IU)".to_owned(),
        "(A;;0x12019b;;;SU)".to_owned(),
        "(A;;0x12019b;;;S-1-5-3)".to_owned(),
    ] {
        assert!(text.contains(&entry), "{entry} is missing in {text}");
    }
    // The right to make instances of the pipe, which reading and writing do not need.
    assert_eq!(0x12_019b & 0x4, 0);
    assert_eq!(text.matches('(').count(), 8, "{text}");
}

#[tokio::test]
async fn a_private_pipe_is_for_its_owner_the_system_and_administrators() {
    let (endpoint, _folder) = endpoint();
    let _listener = Listener::bind_private(&endpoint).unwrap();
    let text = descriptor(&as_file(&endpoint).unwrap());
    assert!(!text.contains("IU") && !text.contains("WD"), "{text}");
    assert_eq!(text.matches("(A;").count(), 3, "{text}");
}

#[tokio::test]
async fn a_descriptor_of_ones_own_is_taken_as_it_is_or_explained() {
    let (endpoint, _folder) = endpoint();
    let mut access = public();
    access.descriptor = Some("D:P(A;;GA;;;WD)".into());
    let listener = Listener::bind(&endpoint, &access).unwrap();
    assert!(descriptor(&as_file(&endpoint).unwrap()).contains("D:P(A;;GA;;;WD)"));
    drop(listener);
    for (text, says) in [
        ("D:(A;;GA;;;XX)", "`D:(A;;GA;;;XX)` is not understood"),
        ("everybody", "`everybody` is not understood"),
        // No list at all, and an empty pointer to one: everybody may do everything, over the network too.
        ("O:BA", "`O:BA` has no list of who may do what"),
        ("D:NO_ACCESS_CONTROL", "has no list of who may do what"),
    ] {
        // Wine takes it for a list with nobody in it.
        if text == "D:NO_ACCESS_CONTROL" && is_wine() {
            continue;
        }
        access.descriptor = Some(text.into());
        let error = Listener::bind(&endpoint, &access).expect_err(text);
        let why = error.to_string();
        assert!(why.contains(says) && why.contains("(hint: it "), "{why}");
        assert_eq!(Access::check_descriptor(text).unwrap_err().to_string(), why);
    }
    let unknown = Access::new(0o600, Some("no-such-group-here".into()));
    let error = Listener::bind(&endpoint, &unknown).expect_err("there is none");
    assert!(matches!(error, ListenError::UnknownGroup { .. }), "{error}");
}

// Under Wine there is no way to a pipe of this machine by its network name in the first place.
#[tokio::test]
async fn a_client_that_comes_over_the_network_is_refused() {
    let (endpoint, _folder) = endpoint();
    let _listener = Listener::bind(&endpoint, &public()).unwrap();
    let name = endpoint.to_string().replace(r"\\.\", r"\\localhost\");
    assert!(name.starts_with(r"\\localhost\pipe\"), "{name}");
    File::options()
        .read(true)
        .write(true)
        .open(name)
        .unwrap_err();
    as_file(&endpoint).expect("the short way is open");
}
