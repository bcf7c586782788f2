//! What is printed in the end.

use std::collections::HashMap;

use hdrhistogram::Histogram;

use super::{SoakOptions, nemesis::Kills};
use crate::{
    checker::{Class, Faults, Record, Told},
    ledger,
};

/// What workers did, by request.
pub(super) type Ledger = HashMap<u64, Vec<ledger::Entry>>;

pub(super) fn percentiles(histogram: &Histogram<u64>) -> String {
    let ms = |us: u64| us as f64 / 1000.0;
    let at = |part| ms(histogram.value_at_quantile(part));
    format!(
        "p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
        at(0.5),
        at(0.99),
        ms(histogram.max())
    )
}

fn took_us(record: &Record) -> u64 {
    (record.ended_ns - record.begun_ns) / 1000
}

pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 120_000_000, 3).expect("the bounds are good")
}

/// A kill that the client did not notice: the request was begun in the killed process, and was answered all the same.
pub(super) fn is_masked(record: &Record, ledger: &Ledger, faults: &Faults) -> bool {
    let Some(entries) = ledger.get(&record.id) else {
        return false;
    };
    let of = |entry: &ledger::Entry| (entry.life(), entry.attempt);
    let last = entries.last().map(of);
    let was_hit = entries
        .iter()
        .any(|entry| faults.killed(entry, record.ended_ns).is_some() && Some(of(entry)) != last);
    was_hit && !record.is_deadly() && matches!(record.told, Told::Done { .. })
}

/// Prints what happened and what it cost.
pub(super) fn report(
    options: &SoakOptions,
    records: &[Record],
    ledger: &Ledger,
    kills: &Kills,
    faults: &Faults,
    status: &serde_json::Value,
) {
    let mut answers: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
    let mut latency = histogram();
    for record in records {
        let what = match &record.told {
            Told::Done { .. } => "ok".to_owned(),
            Told::Failed { code, outcome } => format!("{code} ({outcome})"),
            Told::Nothing => "nothing".to_owned(),
        };
        *answers
            .entry(format!("{:?}: {what}", record.class))
            .or_default() += 1;
        latency.saturating_record(took_us(record));
    }
    // What a kill cost that the client did not notice is the time above the median.
    let median = latency.value_at_quantile(0.5);
    let mut masked = histogram();
    for record in records {
        if is_masked(record, ledger, faults) {
            masked.saturating_record(took_us(record).saturating_sub(median).max(1));
        }
    }
    let mut ends: Vec<u64> = records.iter().map(|record| record.ended_ns).collect();
    ends.sort_unstable();
    let gap = ends
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .max()
        .unwrap_or_default();
    let pool = &status["pools"][0];
    println!(
        "{} clients, {} workers that sit {} ms on a call, {} s, seed {}",
        options.clients, options.workers, options.work_ms, options.seconds, options.seed
    );
    println!("faults: {:?}", kills.by_signal);
    println!(
        "requests: {}, replays: {}, deaths: {}, starts: {}",
        records.len(),
        pool["replayed"],
        pool["died"],
        pool["starts"]
    );
    for (what, count) in answers {
        println!("  {count:8}  {what}");
    }
    println!("latency: {}", percentiles(&latency));
    println!(
        "added by a masked kill ({} of them): {}",
        masked.len(),
        percentiles(&masked)
    );
    slowest(records, ledger);
    println!("longest gap without any answer: {:.1} ms", gap as f64 / 1e6);
}

/// The stories of the slowest, since an answer that was lost and found again would look like one of them.
fn slowest(records: &[Record], ledger: &Ledger) {
    let calls = records.iter().filter(|record| record.class != Class::Job);
    let mut calls: Vec<&Record> = calls.collect();
    calls.sort_unstable_by_key(|record| std::cmp::Reverse(took_us(record)));
    let (harmless, deadly): (Vec<&Record>, Vec<&Record>) =
        calls.into_iter().partition(|record| !record.is_deadly());
    for (what, slow) in [("slowest", harmless), ("slowest that was deadly", deadly)] {
        let Some(record) = slow.first() else {
            continue;
        };
        let ms = |at_ns: u64| at_ns.saturating_sub(record.begun_ns) / 1_000_000;
        let entries = ledger.get(&record.id).into_iter().flatten();
        let steps: Vec<String> = entries
            .map(|entry| {
                format!(
                    "{:?} by {} after {} ms",
                    entry.step,
                    entry.pid,
                    ms(entry.at_ns)
                )
            })
            .collect();
        println!(
            "{what}: {} ms, request {}, {:?}, {:?}, {:?}: {}",
            took_us(record) / 1000,
            record.id,
            record.class,
            record.misbehave,
            record.told,
            steps.join(", ")
        );
    }
}
