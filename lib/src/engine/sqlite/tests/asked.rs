//! What else an engine is asked: the image, the schema, the marker, whose file it is.

use super::*;
use crate::marker::{Marker, Role, TABLE};

/// Takes an image, and has seen enough after so many bytes.
struct Curious {
    bytes: Vec<u8>,
    cut: Option<Cut>,
    enough: usize,
    spool: tempfile::TempDir,
}

impl Curious {
    fn new(enough: usize) -> Self {
        Curious { bytes: Vec::new(), cut: None, enough, spool: tempfile::tempdir().expect("a folder") }
    }
}

impl Write for Curious {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        assert!(self.cut.is_some(), "bytes before the beginning");
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Outlet for Curious {
    fn begin(&mut self, cut: Cut) -> Result<()> {
        assert!(self.cut.replace(cut).is_none(), "begun twice");
        Ok(())
    }

    fn spool(&self) -> &Path {
        self.spool.path()
    }

    fn is_satisfied(&self) -> bool {
        self.bytes.len() >= self.enough
    }
}

#[test]
fn an_image_has_the_bytes_and_the_cut_of_a_dump() {
    for mode in ["wal", "delete"] {
        for page_size in [512, 4096, 65536] {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("app.db");
            drop(Connection::open(&path).and_then(|new| new.execute_batch(&format!("PRAGMA page_size = {page_size}; VACUUM"))));
            let live = ledger(&path, mode, 2000);
            live.execute_batch("DELETE FROM entry WHERE id % 3 = 0; PRAGMA user_version = 7; CREATE TABLE late(x)").expect("changes");
            let engine = engine(&path);
            let mut dumped = Curious::new(usize::MAX);
            engine.dump(&mut dumped).expect("a dump");
            let mut image = Curious::new(usize::MAX);
            assert_eq!(engine.image(&mut image).expect("an image"), None);
            assert_eq!(image.cut, Some(Cut::Fixed(page_size)), "{mode}");
            assert_eq!((image.cut, image.bytes.len()), (dumped.cut, dumped.bytes.len()), "{mode} {page_size}");
            let differing: Vec<usize> = (0..image.bytes.len()).filter(|at| image.bytes[*at] != dumped.bytes[*at]).collect();
            assert_eq!(differing, Vec::<usize>::new(), "{mode} {page_size}");
            live.execute("UPDATE entry SET memo = 'other' WHERE id = 1000", []).expect("a change");
            let mut changed = Curious::new(usize::MAX);
            engine.image(&mut changed).expect("an image");
            assert_ne!(changed.bytes, dumped.bytes, "{mode}");
            assert!(image.spool.path().read_dir().expect("a list").next().is_none());
        }
    }
}

#[test]
fn an_image_ends_where_its_outlet_has_seen_enough() {
    for mode in ["wal", "delete"] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("app.db");
        let live = ledger(&path, mode, 2000);
        let mut image = Curious::new(4096 + 1);
        engine(&path).image(&mut image).expect("an image");
        assert_eq!(image.bytes.len(), 2 * 4096, "{mode}");
        live.execute("INSERT INTO entry(memo) VALUES ('nobody is held up')", []).expect("a row");
    }
}

#[test]
fn an_image_of_what_an_old_version_wrote_is_what_its_dump_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.db");
    drop(ledger(&path, "delete", 500));
    let mut bytes = std::fs::read(&path).expect("the file");
    // SQLite before 3.7 kept no number of pages, and left what others had written there.
    bytes[28..32].copy_from_slice(&1u32.to_be_bytes());
    bytes[92..96].fill(0);
    bytes[96..100].copy_from_slice(&3_006_000u32.to_be_bytes());
    std::fs::write(&path, &bytes).expect("written");
    let (mut dumped, mut image) = (Curious::new(usize::MAX), Curious::new(usize::MAX));
    engine(&path).dump(&mut dumped).expect("a dump");
    engine(&path).image(&mut image).expect("an image");
    assert_eq!(dumped.bytes.len(), bytes.len());
    assert!(image.bytes == dumped.bytes);
    assert_eq!(std::fs::read(&path).expect("the file"), bytes, "a source is only read");
}

