//! Versions of single files: every content once, by its hash, and a small record for each version that says what it was.
//!
//! Everything lies in the store's `versions` folder, and `docs/FORMAT.md` specifies it: `objects` has the contents,
//! compressed, each under the SHA-256 of its plain bytes; `index` a record a version, in a folder a file; `tags` a record a
//! tag. All of them are immutable and appear by one rename, so nothing that a sync service does can tear a list: there is
//! none. A record's name ends with the hash of its bytes, and an object's is the hash of its content: every read compares.

mod author;
mod draft;
mod gc;
mod history;
mod name;
mod object;
mod record;
mod restore;
mod save;
mod select;
mod stats;
mod tag;

pub use author::author;
pub use gc::{Keep, Removal, Sweep};
pub use history::{Damaged, History};
pub use name::{Name, Present};
pub use object::Reader;
pub use record::{Record, Version};
pub use restore::{Fate, Plan, Restored, Wanted};
pub use save::{Planned, Request, Saved};
pub use select::Selector;
pub use stats::{Biggest, Stats};
pub use tag::Tag;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Kind, OnPath, Result};
use crate::fsx;
use crate::lock::Held;
use crate::store::Store;

/// The folder in a store, and the name of its lock.
pub const FOLDER: &str = "versions";
/// Contents, by their hash.
const OBJECTS: &str = "objects";
/// Records, by the key of their file.
const INDEX: &str = "index";
/// Tags, by the key of their file.
const TAGS: &str = "tags";
/// The format of records and tags that is written here, and the newest that is read.
const FORMAT: u32 = 1;
/// No record is longer; a longer file is not one of ours, and is not read.
const RECORD_MAX_BYTES: u64 = 1 << 20;
/// What is read and written at a time.
const BUFFER_BYTES: usize = 256 << 10;
/// So many of the versions that need a damaged object are named.
const NEEDING_SHOWN: usize = 5;

/// The versions in a store.
#[derive(Debug, Clone)]
pub struct Versions {
    store: Store,
    root: PathBuf,
}

impl Versions {
    /// The versions in a store. Nothing is made before the first save.
    pub fn of(store: &Store) -> Result<Self> {
        let versions = Versions { store: store.clone(), root: store.folder(FOLDER) };
        for folder in [versions.root.clone(), versions.root.join(OBJECTS), versions.root.join(INDEX), versions.root.join(TAGS)] {
            store.require_real(&folder)?;
        }
        Ok(versions)
    }

    /// Takes the right to change versions, waiting at most `wait`. One at a time on this machine: so a save never meets a
    /// collection of what is not needed, and no two versions have one parent.
    ///
    /// Errors: [`Kind::Busy`] with the holder's name, pid and start.
    pub fn hold(&self, wait: Duration) -> Result<Held> {
        let held = Held::acquire(self.store.state(), self.store.id(), FOLDER, wait)?;
        draft::sweep(&self.root)?;
        Ok(held)
    }

