//! Somebody's text inside a sentence.

/// How much of it is repeated: enough to recognise it by.
const SHOWN_MAX: usize = 60;

/// A text that the caller gave, as it can stand in a message: in quotes, on one line, and not endless.
#[must_use]
pub fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_MAX).flat_map(visible).collect();
    if text.chars().nth(SHOWN_MAX).is_some() {
        shown.push_str("...");
    }
    format!("\"{shown}\"")
}

/// A character that can stand in a line: a line break and the like is written as its escape.
pub(crate) fn visible(c: char) -> impl Iterator<Item = char> {
    let escaped = c.is_control().then(|| c.escape_default());
    let plain = (!c.is_control()).then_some(c);
    escaped.into_iter().flatten().chain(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_shown_on_one_line_and_by_its_beginning() {
        assert_eq!(shown("a \"ü\"\r\n\t"), "\"a \"ü\"\\r\\n\\t\"");
        assert_eq!(shown(&"ü".repeat(60)).chars().count(), 62);
        assert_eq!(shown(&"ü".repeat(61)).chars().count(), 65);
        assert_eq!(shown(""), "\"\"");
    }
}
