//! Exchanging the content of a live database for another, as one transaction.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use super::dump::{copy_if, copy_in_one_step};
use super::open;
use super::swap::with_ending;
use crate::engine::Settings;
use crate::error::{Error, Kind, OnPath, Result};
use crate::fsx;

/// How often the old content is copied again because somebody committed before it could be replaced.
const COPIES_MAX: usize = 20;

/// The live database with every writer held off, so that no commit falls between the copy that is kept and the swap.
fn without_writers(target: &Path, limit: Duration) -> Result<Connection> {
    let live = open::target(target, false)?;
    match open::within(limit, target, || live.execute_batch("BEGIN IMMEDIATE")) {
        Err(error) if error.kind() != Kind::Bad => Err(error),
        // A damaged database may not even begin a transaction, and nobody can write to it.
        _ => Ok(live),
    }
}

/// Copies the live database to `aside`, whole and synced before it has that name.
fn copy_aside(target: &Path, aside: &Path, settings: &Settings) -> Result<()> {
    let part = with_ending(aside, ".part");
    if part.exists() {
        fsx::remove_file(&part)?;
    }
    drop(fsx::create_private_file(&part)?);
    let source = open::source(target)?;
    let mut copy = open::target(&part, false)?;
    copy.execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF").map_err(|error| open::explain(&part, error))?;
    copy_in_one_step(&source, &mut copy, target, settings.busy_timeout)?;
    copy.close().map_err(|(_, error)| open::explain(&part, error))?;
    drop(source);
    fsx::sync_file(&fsx::open_to_read(&part)?, &part)?;
    fsx::rename_new(&part, aside)
}

/// Keeps the live content at `aside` and writes that of `incoming` over it, as one transaction. Writers are held off while
/// the old content is copied, but SQLite must let go of the database for a moment before it can begin to write it. A
/// commit in that moment would be in neither: then the copy is made again.
pub(super) fn exchange(incoming: &Path, target: &Path, aside: &Path, settings: &Settings) -> Result<()> {
    for _ in 0..COPIES_MAX {
        let live = without_writers(target, settings.busy_timeout)?;
        if must_leave_wal(incoming, &live, target, settings.busy_timeout)? {
            copy_aside(target, aside, settings)?;
            return enter_alone(incoming, live, target, settings);
        }
        let watch = Watch::begin(target, settings.busy_timeout)?;
        copy_aside(target, aside, settings)?;
        if enter(incoming, live, watch, target, settings)? {
            return Ok(());
        }
        fsx::remove_file(aside)?;
    }
    Err(Error::busy(format!("{} is written to without a pause", target.display()))
        .hint("stop the application for the restore; nothing was changed"))
}

/// Writes the content of `incoming` into the live database. False, and nothing done, where somebody has committed since
/// `watch` began.
fn enter(incoming: &Path, mut live: Connection, watch: Watch, target: &Path, settings: &Settings) -> Result<bool> {
    let source = open::source(incoming)?;
    let has_log = is_wal(&source, incoming, settings.busy_timeout)?;
    let_go(&live, target)?;
    if !copy_if(&source, &mut live, target, settings.busy_timeout, || watch.is_unchanged())? {
        return Ok(false);
    }
    // In WAL mode the whole database now stands in the log once more; where a reader holds it up, its next writer folds it in.
    let _ = live.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    if !has_log && matches!(watch, Watch::Log { .. }) {
        // What entered had no log. Where others have the database open it keeps the one it has, and the content is the same.
        drop(watch);
        let _ = live.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()));
    }
    // The new content is in, whatever becomes of the connection.
    let _ = live.close();
    Ok(true)
}

/// As [`enter`], for pages of another size, which cannot enter a log: it must be left, and that needs the database for us
/// alone.
fn enter_alone(incoming: &Path, mut live: Connection, target: &Path, settings: &Settings) -> Result<()> {
    let source = open::source(incoming)?;
    let_go(&live, target)?;
    leave_wal(&live, target, settings.busy_timeout)?;
    copy_in_one_step(&source, &mut live, target, settings.busy_timeout)?;
    let _ = live.close();
    Ok(())
}

/// Ends the transaction that held writers off.
fn let_go(live: &Connection, target: &Path) -> Result<()> {
    fsx::step().on("restore into", target)?;
    if live.is_autocommit() {
        return Ok(());
    }
    live.execute_batch("ROLLBACK").map_err(|error| open::explain(target, error))
}

fn must_leave_wal(incoming: &Path, live: &Connection, target: &Path, limit: Duration) -> Result<bool> {
    let page_size = |connection: &Connection| connection.query_row("PRAGMA page_size", [], |row| row.get::<_, i64>(0));
    let explain = |error: rusqlite::Error| open::explain(target, error);
    Ok(is_wal(live, target, limit)? && page_size(&open::source(incoming)?).map_err(explain)? != page_size(live).map_err(explain)?)
}

fn is_wal(connection: &Connection, path: &Path, limit: Duration) -> Result<bool> {
    let journal_mode: String = open::within(limit, path, || connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)))?;
    Ok(journal_mode.eq_ignore_ascii_case("wal"))
}

/// Notices commits of others. Made while writers are held off.
enum Watch {
    /// With a write-ahead log, a reader's `data_version` tells, also while somebody writes.
    Log { reader: Connection, version: i64, path: PathBuf },
    /// With a rollback journal nobody can read beside a writer, but every commit changes the counter in the header. The
    /// descriptor stays open to the end: closing one would drop the locks that SQLite holds on the file in this process.
    Counter { file: std::fs::File, counter: [u8; 4], path: PathBuf },
}

/// Where the header has the counter of changes.
const CHANGE_COUNTER_AT: u64 = 24;

impl Watch {
    fn begin(target: &Path, limit: Duration) -> Result<Self> {
        let path = target.to_owned();
        let reader = open::source(target)?;
        if is_wal(&reader, target, limit)? {
            let version = open::within(limit, target, || Self::version(&reader))?;
            return Ok(Watch::Log { reader, version, path });
        }
        let file = fsx::open_to_read(target)?;
        let counter = Self::counter(&file, target)?;
        Ok(Watch::Counter { file, counter, path })
    }

    fn is_unchanged(&self) -> Result<bool> {
        match self {
            Watch::Log { reader, version, path } => Ok(Self::version(reader).map_err(|error| open::explain(path, error))? == *version),
            Watch::Counter { file, counter, path } => Ok(Self::counter(file, path)? == *counter),
        }
    }

    fn version(reader: &Connection) -> rusqlite::Result<i64> {
        reader.query_row("PRAGMA data_version", [], |row| row.get(0))
    }

    fn counter(file: &std::fs::File, path: &Path) -> Result<[u8; 4]> {
        use std::os::unix::fs::FileExt;
        let mut counter = [0; 4];
        file.read_exact_at(&mut counter, CHANGE_COUNTER_AT).on("read", path)?;
        Ok(counter)
    }
}

/// Leaves WAL mode, which only works while no other connection is open.
fn leave_wal(live: &Connection, target: &Path, limit: Duration) -> Result<()> {
    let mode = open::within(limit, target, || live.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get::<_, String>(0)));
    match mode {
        Ok(mode) if mode.eq_ignore_ascii_case("delete") => Ok(()),
        Ok(_) => Err(in_use(target)),
        Err(error) if error.kind() == Kind::Busy => Err(in_use(target)),
        Err(error) => Err(error),
    }
}

fn in_use(target: &Path) -> Error {
    Error::busy(format!("{} is open in another program, and the backup has another page size", target.display()))
        .hint("stop the application for the restore; nothing was changed")
}
