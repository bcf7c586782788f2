//! The main promise, in short: sixty clients, workers killed, stopped and misbehaving, and no client notices more
//! than it must.

use std::process::Command;

#[test]
fn no_client_notices_a_storm_of_kills() {
    for seed in ["7", "8"] {
        let soak = Command::new(env!("CARGO_BIN_EXE_chaos-tests"))
            .args(["soak", "--seconds", "5", "--seed", seed])
            .output()
            .expect("it can be started");
        let said = String::from_utf8_lossy(&soak.stdout);
        assert!(
            soak.status.success(),
            "{said}{}",
            String::from_utf8_lossy(&soak.stderr)
        );
        // It fails if too few died, or if not everything was asked and replayed.
        assert!(said.contains("broken invariants: 0"), "{said}");
    }
}
