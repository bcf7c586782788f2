//! Arguments as one line, because on Windows every program takes its line apart itself: nearly all by the rules of
//! Microsoft's C library, and `cmd.exe`, which runs batch files, by its own.

use std::{ffi::OsString, io, os::windows::ffi::OsStrExt};

const QUOTE: u16 = b'"' as u16;
const BACKSLASH: u16 = b'\\' as u16;
const SPACE: u16 = b' ' as u16;

/// The line for a program: a quotation mark is escaped by a backslash, a backslash only before a quotation mark.
pub(super) fn for_program(program: &[u16], arguments: &[OsString]) -> Vec<u16> {
    let mut line = vec![QUOTE];
    line.extend(program);
    line.push(QUOTE);
    for argument in arguments {
        line.push(SPACE);
        let argument: Vec<u16> = argument.encode_wide().collect();
        let is_plain = |unit: &u16| !matches!(*unit, SPACE | 9..=13);
        let quoted = argument.is_empty() || !argument.iter().all(is_plain);
        add(&mut line, &argument, quoted, BACKSLASH);
    }
    line.push(0);
    line
}

/// The line for `cmd.exe` to run a batch file. `cmd.exe` reads a line with other eyes than programs do: a quotation
/// mark is escaped by another, and between them `%` still means a variable.
pub(super) fn for_batch_file(file: &[u16], arguments: &[OsString]) -> io::Result<Vec<u16>> {
    let mut line: Vec<u16> = "cmd.exe /e:ON /v:OFF /d /c \"\"".encode_utf16().collect();
    line.extend(file);
    line.push(QUOTE);
    for argument in arguments {
        line.push(SPACE);
        let mut escaped = Vec::new();
        for unit in argument.encode_wide() {
            match unit {
                // They would end the line.
                10 | 13 => {
                    let what = "a batch file cannot be given an argument of several lines";
                    return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
                }
                // A variable that always exists, and nothing of it: what follows is no variable's name any more.
                37 => escaped.extend("%%cd:~,%".encode_utf16()),
                other => escaped.push(other),
            }
        }
        add(&mut line, &escaped, !is_plain_for_cmd(argument), QUOTE);
    }
    line.extend([QUOTE, 0]);
    Ok(line)
}

/// Batch files see the quotation marks, so there are none around what can do without. A backslash at the end would
/// escape the mark that a file sets behind it.
fn is_plain_for_cmd(argument: &OsString) -> bool {
    let text = argument.to_string_lossy();
    let is_plain = |letter: char| match letter {
        '#' | '$' | '*' | '+' | '-' | '.' | '/' | ':' | '?' | '@' | '\\' | '_' => true,
        letter if letter.is_ascii() => letter.is_ascii_alphanumeric(),
        letter => !letter.is_control(),
    };
    !text.is_empty() && !text.ends_with('\\') && text.chars().all(is_plain)
}

/// Adds an argument. Backslashes count only where a quotation mark follows.
fn add(line: &mut Vec<u16>, argument: &[u16], quoted: bool, escape: u16) {
    if quoted {
        line.push(QUOTE);
    }
    let mut backslashes = 0;
    for unit in argument {
        if *unit == QUOTE {
            line.extend(std::iter::repeat_n(BACKSLASH, backslashes));
            line.push(escape);
        }
        backslashes = if *unit == BACKSLASH {
            backslashes + 1
        } else {
            0
        };
        line.push(*unit);
    }
    if quoted {
        line.extend(std::iter::repeat_n(BACKSLASH, backslashes));
        line.push(QUOTE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: &[u16]) -> String {
        String::from_utf16(line).unwrap()
    }

    fn arguments(of: &[&str]) -> Vec<OsString> {
        of.iter().map(OsString::from).collect()
    }

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn a_programs_arguments_are_quoted_as_its_c_library_reads_them() {
        let line = |argument| {
            let line = for_program(&wide(r"C:\my programs\a.exe"), &arguments(&[argument]));
            let line = text(&line);
            let argument = line.strip_prefix(r#""C:\my programs\a.exe" "#).unwrap();
            argument.strip_suffix('\0').unwrap().to_owned()
        };
        assert_eq!(line("plain"), "plain");
        assert_eq!(line(r"C:\folder\"), r"C:\folder\");
        assert_eq!(line(""), r#""""#);
        assert_eq!(line("two words"), r#""two words""#);
        assert_eq!(line(r"my folder\"), r#""my folder\\""#);
        assert_eq!(line(r#"say "yes""#), r#""say \"yes\"""#);
        assert_eq!(line(r#"a\"b"#), r#"a\\\"b"#);
        assert_eq!(line("grüße 🦀"), "\"grüße 🦀\"");
    }

    #[test]
    fn a_batch_files_arguments_are_quoted_as_cmd_reads_them() {
        let line = |argument: &str| {
            for_batch_file(&wide(r"C:\my programs\a.cmd"), &arguments(&[argument]))
                .map(|line| text(&line))
        };
        let expected = |argument: &str| {
            format!(r#"cmd.exe /e:ON /v:OFF /d /c ""C:\my programs\a.cmd" {argument}""#) + "\0"
        };
        assert_eq!(line(r"-x:ü\y.z").unwrap(), expected(r"-x:ü\y.z"));
        assert_eq!(line("a&b").unwrap(), expected(r#""a&b""#));
        assert_eq!(line(r#"say "yes""#).unwrap(), expected(r#""say ""yes""""#));
        assert_eq!(line(r"folder\").unwrap(), expected(r#""folder\\""#));
        assert_eq!(
            line("%PATH%").unwrap(),
            expected(r#""%%cd:~,%PATH%%cd:~,%""#)
        );
        assert!(line("two\nlines").is_err());
    }
}
