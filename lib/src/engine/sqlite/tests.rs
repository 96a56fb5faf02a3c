mod asked;
mod clones;
mod content;
mod dumped;
mod rolled_back;
mod swapped;

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
        lock_tables: false,
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
    connection.execute_batch("BEGIN").expect("begun");
    let mut insert = connection.prepare("INSERT INTO entry(memo) VALUES (?)").expect("a statement");
    for row in 0..rows {
        insert.execute([format!("entry {row}")]).expect("a row");
    }
    drop(insert);
    connection.execute_batch("COMMIT").expect("committed");
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
