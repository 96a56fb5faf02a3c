//! Swaps, undoing them, and what a kill leaves of them.

use std::time::{Duration, Instant};

use holdfast::engine::postgres::Postgres;
use holdfast::engine::{Content, Engine, Live};

use crate::postgres::server;
use crate::scene::{another_process, around, dump_of, engine, restore, settings, simple};

#[test]
fn a_swap_brings_rows_owner_grants_settings_and_comment_and_undo_takes_them_back() {
    simple("ledger");
    server().sql(
        "ledger",
        "CREATE ROLE ledger_owner; CREATE ROLE ledger_app; ALTER DATABASE ledger OWNER TO ledger_owner; ALTER DATABASE ledger SET search_path TO \"$user\", public; \
         ALTER DATABASE ledger SET my.setting TO 'it''s'; ALTER ROLE ledger_app IN DATABASE ledger SET work_mem TO '8MB'; \
         REVOKE ALL ON DATABASE ledger FROM PUBLIC; GRANT CONNECT ON DATABASE ledger TO ledger_app; COMMENT ON DATABASE ledger IS 'the books'; \
         ALTER DATABASE ledger CONNECTION LIMIT 17",
    );
    let (dumped, bytes) = dump_of(&engine("ledger")).expect("a dump");
    let before = around("ledger");
    server().sql("ledger", "DROP TABLE t; CREATE TABLE after (x int)");
    let kept = restore("ledger", &dumped, &bytes, "20261121T130000Z-dev-db-7f3a");
    assert_eq!(kept.aside.as_deref(), Some("ledger__before_20261121t130000z_dev_db_7f3a"));
    assert_eq!(around("ledger"), before);
    assert_eq!(server().sql("ledger", "SELECT count(*) FROM t; SELECT current_setting('my.setting')"), "777\nit's");
    let (can_connect, _) = server().psql("postgres", kept.aside.as_deref().expect("a name"), "SELECT 1");
    assert!(!can_connect, "the old state takes connections");

    let engine = engine("ledger");
    let back = engine.undo(&kept, "20260101T000001Z-0000").expect("an undo");
    assert_eq!(around("ledger"), before);
    assert_eq!(server().sql("ledger", "SELECT count(*) FROM after"), "0");
    let again = engine.undo(&back, "20260101T000002Z-0000").expect("an undo of the undo");
    assert_eq!(server().sql("ledger", "SELECT count(*) FROM t"), "777");
    engine.discard(&again).expect("discarded");
    assert_eq!(server().sql("postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE 'ledger\\_\\_%'"), "0");
    assert!(engine.undo(&again, "20260101T000003Z-0000").expect_err("nothing kept").to_string().contains("no longer there"));
    assert_eq!(engine.recover().expect("nothing to do"), Vec::<String>::new());
}

#[test]
fn a_missing_database_is_made_and_undone() {
    simple("fresh");
    let (dumped, bytes) = dump_of(&engine("fresh")).expect("a dump");
    server().sql("postgres", "DROP DATABASE fresh");
    assert_eq!(engine("fresh").live().expect("a look"), Live::Missing);
    let kept = restore("fresh", &dumped, &bytes, "one");
    assert_eq!(kept.aside, None);
    assert!(matches!(engine("fresh").live().expect("a look"), Live::Present { is_empty: false, .. }));
    let back = engine("fresh").undo(&kept, "20260101T000004Z-0000").expect("an undo");
    assert_eq!(engine("fresh").live().expect("a look"), Live::Missing);
    engine("fresh").undo(&back, "20260101T000005Z-0000").expect("the other way");
    assert_eq!(server().sql("fresh", "SELECT count(*) FROM t"), "777");
}

#[test]
fn fm_f02_fm_f17_a_swap_wins_against_clients_that_come_back() {
    simple("busy");
    let (dumped, bytes) = dump_of(&engine("busy")).expect("a dump");
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                    let _ = server().psql("postgres", "busy", "SELECT count(*) FROM t; SELECT pg_sleep(0.2)");
                }
            });
        }
        std::thread::sleep(Duration::from_millis(300));
        let kept = restore("busy", &dumped, &bytes, "storm");
        stop.store(true, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(kept.aside.as_deref(), Some("busy__before_storm"));
    });
    assert_eq!(server().sql("busy", "SELECT count(*) FROM t"), "777");
}

