//! The main promise of resumable sessions, in short: sixty clients, workers killed and the service killed as well, now and
//! then once more while it recovers, and no client notices more than it must.

use std::process::Command;

#[test]
fn no_client_notices_that_the_service_is_killed() {
    let soak = Command::new(env!("CARGO_BIN_EXE_chaos-tests"))
        .args(["soak", "--supervisor", "--seconds", "15", "--seed", "7"])
        .args(["--kill-supervisor-every-ms", "1500"])
        .output()
        .expect("it can be started");
    let said = String::from_utf8_lossy(&soak.stdout);
    assert!(
        soak.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&soak.stderr)
    );
    // It fails if too few died, of the workers, of the services, and of those that recovered, or if not everything was
    // asked. Jobs are the last to be served.
    assert!(said.contains("Job: ok"), "{said}");
}
