//! Bringing a loaded database to its real place, and back.
//!
//! A file that programs may have open is never renamed over: a stale `-wal` would bring the old rows back. The new
//! content enters through SQLite itself, as one transaction of the backup API: all old or all new under any kill, while
//! readers go on. Only where there is no database is the new file renamed into place.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use super::dump::{copy_if, copy_in_one_step};
use super::load::{File, MAGIC};
use super::open;
use crate::engine::{Beside, Content, Depth, Dumped, Kept, Left, Outlet, Reach, Settings, Workspace};
use crate::error::{Error, Kind, OnPath, Result};
use crate::fingerprint::Fingerprint;
use crate::fsx;
use crate::id;
use crate::manifest::EngineName;
use crate::marker::Marker;
use crate::schema::Schema;

/// Endings of the files that belong to a database file.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// How often the old content is copied again because somebody committed before it could be replaced.
const COPIES_MAX: usize = 20;

/// A loaded file beside the real database.
pub(super) struct Incoming {
    file: File,
    target: PathBuf,
    aside: PathBuf,
}

impl Incoming {
    pub(super) fn new(file: File, target: PathBuf, aside: PathBuf) -> Self {
        Incoming { file, target, aside }
    }
}

impl Workspace for Incoming {
    fn load(&mut self, content: Content, plain: &mut dyn std::io::Read) -> Result<()> {
        self.file.load(content, plain)
    }

    fn examine(&self) -> Result<Vec<String>> {
        self.file.examine()
    }

    fn fingerprint(&self, depth: Depth) -> Result<Fingerprint> {
        self.file.fingerprint(depth)
    }

    fn ask(&self, query: &str) -> Result<Option<String>> {
        self.file.ask(query)
    }

    fn dump(&self, out: &mut dyn Outlet) -> Result<Dumped> {
        self.file.dump(out)
    }

    fn location(&self) -> String {
        self.file.location()
    }

    fn schema(&self) -> Result<Schema> {
        self.file.schema()
    }

    fn marker(&self) -> Result<Option<Marker>> {
        self.file.marker()
    }

    fn mark(&self, marker: &Marker) -> Result<()> {
        self.file.mark(marker)
    }

    fn reach(&self) -> Reach {
        self.file.reach()
    }

    fn keep(self: Box<Self>) -> Result<Left> {
        Err(Error::failed("a database that is being restored cannot be left behind"))
    }
}

impl Beside for Incoming {
    fn keeps(&mut self) -> Result<Kept> {
        Ok(kept(&self.target, self.target.symlink_metadata().is_ok().then_some(&*self.aside)))
    }

    fn swap(self: Box<Self>) -> Result<Kept> {
        put_in_place(self.file.path(), &self.target, &self.aside, self.file.settings())
    }
}

/// Makes the database at `incoming` the one at `target`; what was there is kept at `aside`.
pub(super) fn put_in_place(incoming: &Path, target: &Path, aside: &Path, settings: &Settings) -> Result<Kept> {
    if is_database(target)? {
        return exchange(incoming, target, aside, settings).map(|()| kept(target, Some(aside)));
    }
    let had_something = set_aside(target, aside)?;
    let looks = if had_something { look_like(incoming, aside) } else { Ok(()) };
    if let Err(error) = looks.and_then(|()| fsx::rename_new(incoming, target)) {
        put_back(target, aside);
        return Err(error);
    }
    Ok(kept(target, had_something.then_some(aside)))
}

/// The live database with every writer held off, so that no commit falls between the copy that is kept and the swap.
fn without_writers(target: &Path, limit: Duration) -> Result<Connection> {
    let live = open::target(target, false)?;
    match open::within(limit, target, || live.execute_batch("BEGIN IMMEDIATE")) {
        Err(error) if error.kind() != Kind::Bad => Err(error),
        // A damaged database may not even begin a transaction, and nobody can write to it.
        _ => Ok(live),
    }
}

/// Gives a file the owner and the mode of the one whose place it takes: the application must be able to open it.
fn look_like(incoming: &Path, old: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let found = old.symlink_metadata().on("look at", old)?;
    if !found.is_file() {
        return Ok(());
    }
    // Only root may give files away; anybody else owns both.
    let _ = std::os::unix::fs::chown(incoming, Some(found.uid()), Some(found.gid()));
    fsx::set_mode(incoming, found.mode() & 0o777)
}

fn kept(target: &Path, aside: Option<&Path>) -> Kept {
    Kept { engine: EngineName::Sqlite, target: format!("sqlite:{}", target.display()), aside: aside.map(|path| path.display().to_string()) }
}