#[test]
fn an_image_of_a_file_without_a_page_is_what_its_dump_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.db");
    std::fs::write(&path, b"").expect("written");
    let (mut dumped, mut image) = (Curious::new(usize::MAX), Curious::new(usize::MAX));
    engine(&path).dump(&mut dumped).expect("a dump");
    engine(&path).image(&mut image).expect("an image");
    assert_eq!((image.cut, &image.bytes), (dumped.cut, &dumped.bytes));
    assert!(image.spool.path().read_dir().expect("a list").next().is_none());
}

#[test]
fn a_schema_has_every_object_as_it_was_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.db");
    let live = ledger(&path, "wal", 1);
    live.execute_batch(
        "CREATE TABLE \"odd name\"(\n  id INTEGER PRIMARY KEY AUTOINCREMENT,\n  code TEXT UNIQUE -- its own index\n);
         CREATE VIEW recent AS SELECT * FROM entry;
         CREATE TRIGGER t AFTER INSERT ON entry BEGIN SELECT 1; END;
         PRAGMA user_version = 5; ANALYZE",
    )
    .expect("a schema");
    let engine = engine(&path);
    let schema = engine.schema().expect("a schema");
    let objects: Vec<&str> = schema.0.keys().map(String::as_str).collect();
    assert_eq!(
        objects,
        ["index entry_memo", "pragma application_id", "pragma user_version", "table entry", "table odd name", "trigger t", "view recent"]
    );
    assert_eq!(
        schema.0["table odd name"],
        "CREATE TABLE \"odd name\"(\n  id INTEGER PRIMARY KEY AUTOINCREMENT,\n  code TEXT UNIQUE -- its own index\n)"
    );
    assert_eq!(schema.0["pragma user_version"], "PRAGMA user_version = 5");
    let mut out = Memory::new();
    engine.dump(&mut out).expect("a dump");
    let mut scratch = engine.scratch(None).expect("a scratch");
    scratch.load(Content::SqliteImage, &mut &out.bytes[..]).expect("loaded");
    assert_eq!(scratch.loaded().schema().expect("a schema"), schema);
    live.execute_batch("PRAGMA user_version = 6; DROP VIEW recent").expect("changes");
    let changed: Vec<String> = schema.changes(&engine.schema().expect("a schema")).into_iter().map(|change| change.object).collect();
    assert_eq!(changed, ["pragma user_version", "view recent"]);
}

#[test]
fn a_live_database_is_examined_beside_its_application() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.db");
    let live = ledger(&path, "wal", 3000);
    live.execute_batch("BEGIN IMMEDIATE").expect("a write");
    assert_eq!(engine(&path).examine().expect("examined"), Vec::<String>::new());
    drop(live);
    let mut bytes = std::fs::read(&path).expect("the file");
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 64].fill(0xff);
    std::fs::write(&path, bytes).expect("written");
    assert!(engine(&path).examine().expect("examined").iter().any(|problem| problem.starts_with("quick_check")));
}

