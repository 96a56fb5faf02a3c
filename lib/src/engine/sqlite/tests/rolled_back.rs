//! A restore over what a migration has left, of whatever sort: the database is what it was before.

use super::*;

/// What must be again as it was.
#[derive(Debug, PartialEq)]
struct State {
    fingerprint: Fingerprint,
    schema: Schema,
    pragmas: Vec<String>,
    problems: Vec<String>,
}

fn state(path: &Path) -> State {
    let engine = engine(path);
    let connection = Connection::open(path).expect("open");
    let pragmas = ["page_size", "auto_vacuum", "journal_mode", "user_version", "encoding"].map(|name| {
        connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, rusqlite::types::Value>(0)).map(|v| format!("{name} {v:?}"))
    });
    let whole: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a check");
    assert_eq!(whole, "ok");
    State {
        fingerprint: engine.fingerprint(Depth::Content).expect("a fingerprint"),
        schema: engine.schema().expect("a schema"),
        pragmas: pragmas.map(|pragma| pragma.expect("a value")).to_vec(),
        problems: engine.examine().expect("examined"),
    }
}

/// A database in this mode, and the bytes of its backup.
fn before(path: &Path, journal_mode: &str, auto_vacuum: &str) -> (State, Vec<u8>) {
    let setting = format!("PRAGMA auto_vacuum = {auto_vacuum}; VACUUM");
    Connection::open(path).and_then(|new| new.execute_batch(&setting)).expect("a file");
    let live = ledger(path, journal_mode, 2000);
    live.execute_batch("DELETE FROM entry WHERE id % 7 = 0; PRAGMA user_version = 3").expect("free pages");
    drop(live);
    let mut out = Memory::new();
    engine(path).dump(&mut out).expect("a dump");
    (state(path), out.bytes)
}

fn roll_back(path: &Path, bytes: &[u8]) -> Kept {
    load(&engine(path), bytes, ID).swap().expect("rolled back")
}

const MIGRATIONS: [(&str, &str); 9] = [
    ("rows", "UPDATE entry SET memo = 'all the same'; CREATE TABLE more(x); PRAGMA user_version = 4"),
    ("nothing left", "DROP TABLE entry; VACUUM"),
    ("growth", "INSERT INTO entry(memo) SELECT hex(randomblob(800)) FROM entry"),
    ("larger pages", "PRAGMA journal_mode = DELETE; PRAGMA page_size = 16384; VACUUM"),
    ("smaller pages", "PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM"),
    ("larger pages and a log", "PRAGMA journal_mode = DELETE; PRAGMA page_size = 16384; VACUUM; PRAGMA journal_mode = WAL"),
    ("auto_vacuum", "PRAGMA auto_vacuum = FULL; VACUUM; DELETE FROM entry WHERE id % 2"),
    ("no auto_vacuum", "PRAGMA auto_vacuum = NONE; VACUUM; DELETE FROM entry WHERE id % 2"),
    ("another journal", "PRAGMA journal_mode = DELETE; PRAGMA journal_mode = PERSIST; DELETE FROM entry"),
];

#[test]
fn a_rollback_brings_back_every_setting_that_a_migration_changed() {
    for journal_mode in ["wal", "delete"] {
        for auto_vacuum in ["NONE", "FULL", "INCREMENTAL"] {
            for (what, migration) in MIGRATIONS.iter().chain(&[("a log", "PRAGMA journal_mode = WAL; DELETE FROM entry")]) {
                let folder = tempfile::tempdir().expect("a folder");
                let path = folder.path().join("app.db");
                let (expected, bytes) = before(&path, journal_mode, auto_vacuum);
                Connection::open(&path).and_then(|live| live.execute_batch(migration)).expect("a migration");
                let failed = state(&path);
                assert_ne!(failed, expected, "{what}");
                let kept = roll_back(&path, &bytes);
                assert_eq!(state(&path), expected, "{what}, {journal_mode}, {auto_vacuum}");
                let aside = kept.aside.clone().expect("the failed state");
                let of_aside = state(Path::new(&aside));
                assert_eq!((&of_aside.fingerprint, &of_aside.schema), (&failed.fingerprint, &failed.schema), "{what}: it is kept");
            }
        }
    }
}

#[test]
fn a_rollback_is_seen_by_whoever_has_the_database_open() {
    for journal_mode in ["wal", "delete"] {
        for (what, migration) in MIGRATIONS {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("app.db");
            let (expected, bytes) = before(&path, journal_mode, "NONE");
            Connection::open(&path).and_then(|live| live.execute_batch(migration)).expect("a migration");
            let failed = state(&path);
            let application = Connection::open(&path).expect("open");
            let rows =
                |application: &Connection| application.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
            rows(&application).expect("it has read");
            let beside = load(&engine(&path), &bytes, ID);
            if what == "larger pages and a log" {
                assert_eq!(beside.swap().expect_err("a log has one size of page").kind(), Kind::Busy, "{journal_mode}");
                assert_eq!(state(&path), failed, "{journal_mode}");
                continue;
            }
            beside.swap().expect("rolled back");
            let memo: String = application.query_row("SELECT memo FROM entry WHERE id = 1000", [], |row| row.get(0)).expect("it sees it");
            assert_eq!(memo, "entry 999", "{what}");
            application
                .execute_batch("INSERT INTO entry(memo) VALUES ('after'); DELETE FROM entry WHERE memo = 'after'")
                .expect("and writes");
            drop(application);
            assert_eq!(state(&path).fingerprint, expected.fingerprint, "{what}, {journal_mode}");
        }
    }
}

