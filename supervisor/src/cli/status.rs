//! `standin status`: what an administrator sees at a glance.

mod recovery;

use std::fmt::Write;

use super::{
    CommandError, client,
    options::StatusOptions,
    output,
    table::{self, printable},
    time::span,
    value,
};
use crate::{
    status::{DeathStatus, PoolStatus, QuotaStatus, ServiceStatus, UserStatus, WorkerStatus},
    store::JobCounts,
};

/// Deaths of a pool that are shown; the others are in `--json`.
const DEATHS_SHOWN: usize = 5;

pub(super) fn run(options: &StatusOptions) -> Result<(), CommandError> {
    let client = client::connect(&options.service)?;
    let call = client.request("standin.status");
    if options.json {
        output::json(&value::to_json(&client.send_raw(call)?));
    } else {
        let status: ServiceStatus = client.send(call)?;
        output::line(render(&status).trim_end());
    }
    Ok(())
}

fn render(status: &ServiceStatus) -> String {
    let mut out = String::new();
    let ServiceStatus {
        server,
        version,
        endpoint,
        pid,
        sessions,
        sessions_waiting,
        requests,
        state,
        jobs,
        ..
    } = status;
    let _ = writeln!(out, "{server} {version} on {endpoint}");
    if !state.is_empty() {
        let _ = writeln!(out, "state in {state}");
    }
    let waiting = match sessions_waiting {
        0 => String::new(),
        waiting => format!(", {waiting} waiting for their programs"),
    };
    let _ = writeln!(
        out,
        "pid {pid}, up {}, {}{waiting}",
        span(status.uptime_ms),
        count(*sessions as u64, "session")
    );
    let _ = writeln!(
        out,
        "{} answered, {} replayed, {} refused, {} failed",
        count(requests.answered, "call"),
        requests.replayed,
        requests.refused,
        requests.failed
    );
    if let Some(recovery) = status.recovery {
        recovery::render(&mut out, recovery);
    }
    if let Some(jobs) = jobs.filter(|jobs| *jobs != JobCounts::default()) {
        let JobCounts {
            queued,
            running,
            done,
            dead,
            unknown,
            cancelled,
        } = jobs;
        let _ = writeln!(
            out,
            "{} waiting, {running} running; kept: {done} done, {cancelled} cancelled, {dead} dead, {unknown} unknown",
            count(queued, "job")
        );
    }
    render_users(&mut out, status);
    for pool in &status.pools {
        render_pool(&mut out, pool);
    }
    out
}

fn render_users(out: &mut String, status: &ServiceStatus) {
    if status.users.is_empty() {
        return;
    }
    let QuotaStatus {
        sessions,
        requests,
        bytes,
    } = status.quotas;
    let _ = writeln!(
        out,
        "\nusers, each with {sessions} connections, {requests} unanswered calls and {} MiB at most:",
        bytes >> 20
    );
    let rows: Vec<_> = status.users.iter().map(user_row).collect();
    let headers = ["USER", "CONNECTIONS", "CALLS", "HELD", "REFUSED"];
    *out += &table::render(&headers, &rows, "  ");
}

fn user_row(user: &UserStatus) -> Vec<String> {
    vec![
        printable(&user.user),
        user.sessions.to_string(),
        user.requests.to_string(),
        format!("{} MiB", (user.waiting_bytes + user.kept_bytes) >> 20),
        user.refused.to_string(),
    ]
}

