//! What is promised of a named pipe in particular. Other programs open it as if it were a file, once and without
//! waiting; these tests do the same with the standard library's files.
#![cfg(windows)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs::File,
    io::{Read, Write},
    os::windows::{fs::OpenOptionsExt, io::AsRawHandle},
    sync::{Arc, Barrier},
    time::Duration,
};

use standin_protocol::{Limits, Message};
use standin_transport::{
    Access, ConnectError, Connection, Endpoint, ListenError, Listener, MessageReader, ReadError,
    connect,
};
use windows_sys::Win32::{
    Foundation::{CloseHandle, LocalFree},
    Security::{
        Authorization::{
            ConvertSecurityDescriptorToStringSecurityDescriptorW,
            ConvertStringSecurityDescriptorToSecurityDescriptorW, GetSecurityInfo, SDDL_REVISION_1,
            SE_KERNEL_OBJECT,
        },
        DACL_SECURITY_INFORMATION, GetTokenInformation, OWNER_SECURITY_INFORMATION, RevertToSelf,
        SECURITY_ATTRIBUTES, SecurityIdentification, TOKEN_QUERY, TokenImpersonationLevel,
    },
    System::{
        LibraryLoader::{GetModuleHandleA, GetProcAddress},
        Pipes::ImpersonateNamedPipeClient,
        Threading::{GetCurrentThread, OpenThreadToken},
    },
};

const LIMIT: Duration = Duration::from_secs(30);

/// As many sessions as a Terminal Server has.
const CLIENTS: usize = 60;

fn endpoint() -> (Endpoint, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Endpoint::private(folder.path(), "pipe"), folder)
}

fn public() -> Access {
    Access::new(0o600, None)
}

/// Opens it as old programs do.
fn as_file(endpoint: &Endpoint) -> std::io::Result<File> {
    File::options()
        .read(true)
        .write(true)
        .open(endpoint.as_path())
}

/// Accepts for ever and answers each client with the one byte that it sent.
fn echo(listener: Listener) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        while let Ok(connection) = listener.accept().await {
            tokio::spawn(one_echo(connection));
        }
    })
}

async fn one_echo(connection: Connection) {
    let (writer, work) = standin_transport::message_writer(connection.clone());
    tokio::spawn(work);
    let mut reader = MessageReader::new(connection, Limits::default());
    let mut messages = Vec::new();
    while reader.read(&mut messages).await.is_ok() {
        for message in messages.drain(..) {
            if let Message::Request(request) = message {
                writer.send(standin_protocol::response_ok(
                    request.msgid,
                    &request.params,
                ));
            }
        }
    }
}

