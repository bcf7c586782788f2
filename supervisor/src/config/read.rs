//! Which settings the file may hold, and what must be true of them. Each function reads one table.

use std::path::Path;

use standin_transport::{Access, Endpoint};
use toml::de::DeTable;

use super::{
    ConfigError, PoolSettings, Scope, Settings,
    mistake::{DUPLICATE, Misread, Mistakes, syntax},
    section::Section,
    settings::{EndpointSettings, JobsSettings, QuotasSettings, ServiceSettings, SessionsSettings},
};

/// An answer must be there when the caller asks a second time.
const RETENTION_MIN: std::time::Duration = std::time::Duration::from_secs(1);

/// Slots of a pool that can be looked through on each request without being noticed.
const POOL_WORKERS_MAX: u32 = 256;

/// More threads than this only get into each other's way.
const THREADS_MAX: usize = 64;

/// Ended calls that can be looked through in the middle of a pool's work.
const EXPLAINED_MAX: usize = 100_000;

/// A socket's name must hold the pool's, and so must a line of the log.
const POOL_NAME_LENGTH_MAX: usize = 64;

/// A message that is smaller than this does not even hold an error.
const MESSAGE_SIZE_MIN: u64 = 1024;

/// Sizes are told to old clients as 32 bits, with room to spare.
const MESSAGE_SIZE_MAX: u64 = 1 << 30;

/// The settings in a text that stands in `path`, or all that is wrong with it.
pub(super) fn read(text: &str, path: &Path) -> Result<Settings, ConfigError> {
    let mut mistakes = Mistakes::default();
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let span = error.span().unwrap_or_default();
        mistakes.note(span.start, syntax(error.message(), &span, text));
    }
    let mut settings = Settings::default();
    // Behind a mistake of the syntax nothing is where it seems to be, and complaints about it would mislead.
    if errors.iter().all(|error| error.message() == DUPLICATE) {
        let mut whole = Section::whole(table.get_ref(), &mut mistakes);
        read_whole(&mut whole, &mut settings);
        whole.report_unknown();
    }
    match mistakes.placed(text) {
        mistakes if mistakes.is_empty() => Ok(settings),
        mistakes => Err(ConfigError::Wrong {
            path: path.to_owned(),
            mistakes,
        }),
    }
}

fn read_whole(file: &mut Section<'_>, settings: &mut Settings) {
    file.table("endpoint", |section| {
        read_endpoint(section, &mut settings.endpoint)
    });
    file.table("sessions", |section| {
        read_sessions(section, &mut settings.sessions)
    });
    file.table("quotas", |section| {
        read_quotas(section, &mut settings.quotas)
    });
    file.table("keys", |section| {
        let retention = &mut settings.keys.retention;
        section.set("retention", retention);
        let fits = retention.0 >= RETENTION_MIN;
        section.require(&["retention"], fits, || {
            Misread::new("`retention` is \"1s\" or more", "\"720h\" is the default")
        });
    });
    file.table("jobs", |section| read_jobs(section, &mut settings.jobs));
    file.table("state", |section| {
        section.set("dir", &mut settings.state.dir)
    });
    file.table("log", |section| {
        section.set("level", &mut settings.log.level);
        section.set("format", &mut settings.log.format);
        let checked = crate::logging::check_level(&settings.log.level);
        section.require(&["level"], checked.is_ok(), || {
            checked.err().unwrap_or_else(|| Misread::new("", ""))
        });
    });
    file.table("service", |section| {
        read_service(section, &mut settings.service)
    });
    file.tables("pools", |name, section| {
        let pool = settings.pools.entry(name.to_owned()).or_default();
        read_pool(section, name, pool);
    });
    settings.pools.retain(|_, pool| pool.enabled);
    file.require(&["pools"], !settings.pools.is_empty(), || {
        Misread::new(
            "no pool is enabled, so there would be nothing to call",
            "enable one",
        )
    });
}

fn read_endpoint(section: &mut Section<'_>, endpoint: &mut EndpointSettings) {
    section.set("path", &mut endpoint.path);
    section.set("mode", &mut endpoint.mode);
    section.set("group", &mut endpoint.group);
    section.set("descriptor", &mut endpoint.descriptor);
    section.set("sessions_max", &mut endpoint.sessions_max);
    section.set("session_requests_max", &mut endpoint.session_requests_max);
    section.set("message_size_max", &mut endpoint.message_size_max);
    if !endpoint.path.is_empty() {
        let parsed = Endpoint::parse(&endpoint.path).map(drop);
        as_the_transport_says(section, "path", parsed);
    }
    if !endpoint.descriptor.is_empty() {
        let checked = Access::check_descriptor(&endpoint.descriptor);
        as_the_transport_says(section, "descriptor", checked);
    }
    // On Windows it may be a list.
    let groups = endpoint.group.split(if cfg!(windows) { "," } else { "\0" });
    let groups = groups.map(|group| group.trim().to_owned());
    let groups: Vec<_> = groups.filter(|group| !group.is_empty()).collect();
    known_here(
        section,
        "group",
        "group",
        &groups,
        standin_transport::group_id,
    );
    at_least_one(section, "sessions_max", endpoint.sessions_max > 0);
    at_least_one(
        section,
        "session_requests_max",
        endpoint.session_requests_max > 0,
    );
    let fits = (MESSAGE_SIZE_MIN..=MESSAGE_SIZE_MAX).contains(&endpoint.message_size_max.0);
    section.require(&["message_size_max"], fits, || {
        Misread::new(
            "`message_size_max` is between \"1KiB\" and \"1GiB\"",
            "\"16MiB\" is the default",
        )
    });
}

