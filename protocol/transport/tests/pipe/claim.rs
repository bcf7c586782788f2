//! A name belongs to one service at a time, and is free again when that one has ended.

use standin_transport::{ListenError, Listener, connect};

use crate::setup::{LIMIT, as_file, endpoint, public};

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
