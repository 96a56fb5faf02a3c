//! Bringing a loaded database to its real place, and back.
//!
//! A file that programs may have open is never renamed over: a stale `-wal` would bring the old rows back. The new
//! content enters through SQLite itself, as one transaction of the backup API: all old or all new under any kill, while
//! readers go on. Only where there is no database is the new file renamed into place.

use std::path::{Path, PathBuf};

use super::exchange::exchange;
use super::load::{File, MAGIC};
use super::open;
use crate::engine::{Beside, Content, Kept, Left, Loaded, Settings, Workspace};
use crate::error::{Error, OnPath, Result};
use crate::fsx;
use crate::id;
use crate::manifest::EngineName;

/// Endings of the files that belong to a database file.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// A loaded file beside the real database.
pub(super) struct Incoming {
    file: File,
    target: PathBuf,
    aside: PathBuf,
    mode: Option<u32>,
}

impl Incoming {
    /// `mode` is what the file at `target` had when it was backed up, where that is known.
    pub(super) fn new(file: File, target: PathBuf, aside: PathBuf, mode: Option<u32>) -> Self {
        Incoming { file, target, aside, mode }
    }
}

impl Workspace for Incoming {
    fn load(&mut self, content: Content, plain: &mut dyn std::io::Read) -> Result<()> {
        self.file.load(content, plain)
    }

    fn loaded(&self) -> &dyn Loaded {
        &self.file
    }

    fn keep(self: Box<Self>) -> Result<Left> {
        Err(Error::failed("a database that is being restored cannot be left behind"))
    }
}

impl Beside for Incoming {
    fn swap(self: Box<Self>) -> Result<Kept> {
        put_in_place(self.file.path(), &self.target, &self.aside, self.mode, self.file.settings())
    }
}

/// Makes the database at `incoming` the one at `target`; what was there is kept at `aside`. Where there was no file whose
/// mode it could take, it gets `mode`.
pub(super) fn put_in_place(incoming: &Path, target: &Path, aside: &Path, mode: Option<u32>, settings: &Settings) -> Result<Kept> {
    if is_database(target)? {
        return exchange(incoming, target, aside, settings).map(|()| kept(target, Some(aside)));
    }
    let had_something = set_aside(target, aside)?;
    let looks = if aside.is_file() { look_like(incoming, aside) } else { look_at_home(incoming, target, mode) };
    if let Err(error) = looks.and_then(|()| fsx::rename_new(incoming, target)) {
        put_back(target, aside);
        return Err(error);
    }
    Ok(kept(target, had_something.then_some(aside)))
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

/// Gives a new file the owner of the folder, which is whoever uses a database there: SQLite must write in the folder too.
fn look_at_home(incoming: &Path, target: &Path, mode: Option<u32>) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let folder = target.parent().unwrap_or(Path::new("/"));
    let found = folder.metadata().on("look at", folder)?;
    let _ = std::os::unix::fs::chown(incoming, Some(found.uid()), Some(found.gid()));
    // Nothing makes a database executable.
    mode.map_or(Ok(()), |mode| fsx::set_mode(incoming, mode & 0o666))
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

/// Which files of a database there are: itself and its companions, or at least one of them.
fn present_at(path: &Path) -> Vec<&'static str> {
    std::iter::once("").chain(COMPANIONS).filter(|ending| with_ending(path, ending).symlink_metadata().is_ok()).collect()
}

pub(super) fn is_anything_at(path: &Path) -> bool {
    !present_at(path).is_empty()
}

/// Moves whatever lies at a place that holds no usable database, with its companions, out of the way: the log of a database
/// that is gone may hold its last rows. False where there was nothing.
fn set_aside(target: &Path, aside: &Path) -> Result<bool> {
    let present = present_at(target);
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
    Ok(true)
}

/// Undoes [`set_aside`] after an error, as far as it goes; the error itself is what is told.
fn put_back(target: &Path, aside: &Path) {
    for ending in present_at(aside) {
        let _ = fsx::rename_new(&with_ending(aside, ending), &with_ending(target, ending));
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

/// What a swap at `target` keeps, and where.
pub(super) fn would_keep(target: &Path, aside: &Path) -> Kept {
    kept(target, is_anything_at(target).then_some(aside))
}

pub(super) fn undo(target: &Path, kept: &Kept, settings: &Settings, new_aside: &Path) -> Result<Kept> {
    let Some(old) = kept.aside.as_ref().map(PathBuf::from) else {
        // There was no database before the restore; undoing it takes the restored one away.
        set_aside(target, new_aside)?;
        return Ok(Kept { aside: Some(new_aside.display().to_string()), ..kept.clone() });
    };
    if !is_anything_at(&old) {
        old.symlink_metadata().on("find", &old)?;
    }
    if is_database(&old)? {
        return put_in_place(&old, target, new_aside, None, settings);
    }
    // The old state was no usable database: it goes back as the files it was.
    let had_something = set_aside(target, new_aside)?;
    for ending in present_at(&old) {
        fsx::rename_new(&with_ending(&old, ending), &with_ending(target, ending))?;
    }
    Ok(Kept { aside: had_something.then(|| new_aside.display().to_string()), ..kept.clone() })
}

pub(super) fn discard(target: &Path, kept: &Kept) -> Result<()> {
    let Some(aside) = kept.aside.as_ref().map(PathBuf::from) else { return Ok(()) };
    if !is_ours(target, &aside, "before") {
        return Err(Error::refused(format!("{} is no database that a restore kept aside", aside.display())));
    }
    present_at(&aside).into_iter().try_for_each(|ending| fsx::remove_file(&with_ending(&aside, ending)))
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

/// The path of a database's companion, or of an unfinished copy.
pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    PathBuf::from(path)
}
