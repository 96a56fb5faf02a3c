//! Reading one snapshot of a SQLite database.
//!
//! In WAL mode the pages are streamed out of one read transaction through the `sqlite_dbpage` table, which no writer
//! waits for. With a rollback journal a reader holds up every commit, so there the pages are first copied in one step by
//! the backup API, at the speed of the disk, and packed from the copy.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::fingerprint::{self, Checked};
use super::open;
use crate::engine::{Cut, Depth, Dumped, Outlet, Settings};
use crate::error::{Error, OnPath, Result};
use crate::fingerprint::Fingerprint;
use crate::fsx;
use crate::interrupt;
use crate::manifest::{Database, EngineName};

/// How long a second view of the snapshot is tried for; a writer waits for as long as two reads begin.
const GATE_WAIT: Duration = Duration::from_millis(200);

/// The property that keeps the file's mode, in octal.
const MODE: &str = "file_mode";

/// What is known of the database from inside the snapshot.
pub(super) struct Facts {
    pub(super) page_size: u32,
    pub(super) bytes: u64,
    encoding: String,
    pub(super) is_wal: bool,
}

pub(super) fn dump(path: &Path, settings: &Settings, out: &mut dyn Outlet) -> Result<Dumped> {
    open::require_database_file(path)?;
    let before = identity(path)?;
    let connection = open::source(path)?;
    open::within(settings.busy_timeout, path, || connection.execute_batch("PRAGMA query_only = ON"))?;
    let second = begin_twice(&connection, path, settings.busy_timeout)?;
    let facts = facts(&connection).map_err(|error| open::explain(path, error))?;
    let can_stream = facts.is_wal && has_page_table(&connection).map_err(|error| open::explain(path, error))?;
    let (method, (fingerprint, checked)) = if can_stream {
        ("page stream", stream(&connection, second, path, &facts, out)?)
    } else {
        drop(second);
        connection.execute_batch("COMMIT").map_err(|error| open::explain(path, error))?;
        ("page copy", copy(&connection, path, settings, out)?)
    };
    if identity(path)? != before {
        return Err(Error::failed(format!("{} was replaced by another file during the backup", path.display()))
            .hint("run it again when whatever replaces it is done"));
    }
    let database = Database {
        engine: EngineName::Sqlite,
        name: path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
        location: format!("sqlite:{}", path.display()),
        identity: Some(before),
        server_version: rusqlite::version().to_owned(),
        client_version: None,
        charset: facts.encoding,
        method: method.to_owned(),
        consistency: "snapshot".to_owned(),
        properties: [
            ("journal_mode".to_owned(), if facts.is_wal { "wal" } else { "delete" }.into()),
            (MODE.to_owned(), format!("{:03o}", path.metadata().on("look at", path)?.mode() & 0o777).into()),
        ]
        .into(),
        not_included: Vec::new(),
    };
    Ok(Dumped { fingerprint, database, warnings: checked.gaps, problems: checked.problems, extras: Vec::new() })
}

/// The mode that the file had, as a backup's description has it.
pub(super) fn mode_in(database: &Database) -> Option<u32> {
    u32::from_str_radix(database.properties.get(MODE)?.as_str()?, 8).ok()
}

/// Device and inode: another file of the same name has others.
pub(super) fn identity(path: &Path) -> Result<String> {
    let found = path.metadata().on("look at", path)?;
    Ok(format!("device {} inode {}", found.dev(), found.ino()))
}

/// Begins a read transaction, and where it can a second one of the very same snapshot on a connection of its own, so that
/// the check can run beside the stream. For the moment in which both look for the first time a third connection holds the
/// write lock: no commit can come between them.
fn begin_twice(connection: &Connection, path: &Path, limit: Duration) -> Result<Option<Connection>> {
    let pair = || -> rusqlite::Result<(Connection, Connection)> {
        let second = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let gate = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        second.execute_batch("PRAGMA query_only = ON; BEGIN")?;
        let journal_mode: String = gate.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
        if !journal_mode.eq_ignore_ascii_case("wal") {
            return Err(rusqlite::Error::InvalidQuery);
        }
        gate.busy_timeout(GATE_WAIT)?;
        gate.execute_batch("BEGIN IMMEDIATE")?;
        Ok((second, gate))
    };
    // Read-only media, a rollback journal, a writer that never pauses: then one transaction does both, one after the other.
    let pair = pair().ok();
    open::within(limit, path, || begin_snapshot(connection))?;
    let Some((mut second, gate)) = pair else { return Ok(None) };
    let begun = begin_snapshot(&second).and_then(|()| open::watch_for_stop(&mut second));
    let closed = gate.execute_batch("ROLLBACK");
    Ok((begun.is_ok() && closed.is_ok()).then_some(second))
}

