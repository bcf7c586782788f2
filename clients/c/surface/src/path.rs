//! Paths: `to[0]`, `files[-1].name`, `headers.'a.b'`, `map.#2`, `list[]`.

use crate::{code::Code, failure::Failure};

/// So deep may values nest: a message may nest 64 levels, and there is something around what a program says.
pub(crate) const DEPTH_MAX: usize = 60;

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The entry of a map of that name.
    Name(String),
    /// The value of the entry of a map at that place.
    Place(usize),
    /// The item of a list, from 0.
    Item(usize),
    /// The item of a list, counted from its end: 1 is the last.
    FromEnd(usize),
    /// The place behind the last item.
    Behind,
}

/// Reads a path. The empty one has no steps.
pub(crate) fn parse(path: &str) -> Result<Vec<Step>, Failure> {
    let mut reader = Reader { path, at: 0 };
    let mut steps = Vec::new();
    while let Some(next) = reader.peek() {
        let step = match next {
            '[' => reader.item()?,
            '.' if steps.is_empty() => return Err(reader.wrong("it begins with a dot")),
            '.' => {
                reader.at += 1;
                reader.name()?
            }
            _ if steps.is_empty() => reader.name()?,
            _ => return Err(reader.wrong("a dot or a bracket is missing")),
        };
        if steps.len() == DEPTH_MAX {
            return Err(reader.wrong("it is too deep"));
        }
        steps.push(step);
    }
    Ok(steps)
}

struct Reader<'a> {
    path: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.path[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn wrong(&self, why: &str) -> Failure {
        let position = self.path[..self.at].chars().count() + 1;
        let why = format!(
            "The path \"{}\" cannot be read at character {position}: {why}.",
            self.path
        );
        Failure::new(Code::BadPath, why)
    }

    fn item(&mut self) -> Result<Step, Failure> {
        let Some(end) = self.rest().find(']') else {
            return Err(self.wrong("the bracket is not closed"));
        };
        let inside = &self.rest()[1..end];
        let step = match inside.strip_prefix('-') {
            None if inside.is_empty() => Some(Step::Behind),
            None => number(inside).map(Step::Item),
            Some(digits) => number(digits)
                .filter(|number| *number > 0)
                .map(Step::FromEnd),
        };
        let step = step.ok_or_else(|| self.wrong("there is no number in the brackets"))?;
        self.at += end + 1;
        Ok(step)
    }

    fn name(&mut self) -> Result<Step, Failure> {
        if self.peek() == Some('\'') {
            return self.quoted();
        }
        let rest = self.rest();
        let end = rest.find(['.', '[', ']', '\'']).unwrap_or(rest.len());
        let name = &rest[..end];
        if name.is_empty() {
            return Err(self.wrong("a name is missing"));
        }
        let step = match name.strip_prefix('#') {
            None => Step::Name(name.to_owned()),
            Some(digits) => {
                let place = number(digits).map(Step::Place);
                place.ok_or_else(|| self.wrong("there is no number behind the #"))?
            }
        };
        self.at += end;
        Ok(step)
    }

    fn quoted(&mut self) -> Result<Step, Failure> {
        let mut name = String::new();
        let mut letters = self.rest().char_indices().skip(1).peekable();
        while let Some((place, letter)) = letters.next() {
            if letter != '\'' {
                name.push(letter);
            } else if letters.next_if(|(_, next)| *next == '\'').is_some() {
                name.push('\'');
            } else {
                self.at += place + 1;
                return Ok(Step::Name(name));
            }
        }
        Err(self.wrong("the quote is not closed"))
    }
}

fn number(digits: &str) -> Option<usize> {
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> Step {
        Step::Name(name.to_owned())
    }

    #[test]
    fn names_items_places_and_quotes_are_understood() {
        let steps = |path| parse(path).expect("it can be read");
        assert_eq!(steps(""), []);
        assert_eq!(steps("to[0]"), [name("to"), Step::Item(0)]);
        assert_eq!(steps("[2][-1]"), [Step::Item(2), Step::FromEnd(1)]);
        assert_eq!(
            steps("files[].name"),
            [name("files"), Step::Behind, name("name")]
        );
        assert_eq!(
            steps("headers.X-Id.#3"),
            [name("headers"), name("X-Id"), Step::Place(3)]
        );
        assert_eq!(steps("'it''s'.'#1'"), [name("it's"), name("#1")]);
        assert_eq!(steps("''"), [name("")]);
    }

    #[test]
    fn a_path_that_cannot_be_read_is_an_error_with_its_place() {
        for (path, place) in [
            (".a", 1),
            ("a..b", 3),
            ("a.", 3),
            ("a[", 2),
            ("a[x]", 2),
            ("a[-0]", 2),
            ("a[+1]", 2),
            ("a[99999999999999999999999]", 2),
            ("'a", 1),
            ("'a'b", 4),
            ("a'b", 2),
            ("a]", 2),
            ("#x", 1),
            ("#", 1),
        ] {
            let failure = parse(path).expect_err(path);
            assert_eq!(failure.code, Code::BadPath);
            assert!(
                failure.message.contains(&format!("at character {place}:")),
                "{path}: {}",
                failure.message
            );
        }
        let deep = "[0]".repeat(DEPTH_MAX);
        assert_eq!(parse(&deep).map(|steps| steps.len()).ok(), Some(DEPTH_MAX));
        assert!(parse(&format!("{deep}[0]")).is_err());
    }
}