fn render_pool(out: &mut String, pool: &PoolStatus) {
    let PoolStatus {
        name,
        state,
        queued,
        running,
        ..
    } = pool;
    let _ = writeln!(
        out,
        "\n{name}: {state}; {} waiting, {running} running; {}, {}",
        count(*queued as u64, "call"),
        count(pool.starts, "start"),
        count(pool.died, "death")
    );
    let _ = writeln!(
        out,
        "  {} answered ({} of them after a replay), {} refused, {} failed",
        count(pool.answered, "call"),
        pool.answered_after_replay,
        pool.refused,
        pool.failed
    );
    if !pool.workers.is_empty() {
        let rows: Vec<_> = pool.workers.iter().map(worker_row).collect();
        let headers = [
            "SLOT", "PID", "STATE", "RUNNING", "ANSWERED", "UP", "MEMORY",
        ];
        *out += &table::render(&headers, &rows, "  ");
    }
    if let Some(restart_in_ms) = pool.restart_in_ms.filter(|ms| *ms > 0) {
        let _ = writeln!(
            out,
            "  The next try to start a process is in {}.",
            span(restart_in_ms)
        );
    }
    if pool.state == "stopped" {
        let _ = writeln!(
            out,
            "  Somebody has stopped it; standin pools start {} starts it.",
            printable(name)
        );
    }
    if pool.state == "degraded" && !pool.last_lines.is_empty() {
        out.push_str("  The last one that failed said:\n");
        for line in &pool.last_lines {
            let _ = writeln!(out, "  | {}", printable(line));
        }
    }
    for death in pool.deaths.iter().rev().take(DEATHS_SHOWN) {
        render_death(out, death);
    }
}

fn pid_text(pid: Option<u32>) -> String {
    pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string())
}

fn worker_row(worker: &WorkerStatus) -> Vec<String> {
    vec![
        worker.slot.to_string(),
        pid_text(worker.pid),
        worker.state.clone(),
        format!("{} of {}", worker.running, worker.concurrency),
        worker.requests.to_string(),
        span(worker.age_ms),
        // Nobody has measured one that is new.
        match worker.rss_bytes {
            0 => "-".to_owned(),
            bytes => format!("{} MiB", bytes >> 20),
        },
    ]
}

fn render_death(out: &mut String, death: &DeathStatus) {
    let harm = match (death.replayed, death.lost) {
        (0, 0) => "no call was lost".to_owned(),
        (replayed, 0) => format!(
            "{} went on elsewhere, none was lost",
            count(replayed.into(), "call")
        ),
        (0, lost) => format!("{} failed", count(lost.into(), "call")),
        (replayed, lost) => format!(
            "{} went on elsewhere, {lost} failed",
            count(replayed.into(), "call")
        ),
    };
    let (ago, pid) = (span(death.at_ms_ago), pid_text(death.pid));
    let _ = writeln!(
        out,
        "  {ago} ago: slot {}, pid {pid}: {}; {harm}",
        death.slot, death.cause
    );
}

