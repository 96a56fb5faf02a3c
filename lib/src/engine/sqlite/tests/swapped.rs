//! The way to the real place, and back.

use super::*;

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
    let again = engine.undo(&kept, "20260101T000001Z-0000").expect("undone");
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
    other.undo(&kept, "20260101T000002Z-0000").expect("undone");
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
    engine.undo(&kept, "20260101T000003Z-0000").expect("undone");
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
    swap::put_in_place(&incoming, &path, &aside, None, &settings(folder.path())).expect_err("nothing to put in place");
    assert_eq!(std::fs::read(&path).expect("still there"), b"damaged again");
    assert!(!aside.exists());
    assert!(kept.aside.is_some());
}
