//! Opening database files, and waiting for busy ones with a deadline.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::{Error, OnPath, Result};
use crate::interrupt;

/// How long SQLite itself waits for a lock before we look at signals and our own deadline again.
const SLICE: Duration = Duration::from_millis(200);
/// How often, in virtual machine steps, a long query looks at signals.
const PROGRESS_STEPS: i32 = 100_000;

/// Refuses what is no database file, by its metadata alone: opening it by a plain descriptor would, on closing, drop the
/// locks that SQLite holds in this process.
pub(super) fn require_database_file(path: &Path) -> Result<()> {
    let found = match path.metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::failed(format!("there is no database {}", path.display())).hint("check the path; nothing was created"));
        }
        other => other.on("look at", path)?,
    };
    if !found.is_file() {
        return Err(Error::failed(format!("{} is not a file", path.display())));
    }
    Ok(())
}

/// Opens a live database without ever creating one: for writing, so that SQLite can recover what a crash left in a hot
/// journal, or for reading where that is all we may do. Nothing is written to it.
pub(super) fn source(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_READ_WRITE)
        .or_else(|_| Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_READ_ONLY))
        .map_err(|error| explain(path, error))?;
    prepare(opened, path)
}

/// Opens a database to change it; created where it is missing and `create` says so.
pub(super) fn target(path: &Path, create: bool) -> Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_READ_WRITE;
    if create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    prepare(Connection::open_with_flags(path, flags).map_err(|error| explain(path, error))?, path)
}

fn prepare(mut connection: Connection, path: &Path) -> Result<Connection> {
    watch_for_stop(&mut connection).map_err(|error| explain(path, error))?;
    Ok(connection)
}

/// Lets a long query end when a stop is asked for, and a wait for a lock end after a moment.
pub(super) fn watch_for_stop(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(SLICE)?;
    connection.progress_handler(PROGRESS_STEPS, Some(|| interrupt::check().is_err()))
}

/// Runs `work` again for as long as the database is busy, until `limit` is over or a stop is asked for.
pub(super) fn within<T>(limit: Duration, path: &Path, mut work: impl FnMut() -> rusqlite::Result<T>) -> Result<T> {
    let start = Instant::now();
    loop {
        interrupt::check()?;
        match work() {
            Err(error) if is_busy(&error) && start.elapsed() < limit => std::thread::sleep(Duration::from_millis(10)),
            other => return other.map_err(|error| explain(path, error)),
        }
    }
}

/// Runs `work` in one read transaction of a live database, and again for as long as that is busy.
pub(super) fn in_snapshot<T>(path: &Path, limit: Duration, work: impl Fn(&Connection) -> rusqlite::Result<T>) -> Result<T> {
    require_database_file(path)?;
    let connection = source(path)?;
    within(limit, path, || {
        connection.execute_batch("BEGIN")?;
        let done = work(&connection);
        // In a damaged database the end can be refused too; what was read counts.
        let _ = connection.execute_batch("ROLLBACK");
        done
    })
}

pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Size of the database as its pages say.
pub(super) fn size(connection: &Connection) -> rusqlite::Result<u64> {
    let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    let page_size: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    Ok(u64::try_from(pages.saturating_mul(page_size)).unwrap_or(0))
}

/// Says what an error of SQLite means for the file at `path`.
pub(super) fn explain(path: &Path, error: rusqlite::Error) -> Error {
    if let Err(stopped) = interrupt::check() {
        return stopped;
    }
    let path = path.display();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::busy(format!("{path} is locked by another program"))
            .hint("end its transaction, or allow more with busy_timeout; nothing was changed"),
        Some(ErrorCode::NotADatabase) => {
            Error::bad(format!("{path} is not a SQLite database")).hint("is it the right file, or an encrypted one?")
        }
        Some(ErrorCode::DatabaseCorrupt) => Error::bad(format!("{path} is corrupt")).because(error),
        // Also where a database in WAL mode is only to be read: its log's index must be written.
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => Error::failed(format!("cannot open {path}"))
            .because(error)
            .hint("run it as the user who owns the file and its folder: SQLite needs both"),
        Some(ErrorCode::DiskFull) => Error::failed(format!("the disk of {path} is full")).because(error).hint("free some space there"),
        _ => Error::failed(format!("SQLite cannot work with {path}")).because(error),
    }
}
