//! Dumps: what is refused before, what is noticed during, and what is said after.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use holdfast::engine::mariadb::Mariadb;
use holdfast::engine::{Cut, Depth, Engine, Outlet, Settings};
use holdfast::error::Result;

use crate::mariadb::{program, server};
use crate::scene::{Collected, dump_of, engine, engine_as, settings, simple};

/// Does something with the first bytes of a dump, once or each time it begins.
struct Meddler<F: FnMut()> {
    meddle: F,
    has_begun: bool,
    begun: usize,
    bytes: Vec<u8>,
}

fn meddler<F: FnMut()>(meddle: F) -> Meddler<F> {
    Meddler { meddle, has_begun: false, begun: 0, bytes: Vec::new() }
}

impl<F: FnMut()> Write for Meddler<F> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if !std::mem::replace(&mut self.has_begun, true) {
            (self.meddle)();
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<F: FnMut()> Outlet for Meddler<F> {
    fn begin(&mut self, _cut: Cut) -> Result<()> {
        (self.has_begun, self.begun) = (false, self.begun + 1);
        self.bytes.clear();
        Ok(())
    }

    fn spool(&self) -> &std::path::Path {
        std::path::Path::new("/nonexistent")
    }
}

/// Enough rows that the program is still dumping when its first bytes arrive.
fn large(name: &str) {
    let rows =
        "CREATE TABLE a_first (a int PRIMARY KEY, b char(200)); INSERT INTO a_first SELECT seq, REPEAT('x', 200) FROM seq_1_to_60000;";
    server().database(name, &format!("{rows} CREATE TABLE z_last (a int PRIMARY KEY); INSERT INTO z_last VALUES (1), (2)"));
}

#[test]
fn fm_a10_a_missing_and_an_empty_database_are_refused() {
    let error = engine("nowhere").probe().expect_err("no database");
    assert!(error.to_string().contains("Unknown database 'nowhere'"), "{error}");
    assert_eq!(engine("nowhere").marker().expect("no marker"), None);
    server().database("hollow", "SELECT 1");
    let error = engine("hollow").probe().expect_err("no table");
    assert!(error.to_string().contains("has no table"), "{error}");
    let allowed = Mariadb::parse(&server().url("root", "hollow"), None, Settings { allow_empty: true, ..settings() }).expect("a URL");
    assert!(allowed.probe().is_ok());
    assert!(dump_of(&allowed).expect("a dump").0.fingerprint.tables.is_empty());
}

#[test]
fn fm_a18_an_account_that_would_see_less_is_told_its_grant() {
    server().database(
        "half_seen",
        "CREATE TABLE t (a int PRIMARY KEY); CREATE PROCEDURE p() SELECT 1; CREATE USER narrow@localhost; CREATE ROLE wide; \
         GRANT SELECT ON half_seen.* TO narrow@localhost; GRANT wide TO narrow@localhost; SET DEFAULT ROLE wide FOR narrow@localhost",
    );
    let narrow = engine_as("narrow", "half_seen");
    let refused = || {
        let error = narrow.probe().expect_err("a right is missing");
        (error.to_string(), error.next_step().unwrap_or_default().to_owned())
    };
    let (what, next) = refused();
    assert!(what.contains("narrow@localhost may not see everything in database half_seen: it lacks SHOW VIEW, TRIGGER, EVENT"), "{what}");
    assert_eq!(next, "as an administrator: GRANT SHOW VIEW, TRIGGER, EVENT ON `half\\_seen`.* TO 'narrow'@'localhost'");
    server().sql("mysql", "GRANT SHOW VIEW, TRIGGER, EVENT ON `half\\_seen`.* TO wide");
    let (what, next) = refused();
    assert!(what.contains("routines show it no text"), "{what}");
    server().sql("mysql", next.trim_start_matches("as an administrator: "));
    let (dumped, bytes) = dump_of(&narrow).expect("a dump");
    assert_eq!(dumped.fingerprint.objects.get("routines"), Some(&1));
    assert_eq!(dumped.fingerprint, dump_of(&engine("half_seen")).expect("the same").0.fingerprint);
    assert!(String::from_utf8_lossy(&bytes).contains("PROCEDURE `p`"));
}

#[test]
fn fm_a33_tables_that_no_snapshot_holds_for_are_named_or_locked() {
    server().database(
        "mixed_bag",
        "CREATE TABLE safe (a int PRIMARY KEY) ENGINE=InnoDB; CREATE TABLE log (a int) ENGINE=MyISAM; CREATE TABLE cache (a int) ENGINE=MEMORY; \
         INSERT INTO log VALUES (1)",
    );
    let engine = engine("mixed_bag");
    let warnings = engine.probe().expect("a probe").warnings;
    assert!(warnings.len() == 1 && warnings[0].contains("cache (MEMORY), log (MyISAM)"), "{warnings:?}");
    let dumped = dump_of(&engine).expect("a dump").0;
    assert_eq!(dumped.database.consistency, "mixed");
    let locking = Mariadb::parse(&server().url("root", "mixed_bag"), None, Settings { lock_tables: true, ..settings() }).expect("a URL");
    assert_eq!(locking.probe().expect("a probe").warnings, Vec::<String>::new());
    let locked = dump_of(&locking).expect("a dump").0;
    assert_eq!((locked.database.consistency.as_str(), &locked.fingerprint), ("locked", &dumped.fingerprint));
    simple("all_safe");
    assert_eq!(dump_of(&crate::scene::engine("all_safe")).expect("a dump").0.database.consistency, "snapshot");
}

#[test]
fn fm_a34_a_table_that_is_emptied_or_altered_during_the_dump_is_dumped_again_as_it_then_is() {
    for (name, change, rows, columns) in [
        ("emptied", "TRUNCATE z_last", 0, "`a`"),
        ("altered", "ALTER TABLE z_last ADD b int", 2, "`b`"),
        ("made", "CREATE TABLE later (a int PRIMARY KEY)", 2, "`later`"),
    ] {
        large(name);
        let mut is_first = true;
        let mut out = meddler(|| {
            if std::mem::take(&mut is_first) {
                server().sql(name, change);
            }
        });
        let dumped = engine(name).dump(&mut out).expect(name);
        assert_eq!((out.begun, dumped.fingerprint.tables["z_last"].rows), (2, rows), "{name}");
        assert!(String::from_utf8_lossy(&out.bytes).contains(columns), "{name}");
    }
}

#[test]
fn fm_a34_a_schema_that_never_rests_ends_in_an_error_after_three_attempts() {
    large("restless");
    let mut out = meddler(|| {
        server().sql("restless", "TRUNCATE z_last");
    });
    let error = engine("restless").dump(&mut out).expect_err("no consistent dump");
    assert!(error.to_string().contains("no consistent dump in 3 attempts"), "{error}");
    assert_eq!(out.begun, 3);
}

#[test]
fn fm_a34_rows_that_others_write_during_the_dump_are_not_in_it() {
    large("busy_rows");
    let mut out = meddler(|| {
        server().sql("busy_rows", "INSERT INTO z_last VALUES (3); DELETE FROM a_first WHERE a > 10");
    });
    let dumped = engine("busy_rows").dump(&mut out).expect("a dump");
    let rows = |table: &str| dumped.fingerprint.tables[table].rows;
    assert_eq!((out.begun, rows("z_last"), rows("a_first")), (1, 2, 60_000));
}

#[test]
fn fm_a11_a_connection_lost_in_the_middle_is_an_error() {
    large("cut_off");
    let mut out = meddler(|| {
        let ids = server().sql("mysql", "SELECT id FROM information_schema.processlist WHERE db = 'cut_off' AND id <> CONNECTION_ID()");
        ids.lines().for_each(|id| {
            server().client("root", "mysql", &format!("KILL {id}"));
        });
    });
    let error = engine("cut_off").dump(&mut out).expect_err("half a dump");
    assert!(error.to_string().contains("mariadb-dump"), "{error}");
}

#[test]
fn fm_a35_routines_events_triggers_and_views_are_in_it_and_counted() {
    server().database(
        "everything",
        "CREATE TABLE t (a int PRIMARY KEY, b int); CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT a FROM v; \
         CREATE TRIGGER before_t BEFORE INSERT ON t FOR EACH ROW SET NEW.b = 1; CREATE FUNCTION f() RETURNS int RETURN 1; \
         CREATE PROCEDURE p() SELECT 1; CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1; CREATE SEQUENCE s",
    );
    let engine = engine("everything");
    let dumped = dump_of(&engine).expect("a dump").0;
    let expected = [("events", 1), ("routines", 2), ("sequences", 1), ("triggers", 1), ("views", 2)];
    assert_eq!(dumped.fingerprint.objects, expected.map(|(kind, count)| (kind.to_owned(), count)).into());
    let rows = engine.fingerprint(Depth::Rows).expect("a fingerprint");
    assert_eq!(dumped.fingerprint.differences(&rows), Vec::<String>::new());
    assert_eq!(dumped.fingerprint, engine.fingerprint(Depth::Content).expect("a fingerprint"));
    let schema = engine.schema().expect("a schema");
    assert!(
        ["table t", "view v", "trigger before_t", "function f", "procedure p", "event e", "sequence s"]
            .iter()
            .all(|name| schema.0.contains_key(*name)),
        "{schema:?}"
    );
}

#[test]
fn a_view_of_what_is_gone_is_named_and_hinders_no_dump() {
    server().database(
        "broken_view",
        "CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE q (a int); CREATE VIEW good AS SELECT a FROM t; CREATE VIEW y AS SELECT a FROM q; \
         CREATE VIEW `z.z` AS SELECT a FROM y; DROP TABLE q",
    );
    let engine = engine("broken_view");
    let warnings = engine.probe().expect("a probe").warnings;
    assert!(warnings.len() == 1 && warnings[0].contains("view y, `z.z`"), "{warnings:?}");
    let dumped = dump_of(&engine).expect("a dump").0;
    assert_eq!((dumped.fingerprint.objects.get("views"), dumped.database.not_included.len()), (Some(&1), 2));
    assert_eq!(dumped.fingerprint.differences(&engine.fingerprint(Depth::Rows).expect("a fingerprint")), Vec::<String>::new());
}

/// A program under its real name that does something before the real one, or instead of it.
fn with_program(name: &str, script: &str) -> (tempfile::TempDir, Settings) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    let real = program(name).display().to_string();
    let text = format!("#!/bin/sh\ncase $1 in --version) exec {real} --version;; esac\n{}\n", script.replace("REAL", &real));
    fs::write(&path, text).expect("a script");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
    let settings = Settings { program_dirs: vec![folder.path().to_owned()], ..settings() };
    (folder, settings)
}

