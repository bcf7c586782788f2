//! Addresses as people write them.

use lettre::{Address, message::Mailbox};
use standin_worker::Failure;

use super::failure;

/// Reads every address of a text: `a@b.c`, `Name <a@b.c>`, several with `,` or `;` between them.
pub(super) fn parse(text: &str) -> Result<Vec<Mailbox>, Failure> {
    if text.chars().any(char::is_control) {
        return Err(failure::bad_address(
            text,
            "it holds a line break or another control character",
        ));
    }
    pieces(text).map(|piece| mailbox(&piece)).collect()
}

/// Cuts at commas and semicolons that are not inside quotes or angle brackets.
fn pieces(text: &str) -> impl Iterator<Item = String> {
    let mut pieces = vec![String::new()];
    let (mut quoted, mut escaped, mut angled) = (false, false, false);
    for c in text.chars() {
        let cuts = matches!(c, ',' | ';') && !quoted && !angled;
        if cuts {
            pieces.push(String::new());
            continue;
        }
        match c {
            '"' if !escaped => quoted = !quoted,
            '<' if !quoted => angled = true,
            '>' if !quoted => angled = false,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        pieces.last_mut().expect("there is always one").push(c);
    }
    pieces
        .into_iter()
        .map(|piece| piece.trim().to_owned())
        .filter(|piece| !piece.is_empty())
}

fn mailbox(piece: &str) -> Result<Mailbox, Failure> {
    let wrong = |why: &str| failure::bad_address(piece, why);
    let (name, address) = match piece.strip_suffix('>') {
        None => (None, piece),
        Some(rest) => {
            let (name, address) = rest
                .rsplit_once('<')
                .ok_or_else(|| wrong("its < is missing"))?;
            (unquote(name.trim()), address.trim())
        }
    };
    if !address.contains('@') {
        let hint = "it has no @ (a name with a comma in it must be put in quotation marks)";
        return Err(wrong(hint));
    }
    let address: Address = address
        .parse()
        .map_err(|_| wrong("its form is not that of a mail address"))?;
    Ok(Mailbox::new(name, in_ascii(address)))
}

fn unquote(name: &str) -> Option<String> {
    let inner = name
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let name = match inner {
        None => name.to_owned(),
        Some(inner) => {
            let mut plain = String::new();
            let mut characters = inner.chars();
            while let Some(c) = characters.next() {
                plain.extend(if c == '\\' {
                    characters.next()
                } else {
                    Some(c)
                });
            }
            plain
        }
    };
    (!name.is_empty()).then_some(name)
}

/// The domain in the form that every server understands. Only what stands before the @ may need SMTPUTF8.
fn in_ascii(address: Address) -> Address {
    if address.domain().is_ascii() {
        return address;
    }
    let as_url = reqwest::Url::parse(&format!("http://{}/", address.domain()));
    let ascii = as_url
        .ok()
        .and_then(|url| Address::new(address.user(), url.host_str()?).ok());
    ascii.unwrap_or(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let boxes = parse(text).unwrap();
        boxes
            .iter()
            .map(|one| format!("{}|{}", one.name.as_deref().unwrap_or(""), one.email))
            .collect()
    }

    #[test]
    fn addresses_are_read_as_people_write_them() {
        assert_eq!(read("a@b.c"), ["|a@b.c"]);
        assert_eq!(
            read("Anna Müller <a@b.c>; d@e.f,"),
            ["Anna Müller|a@b.c", "|d@e.f"]
        );
        assert_eq!(
            read(r#""Müller, \"Anna\"" <a@b.c>, <d@e.f>"#),
            [r#"Müller, "Anna"|a@b.c"#, "|d@e.f"]
        );
        assert_eq!(read("x@bücher.example"), ["|x@xn--bcher-kva.example"]);
        assert!(read(" ").is_empty());
    }

    #[test]
    fn what_is_no_address_is_refused_by_name() {
        for text in [
            "anna",
            "Müller, Anna <a@b.c>",
            "a@b.c\r\nBcc: x@y.z",
            "a@b.c> <d@e.f",
            "a b@c.d",
            "a@b.c d@e.f",
            "a@b@c",
            "<a@b.c",
        ] {
            let failure = parse(text).unwrap_err();
            assert_eq!(failure.answer().code, "mail.bad_address", "{text}");
        }
    }
}