#[test]
fn a_marker_is_read_where_it_was_written_and_goes_along() {
    for mode in ["wal", "delete"] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("app.db");
        let live = ledger(&path, mode, 3);
        let engine = engine(&path);
        assert_eq!(engine.marker().expect("none"), None);
        assert_eq!(engine.probe().expect("probed").marker, None);
        let real = Marker::real("prod");
        engine.mark(&Marker::real("dev")).expect("marked");
        engine.mark(&real).expect("marked anew");
        assert_eq!(engine.marker().expect("one"), Some(real.clone()));
        assert_eq!(engine.probe().expect("probed").marker, Some(real.clone()));
        let rows: i64 = live.query_row(&format!("SELECT count(*) FROM {TABLE}"), [], |row| row.get(0)).expect("a count");
        assert_eq!(rows, 1);
        let mut out = Memory::new();
        engine.dump(&mut out).expect("a dump");
        let mut scratch = engine.scratch(None).expect("a scratch");
        scratch.load(Content::SqliteImage, &mut &out.bytes[..]).expect("loaded");
        assert_eq!(scratch.loaded().marker().expect("one"), Some(real.clone()));
        scratch.loaded().mark(&real.of_clone()).expect("marked");
        assert_eq!(scratch.loaded().marker().expect("one").map(|marker| marker.role), Some(Role::Clone));
        assert_eq!(engine.marker().expect("one"), Some(real), "the real one stays as it is");
        // Two rows: whose it is cannot be said, and that is told.
        live.execute(&format!("INSERT INTO {TABLE} VALUES ('dev', 'real', '2026-11-21T13:00:00Z')"), []).expect("a row");
        assert_eq!(engine.marker().expect_err("two").kind(), Kind::Refused);
        engine.mark(&Marker::real("dev")).expect("put right");
        assert_eq!(engine.marker().expect("one").map(|marker| marker.environment), Some("dev".to_owned()));
    }
}

#[test]
fn a_table_of_the_same_name_is_no_marker_and_is_never_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.db");
    let live = ledger(&path, "delete", 3);
    live.execute_batch("CREATE TABLE Holdfast_Marker(environment TEXT, colour TEXT); INSERT INTO Holdfast_Marker VALUES ('prod', 'red')")
        .expect("a table");
    let engine = engine(&path);
    assert_eq!(engine.marker().expect("none"), None);
    let error = engine.mark(&Marker::real("prod")).expect_err("not ours");
    assert!(error.to_string().contains("is no marker of Holdfast"), "{error}");
    let colour: String = live.query_row("SELECT colour FROM holdfast_marker", [], |row| row.get(0)).expect("the row");
    assert_eq!(colour, "red");
}

#[test]
fn what_cannot_be_marked_says_so_and_stays_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.db");
    let live = ledger(&path, "delete", 3);
    let target = engine(&path);
    live.execute_batch("BEGIN IMMEDIATE").expect("a write");
    assert_eq!(target.mark(&Marker::real("prod")).expect_err("busy").kind(), Kind::Busy);
    live.execute_batch("ROLLBACK; BEGIN; SELECT count(*) FROM entry").expect("a reader");
    assert_eq!(target.mark(&Marker::real("prod")).expect_err("busy").kind(), Kind::Busy);
    live.execute_batch("COMMIT").expect("ended");
    assert_eq!(target.marker().expect("none"), None);
    drop(live);
    // A format that this SQLite may read and not write: read-only also for root.
    let mut bytes = std::fs::read(&path).expect("the file");
    bytes[18] = 3;
    std::fs::write(&path, &bytes).expect("written");
    let error = target.mark(&Marker::real("prod")).expect_err("read-only");
    assert!(error.to_string().contains("can only be read"), "{error}");
    assert_eq!(std::fs::read(&path).expect("the file"), bytes);
    let missing = folder.path().join("missing.db");
    assert_eq!(engine(&missing).marker().expect("none"), None);
    engine(&missing).mark(&Marker::real("prod")).expect_err("nothing to mark");
    assert!(!missing.exists());
    std::fs::write(&missing, b"garbage, and longer than any header of sixteen bytes").expect("written");
    assert_eq!(engine(&missing).marker().expect("nothing can be restored over it else"), None);
}