/// A database as a process leaves it that is killed in the middle of a transaction.
fn killed(path: &Path, journal_mode: &str) {
    let live_path = path.with_file_name("live.db");
    std::fs::rename(path, &live_path).expect("moved");
    let live = Connection::open(&live_path).expect("open");
    live.execute_batch("PRAGMA cache_size = 1; PRAGMA wal_autocheckpoint = 0").expect("set");
    live.execute_batch("BEGIN; UPDATE entry SET memo = hex(randomblob(900)); CREATE TABLE half(x)").expect("half a migration");
    for ending in ["", "-wal", "-journal"] {
        let from = live_path.with_file_name(format!("live.db{ending}"));
        if from.exists() {
            std::fs::copy(&from, path.with_file_name(format!("app.db{ending}"))).expect("copied");
        }
    }
    drop(live);
    for ending in ["", "-wal", "-shm", "-journal"] {
        let _ = std::fs::remove_file(live_path.with_file_name(format!("live.db{ending}")));
    }
    let left = path.with_file_name(if journal_mode == "wal" { "app.db-wal" } else { "app.db-journal" });
    assert!(left.metadata().expect("what a kill leaves").len() > 4096, "{journal_mode}");
}

#[test]
fn a_rollback_ends_what_a_killed_migration_left_open() {
    for journal_mode in ["wal", "delete"] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("app.db");
        let (expected, bytes) = before(&path, journal_mode, "FULL");
        Connection::open(&path).and_then(|live| live.execute_batch("DELETE FROM entry WHERE id > 1000")).expect("a first step");
        killed(&path, journal_mode);
        let kept = roll_back(&path, &bytes);
        assert_eq!(state(&path), expected, "{journal_mode}");
        let aside = kept.aside.expect("the failed state");
        assert_eq!(count(Path::new(&aside)), 858, "its last commit, and not half a transaction: {journal_mode}");
        assert_eq!(state(Path::new(&aside)).fingerprint.tables.get("half"), None);
    }
}

#[test]
fn a_rollback_makes_a_file_that_a_migration_removed() {
    for journal_mode in ["wal", "delete"] {
        for leftover in ["", "-wal", "-journal"] {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("app.db");
            let (expected, bytes) = before(&path, journal_mode, "NONE");
            fsx::set_mode(&path, 0o664).expect("a mode");
            let mut out = Memory::new();
            let origin = engine(&path).dump(&mut out).expect("a dump").database;
            // The log or the journal of another state: played into the new file, it would damage it.
            killed(&path, journal_mode);
            let left = path.with_file_name(if journal_mode == "wal" { "app.db-wal" } else { "app.db-journal" });
            let stale = std::fs::read(&left).expect("what the kill left");
            std::fs::remove_file(&left).expect("removed");
            std::fs::remove_file(&path).expect("removed");
            if !leftover.is_empty() {
                std::fs::write(path.with_file_name(format!("app.db{leftover}")), &stale).expect("left");
            }
            let target = engine(&path);
            let mut beside = target.beside(Some(&origin), ID).expect("a file beside");
            beside.load(Content::SqliteImage, &mut &bytes[..]).expect("loaded");
            let promised = target.would_keep(ID).expect("what it will keep");
            let kept = beside.swap().expect("rolled back");
            assert_eq!(kept, promised, "{leftover}");
            assert_eq!(state(&path), expected, "{journal_mode} {leftover}");
            assert_eq!(fsx::mode_of(&path).expect("a mode"), 0o664, "as whoever uses it had it");
            // And away again: what was there is what comes back.
            let undone = target.undo(&kept, "20260101T000001Z-0000").expect("undone");
            assert!(!path.exists());
            if !leftover.is_empty() {
                assert_eq!(std::fs::read(path.with_file_name(format!("app.db{leftover}"))).expect("it is back"), stale);
                std::fs::remove_file(path.with_file_name(format!("app.db{leftover}"))).expect("removed");
            }
            for kept in [&kept, &undone] {
                target.discard(kept).expect("discarded");
            }
            assert!(std::fs::read_dir(folder.path()).expect("a list").next().is_none(), "{journal_mode} {leftover}");
        }
    }
}

#[test]
fn a_folder_that_is_gone_is_named_and_not_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("db/app.db");
    std::fs::create_dir(folder.path().join("db")).expect("a folder");
    drop(ledger(&path, "delete", 1));
    let target = engine(&path);
    std::fs::remove_dir_all(folder.path().join("db")).expect("removed");
    let error = target.beside(None, ID).map(|_| ()).expect_err("no place");
    assert!(error.to_string().contains("/db is not there"), "{error}");
    assert!(!folder.path().join("db").exists());
}
