//! The live database as its own dump would show it: stream, content, schema; and who waits for whom in it.

use std::time::Duration;

use holdfast::engine::{Content, Engine};

use crate::corpus::CORPUS;
use crate::postgres::server;
use crate::scene::{Collected, Null, client, dump_of, engine, simple, talk, until};

/// Without the lines whose key is another in each dump.
fn stable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .lines()
        .filter(|line| !line.starts_with("\\restrict ") && !line.starts_with("\\unrestrict "))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn an_image_is_the_dump_and_shows_a_change_of_one_row_in_any_table() {
    server().database("pictured", CORPUS);
    let engine = engine("pictured");
    let (dumped, bytes) = dump_of(&engine).expect("a dump");
    let mut image = Collected::default();
    let before = engine.image(&mut image).expect("an image").expect("a fingerprint");
    assert!(image.cut.is_some());
    assert_eq!(stable(&image.bytes), stable(&bytes));
    assert_eq!(before.differences(&dumped.fingerprint), Vec::<String>::new());
    // Also a table whose columns a restored copy has in another order.
    assert!(before.tables.values().all(|table| table.content_sha256.is_some()), "{:?}", before.tables);
    for (table, change) in [("public.child", "UPDATE child SET c = 'four'"), ("public.people", "UPDATE people SET name = 'Ben'")] {
        server().sql("pictured", change);
        let after = engine.image(&mut Null).expect("an image").expect("a fingerprint");
        let name = format!("table {table} has the expected 1 rows but other content");
        assert!(before.differences(&after).contains(&name), "{:?}", before.differences(&after));
    }
}

#[test]
fn a_database_whose_last_table_was_dropped_still_has_an_image() {
    simple("emptied");
    server().sql("emptied", "DROP TABLE t, u");
    let mut image = Collected::default();
    let fingerprint = engine("emptied").image(&mut image).expect("an image").expect("a fingerprint");
    assert!(fingerprint.tables.is_empty() && image.cut.is_some());
}

#[test]
fn a_schema_is_the_same_in_the_restored_copy_and_shows_what_a_migration_changes() {
    server().database("shaped", CORPUS);
    let engine = engine("shaped");
    let (dumped, bytes) = dump_of(&engine).expect("a dump");
    let mut scratch = engine.scratch(Some(&dumped.database)).expect("a scratch");
    scratch.load(Content::PostgresSql, &mut bytes.as_slice()).expect("a load");
    let before = engine.schema().expect("a schema");
    assert_eq!(before.changes(&scratch.loaded().schema().expect("a schema")), []);
    for (object, text) in [
        ("table public.accounts", "CREATE TABLE public.accounts"),
        ("table public.\"Odd \"\"name\"\".(x) FROM stdin;\"", "\"select\" integer"),
        ("table \"Weird Schema\".empty", "p public.positive"),
        ("constraint public.accounts accounts_pkey", "PRIMARY KEY (id)"),
        ("fk constraint public.ones fk_same", "REFERENCES public.accounts(id)"),
        ("index public.events_kind_idx", "CREATE INDEX"),
        ("function public.tricky()", "-- Name: it's no comment of pg_dump"),
        ("function public.atomic(integer)", "BEGIN ATOMIC"),
        ("extension citext", "CREATE EXTENSION IF NOT EXISTS citext"),
        ("comment on table public.accounts", "and a \\ it''s"),
        ("grants on table public.accounts", "GRANT SELECT"),
        ("policy public.rooms only_one", "CREATE POLICY"),
        ("row security public.rooms", "ENABLE ROW LEVEL SECURITY"),
        ("event trigger on_ddl", "CREATE EVENT TRIGGER"),
        ("publication pub", "CREATE PUBLICATION"),
    ] {
        let found = before.0.get(object).unwrap_or_else(|| panic!("{object} is missing: {:?}", before.0.keys()));
        assert!(found.contains(text), "{object}: {found}");
    }
    assert!(before.0.values().all(|text| !text.contains("\\restrict") && !text.starts_with("SET ")), "{before:?}");

    server().sql(
        "shaped",
        "ALTER TABLE accounts ADD COLUMN iban text; CREATE INDEX accounts_iban ON accounts (iban); DROP VIEW rich; DELETE FROM rooms",
    );
    let changes = before.changes(&engine.schema().expect("a schema"));
    let shown: Vec<(&str, bool, bool)> =
        changes.iter().map(|change| (change.object.as_str(), change.before.is_some(), change.after.is_some())).collect();
    let expected = [("index public.accounts_iban", false, true), ("table public.accounts", true, true), ("view public.rich", true, false)];
    assert_eq!(shown, expected);
    assert!(changes[1].after.as_ref().is_some_and(|text| text.contains("    iban text")));
}

#[test]
fn fm_g04_who_waits_for_whom_is_said() {
    simple("queue");
    let engine = engine("queue");
    assert_eq!(engine.waiting().expect("a look"), Vec::<String>::new());
    server().sql("queue", "CREATE ROLE blocker LOGIN SUPERUSER; BEGIN; DELETE FROM u; PREPARE TRANSACTION 'in_doubt'");
    let mut blocker = server().command("psql", "blocker", "queue");
    let _holds = talk(&mut blocker, "BEGIN; SELECT count(*) FROM t;");
    until("the lock is held", || server().sql("queue", "SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass") == "1");
    let _waits = client("queue", "ALTER TABLE t\n  ADD COLUMN d date;");
    let _waits_too = client("queue", "ALTER TABLE u ADD COLUMN d date;");
    until("both wait", || engine.waiting().expect("a look").len() == 2);
    let said = engine.waiting().expect("a look");
    let find = |what: &str| said.iter().find(|line| line.contains(what)).unwrap_or_else(|| panic!("{what}: {said:?}"));
    let line = find("ALTER TABLE t ADD COLUMN d date");
    assert!(
        line.contains("(postgres, psql) waits for a lock since 20")
            && line.contains("it waits for pid ")
            && line.contains("(blocker, psql), idle in transaction since"),
        "{line}"
    );
    assert!(line.trim_end_matches(';').ends_with(": SELECT count(*) FROM t"), "{line}");
    assert!(find("ALTER TABLE u").contains("it waits for a prepared transaction"), "{said:?}");
    server().sql("queue", "ROLLBACK PREPARED 'in_doubt'");
}

#[test]
fn limits_reach_the_server_through_any_client() {
    simple("limited");
    let limits = engine("limited").limits(Some(Duration::from_millis(700)), Some(Duration::from_secs(90))).expect("limits");
    let mut psql = server().command("psql", "postgres", "limited");
    let said = psql.envs(&limits).args(["-XAtc", "SHOW lock_timeout", "-c", "SHOW statement_timeout"]).output().expect("psql");
    assert_eq!(String::from_utf8_lossy(&said.stdout), "700ms\n90s\n");
}