/// Whether there is a database at `path` that SQLite can open. Nobody of this process has it open here.
fn is_database(path: &Path) -> Result<bool> {
    use std::io::Read;
    let mut head = [0; 16];
    match std::fs::File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        other => {
            let mut file = other.on("open", path)?;
            if file.read_exact(&mut head).is_err() || &head != MAGIC {
                return Ok(false);
            }
        }
    }
    let connection = open::source(path)?;
    match connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())) {
        Err(error) if super::fingerprint::is_damage(&error) => Ok(false),
        // Busy is for the copy to wait for.
        _ => Ok(true),
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
fn exchange(incoming: &Path, target: &Path, aside: &Path, settings: &Settings) -> Result<()> {
    for _ in 0..COPIES_MAX {
        let live = without_writers(target, settings.busy_timeout)?;
        if must_leave_wal(incoming, &live, target, settings.busy_timeout)? {
            copy_aside(target, aside, settings)?;
            return enter_alone(incoming, live, target, settings);
        }
        let watch = Watch::begin(target, settings.busy_timeout)?;
        copy_aside(target, aside, settings)?;
        if enter(incoming, live, &watch, target, settings)? {
            return Ok(());
        }
        fsx::remove_file(aside)?;
    }
    Err(Error::busy(format!("{} is written to without a pause", target.display()))
        .hint("stop the application for the restore; nothing was changed"))
}

/// Writes the content of `incoming` into the live database. False, and nothing done, where somebody has committed since
/// `watch` began.
fn enter(incoming: &Path, mut live: Connection, watch: &Watch, target: &Path, settings: &Settings) -> Result<bool> {
    let source = open::source(incoming)?;
    let_go(&live, target)?;
    if !copy_if(&source, &mut live, target, settings.busy_timeout, || watch.is_unchanged())? {
        return Ok(false);
    }
    // In WAL mode the whole database now stands in the log once more; where a reader holds it up, its next writer folds it in.
    let _ = live.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
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

/// Moves whatever lies at a place that holds no usable database, with its companions, out of the way. False where there
/// was no database file, at most the companions of one that is gone.
fn set_aside(target: &Path, aside: &Path) -> Result<bool> {
    let endings = std::iter::once("").chain(COMPANIONS);
    let present: Vec<&str> = endings.filter(|ending| with_ending(target, ending).symlink_metadata().is_ok()).collect();
    if present.is_empty() {
        return Ok(false);
    }
    if let Some(holder) = who_has_open(target) {
        return Err(Error::busy(format!("{} is damaged, and process {holder} still has it open", target.display()))
            .hint("stop that program first; nothing was changed"));
    }
    // The companions first: a log that outlives its database would be played into the new one.
    for ending in present.iter().rev() {
        if let Err(error) = fsx::rename_new(&with_ending(target, ending), &with_ending(aside, ending)) {
            put_back(target, aside);
            return Err(error);
        }
    }
    Ok(present.contains(&""))
}

/// Undoes [`set_aside`] after an error, as far as it goes; the error itself is what is told.
fn put_back(target: &Path, aside: &Path) {
    for ending in std::iter::once("").chain(COMPANIONS) {
        let from = with_ending(aside, ending);
        if from.symlink_metadata().is_ok() {
            let _ = fsx::rename_new(&from, &with_ending(target, ending));
        }
    }
}

/// A process that has the file open, where the system lets us see it (Linux: those of our own user, or all for root).
fn who_has_open(path: &Path) -> Option<u32> {
    let own = std::process::id();
    for process in std::fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()).filter(|pid| *pid != own) else { continue };
        let Ok(descriptors) = std::fs::read_dir(process.path().join("fd")) else { continue };
        if descriptors.flatten().any(|descriptor| std::fs::read_link(descriptor.path()).is_ok_and(|link| link == path)) {
            return Some(pid);
        }
    }
    None
}

pub(super) fn undo(target: &Path, kept: &Kept, settings: &Settings, aside_for: impl Fn(&str) -> PathBuf) -> Result<Kept> {
    let new_aside = aside_for(&id::stamp(crate::clock::now())?);
    let Some(old) = kept.aside.as_ref().map(PathBuf::from) else {
        // There was no database before the restore; undoing it takes the restored one away.
        set_aside(target, &new_aside)?;
        return Ok(Kept { aside: Some(new_aside.display().to_string()), ..kept.clone() });
    };
    old.symlink_metadata().on("find", &old)?;
    if is_database(&old)? {
        return put_in_place(&old, target, &new_aside, settings);
    }
    // The old state was no usable database: it goes back as the files it was.
    let had_something = set_aside(target, &new_aside)?;
    for ending in std::iter::once("").chain(COMPANIONS) {
        let from = with_ending(&old, ending);
        if from.symlink_metadata().is_ok() {
            fsx::rename_new(&from, &with_ending(target, ending))?;
        }
    }
    Ok(Kept { aside: had_something.then(|| new_aside.display().to_string()), ..kept.clone() })
}

pub(super) fn discard(target: &Path, kept: &Kept) -> Result<()> {
    let Some(aside) = kept.aside.as_ref().map(PathBuf::from) else { return Ok(()) };
    if !is_ours(target, &aside, "before") {
        return Err(Error::refused(format!("{} is no database that a restore kept aside", aside.display())));
    }
    for ending in std::iter::once("").chain(COMPANIONS) {
        let path = with_ending(&aside, ending);
        if path.symlink_metadata().is_ok() {
            fsx::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Removes the unfinished files that a killed restore left beside the target. Every one carries an id in its name.
pub(super) fn recover(target: &Path) -> Result<Vec<String>> {
    let Some(folder) = target.parent().filter(|folder| folder.is_dir()) else { return Ok(Vec::new()) };
    let mut done = Vec::new();
    for entry in std::fs::read_dir(folder).on("list", folder)? {
        let path = entry.on("list", folder)?.path();
        let text = path.display().to_string();
        let unfinished = text.strip_suffix(".part").is_some_and(|whole| is_ours(target, Path::new(whole), "before"))
            || COMPANIONS
                .iter()
                .map(|ending| text.strip_suffix(ending).unwrap_or(&text))
                .any(|base| is_ours(target, Path::new(base), "restore"));
        if unfinished {
            fsx::remove_file(&path)?;
            done.push(format!("removed {text}, which an interrupted restore left"));
        }
    }
    Ok(done)
}

/// Whether `path` is `TARGET.WHAT-ID` with a true id.
fn is_ours(target: &Path, path: &Path, what: &str) -> bool {
    let (Some(target_name), Some(name)) =
        (target.file_name().and_then(|name| name.to_str()), path.file_name().and_then(|name| name.to_str()))
    else {
        return false;
    };
    path.parent() == target.parent()
        && name.strip_prefix(target_name).and_then(|rest| rest.strip_prefix(&format!(".{what}-"))).is_some_and(id::is_id)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    PathBuf::from(path)
}
