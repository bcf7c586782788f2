//! `config.parse`: the usual formats of settings, read into values.
//!
//! It reads what the client gives and never a file: whoever may read the file is the client.

mod arguments;
mod ini;
mod mistake;
mod parse;
mod properties;
mod yaml;

#[cfg(test)]
mod tests;

use standin_worker::{Method, Replay};

/// The methods of this family.
pub(crate) fn methods() -> Vec<Method> {
    let parse = Method::blocking("config.parse", |_, arguments| parse::parse(&arguments));
    vec![
        parse
            .replay(Replay::Always)
            .doc("Reads settings (INI, TOML, YAML, JSON or Java properties) into a map."),
    ]
}
