//! The state folder of the real service: who may use it, what is in it, and what a start after a kill does.

use std::{fs, path::Path};

use crate::helpers::{Ran, Service, run};

/// Serves on an endpoint of its own with the state folder of another, which it must not.
fn second_on(state: &Path) -> Ran {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let endpoint = crate::helpers::endpoint_in(folder.path());
    let state = state.to_str().expect("a plain name");
    run(&["serve", "--endpoint", &endpoint, "--state", state])
}

#[test]
fn a_second_service_on_the_same_state_folder_refuses_and_names_the_first() {
    let service = Service::start(&[]);
    assert_eq!(service.ask(&["call", "standin.ping"]).code, Some(0));
    let state = service.state();
    let second = second_on(&state);
    assert_eq!(second.code, Some(3), "{}", second.stderr);
    let owner = format!(
        "another service (pid {}) uses the state folder",
        service.pid()
    );
    assert!(second.stderr.contains(&owner), "{}", second.stderr);
    assert!(
        second.stderr.contains(&state.display().to_string()),
        "{}",
        second.stderr
    );
    assert_eq!(service.ask(&["call", "standin.ping"]).code, Some(0));
}

#[test]
fn the_status_says_where_the_state_is() {
    let service = Service::start(&[]);
    let status = service.ask(&["status"]).stdout;
    let line = format!("state in {}", service.state().display());
    assert!(status.lines().any(|it| it == line), "{line} in\n{status}");
}

#[test]
fn a_damaged_database_keeps_the_service_from_starting_and_is_not_touched() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let database = folder.path().join("standin.db");
    fs::write(
        &database,
        "this is no database, but somebody may still want it",
    )
    .unwrap();
    let before = fs::read(&database).unwrap();
    let ran = second_on(folder.path());
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.contains("is damaged"), "{}", ran.stderr);
    assert!(ran.stderr.contains("backup"), "{}", ran.stderr);
    assert_eq!(fs::read(&database).unwrap(), before);
}

#[test]
fn an_empty_variable_is_as_good_as_none() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    fs::write(folder.path().join("standin.db"), "no database").unwrap();
    let config = folder.path().join("standin.toml");
    let endpoint = crate::helpers::endpoint_in(folder.path());
    let dir = folder.path().display();
    let settings = format!("[endpoint]\npath = '{endpoint}'\n[state]\ndir = '{dir}'\n");
    fs::write(&config, settings).unwrap();
    let config = config.to_str().expect("a plain name");
    let copy = folder.path().join("copy");
    let copy = copy.to_str().expect("a plain name");
    for arguments in [
        &["serve", "--config", config][..],
        &["backup", copy, "--config", config],
        &["serve", "--config", config, "--state", ""],
    ] {
        let mut command = crate::helpers::standin(arguments);
        for variable in ["STANDIN_STATE", "STANDIN_ENDPOINT", "STANDIN_LOG"] {
            command.env(variable, "");
        }
        let ran: Ran = command.output().expect("the binary starts").into();
        // It was to be that of the configuration, and that one is no good.
        assert_eq!(ran.code, Some(3), "{}", ran.stderr);
        assert!(ran.stderr.contains("is damaged"), "{}", ran.stderr);
    }
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_what_is_kept() {
    use std::os::unix::fs::PermissionsExt;
    let service = Service::start(&[]);
    assert_eq!(service.ask(&["call", "standin.ping"]).code, Some(0));
    let state = service.state();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    for file in [
        "standin.db",
        "standin.db-wal",
        "standin.db-shm",
        "standin.lock",
    ] {
        assert_eq!(mode(&state.join(file)), 0o600, "{file}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_service_that_is_told_to_stop_while_it_begins_does_not_begin() {
    let service = Service::start(&[]);
    assert_eq!(service.ask(&["call", "standin.ping"]).code, Some(0));
    let folder = service.kill();
    let state = folder.path().join("state");
    // It waits for this transaction before it writes that it begins.
    let other = rusqlite::Connection::open(state.join("standin.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let service = Service::start(&["--state", state.to_str().expect("a plain name")]);
    let pid = service.pid().to_string();
    crate::helpers::eventually("it has the folder", || {
        (fs::read_to_string(state.join("standin.pid")).ok()? == pid).then_some(())
    });
    let ran = service.stop();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let words = "told to stop before it had started";
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
}

#[test]
fn a_backup_is_made_of_a_service_that_runs_and_of_one_that_does_not() {
    let service = Service::start(&[]);
    assert_eq!(service.ask(&["call", "standin.ping"]).code, Some(0));
    let other = tempfile::tempdir().expect("there is room for a folder");
    let file = |name: &str| other.path().join(name).display().to_string();
    let (running, stopped) = (file("running.db"), file("stopped.db"));
    let backup = |arguments: &[&str]| run(&[&["backup"], arguments].concat());
    let endpoint = service.endpoint();
    let made = backup(&[&running, "--endpoint", &endpoint]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let state = service.state().display().to_string();
    assert!(made.stdout.contains(&state), "{}", made.stdout);
    assert!(made.stdout.contains(&running), "{}", made.stdout);

    let again = backup(&[&running, "--endpoint", &endpoint]);
    assert_eq!(again.code, Some(3), "{}", again.stderr);
    assert!(again.stderr.contains("not overwritten"), "{}", again.stderr);

    let folder = service.kill();
    let state = folder.path().join("state").display().to_string();
    let made = backup(&[&stopped, "--state", &state]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    assert!(fs::metadata(&stopped).unwrap().len() > 4096);

    let nothing = backup(&[
        &file("x.db"),
        "--state",
        &other.path().display().to_string(),
    ]);
    assert_eq!(nothing.code, Some(3), "{}", nothing.stderr);
    assert!(
        nothing.stderr.contains("standin status"),
        "{}",
        nothing.stderr
    );
}
