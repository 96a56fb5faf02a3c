//! Loads into a scratch database.

use holdfast::engine::{Content, Dumped, Engine};

use crate::postgres::server;
use crate::scene::{dump_of, engine, engine_as, simple};

#[test]
fn fm_f07_a_load_that_goes_wrong_or_ends_early_is_an_error() {
    simple("broken");
    let (dumped, bytes) = dump_of(&engine("broken")).expect("a dump");
    let text = String::from_utf8(bytes).expect("text");
    let load = |text: &str| {
        let mut scratch = engine("broken").scratch(Some(&dumped.database)).expect("a scratch");
        scratch.load(Content::PostgresSql, &mut text.as_bytes()).expect_err("a bad dump").to_string()
    };
    let at = text.find("500\trow 500").expect("a row");
    assert!(load(&text[..at]).contains("ends inside the rows of public.t"));
    let error = load(&text.replace("500\trow 500", "x\trow 500"));
    assert!(error.contains("psql:<stdin>:") && error.contains("invalid input syntax for type integer: \"x\""), "{error}");
}

#[test]
fn a_pg_dump_archive_loads_too() {
    simple("archive");
    let archive = server().command("pg_dump", "postgres", "archive").arg("-Fc").output().expect("pg_dump");
    let mut scratch = engine("archive").scratch(None).expect("a scratch");
    scratch.load(Content::PostgresCustom, &mut archive.stdout.as_slice()).expect("a load");
    assert_eq!(scratch.loaded().ask("SELECT count(*) FROM t").expect("an answer").as_deref(), Some("777"));
    let mut second = engine("archive").scratch(None).expect("a scratch");
    second.load(Content::PostgresCustom, &mut &archive.stdout[..archive.stdout.len() / 2]).expect_err("half an archive");
}

#[test]
fn fm_a22_fm_a23_missing_roles_and_extensions_are_named_before_the_load() {
    simple("needy");
    let (mut dumped, _) = dump_of(&engine("needy")).expect("a dump");
    let beside = |dumped: &Dumped| {
        engine("needy").beside(Some(&dumped.database), "needs").map(|_| ()).expect_err("something is missing").to_string()
    };
    dumped.database.properties.insert("roles".into(), ["postgres", "no such role"].as_slice().into());
    assert!(beside(&dumped).contains("lacks roles that the backup names: no such role"));
    let extension: serde_json::Value = serde_json::from_str(r#"[{"name": "timescaledb", "version": "2"}]"#).expect("JSON");
    dumped.database.properties.insert("extensions".into(), extension);
    assert!(beside(&dumped).contains("timescaledb"));
    dumped.database.server_version = "99.1".into();
    assert!(beside(&dumped).contains("99.1"));
    server().sql("postgres", "CREATE ROLE meek LOGIN");
    let error = engine_as("meek", "needy").beside(None, "x").map(|_| ()).expect_err("no right");
    assert_eq!(error.next_step(), Some("as a superuser: ALTER ROLE \"meek\" CREATEDB"));
    assert_eq!(server().sql("postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE 'needy%'"), "1");
}
