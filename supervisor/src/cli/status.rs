//! `standin status`: what an administrator sees at a glance.

use std::{fmt::Write, time::Duration};

use super::{CommandError, StatusOptions, call, show, value};
use crate::status::{DeathStatus, PoolStatus, ServiceStatus, WorkerStatus};

pub(super) fn run(options: &StatusOptions) -> Result<(), CommandError> {
    let client = call::connect(&options.service)?;
    if options.json {
        let status = client.send_raw(client.request("standin.status"))?;
        show::json(&value::to_json(&status));
    } else {
        let status: ServiceStatus = client.send(client.request("standin.status"))?;
        show::line(render(&status).trim_end());
    }
    Ok(())
}

fn render(status: &ServiceStatus) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{} {}, pid {}, up {}, {} session{} on {}",
        status.server,
        status.version,
        status.pid,
        span(status.uptime_ms),
        status.sessions,
        plural(status.sessions as u64),
        status.endpoint
    );
    for pool in &status.pools {
        render_pool(&mut out, pool);
    }
    out
}

fn render_pool(out: &mut String, pool: &PoolStatus) {
    let _ = writeln!(
        out,
        "\n{}: {}, {} waiting, {} running; {} answered ({} after a replay), {} refused, {} failed",
        pool.name,
        pool.state,
        pool.queued,
        pool.running,
        pool.answered,
        pool.answered_after_replay,
        pool.refused,
        pool.failed
    );
    for worker in &pool.workers {
        render_worker(out, worker);
    }
    if pool.state == "degraded" {
        if let Some(restart_in_ms) = pool.restart_in_ms {
            let _ = writeln!(
                out,
                "  the next try to start a process is in {}",
                span(restart_in_ms)
            );
        }
        for line in &pool.last_lines {
            let _ = writeln!(out, "  | {line}");
        }
    }
    for death in &pool.deaths {
        render_death(out, death);
    }
}

fn render_worker(out: &mut String, worker: &WorkerStatus) {
    let pid = worker
        .pid
        .map_or_else(|| "-".to_owned(), |pid| pid.to_string());
    let _ = writeln!(
        out,
        "  slot {} pid {pid} {}, {} of {} running, {} answered, {} MiB, up {}",
        worker.slot,
        worker.state,
        worker.running,
        worker.concurrency,
        worker.requests,
        worker.rss_bytes >> 20,
        span(worker.age_ms)
    );
}

fn render_death(out: &mut String, death: &DeathStatus) {
    let pid = death
        .pid
        .map_or_else(|| "-".to_owned(), |pid| pid.to_string());
    let harm = match (death.replayed, death.lost) {
        (0, 0) => "nobody was hurt".to_owned(),
        (replayed, 0) => format!(
            "{replayed} call{} went on elsewhere, nobody was hurt",
            plural(replayed.into())
        ),
        (replayed, lost) => format!("{replayed} went on elsewhere, {lost} failed"),
    };
    let _ = writeln!(
        out,
        "  {} ago: slot {} pid {pid} {}; {harm}",
        span(death.at_ms_ago),
        death.slot,
        death.cause
    );
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// A length of time in its two largest units.
fn span(ms: u64) -> String {
    let seconds = Duration::from_millis(ms).as_secs();
    match seconds {
        0 => format!("{ms} ms"),
        1..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_says_who_died_why_and_whether_anybody_was_hurt() {
        let worker = WorkerStatus {
            slot: 0,
            generation: 2,
            pid: Some(4711),
            state: "busy".into(),
            running: 1,
            concurrency: 8,
            requests: 12,
            age_ms: 61_000,
            rss_bytes: 9 << 20,
        };
        let death = |replayed, lost| DeathStatus {
            at_ms_ago: 1500,
            pid: Some(4710),
            slot: 0,
            cause: "killed from outside with SIGKILL (signal 9)".into(),
            replayed,
            lost,
        };
        let pool = PoolStatus {
            name: "builtin".into(),
            state: "ready".into(),
            queued: 0,
            running: 1,
            workers: vec![worker],
            answered: 12,
            answered_after_replay: 1,
            replayed: 1,
            refused: 0,
            failed: 2,
            stale_answers: 0,
            starts: 3,
            died: 2,
            deaths: vec![death(1, 0), death(0, 2)],
            restart_in_ms: None,
            last_lines: vec![],
        };
        let status = ServiceStatus {
            server: "standin".into(),
            version: "0.1.0".into(),
            pid: 1,
            uptime_ms: 3_700_000,
            endpoint: "/run/standin/standin.sock".into(),
            sessions: 60,
            pools: vec![pool],
        };
        insta::assert_snapshot!(render(&status), @r"
        standin 0.1.0, pid 1, up 1 h 1 min, 60 sessions on /run/standin/standin.sock

        builtin: ready, 0 waiting, 1 running; 12 answered (1 after a replay), 0 refused, 2 failed
          slot 0 pid 4711 busy, 1 of 8 running, 12 answered, 9 MiB, up 1 min 1 s
          1 s ago: slot 0 pid 4710 killed from outside with SIGKILL (signal 9); 1 call went on elsewhere, nobody was hurt
          1 s ago: slot 0 pid 4710 killed from outside with SIGKILL (signal 9); 0 went on elsewhere, 2 failed
        ");
    }
}
