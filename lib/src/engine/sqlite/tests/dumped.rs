//! Dumps, and what is loaded of them.

use super::*;

#[test]
fn this_build_has_the_page_table() {
    let connection = Connection::open_in_memory().expect("a database");
    let count: i64 = connection
        .query_row("SELECT count(*) FROM pragma_module_list WHERE name = 'sqlite_dbpage'", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(count, 1, "LIBSQLITE3_FLAGS was not set for this build: see .cargo/config.toml");
}

#[test]
fn fm_a03_rows_that_are_only_in_the_log_are_dumped() {
    for mode in ["wal", "delete"] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("app.db");
        let live = ledger(&path, mode, 300);
        if mode == "wal" {
            assert!(folder.path().join("app.db-wal").metadata().expect("a log").len() > 0);
        }
        let engine = engine(&path);
        engine.probe().expect("a sound source");
        let mut out = Memory::new();
        let dumped = engine.dump(&mut out).expect("a dump");
        assert_eq!(dumped.database.method, if mode == "wal" { "page stream" } else { "page copy" });
        assert_eq!(dumped.fingerprint.tables["entry"].rows, 300);
        assert_eq!(dumped.fingerprint.objects["indexes"], 1);
        assert_eq!(dumped.problems, Vec::<String>::new());
        let mut scratch = engine.scratch(None).expect("a scratch");
        scratch.load(Content::SqliteImage, &mut &out.bytes[..]).expect("loaded");
        assert_eq!(
            dumped.fingerprint.differences(&scratch.loaded().fingerprint(Depth::Rows).expect("a fingerprint")),
            Vec::<String>::new()
        );
        drop(live);
    }
}

#[test]
fn fm_a01_a_locked_source_is_busy_after_the_deadline() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.db");
    let live = ledger(&path, "delete", 3);
    live.execute_batch("BEGIN EXCLUSIVE").expect("a lock");
    let error = engine(&path).dump(&mut Memory::new()).expect_err("a locked file");
    assert_eq!(error.kind(), Kind::Busy);
}

#[test]
fn fm_a02_a_constant_writer_does_not_starve_the_backup() {
    for mode in ["wal", "delete"] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("app.db");
        let live = ledger(&path, mode, 2000);
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let stop = &stop;
            scope.spawn(move || {
                live.busy_timeout(Duration::from_secs(10)).expect("set");
                while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                    live.execute("INSERT INTO entry(memo) VALUES ('more')", []).expect("a row");
                }
            });
            let mut settings = settings(folder.path());
            settings.busy_timeout = Duration::from_secs(20);
            let engine = Sqlite::parse(path.to_str().expect("text"), folder.path(), settings).expect("an engine");
            for _ in 0..5 {
                let mut out = Memory::new();
                let dumped = engine.dump(&mut out).expect("a dump");
                let mut scratch = engine.scratch(None).expect("a scratch");
                scratch.load(Content::SqliteImage, &mut &out.bytes[..]).expect("loaded");
                assert_eq!(
                    dumped.fingerprint.differences(&scratch.loaded().fingerprint(Depth::Rows).expect("a fingerprint")),
                    Vec::<String>::new()
                );
            }
            stop.store(true, std::sync::atomic::Ordering::SeqCst);
        });
    }
}

#[test]
fn fm_a05_a_hot_journal_is_recovered_before_the_dump() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.db");
    drop(ledger(&path, "delete", 10));
    // A crash in the middle of a transaction: the journal holds the old pages, the file already some of the new ones.
    let crashed = folder.path().join("crashed.db");
    {
        let connection = Connection::open(&path).expect("open");
        connection.execute_batch("PRAGMA cache_size = 1; BEGIN; UPDATE entry SET memo = hex(randomblob(2000))").expect("an update");
        std::fs::copy(&path, &crashed).expect("copied");
        std::fs::copy(folder.path().join("app.db-journal"), folder.path().join("crashed.db-journal")).expect("copied");
    }
    let mut out = Memory::new();
    engine(&crashed).dump(&mut out).expect("a dump");
    let restored = folder.path().join("restored.db");
    std::fs::write(&restored, &out.bytes).expect("written");
    let memo: String = Connection::open(&restored)
        .expect("open")
        .query_row("SELECT max(length(memo)) FROM entry", [], |row| row.get::<_, i64>(0).map(|n| n.to_string()))
        .expect("memo");
    assert_eq!(memo, "7");
}

