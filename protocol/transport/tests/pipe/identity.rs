//! Who is at the other end: what a service knows of its client, and a client of its service.

use std::os::windows::io::AsRawHandle;

use standin_protocol::Limits;
use standin_transport::{Listener, MessageReader, ReadError, connect};
use windows_sys::Win32::{
    Foundation::{CloseHandle, LocalFree},
    Security::{
        Authorization::{ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1},
        GetTokenInformation, RevertToSelf, SECURITY_ATTRIBUTES, SecurityIdentification,
        TOKEN_QUERY, TokenImpersonationLevel,
    },
    System::{
        Pipes::ImpersonateNamedPipeClient,
        Threading::{GetCurrentThread, OpenThreadToken},
    },
};

use crate::setup::{LIMIT, as_file, endpoint, is_wine, public};

#[tokio::test]
async fn a_client_is_known_by_process_user_and_terminal_session() {
    let (endpoint, _folder) = endpoint();
    let listener = Listener::bind(&endpoint, &public()).unwrap();
    // Our own client, and one that opens it as a file: it asks for nothing in particular.
    let ours = connect(&endpoint, LIMIT).await.unwrap();
    let first = listener.accept().await.unwrap();
    let theirs = as_file(&endpoint).unwrap();
    let second = listener.accept().await.unwrap();
    for peer in [first.peer(), second.peer()] {
        assert_eq!(peer.pid, Some(std::process::id()));
        assert_eq!(peer.user, standin_transport::own_user());
        assert!(peer.user.starts_with("S-1-"), "{}", peer.user);
        assert!(peer.terminal_session.is_some());
    }
    assert_eq!(ours.peer().pid, Some(std::process::id()));
    drop(theirs);
    let mut reader = MessageReader::new(second, Limits::default());
    assert!(matches!(
        reader.read(&mut Vec::new()).await,
        Err(ReadError::Closed)
    ));
}

/// What a server may do with the token of its client.
fn level_of_client(pipe: &impl AsRawHandle) -> i32 {
    let (mut token, mut level, mut length) = (std::ptr::null_mut(), 0i32, 0);
    // SAFETY: the handle is open, the pointers are to live values of the sizes told, and the token is closed.
    unsafe {
        assert_ne!(ImpersonateNamedPipeClient(pipe.as_raw_handle()), 0);
        let opened = OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, 1, &raw mut token);
        assert_ne!(RevertToSelf(), 0);
        assert_ne!(opened, 0);
        let told = GetTokenInformation(
            token,
            TokenImpersonationLevel,
            (&raw mut level).cast(),
            4,
            &raw mut length,
        );
        CloseHandle(token);
        assert_ne!(told, 0);
    }
    level
}

// Wine lets a server act as its client whatever the client asked for. What it asks for is tested beside the code.
#[tokio::test]
async fn a_server_may_see_who_its_client_is_and_not_act_as_him() {
    use tokio::net::windows::named_pipe::ServerOptions;
    let (endpoint, _folder) = endpoint();
    // A client looks whom a pipe belongs to, and under Wine one without a descriptor belongs to nobody.
    let text: Vec<u16> = format!("O:{}D:P(A;;GA;;;WD)\0", standin_transport::own_user())
        .encode_utf16()
        .collect();
    let mut attributes = SECURITY_ATTRIBUTES {
        nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
        ..SECURITY_ATTRIBUTES::default()
    };
    // SAFETY: the text ends with a NUL, the pointers are to live values, and the descriptor is given back.
    let server = unsafe {
        let made = ConvertStringSecurityDescriptorToSecurityDescriptorW(
            text.as_ptr(),
            SDDL_REVISION_1,
            &raw mut attributes.lpSecurityDescriptor,
            std::ptr::null_mut(),
        );
        assert_ne!(made, 0);
        let server = ServerOptions::new()
            .create_with_security_attributes_raw(endpoint.as_path(), (&raw mut attributes).cast());
        LocalFree(attributes.lpSecurityDescriptor);
        server.unwrap()
    };
    let (client, connected) = tokio::join!(connect(&endpoint, LIMIT), server.connect());
    let client = client.unwrap();
    connected.unwrap();
    let level = level_of_client(&server);
    assert!(level == SecurityIdentification || is_wine(), "{level}");
    drop(client);
}

// Windows lets only few set an owner that they are not. Who may not has a system that protects his users by itself.
#[tokio::test]
async fn a_client_does_not_talk_to_a_server_that_belongs_to_another_user() {
    let (endpoint, _folder) = endpoint();
    let other = "S-1-5-21-1004336348-1177238915-682003330-1001";
    let access = public().with_descriptor(Some(format!("O:{other}D:P(A;;GA;;;WD)")));
    let Ok(_listener) = Listener::bind(&endpoint, &access) else {
        assert!(!is_wine(), "Wine lets everybody set it");
        return;
    };
    let refused = connect(&endpoint, LIMIT).await.expect_err("it is not ours");
    let why = std::error::Error::source(&refused).unwrap().to_string();
    assert_eq!(
        why,
        format!(
            "it is served by {other}, which is neither the system, nor a service, nor this user"
        )
    );
}