/// A request and its answer, by hand.
fn one_call(mut pipe: File, msgid: u8) {
    pipe.write_all(&[0x94, 0, msgid, 0xa1, b'm', 0x90]).unwrap();
    let mut answer = [0; 5];
    pipe.read_exact(&mut answer).unwrap();
    assert_eq!(answer, [0x94, 1, msgid, 0xc0, 0x90]);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_try_once_get_in_before_the_service_has_a_turn() {
    let (endpoint, _folder) = endpoint();
    let listener = Listener::bind(&endpoint, &public()).unwrap();
    // Nobody accepts yet.
    let early: Vec<File> = (0..30).map(|_| as_file(&endpoint).unwrap()).collect();
    let serving = echo(listener);
    let calls = tokio::task::spawn_blocking(move || {
        for (msgid, pipe) in early.into_iter().enumerate() {
            one_call(pipe, msgid as u8);
        }
    });
    calls.await.unwrap();
    serving.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_clients_at_once_all_get_in() {
    let (endpoint, _folder) = endpoint();
    let serving = echo(Listener::bind(&endpoint, &public()).unwrap());
    for _ in 0..5 {
        let all = (0..CLIENTS).map(|_| {
            let endpoint = endpoint.clone();
            tokio::spawn(async move { connect(&endpoint, LIMIT).await.map(drop) })
        });
        for one in all.collect::<Vec<_>>() {
            one.await.unwrap().unwrap();
        }
    }
    serving.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_probes_keeps_nobody_out() {
    let (endpoint, _folder) = endpoint();
    let serving = echo(Listener::bind(&endpoint, &public()).unwrap());
    let start = Arc::new(Barrier::new(9));
    let probers: Vec<_> = (0..8)
        .map(|_| {
            let (endpoint, start) = (endpoint.clone(), Arc::clone(&start));
            std::thread::spawn(move || {
                start.wait();
                for round in 0..100 {
                    // Old runtimes look for the file, or open and close it without a byte.
                    if round % 2 == 0 {
                        let _ = std::fs::metadata(endpoint.as_path());
                    } else {
                        let _ = as_file(&endpoint);
                    }
                }
            })
        })
        .collect();
    start.wait();
    for _ in 0..20 {
        connect(&endpoint, LIMIT).await.unwrap();
    }
    let ended = tokio::task::spawn_blocking(move || {
        probers
            .into_iter()
            .for_each(|prober| prober.join().unwrap());
    });
    ended.await.unwrap();
    // Every one of the instances that they took is free again.
    let all: Vec<_> = (0..CLIENTS).map(|_| connect(&endpoint, LIMIT)).collect();
    for one in all {
        one.await.unwrap();
    }
    serving.abort();
}

#[tokio::test]
async fn a_client_waits_for_a_busy_pipe_within_its_limit_and_gets_in_when_there_is_room() {
    let (endpoint, _folder) = endpoint();
    let listener = Listener::bind(&endpoint, &public()).unwrap();
    let mut taken = Vec::new();
    while let Ok(pipe) = as_file(&endpoint) {
        taken.push(pipe);
    }
    assert!(taken.len() >= 30, "only {} were free", taken.len());
    let limit = Duration::from_millis(100);
    assert!(matches!(
        connect(&endpoint, limit).await,
        Err(ConnectError::Busy { .. })
    ));
    let (waiting, accepted) = tokio::join!(connect(&endpoint, LIMIT), listener.accept());
    accepted.unwrap();
    waiting.unwrap();
}

#[tokio::test]
async fn clients_that_wait_get_in_when_the_service_is_started_again() {
    let (endpoint, _folder) = endpoint();
    drop(Listener::bind(&endpoint, &public()).unwrap());
    let waiting: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let endpoint = endpoint.clone();
            tokio::spawn(async move { connect(&endpoint, LIMIT).await.map(drop) })
        })
        .collect();
    tokio::task::yield_now().await;
    let serving = echo(Listener::bind(&endpoint, &public()).unwrap());
    for one in waiting {
        one.await.unwrap().unwrap();
    }
    serving.abort();
}

#[tokio::test]
async fn a_name_that_somebody_took_before_is_a_clear_error_with_his_number() {
    use tokio::net::windows::named_pipe::ServerOptions;
    let (endpoint, _folder) = endpoint();
    let _squatter = ServerOptions::new().create(endpoint.as_path()).unwrap();
    let refused = Listener::bind(&endpoint, &public()).expect_err("it is taken");
    let text = refused.to_string();
    assert!(
        text.contains(&format!("pid {}", std::process::id())),
        "{text}"
    );
    assert!(matches!(refused, ListenError::AlreadyRunning { .. }));
}

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

#[tokio::test]
async fn a_client_that_asks_only_to_read_attributes_takes_nothing_from_others() {
    let (endpoint, _folder) = endpoint();
    let listener = Listener::bind(&endpoint, &public()).unwrap();
    for _ in 0..200 {
        let probe = File::options().access_mode(0x80).open(endpoint.as_path());
        drop(probe);
        let (client, accepted) = tokio::join!(connect(&endpoint, LIMIT), listener.accept());
        client.unwrap();
        accepted.unwrap();
    }
}

/// Wine is known by a function that Windows does not have.
fn is_wine() -> bool {
    // SAFETY: both names end with a NUL, and the module is in every process.
    unsafe {
        let ntdll = GetModuleHandleA(c"ntdll.dll".as_ptr().cast());
        GetProcAddress(ntdll, c"wine_get_version".as_ptr().cast()).is_some()
    }
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

#[tokio::test]
async fn a_service_is_started_again_while_clients_of_the_dead_one_have_not_noticed() {
    let (endpoint, _folder) = endpoint();
    let mut asleep = Vec::new();
    for _ in 0..10 {
        let listener = Listener::bind(&endpoint, &public()).expect("nobody serves there");
        let (client, accepted) = tokio::join!(connect(&endpoint, LIMIT), listener.accept());
        asleep.push((client.unwrap(), as_file(&endpoint).unwrap()));
        accepted.unwrap();
    }
}

#[tokio::test]
async fn a_second_service_is_refused_even_while_the_first_has_no_room_for_anybody() {
    let (endpoint, _folder) = endpoint();
    let first = Listener::bind(&endpoint, &public()).unwrap();
    let mut taken = Vec::new();
    while let Ok(pipe) = as_file(&endpoint) {
        taken.push(pipe);
    }
    let refused = Listener::bind(&endpoint, &public()).expect_err("it is taken");
    assert!(
        matches!(refused, ListenError::AlreadyRunning { .. }),
        "{refused}"
    );
    drop((taken, first));
    Listener::bind(&endpoint, &public()).expect("the name is free again");
}
