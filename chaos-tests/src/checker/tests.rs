use super::*;

fn entry(attempt: u64, step: Step) -> Entry {
    Entry {
        // The second attempt begins after the kill.
        at_ns: if attempt == 1 { 15 } else { 30 },
        pid: attempt as u32,
        id: 1,
        attempt,
        step,
    }
}

fn verdict(class: Class, told: Told, entries: Vec<Entry>) -> Vec<String> {
    judge(class, told, entries, &Kills::from([(1, vec![20])]))
}

fn judge(class: Class, told: Told, entries: Vec<Entry>, killed_ns: &Kills) -> Vec<String> {
    let record = Record {
        id: 1,
        class,
        nonce: 7,
        misbehaves: false,
        told,
        begun_ns: 10,
        ended_ns: 90,
    };
    // The process of the first attempt was killed while the request waited for it.
    let ledger = HashMap::from([(1, entries)]);
    let faults = Faults::of(&[], &ledger, killed_ns);
    check(&[record], &ledger, &faults)
}

fn failed(outcome: &str) -> Told {
    Told::Failed {
        code: "worker_lost".into(),
        outcome: outcome.into(),
    }
}

#[test]
fn an_honest_history_passes() {
    let done = Told::Done { nonce: 7 };
    let replayed = vec![
        entry(1, Step::Begun),
        entry(2, Step::Begun),
        entry(2, Step::Answering),
    ];
    assert!(verdict(Class::Always, done, replayed).is_empty());
    assert!(verdict(Class::Never, failed("unknown"), vec![entry(1, Step::Begun)]).is_empty());
    assert!(verdict(Class::Never, failed("not_executed"), vec![]).is_empty());
}

#[test]
fn each_lie_is_caught() {
    let (begun, effect, answering) = (Step::Begun, Step::Effect, Step::Answering);
    let done = |nonce| Told::Done { nonce };
    let lies = [
        (
            Class::Never,
            done(7),
            vec![entry(1, begun), entry(2, begun), entry(2, answering)],
            "begun twice",
        ),
        (
            Class::UntilEffect,
            done(7),
            vec![entry(1, effect), entry(2, effect), entry(2, answering)],
            "effect happened twice",
        ),
        (
            Class::Always,
            done(8),
            vec![entry(1, begun), entry(1, answering)],
            "another request",
        ),
        (Class::Always, done(7), vec![entry(1, begun)], "invented"),
        (
            Class::UntilEffect,
            done(7),
            vec![entry(1, begun), entry(1, answering)],
            "exactly one effect",
        ),
        (
            Class::Never,
            failed("not_executed"),
            vec![entry(1, begun)],
            "no proof",
        ),
        (
            Class::Always,
            failed("unknown"),
            vec![entry(1, begun)],
            "idempotent call failed",
        ),
        (
            Class::Never,
            Told::Failed {
                code: "internal".into(),
                outcome: "unknown".into(),
            },
            vec![],
            "nothing was ever begun",
        ),
        (Class::Always, Told::Nothing, vec![], "no answer"),
        (
            Class::Always,
            done(7),
            vec![entry(1, begun), entry(2, begun), entry(1, answering)],
            "still alive",
        ),
    ];
    for (class, told, entries, rule) in lies {
        let broken = verdict(class, told.clone(), entries);
        assert!(
            broken.iter().any(|line| line.contains(rule)),
            "{rule} was not caught: {told:?} {broken:?}"
        );
    }
}

#[test]
fn an_unknown_or_a_second_attempt_without_a_fault_is_caught() {
    let nobody = Kills::new();
    let begun = vec![entry(1, Step::Begun)];
    let lazy = judge(Class::Never, failed("unknown"), begun, &nobody);
    assert!(lazy[0].contains("no fault touched it"), "{lazy:?}");
    let lazy = judge(Class::Never, failed("unknown"), vec![], &nobody);
    assert!(lazy[0].contains("no fault touched it"), "{lazy:?}");
    let again = vec![
        entry(1, Step::Begun),
        entry(2, Step::Begun),
        entry(2, Step::Answering),
    ];
    let done = Told::Done { nonce: 7 };
    let twice = judge(Class::Always, done.clone(), again.clone(), &nobody);
    assert!(twice[0].contains("no fault touched the first"), "{twice:?}");
    let early = judge(Class::Always, done, again, &Kills::from([(1, vec![50])]));
    assert!(
        early[0].contains("before the first worker was killed"),
        "{early:?}"
    );
}

#[test]
fn who_dies_with_the_service_is_hit_and_nobody_else_is() {
    let begun = vec![entry(1, Step::Begun)];
    let ledger = HashMap::from([(1, begun.clone())]);
    let record = |ended_ns| Record {
        id: 1,
        class: Class::Never,
        nonce: 7,
        misbehaves: false,
        told: failed("unknown"),
        begun_ns: 0,
        ended_ns,
    };
    let judge = |ended_ns, killed_ns: &[u64]| {
        let records = [record(ended_ns)];
        let faults = Faults::of(&records, &ledger, &Kills::new());
        let faults = faults.with_kills_of_the_service(killed_ns);
        check(&records, &ledger, &faults).len()
    };
    let at_ns = begun[0].at_ns;
    assert_eq!(judge(at_ns + 100, &[at_ns + 50]), 0);
    assert_eq!(judge(at_ns + 100, &[at_ns + 150]), 1, "it was told before");
    assert_eq!(judge(at_ns + 100, &[]), 1);
}

#[test]
fn a_later_process_of_the_same_number_is_another_process() {
    let replayed = vec![
        entry(1, Step::Begun),
        entry(2, Step::Begun),
        entry(2, Step::Answering),
    ];
    let both = Kills::from([(1, vec![20, 1_000_000_000])]);
    let done = Told::Done { nonce: 7 };
    assert!(judge(Class::Always, done, replayed, &both).is_empty());
    // A kill long before it began was that of somebody else.
    let entry = Entry {
        at_ns: 1_000_000_000,
        ..entry(1, Step::Begun)
    };
    let faults = Faults::of(&[], &HashMap::new(), &Kills::from([(1, vec![20])]));
    assert_eq!(faults.killed(&entry, u64::MAX), None);
}
