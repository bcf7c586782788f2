//! What docs/GUARANTEES.md and docs/CLIENTS.md say is tested, is: every test that they name exists in the file that they
//! name.

use std::path::Path;

#[test]
fn every_promise_names_a_test_that_exists() {
    let named = tests_named_in("docs/GUARANTEES.md");
    assert!(
        named >= 30,
        "only {named} tests are named; was the page read?"
    );
}

#[test]
fn every_oddity_of_a_client_names_a_test_that_exists() {
    let named = tests_named_in("docs/CLIENTS.md");
    assert!(
        named >= 25,
        "only {named} tests are named; was the page read?"
    );
}

/// How many there are. They stand in the last column: `` `file`: `test`, `test` ``.
fn tests_named_in(page: &str) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(root.join(page)).expect("the page is there");
    let mut named = 0;
    for row in page.lines().filter(|line| line.starts_with("| ")) {
        let held_by = row.trim_end_matches(" |").rsplit(" | ").next();
        let cell = held_by.filter(|cell| cell.starts_with('`'));
        let Some((file, tests)) = cell.and_then(|cell| cell.split_once("`: ")) else {
            assert!(
                !row.contains(".rs"),
                "this row names a file and no test: {row}"
            );
            continue;
        };
        let file = file.trim_matches('`');
        let source = std::fs::read_to_string(root.join(file)).unwrap_or_default();
        for test in tests.split(", ").map(|test| test.trim_matches('`')) {
            assert!(is_there(&source, file, test), "{file} has no test {test}");
            named += 1;
        }
    }
    named
}

fn is_there(source: &str, file: &str, test: &str) -> bool {
    let begins = match file.rsplit('.').next() {
        Some("py") => vec![format!("\ndef {test}(")],
        Some("lua") => vec![format!("\ntest('{test}'")],
        _ => vec![format!("\nfn {test}("), format!("\nasync fn {test}(")],
    };
    begins.iter().any(|begin| source.contains(begin))
}