#[test]
fn a_file_is_known_by_every_form_of_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let odd = folder.path().join("my #1 data%20?");
    std::fs::create_dir(&odd).expect("a folder");
    let path = odd.join("app.db");
    drop(ledger(&path, "delete", 1));
    std::fs::hard_link(&path, folder.path().join("hard.db")).expect("a link");
    std::os::unix::fs::symlink(&path, folder.path().join("soft.db")).expect("a link");
    let engine = engine(&path);
    let place = path.canonicalize().expect("a path").display().to_string();
    let encoded = place.replace('%', "%25").replace('#', "%23").replace('?', "%3f").replace(' ', "%20");
    let base = folder.path().display().to_string();
    for value in [
        place.clone(),
        format!(" {place} "),
        format!("{base}/hard.db"),
        format!("{base}/./soft.db"),
        format!("sqlite:{place}"),
        format!("sqlite3:{place}"),
        format!("sqlite://{place}"),
        format!("sqlite:///{place}"),
        format!("SQLite:///{}", &place[1..]),
        format!("sqlite+pysqlite:///{place}?timeout=5"),
        format!("file:{encoded}?mode=rw&cache=shared"),
        format!("file://{encoded}#x"),
        format!("file://localhost{encoded}"),
        format!("jdbc:sqlite:{base}/hard.db?busy_timeout=5"),
        address::reach(&path).places["url"].clone(),
    ] {
        assert!(engine.is_named_by(&value), "{value}");
    }
    std::fs::write(folder.path().join("other.db"), b"").expect("written");
    for value in ["", " ", "app.db", "sqlite:", "sqlite::memory:", "postgres://h/app", "/", &base, &format!("sqlite:///{base}/other.db")] {
        assert!(!engine.is_named_by(value), "{value}");
    }
    assert!(!engine.is_named_by(&format!("postgres://{place}")), "another engine's");
}

#[test]
fn a_relative_place_is_looked_for_from_here() {
    let folder = tempfile::Builder::new().prefix("named-").tempdir_in(".").expect("a folder");
    let path = folder.path().join("app.db");
    drop(ledger(&path, "delete", 1));
    let engine = engine(&path.canonicalize().expect("a path"));
    let relative = format!("{}/app.db", folder.path().file_name().expect("a name").display());
    for value in [&relative, &format!("sqlite:///{relative}"), &format!("sqlite:{relative}"), &format!("sqlite://{relative}")] {
        assert!(engine.is_named_by(value), "{value}");
    }
    // Also where there is no file yet, or no longer.
    std::fs::remove_file(&path).expect("removed");
    assert!(engine.is_named_by(&format!("sqlite:///{relative}")));
    assert!(!engine.is_named_by(&format!("sqlite:///{relative}2")));
}

#[test]
fn a_clone_is_reached_by_its_path() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.db");
    let live = ledger(&path, "delete", 3);
    let engine = engine(&path);
    let mut out = Memory::new();
    engine.dump(&mut out).expect("a dump");
    let mut scratch = engine.scratch(None).expect("a scratch");
    scratch.load(Content::SqliteImage, &mut &out.bytes[..]).expect("loaded");
    let reach = scratch.loaded().reach();
    assert_eq!(count(Path::new(&reach.places["path"])), 3);
    assert_eq!(reach.places["url"], format!("sqlite:///{}", reach.places["path"]));
    assert!(reach.places["url"].starts_with("sqlite:////"));
    assert_eq!(reach.variables["DATABASE_URL"].as_deref(), Some(reach.places["url"].as_str()));
    for name in ["SQLITE_PATH", "SQLITE_DATABASE"] {
        assert_eq!(reach.variables[name].as_deref(), Some(reach.places["path"].as_str()));
    }
    let again = Sqlite::parse(&reach.places["url"], Path::new("/"), settings(folder.path())).expect("an engine");
    assert_eq!(again.location(), scratch.loaded().location());
    drop(live);
}

#[test]
fn a_server_that_is_not_there_holds_nobody_to_a_limit() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = engine(&folder.path().join("app.db"));
    assert!(engine.limits(None, None).expect("nothing").is_empty());
    let error = engine.limits(Some(Duration::from_secs(1)), None).expect_err("no such way");
    assert_eq!(error.kind(), Kind::Usage);
    assert!(error.next_step().is_some_and(|hint| hint.contains("busy timeout")));
}