#[test]
fn fm_a07_a_corrupt_source_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.db");
    drop(ledger(&path, "delete", 3000));
    let mut bytes = std::fs::read(&path).expect("the file");
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 64].fill(0xff);
    std::fs::write(&path, bytes).expect("written");
    let dumped = engine(&path).dump(&mut Memory::new()).expect("a dump of what is there");
    assert!(dumped.problems.iter().any(|problem| problem.starts_with("quick_check")), "{:?}", dumped.problems);
}

#[test]
fn fm_a10_a_missing_an_empty_and_a_foreign_file_are_refused_and_nothing_is_created() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("missing.db");
    let error = engine(&missing).probe().expect_err("nothing there");
    assert!(error.to_string().contains("there is no database"), "{error}");
    assert!(!missing.exists());
    let empty = folder.path().join("empty.db");
    std::fs::write(&empty, b"").expect("written");
    let error = engine(&empty).probe().expect_err("no tables");
    assert!(error.to_string().contains("has no tables"), "{error}");
    assert_eq!(empty.metadata().expect("still there").len(), 0);
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, b"these are notes, not a database, and more than sixteen bytes").expect("written");
    let error = engine(&text).probe().expect_err("no database");
    assert!(error.to_string().contains("is not a SQLite database"), "{error}");
}

#[test]
fn sql_text_is_loaded_and_half_of_it_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = engine(&folder.path().join("app.db"));
    let text = "BEGIN TRANSACTION;\nCREATE TABLE entry(id, memo);\nINSERT INTO entry VALUES(1,'a;\nb');\nCREATE TRIGGER t AFTER INSERT ON entry BEGIN\nSELECT 1;\nEND;\nCOMMIT;\n";
    let mut scratch = target.scratch(None).expect("a scratch");
    scratch.load(Content::SqliteSql, &mut text.as_bytes()).expect("loaded");
    assert_eq!(scratch.loaded().ask("SELECT memo FROM entry").expect("an answer").as_deref(), Some("a;\nb"));
    for cut in [text.len() - 9, text.len() - 20, 60] {
        let mut scratch = target.scratch(None).expect("a scratch");
        scratch.load(Content::SqliteSql, &mut &text.as_bytes()[..cut]).expect_err("half a dump");
    }
}

#[test]
fn collations_and_functions_of_the_application_are_no_damage() {
    for mode in ["wal", "delete"] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("app.db");
        let connection = ledger(&path, mode, 10);
        // Written as only an application that defines them could.
        connection
            .execute_batch(
                "CREATE TABLE person(name TEXT); INSERT INTO person VALUES ('a'), ('b');
                 CREATE TABLE code(name TEXT PRIMARY KEY) WITHOUT ROWID;
                 CREATE TABLE guarded(name TEXT);
                 CREATE VIEW gone AS SELECT * FROM missing;
                 PRAGMA writable_schema = ON;
                 UPDATE sqlite_schema SET sql = 'CREATE TABLE person(name TEXT COLLATE german)' WHERE name = 'person';
                 UPDATE sqlite_schema SET sql = 'CREATE TABLE code(name TEXT COLLATE german PRIMARY KEY) WITHOUT ROWID' WHERE name = 'code';
                 UPDATE sqlite_schema SET sql = 'CREATE TABLE guarded(name TEXT CHECK (shout(name) = name))' WHERE name = 'guarded';
                 PRAGMA writable_schema = OFF",
            )
            .expect("a schema");
        drop(connection);
        let engine = engine(&path);
        let mut out = Memory::new();
        let dumped = engine.dump(&mut out).expect("a dump");
        assert_eq!(dumped.problems, Vec::<String>::new(), "{mode}");
        assert!(dumped.warnings.iter().any(|warning| warning.starts_with("the table code could not be checked")), "{:?}", dumped.warnings);
        assert_eq!(dumped.fingerprint.tables["entry"].rows, 10);
        assert_eq!(dumped.fingerprint.tables["person"].rows, 2);
        let mut scratch = engine.scratch(None).expect("a scratch");
        scratch.load(Content::SqliteImage, &mut out.bytes.as_slice()).expect("it restores");
        assert_eq!(dumped.fingerprint.differences(&scratch.loaded().fingerprint(Depth::Rows).expect("one")), Vec::<String>::new());
    }
}
