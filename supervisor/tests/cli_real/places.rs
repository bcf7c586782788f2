//! Where the binary may lie and what it may be given: names in any language, spaces, long paths, and nothing else in its
//! folder.

use std::path::{Path, PathBuf};

use crate::helpers::{Service, run_in, standin_at};

/// A name as users have them.
const NAME: &str = "Büro Grüße 日本 🦀 & Co";

/// Puts the binary into a folder where there is nothing else.
fn alone_in(folder: &Path) -> PathBuf {
    std::fs::create_dir_all(folder).expect("there is room for a folder");
    let original = Path::new(env!("CARGO_BIN_EXE_standin"));
    let copy = folder.join(original.file_name().expect("it has a name"));
    copy_program(original, &copy);
    // Wine 8 lacks a library that every Rust program needs; the one beside the original stands in for it.
    let library = original.with_file_name("bcryptprimitives.dll");
    if cfg!(windows) && library.exists() {
        std::fs::copy(&library, folder.join("bcryptprimitives.dll")).expect("there is room");
    }
    copy
}

/// By another process on Unix: a file that is open for writing cannot be started, and any process that another test
/// starts meanwhile would hold it open for a moment.
fn copy_program(from: &Path, to: &Path) {
    if cfg!(windows) {
        std::fs::copy(from, to).expect("there is room for it");
    } else {
        let copied = std::process::Command::new("cp").arg(from).arg(to).status();
        assert!(copied.expect("there is a `cp`").success());
    }
}

fn works(service: &Service) {
    let ran = service.ask(&[
        "call",
        "text.replace",
        "text=größer 🦀",
        "pattern=g",
        "with=ß",
        "--json",
    ]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.contains("ßrößer 🦀"), "{}", ran.stdout);
}

fn stops(service: Service) {
    let ran = service.stop();
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (Some(0), ""),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_binary_alone_in_a_folder_with_any_name_serves() {
    let place = tempfile::tempdir().expect("there is room for a folder");
    let folder = place.path().join(NAME);
    let program = alone_in(&folder);
    let before = names(&folder);
    let service = Service::start_by(standin_at(&program, &["serve"]));
    works(&service);
    stops(service);
    assert_eq!(names(&folder), before, "it leaves nothing where it lies");
}

fn names(folder: &Path) -> Vec<std::ffi::OsString> {
    let entries = std::fs::read_dir(folder).expect("it is there").flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
    names.sort();
    names
}

#[test]
fn configuration_and_state_may_lie_in_folders_with_any_name() {
    let place = tempfile::tempdir().expect("there is room for a folder");
    let folder = place.path().join(NAME);
    let state = folder.join("état");
    std::fs::create_dir_all(&state).expect("there is room for a folder");
    let file = folder.join("Konfiguration ü.toml");
    std::fs::write(&file, "# Grüße\n[service]\nstop = \"5s\"\n").expect("there is room for it");
    let checked = run_in(place.path(), &["config", "check", &file.to_string_lossy()]);
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
    assert!(
        checked.stdout.contains("Konfiguration ü.toml"),
        "{}",
        checked.stdout
    );
    let (file, state) = (file.to_string_lossy(), state.to_string_lossy());
    let service = Service::start(&["--config", &file, "--state", &state]);
    works(&service);
    stops(service);
}

/// Of the binary and the state folder it is not promised: Wine 8 starts no program at such a place, and what the database
/// does there on Windows can only be seen on Windows.
#[test]
fn the_path_of_a_configuration_may_be_longer_than_windows_once_allowed() {
    let place = tempfile::tempdir().expect("there is room for a folder");
    let mut folder = place.path().to_owned();
    while folder.as_os_str().len() < 300 {
        folder.push("a folder with quite a long name ü");
    }
    std::fs::create_dir_all(&folder).expect("there is room for folders");
    let file = folder.join("standin.toml");
    std::fs::write(&file, "[service]\nstop = \"5s\"\n").expect("there is room for it");
    let service = Service::start(&["--config", &file.to_string_lossy()]);
    works(&service);
    stops(service);
}

#[test]
fn a_file_that_windows_tools_have_written_is_read_and_one_in_a_code_page_is_told() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let text = "\"größer\" = 1\n";
    let wide = std::iter::once(0xfeff).chain(text.encode_utf16());
    let wide: Vec<u8> = wide.flat_map(u16::to_le_bytes).collect();
    std::fs::write(folder.path().join("wide.toml"), wide).expect("there is room for it");
    std::fs::write(folder.path().join("ansi.toml"), b"# gut\n# gr\xfc\xdfe\n").expect("as well");
    let wide = run_in(folder.path(), &["config", "check", "wide.toml"]);
    let told = wide.stdout + &wide.stderr;
    assert!(told.contains("`größer` is not a section"), "{told}");
    let ansi = run_in(folder.path(), &["config", "check", "ansi.toml"]);
    assert_eq!((ansi.code, ansi.stdout.as_str()), (Some(2), ""));
    insta::assert_snapshot!(ansi.stderr, @r"
    error: ansi.toml:2: the file is not in UTF-8
    (hint: save it again, and choose the encoding UTF-8)
    ");
}