/// A number with the thing it counts.
fn count(number: u64, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        recovery::{Interruption, RecoveryStatus},
        status::RequestTotals,
    };

    fn death(at_ms_ago: u64, replayed: u32, lost: u32) -> DeathStatus {
        let cause = "killed from outside with SIGKILL (signal 9)".into();
        DeathStatus {
            at_ms_ago,
            pid: Some(4710),
            slot: 0,
            cause,
            replayed,
            lost,
        }
    }

    fn healthy_pool() -> PoolStatus {
        let worker = |slot, state: &str, requests| WorkerStatus {
            slot,
            generation: 2,
            pid: (state != "starting").then_some(4711 + slot),
            state: state.into(),
            running: usize::from(state == "busy"),
            concurrency: 8,
            requests,
            age_ms: 61_000,
            rss_bytes: 9 << 20,
        };
        PoolStatus {
            name: "builtin".into(),
            state: "ready".into(),
            queued: 0,
            running: 1,
            workers: vec![
                worker(0, "busy", 12),
                worker(1, "ready", 12_345),
                worker(2, "starting", 0),
            ],
            answered: 12_358,
            answered_after_replay: 1,
            replayed: 1,
            refused: 0,
            failed: 2,
            stale_answers: 0,
            starts: 6,
            died: 3,
            deaths: vec![death(90_000, 1, 0), death(7000, 0, 2), death(1500, 0, 0)],
            restart_in_ms: Some(0),
            last_lines: vec!["not shown while all is well".into()],
        }
    }

    fn degraded_pool() -> PoolStatus {
        PoolStatus {
            name: "reports".into(),
            state: "degraded".into(),
            queued: 1,
            running: 0,
            workers: vec![],
            deaths: vec![DeathStatus {
                cause: "ended by itself with exit code 1".into(),
                ..death(400, 0, 0)
            }],
            restart_in_ms: Some(750),
            last_lines: vec![
                "Traceback (most recent call last):".into(),
                "\u{1b}[31mImportError".into(),
            ],
            ..healthy_pool()
        }
    }

    #[test]
    fn the_status_says_who_died_why_and_whether_anybody_was_hurt() {
        let pools = vec![healthy_pool(), degraded_pool()];
        let status = ServiceStatus {
            server: "standin".into(),
            version: "0.1.0".into(),
            pid: 4700,
            uptime_ms: 3_700_000,
            endpoint: "/run/standin/standin.sock".into(),
            state: "/var/lib/standin".into(),
            sessions: 60,
            sessions_waiting: 1,
            quotas: QuotaStatus {
                sessions: 5000,
                requests: 20_000,
                bytes: 1 << 30,
            },
            users: vec![
                UserStatus {
                    user: "1000".into(),
                    sessions: 59,
                    requests: 2,
                    waiting_bytes: 1 << 20,
                    kept_bytes: 3 << 20,
                    refused: 0,
                },
                UserStatus {
                    user: "S-1-5-21-1-2-3-1001".into(),
                    sessions: 1,
                    refused: 12,
                    ..UserStatus::default()
                },
            ],
            requests: RequestTotals::of(&pools),
            recovery: Some(RecoveryStatus {
                after: Interruption::Killed,
                sessions: 60,
                resumed: 59,
                unknown: 0,
            }),
            jobs: Some(JobCounts {
                queued: 3120,
                running: 4,
                done: 871,
                dead: 2,
                unknown: 1,
                cancelled: 0,
            }),
            pools,
        };
        insta::assert_snapshot!(render(&status), @r"
        standin 0.1.0 on /run/standin/standin.sock
        state in /var/lib/standin
        pid 4700, up 1 h 1 min, 60 sessions, 1 waiting for their programs
        24716 calls answered, 2 replayed, 0 refused, 4 failed
        the run before was killed, or failed: 59 of 60 programs are back, no call ended unknown
        3120 jobs waiting, 4 running; kept: 871 done, 0 cancelled, 2 dead, 1 unknown

        users, each with 5000 connections, 20000 unanswered calls and 1024 MiB at most:
          USER                 CONNECTIONS  CALLS  HELD   REFUSED
          1000                 59           2      4 MiB  0
          S-1-5-21-1-2-3-1001  1            0      0 MiB  12

        builtin: ready; 0 calls waiting, 1 running; 6 starts, 3 deaths
          12358 calls answered (1 of them after a replay), 0 refused, 2 failed
          SLOT  PID   STATE     RUNNING  ANSWERED  UP         MEMORY
          0     4711  busy      1 of 8   12        1 min 1 s  9 MiB
          1     4712  ready     0 of 8   12345     1 min 1 s  9 MiB
          2     -     starting  0 of 8   0         1 min 1 s  9 MiB
          1 s ago: slot 0, pid 4710: killed from outside with SIGKILL (signal 9); no call was lost
          7 s ago: slot 0, pid 4710: killed from outside with SIGKILL (signal 9); 2 calls failed
          1 min 30 s ago: slot 0, pid 4710: killed from outside with SIGKILL (signal 9); 1 call went on elsewhere, none was lost

        reports: degraded; 1 call waiting, 0 running; 6 starts, 3 deaths
          12358 calls answered (1 of them after a replay), 0 refused, 2 failed
          The next try to start a process is in 750 ms.
          The last one that failed said:
          | Traceback (most recent call last):
          |  [31mImportError
          400 ms ago: slot 0, pid 4710: ended by itself with exit code 1; no call was lost
        ");
    }
}
