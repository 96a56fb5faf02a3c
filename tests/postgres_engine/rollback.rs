//! Restores over a database that a migration has left in a bad way.

use holdfast::engine::postgres::Postgres;
use holdfast::engine::{Content, Depth, Engine, Live};

use crate::postgres::server;
use crate::scene::{around, client, dump_of, engine, restore, settings, simple, until};

#[test]
fn fm_f02_a_rollback_wins_against_sessions_and_locks_that_the_migration_left() {
    simple("left_open");
    let (dumped, bytes) = dump_of(&engine("left_open")).expect("a dump");
    let idle = client("left_open", "SELECT 1; LISTEN news;");
    let in_transaction = client("left_open", "BEGIN; ALTER TABLE t ADD COLUMN half text; DELETE FROM t; LOCK TABLE u;");
    let advisory = client("left_open", "SELECT pg_advisory_lock(1); DECLARE c CURSOR WITH HOLD FOR SELECT 1;");
    until("all three are connected", || {
        server().sql("postgres", "SELECT count(*) FROM pg_stat_activity WHERE datname = 'left_open' AND state LIKE 'idle%'") == "3"
    });
    let engine = engine("left_open");
    assert!(matches!(engine.live().expect("a look"), Live::Present { is_empty: false, .. }));
    let kept = restore("left_open", &dumped, &bytes, "rolled");
    assert_eq!(server().sql("left_open", "SELECT count(*) FROM t"), "777");
    let found = engine.fingerprint(Depth::Content).expect("a fingerprint");
    assert_eq!(dumped.fingerprint.differences(&found), Vec::<String>::new());
    drop((idle, in_transaction, advisory));
    engine.discard(&kept).expect("discarded");
}

#[test]
fn a_rollback_brings_back_a_database_that_the_migration_dropped_or_renamed() {
    let services = tempfile::NamedTempFile::new().expect("a file");
    let url = server().url("postgres", "x");
    let socket = url.split_once("host=").expect("a host").1.split_once('&').expect("more").0;
    for (name, undoing) in [("dropped", "DROP DATABASE dropped"), ("renamed", "ALTER DATABASE renamed RENAME TO renamed_away")] {
        simple(name);
        server().sql("postgres", &format!("COMMENT ON DATABASE {name} IS 'mine'; ALTER DATABASE {name} SET work_mem = '5MB'"));
        let (dumped, bytes) = dump_of(&engine(name)).expect("a dump");
        let before = around(name);
        server().sql("postgres", undoing);
        assert_eq!(engine(name).live().expect("a look"), Live::Missing);
        assert_eq!(engine(name).marker().expect("none"), None);
        // A service knows the name although no server can be asked for it.
        std::fs::write(services.path(), format!("[books]\nhost={socket}\nport=5432\nuser=postgres\ndbname={name}\n")).expect("a file");
        let text = format!("postgres:?service=books&servicefile={}", services.path().display());
        let served = Postgres::parse(&text, None, settings()).expect("a URL");
        assert_eq!((served.live().expect("a look"), served.database_name().as_str()), (Live::Missing, name));
        assert!(served.is_named_by(&format!("postgres://app@localhost/{name}")) && !served.is_named_by("postgres://app@localhost/x"));
        let kept = restore(name, &dumped, &bytes, "back");
        assert_eq!(kept.aside, None);
        assert_eq!(around(name), before);
        assert_eq!(server().sql(name, "SELECT count(*) FROM t"), "777");
    }
    assert_eq!(server().sql("renamed_away", "SELECT count(*) FROM t"), "777");
}

