//! Columns of text.

use std::fmt::Write;

/// Rows under their headers, each column as wide as its widest entry, two blanks apart.
pub(super) fn render(headers: &[&str], rows: &[Vec<String>], indent: &str) -> String {
    let width = |column: usize| {
        let entries = rows.iter().filter_map(|row| row.get(column));
        let widest = entries
            .map(|entry| entry.chars().count())
            .max()
            .unwrap_or(0);
        widest.max(headers[column].chars().count())
    };
    let widths: Vec<usize> = (0..headers.len()).map(width).collect();
    let mut out = String::new();
    let mut line = |entries: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (entry, width) in entries.zip(&widths) {
            let _ = write!(line, "{entry:width$}  ");
        }
        let _ = writeln!(out, "{indent}{}", line.trim_end());
    };
    line(&mut headers.iter().copied());
    for row in rows {
        line(&mut row.iter().map(String::as_str));
    }
    out
}

/// A text of a worker's own on one line, without what would steer the terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}
