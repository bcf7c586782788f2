//! Java properties: escapes, continued lines and all, as `java.util.Properties` reads them.

use std::{iter::Peekable, str::Chars};

use serde_json::{Map, Value};
use standin_worker::shown;

use super::mistake::Mistake;
use crate::plain::Duplicates;

/// Reads properties. Names with dots stay as they are.
pub(super) fn parse(text: &str, duplicates: Duplicates) -> Result<Value, Mistake> {
    let mut map = Map::new();
    let mut reader = Reader::new(text);
    while let Some(line) = reader.begin_entry() {
        let name = reader.name()?;
        let value = reader.value()?;
        match (duplicates, map.contains_key(&name)) {
            (Duplicates::Error, true) => {
                let what = format!("the name {} stands there a second time", shown(&name));
                return Err(Mistake::at(line, 1, what));
            }
            (Duplicates::First, true) => {}
            (_, false) | (Duplicates::Last, true) => {
                map.insert(name, value.into());
            }
        }
    }
    Ok(Value::Object(map))
}

/// Reads along, and knows the place of the next character, from 1.
struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
    column: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            rest: text.chars().peekable(),
            line: 1,
            column: 1,
        }
    }

    /// The next character; a line's end is one \n, however it is written.
    fn next(&mut self) -> Option<char> {
        let mut c = self.rest.next()?;
        if c == '\r' {
            self.rest.next_if_eq(&'\n');
            c = '\n';
        }
        if c == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(c)
    }

    fn next_if(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        let is_wanted = self.rest.peek().is_some_and(|c| wanted(*c));
        if is_wanted { self.next() } else { None }
    }

    fn skip(&mut self, skipped: impl Fn(char) -> bool) {
        while self.next_if(&skipped).is_some() {}
    }

    /// Goes on to the next entry and tells its line. Blank lines and comments are passed over; a comment has no
    /// continuation.
    fn begin_entry(&mut self) -> Option<usize> {
        loop {
            self.skip(|c| is_blank(c) || is_line_end(c));
            if self.next_if(|c| matches!(c, '#' | '!')).is_none() {
                return self.rest.peek().map(|_| self.line);
            }
            self.skip(|c| !is_line_end(c));
        }
    }

    /// Up to the first blank, = or : that is not escaped, and past what separates it from the value.
    fn name(&mut self) -> Result<String, Mistake> {
        let mut name = String::new();
        while let Some(c) =
            self.next_if(|c| !is_blank(c) && !is_line_end(c) && !matches!(c, '=' | ':'))
        {
            self.put(c, &mut name)?;
        }
        self.blanks();
        if self.next_if(|c| matches!(c, '=' | ':')).is_some() {
            self.blanks();
        }
        Ok(name)
    }

    /// Blanks, and continued lines among them.
    fn blanks(&mut self) {
        loop {
            self.skip(is_blank);
            let mut ahead = self.rest.clone();
            let is_continued = ahead.next() == Some('\\') && ahead.next().is_some_and(is_line_end);
            if !is_continued {
                return;
            }
            self.next();
            self.next();
        }
    }

    /// Up to the end of the line.
    fn value(&mut self) -> Result<String, Mistake> {
        let mut value = String::new();
        while let Some(c) = self.next_if(|c| !is_line_end(c)) {
            self.put(c, &mut value)?;
        }
        self.next();
        Ok(value)
    }

    /// Puts a character there, or what an escape that begins with it means.
    fn put(&mut self, c: char, out: &mut String) -> Result<(), Mistake> {
        if c != '\\' {
            out.push(c);
            return Ok(());
        }
        let (line, column) = (self.line, self.column - 1);
        match self.next() {
            // A backslash at the very end stands for nothing.
            None => {}
            Some('\n') => self.skip(is_blank),
            Some('t') => out.push('\t'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('f') => out.push('\u{c}'),
            Some('u') => {
                let c = self.unicode().ok_or_else(|| {
                    let what = "behind \\u the four digits of a character are missing";
                    Mistake::at(line, column, what)
                })?;
                out.push(c);
            }
            Some(other) => out.push(other),
        }
        Ok(())
    }

    /// The character behind `\u`. Java writes those beyond four digits as two halves.
    fn unicode(&mut self) -> Option<char> {
        let first = self.four_digits()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        self.next_if(|c| c == '\\')?;
        self.next_if(|c| c == 'u')?;
        let second = self.four_digits()?;
        char::decode_utf16([first as u16, second as u16])
            .next()?
            .ok()
    }

    fn four_digits(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |number, _| {
            let digit = self.next_if(|c| c.is_ascii_hexdigit())?.to_digit(16)?;
            Some(number * 16 + digit)
        })
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{c}')
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\r' | '\n')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Value {
        parse(text, Duplicates::Error).unwrap_or_else(|mistake| panic!("{text:?}: {mistake:?}"))
    }

    #[test]
    fn lines_are_read_as_java_reads_them() {
        for (text, wanted) in [
            ("", json!({})),
            (" # no\\\n! no\r\n\r\n a = b \r\n", json!({ "a": "b " })),
            ("a=1\rb=2\r\nc=3", json!({ "a": "1", "b": "2", "c": "3" })),
            (
                "a\nb\tc:d\ne  =  = f",
                json!({ "a": "", "b": "c:d", "e": "= f" }),
            ),
            ("=x\n", json!({ "": "x" })),
            (r"a\ b\=\:\#c : d", json!({ "a b=:#c": "d" })),
            (
                "a = one, \\\n    two, \\\r\n\tthree\nb=2",
                json!({ "a": "one, two, three", "b": "2" }),
            ),
            ("a\\\n  b = c", json!({ "ab": "c" })),
            ("a \\\n = \\\n b", json!({ "a": "b" })),
            ("a=b\\\\\nc=d", json!({ "a": "b\\", "c": "d" })),
            (r"a=\t\n\r\f\\\x\", json!({ "a": "\t\n\r\u{c}\\x" })),
            (r"a=\u00e4\uD83D\uDE00!", json!({ "a": "ä😀!" })),
            ("päth=C:\\\\temp\n", json!({ "päth": "C:\\temp" })),
        ] {
            assert_eq!(read(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn half_a_character_is_a_mistake_with_its_place() {
        for text in [
            r"\u",
            r"\u12",
            r"\u12x4",
            r"\ud83d",
            r"\ud83dx",
            r"\ud83d\u0041",
            r"\ude00",
        ] {
            let text = format!("a=1\nb= {text}");
            let mistake = parse(&text, Duplicates::Error).expect_err("it is half a character");
            let place = mistake.place.expect("its place is known");
            assert_eq!((place.line, place.column), (2, 4), "{text}");
        }
    }
}
