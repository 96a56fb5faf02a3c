//! What a fingerprint of the content sees, and what it does not.

use std::collections::BTreeMap;

use super::*;

/// The content hash of every table that a script leaves; none where only the application can read it.
fn contents(script: &str) -> BTreeMap<String, Option<String>> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.db");
    Connection::open(&path).and_then(|new| new.execute_batch(script)).expect("a database");
    of(&path)
}

fn of(path: &Path) -> BTreeMap<String, Option<String>> {
    let (rows, content) = (engine(path).fingerprint(Depth::Rows).expect("one"), engine(path).fingerprint(Depth::Content).expect("one"));
    assert!(rows.tables.values().all(|table| table.content_sha256.is_none()));
    let counts = |fingerprint: &Fingerprint| -> Vec<(String, u64)> {
        fingerprint.tables.iter().map(|(name, table)| (name.clone(), table.rows)).collect()
    };
    assert_eq!((counts(&rows), &rows.objects), (counts(&content), &content.objects), "both count alike");
    content.tables.into_iter().map(|(name, table)| (name, table.content_sha256)).collect()
}

/// The hash of the table `t` that a script leaves.
fn content(script: &str) -> String {
    contents(script)["t"].clone().expect("a hash")
}

#[test]
fn the_hash_is_what_its_page_says() {
    let long = "x".repeat(100_000);
    let mut bytes = 5u64.to_be_bytes().to_vec();
    bytes.push(1);
    bytes.extend(7i64.to_be_bytes());
    bytes.push(2);
    bytes.extend((-0.5f64).to_be_bytes());
    bytes.push(3);
    bytes.extend(100_000u64.to_be_bytes());
    bytes.extend(long.as_bytes());
    bytes.push(4);
    bytes.extend(2u64.to_be_bytes());
    bytes.extend([0, 255]);
    bytes.push(0);
    let made = format!("CREATE TABLE t(a, b, c, d, e); INSERT INTO t VALUES (7, -0.5, '{long}', x'00ff', NULL)");
    assert_eq!(content(&made), fsx::sha256_hex(&bytes));
    let utf16 = format!("PRAGMA encoding = 'UTF-16le'; {made}");
    assert_eq!(content(&utf16), fsx::sha256_hex(&bytes), "a text is the same in every encoding");
}

#[test]
fn no_two_different_tables_have_the_same_hash() {
    let values =
        ["NULL", "''", "0", "x''", "0.0", "'0'", "x'30'", "x'00'", "1", "-1", "char(0)", "'0 '", "9007199254740993", "9007199254740992.0"];
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let rows = values.iter().map(|value| format!("({value})")).chain([
        "(''), ('')".to_owned(),
        "('0'), ('')".to_owned(),
        "(''), ('0')".to_owned(),
    ]);
    for rows in rows {
        let before = seen.insert(content(&format!("CREATE TABLE t(a); INSERT INTO t VALUES {rows}")), rows.clone());
        assert_eq!(before, None, "{rows}");
    }
    for rows in ["('a', 'bc')", "('ab', 'c')", "('abc', '')", "(NULL, 'abc')", "('a', 'bc'), ('', '')"] {
        let before = seen.insert(content(&format!("CREATE TABLE t(a, b); INSERT INTO t VALUES {rows}")), rows.to_owned());
        assert_eq!(before, None, "{rows}");
    }
    for columns in ["a", "a, b"] {
        let before = seen.insert(content(&format!("CREATE TABLE t({columns})")), columns.to_owned());
        assert_eq!(before, None, "an empty table with {columns}");
    }
}

