//! The store: a plain folder of backups, known by an id of its own, in which a backup appears by one rename.

mod staging;

pub use staging::Staging;

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::clock;
use crate::error::{Error, Kind, OnPath, Result};
use crate::fsx;
use crate::host;
use crate::id;
use crate::lock::Held;
use crate::state_dir::StateDir;

/// The file that says which store a folder is.
pub const MARKER: &str = "holdfast.json";
/// The checksums of a backup's files, in the form `sha256sum -c` reads.
pub const CHECKSUMS: &str = "SHA256SUMS";
/// The instructions that need no Holdfast.
pub const INSTRUCTIONS: &str = "RESTORE.txt";
/// The program in an increment's folder that rebuilds it, for Python and without Holdfast.
pub const RECOVER: &str = "recover.py";
/// Folder of the backups made before migrations, of every environment.
pub const MIGRATIONS: &str = "migrations";
/// Folder of old backups that were moved aside, of every environment.
pub const ARCHIVES: &str = "archives";
/// Folders of the store that are no environment's.
pub const RESERVED: &[&str] = &[MIGRATIONS, ARCHIVES, "checks", "labels", "audit", "logs", "versions"];

const STAGING_PREFIX: &str = ".staging-";
const TRASH_PREFIX: &str = ".trash-";
const SCRATCH_PREFIX: &str = ".scratch-";
/// The mark in a scratch folder.
const SCRATCH_MARK: &str = ".holdfast-scratch";
const CLONE_PREFIX: &str = ".clone-";
/// iCloud does not upload what ends so.
const UNSYNCED_SUFFIX: &str = ".nosync";
const FORMAT: u32 = 1;

/// What `holdfast.json` holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Marker {
    format: u32,
    store_id: String,
    name: String,
    #[serde(with = "clock::rfc3339_millis")]
    created_at: DateTime<Utc>,
}

/// What the local state directory remembers of a path that was a store.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    path: PathBuf,
    store_id: String,
}

/// Whether opening a store may make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Create {
    /// Where this machine has never seen a store at that path.
    FirstUse,
    /// Also where it has: the user said `--new-store`.
    Meant,
    /// Never: the caller only reads.
    Never,
}

/// An open store.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    store_id: String,
    name: String,
    state: StateDir,
}

impl Store {
    /// Whether there is a store at `root`. Fails as [`Store::open`] would where that could create none; nothing is created.
    pub fn is_there(root: &Path, state: &StateDir, create: Create) -> Result<bool> {
        let root = std::path::absolute(root).on("use", root)?;
        let real = fsx::real_path(&root);
        if read_marker(&real)?.is_some() {
            return Ok(true);
        }
        let is_known = Self::remembered(&root, state)?.is_some() || Self::remembered(&real, state)?.is_some();
        if is_known && create == Create::FirstUse {
            return Err(lost(&root, create));
        }
        require_folder_above(&real, create)?;
        Ok(false)
    }

    /// Opens the store at `root`. A path that was a store before and has lost its id (an unmounted disk, a folder that a
    /// sync service emptied) is refused.
    pub fn open(root: &Path, state: &StateDir, create: Create) -> Result<Self> {
        let root = std::path::absolute(root).on("use", root)?;
        let real = fsx::real_path(&root);
        // By both names: a folder that became a link to another store is noticed too.
        let remembered = [Self::remembered(&root, state)?, Self::remembered(&real, state)?];
        let marker = match read_marker(&real)? {
            Some(marker) => marker,
            None if create == Create::Never && remembered.iter().any(Option::is_some) => return Err(lost(&root, create).as_kind(Kind::Bad)),
            None if create == Create::Never => {
                return Err(Error::bad(format!("there is no store at {}", root.display()))
                    .hint("is its disk mounted? backup-db creates a store on its first run"));
            }
            None if remembered.iter().any(Option::is_some) && create == Create::FirstUse => return Err(lost(&root, create)),
            None => create_marker(&real, create)?,
        };
        let is_other = |remembered: &Remembered| remembered.store_id != marker.store_id;
        if remembered.iter().flatten().any(is_other) && create != Create::Meant {
            return Err(Error::refused(format!("{} holds another store than it did before", root.display())).hint(match create {
                Create::Never => "is the right disk mounted?",
                Create::FirstUse | Create::Meant => "is the right disk mounted? if the change was meant, say --new-store once",
            }));
        }
        let real = real.canonicalize().on("find", &real)?;
        for path in [&root, &real] {
            if Self::remembered(path, state)?.is_none_or(|remembered| is_other(&remembered)) {
                let text = serde_json::to_vec(&Remembered { path: path.clone(), store_id: marker.store_id.clone() })
                    .map_err(|error| Error::failed("cannot remember the store").because(error))?;
                fsx::replace_private(&Self::memory_path(path, state)?, &text)?;
            }
        }
        Ok(Store { root: real, store_id: marker.store_id, name: marker.name, state: state.clone() })
    }

