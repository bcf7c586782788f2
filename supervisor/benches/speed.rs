//! How much Standin adds to the barest relay there could be, measured in one run on the same payload.
//!
//! Absolute times on a shared machine mean little, so every figure stands beside the same figure of a raw relay:
//! client, relay and worker processes over Unix sockets, bytes copied by one epoll loop, nothing parsed. `cargo bench`
//! prints the table, `cargo bench -- sequential` (or another of its `PARTS`) one part of it; this binary plays every part
//! itself, by its first argument.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints and looks at the clock"
)]

#[cfg(unix)]
#[path = "speed/c_library.rs"]
mod c_library;
#[cfg(unix)]
#[path = "speed/callbacks.rs"]
mod callbacks;
#[cfg(unix)]
#[path = "speed/compare.rs"]
mod compare;
#[cfg(unix)]
#[path = "speed/floor.rs"]
mod floor;
#[cfg(unix)]
#[path = "speed/load.rs"]
mod load;
#[cfg(unix)]
#[path = "speed/promises.rs"]
mod promises;
#[cfg(unix)]
#[path = "speed/raw.rs"]
mod raw;
#[cfg(unix)]
#[path = "speed/setup.rs"]
mod setup;
#[cfg(unix)]
#[path = "speed/store.rs"]
mod store;

#[cfg(windows)]
fn main() {
    println!("The benchmark runs on Unix only so far.");
}

/// Every part, in the order in which they are measured. `deep` is the middle of `sessions`, for a profile.
#[cfg(unix)]
const PARTS: [(&str, fn()); 11] = [
    ("sequential", sequential),
    ("sixty", sixty),
    ("sessions", sessions),
    ("deep", deep),
    ("explain", explain),
    ("store", store::table),
    ("keys", promises::keys),
    ("jobs", promises::jobs),
    ("callbacks", callbacks::table),
    ("c", c_library::table),
    ("memory", || setup::memory(&[60, 10_000])),
];

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let is_part = |name: &str| PARTS.iter().any(|(part, _)| *part == name);
    match arguments.get(1).map(String::as_str) {
        Some("raw-relay") => raw::relay(&arguments[2], &arguments[3]),
        Some("raw-worker") => raw::worker(&arguments[2], None),
        Some("raw-keeper") => setup::raw_keeper(&arguments[2..]),
        Some("echo-worker") => setup::echo_worker(&arguments[2]),
        // What cargo passes on: its own flag, and the parts that are wanted.
        None | Some("--bench") => table(&arguments[1..]),
        Some(name) if is_part(name) => table(&arguments[1..]),
        _ => return standin::run(std::env::args_os()),
    }
    std::process::ExitCode::SUCCESS
}

#[cfg(unix)]
fn table(wanted: &[String]) {
    let named = wanted.iter().any(|part| part != "--bench");
    for (part, measure) in PARTS {
        if wanted.iter().any(|wanted| wanted == part) || !named && part != "deep" {
            measure();
        }
    }
}

#[cfg(unix)]
fn sequential() {
    println!("Sequential round trips of one client, everything pinned to one core:");
    setup::pinned(true);
    for size in [32, 64 * 1024] {
        let load = load::Load {
            clients: 1,
            depth: 1,
            size,
            calls: if size > 1000 { 2_000 } else { 10_000 },
            manner: load::Manner::Plain,
        };
        compare::rounds(load, 1, true);
    }
    setup::pinned(false);
}

#[cfg(unix)]
fn sixty() {
    println!("Sixty clients, four workers, on all cores:");
    for (depth, size, concurrency) in [(1, 32, 1), (16, 32, 64), (1, 64 * 1024, 1)] {
        let load = load::Load {
            clients: 60,
            depth,
            size,
            calls: if size > 1000 { 150 } else { 500 * depth },
            manner: load::Manner::Plain,
        };
        compare::rounds(load, concurrency, false);
    }
}

#[cfg(unix)]
const fn small(clients: usize, depth: usize, calls: usize) -> load::Load {
    load::Load {
        clients,
        depth,
        size: 32,
        calls,
        manner: load::Manner::Plain,
    }
}

#[cfg(unix)]
const SESSION: [(&str, load::Manner); 2] = [
    ("plain", load::Manner::Plain),
    ("session", load::Manner::Session("bench.echo")),
];

#[cfg(unix)]
fn sessions() {
    use load::Manner::Session;
    // Both in a session, where the second is written down: its answer, and its effect as well if it has one.
    let answer = [
        ("always", Session("bench.echo")),
        ("no effect", Session("bench.careful")),
    ];
    let effect = [
        ("always", Session("bench.echo")),
        ("effect", Session("bench.effect")),
    ];
    println!("What a session and its records cost; one client, everything pinned to one core:");
    setup::pinned(true);
    compare::manners(small(1, 1, 20_000), 1, SESSION);
    compare::manners(small(1, 1, 10_000), 1, answer);
    compare::manners(small(1, 1, 10_000), 1, effect);
    setup::pinned(false);
    println!("Sixty clients, four workers, on all cores:");
    compare::manners(small(60, 1, 1_000), 1, SESSION);
    deep();
    compare::manners(small(60, 1, 500), 1, answer);
    compare::manners(small(60, 1, 500), 1, effect);
}

#[cfg(unix)]
fn deep() {
    compare::manners(small(60, 16, 8_000), 64, SESSION);
}

#[cfg(unix)]
fn explain() {
    println!(
        "What the stories of standin explain cost; one client, everything pinned to one core:"
    );
    setup::pinned(true);
    compare::explained(small(1, 1, 20_000), 1);
    setup::pinned(false);
    println!("Sixty clients, four workers, on all cores:");
    compare::explained(small(60, 1, 1_000), 1);
    compare::explained(small(60, 16, 8_000), 64);
}