fn read_sessions(section: &mut Section<'_>, sessions: &mut SessionsSettings) {
    section.set("linger", &mut sessions.linger);
    section.set("waiting_max", &mut sessions.waiting_max);
    section.set("answers_max", &mut sessions.answers_max);
    section.set("answers_bytes_max", &mut sessions.answers_bytes_max);
    at_least_one(section, "waiting_max", sessions.waiting_max > 0);
    at_least_one(section, "answers_max", sessions.answers_max > 0);
    let fits = sessions.answers_bytes_max.0 >= MESSAGE_SIZE_MIN;
    section.require(&["answers_bytes_max"], fits, || {
        Misread::new(
            "`answers_bytes_max` is \"1KiB\" or more",
            "\"64MiB\" is the default",
        )
    });
}

fn read_quotas(section: &mut Section<'_>, quotas: &mut QuotasSettings) {
    section.set("sessions", &mut quotas.sessions);
    section.set("requests", &mut quotas.requests);
    section.set("bytes", &mut quotas.bytes);
    at_least_one(section, "sessions", quotas.sessions > 0);
    at_least_one(section, "requests", quotas.requests > 0);
    let fits = quotas.bytes.0 >= MESSAGE_SIZE_MIN;
    section.require(&["bytes"], fits, || {
        Misread::new("`bytes` is \"1KiB\" or more", "\"1GiB\" is the default")
    });
}

/// Its errors end with their hint in brackets.
fn as_the_transport_says<E: std::error::Error>(
    section: &mut Section<'_>,
    key: &str,
    checked: Result<(), E>,
) {
    if let Err(error) = checked {
        let text = error.to_string();
        let (message, hint) = text.split_once("\n(hint: ").unwrap_or((&text, ""));
        let hint = hint.strip_suffix(')').unwrap_or(hint);
        section.require(&[key], false, || Misread::new(message, hint));
    }
}

fn read_jobs(section: &mut Section<'_>, jobs: &mut JobsSettings) {
    section.set("concurrent", &mut jobs.concurrent);
    section.set("keep", &mut jobs.keep);
    section.set("keep_failed", &mut jobs.keep_failed);
    at_least_one(section, "concurrent", jobs.concurrent > 0);
}

fn read_service(section: &mut Section<'_>, service: &mut ServiceSettings) {
    section.set("stop", &mut service.stop);
    section.set("threads", &mut service.threads);
    section.set("starvation_guard", &mut service.starvation_guard);
    section.require(&["threads"], service.threads <= THREADS_MAX, || {
        Misread::new(
            format!("`threads` is {THREADS_MAX} at most"),
            "0 is one for each processor",
        )
    });
}

fn read_pool(section: &mut Section<'_>, name: &str, pool: &mut PoolSettings) {
    section.set("enabled", &mut pool.enabled);
    section.set("command", &mut pool.command);
    section.set("folder", &mut pool.folder);
    section.set("environment", &mut pool.environment);
    section.set("scope", &mut pool.scope);
    section.set("users_max", &mut pool.users_max);
    at_least_one(section, "users_max", pool.users_max > 0);
    section.set("run_as_user", &mut pool.run_as_user);
    check_run_as(section, pool);
    section.set("users", &mut pool.users);
    section.set("groups", &mut pool.groups);
    section.set("concurrency_max", &mut pool.concurrency_max);
    section.set("explained_max", &mut pool.explained_max);
    let fits = pool.explained_max <= EXPLAINED_MAX;
    section.require(&["explained_max"], fits, || {
        Misread::new("`explained_max` is 100_000 or less", "1_000 is the default")
    });
    section.table("workers", |section| read_workers(section, pool));
    section.table("timeouts", |section| {
        let timeouts = &mut pool.timeouts;
        section.set("start", &mut timeouts.start);
        section.set("call", &mut timeouts.call);
        section.set("stop", &mut timeouts.stop);
        longer_than_nothing(section, "start", !timeouts.start.0.is_zero());
        longer_than_nothing(section, "call", !timeouts.call.0.is_zero());
        longer_than_nothing(section, "stop", !timeouts.stop.0.is_zero());
    });
    section.table("recycle", |section| {
        section.set("requests", &mut pool.recycle.requests);
        section.set("age", &mut pool.recycle.age);
        section.set("rss", &mut pool.recycle.rss);
    });
    section.table("queue", |section| {
        let queue = &mut pool.queue;
        section.set("max", &mut queue.max);
        section.set("wait", &mut queue.wait);
        section.set("bytes", &mut queue.bytes);
        at_least_one(section, "max", queue.max > 0);
        longer_than_nothing(section, "wait", !queue.wait.0.is_zero());
        section.require(&["bytes"], queue.bytes.0 > 0, || {
            Misread::new("`bytes` must be more than nothing", "")
        });
    });
    check_pool(section, name, pool);
}