/// Begins a read transaction and takes its snapshot: BEGIN alone takes none.
pub(super) fn begin_snapshot(connection: &Connection) -> rusqlite::Result<()> {
    if connection.is_autocommit() {
        connection.execute_batch("BEGIN")?;
    }
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

pub(super) fn facts(connection: &Connection) -> rusqlite::Result<Facts> {
    let journal_mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    Ok(Facts {
        page_size: connection.query_row("PRAGMA page_size", [], |row| row.get(0))?,
        bytes: open::size(connection)?,
        encoding: connection.query_row("PRAGMA encoding", [], |row| row.get(0))?,
        is_wal: journal_mode.eq_ignore_ascii_case("wal"),
    })
}

/// Whether this build of SQLite has the page table.
pub(super) fn has_page_table(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .query_row("SELECT count(*) FROM pragma_module_list WHERE name = 'sqlite_dbpage'", [], |row| row.get::<_, i64>(0))
        .map(|count| count > 0)
}

/// Every page of the snapshot, in order; and its fingerprint and check, beside that where there is a second connection.
fn stream(connection: &Connection, second: Option<Connection>, path: &Path, facts: &Facts, out: &mut dyn Outlet) -> Result<Examined> {
    let explain = |error| open::explain(path, error);
    let Some(second) = second else {
        send_pages(connection, path, facts, out)?;
        return examine(connection).map_err(explain);
    };
    beside(
        move || examine(&second).map_err(explain),
        "database",
        |out, begin| {
            out.begin(Cut::Fixed(facts.page_size))?;
            let bytes = each_page(connection, path, |page| {
                store(out, page)?;
                begin(out);
                Ok(true)
            })?;
            require_all(bytes, path, facts)
        },
        out,
    )
}

/// Sends a stream, and examines what it is of beside that on a thread of its own; not before it differs from what an earlier
/// dump had, and not at all where it never does. `send` calls what it is given whenever it has sent something.
fn beside(
    examine: impl FnOnce() -> Result<Examined> + Send,
    what: &str,
    send: impl FnOnce(&mut dyn Outlet, &mut dyn FnMut(&dyn Outlet)) -> Result<()>,
    out: &mut dyn Outlet,
) -> Result<Examined> {
    std::thread::scope(|scope| {
        let mut waiting = Some(examine);
        let mut examiner = None;
        let mut begin_if_new = |out: &dyn Outlet| {
            if waiting.is_some() && out.has_news() {
                examiner = waiting.take().map(|examine| scope.spawn(examine));
            }
        };
        send(out, &mut begin_if_new)?;
        if let Some(examine) = waiting.take() {
            return match out.repeats()? {
                Some(fingerprint) => Ok((fingerprint, Checked::default())),
                None => examine(),
            };
        }
        let examiner = examiner.ok_or_else(|| Error::failed("nothing was examined"))?;
        out.end()?;
        examiner.join().map_err(|_| Error::failed(format!("the thread that checks the {what} died")))?
    })
}

fn send_pages(connection: &Connection, path: &Path, facts: &Facts, out: &mut dyn Outlet) -> Result<()> {
    out.begin(Cut::Fixed(facts.page_size))?;
    let bytes = each_page(connection, path, |page| store(out, page).map(|()| true))?;
    require_all(bytes, path, facts)
}

/// Gives every page of the snapshot, in order, for as long as `take` wants more; returns how many bytes that were.
pub(super) fn each_page(connection: &Connection, path: &Path, mut take: impl FnMut(&[u8]) -> Result<bool>) -> Result<u64> {
    let explain = |error| open::explain(path, error);
    let mut statement = connection.prepare("SELECT data FROM sqlite_dbpage ORDER BY pgno").map_err(explain)?;
    let mut rows = statement.query([]).map_err(explain)?;
    let mut bytes = 0u64;
    while let Some(row) = rows.next().map_err(explain)? {
        let page = row.get_ref(0).map_err(explain)?.as_blob().map_err(|error| explain(error.into()))?;
        bytes += page.len() as u64;
        if !take(page)? {
            break;
        }
    }
    Ok(bytes)
}

pub(super) fn store(out: &mut dyn Outlet, bytes: &[u8]) -> Result<()> {
    out.write_all(bytes).map_err(|error| Error::from_io("cannot store a page", error))
}

/// Refuses a stream of pages that is not as long as the database says it is.
pub(super) fn require_all(bytes: u64, path: &Path, facts: &Facts) -> Result<()> {
    if bytes != facts.bytes {
        return Err(Error::failed(format!("{} gave {bytes} bytes, its header says {}", path.display(), facts.bytes)));
    }
    Ok(())
}

/// A copy of all pages in one step, and then everything from the copy; the source is held only for as long as the copy takes.
fn copy(source: &Connection, path: &Path, settings: &Settings, out: &mut dyn Outlet) -> Result<Examined> {
    let (copy_path, page_size) = spool(source, path, settings, out)?;
    out.begin(Cut::Fixed(page_size))?;
    let mut file = fsx::open_to_read(&copy_path)?;
    // The copy is nobody else's, so its check can run beside the packing.
    let explain = |error| open::explain(&copy_path, error);
    let examined = beside(
        || open::target(&copy_path, false).and_then(|connection| examine(&connection).map_err(explain)),
        "copy",
        |out, begin| {
            each_block(&mut file, &copy_path, |block| {
                store(out, block)?;
                begin(out);
                Ok(true)
            })
        },
        out,
    )?;
    fsx::remove_file(&copy_path)?;
    Ok(examined)
}

/// Copies all pages in one step into a file of the outlet's spool: its path and its page size.
pub(super) fn spool(source: &Connection, path: &Path, settings: &Settings, out: &dyn Outlet) -> Result<(PathBuf, u32)> {
    let copy_path = out.spool().join("copy.sqlite");
    drop(fsx::create_private_file(&copy_path)?);
    copy_pages(source, &copy_path, path, settings)?;
    let explain = |error| open::explain(&copy_path, error);
    let connection = open::target(&copy_path, false)?;
    let _: String = connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0)).map_err(explain)?;
    let page_size: u32 = connection.query_row("PRAGMA page_size", [], |row| row.get(0)).map_err(explain)?;
    connection.close().map_err(|(_, error)| explain(error))?;
    Ok((copy_path, page_size))
}

