//! Dumps: what goes wrong while one is made.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use holdfast::engine::postgres::Postgres;
use holdfast::engine::{Cut, Engine, Outlet, Settings};
use holdfast::error::Result;

use crate::postgres::server;
use crate::scene::{Collected, Null, dump_of, engine, engine_as, settings, simple, with_fake_pg_dump};

#[test]
fn fm_a10_an_empty_or_missing_database_is_an_error() {
    server().database("hollow", "SELECT 1");
    let error = dump_of(&engine("hollow")).expect_err("nothing to dump");
    assert!(error.to_string().contains("database hollow has no table"), "{error}");
    let allowed = Postgres::parse(&server().url("postgres", "hollow"), None, Settings { allow_empty: true, ..settings() }).expect("a URL");
    assert_eq!(dump_of(&allowed).expect("a dump").0.fingerprint.tables.len(), 0);
    let error = engine("nowhere").probe().expect_err("no database");
    assert!(error.to_string().contains("database \"nowhere\" does not exist"), "{error}");
    assert!(error.next_step().is_some());
}

#[test]
fn fm_a11_a_connection_lost_in_the_middle_is_an_error() {
    server().database("cutoff", "CREATE TABLE t AS SELECT g, repeat('x', 1000) b FROM generate_series(1, 100000) g");
    struct Killer(u64);
    impl Write for Killer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len() as u64;
            if self.0 > 1_000_000 {
                server().sql(
                    "postgres",
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'cutoff' AND query LIKE 'COPY%'",
                );
            }
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    impl Outlet for Killer {
        fn spool(&self) -> &std::path::Path {
            std::path::Path::new("/nonexistent")
        }

        fn begin(&mut self, _: Cut) -> Result<()> {
            Ok(())
        }
    }
    let error = engine("cutoff").dump(&mut Killer(0)).expect_err("the backend was ended");
    assert!(error.to_string().starts_with("pg_dump failed (status 1)"), "{error}");
}

#[test]
fn fm_a14_a_pg_dump_that_stops_early_with_status_0_is_noticed() {
    simple("early");
    for (script, why) in [
        ("real \"$@\" | head -c 1500", "ends inside the rows"),
        ("real \"$@\" | head -n -6", "dump complete"),
        ("real \"$@\" | grep -v unrestrict", "unrestrict"),
        ("real \"$@\" --exclude-table=u", "lacks tables: public.u"),
        ("exit 0", "it is empty"),
        ("real \"$@\" | head -n 20", "dump complete"),
    ] {
        let (_folder, settings) = with_fake_pg_dump(script);
        let engine = Postgres::parse(&server().url("postgres", "early"), None, settings).expect("a URL");
        let error = engine.dump(&mut Collected::default()).expect_err(script);
        assert!(error.to_string().contains(why), "{script}: {error}");
    }
}

#[test]
fn fm_a16_what_pg_dump_says_beside_a_good_dump_becomes_a_warning() {
    simple("chatty");
    let (_folder, settings) = with_fake_pg_dump("echo 'pg_dump: warning: the moon is full' >&2; real \"$@\"");
    let engine = Postgres::parse(&server().url("postgres", "chatty"), None, settings).expect("a URL");
    assert_eq!(dump_of(&engine).expect("a dump").0.warnings[0], "pg_dump: warning: the moon is full");
}

#[test]
fn fm_a18_every_forbidden_table_is_named_at_once() {
    simple("forbidden");
    server().sql("forbidden", "CREATE ROLE reader LOGIN; GRANT SELECT ON t TO reader; CREATE TABLE v (); CREATE SEQUENCE s");
    let error = engine_as("reader", "forbidden").probe().expect_err("no right");
    assert!(error.to_string().contains("public.s, public.u, public.v"), "{error}");
    assert!(error.next_step().is_some_and(|hint| hint.contains("pg_read_all_data")));
    server().sql(
        "forbidden",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO reader",
    );
    let (dumped, _) = dump_of(&engine_as("reader", "forbidden")).expect("a dump");
    assert_eq!(dumped.fingerprint.tables["public.t"].rows, 777);
}

#[test]
fn fm_a19_row_security_never_hides_rows_in_silence() {
    simple("veiled");
    server().sql("veiled", "CREATE ROLE half LOGIN; ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (a % 2 = 0); GRANT SELECT ON t, u TO half");
    let error = dump_of(&engine_as("half", "veiled")).expect_err("half the rows");
    assert!(error.to_string().contains("row security hides rows") && error.to_string().contains("public.t"), "{error}");
}

