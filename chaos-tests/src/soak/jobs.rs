//! What became of the jobs, as it stands in the store: each that was acknowledged is there once and has ended, and none
//! has become two.

use std::collections::HashMap;

use rusqlite::{Connection, OpenFlags};
use serde::Deserialize;

use crate::{
    checker::{Class, Record, Told},
    under_test::UnderTest,
};

/// Those that were acknowledged: the job's name, by the number in its arguments.
pub(super) type Acknowledged = HashMap<u64, String>;

/// A job in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    /// The number in its arguments.
    id: u64,
    has_ended: bool,
}

/// States of the store in which a job has ended: done, dead, unknown, cancelled.
const ENDED: [i64; 4] = [3, 4, 5, 6];

/// Every rule about jobs that was broken.
pub(super) fn check(
    under_test: &UnderTest,
    records: &[Record],
    acknowledged: &Acknowledged,
) -> Vec<String> {
    let kept = kept(under_test);
    println!(
        "jobs: {} acknowledged, {} in the store",
        acknowledged.len(),
        kept.len()
    );
    broken(&kept, records, acknowledged)
}

fn kept(under_test: &UnderTest) -> Vec<Kept> {
    #[derive(Deserialize)]
    struct Arguments {
        id: u64,
    }
    let file = under_test.folder.path().join("state").join("standin.db");
    if !file.exists() {
        return Vec::new();
    }
    let database = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .expect("the store is there");
    let text = "SELECT params, state FROM jobs JOIN job_params ON job_params.job = jobs.id";
    let mut statement = database.prepare(text).expect("it has such tables");
    let jobs = statement.query_map([], |row| {
        let params: Vec<u8> = row.get(0)?;
        let (arguments,): (Arguments,) = rmp_serde::from_slice(&params).expect("a list of a map");
        Ok(Kept {
            id: arguments.id,
            has_ended: ENDED.contains(&row.get(1)?),
        })
    });
    let jobs = jobs.expect("it can be read");
    jobs.collect::<Result<_, _>>().expect("it can be read")
}

fn broken(kept: &[Kept], records: &[Record], acknowledged: &Acknowledged) -> Vec<String> {
    let mut broken = Vec::new();
    let mut there: HashMap<u64, usize> = HashMap::new();
    for job in kept {
        *there.entry(job.id).or_default() += 1;
        if !job.has_ended {
            broken.push(format!("job {} has not ended: no answer", job.id));
        }
    }
    for record in records.iter().filter(|record| record.class == Class::Job) {
        let count = there.remove(&record.id).unwrap_or_default();
        let is_refused =
            matches!(&record.told, Told::Failed { outcome, .. } if outcome == "not_executed");
        let (least, most) = match acknowledged.contains_key(&record.id) {
            true => (1, 1),
            false if is_refused => (0, 0),
            // Its acknowledgement was lost.
            false => (0, 1),
        };
        if count < least {
            broken.push(format!("job {} is lost: no answer", record.id));
        } else if count > most {
            let rule = match most {
                0 => "no proof that there is none: not_executed, and it is there",
                _ => "happened twice: it has become",
            };
            broken.push(format!("job {} {rule} ({count})", record.id));
        }
    }
    for (id, count) in there {
        broken.push(format!(
            "nobody has asked for job {id}, which is there {count} times"
        ));
    }
    let mut by_name: HashMap<&String, u64> = HashMap::new();
    for (id, name) in acknowledged {
        if let Some(other) = by_name.insert(name, *id) {
            broken.push(format!("{other} and {id} are one job, {name}"));
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: u64, told: Told) -> Record {
        Record {
            id,
            class: Class::Job,
            nonce: id,
            misbehave: "",
            told,
            begun_ns: 0,
            ended_ns: 1,
        }
    }

    fn done(id: u64) -> Record {
        record(id, Told::Done { nonce: id })
    }

    fn failed(id: u64, outcome: &str) -> Record {
        let (code, outcome) = ("overloaded".to_owned(), outcome.to_owned());
        record(id, Told::Failed { code, outcome })
    }

    fn ended(id: u64) -> Kept {
        let has_ended = true;
        Kept { id, has_ended }
    }

    fn named(ids: &[u64]) -> Acknowledged {
        ids.iter().map(|id| (*id, format!("j{id}"))).collect()
    }

    #[test]
    fn jobs_that_are_there_once_break_no_rule() {
        let records = [
            done(1),
            // One that was acknowledged, and whose method failed.
            failed(2, "not_executed"),
            // Two whose acknowledgement was lost, one of them before it was taken.
            record(3, Told::Nothing),
            failed(4, "unknown"),
            failed(5, "not_executed"),
        ];
        let kept = [ended(1), ended(2), ended(3)];
        assert_eq!(broken(&kept, &records, &named(&[1, 2])), [""; 0]);
    }

    #[test]
    fn a_job_that_is_lost_or_doubled_or_open_or_there_although_it_was_refused_is_found() {
        let open = Kept {
            id: 1,
            has_ended: false,
        };
        for (kept, record, acknowledged, rule) in [
            (vec![], done(1), vec![1], "is lost"),
            (vec![ended(1), ended(1)], done(1), vec![1], "become (2)"),
            (
                vec![ended(1), ended(1)],
                failed(1, "unknown"),
                vec![],
                "become (2)",
            ),
            (vec![open], done(1), vec![1], "has not ended"),
            (
                vec![ended(1)],
                failed(1, "not_executed"),
                vec![],
                "no proof",
            ),
            (
                vec![ended(1), ended(2)],
                done(1),
                vec![1],
                "nobody has asked",
            ),
        ] {
            let broken = broken(&kept, &[record], &named(&acknowledged));
            assert!(
                broken.len() == 1 && broken[0].contains(rule),
                "{rule}: {broken:?}"
            );
        }
        let one = [(1, "same".to_owned()), (2, "same".to_owned())].into();
        let two = broken(&[ended(1), ended(2)], &[done(1), done(2)], &one);
        assert!(two.len() == 1 && two[0].contains("are one job"), "{two:?}");
    }
}