#[test]
fn fm_f17_a_swap_that_cannot_win_leaves_the_target_as_it_was() {
    simple("stuck");
    server().sql("stuck", "COMMENT ON DATABASE stuck IS 'mine'");
    let (dumped, bytes) = dump_of(&engine("stuck")).expect("a dump");
    let engine = engine("stuck");
    let mut beside = engine.beside(Some(&dumped.database), "never").expect("a database beside");
    beside.load(Content::PostgresSql, &mut bytes.as_slice()).expect("a load");
    let before = around("stuck");
    // A prepared transaction outlives its session, so no termination helps.
    server().sql("stuck", "BEGIN; INSERT INTO u VALUES ('x'); PREPARE TRANSACTION 'stays'");
    let start = Instant::now();
    let error = beside.swap().expect_err("in use");
    assert!(error.to_string().contains("left as it was"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(60));
    assert_eq!(around("stuck"), before);
    server().sql("stuck", "ROLLBACK PREPARED 'stays'");
    assert_eq!(server().sql("postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE 'stuck%'"), "1");
}

#[test]
fn fm_f18_what_a_killed_restore_left_is_ended_by_the_next() {
    simple("dead");
    server().sql("dead", "COMMENT ON DATABASE dead IS 'mine'");
    let engine = engine("dead");
    let before = around("dead");
    // Exactly what a kill between the two steps of a swap leaves.
    server().sql("postgres", r#"COMMENT ON DATABASE dead IS 'holdfast:{"role":"swapping","target":"dead","comment":"mine"}'; ALTER DATABASE dead ALLOW_CONNECTIONS false"#);
    server().sql(
        "postgres",
        r#"CREATE DATABASE dead__restore_x; COMMENT ON DATABASE dead__restore_x IS 'holdfast:{"role":"restore","target":"dead"}'"#,
    );
    server().sql("postgres", "CREATE DATABASE dead__restore_of_somebody_else");
    // And one between the creation of a database and its mark.
    server().sql("postgres", "CREATE DATABASE dead__restore_y CONNECTION LIMIT 1932026112");
    assert!(matches!(engine.live().expect("a look"), Live::Broken(_)));
    let alive = engine.beside(None, "alive").expect("a restore that lives");
    let done = engine.recover().expect("a recovery");
    assert_eq!(done.len(), 3, "{done:?}");
    assert_eq!(around("dead"), before);
    let names = "SELECT string_agg(datname, ',' ORDER BY datname) FROM pg_database WHERE datname LIKE 'dead%'";
    assert_eq!(server().sql("postgres", names), "dead,dead__restore_alive,dead__restore_of_somebody_else");
    drop(alive);
    assert_eq!(server().sql("postgres", names), "dead,dead__restore_of_somebody_else");
}

/// Run by the next test in a process of its own, to be killed.
#[test]
#[ignore = "never ends"]
fn restores_for_ever() {
    let Ok(url) = std::env::var("HOLDFAST_TEST_URL") else { return };
    let engine = Postgres::parse(&url, None, settings()).expect("a URL");
    let (dumped, bytes) = dump_of(&engine).expect("a dump");
    for round in 0.. {
        let mut beside = engine.beside(Some(&dumped.database), &format!("{}_{round}", std::process::id())).expect("beside");
        beside.load(Content::PostgresSql, &mut bytes.as_slice()).expect("a load");
        let kept = beside.swap().expect("a swap");
        let back = engine.undo(&kept, "20260101T000006Z-0000").expect("an undo");
        engine.discard(&back).expect("discarded");
    }
}

#[test]
fn fm_f03_a_restore_killed_at_any_moment_leaves_a_whole_database_that_lets_clients_in() {
    simple("killed");
    let engine = engine("killed");
    let leftovers =
        "SELECT count(*) FROM pg_database WHERE datname LIKE 'killed\\_\\_restore%' OR (datname = 'killed' AND NOT datallowconn)";
    for round in 0..10u64 {
        let mut child = another_process("swap::restores_for_ever")
            .env("HOLDFAST_TEST_URL", server().url("postgres", "killed"))
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("a child");
        std::thread::sleep(Duration::from_millis(250 + round * 67));
        child.kill().expect("killed");
        child.wait().expect("reaped");
        // Its sessions end with it, but not in the same instant.
        let start = Instant::now();
        let mut done = Vec::new();
        loop {
            done.extend(engine.recover().expect("a recovery"));
            if server().sql("postgres", leftovers) == "0" {
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(10), "round {round}: {done:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(server().sql("killed", "SELECT count(*) FROM t"), "777", "round {round}: {done:?}");
    }
}
