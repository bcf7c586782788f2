//! What an SMTP server says: three digits and some lines.

/// One reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    /// The three digits.
    pub(super) code: u16,
    /// Its lines, without the digits, with blanks between them.
    pub(super) text: String,
    /// Its lines one by one.
    pub(super) lines: Vec<String>,
}

/// One line of a reply: the digits, whether more follow, and the rest.
pub(super) fn parse_line(line: &str) -> Option<(u16, bool, &str)> {
    let (digits, rest) = line.split_at_checked(3)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let code = digits
        .parse()
        .ok()
        .filter(|code| (200..600).contains(code))?;
    match rest.as_bytes().first() {
        None => Some((code, false, "")),
        Some(b' ') => Some((code, false, &rest[1..])),
        Some(b'-') => Some((code, true, &rest[1..])),
        Some(_) => None,
    }
}

impl Reply {
    pub(super) fn new(code: u16, lines: Vec<String>) -> Self {
        Self {
            code,
            text: lines.join(" ").trim().to_owned(),
            lines,
        }
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// Asks for more: 334 in a login, 354 before the text.
    pub(super) fn is_intermediate(&self) -> bool {
        (300..400).contains(&self.code)
    }

    pub(super) fn is_temporary(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// The code of RFC 3463, such as `5.1.1`.
    pub(super) fn enhanced(&self) -> Option<&str> {
        let word = self.text.split(' ').next()?;
        let mut parts = word.split('.');
        let is_number = |part: &str| {
            (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        let class = parts
            .next()
            .filter(|class| matches!(*class, "2" | "4" | "5"));
        let rest: Vec<_> = parts.collect();
        (class.is_some() && rest.len() == 2 && rest.into_iter().all(is_number)).then_some(word)
    }

    /// The words behind the enhanced code.
    pub(super) fn words(&self) -> &str {
        match self.enhanced() {
            Some(code) => self.text[code.len()..].trim_start(),
            None => &self.text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_three_digits_and_words() {
        assert_eq!(parse_line("250-SIZE 5"), Some((250, true, "SIZE 5")));
        assert_eq!(parse_line("250"), Some((250, false, "")));
        for line in ["25", "2500 x", "abc d", "999 x", "HTTP/1.1 400", "2é0 x"] {
            assert_eq!(parse_line(line), None, "{line}");
        }
    }

    #[test]
    fn the_enhanced_code_is_told_from_the_words() {
        let reply = |text: &str| Reply::new(550, vec![text.to_owned()]);
        assert_eq!(reply("5.1.1 no such user").enhanced(), Some("5.1.1"));
        assert_eq!(reply("5.1.1 no such user").words(), "no such user");
        assert_eq!(reply("no such user").enhanced(), None);
        assert_eq!(reply("5.1 no").words(), "5.1 no");
    }
}