    /// The folder of all of them.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn index(&self, key: &str) -> PathBuf {
        self.root.join(INDEX).join(key)
    }

    fn tags_folder(&self, key: &str) -> PathBuf {
        self.root.join(TAGS).join(key)
    }

    /// Keys of the files that have a folder in the index or among the tags.
    fn keys(&self) -> Result<Vec<String>> {
        let mut keys = Vec::new();
        for folder in [INDEX, TAGS] {
            for name in names(&self.root.join(folder))? {
                keys.extend(name.into_string().ok().filter(|name| name::is_key(name)));
            }
        }
        keys.sort();
        keys.dedup();
        Ok(keys)
    }

    /// The history of every file, sorted by its path. A folder without any record is none.
    pub fn histories(&self) -> Result<Vec<History>> {
        let mut all = Vec::new();
        for key in self.keys()? {
            crate::interrupt::check()?;
            all.push(self.history_of(&key)?);
        }
        all.retain(|history| !history.is_empty());
        all.sort_by_cached_key(|history| history.path());
        Ok(all)
    }

    /// Says of a damaged object which versions need it.
    fn naming_versions(&self, sha256: &str, error: Error) -> Error {
        let Ok(histories) = self.histories() else { return error };
        let needing: Vec<&Version> = Self::by_object(&histories).remove(sha256).unwrap_or_default();
        needed_by(&needing, error)
    }

    /// Whether a version is there still: a collection may have removed it since its record was read.
    fn is_there(&self, version: &Version) -> bool {
        let name = Name::at(version.path.clone());
        self.index(name.key()).join(format!("{}{}", version.id, record::ENDING)).symlink_metadata().is_ok()
    }

    /// The content of a version, compared with its hash once through to the end before the first byte is given.
    pub fn open(&self, version: &Version) -> Result<Reader> {
        let record = &version.record;
        self.require_whole(&record.sha256, record.bytes)?;
        object::open(&self.root, &record.sha256, record.bytes)
    }

    /// Reads an object from start to end, and says what is wrong with it and who needs it. Gives its size in the store.
    fn require_whole(&self, sha256: &str, bytes: u64) -> Result<u64> {
        object::check(&self.root, sha256, bytes).map_err(|error| self.naming_versions(sha256, error))
    }

    /// What is missing of a history: contents that are not there. Their bytes are not read.
    pub fn missing(&self, history: &History) -> Vec<String> {
        let opened = |version: &Version| object::open(&self.root, &version.record.sha256, version.record.bytes);
        let lost = history.versions.iter().filter_map(|version| Some((version, opened(version).err()?)));
        let lost = lost.filter(|(version, _)| self.is_there(version));
        lost.map(|(version, error)| format!("version {} of {}: {error}", version.id, version.path.display())).collect()
    }

    /// Versions by the object they need.
    fn by_object(histories: &[History]) -> BTreeMap<&str, Vec<&Version>> {
        let mut by_object: BTreeMap<&str, Vec<&Version>> = BTreeMap::new();
        for version in histories.iter().flat_map(|history| history.versions.iter()) {
            by_object.entry(&version.record.sha256).or_default().push(version);
        }
        by_object
    }
}

/// The error of a damaged object, with the versions that need it.
fn needed_by(needing: &[&Version], error: Error) -> Error {
    if error.kind() != Kind::Bad || needing.is_empty() {
        return error;
    }
    let shown = needing.iter().take(NEEDING_SHOWN).map(|version| format!("{} of {}", version.id, version.path.display()));
    let mut shown = shown.collect::<Vec<_>>().join(", ");
    if needing.len() > NEEDING_SHOWN {
        shown.push_str(&format!(" and {} more", needing.len() - NEEDING_SHOWN));
    }
    Error::bad(format!("{error}; it is needed by {shown}"))
        .hint("bring that object back from a copy of the store, or save a file that still has this content")
}

/// The names in a folder, sorted; none where it is not there.
fn names(folder: &Path) -> Result<Vec<std::ffi::OsString>> {
    let listing = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.on("list", folder)?,
    };
    let mut names = Vec::new();
    for entry in listing {
        names.push(entry.on("list", folder)?.file_name());
    }
    names.sort();
    Ok(names)
}

/// Reads a small file of ours whole, never through a link; none where it is not there any more.
fn read_small(path: &Path) -> Result<Option<Vec<u8>>> {
    use std::io::Read;
    let file = match path.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Ok(found) if !found.is_file() => return Err(Error::bad(format!("{} is not a file", path.display()))),
        Ok(_) => fsx::open_to_read(path)?,
        Err(error) => return Err(error).on("look at", path),
    };
    let mut bytes = Vec::new();
    file.take(RECORD_MAX_BYTES + 1).read_to_end(&mut bytes).on("read", path)?;
    if bytes.len() as u64 > RECORD_MAX_BYTES {
        return Err(Error::bad(format!("{} is longer than any record", path.display())));
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests;
