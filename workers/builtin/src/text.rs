//! `text.*`: regular expressions, templates, code pages, CSV and JSON.

mod codepage;
mod csv;
mod json;
mod page;
mod regex;
mod template;

use standin_worker::{Failure, Method, Outcome};

pub(crate) use self::{codepage::decode_content, json::read_json, page::PageName};

/// A result may be this large, in bytes: more does not fit into a message, and a replacement can grow without end.
const RESULT_SIZE_MAX: usize = 16 << 20;

/// There is more than an answer holds.
fn too_large(what: impl Into<String>) -> Failure {
    Failure::new(1107, "text.too_large", what).outcome(Outcome::NotExecuted)
}

/// The methods of this family.
pub(crate) fn methods() -> Vec<Method> {
    [
        regex::methods(),
        template::methods(),
        codepage::methods(),
        csv::methods(),
        json::methods(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
