//! A list of jobs, page by page: one ends early where errors are long.

use serde_json::{Value, json};

use crate::cli::{CommandError, options::ServiceOptions};

/// As many jobs as are wanted, if there are so many.
pub(super) fn ask(
    service: &ServiceOptions,
    state: Option<&str>,
    limit: u32,
    mut after: Option<String>,
) -> Result<Value, CommandError> {
    let mut jobs = Vec::new();
    loop {
        let left = limit as usize - jobs.len();
        let arguments = json!({ "state": state, "limit": left, "after": after });
        let page = super::ask(service, "job.list", arguments)?;
        let page = page.as_array().map(Vec::as_slice).unwrap_or_default();
        jobs.extend_from_slice(page);
        after = page
            .last()
            .and_then(|job| job["job"].as_str().map(str::to_owned));
        if after.is_none() || page.len() >= left {
            return Ok(Value::Array(jobs));
        }
    }
}