#[test]
fn the_order_is_the_tables_own_and_rowids_that_no_column_shows_do_not_count() {
    let rows = "INSERT INTO t VALUES ('b', 1), ('a', 2), ('c', 0)";
    let plain = content(&format!("CREATE TABLE t(name, cents); {rows}"));
    // An index that has every column would be the quicker way to read the table.
    assert_eq!(content(&format!("CREATE TABLE t(name, cents); {rows}; CREATE INDEX i ON t(name, cents); ANALYZE")), plain);
    assert_eq!(
        content(&format!("CREATE TABLE t(name, cents); INSERT INTO t VALUES ('gone', 9); {rows}; DELETE FROM t WHERE cents = 9")),
        plain
    );
    assert_eq!(
        content("CREATE TABLE t(name, cents); INSERT INTO t(rowid, name, cents) VALUES (9, 'c', 0), (-5, 'b', 1), (2, 'a', 2)"),
        plain
    );
    assert_ne!(content("CREATE TABLE t(name, cents); INSERT INTO t VALUES ('a', 2), ('b', 1), ('c', 0)"), plain);
    // Names that hide the rowid.
    let hidden = content(&format!("CREATE TABLE t(rowid, oid); CREATE INDEX i ON t(rowid, oid); {rows}"));
    assert_eq!(hidden, plain);
    let shown = |ids: &str| content(&format!("CREATE TABLE t(id INTEGER PRIMARY KEY); INSERT INTO t VALUES {ids}"));
    assert_ne!(shown("(1), (2)"), shown("(1), (3)"));
    let keyed = |rows: &str| content(&format!("CREATE TABLE t(name PRIMARY KEY, cents) WITHOUT ROWID; INSERT INTO t VALUES {rows}"));
    assert_eq!(keyed("('b', 1), ('a', 2)"), keyed("('a', 2), ('b', 1)"));
    assert_eq!(keyed("('b', 1), ('a', 2)"), content("CREATE TABLE t(name, cents); INSERT INTO t VALUES ('a', 2), ('b', 1)"));
    assert_eq!(
        content("CREATE TABLE t(name); INSERT INTO t VALUES ('b'), ('a'), ('c'); ALTER TABLE t ADD COLUMN cents DEFAULT 1"),
        content("CREATE TABLE t(name, cents); INSERT INTO t VALUES ('b', 1), ('a', 1), ('c', 1)"),
        "a column's default is as good as its value"
    );
}

#[test]
fn generated_columns_count_where_they_are_stored() {
    let table = |script: &str| content(&format!("CREATE TABLE t(a, b AS (a || '!') VIRTUAL, c AS (a || '?') STORED); {script}"));
    let stored = content("CREATE TABLE t(a, c); INSERT INTO t VALUES ('x', 'x?')");
    assert_eq!(table("INSERT INTO t(a) VALUES ('x')"), stored);
    assert_ne!(table("INSERT INTO t(a) VALUES ('y')"), stored);
    // Beside columns that are not asked for an index is the quicker way through the table, in another order.
    let wide = "CREATE TABLE t(a, v1 AS (a), v2 AS (a), v3 AS (a), v4 AS (a), c)";
    let unsorted = "INSERT INTO t(a, c) VALUES ('z', 1), ('x', 'x?'), ('y', 2)";
    let indexed = content(&format!("{wide}; CREATE INDEX i ON t(a, c); {unsorted}"));
    assert_eq!(indexed, content(&format!("{wide}; {unsorted}")));
    // One that needs a function of the application.
    let foreign = "CREATE TABLE t(a, b AS (a) VIRTUAL, c); INSERT INTO t(a, c) VALUES ('x', 'x?'); PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = 'CREATE TABLE t(a, b AS (shout(a)) VIRTUAL, c)'; PRAGMA writable_schema = OFF";
    assert_eq!(content(foreign), stored);
}

#[test]
fn tables_behind_a_full_text_index_are_seen() {
    let script = "CREATE VIRTUAL TABLE note USING fts5(body); INSERT INTO note VALUES ('first'), ('second');";
    let before = contents(script);
    assert!(!before.contains_key("note") && before["note_content"].is_some() && before["note_data"].is_some(), "{before:?}");
    assert_eq!(contents(script), before);
    let after = contents(&format!("{script} UPDATE note SET body = 'third' WHERE body = 'second'"));
    assert_ne!(after["note_content"], before["note_content"]);
    let module = "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES ('table', 'geo', 'geo', 0, 'CREATE VIRTUAL TABLE geo USING spatial(x)')";
    let foreign = contents(&format!("CREATE TABLE geo_node(n, data); INSERT INTO geo_node VALUES (1, x'aa'); {module}"));
    assert_eq!(foreign.keys().collect::<Vec<_>>(), ["geo_node"], "a module of the application is no hindrance");
    assert!(foreign["geo_node"].is_some());
}

