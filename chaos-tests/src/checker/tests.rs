use super::*;

fn entry(attempt: u64, step: Step) -> Entry {
    Entry {
        // The second attempt begins after the kill.
        at_ns: if attempt == 1 { 15 } else { 30 },
        pid: attempt as u32,
        // The second process is there before the first is killed.
        born_ns: 5,
        id: 1,
        attempt,
        step,
    }
}

fn verdict(class: Class, told: Told, entries: Vec<Entry>) -> Vec<String> {
    judge(class, told, entries, &killed(1, 20))
}

fn record(class: Class, told: Told) -> Record {
    Record {
        id: 1,
        class,
        nonce: 7,
        misbehave: "",
        told,
        begun_ns: 10,
        ended_ns: 90,
    }
}

fn judge(class: Class, told: Told, entries: Vec<Entry>, kills: &Kills) -> Vec<String> {
    // The process of the first attempt was killed while the request waited for it.
    judge_all(
        &[record(class, told)],
        &HashMap::from([(1, entries)]),
        kills,
        &[],
    )
}

fn judge_all(
    records: &[Record],
    ledger: &HashMap<u64, Vec<Entry>>,
    kills: &Kills,
    service: &[Kill],
) -> Vec<String> {
    check(
        records,
        ledger,
        &Faults::of(records, ledger, kills, service),
        2,
    )
}

fn at(ns: u64) -> Kill {
    Kill {
        from_ns: ns,
        done_ns: ns,
    }
}

fn killed(pid: u32, ns: u64) -> Kills {
    Kills::from([(pid, vec![at(ns)])])
}

fn failed(outcome: &str) -> Told {
    failed_with("worker_lost", outcome)
}

