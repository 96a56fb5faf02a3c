use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::*;
use crate::engine::Cut;
use crate::error::Kind;

/// Keeps a dump in memory.
struct Memory {
    bytes: Vec<u8>,
    spool: tempfile::TempDir,
}

impl Memory {
    fn new() -> Self {
        Memory { bytes: Vec::new(), spool: tempfile::tempdir().expect("a folder") }
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Outlet for Memory {
    fn begin(&mut self, _cut: Cut) -> Result<()> {
        Ok(())
    }

    fn spool(&self) -> &Path {
        self.spool.path()
    }
}

fn settings(folder: &Path) -> Settings {
    Settings {
        busy_timeout: Duration::from_millis(300),
        stall_timeout: Duration::from_secs(60),
        allow_empty: false,
        program_dirs: Vec::new(),
        scratch_dir: folder.to_owned(),
        cache: folder.to_owned(),
        scratch_user: None,
        scratch_server: None,
    }
}

fn engine(path: &Path) -> Sqlite {
    let folder = path.parent().expect("a folder");
    Sqlite::parse(path.to_str().expect("text"), folder, settings(folder)).expect("an engine")
}

fn ledger(path: &Path, journal_mode: &str, rows: usize) -> Connection {
    let connection = Connection::open(path).expect("a database");
    connection.query_row(&format!("PRAGMA journal_mode = {journal_mode}"), [], |_| Ok(())).expect("a mode");
    connection
        .execute_batch("CREATE TABLE entry(id INTEGER PRIMARY KEY, memo TEXT); CREATE INDEX entry_memo ON entry(memo)")
        .expect("a table");
    let mut insert = connection.prepare("INSERT INTO entry(memo) VALUES (?)").expect("a statement");
    for row in 0..rows {
        insert.execute([format!("entry {row}")]).expect("a row");
    }
    drop(insert);
    connection
}

fn count(path: &Path) -> i64 {
    Connection::open(path).expect("open").query_row("SELECT count(*) FROM entry", [], |row| row.get(0)).expect("a count")
}

fn load(engine: &Sqlite, bytes: &[u8], id: &str) -> Box<dyn Beside> {
    let mut beside = engine.beside(None, id).expect("a file beside");
    beside.load(Content::SqliteImage, &mut &bytes[..]).expect("loaded");
    beside
}

const ID: &str = "20261121T130000Z-dev-db-7f3a";
const ID2: &str = "20261121T130001Z-dev-db-7f3b";

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
        assert_eq!(dumped.fingerprint.differences(&scratch.fingerprint(Depth::Rows).expect("a fingerprint")), Vec::<String>::new());
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
                assert_eq!(dumped.fingerprint.differences(&scratch.fingerprint(Depth::Rows).expect("a fingerprint")), Vec::<String>::new());
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
fn fm_f16_a_restore_into_an_open_wal_database_is_seen_and_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.db");
    let application = ledger(&path, "wal", 100);
    let engine = engine(&path);
    let mut out = Memory::new();
    engine.dump(&mut out).expect("a dump");
    application.execute("DELETE FROM entry WHERE id > 10", []).expect("a disaster");
    let kept = load(&engine, &out.bytes, ID).swap().expect("swapped");
    let rows: i64 = application.query_row("SELECT count(*) FROM entry", [], |row| row.get(0)).expect("the open connection sees it");
    assert_eq!(rows, 100);
    application.execute("INSERT INTO entry(memo) VALUES ('after')", []).expect("and can write");
    drop(application);
    assert_eq!(count(&path), 101);
    let aside = kept.aside.clone().expect("the old state");
    assert_eq!(count(Path::new(&aside)), 10);
    let again = engine.undo(&kept).expect("undone");
    assert_eq!(count(&path), 10);
    assert_eq!(count(Path::new(again.aside.as_ref().expect("the undone state"))), 101);
    for kept in [&kept, &again] {
        engine.discard(kept).expect("discarded");
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("a list").map(|entry| entry.expect("an entry").file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("before")), "{left:?}");
}

#[test]
fn fm_f02_a_target_with_an_open_write_is_busy_and_stays_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.db");
    let application = ledger(&path, "delete", 5);
    let engine = engine(&path);
    let mut out = Memory::new();
    engine.dump(&mut out).expect("a dump");
    application.execute("INSERT INTO entry(memo) VALUES ('newer')", []).expect("a row");
    application.execute_batch("BEGIN IMMEDIATE; INSERT INTO entry(memo) VALUES ('open')").expect("a write");
    let error = load(&engine, &out.bytes, ID).swap().expect_err("in use");
    assert_eq!(error.kind(), Kind::Busy, "{error}");
    application.execute_batch("ROLLBACK").expect("rolled back");
    assert_eq!(count(&path), 6);
}

