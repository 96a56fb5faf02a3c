//! Scratch databases: made, dropped, swept.

use std::path::PathBuf;

use holdfast::engine::postgres::Postgres;
use holdfast::engine::{Content, Engine, Settings};

use crate::postgres::server;
use crate::scene::{dump_of, engine, settings, simple};

#[test]
fn a_scratch_on_a_server_of_the_users_is_dropped_and_nothing_else() {
    simple("origin");
    let settings = Settings { scratch_server: Some(server().url("postgres", "postgres")), ..settings() };
    let engine = Postgres::parse(&server().url("postgres", "origin"), None, settings).expect("a URL");
    let (dumped, bytes) = dump_of(&engine).expect("a dump");
    let mut scratch = engine.scratch(Some(&dumped.database)).expect("a scratch");
    scratch.load(Content::PostgresSql, &mut bytes.as_slice()).expect("a load");
    let count = || server().sql("postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE 'holdfast\\_scratch\\_%'");
    assert_eq!(count(), "1");
    assert_eq!(scratch.ask("SELECT count(*) FROM t").expect("an answer").as_deref(), Some("777"));
    drop(scratch);
    assert_eq!(count(), "0");
}

#[test]
fn a_dropped_scratch_leaves_neither_process_nor_folder() {
    let scratch = engine("postgres").scratch(None).expect("a scratch");
    let location = scratch.location();
    let folder = PathBuf::from(location.split_once('@').expect("a host").1.split_once(':').expect("a port").0.replace("%2F", "/"));
    let pid: u32 = std::fs::read_to_string(folder.join("data/postmaster.pid"))
        .expect("a pid file")
        .lines()
        .next()
        .expect("a pid")
        .parse()
        .expect("a number");
    assert!(std::path::Path::new(&format!("/proc/{pid}")).exists());
    drop(scratch);
    assert!(!folder.exists() && !std::path::Path::new(&format!("/proc/{pid}")).exists());
}

#[test]
fn a_scratch_folder_that_a_killed_run_left_is_swept() {
    let scratch = engine("postgres").scratch(None).expect("a scratch");
    let location = scratch.location();
    let living = PathBuf::from(location.split_once('@').expect("a host").1.split_once(':').expect("a port").0.replace("%2F", "/"));
    let dead = living.with_file_name("holdfast-scratch-dead");
    let foreign = living.with_file_name("holdfast-scratch-foreign");
    for folder in [&dead, &foreign] {
        std::fs::create_dir(folder).expect("a folder");
        let meta = std::fs::metadata(&living).expect("a look");
        std::os::unix::fs::chown(folder, Some(std::os::unix::fs::MetadataExt::uid(&meta)), None).expect("an owner");
    }
    std::fs::write(dead.join("alive"), "").expect("a mark that nobody holds");
    drop(engine("postgres").scratch(None).expect("another scratch"));
    assert!(!dead.exists(), "the dead run's folder is still there");
    assert!(living.exists() && foreign.exists());
    std::fs::remove_dir(&foreign).expect("removed");
    assert_eq!(scratch.ask("SELECT 1").expect("an answer").as_deref(), Some("1"));
}
