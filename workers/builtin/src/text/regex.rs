//! `text.match`, `text.find`, `text.replace`, `text.split`. The syntax is that of the `regex` crate: linear time on
//! every input, and so no look-around and no back-references.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use standin_worker::{Failure, Method, Outcome, Replay, shown};

use super::{RESULT_SIZE_MAX, too_large};
use crate::optional::or_default;

/// A compiled pattern may take this much memory, in bytes.
const PATTERN_SIZE_MAX: usize = 4 << 20;

/// Matches in one answer. More of them would not fit into a message with all that is told about each.
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
            Method::blocking("text.replace", |_, replacement| replace(replacement)),
            "Replaces matches of a pattern; $1 or ${name} stand for groups.",
        ),
        method(
            Method::blocking("text.split", |_, search| split(&search)),
            "Splits a text at the matches of a pattern.",
        ),
    ]
}

/// A text and a pattern.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Search {
    /// The text to look in.
    text: String,
    /// The regular expression.
    pattern: String,
    /// Upper and lower case are the same.
    #[serde(default, deserialize_with = "or_default")]
    case_insensitive: bool,
    /// ^ and $ match at every line.
    #[serde(default, deserialize_with = "or_default")]
    multi_line: bool,
    /// A dot matches a line's end as well.
    #[serde(default, deserialize_with = "or_default")]
    dot_all: bool,
    /// At most so many matches count; 0 is all.
    #[serde(default, deserialize_with = "or_default")]
    limit: usize,
}

/// What becomes of the matches of a pattern in a text.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Replacement {
    /// The text to look in.
    text: String,
    /// The regular expression.
    pattern: String,
    /// What each match becomes; $1 or ${name} stand for groups, $$ for a dollar.
    with: String,
    /// Upper and lower case are the same.
    #[serde(default, deserialize_with = "or_default")]
    case_insensitive: bool,
    /// ^ and $ match at every line.
    #[serde(default, deserialize_with = "or_default")]
    multi_line: bool,
    /// A dot matches a line's end as well.
    #[serde(default, deserialize_with = "or_default")]
    dot_all: bool,
    /// At most so many matches are replaced; 0 is all.
    #[serde(default, deserialize_with = "or_default")]
    limit: usize,
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

impl Search {
    fn compile(&self) -> Result<Regex, Failure> {
        let mut builder = RegexBuilder::new(&self.pattern);
        builder
            .case_insensitive(self.case_insensitive)
            .multi_line(self.multi_line)
            .dot_matches_new_line(self.dot_all)
            .size_limit(PATTERN_SIZE_MAX);
        builder.build().map_err(|error| {
            let why = format!(
                "The pattern {} cannot be used: {}.",
                shown(&self.pattern),
                reason(&error)
            );
            Failure::new(1101, "text.bad_pattern", why).outcome(Outcome::NotExecuted)
        })
    }

    /// How many matches to take: what was asked for, or one more than there may be.
    fn take(&self) -> usize {
        match self.limit {
            0 => MATCHES_MAX + 1,
            limit => limit.min(MATCHES_MAX + 1),
        }
    }
}

impl Replacement {
    fn split(self) -> (Search, String) {
        let search = Search {
            text: self.text,
            pattern: self.pattern,
            case_insensitive: self.case_insensitive,
            multi_line: self.multi_line,
            dot_all: self.dot_all,
            limit: self.limit,
        };
        (search, self.with)
    }
}

/// What is wrong with a pattern, without the drawing around it.
fn reason(error: &regex::Error) -> String {
    if matches!(error, regex::Error::CompiledTooBig(_)) {
        return "it is too large".to_owned();
    }
    let words = error.to_string();
    let last = words.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

fn within_limit(matches: usize) -> Result<(), Failure> {
    if matches <= MATCHES_MAX {
        return Ok(());
    }
    Err(too_large(format!(
        "There are more than {MATCHES_MAX} matches. Set a \"limit\", or give the text in pieces."
    )))
}

fn matches(search: &Search) -> Result<bool, Failure> {
    Ok(search.compile()?.is_match(&search.text))
}

fn find(search: &Search) -> Result<Vec<Match>, Failure> {
    let pattern = search.compile()?;
    let names: Vec<_> = pattern.capture_names().skip(1).collect();
    // Positions in characters are counted along, not anew for each match.
    let (mut bytes, mut characters) = (0, 0);
    let mut position = |byte: usize| {
        characters += search.text[bytes..byte].chars().count();
        bytes = byte;
        characters
    };
    let found: Vec<Match> = pattern
        .captures_iter(&search.text)
        .take(search.take())
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
        })
        .collect();
    within_limit(found.len())?;
    Ok(found)
}

fn replace(replacement: Replacement) -> Result<String, Failure> {
    let (search, with) = replacement.split();
    let pattern = search.compile()?;
    let limit = if search.limit == 0 {
        usize::MAX
    } else {
        search.limit
    };
    let mut out = String::with_capacity(search.text.len());
    let mut copied = 0;
    for captures in pattern.captures_iter(&search.text).take(limit) {
        let whole = captures.get(0).expect("group 0 is the match");
        out.push_str(&search.text[copied..whole.start()]);
        captures.expand(&with, &mut out);
        copied = whole.end();
        if out.len() > RESULT_SIZE_MAX {
            return Err(too_large(format!(
                "The text would be larger than {RESULT_SIZE_MAX} bytes after the replacement."
            )));
        }
    }
    out.push_str(&search.text[copied..]);
    Ok(out)
}

fn split(search: &Search) -> Result<Vec<String>, Failure> {
    let pattern = search.compile()?;
    // A limit of n matches makes n + 1 pieces.
    let pieces: Vec<&str> = pattern
        .splitn(&search.text, search.take().saturating_add(1))
        .collect();
    within_limit(pieces.len() - 1)?;
    Ok(pieces.into_iter().map(str::to_owned).collect())
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
        let replaced = |limit| {
            replace(Replacement {
                text: "a-b c-d".to_owned(),
                pattern: "(\\w)-(\\w)".to_owned(),
                with: "$2-${1}$$".to_owned(),
                limit,
                ..Replacement::default()
            })
        };
        assert_eq!(replaced(0).expect("it is a pattern"), "b-a$ d-c$");
        assert_eq!(replaced(1).expect("it is a pattern"), "b-a$ c-d");
    }

    #[test]
    fn too_much_is_an_error_and_never_a_part() {
        let text = "x".repeat(MATCHES_MAX + 1);
        for failure in [
            find(&search(&text, "x")).expect_err("there are too many"),
            split(&search(&text, "x")).expect_err("there are too many"),
            replace(Replacement {
                pattern: ".*".to_owned(),
                with: "$0".repeat(1000),
                text: text.clone(),
                ..Replacement::default()
            })
            .expect_err("it is too large"),
            matches(&search("", "(\\w{999}){999}")).expect_err("it is too large"),
        ] {
            assert!(failure.answer().message.ends_with('.'), "{failure}");
        }
        let limited = Search {
            limit: 2,
            ..search(&text, "x")
        };
        assert_eq!(find(&limited).expect("they are two").len(), 2);
        assert_eq!(split(&limited).expect("they are two").len(), 3);
    }

    #[test]
    fn a_pattern_that_is_none_is_explained() {
        let failure = matches(&search("x", "(")).expect_err("it is none");
        assert_eq!(failure.answer().code, "text.bad_pattern");
        assert!(failure.answer().message.contains("unclosed group"));
    }
}