#[test]
fn fm_a14_a_dump_program_that_stops_early_with_status_0_is_noticed() {
    simple("stops_early");
    let url = server().url("root", "stops_early");
    for (script, why) in [
        ("REAL \"$@\" | head -c 900", "is not whole"),
        ("REAL \"$@\" | sed '/^-- Dump completed/d'", "is not whole"),
        ("REAL \"$@\" --ignore-table=stops_early.u", "u"),
        ("REAL \"$@\" --ignore-table=stops_early.t -- stops_early", "t"),
        (":", "is not whole"),
    ] {
        let (_folder, settings) = with_program("mariadb-dump", script);
        let error = Mariadb::parse(&url, None, settings).expect("a URL").dump(&mut Collected::default()).expect_err(script);
        assert!(error.to_string().contains(why), "{script}: {error}");
    }
}

#[test]
fn fm_b13_a_dump_program_that_hangs_is_stopped() {
    simple("hangs");
    let (_folder, settings) = with_program("mariadb-dump", "exec sleep 600");
    let settings = Settings { stall_timeout: Duration::from_millis(700), ..settings };
    let error = Mariadb::parse(&server().url("root", "hangs"), None, settings).expect("a URL").dump(&mut Collected::default());
    assert!(error.expect_err("a hang").to_string().contains("hangs"));
}

