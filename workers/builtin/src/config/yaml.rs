//! YAML 1.2, one document.

use serde_json::Value;
use serde_saphyr::{Budget, DuplicateKeyPolicy, Error};
use standin_worker::shown;

use super::mistake::{Mistake, Place};
use crate::plain::{Duplicates, Plain, PlainLast};

/// Reads YAML. Aliases are followed, merges are made, tags of somebody's own are ignored.
pub(super) fn parse(text: &str, duplicates: Duplicates) -> Result<Value, Mistake> {
    // What aliases unfold to is bounded by what is made of it, so one that is used often is no harm.
    let mut budget = Budget::default();
    budget.enforce_alias_anchor_ratio = false;
    let options = serde_saphyr::options! {
        with_snippet: false,
        // YAML 1.2: yes, no, on and off are texts.
        strict_booleans: true,
        // 01234 is a postal code more often than it is a number, and 1_000 is a text in YAML 1.2.
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        budget: Some(budget),
        duplicate_keys: match duplicates {
            Duplicates::Error => DuplicateKeyPolicy::Error,
            Duplicates::First => DuplicateKeyPolicy::FirstWins,
            Duplicates::Last => DuplicateKeyPolicy::LastWins,
        },
    };
    let read = match duplicates {
        Duplicates::Error | Duplicates::First => {
            serde_saphyr::from_str_with_options::<Plain>(text, options).map(|value| value.0)
        }
        // The reader hands on all of them, and the last is taken here.
        Duplicates::Last => {
            serde_saphyr::from_str_with_options::<PlainLast>(text, options).map(|value| value.0)
        }
    };
    read.map_err(|error| Mistake {
        place: error.location().map(|location| Place {
            line: usize::try_from(location.line()).unwrap_or(usize::MAX),
            column: usize::try_from(location.column()).unwrap_or(usize::MAX),
        }),
        what: in_words(&error),
    })
}

fn in_words(error: &Error) -> String {
    match error.without_snippet() {
        Error::MultipleDocuments { .. } => "there is more than one document".to_owned(),
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            "an alias stands inside what it stands for".to_owned()
        }
        Error::UnknownAnchor { .. } => "no anchor has the name of this alias".to_owned(),
        Error::NonFiniteFloat { value, .. } => {
            format!("{} is not a number one can count with", shown(value))
        }
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => {
            "it is too large, or its aliases unfold to too much".to_owned()
        }
        error => without_place(error.to_string().lines().next().unwrap_or_default()),
    }
}

/// The YAML reader says the place in its words, before or behind; it is said once here.
fn without_place(words: &str) -> String {
    let behind = words.split(" at line ").next().unwrap_or(words);
    let before = behind
        .strip_prefix("line ")
        .and_then(|rest| rest.split_once(": "))
        .map_or(behind, |(_, rest)| rest);
    before.strip_prefix("error: ").unwrap_or(before).to_owned()
}
