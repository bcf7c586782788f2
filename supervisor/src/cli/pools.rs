//! `standin pools`: the pools at a glance, and what an administrator orders of one.

use serde_json::{Value, json};

use super::{
    CommandError, client,
    options::{PoolOptions, PoolsCommand, ServiceOptions},
    output,
    table::{self, printable},
    value,
};
use crate::status::{PoolStatus, ServiceStatus};

pub(super) fn run(command: &PoolsCommand) -> Result<(), CommandError> {
    match command {
        PoolsCommand::List { json, service } => {
            let client = client::connect(service)?;
            let call = client.request("standin.status");
            let status: ServiceStatus = client.send(call)?;
            match json {
                true => output::json(&json!(status.pools)),
                false => output::line(list(&status.pools).trim_end()),
            }
        }
        PoolsCommand::Start(options) => order(options, "pool.start", "A process is ready.")?,
        PoolsCommand::Reload(options) => order(
            options,
            "pool.reload",
            "A new process is ready. The others follow; the old ones end when their calls are done.",
        )?,
        PoolsCommand::Stop(options) => order(
            options,
            "pool.stop",
            "Every process has ended. Calls are refused until the pool is started.",
        )?,
    }
    Ok(())
}

fn order(options: &PoolOptions, method: &str, done: &str) -> Result<(), CommandError> {
    let answer = ask(&options.service, method, &options.pool)?;
    match options.json {
        true => output::json(&answer),
        false => output::line(done),
    }
    Ok(())
}

fn ask(service: &ServiceOptions, method: &str, pool: &str) -> Result<Value, CommandError> {
    let client = client::connect(service)?;
    let params = value::from_json(json!([{ "pool": pool }]));
    let call = client.request(method).raw_params(params);
    Ok(value::to_json(&client.send_raw(call)?))
}

fn list(pools: &[PoolStatus]) -> String {
    let rows: Vec<_> = pools.iter().map(row).collect();
    let headers = [
        "POOL",
        "STATE",
        "PROCESSES",
        "WAITING",
        "RUNNING",
        "ANSWERED",
        "DEATHS",
    ];
    table::render(&headers, &rows, "")
}

fn row(pool: &PoolStatus) -> Vec<String> {
    vec![
        printable(&pool.name),
        pool.state.clone(),
        pool.workers.len().to_string(),
        pool.queued.to_string(),
        pool.running.to_string(),
        pool.answered.to_string(),
        pool.died.to_string(),
    ]
}