#[test]
fn fm_a16_what_the_program_says_beside_a_good_dump_becomes_a_warning() {
    simple("talks");
    let (_folder, settings) = with_program("mariadb-dump", "echo 'mariadb-dump: Warning: something odd' >&2; exec REAL \"$@\"");
    let engine = Mariadb::parse(&server().url("root", "talks"), None, settings).expect("a URL");
    assert_eq!(dump_of(&engine).expect("a dump").0.warnings, ["mariadb-dump: Warning: something odd"]);
}

#[test]
fn fm_i08_a_password_is_in_no_argument_list_and_no_environment() {
    const PASSWORD: &str = "canary #\"4711\\ '";
    simple("secretive");
    let quoted = PASSWORD.replace('\\', "\\\\").replace('\'', "''");
    server().sql("mysql", &format!("CREATE USER keeper@localhost IDENTIFIED BY '{quoted}'; GRANT ALL ON *.* TO keeper@localhost"));
    let (folder, settings) =
        with_program("mariadb-dump", "env >\"${0%/*}/seen\"; for word; do echo \"$word\" >>\"${0%/*}/seen\"; done; exec REAL \"$@\"");
    let engine =
        Mariadb::parse(&server().url("keeper", "secretive"), Some(holdfast::secret::Secret::new(PASSWORD)), settings).expect("a URL");
    let dumped = dump_of(&engine).expect("a dump").0;
    let seen = fs::read_to_string(folder.path().join("seen")).expect("what it saw");
    assert!(seen.contains("--single-transaction") && !seen.contains("canary"), "{seen}");
    assert!(!format!("{:?}{dumped:?}", engine.location()).contains("canary"));
    let error = Mariadb::parse(&server().url("keeper", "secretive"), None, crate::scene::settings()).expect("a URL").probe();
    assert!(error.expect_err("no password").next_step().is_some_and(|hint| hint.contains("password_file")));
}