fn failed_with(code: &str, outcome: &str) -> Told {
    Told::Failed {
        code: code.into(),
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
    let deadly = Record {
        misbehave: "abort",
        ..record(Class::UntilEffect, failed_with("poisoned", "not_executed"))
    };
    let ledger = HashMap::from([(1, vec![entry(1, Step::Begun)])]);
    assert!(judge_all(&[deadly], &ledger, &Kills::new(), &[]).is_empty());
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
            failed_with("internal", "unknown"),
            vec![],
            "no fault explains",
        ),
        (
            Class::Always,
            failed_with("deadline_exceeded", "not_executed"),
            vec![],
            "idempotent call failed",
        ),
        (
            Class::Never,
            failed_with("overloaded", "not_executed"),
            vec![],
            "refused without a reason",
        ),
        (
            Class::Never,
            failed_with("outcome_unknown", "unknown"),
            vec![entry(1, begun)],
            "no fault explains",
        ),
        (
            Class::Never,
            failed("executed"),
            vec![entry(1, begun)],
            "no fault explains",
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
    assert!(lazy[0].contains("no fault explains"), "{lazy:?}");
    let lazy = judge(Class::Never, failed("unknown"), vec![], &nobody);
    assert!(lazy[0].contains("no fault explains"), "{lazy:?}");
    let again = vec![
        entry(1, Step::Begun),
        entry(2, Step::Begun),
        entry(2, Step::Answering),
    ];
    let done = Told::Done { nonce: 7 };
    let twice = judge(Class::Always, done.clone(), again.clone(), &nobody);
    assert!(twice[0].contains("no fault touched the first"), "{twice:?}");
    let early = judge(Class::Always, done, again, &killed(1, 50));
    assert!(
        early[0].contains("before the first worker was killed"),
        "{early:?}"
    );
}

#[test]
fn who_dies_with_the_service_is_hit_and_nobody_else_is() {
    let begun = [entry(1, Step::Begun)];
    let at_ns = begun[0].at_ns;
    let judge = |begun: &Entry, ended_ns, service: &[Kill]| {
        let record = Record {
            ended_ns,
            ..record(Class::Never, failed_with("outcome_unknown", "unknown"))
        };
        let ledger = HashMap::from([(1, vec![begun.clone()])]);
        judge_all(&[record], &ledger, &Kills::new(), service)
            .iter()
            .filter(|rule| rule.starts_with("request"))
            .count()
    };
    let kill = at(at_ns + 50);
    assert_eq!(judge(&begun[0], at_ns + 100, &[kill]), 0);
    let late = at(at_ns + 150);
    assert_eq!(
        judge(&begun[0], at_ns + 100, &[late]),
        1,
        "it was told before"
    );
    assert_eq!(judge(&begun[0], at_ns + 100, &[]), 1);
    // The next service answers soon. What it has started was not there when the one before was killed.
    let of_the_next = Entry {
        born_ns: kill.done_ns + 10,
        at_ns: kill.done_ns + 20,
        ..begun[0].clone()
    };
    assert_eq!(judge(&of_the_next, at_ns + 100, &[kill]), 1);
}

#[test]
fn a_worker_that_is_at_work_after_its_service_is_dead_is_caught() {
    let late = Entry {
        at_ns: 1_000_000_000,
        ..entry(1, Step::Begun)
    };
    let ledger = HashMap::from([(1, vec![late])]);
    let broken = judge_all(&[], &ledger, &Kills::new(), &[at(20)]);
    assert!(
        broken[0].contains("after its service was dead"),
        "{broken:?}"
    );
}

#[test]
fn a_later_process_of_the_same_number_is_another_process() {
    let replayed = vec![
        entry(1, Step::Begun),
        entry(2, Step::Begun),
        entry(2, Step::Answering),
    ];
    let both = Kills::from([(1, vec![at(20), at(1_000_000_000)])]);
    let done = Told::Done { nonce: 7 };
    assert!(judge(Class::Always, done, replayed, &both).is_empty());
    let later = Entry {
        at_ns: 40,
        born_ns: 30,
        ..entry(1, Step::Begun)
    };
    let ledger = HashMap::from([(1, vec![entry(1, Step::Begun), later.clone()])]);
    // A kill long before it began was that of somebody else, and so is one after somebody else began.
    for (kill, first, second) in [(20, Some(20), None), (50, None, Some(50))] {
        let faults = Faults::of(&[], &ledger, &killed(1, kill), &[]);
        assert_eq!(faults.killed(&entry(1, Step::Begun), u64::MAX), first);
        assert_eq!(faults.killed(&later, u64::MAX), second);
    }
}

#[test]
fn whoever_goes_on_was_not_killed() {
    let entries = vec![
        entry(1, Step::Begun),
        Entry {
            at_ns: 1_000_000_000,
            ..entry(1, Step::Answering)
        },
    ];
    let broken = verdict(Class::Never, failed("unknown"), entries);
    assert!(broken[0].contains("no fault explains"), "{broken:?}");
}

#[test]
fn a_deadly_request_excuses_only_itself() {
    let number = |id, at_ns| Entry {
        id,
        at_ns,
        ..entry(1, Step::Begun)
    };
    let deadly = Record {
        id: 2,
        misbehave: "abort",
        ..record(Class::Never, failed("unknown"))
    };
    let before = record(Class::Never, failed("unknown"));
    let ledger = HashMap::from([(1, vec![number(1, 15)]), (2, vec![number(2, 30)])]);
    let broken = judge_all(&[deadly, before], &ledger, &Kills::new(), &[]);
    assert!(
        broken.len() == 2 && broken[0].contains("request 1"),
        "{broken:?}"
    );
    assert!(broken[1].contains("more is unknown"), "{broken:?}");
}

#[test]
fn no_more_is_unknown_than_could_have_been_at_work() {
    let unknown = |id| Record {
        id,
        ..record(Class::Never, failed_with("outcome_unknown", "unknown"))
    };
    let judge = |count: u64, begun: bool| {
        let records: Vec<Record> = (1..=count).map(unknown).collect();
        let entries = |id| {
            let entry = Entry {
                id,
                ..entry(1, Step::Begun)
            };
            (id, if begun { vec![entry] } else { Vec::new() })
        };
        let ledger = (1..=count).map(entries).collect();
        judge_all(&records, &ledger, &Kills::new(), &[at(20)])
    };
    for begun in [true, false] {
        assert!(judge(4, begun).is_empty());
        assert!(judge(5, begun)[0].contains("more is unknown"));
    }
    let lost = |id| Record {
        id,
        ..record(Class::Never, failed("unknown"))
    };
    let two = judge_all(&[lost(1), lost(2)], &HashMap::new(), &killed(1, 20), &[]);
    assert!(two[0].contains("more is unknown"), "{two:?}");
}
