//! `standin config`, on good files and on bad ones.

use std::fs;

use crate::helpers::{run_in, standin};

fn folder_with(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    fs::write(folder.path().join("my.toml"), text).expect("the file can be written");
    folder
}

#[test]
fn the_shipped_file_is_good() {
    let folder = folder_with(include_str!("../../../config/standin.toml"));
    let ran = run_in(folder.path(), &["config", "check", "my.toml"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let (first, second) = ran.stdout.split_once('\n').expect("two lines");
    assert_eq!(first, "`my.toml` is good. Pools: builtin.");
    assert!(
        second.starts_with("Started by you, the service keeps its state in "),
        "{second}"
    );
}

#[test]
fn the_folder_of_the_state_is_told_as_it_is_set() {
    let folder = folder_with("[state]\ndir = '/srv/standin'\n");
    let ran = run_in(folder.path(), &["config", "check", "my.toml"]);
    assert!(
        ran.stdout.ends_with("keeps its state in /srv/standin.\n"),
        "{}",
        ran.stdout
    );
}

#[test]
fn every_mistake_of_a_bad_file_is_shown_with_its_place() {
    let folder = folder_with(
        "[serivce]\nstop = \"1s\"\n\n[pools.reports]\nworkers = { min = 3, max = 2 }\n",
    );
    let ran = run_in(folder.path(), &["config", "check", "my.toml"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    insta::assert_snapshot!(ran.stderr, @r#"
    error: my.toml:1:2: `serivce` is not a section of this file
    (hint: did you mean `service`?)
    my.toml:4:8: the pool `reports` has no command to start
    (hint: command = ["program", "argument"])
    my.toml:5:19: `min` is 3 and `max` is 2
    (hint: `min` must not be larger; raise `max` or lower `min`)
    "#);
}

#[test]
fn a_service_does_not_start_on_a_bad_file_and_says_why() {
    let folder = folder_with("[log]\nlevel = \"loud\"\n");
    let ran = run_in(folder.path(), &["serve", "--config", "my.toml"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    insta::assert_snapshot!(ran.stderr, @r#"
    error: my.toml:2:9: "loud" is no level of the log
    (hint: write one of error, warn, info, debug, trace, off; also by module, like "info,standin::pool=debug")
    "#);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = folder_with("");
    let ran = run_in(folder.path(), &["config", "check", "other.toml"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(
        ran.stderr
            .starts_with("error: cannot read the configuration file `other.toml`: "),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_settings_in_force_are_shown_as_a_file_that_is_good_itself() {
    let folder = folder_with("[pools.reports]\ncommand = [\"python3\", \"reports.py\"]\n");
    let shown = run_in(folder.path(), &["config", "show", "my.toml"]);
    assert_eq!((shown.code, shown.stderr.as_str()), (Some(0), ""));
    assert!(
        shown.stdout.contains("[pools.reports.workers]"),
        "{}",
        shown.stdout
    );
    fs::write(folder.path().join("shown.toml"), &shown.stdout).expect("the file can be written");
    let again = run_in(folder.path(), &["config", "show", "shown.toml"]);
    assert_eq!(again.stdout, shown.stdout);
}

#[test]
fn the_variable_names_the_file_and_the_command_line_wins_over_it() {
    let folder = folder_with("[pools.reports]\ncommand = [\"x\"]\n");
    fs::write(folder.path().join("other.toml"), "").expect("the file can be written");
    let check = |arguments: &[&str]| {
        let mut command = standin(arguments);
        let output = command
            .current_dir(folder.path())
            .env("STANDIN_CONFIG", "my.toml")
            .output();
        let said = String::from_utf8(output.expect("the binary starts").stdout);
        let said = said.expect("it is UTF-8");
        said.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(
        check(&["config", "check"]),
        "`my.toml` is good. Pools: builtin, reports."
    );
    assert_eq!(
        check(&["config", "check", "other.toml"]),
        "`other.toml` is good. Pools: builtin."
    );
}