fn read_workers(section: &mut Section<'_>, pool: &mut PoolSettings) {
    let workers = &mut pool.workers;
    section.set("min", &mut workers.min);
    section.set("max", &mut workers.max);
    section.set("spare", &mut workers.spare);
    section.set("idle", &mut workers.idle);
    at_least_one(section, "max", workers.max > 0);
    section.require(
        &["min", "max"],
        workers.min <= workers.max || workers.max == 0,
        || {
            let message = format!("`min` is {} and `max` is {}", workers.min, workers.max);
            Misread::new(
                message,
                "`min` must not be larger; raise `max` or lower `min`",
            )
        },
    );
    let all = workers.max.saturating_add(workers.spare);
    section.require(&["max", "spare"], all <= POOL_WORKERS_MAX, || {
        Misread::new(
            format!("`max` and `spare` together are {POOL_WORKERS_MAX} at most, not {all}"),
            "",
        )
    });
}

fn check_pool(section: &mut Section<'_>, name: &str, pool: &PoolSettings) {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    let is_name = !name.is_empty() && name.len() <= POOL_NAME_LENGTH_MAX && name.chars().all(fits);
    section.require(&[], is_name, || {
        let message = format!("`{name}` is no name for a pool");
        Misread::new(
            message,
            format!("1 to {POOL_NAME_LENGTH_MAX} letters, digits, - and _"),
        )
    });
    let needs_command = pool.enabled && name != Settings::BUILTIN_POOL;
    let has_command = pool
        .command
        .first()
        .is_some_and(|program| !program.is_empty());
    let is_fine = if needs_command {
        has_command
    } else {
        has_command || pool.command.is_empty()
    };
    section.require(&["command"], is_fine, || {
        let message = format!("the pool `{name}` has no command to start");
        Misread::new(message, "command = [\"program\", \"argument\"]")
    });
    section.require(&["scope"], pool.scope != Scope::Session, || {
        let message = "scope = \"session\" is not available in this version";
        Misread::new(message, "\"shared\" and \"user\" are")
    });
    known_here(
        section,
        "users",
        "user",
        &pool.users,
        standin_transport::user_id,
    );
    known_here(
        section,
        "groups",
        "group",
        &pool.groups,
        standin_transport::group_id,
    );
    at_least_one(section, "concurrency_max", pool.concurrency_max > 0);
    for variable in pool.environment.keys() {
        let is_ours = variable.starts_with("STANDIN_");
        let is_variable = !variable.is_empty() && !variable.contains(['=', '\0']);
        section.require(&["environment"], is_variable && !is_ours, || {
            let message = format!("`{variable}` cannot be set in the environment of a worker");
            Misread::new(
                message,
                if is_ours {
                    "variables that begin with STANDIN_ are set by the service"
                } else {
                    ""
                },
            )
        });
    }
}

fn check_run_as(section: &mut Section<'_>, pool: &PoolSettings) {
    section.require(&["run_as_user"], !(pool.run_as_user && cfg!(windows)), || {
        Misread::new(
            "`run_as_user` is not available on Windows: workers run under the account of the service",
            "they are told whose they are, in STANDIN_WORKER_USER; leave it false",
        )
    });
    let fits = !pool.run_as_user || pool.scope == Scope::User;
    section.require(&["run_as_user"], fits, || {
        Misread::new(
            "`run_as_user` is for pools that each user has of their own",
            "scope = \"user\"",
        )
    });
}

/// What is for somebody whom nobody knows would be closed to everybody.
fn known_here(
    section: &mut Section<'_>,
    key: &str,
    what: &str,
    names: &[String],
    id: fn(&str) -> Option<String>,
) {
    let unknown = names.iter().find(|name| id(name).is_none());
    section.require(&[key], unknown.is_none(), || {
        let name = unknown.map_or("", String::as_str);
        Misread::new(
            format!("there is no {what} `{name}` on this machine"),
            if cfg!(windows) {
                "write a name, such as 'BUILTIN\\Users', or a SID, such as 'S-1-5-32-545'"
            } else {
                "write a name or a number"
            },
        )
    });
}

fn at_least_one(section: &mut Section<'_>, key: &str, holds: bool) {
    section.require(&[key], holds, || {
        Misread::new(format!("`{key}` must be 1 or more"), "")
    });
}

fn longer_than_nothing(section: &mut Section<'_>, key: &str, holds: bool) {
    section.require(&[key], holds, || {
        Misread::new(format!("`{key}` must be longer than nothing"), "")
    });
}
