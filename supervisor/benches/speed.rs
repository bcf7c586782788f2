//! How much Standin adds to the barest relay there could be, measured in one run on the same payload.
//!
//! Absolute times on a shared machine mean little, so every figure stands beside the same figure of a raw relay:
//! client, relay and worker processes over Unix sockets, bytes copied by one epoll loop, nothing parsed. `cargo bench`
//! prints the table, `cargo bench -- sequential` (or `sixty`, `memory`) one part of it; this binary plays every part
//! itself, by its first argument.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints and looks at the clock"
)]

#[cfg(unix)]
#[path = "speed/load.rs"]
mod load;
#[cfg(unix)]
#[path = "speed/raw.rs"]
mod raw;
#[cfg(unix)]
#[path = "speed/setup.rs"]
mod setup;

#[cfg(windows)]
fn main() {
    println!("The benchmark runs on Unix only so far.");
}

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("raw-relay") => raw::relay(&arguments[2], &arguments[3]),
        Some("raw-worker") => raw::worker(&arguments[2]),
        Some("echo-worker") => setup::echo_worker(&arguments[2]),
        // What cargo passes on: its own flag, and the parts that are wanted.
        None | Some("--bench" | "sequential" | "sixty" | "memory") => table(&arguments[1..]),
        _ => return standin::run(std::env::args_os()),
    }
    std::process::ExitCode::SUCCESS
}

#[cfg(unix)]
fn table(wanted: &[String]) {
    let named = wanted.iter().any(|part| part != "--bench");
    let is_wanted = |part: &str| !named || wanted.iter().any(|wanted| wanted == part);
    if is_wanted("sequential") {
        sequential();
    }
    if is_wanted("sixty") {
        sixty();
    }
    if is_wanted("memory") {
        setup::memory(&[60, 10_000]);
    }
}

#[cfg(unix)]
fn sequential() {
    use load::Load;
    println!("Sequential round trips of one client, everything pinned to one core:");
    for size in [32, 64 * 1024] {
        let calls = if size > 1000 { 5_000 } else { 30_000 };
        let load = Load {
            clients: 1,
            depth: 1,
            size,
            calls,
        };
        setup::pinned(true);
        let direct = setup::direct(load);
        let relay = setup::relay(load);
        let standin = setup::standin(load, 1);
        setup::pinned(false);
        for (name, result) in [
            ("direct", &direct),
            ("raw relay", &relay),
            ("standin", &standin),
        ] {
            println!(
                "  {size:>6} bytes  {name:9}  p50 {:7.1} us  p99 {:7.1} us  {:8.0}/s",
                result.p50_us(),
                result.p99_us(),
                result.per_second
            );
        }
        println!(
            "  {size:>6} bytes  p50 {:.2} of the raw relay, calls per second {:.2} of it",
            standin.p50_us() / relay.p50_us(),
            standin.per_second / relay.per_second
        );
    }
}

#[cfg(unix)]
fn sixty() {
    use load::Load;
    println!("Sixty clients, four workers, on all cores:");
    for (depth, size, concurrency) in [(1, 32, 1), (16, 32, 64), (1, 64 * 1024, 1)] {
        let calls = if size > 1000 {
            300
        } else {
            60_000 / 60 * depth
        };
        let load = Load {
            clients: 60,
            depth,
            size,
            calls,
        };
        let relay = setup::relay(load);
        let standin = setup::standin(load, concurrency);
        println!(
            "  {depth:>2} deep {size:>6} bytes  raw relay {:8.0}/s  standin {:8.0}/s (p50 {:.0} us, p99 {:.0} us)  {:.2} of it",
            relay.per_second,
            standin.per_second,
            standin.p50_us(),
            standin.p99_us(),
            standin.per_second / relay.per_second
        );
    }
}
