//! How much a template may hold.
//!
//! The template engine calls itself once for each sign of a long expression and for each `elif`, and takes a time
//! that grows with the square of an expression's length. Its tags are counted before it sees them.

use minijinja::{
    machinery::{Token, tokenize},
    syntax::SyntaxConfig,
};

/// Names, numbers, texts and signs in one tag. What people write has a few dozen, a table of values some hundreds.
const PARTS_OF_TAG_MAX: usize = 5_000;

/// The same in all tags together: a thousand tags of a hundred.
const PARTS_MAX: usize = 100_000;

/// Branches of `if` in all.
const BRANCHES_MAX: usize = 5_000;

/// What there is too much of, and the line where it became too much.
pub(super) fn excess(template: &str) -> Option<(String, usize)> {
    let (mut all, mut of_tag, mut branches) = (0, 0, 0);
    // A mistake ends the parts; the engine will find it again and explain it.
    for (part, place) in tokenize(template, false, SyntaxConfig::default()).map_while(Result::ok) {
        match part {
            Token::TemplateData(_) => continue,
            Token::VariableStart | Token::BlockStart => of_tag = 0,
            Token::Ident("elif") => branches += 1,
            _ => {}
        }
        all += 1;
        of_tag += 1;
        let line = usize::from(place.start_line);
        if of_tag > PARTS_OF_TAG_MAX {
            return Some((
                format!("a tag has more than {PARTS_OF_TAG_MAX} names and signs"),
                line,
            ));
        }
        if all > PARTS_MAX {
            return Some((
                format!("its tags have more than {PARTS_MAX} names and signs"),
                line,
            ));
        }
        if branches > BRANCHES_MAX {
            return Some((
                format!("it has more than {BRANCHES_MAX} times \"elif\""),
                line,
            ));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_within_bounds_and_chains_without_end_are_not() {
        let table = format!(
            "{{% set t = [{}] %}}{{{{ t }}}}",
            "\"a, b\", ".repeat(2_000)
        );
        assert_eq!(excess(&table), None);
        assert_eq!(excess(&"{{ a.b|upper }} and text. ".repeat(10_000)), None);
        let raw = format!("{{% raw %}}{{{{ {} }}}}{{% endraw %}}", "- ".repeat(10_000));
        assert_eq!(excess(&raw), None);
        assert_eq!(excess("{{ 'never ended"), None);
        for (template, what) in [
            (format!("\n{{{{ {}1 }}}}", "-".repeat(6_000)), "a tag has"),
            (
                format!("\n{{{{ {{}}{} }}}}", "|upper".repeat(6_000)),
                "a tag has",
            ),
            (
                format!("\n{}", "{% if a %}{% elif a %}{% endif %}".repeat(6_000)),
                "elif",
            ),
            (
                format!("\n{}", "{{ a + a }}".repeat(30_000)),
                "its tags have",
            ),
        ] {
            let (said, line) = excess(&template).expect("it is too much");
            assert!(said.contains(what) && line == 2, "{said}, line {line}");
        }
    }
}