#[test]
fn a_table_that_only_the_application_can_read_is_counted_and_no_more() {
    let script = "CREATE TABLE person(name TEXT); INSERT INTO person VALUES ('a'), ('b');
         CREATE TABLE code(name TEXT PRIMARY KEY) WITHOUT ROWID;
         PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = 'CREATE TABLE person(name TEXT COLLATE german)' WHERE name = 'person';
         UPDATE sqlite_schema SET sql = 'CREATE TABLE code(name TEXT COLLATE german PRIMARY KEY) WITHOUT ROWID' WHERE name = 'code'";
    let found = contents(script);
    assert!(found["person"].is_some(), "a collation that no order needs");
    assert_eq!(found.get("code"), None, "not even counted");
}

#[test]
fn a_change_of_one_value_is_seen_and_only_there_also_in_a_clone() {
    for mode in ["wal", "delete"] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("app.db");
        let live = ledger(&path, mode, 5000);
        live.execute_batch("CREATE TABLE other(x); INSERT INTO other VALUES (1)").expect("a table");
        let engine = engine(&path);
        let mut out = Memory::new();
        engine.dump(&mut out).expect("a dump");
        let mut scratch = engine.scratch(None).expect("a scratch");
        scratch.load(Content::SqliteImage, &mut &out.bytes[..]).expect("loaded");
        let clone = scratch.loaded().fingerprint(Depth::Content).expect("one");
        assert_eq!(engine.fingerprint(Depth::Content).expect("one"), clone);
        live.execute("UPDATE entry SET memo = 'entry 4O0' WHERE memo = 'entry 400'", []).expect("an update");
        live.execute_batch("BEGIN; INSERT INTO other VALUES (2)").expect("not committed");
        let after = if mode == "wal" {
            engine.fingerprint(Depth::Content).expect("one")
        } else {
            live.execute_batch("ROLLBACK").expect("rolled back");
            engine.fingerprint(Depth::Content).expect("one")
        };
        assert_eq!(clone.differences(&after), ["table entry has the expected 5000 rows but other content"], "{mode}");
    }
}

#[test]
fn a_setting_that_an_application_reads_is_content_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.db");
    let live = ledger(&path, "wal", 3);
    let engine = engine(&path);
    let (rows, before) = (engine.fingerprint(Depth::Rows).expect("one"), engine.fingerprint(Depth::Content).expect("one"));
    live.execute_batch("PRAGMA user_version = 12").expect("set");
    let after = engine.fingerprint(Depth::Content).expect("one");
    assert_eq!((&after.tables, after.schema_sha256 == before.schema_sha256), (&before.tables, false));
    assert_eq!(engine.fingerprint(Depth::Rows).expect("one"), rows, "which is what manifests have, also those of older versions");
    live.execute_batch("PRAGMA user_version = 0").expect("set");
    assert_eq!(engine.fingerprint(Depth::Content).expect("one"), before);
}

#[test]
fn the_counters_of_autoincrement_are_content_and_no_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.db");
    let database = Connection::open(&path).expect("a database");
    let run = |script: &str| database.execute_batch(script).expect("SQL");
    let look = |depth| engine(&path).fingerprint(depth).expect("one");
    run("CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO t DEFAULT VALUES");
    let (rows, content) = (look(Depth::Rows), look(Depth::Content));
    run("INSERT INTO t DEFAULT VALUES; DELETE FROM t WHERE id = 2");
    assert_eq!(look(Depth::Rows), rows);
    let moved = look(Depth::Content);
    assert_eq!(moved.tables["t"], content.tables["t"]);
    assert_eq!(content.differences(&moved), ["table sqlite_sequence has the expected 0 rows but other content"]);
}