fn copy_pages(source: &Connection, copy_path: &Path, path: &Path, settings: &Settings) -> Result<()> {
    let mut copy = open::target(copy_path, false)?;
    copy.execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF").map_err(|error| open::explain(copy_path, error))?;
    copy_in_one_step(source, &mut copy, path, settings.busy_timeout)?;
    copy.close().map_err(|(_, error)| open::explain(copy_path, error))
}

/// The backup API in a single step: in smaller ones it starts again after every foreign commit, and beside a busy writer
/// never ends.
pub(super) fn copy_in_one_step(from: &Connection, to: &mut Connection, path: &Path, limit: Duration) -> Result<()> {
    copy_if(from, to, path, limit, || Ok(true)).map(|_| ())
}

/// As [`copy_in_one_step`], if `may` agrees once the target is locked and nobody else can write it any more; false where it
/// does not, and then nothing is copied.
pub(super) fn copy_if(
    from: &Connection,
    to: &mut Connection,
    path: &Path,
    limit: Duration,
    may: impl FnOnce() -> Result<bool>,
) -> Result<bool> {
    let start = Instant::now();
    let written = to.path().map(std::path::PathBuf::from);
    let backup = Backup::new(from, to).map_err(|error| open::explain(path, error))?;
    let mut may = Some(may);
    loop {
        interrupt::check()?;
        // A step of no pages only takes the locks.
        match backup.step(if may.is_some() { 0 } else { -1 }) {
            Ok(StepResult::Done) => return Ok(true),
            Ok(StepResult::Busy | StepResult::Locked) if start.elapsed() < limit => std::thread::sleep(Duration::from_millis(2)),
            Ok(StepResult::More) => {
                if let Some(may) = may.take()
                    && !may()?
                {
                    return Ok(false);
                }
            }
            Ok(_) => {
                return Err(Error::busy(format!("{} is locked by another program", path.display()))
                    .hint("end its transaction, or allow more with busy_timeout; nothing was changed"));
            }
            Err(error) if is_of_writing(&error) => return Err(open::explain(written.as_deref().unwrap_or(path), error)),
            Err(error) => return Err(open::explain(path, error)),
        }
    }
}

/// Whether the copy is to blame and not its source, which is only read.
fn is_of_writing(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi;
    let rusqlite::Error::SqliteFailure(error, _) = error else { return false };
    matches!(error.extended_code, ffi::SQLITE_FULL | ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_TRUNCATE)
}

/// What was found in the snapshot, beside its pages.
type Examined = (Fingerprint, Checked);

fn examine(connection: &Connection) -> rusqlite::Result<Examined> {
    let checked = fingerprint::quick_check(connection)?;
    match fingerprint::take(connection, Depth::Rows) {
        // A database too damaged to be counted is published as what it is, with what is known of it.
        Err(error) if fingerprint::is_damage(&error) && !checked.problems.is_empty() => Ok((Fingerprint::default(), checked)),
        other => other.map(|fingerprint| (fingerprint, checked)),
    }
}

/// Gives a file block by block, for as long as `take` wants more.
pub(super) fn each_block(file: &mut File, path: &Path, mut take: impl FnMut(&[u8]) -> Result<bool>) -> Result<()> {
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = file.read(&mut buffer).on("read", path)?;
        if count == 0 || !take(&buffer[..count])? {
            return Ok(());
        }
    }
}
