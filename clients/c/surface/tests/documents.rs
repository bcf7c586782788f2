//! What is made from the header: `docs/C-API.md`, and the list of symbols that the libraries export, `clients/c/symbols`.
//!
//! After a change of the header both are written anew by `STANDIN_WRITE=1 cargo test -p standin-surface --test documents`.

use std::path::PathBuf;

fn file(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../..")
        .join(path)
}

fn read(path: &str) -> String {
    let text = std::fs::read_to_string(file(path)).unwrap_or_default();
    // A checkout on Windows may have made it so.
    text.replace("\r\n", "\n")
}

/// Something in the header that has a comment.
#[derive(Debug, Default)]
struct Entry {
    comment: String,
    declaration: String,
}

/// The header, taken apart: what stands at its beginning, and its sections.
fn taken_apart() -> (String, Vec<(String, Vec<Entry>)>) {
    let header = read("clients/c/include/standin.h");
    let (introduction, rest) = header.split_once("*/").expect("it begins with a comment");
    let introduction = introduction
        .lines()
        .skip(1)
        .map(|line| line.strip_prefix(" * ").unwrap_or("").to_owned() + "\n")
        .collect();
    let mut sections: Vec<(String, Vec<Entry>)> = Vec::new();
    let mut entry = Entry::default();
    let mut in_comment = false;
    for line in rest.lines() {
        if let Some(title) = line.strip_prefix("/* == ") {
            let title = title.strip_suffix(" == */").expect("a title ends so");
            sections.push((title.to_owned(), Vec::new()));
            continue;
        }
        if line.starts_with("/* ") {
            (entry, in_comment) = (Entry::default(), true);
        }
        if in_comment {
            let text = line.trim_start_matches("/*").trim_start_matches(" *");
            let end = text.strip_suffix("*/");
            in_comment = end.is_none();
            let text = end.unwrap_or(text).trim();
            entry.comment.push_str(text);
            entry.comment.push('\n');
        } else if let Some((_, entries)) = sections.last_mut() {
            let is_end = line.starts_with("#define ") || line.ends_with(';');
            if line.is_empty() || line.starts_with("#if") || line.starts_with("#end") {
                continue;
            }
            entry.declaration.push_str(line);
            entry.declaration.push('\n');
            if is_end {
                entries.push(std::mem::take(&mut entry));
            }
        }
    }
    (introduction, sections)
}

impl Entry {
    /// The name of the function.
    fn function(&self) -> Option<&str> {
        let (_, rest) = self.declaration.split_once("STANDIN_API ")?;
        Some(rest.split_once('(')?.0)
    }

    /// The name and the number of a constant.
    fn constant(&self) -> Option<(&str, &str)> {
        let rest = self.declaration.strip_prefix("#define ")?;
        rest.trim_end().split_once(' ')
    }
}

fn functions() -> Vec<String> {
    let (_, sections) = taken_apart();
    let entries = sections.iter().flat_map(|(_, entries)| entries);
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.function().map(str::to_owned))
        .collect();
    names.sort();
    names
}

/// The page.
fn page() -> String {
    let (introduction, sections) = taken_apart();
    let (title, introduction) = introduction.split_once('\n').expect("a title");
    let title = title.strip_prefix("standin.h - ").expect("its name");
    let mut out = format!(
        "# {}\n\nMade from `clients/c/include/standin.h`, which is what holds; do not edit this page.\n{introduction}",
        title.replacen("the", "The", 1)
    );
    for (title, entries) in sections {
        out.push_str(&format!("\n## {title}\n"));
        if entries.iter().all(|entry| entry.constant().is_some()) {
            out.push_str("\n| name | number | meaning |\n|---|---|---|\n");
        }
        for entry in &entries {
            let comment = entry.comment.trim_end();
            if let Some((name, number)) = entry.constant() {
                let meaning = comment.replace('\n', " ");
                out.push_str(&format!("| `{name}` | {number} | {meaning} |\n"));
            } else if let Some(name) = entry.function() {
                let declaration = entry.declaration.trim_end();
                out.push_str(&format!(
                    "\n### {name}\n\n```c\n{declaration}\n```\n\n{comment}\n"
                ));
            }
        }
    }
    out
}

fn is_current(path: &str, wanted: &str) {
    if std::env::var_os("STANDIN_WRITE").is_some() {
        std::fs::write(file(path), wanted).expect("it can be written");
    }
    assert!(
        read(path) == wanted,
        "{path} is not what the header says; see clients/c/surface/tests/documents.rs"
    );
}

#[test]
fn the_page_of_the_documentation_says_what_the_header_says() {
    is_current("docs/C-API.md", &page());
}

#[test]
fn the_list_of_symbols_is_that_of_the_header() {
    is_current("clients/c/symbols", &(functions().join("\n") + "\n"));
}

#[test]
fn every_function_of_the_header_is_there_and_no_other() {
    let mut made = Vec::new();
    for name in ["build", "callbacks", "clients", "errors", "read", "run"] {
        let text = read(&format!("clients/c/surface/src/exports/{name}.rs"));
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("    fn standin_") {
                let (name, _) = rest.split_once('(').expect("a function");
                made.push(format!("standin_{name}"));
            }
        }
    }
    made.sort();
    assert_eq!(made, functions());
}

#[test]
fn every_function_of_the_header_says_what_it_does() {
    let (_, sections) = taken_apart();
    for entry in sections.iter().flat_map(|(_, entries)| entries) {
        let is_type = entry.declaration.contains("_TYPE_");
        assert!(is_type || entry.comment.len() > 4, "{entry:?}");
    }
}
