//! A mistake in somebody's settings, with its place.

use serde::Serialize;
use standin_worker::{Failure, Outcome};

use super::arguments::Format;

/// What is wrong, and where if that is known. Lines and columns count from 1, columns in characters.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) place: Option<Place>,
    pub(super) what: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Place {
    /// The place of a byte in a text.
    pub(super) fn of_byte(text: &str, byte: usize) -> Self {
        let mut byte = byte.min(text.len());
        while !text.is_char_boundary(byte) {
            byte -= 1;
        }
        let before = &text[..byte];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

impl Mistake {
    pub(super) fn at(line: usize, column: usize, what: impl Into<String>) -> Self {
        Self {
            place: Some(Place { line, column }),
            what: what.into(),
        }
    }

    pub(super) fn into_failure(self, format: Format) -> Failure {
        let verb = if format == Format::Properties {
            "are"
        } else {
            "is"
        };
        let format = format.name();
        let what = self.what.trim().trim_end_matches('.').replace('`', "\"");
        let failure = |place: &str| {
            let why = format!("The {format} {verb} wrong{place}: {what}.");
            Failure::new(1201, "config.syntax", why).outcome(Outcome::NotExecuted)
        };
        match self.place {
            Some(place) => {
                let Place { line, column } = place;
                failure(&format!(" at line {line}, column {column}")).data(&place)
            }
            None => failure(""),
        }
    }
}
