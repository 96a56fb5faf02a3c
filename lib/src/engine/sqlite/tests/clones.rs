//! Scratch databases: how they are called, what becomes of them, and of one that is left behind.

use std::process::Command;

use super::*;

fn clone_of(engine: &Sqlite, named: &str) -> Box<dyn Workspace> {
    let mut out = Memory::new();
    let mut origin = engine.dump(&mut out).expect("a dump").database;
    origin.name = named.to_owned();
    let mut scratch = engine.scratch(Some(&origin)).expect("a scratch");
    scratch.load(Content::SqliteImage, &mut &out.bytes[..]).expect("loaded");
    scratch
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("a list")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_clone_has_the_name_of_its_origin_where_that_is_a_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.db");
    drop(ledger(&path, "delete", 3));
    let engine = engine(&path);
    assert!(clone_of(&engine, "app.db").loaded().location().ends_with(".nosync/app.db"));
    for name in ["", "..", "../app.db", "/etc/passwd", ".hidden", "a b", &"x".repeat(300)] {
        assert!(clone_of(&engine, name).loaded().location().ends_with(".nosync/scratch.sqlite"), "{name}");
    }
    assert_eq!(names_in(folder.path()), ["app.db"], "dropped, they are gone");
}

#[test]
fn a_clone_that_is_kept_outlives_its_run_and_goes_by_the_command_it_names() {
    for mode in ["wal", "delete"] {
        let folder = tempfile::Builder::new().prefix("it's a store ").tempdir().expect("a folder");
        let path = folder.path().join("app.db");
        drop(ledger(&path, mode, 300));
        let engine = engine(&path);
        let clone = clone_of(&engine, "app.db");
        // As a test run leaves it: still open, with rows that are in the log only.
        let application = Connection::open(&clone.loaded().reach().places["path"]).expect("open");
        application.execute("INSERT INTO entry(memo) VALUES ('a test was here')", []).expect("a row");
        let left = clone.keep().expect("left behind");
        let place = left.location.strip_prefix("sqlite:").expect("a file").to_owned();
        assert_eq!(Path::new(&place).file_name(), Some("app.db".as_ref()));
        let shown = names_in(folder.path());
        assert!(
            shown.iter().any(|name| name.starts_with(".clone-")) && !shown.iter().any(|name| name.starts_with(".scratch-")),
            "{shown:?}"
        );
        drop(application);
        let inside = Path::new(&place).parent().expect("a folder");
        assert_eq!(fsx::mode_of(inside).expect("a mode"), 0o700);
        assert_eq!(fsx::mode_of(Path::new(&place)).expect("a mode"), 0o600);
        assert_eq!(count(Path::new(&place)), 301);
        // The commands are for a person's shell; sqlite3 itself may not be here.
        let opened = Command::new("sh").args(["-c", &left.open.replacen("sqlite3", "ls", 1)]).output().expect("a shell");
        assert_eq!(String::from_utf8_lossy(&opened.stdout).trim_end(), place);
        assert!(Command::new("sh").args(["-c", &left.drop]).status().expect("a shell").success());
        assert_eq!(names_in(folder.path()), ["app.db"]);
    }
}

#[test]
fn what_is_about_to_be_restored_cannot_be_left_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.db");
    drop(ledger(&path, "delete", 3));
    let engine = engine(&path);
    let mut out = Memory::new();
    engine.dump(&mut out).expect("a dump");
    let beside: Box<dyn Workspace> = load(&engine, &out.bytes, ID);
    beside.keep().expect_err("it is no clone");
    assert_eq!(names_in(folder.path()), ["app.db"]);
}
