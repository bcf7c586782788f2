//! What docs/GUARANTEES.md says is tested, is: every test that it names exists in the file that it names.

use std::path::Path;

#[test]
fn every_promise_names_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(root.join("docs/GUARANTEES.md")).expect("the page is there");
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let mut named = 0;
    for row in rows {
        let held_by = row.trim_end_matches(" |").rsplit(" | ").next();
        let Some((file, tests)) = held_by.and_then(|cell| cell.split_once(": ")) else {
            assert!(
                !row.contains(".rs"),
                "this row names a file and no test: {row}"
            );
            continue;
        };
        let file = file.trim_matches('`');
        let source = std::fs::read_to_string(root.join(file)).unwrap_or_default();
        for test in tests.split(", ").map(|test| test.trim_matches('`')) {
            let (plain, asynchronous) = (format!("\nfn {test}("), format!("\nasync fn {test}("));
            assert!(
                source.contains(&plain) || source.contains(&asynchronous),
                "{file} has no test {test}"
            );
            named += 1;
        }
    }
    assert!(
        named >= 30,
        "only {named} tests are named; was the page read?"
    );
}
