//! `text.*`: regular expressions, templates, code pages, CSV and JSON.

mod codepage;
mod csv;
mod json;
mod page;
mod regex;
mod template;

use standin_worker::Method;

pub(crate) use self::{codepage::decode_content, json::read_json, page::PageName};

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