#[test]
fn fm_a20_a_huge_row_and_a_huge_large_object_pass_in_little_memory() {
    server().database(
        "huge",
        "CREATE TABLE t AS SELECT repeat('x', 60 << 20)::bytea AS raw; SELECT lo_from_bytea(1, repeat('y', 20 << 20)::bytea)",
    );
    let peak = || {
        let status = std::fs::read_to_string("/proc/self/status").expect("a status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") >> 10
    };
    let before = peak();
    let dumped = engine("huge").dump(&mut Null).expect("a dump");
    assert_eq!(dumped.fingerprint.tables["public.t"].rows, 1);
    assert_eq!(dumped.fingerprint.tables["large objects"].rows, 1);
    assert!(peak() - before < 60, "{} MiB more for a row of 120 MiB", peak() - before);
}

#[test]
fn fm_a28_a_truncate_during_the_dump_waits() {
    simple("truncated");
    // The fake waits after our locks and before pg_dump's own, which is where a TRUNCATE would empty the table.
    let (_folder, settings) = with_fake_pg_dump("sleep 1; real \"$@\"");
    let engine = Postgres::parse(&server().url("postgres", "truncated"), None, settings).expect("a URL");
    let truncate = std::thread::spawn(|| {
        std::thread::sleep(Duration::from_millis(500));
        server().sql(
            "truncated",
            "SET lock_timeout = 300; DO $$ BEGIN TRUNCATE t; EXCEPTION WHEN lock_not_available THEN END $$; SELECT count(*) FROM t",
        )
    });
    let (dumped, _) = dump_of(&engine).expect("a dump");
    assert_eq!(dumped.fingerprint.tables["public.t"].rows, 777);
    assert_eq!(truncate.join().expect("an end"), "777");
}

#[test]
fn fm_a29_a_queued_alter_table_does_not_hang_the_dump() {
    simple("queued");
    let (_folder, settings) = with_fake_pg_dump("sleep 0.6; real \"$@\"");
    let settings = Settings { busy_timeout: Duration::from_millis(800), ..settings };
    let engine = Postgres::parse(&server().url("postgres", "queued"), None, settings).expect("a URL");
    let alter = std::thread::spawn(|| {
        std::thread::sleep(Duration::from_millis(400));
        server().sql("queued", "ALTER TABLE t ADD COLUMN later integer")
    });
    let start = Instant::now();
    let (dumped, bytes) = dump_of(&engine).expect("a dump in a later attempt");
    assert!(start.elapsed() < Duration::from_secs(10));
    alter.join().expect("altered");
    assert_eq!(dumped.fingerprint.tables["public.t"].rows, 777);
    assert!(String::from_utf8_lossy(&bytes).contains("COPY public.t (a, b, later)"));
}

#[test]
fn fm_a32_timeouts_of_the_role_do_not_end_the_dump() {
    simple("hurried");
    server().sql(
        "hurried",
        "CREATE ROLE hasty LOGIN SUPERUSER; ALTER ROLE hasty SET statement_timeout = 200; ALTER ROLE hasty SET idle_in_transaction_session_timeout = 200; ALTER ROLE hasty SET search_path = 'nowhere'",
    );
    let (_folder, settings) = with_fake_pg_dump("sleep 1; real \"$@\"");
    let engine = Postgres::parse(&server().url("hasty", "hurried"), None, settings).expect("a URL");
    assert_eq!(dump_of(&engine).expect("a dump").0.fingerprint.tables["public.t"].rows, 777);
}

#[test]
fn fm_a40_a_pooler_that_changes_backends_is_noticed() {
    use std::os::unix::fs::PermissionsExt;
    simple("pooled");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("psql");
    let script =
        format!("#!/bin/sh\nsed -u 's/pg_backend_pid()/(random() * 1000000)::int/' | {} \"$@\"\n", server().bin().join("psql").display());
    std::fs::write(&path, script).expect("a script");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    let settings = Settings { program_dirs: vec![folder.path().to_owned(), server().bin().to_owned()], ..settings() };
    let error = Postgres::parse(&server().url("postgres", "pooled"), None, settings).expect("a URL").probe().expect_err("a pooler");
    assert!(error.to_string().contains("pooler"), "{error}");
}