#[test]
fn a_rollback_takes_back_what_the_migration_did_around_the_database_where_it_is_asked_to() {
    simple("surrounded");
    server().sql(
        "surrounded",
        "CREATE ROLE before_owner; CREATE ROLE after_owner; ALTER DATABASE surrounded OWNER TO before_owner; \
         ALTER DATABASE surrounded SET work_mem = '5MB'; COMMENT ON DATABASE surrounded IS 'before'; GRANT CONNECT ON DATABASE surrounded TO after_owner",
    );
    let engine = engine("surrounded");
    let (dumped, bytes) = dump_of(&engine).expect("a dump");
    let before = around("surrounded");
    server().sql(
        "postgres",
        "ALTER DATABASE surrounded OWNER TO after_owner; ALTER DATABASE surrounded SET work_mem = '1MB'; ALTER DATABASE surrounded CONNECTION LIMIT 0; \
         ALTER DATABASE surrounded SET default_transaction_read_only = on; COMMENT ON DATABASE surrounded IS 'after'; REVOKE ALL ON DATABASE surrounded FROM PUBLIC",
    );
    let after = around("surrounded");
    for (brings, expected) in [(false, &after), (true, &before)] {
        let mut beside = engine.beside(Some(&dumped.database), &format!("brings_{brings}")).expect("a database beside");
        beside.load(Content::PostgresSql, &mut bytes.as_slice()).expect("a load");
        if brings {
            beside.bring_properties();
        }
        let kept = beside.swap().expect("a swap");
        assert_eq!(around("surrounded"), *expected);
        let back = engine.undo(&kept, "20260101T000001Z-0000").expect("an undo");
        assert_eq!(around("surrounded"), after);
        engine.discard(&back).expect("discarded");
    }
}

#[test]
fn fm_g07_a_rollback_that_cannot_be_done_says_how_to_go_on_and_changes_nothing() {
    simple("in_the_way");
    server().sql("in_the_way", "CREATE ROLE app_owner; ALTER TABLE t OWNER TO app_owner");
    let engine = engine("in_the_way");
    let (dumped, bytes) = dump_of(&engine).expect("a dump");
    let refused = || engine.beside(Some(&dumped.database), "g07").map(|_| ()).expect_err("it is in the way");
    // What outlives every session.
    server().sql("in_the_way", "BEGIN; INSERT INTO u VALUES ('x'); PREPARE TRANSACTION 'it''s in doubt'");
    let error = refused();
    assert!(error.to_string().contains("has 1 prepared transactions"), "{error}");
    let hint = "COMMIT them, or in database in_the_way: ROLLBACK PREPARED 'it''s in doubt';";
    assert_eq!(error.next_step(), Some(hint));
    server().sql("in_the_way", hint.split_once("way: ").expect("a statement").1);
    // An owner that is gone.
    server().sql("in_the_way", "REASSIGN OWNED BY app_owner TO postgres; ALTER ROLE app_owner RENAME TO new_owner");
    let error = refused();
    assert!(error.to_string().contains("lacks roles that the backup names: app_owner"), "{error}");
    assert!(error.next_step().is_some_and(|hint| hint.ends_with("CREATE ROLE \"app_owner\";")), "{error:?}");
    assert_eq!(
        server().sql("in_the_way", "SELECT count(*) FROM t; SELECT count(*) FROM pg_database WHERE datname LIKE 'in\\_the\\_way%'"),
        "777\n1"
    );
    server().sql("postgres", "CREATE ROLE app_owner");
    restore("in_the_way", &dumped, &bytes, "g07");
    assert_eq!(server().sql("in_the_way", "SELECT tableowner FROM pg_tables WHERE tablename = 't'"), "app_owner");
}

#[test]
fn a_database_beside_that_is_kept_stays_and_is_not_recovered_away() {
    simple("beside_kept");
    let (dumped, bytes) = dump_of(&engine("beside_kept")).expect("a dump");
    let engine = engine("beside_kept");
    let mut beside = engine.beside(Some(&dumped.database), "look").expect("a database beside");
    beside.load(Content::PostgresSql, &mut bytes.as_slice()).expect("a load");
    let left = beside.keep().expect("kept");
    assert_eq!(engine.recover().expect("nothing to do"), Vec::<String>::new());
    assert_eq!(crate::scene::paste(&format!("{} -XAtc 'SELECT count(*) FROM t'", left.open)), (true, "777".to_owned()));
    let (is_done, said) = crate::scene::paste(&left.drop);
    assert!(is_done, "{said}");
    assert_eq!(server().sql("postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE 'beside\\_kept%'"), "1");
}
