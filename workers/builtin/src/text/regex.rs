//! `text.match`, `text.find`, `text.replace`, `text.split`. The syntax is that of the `regex` crate: linear time on
//! every input, and so no look-around and no back-references.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use standin_worker::{Failure, Method, Outcome, Replay};

/// A compiled pattern may take this much memory, in bytes.
const PATTERN_SIZE_MAX: usize = 4 << 20;

/// Matches in one answer.
const MATCHES_MAX: usize = 100_000;

pub(super) fn methods() -> Vec<Method> {
    let method = |method: Method, doc| method.replay(Replay::Always).doc(doc);
    vec![
        method(
            Method::blocking("text.match", |_, search| matches(&search)),
            "Tells whether a pattern matches anywhere in a text.",
        ),
        method(
            Method::blocking("text.find", |_, search| find(&search)),
            "Finds all matches of a pattern, with their positions and groups.",
        ),
        method(
            Method::blocking("text.replace", |_, replacement| replace(&replacement)),
            "Replaces matches of a pattern; $1 or ${name} stand for groups.",
        ),
        method(
            Method::blocking("text.split", |_, search| split(&search)),
            "Splits a text at the matches of a pattern.",
        ),
    ]
}

/// A text and a pattern.
#[derive(Debug, Deserialize, JsonSchema)]
struct Search {
    /// The text to look in.
    text: String,
    #[serde(flatten)]
    pattern: Pattern,
}

/// A pattern and how it is meant.
#[derive(Debug, Deserialize, JsonSchema)]
struct Pattern {
    /// The regular expression.
    pattern: String,
    /// Upper and lower case are the same.
    #[serde(default)]
    case_insensitive: bool,
    /// ^ and $ match at every line.
    #[serde(default)]
    multi_line: bool,
    /// A dot matches a line's end as well.
    #[serde(default)]
    dot_all: bool,
    /// At most so many matches; 0 is all.
    #[serde(default)]
    limit: usize,
}

/// What `text.replace` takes.
#[derive(Debug, Deserialize, JsonSchema)]
struct Replacement {
    #[serde(flatten)]
    search: Search,
    /// What each match becomes; $1 or ${name} stand for groups, $$ for a dollar.
    with: String,
}

#[derive(Debug, Serialize, PartialEq)]
struct Match {
    text: String,
    /// Where it begins, in characters from 0.
    start: usize,
    /// Where it ends, in characters; the first one behind it.
    end: usize,
    /// Where it begins, in bytes of UTF-8 from 0.
    start_byte: usize,
    /// Where it ends, in bytes.
    end_byte: usize,
    /// What each group matched, the whole match not counted; nil where a group took no part.
    groups: Vec<Option<String>>,
    /// The groups that have names.
    named: BTreeMap<String, Option<String>>,
}

impl Pattern {
    fn compile(&self) -> Result<Regex, Failure> {
        let mut builder = RegexBuilder::new(&self.pattern);
        builder
            .case_insensitive(self.case_insensitive)
            .multi_line(self.multi_line)
            .dot_matches_new_line(self.dot_all)
            .size_limit(PATTERN_SIZE_MAX);
        builder.build().map_err(|error| {
            let why = format!(
                "The pattern \"{}\" is not understood: {error}",
                self.pattern
            );
            Failure::new(1101, "text.bad_pattern", why).outcome(Outcome::NotExecuted)
        })
    }

    fn limit(&self) -> usize {
        if self.limit == 0 {
            MATCHES_MAX
        } else {
            self.limit.min(MATCHES_MAX)
        }
    }
}

fn matches(search: &Search) -> Result<bool, Failure> {
    Ok(search.pattern.compile()?.is_match(&search.text))
}

fn find(search: &Search) -> Result<Vec<Match>, Failure> {
    let pattern = search.pattern.compile()?;
    let names: Vec<_> = pattern.capture_names().skip(1).collect();
    // Positions in characters are counted along, not anew for each match.
    let (mut bytes, mut characters) = (0, 0);
    let mut position = |byte: usize| {
        characters += search.text[bytes..byte].chars().count();
        bytes = byte;
        characters
    };
    let found = pattern
        .captures_iter(&search.text)
        .take(search.pattern.limit())
        .map(|captures| {
            let whole = captures.get(0).expect("group 0 is the match");
            let group = |index: usize| {
                captures
                    .get(index + 1)
                    .map(|group| group.as_str().to_owned())
            };
            let named = names.iter().enumerate();
            Match {
                start: position(whole.start()),
                end: position(whole.end()),
                text: whole.as_str().to_owned(),
                start_byte: whole.start(),
                end_byte: whole.end(),
                groups: (0..names.len()).map(group).collect(),
                named: named
                    .filter_map(|(index, name)| Some(((*name)?.to_owned(), group(index))))
                    .collect(),
            }
        });
    Ok(found.collect())
}

fn replace(replacement: &Replacement) -> Result<String, Failure> {
    let Replacement { search, with } = replacement;
    let pattern = search.pattern.compile()?;
    Ok(pattern
        .replacen(&search.text, search.pattern.limit, with.as_str())
        .into_owned())
}

fn split(search: &Search) -> Result<Vec<String>, Failure> {
    let pattern = search.pattern.compile()?;
    // A limit of n matches makes n + 1 pieces.
    let pieces = pattern.splitn(&search.text, search.pattern.limit() + 1);
    Ok(pieces.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(text: &str, pattern: &str) -> Search {
        serde_json::from_value(serde_json::json!({ "text": text, "pattern": pattern }))
            .expect("it fits")
    }

    #[test]
    fn positions_count_characters_and_bytes() {
        let found = find(&search("Grüße, Grüße", "(?<first>G)r(ü)?")).expect("it is a pattern");
        assert_eq!(found.len(), 2);
        let second = &found[1];
        assert_eq!(
            (second.start, second.end, second.start_byte, second.end_byte),
            (7, 10, 9, 13)
        );
        assert_eq!(second.groups, [Some("G".to_owned()), Some("ü".to_owned())]);
        assert_eq!(second.named["first"].as_deref(), Some("G"));
    }

    #[test]
    fn an_empty_match_and_an_empty_text_are_no_trouble() {
        assert_eq!(find(&search("ab", "x*")).expect("it is a pattern").len(), 3);
        assert_eq!(split(&search("", ",")).expect("it is a pattern"), [""]);
        assert_eq!(
            split(&search("a,b,", ",")).expect("it is a pattern"),
            ["a", "b", ""]
        );
        assert!(!matches(&search("", ".")).expect("it is a pattern"));
    }

    #[test]
    fn a_replacement_names_groups_and_a_limit_holds() {
        let replacement = |limit| Replacement {
            search: Search {
                pattern: Pattern {
                    limit,
                    ..search("", "(\\w)-(\\w)").pattern
                },
                ..search("a-b c-d", "")
            },
            with: "$2-${1}$$".to_owned(),
        };
        assert_eq!(
            replace(&replacement(0)).expect("it is a pattern"),
            "b-a$ d-c$"
        );
        assert_eq!(
            replace(&replacement(1)).expect("it is a pattern"),
            "b-a$ c-d"
        );
    }

    #[test]
    fn a_pattern_that_is_none_is_explained() {
        let failure = matches(&search("x", "(")).expect_err("it is none");
        assert_eq!(failure.answer().code, "text.bad_pattern");
        assert!(failure.answer().message.contains("unclosed group"));
    }
}
