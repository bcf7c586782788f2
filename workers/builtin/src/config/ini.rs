//! INI as Windows programs write it: values are text as they stand, so that `C:\new` stays a path.

use serde_json::{Map, Value};
use standin_worker::shown;

use super::mistake::Mistake;
use crate::plain::Duplicates;

/// Reads INI. Entries before the first section stand beside the sections; a section that comes again goes on.
pub(super) fn parse(text: &str, duplicates: Duplicates) -> Result<Value, Mistake> {
    let mut settings = Settings {
        root: Map::new(),
        section: None,
        duplicates,
    };
    for (index, line) in text.lines().enumerate() {
        settings.line(index + 1, line)?;
    }
    Ok(Value::Object(settings.root))
}

struct Settings {
    root: Map<String, Value>,
    section: Option<String>,
    duplicates: Duplicates,
}

impl Settings {
    fn line(&mut self, number: usize, line: &str) -> Result<(), Mistake> {
        let content = line.trim();
        let column = line.chars().take_while(|c| c.is_whitespace()).count() + 1;
        let wrong = |what: String| Err(Mistake::at(number, column, what));
        if content.is_empty() || content.starts_with([';', '#']) {
            return Ok(());
        }
        if let Some(rest) = content.strip_prefix('[') {
            let Some((name, behind)) = rest.split_once(']') else {
                return wrong("the bracket of a section is not closed".to_owned());
            };
            let behind = behind.trim_start();
            if !behind.is_empty() && !behind.starts_with([';', '#']) {
                return wrong(format!(
                    "{} stands behind a section's bracket",
                    shown(behind)
                ));
            }
            return self.begin_section(name.trim()).or_else(wrong);
        }
        let Some((name, value)) = content.split_once('=') else {
            return wrong(format!(
                "{} is neither a [section] nor name = value",
                shown(content)
            ));
        };
        let name = name.trim_end();
        if name.is_empty() {
            return wrong("a name is missing before the =".to_owned());
        }
        self.entry(name, unquoted(value.trim_start()))
            .or_else(wrong)
    }

    fn begin_section(&mut self, name: &str) -> Result<(), String> {
        match self.root.get(name) {
            None => {
                self.root.insert(name.to_owned(), Value::Object(Map::new()));
            }
            Some(Value::Object(_)) => {}
            Some(_) => {
                return Err(format!(
                    "the section {} has the name of an entry before it",
                    shown(name)
                ));
            }
        }
        self.section = Some(name.to_owned());
        Ok(())
    }

    fn entry(&mut self, name: &str, value: &str) -> Result<(), String> {
        let place = match &self.section {
            None => &mut self.root,
            Some(section) => self.root[section]
                .as_object_mut()
                .expect("a section was put there as a map"),
        };
        let is_there = place.contains_key(name);
        match (self.duplicates, is_there) {
            (Duplicates::Error, true) => Err(match &self.section {
                None => format!("the name {} stands there a second time", shown(name)),
                Some(section) => format!(
                    "the name {} stands in the section {} a second time",
                    shown(name),
                    shown(section)
                ),
            }),
            (Duplicates::First, true) => Ok(()),
            (_, false) | (Duplicates::Last, true) => {
                place.insert(name.to_owned(), value.into());
                Ok(())
            }
        }
    }
}

/// Windows takes one pair of quotes around a value away, and nothing else.
fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = value
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
        {
            return inner;
        }
    }
    value
}
