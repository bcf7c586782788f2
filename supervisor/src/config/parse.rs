//! From text to settings, and from a decoder's complaint to one that helps.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::Settings;

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file `{path}`: {source}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is not what it should be.
    #[error("{path}:{line}:{column}: {message}{hint}")]
    Wrong {
        /// Which file.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
        /// Where, from 1.
        column: usize,
        /// What.
        message: String,
        /// What to write instead, if that can be guessed.
        hint: String,
    },
    /// Settings that do not go together; all of them at once.
    #[error("{path}: {}", .mistakes.join("\n"))]
    Mistakes {
        /// Which file.
        path: PathBuf,
        /// Each a sentence.
        mistakes: Vec<String>,
    },
}

pub(super) fn parse(text: &str, path: &Path) -> Result<Settings, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start.min(text.len()));
        let before = &text[..start];
        let message = error.message().to_owned();
        ConfigError::Wrong {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before
                .chars()
                .rev()
                .take_while(|letter| *letter != '\n')
                .count()
                + 1,
            hint: hint(&message),
            message,
        }
    })
}

/// The nearest valid key for an unknown one. The decoder names the key first and then all that it knows.
fn hint(message: &str) -> String {
    if !message.starts_with("unknown ") {
        return String::new();
    }
    let mut names = message.split('`').skip(1).step_by(2);
    let Some(wrong) = names.next() else {
        return String::new();
    };
    let near = names.map(|name| (strsim::damerau_levenshtein(wrong, name), name));
    match near.min() {
        Some((distance, name)) if distance <= 3.max(wrong.len() / 2) => {
            format!("\n(hint: did you mean `{name}`?)")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(text: &str) -> String {
        Settings::parse(text, Path::new("standin.toml"))
            .expect_err("it is wrong")
            .to_string()
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_the_nearest_valid_one() {
        insta::assert_snapshot!(complaint("[pools.reports]\ncommand = [\"x\"]\nwrokers = { min = 1 }\n"), @r"
        standin.toml:3:1: unknown field `wrokers`, expected one of `enabled`, `command`, `folder`, `environment`, `workers`, `scope`, `timeouts`, `recycle`, `queue`, `concurrency_max`
        (hint: did you mean `workers`?)
        ");
        insta::assert_snapshot!(complaint("[endpiont]\npath = \"x\"\n"), @r"
        standin.toml:1:2: unknown field `endpiont`, expected one of `endpoint`, `state`, `log`, `service`, `pools`
        (hint: did you mean `endpoint`?)
        ");
    }

    #[test]
    fn a_wrong_unit_is_named_with_its_line() {
        insta::assert_snapshot!(complaint("[service]\nstop = \"10 parsecs\"\n"), @r#"standin.toml:2:8: `10 parsecs` is not understood (hint: write it like "250ms", "10s", "5m" or "12h")"#);
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let text = "[pools.a]\n[pools.b]\ncommand = [\"x\"]\nscope = \"user\"\nworkers = { min = 5, max = 2 }\n";
        insta::assert_snapshot!(complaint(text), @r#"
        standin.toml: pool `a` has no command (hint: command = ["program", "argument"])
        pool `b`: workers.min is 5 and workers.max is 2; min must not be larger
        pool `b`: scope = "user" is not available in this version (hint: scope = "shared")
        "#);
    }
}
