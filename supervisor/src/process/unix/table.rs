//! What the system's table of processes says of one of them.

/// As much of it as is needed to know it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    /// Somebody has yet to ask how it ended.
    pub(super) is_dead: bool,
    /// The number of its group.
    pub(super) group: u32,
    /// When it began, in ticks since the system did.
    pub(super) began: u64,
}

/// Of the process of that number, if there is one.
pub(super) fn stat(pid: u32) -> Option<Stat> {
    parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name comes second, in parentheses, and may hold anything. Fields are counted as in proc(5).
fn parse(text: &str) -> Option<Stat> {
    let (_, behind) = text.rsplit_once(')')?;
    let fields: Vec<&str> = behind.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number - 3);
    Some(Stat {
        is_dead: matches!(*field(3)?, "Z" | "X"),
        group: field(5)?.parse().ok()?,
        began: field(22)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_does_not_hide_what_comes_behind_it() {
        let text = "7 (a ) b (c) R) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 9876 1 2 3";
        let stat = Stat {
            is_dead: false,
            group: 42,
            began: 9876,
        };
        assert_eq!(parse(text), Some(stat));
        let dead = parse(&text.replace(" S ", " Z ")).unwrap();
        assert!(dead.is_dead);
        assert_eq!(parse("7 (a)"), None);
    }
}