    fn memory_path(root: &Path, state: &StateDir) -> Result<PathBuf> {
        let key = fsx::hex(&Sha256::digest(root.as_os_str().as_encoded_bytes())[..16]);
        Ok(state.folder("stores")?.join(format!("{key}.json")))
    }

    fn remembered(root: &Path, state: &StateDir) -> Result<Option<Remembered>> {
        let path = &Self::memory_path(root, state)?;
        match std::fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            other => {
                let bytes = other.on("read", path)?;
                serde_json::from_slice(&bytes).map(Some).map_err(|error| {
                    Error::failed(format!("{} is damaged", path.display()))
                        .because(error)
                        .hint("remove that file and say --new-store once if the store is the right one")
                })
            }
        }
    }

    /// The store's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The store's own id.
    pub fn id(&self) -> &str {
        &self.store_id
    }

    /// The store's name, for a person.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The state directory it was opened with.
    pub fn state(&self) -> &StateDir {
        &self.state
    }

    /// The folder of an environment's backups, or one of [`RESERVED`].
    pub fn folder(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Refuses a folder of backups that is a link: what is behind it is not this store's, and may be anything.
    pub fn require_real(&self, place: &Path) -> Result<()> {
        match place.symlink_metadata() {
            Ok(found) if !found.is_dir() => Err(Error::refused(format!("{} is not a folder of the store", place.display()))
                .hint("put the real folder back; a store as a whole may be reached by a link, its folders may not")),
            _ => Ok(()),
        }
    }

    /// The file that collects every later check of a backup.
    pub fn checks_file(&self, backup_id: &str) -> PathBuf {
        self.root.join("checks").join(format!("{backup_id}.jsonl"))
    }

    /// The file that collects what people say of a backup.
    pub fn labels_file(&self, backup_id: &str) -> PathBuf {
        self.root.join("labels").join(format!("{backup_id}.jsonl"))
    }

    /// Names of the folders that may hold backups: one an environment, `migrations` and `archives`.
    pub fn places(&self) -> Result<Vec<String>> {
        let mut places = Vec::new();
        for entry in std::fs::read_dir(&self.root).on("list", &self.root)? {
            let entry = entry.on("list", &self.root)?;
            let is_folder = entry.file_type().on("look at", &entry.path())?.is_dir();
            if let Some(name) = entry.file_name().to_str().filter(|name| is_folder && is_place(name)) {
                places.push(name.to_owned());
            }
        }
        // The archives last: what is moved there meanwhile is met at least once.
        places.sort_by_key(|name| (name == ARCHIVES, name.clone()));
        Ok(places)
    }

    /// Begins a backup: a private folder that no listing shows. Only the holder of the environment's lock may.
    pub fn stage(&self, held: &Held, backup_id: &str) -> Result<Staging> {
        Staging::create(self, held.environment(), backup_id)
    }

    /// Removes what killed runs of this machine left of the held environment, and names it.
    pub fn sweep(&self, held: &Held) -> Result<Vec<String>> {
        let mut removed = staging::sweep(self, held.environment())?;
        for name in self.strays()? {
            let trash = name
                .strip_prefix(TRASH_PREFIX)
                .and_then(|rest| rest.strip_suffix(UNSYNCED_SUFFIX))
                .filter(|id| belongs_to(id, held.environment()));
            if trash.is_some() || is_dead_scratch(&self.root.join(&name), &name) {
                fsx::remove_tree(&self.root.join(&name))?;
                if let Some(id) = trash {
                    self.forget_sidecars(id)?;
                }
                removed.push(name);
            }
        }
        Ok(removed)
    }

    /// Removes what stands beside a backup that is gone: its checks and its labels.
    pub fn forget_sidecars(&self, backup_id: &str) -> Result<()> {
        for path in [self.checks_file(backup_id), self.labels_file(backup_id)] {
            if path.symlink_metadata().is_ok() {
                fsx::remove_file(&path)?;
            }
        }
        Ok(())
    }

    /// Where a backup goes on its way out: no listing shows it, and the next run removes it should this one be killed.
    pub fn trash_path(&self, backup_id: &str) -> PathBuf {
        self.root.join(format!("{TRASH_PREFIX}{backup_id}{UNSYNCED_SUFFIX}"))
    }

    /// Names of the staging, trash and scratch folders there are: a running backup's, a killed one's, or another machine's.
    pub fn strays(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.root).on("list", &self.root)? {
            let name = entry.on("list", &self.root)?.file_name();
            if let Some(name) = name.to_str()
                && [STAGING_PREFIX, TRASH_PREFIX, SCRATCH_PREFIX].iter().any(|prefix| name.starts_with(prefix))
                && name.ends_with(UNSYNCED_SUFFIX)
            {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }
}

/// Whether a folder's name can be that of an environment, or of the other folders of backups.
fn is_place(name: &str) -> bool {
    let is_environment =
        !RESERVED.contains(&name) && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    name == MIGRATIONS || name == ARCHIVES || is_environment
}

/// Whether an id is one of this environment, and not of another whose name begins with the same words.
fn belongs_to(backup_id: &str, environment: &str) -> bool {
    id::environment_in(backup_id) == Some(environment)
}

/// Whether a scratch folder was made by a process of this machine that has ended. Another machine's, or another container's,
/// is left to it: its process ids say nothing here. So is one that only has such a name, and holds something but no mark.
fn is_dead_scratch(folder: &Path, name: &str) -> bool {
    let own = format!("{SCRATCH_PREFIX}{}-", host_tag());
    let pid = name.strip_prefix(&own).and_then(|rest| rest.split_once('-')).and_then(|(pid, _)| pid.parse().ok());
    let is_marked = folder.join(SCRATCH_MARK).symlink_metadata().is_ok_and(|found| found.is_file());
    let is_empty = || std::fs::read_dir(folder).is_ok_and(|mut listing| listing.next().is_none());
    pid.is_some_and(fsx::is_dead) && (is_marked || is_empty())
}

/// This machine's name as a short part of a file name.
pub(crate) fn host_tag() -> String {
    fsx::sha256_hex(host::name().as_bytes())[..8].to_owned()
}

fn read_marker(root: &Path) -> Result<Option<Marker>> {
    let path = root.join(MARKER);
    let bytes = match std::fs::read(&path) {
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => return Ok(None),
        other => other.on("read", &path)?,
    };
    let marker: Marker = serde_json::from_slice(&bytes).map_err(|error| {
        Error::bad(format!("{} is damaged", path.display())).because(error).hint("restore that file from a copy of the store")
    })?;
    if marker.format > FORMAT {
        return Err(Error::bad(format!("{} has format {}, this version reads up to {FORMAT}", path.display(), marker.format))
            .hint("use a newer version of Holdfast"));
    }
    Ok(Some(marker))
}

fn lost(root: &Path, create: Create) -> Error {
    let meant = "; if an empty store is meant, say --new-store once";
    Error::refused(format!("{} was a store and has no {MARKER} now", root.display()))
        .hint(format!("is its disk mounted, has the sync service fetched it?{}", if create == Create::Never { "" } else { meant }))
}

fn require_folder_above(root: &Path, create: Create) -> Result<()> {
    if root.parent().is_none_or(Path::is_dir) || create == Create::Meant {
        return Ok(());
    }
    Err(Error::failed(format!("cannot create the store {}: the folder above it does not exist", root.display()))
        .hint("is its disk mounted? say --new-store to create every folder of the path"))
}

fn create_marker(root: &Path, create: Create) -> Result<Marker> {
    require_folder_above(root, create)?;
    fsx::create_private_dirs(root)?;
    let marker = Marker {
        format: FORMAT,
        store_id: fsx::random_hex(16)?,
        name: root.file_name().map_or_else(|| "store".to_owned(), |name| name.to_string_lossy().into_owned()),
        created_at: clock::now(),
    };
    let mut text = serde_json::to_vec_pretty(&marker).map_err(|error| Error::failed("cannot write the store's marker").because(error))?;
    text.push(b'\n');
    let path = root.join(MARKER);
    // Written under another name first: half a marker would lock everybody out.
    let beside = root.join(format!("{STAGING_PREFIX}{MARKER}-{}{UNSYNCED_SUFFIX}", fsx::random_hex(4)?));
    fsx::write_private(&beside, &text)?;
    match fsx::rename_new(&beside, &path) {
        Ok(()) => Ok(marker),
        // Another run was faster: its marker counts.
        Err(error) => {
            let _ = std::fs::remove_file(&beside);
            read_marker(root)?.ok_or(error)
        }
    }
}

fn staging_name(backup_id: &str) -> String {
    debug_assert!(id::is_id(backup_id));
    format!("{STAGING_PREFIX}{backup_id}{UNSYNCED_SUFFIX}")
}

/// A new private folder in `parent` for a scratch database, gone with the value. Its name says which machine and which process
/// made it, and a mark in it that it is one: the sweep takes none without both.
pub fn scratch_folder(parent: &Path) -> Result<TempDir> {
    let prefix = format!("{SCRATCH_PREFIX}{}-{}-", host_tag(), std::process::id());
    let folder = fsx::step()
        .and_then(|()| tempfile::Builder::new().prefix(&prefix).suffix(UNSYNCED_SUFFIX).tempdir_in(parent))
        .on("make a scratch folder in", parent)?;
    fsx::set_mode(folder.path(), fsx::FOLDER_MODE)?;
    drop(fsx::create_private_file(&folder.path().join(SCRATCH_MARK))?);
    Ok(folder)
}

/// Name of the folder for a clone that is left behind on purpose: no sweep takes it, and no check complains of it.
pub fn clone_name() -> Result<String> {
    Ok(format!("{CLONE_PREFIX}{}{UNSYNCED_SUFFIX}", id::stamp(clock::now())?))
}

#[cfg(test)]
mod tests;