#[test]
fn a_missing_target_is_created_and_undo_takes_it_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.db");
    drop(ledger(&path, "delete", 7));
    let mut out = Memory::new();
    engine(&path).dump(&mut out).expect("a dump");
    let other = engine(&folder.path().join("other.db"));
    // A log of a database that is gone must not be played into the new one.
    std::fs::write(folder.path().join("other.db-wal"), b"stale").expect("written");
    let kept = load(&other, &out.bytes, ID).swap().expect("swapped");
    assert_eq!(count(&folder.path().join("other.db")), 7);
    assert!(!folder.path().join("other.db-wal").exists());
    other.undo(&kept).expect("undone");
}

#[test]
fn fm_f08_a_broken_target_is_moved_aside_and_can_come_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.db");
    drop(ledger(&path, "delete", 7));
    let engine = engine(&path);
    let mut out = Memory::new();
    engine.dump(&mut out).expect("a dump");
    std::fs::write(&path, b"garbage").expect("written");
    assert!(matches!(engine.live().expect("a look"), Live::Broken(_)));
    let kept = load(&engine, &out.bytes, ID).swap().expect("swapped");
    assert_eq!(count(&path), 7);
    assert_eq!(std::fs::read(kept.aside.as_ref().expect("the old")).expect("read"), b"garbage");
    engine.undo(&kept).expect("undone");
    assert_eq!(std::fs::read(&path).expect("read"), b"garbage");
}

#[test]
fn another_page_size_enters_a_wal_database_only_while_nobody_has_it_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source.db");
    let connection = Connection::open(&source).expect("open");
    connection
        .execute_batch("PRAGMA page_size = 8192; CREATE TABLE entry(id INTEGER PRIMARY KEY); INSERT INTO entry VALUES (1), (2)")
        .expect("a table");
    drop(connection);
    let mut out = Memory::new();
    engine(&source).dump(&mut out).expect("a dump");
    let path = folder.path().join("app.db");
    let application = ledger(&path, "wal", 5);
    let target = engine(&path);
    let error = load(&target, &out.bytes, ID).swap().expect_err("in use");
    assert_eq!(error.kind(), Kind::Busy, "{error}");
    drop(application);
    assert_eq!(count(&path), 5);
    load(&target, &out.bytes, ID2).swap().expect("swapped");
    assert_eq!(count(&path), 2);
}

#[test]
fn sql_text_is_loaded_and_half_of_it_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = engine(&folder.path().join("app.db"));
    let text = "BEGIN TRANSACTION;\nCREATE TABLE entry(id, memo);\nINSERT INTO entry VALUES(1,'a;\nb');\nCREATE TRIGGER t AFTER INSERT ON entry BEGIN\nSELECT 1;\nEND;\nCOMMIT;\n";
    let mut scratch = target.scratch(None).expect("a scratch");
    scratch.load(Content::SqliteSql, &mut text.as_bytes()).expect("loaded");
    assert_eq!(scratch.ask("SELECT memo FROM entry").expect("an answer").as_deref(), Some("a;\nb"));
    for cut in [text.len() - 9, text.len() - 20, 60] {
        let mut scratch = target.scratch(None).expect("a scratch");
        scratch.load(Content::SqliteSql, &mut &text.as_bytes()[..cut]).expect_err("half a dump");
    }
}

#[test]
fn what_a_killed_restore_left_is_removed_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.db");
    drop(ledger(&path, "delete", 1));
    let ours = [format!("app.db.restore-{ID}"), format!("app.db.restore-{ID}-wal"), format!("app.db.before-{ID}.part")];
    let others = [format!("app.db.before-{ID}"), "app.db.restore-mine".to_owned(), format!("other.db.restore-{ID}")];
    for name in ours.iter().chain(&others) {
        std::fs::write(folder.path().join(name), b"x").expect("written");
    }
    assert_eq!(engine(&path).recover().expect("recovered").len(), ours.len());
    assert!(ours.iter().all(|name| !folder.path().join(name).exists()));
    assert!(others.iter().all(|name| folder.path().join(name).exists()));
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
        assert_eq!(dumped.fingerprint.differences(&scratch.fingerprint(Depth::Rows).expect("one")), Vec::<String>::new());
    }
}

#[test]
fn a_damaged_file_is_replaced_by_one_that_the_application_can_open_or_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.db");
    drop(ledger(&path, "delete", 10));
    let engine = engine(&path);
    let mut out = Memory::new();
    engine.dump(&mut out).expect("a dump");
    std::fs::write(&path, b"not a database at all").expect("damaged");
    fsx::set_mode(&path, 0o640).expect("a mode");
    let beside = load(&engine, &out.bytes, "20261121T130000Z-aaaa");
    let kept = beside.swap().expect("swapped");
    assert_eq!(fsx::mode_of(&path).expect("a mode"), 0o640);
    assert_eq!(count(&path), 10);
    // The second half of the exchange fails: the first is taken back.
    std::fs::write(&path, b"damaged again").expect("damaged");
    let incoming = folder.path().join("missing");
    let aside = folder.path().join("app.db.before-20261121T130000Z-bbbb");
    swap::put_in_place(&incoming, &path, &aside, &settings(folder.path())).expect_err("nothing to put in place");
    assert_eq!(std::fs::read(&path).expect("still there"), b"damaged again");
    assert!(!aside.exists());
    assert!(kept.aside.is_some());
}
