//! Scratch databases on a server of the user's: dropped, swept, kept, and never anybody else's.

use std::process::Stdio;

use holdfast::engine::postgres::Postgres;
use holdfast::engine::{Content, Engine, Settings, Workspace};

use crate::postgres::server;
use crate::scene::{Run, another_process, client, dump_of, paste, settings, simple, until};

fn scratch_on(server_url: &str) -> Box<dyn Workspace> {
    let settings = Settings { scratch_server: Some(server_url.to_owned()), ..settings() };
    Postgres::parse("postgres:", None, settings).expect("a URL").scratch(None).expect("a scratch")
}

fn scratch() -> Box<dyn Workspace> {
    scratch_on(&server().url("postgres", "postgres"))
}

fn name_of(scratch: &dyn Workspace) -> String {
    scratch.loaded().reach().places["database"].clone()
}

fn is_there(name: &str) -> bool {
    server().sql("postgres", &format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'")) == "1"
}

fn comment(name: &str, comment: &str) {
    server().sql("postgres", &format!("COMMENT ON DATABASE \"{name}\" IS '{comment}'"));
}

const OURS: &str = r#"holdfast:{"role":"scratch","target":"x"}"#;

#[test]
fn a_scratch_on_a_server_of_the_users_is_reached_and_dropped() {
    simple("origin");
    let settings = Settings { scratch_server: Some(server().url("postgres", "postgres")), ..settings() };
    let engine = Postgres::parse(&server().url("postgres", "origin"), None, settings).expect("a URL");
    let (dumped, bytes) = dump_of(&engine).expect("a dump");
    let mut scratch = engine.scratch(Some(&dumped.database)).expect("a scratch");
    scratch.load(Content::PostgresSql, &mut bytes.as_slice()).expect("a load");
    assert_eq!(scratch.loaded().ask("SELECT count(*) FROM t").expect("an answer").as_deref(), Some("777"));
    let (name, url) = (name_of(&*scratch), scratch.loaded().reach().places["url"].clone());
    assert_eq!(paste(&format!("psql '{url}' -XAtc 'SELECT count(*), current_database() FROM t'")), (true, format!("777|{name}")));
    drop(scratch);
    assert!(!is_there(&name) && is_there("origin"));
}

#[test]
fn fm_h03_a_scratch_with_open_connections_is_dropped_with_them() {
    let scratch = scratch();
    let name = name_of(&*scratch);
    let mut sleeper = client(&name, "BEGIN; CREATE TABLE x (); SELECT pg_sleep(600);");
    until("a client is connected", || {
        server().sql("postgres", &format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'")) == "1"
    });
    drop(scratch);
    assert!(!is_there(&name));
    assert!(!sleeper.0.wait().expect("an end").success());
}

#[test]
fn fm_h03_fm_h06_a_scratch_that_lost_its_comment_or_changed_it_is_not_dropped() {
    for text in ["", "precious", r#"holdfast:{"role":"aside","target":"x"}"#] {
        let scratch = scratch();
        let name = name_of(&*scratch);
        comment(&name, text);
        drop(scratch);
        // One whose comment is gone is still known to the run that made it.
        assert_eq!(is_there(&name), !text.is_empty(), "{text:?}");
        server().sql("postgres", &format!("DROP DATABASE IF EXISTS \"{name}\""));
    }
}

#[test]
fn fm_h04_ten_runs_at_once_have_ten_scratches() {
    let names: std::collections::BTreeSet<String> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..10)
            .map(|_| {
                scope.spawn(|| {
                    let scratch = scratch();
                    let name = name_of(&*scratch);
                    server().sql(&name, "CREATE TABLE mine (a int)");
                    assert_eq!(scratch.loaded().ask("SELECT count(*) FROM mine").expect("an answer").as_deref(), Some("0"));
                    name
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().expect("a run")).collect()
    });
    assert_eq!(names.len(), 10);
    assert!(names.iter().all(|name| !is_there(name)));
}

/// Run by the next test in a process of its own, to be killed.
#[test]
#[ignore = "never ends"]
fn holds_a_scratch_for_ever() {
    let (Ok(url), Ok(file)) = (std::env::var("HOLDFAST_TEST_URL"), std::env::var("HOLDFAST_TEST_NAME_FILE")) else { return };
    let scratch = scratch_on(&url);
    std::fs::write(&file, name_of(&*scratch)).expect("written");
    loop {
        std::thread::park();
    }
}

/// A run that holds a scratch through this database of the server, and the scratch's name.
fn holder(through: &str) -> (Run, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("name");
    let child = another_process("shared::holds_a_scratch_for_ever")
        .env("HOLDFAST_TEST_URL", server().url("postgres", through))
        .env("HOLDFAST_TEST_NAME_FILE", &file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a run");
    until("there is a scratch", || std::fs::read_to_string(&file).is_ok_and(|text| !text.is_empty()));
    (Run(child), std::fs::read_to_string(&file).expect("a name"))
}

#[test]
fn fm_h05_the_scratch_of_a_killed_run_is_swept_and_that_of_a_living_one_is_not() {
    let (killed, name) = holder("postgres");
    let (living, living_name) = holder("postgres");
    let (elsewhere, elsewhere_name) = holder("template1");
    // Its tests go on without it.
    let mut orphan = client(&name, "SELECT pg_sleep(600);");
    drop(scratch());
    assert!(is_there(&name) && is_there(&living_name) && is_there(&elsewhere_name), "a living run's was swept");
    drop((killed, elsewhere));
    // Its session ends with it, but not in the same instant.
    until("the killed runs' are swept", || {
        drop(scratch());
        !is_there(&name) && !is_there(&elsewhere_name)
    });
    assert!(is_there(&living_name));
    assert!(!orphan.0.wait().expect("an end").success());
    drop(living);
    until("the last is swept", || {
        drop(scratch());
        !is_there(&living_name)
    });
}

#[test]
fn fm_h05_one_killed_between_its_creation_and_its_mark_is_swept_too() {
    server().sql("postgres", "CREATE DATABASE holdfast_scratch_0123456789ab CONNECTION LIMIT 1932026112");
    drop(scratch());
    assert!(!is_there("holdfast_scratch_0123456789ab"));
}

#[test]
fn fm_h06_nothing_is_swept_that_lacks_the_name_the_mark_or_a_dead_owner() {
    for (name, text) in [
        // The name alone, with no comment, somebody's, one of another role, and one that was kept.
        ("holdfast_scratch_000000000001", ""),
        ("holdfast_scratch_000000000002", "the customers"),
        ("holdfast_scratch_000000000003", r#"holdfast:{"role":"aside","target":"x"}"#),
        ("holdfast_scratch_000000000004", r#"holdfast:{"role":"kept","target":"x"}"#),
        ("holdfast_scratch_000000000005", "holdfast:scratch"),
        // The mark alone.
        ("customers", OURS),
        ("holdfast_scratch_customers", OURS),
        ("holdfast_scratch_000000000006_2", OURS),
        ("HOLDFAST_SCRATCH_000000000007", OURS),
    ] {
        server().sql("postgres", &format!("CREATE DATABASE \"{name}\""));
        if !text.is_empty() {
            comment(name, text);
        }
        drop(scratch());
        assert!(is_there(name), "{name} {text} was swept");
        server().sql("postgres", &format!("DROP DATABASE \"{name}\""));
    }
    // Both, and an owner that lives: through the lock, in whichever database it is held.
    server().sql("postgres", "CREATE DATABASE holdfast_scratch_000000000008");
    comment("holdfast_scratch_000000000008", OURS);
    for through in ["postgres", "template1"] {
        let owner = client(through, "SELECT pg_advisory_lock(hashtextextended('holdfast_scratch_000000000008', 20261121));");
        let held = "SELECT count(*) FROM pg_locks, hashtextextended('holdfast_scratch_000000000008', 20261121) k \
                    WHERE locktype = 'advisory' AND objid::bigint = (k & 4294967295)";
        until("the owner has its lock", || server().sql("postgres", held) == "1");
        drop(scratch());
        assert!(is_there("holdfast_scratch_000000000008"), "a living owner's, through {through}");
        drop(owner);
        until("the owner's session has ended with it", || server().sql("postgres", held) == "0");
    }
    drop(scratch());
    assert!(!is_there("holdfast_scratch_000000000008"));
}

#[test]
fn fm_h06_a_role_sweeps_only_what_is_its_own() {
    server().sql("postgres", "CREATE ROLE maker LOGIN CREATEDB; CREATE DATABASE holdfast_scratch_00000000000a");
    comment("holdfast_scratch_00000000000a", OURS);
    drop(scratch_on(&server().url("maker", "postgres")));
    assert!(is_there("holdfast_scratch_00000000000a"));
    drop(scratch());
    assert!(!is_there("holdfast_scratch_00000000000a"));
}

#[test]
fn fm_h02_a_role_that_may_not_create_databases_is_told_its_grant() {
    server().sql("postgres", "CREATE ROLE \"no maker\" LOGIN");
    let settings = Settings { scratch_server: Some(server().url("no%20maker", "postgres")), ..settings() };
    let error = Postgres::parse("postgres:", None, settings).expect("a URL").scratch(None).map(|_| ()).expect_err("no right");
    assert!(error.to_string().starts_with("scratch_server: ") && error.to_string().contains("permission denied"), "{error}");
    assert_eq!(error.next_step(), Some("as a superuser: ALTER ROLE \"no maker\" CREATEDB"));
}

#[test]
fn a_kept_scratch_stays_and_goes_by_its_own_command() {
    let scratch = scratch();
    let name = name_of(&*scratch);
    server().sql(&name, "CREATE TABLE seen AS SELECT 42 AS a");
    let left = scratch.keep().expect("kept");
    drop(self::scratch());
    assert_eq!(paste(&format!("{} -XAtc 'SELECT a FROM seen'", left.open)), (true, "42".to_owned()));
    assert!(left.location.contains(&name));
    let (is_done, said) = paste(&left.drop);
    assert!(is_done && !is_there(&name), "{}: {said}", left.drop);
}

#[test]
fn no_password_is_in_what_is_shown_of_a_kept_scratch() {
    server().sql("postgres", "CREATE ROLE keeper_of_scratch LOGIN SUPERUSER PASSWORD 'canary-0815'");
    let url = server().url("keeper_of_scratch", "postgres").replace("keeper_of_scratch@", "keeper_of_scratch:canary-0815@");
    let scratch = scratch_on(&url);
    assert_eq!(scratch.loaded().reach().variables["PGPASSWORD"].as_deref(), Some("canary-0815"));
    assert!(scratch.loaded().reach().places["url"].contains("canary-0815") && !scratch.loaded().location().contains("canary"));
    let left = scratch.keep().expect("kept");
    assert!(!format!("{left:?}").contains("canary"), "{left:?}");
    assert!(paste(&left.drop).0);
}
