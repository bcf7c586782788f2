//! Settings that are each understood but do not go together.

use std::path::Path;

use super::{ConfigError, PoolSettings, Scope, Settings};

/// Slots of a pool that can be looked through on each request without being noticed.
const POOL_WORKERS_MAX: u32 = 256;

pub(super) fn check(settings: &Settings, path: &Path) -> Result<(), ConfigError> {
    let mut mistakes = Vec::new();
    if settings.pools.is_empty() {
        mistakes.push("there is no pool; every pool is disabled".to_owned());
    }
    if settings.endpoint.sessions_max == 0 || settings.endpoint.session_requests_max == 0 {
        mistakes
            .push("endpoint: sessions_max and session_requests_max must be 1 or more".to_owned());
    }
    if settings.endpoint.message_size_max.0 < 1024 || settings.endpoint.message_size_max.0 > 1 << 30
    {
        mistakes
            .push("endpoint: message_size_max must be between \"1KiB\" and \"1GiB\"".to_owned());
    }
    if let Err(error) = settings.log.level.parse::<tracing_subscriber::EnvFilter>() {
        mistakes.push(format!("log: level `{}`: {error}", settings.log.level));
    }
    for (name, pool) in &settings.pools {
        check_pool(name, pool, &mut mistakes);
    }
    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(ConfigError::Mistakes {
            path: path.to_owned(),
            mistakes,
        })
    }
}

fn check_pool(name: &str, pool: &PoolSettings, mistakes: &mut Vec<String>) {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
        mistakes.push(format!(
            "pool `{name}`: a name is 1 to 64 letters, digits, - and _"
        ));
    }
    if pool.command.first().is_none_or(String::is_empty) && name != Settings::BUILTIN_POOL {
        mistakes.push(format!(
            "pool `{name}` has no command (hint: command = [\"program\", \"argument\"])"
        ));
    }
    let workers = &pool.workers;
    if workers.max == 0 || workers.max + workers.spare > POOL_WORKERS_MAX {
        mistakes.push(format!("pool `{name}`: workers.max must be 1 or more, with the spares {POOL_WORKERS_MAX} at most"));
    }
    if workers.min > workers.max {
        mistakes.push(format!(
            "pool `{name}`: workers.min is {} and workers.max is {}; min must not be larger",
            workers.min, workers.max
        ));
    }
    if pool.scope != Scope::Shared {
        let scope = if pool.scope == Scope::User {
            "user"
        } else {
            "session"
        };
        mistakes.push(format!(
            "pool `{name}`: scope = \"{scope}\" is not available in this version (hint: scope = \"shared\")"
        ));
    }
    let timeouts = &pool.timeouts;
    if [
        timeouts.start,
        timeouts.call,
        timeouts.stop,
        pool.queue.wait,
    ]
    .iter()
    .any(|span| span.0.is_zero())
    {
        mistakes.push(format!(
            "pool `{name}`: timeouts and queue.wait must be longer than nothing"
        ));
    }
    if pool.queue.max == 0 || pool.concurrency_max == 0 {
        mistakes.push(format!(
            "pool `{name}`: queue.max and concurrency_max must be 1 or more"
        ));
    }
}
