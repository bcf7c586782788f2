//! Columns of text.

use std::fmt::Write;

/// Rows under their headers, each column as wide as its widest entry, two blanks apart.
pub(super) fn render(headers: &[&str], rows: &[Vec<String>], indent: &str) -> String {
    let headers = headers.iter().map(|header| (*header).to_owned()).collect();
    columns(std::iter::once(&headers).chain(rows), indent)
}

/// The same without headers.
pub(super) fn columns<'a>(
    rows: impl Iterator<Item = &'a Vec<String>> + Clone,
    indent: &str,
) -> String {
    let mut widths = Vec::new();
    for row in rows.clone() {
        widths.resize(row.len().max(widths.len()), 0);
        for (entry, width) in row.iter().zip(&mut widths) {
            *width = entry.chars().count().max(*width);
        }
    }
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (entry, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{entry:width$}  ");
        }
        let _ = writeln!(out, "{indent}{}", line.trim_end());
    }
    out
}

/// A text of a worker's own on one line, without what would steer the terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}