#[test]
fn rows_come_in_the_order_of_the_key_whichever_index_holds_all_columns() {
    let content = "CREATE TABLE t (a int PRIMARY KEY, b int, KEY (b)); INSERT INTO t SELECT seq, 1000 - seq FROM seq_1_to_1000";
    server().database("by_key", content);
    let bytes = dump_of(&engine("by_key")).expect("a dump").1;
    assert!(String::from_utf8_lossy(&bytes).contains("(1,999),\n(2,998)") || String::from_utf8_lossy(&bytes).contains("(1,999),(2,998)"));
    // Where the server would have to sort a table, its own order is taken.
    server().database("by_itself", "CREATE TABLE u (a int NULL UNIQUE, b int); INSERT INTO u VALUES (NULL, 2), (NULL, 1), (3, 3)");
    let bytes = dump_of(&engine("by_itself")).expect("a dump").1;
    assert!(!String::from_utf8_lossy(&bytes).contains("ORDER BY"));
}

#[test]
fn a_server_is_told_from_another_and_a_database_from_its_neighbour() {
    simple("one_here");
    simple("other_here");
    let (one, other) = (engine("one_here").identity().expect("one"), engine("other_here").identity().expect("one"));
    assert_ne!(one, other);
    assert_eq!(Some(one), engine_as("root", "one_here").identity());
}

#[test]
fn a_marker_is_written_read_and_replaced() {
    use holdfast::marker::Marker;
    simple("marked");
    let engine = engine("marked");
    assert_eq!(engine.marker().expect("none"), None);
    let marker = Marker::real("it's prod");
    engine.mark(&marker).expect("marked");
    assert_eq!(engine.marker().expect("one").map(|found| (found.environment, found.role)), Some((marker.environment.clone(), marker.role)));
    engine.mark(&marker.of_clone()).expect("marked again");
    assert_eq!(engine.marker().expect("one").map(|found| found.role), Some(marker.of_clone().role));
    assert_eq!(engine.probe().expect("a probe").marker, engine.marker().expect("one"));
    server().database("others", "CREATE TABLE holdfast_marker (a int)");
    let error = crate::scene::engine("others").mark(&marker).expect_err("somebody's table");
    assert!(error.to_string().contains("is there already"), "{error}");
}

#[test]
fn fm_g04_who_waits_for_a_table_is_said() {
    simple("crowded");
    let hold = "START TRANSACTION; SELECT COUNT(*) FROM t; SELECT SLEEP(600)";
    let mut children: Vec<std::process::Child> = [hold, "ALTER TABLE t ADD c int"]
        .iter()
        .map(|sql| {
            let child = server().command("mariadb", "root").args(["-e", sql, "crowded"]).stdout(std::process::Stdio::null()).spawn();
            std::thread::sleep(Duration::from_millis(300));
            child.expect("a client")
        })
        .collect();
    let engine = engine("crowded");
    crate::scene::until("somebody waits", || !engine.waiting().expect("an answer").is_empty());
    let said = engine.waiting().expect("an answer").join("\n");
    children.iter_mut().for_each(|child| {
        child.kill().and_then(|()| child.wait()).expect("gone");
    });
    assert!(said.contains("waits for table metadata lock") && said.contains("ALTER TABLE t ADD c int"), "{said}");
    assert!(said.contains("has a transaction open"), "{said}");
}

#[test]
fn fm_j03_a_name_that_looks_like_an_option_or_a_pattern_is_only_a_name() {
    for name in ["--no-data", "a.b", "l_g%r", "it's `x` \\ é ☃", "database"] {
        server().database(name, "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE VIEW v AS SELECT a FROM t");
        let engine = engine(name);
        engine.probe().expect(name);
        let dumped = dump_of(&engine).expect(name).0;
        assert_eq!((dumped.database.name.as_str(), dumped.fingerprint.tables["t"].rows), (name, 1));
        assert_eq!(dumped.fingerprint.differences(&engine.fingerprint(Depth::Rows).expect(name)), Vec::<String>::new());
        assert!(engine.is_named_by(&engine.location()), "{name}");
    }
    // A pattern in a name means nothing but itself.
    server().database("lXgYr", "CREATE USER pattern@localhost; GRANT ALL ON `l\\_g\\%r`.* TO pattern@localhost; CREATE TABLE t (a int)");
    let error = engine_as("pattern", "lXgYr").probe().expect_err("another database's rights");
    assert!(error.to_string().contains("Access denied"), "{error}");
}
