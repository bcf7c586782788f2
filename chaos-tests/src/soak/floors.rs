//! How much must have happened: a storm in which nobody died, or not everything was asked, has proved nothing.

use super::{
    SoakOptions,
    nemesis::Kills,
    report::{Ledger, is_masked},
    service_nemesis::Deaths,
};
use crate::checker::{Class, Faults, Record, Told};

/// Of what is planned at least this part happens: a machine may be slow, and a moment may find nobody at work.
const PART: u64 = 10;

/// In so many seconds each client makes one call, at least. Under Wine, beside other things, it was one in a second and a
/// half.
const SECONDS_A_CALL: u64 = 10;

/// What was too little.
pub(super) fn floors(
    options: &SoakOptions,
    records: &[Record],
    ledger: &Ledger,
    kills: &Kills,
    faults: &Faults,
    deaths: &Deaths,
) -> Vec<String> {
    let killed: usize = kills.killed.values().map(Vec::len).sum();
    let ms = options.seconds * 1000;
    let mut floors = vec![
        (
            "requests",
            records.len(),
            options.clients as u64 * options.seconds / SECONDS_A_CALL,
        ),
        (
            "kills of workers",
            killed,
            ms / options.kill_every_ms / PART,
        ),
        (
            "replays that nobody noticed",
            records
                .iter()
                .filter(|record| is_masked(record, ledger, faults))
                .count(),
            1,
        ),
    ];
    for class in classes(options) {
        let done =
            |record: &&Record| record.class == *class && matches!(record.told, Told::Done { .. });
        floors.push((name(*class), records.iter().filter(done).count(), 1));
    }
    if options.supervisor {
        let planned = ms / options.kill_supervisor_every_ms;
        floors.push((
            "kills of the service",
            deaths.kills.len(),
            (planned / PART).max(1),
        ));
        let recovering = deaths.while_it_recovered(records);
        floors.push(("kills while it recovered", recovering, 1));
    }
    let low = floors
        .into_iter()
        .filter(|(_, count, least)| (*count as u64) < *least);
    low.map(|(what, count, least)| format!("only {count} {what}, at least {least} were to be"))
        .collect()
}

fn classes(options: &SoakOptions) -> &'static [Class] {
    match options {
        SoakOptions { plain: true, .. } => &[Class::Always],
        SoakOptions {
            supervisor: true, ..
        } => &[
            Class::Always,
            Class::UntilEffect,
            Class::Never,
            Class::Keyed,
            Class::Job,
        ],
        _ => &[Class::Always, Class::UntilEffect, Class::Never],
    }
}

fn name(class: Class) -> &'static str {
    match class {
        Class::Always => "calls of `always` that were answered",
        Class::UntilEffect => "calls of `until_effect` that were answered",
        Class::Never => "calls of `never` that were answered",
        Class::Keyed => "calls with a key that were answered",
        Class::Job => "jobs that were done",
    }
}
