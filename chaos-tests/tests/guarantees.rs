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
    match file.rsplit('.').next() {
        // No other name is run.
        Some("py") => test.starts_with("test_") && source.contains(&format!("\ndef {test}(")),
        Some("lua") => source.contains(&format!("\ntest('{test}'")),
        _ => is_a_test(source, test),
    }
}

/// Whether there is such a function, and one that is run.
fn is_a_test(source: &str, test: &str) -> bool {
    let begins = [format!("\nfn {test}("), format!("\nasync fn {test}(")];
    let Some(at) = begins.iter().find_map(|begin| source.find(begin)) else {
        return false;
    };
    let above = source[..at].lines().rev();
    let mut attributes = above.take_while(|line| line.starts_with(['#', '/', ' ', ')']));
    attributes.any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
}

#[test]
fn a_function_that_is_not_run_is_no_test() {
    let source = "\n#[test]\nfn one() {}\n\nfn two() {}\n\n#[test]\nfn three() {\n    f();\n}\nfn four() {}\n";
    let source = format!("{source}\n#[tokio::test]\n/// Why.\nasync fn five() {{}}\n");
    let are_tests =
        ["one", "two", "three", "four", "five", "six"].map(|name| is_a_test(&source, name));
    assert_eq!(are_tests, [true, false, true, false, true, false]);
}
