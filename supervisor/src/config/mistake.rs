//! What is wrong with a configuration file: every mistake with its place and a hint, all of them at once.

use std::{
    fmt, io,
    ops::Range,
    path::{Path, PathBuf},
};

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file `{}`", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It was saved in a code page that nobody can tell from any other.
    #[error("{}:{line}: the file is not in UTF-8\n(hint: save it again, and choose the encoding UTF-8)", .path.display())]
    OtherEncoding {
        /// Which file.
        path: PathBuf,
        /// The first line with something else, from 1.
        line: usize,
    },
    /// The file is not what it should be.
    #[error("{}", in_lines(.path, .mistakes))]
    Wrong {
        /// Which file.
        path: PathBuf,
        /// In the order of the file.
        mistakes: Vec<Mistake>,
    },
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// From 1.
    line: usize,
    /// In letters, from 1.
    column: usize,
    what: Misread,
}

/// What is wrong with one value, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misread {
    pub(super) message: String,
    /// Empty if there is none.
    pub(super) hint: String,
}

impl Misread {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
        }
    }
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if self.hint.is_empty() {
            Ok(())
        } else {
            write!(f, "\n(hint: {})", self.hint)
        }
    }
}

impl std::error::Error for Misread {}

fn in_lines(path: &Path, mistakes: &[Mistake]) -> String {
    let lines = mistakes.iter().map(|mistake| {
        let Mistake { line, column, what } = mistake;
        format!("{}:{line}:{column}: {what}", path.display())
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Mistakes as they are found, in any order.
#[derive(Debug, Default)]
pub(super) struct Mistakes(Vec<(usize, Misread)>);

impl Mistakes {
    /// Notes a mistake that begins at a byte of the text.
    pub(super) fn note(&mut self, at: usize, what: Misread) {
        self.0.push((at, what));
    }

    /// The mistakes with their places in the text, first things first.
    pub(super) fn placed(mut self, text: &str) -> Vec<Mistake> {
        self.0.sort_by_key(|(at, _)| *at);
        let place = |(at, what)| {
            // A place inside a letter cannot be shown; its beginning can.
            let before = &text[..text.floor_char_boundary(at)];
            let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
            let line = before.matches('\n').count() + 1;
            Mistake {
                line,
                column: before[line_start..].chars().count() + 1,
                what,
            }
        };
        self.0.into_iter().map(place).collect()
    }
}

/// What the TOML parser says, in our words. `span` is what it points at.
pub(super) fn syntax(message: &str, span: &Range<usize>, text: &str) -> Misread {
    if message == DUPLICATE {
        let key = text.get(span.clone()).unwrap_or_default();
        return Misread::new(format!("`{key}` is set twice"), "keep one of the two");
    }
    // What begins like `inf` or `0` is taken for a number; more often it is a text that somebody did not quote.
    let is_bare_text = ["quoted", "invalid float", "invalid integer"]
        .iter()
        .any(|part| message.contains(part));
    let hint = if is_bare_text {
        "texts and values with a unit stand in quotes"
    } else {
        ""
    };
    Misread::new(format!("this is not TOML: {message}"), hint)
}

/// How the TOML parser calls a key that is set a second time. Reading can go on behind one of these.
pub(super) const DUPLICATE: &str = "duplicate key";

/// The one of `names` that somebody who wrote `wrong` most likely meant.
pub(crate) fn nearest<'a>(
    wrong: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let near = names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(wrong, name), name));
    let (distance, name) = near.min()?;
    // A third of the letters wrong is a slip; more is another word.
    (distance <= (wrong.chars().count().max(name.chars().count()) / 3).max(1)).then_some(name)
}
