//! What there is in a store.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::backup::Backup;
use crate::clock;
use crate::error::{Error, OnPath, Result};
use crate::id;
use crate::parallel;
use crate::store::{ARCHIVES, MIGRATIONS, Store};

/// As many folders are opened at once at most by who goes through them from the newest on.
const BATCH_MAX: usize = 4096;

/// One folder of the store that a backup's name stands on.
#[derive(Debug)]
pub struct Entry {
    /// Its path.
    pub folder: PathBuf,
    /// Its name, which has the form of an id.
    pub name: String,
    /// The backup, or why it cannot be read as one.
    pub backup: Result<Backup>,
}

/// The backups of one environment, or of the whole store.
#[derive(Debug, Default)]
pub struct Catalog {
    /// Everything with a backup's name, the oldest first; damaged ones by the time in their name.
    pub entries: Vec<Entry>,
    /// What lies among the backups and is none.
    pub foreign: Vec<PathBuf>,
}

/// A name carries whole seconds, a manifest parts of them.
pub const ONE_SECOND: chrono::TimeDelta = chrono::TimeDelta::seconds(1);

/// A folder with a backup's name, not opened yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Its name, which has the form of an id.
    pub name: String,
    /// The folder of the store that it is in: its name and its path, once for all that are in it.
    place: Arc<(String, PathBuf)>,
}

impl Folder {
    /// Its path.
    pub fn path(&self) -> PathBuf {
        self.place.1.join(&self.name)
    }

    /// The folder of the store that it is in.
    pub fn place(&self) -> &str {
        &self.place.0
    }

    /// Opens it; none where it has just been removed or moved.
    pub fn open(&self) -> Option<Result<Backup>> {
        let path = self.path();
        let backup = Backup::open(&path).and_then(|backup| in_its_place(backup, self.place()));
        (backup.is_ok() || path.symlink_metadata().is_ok()).then_some(backup)
    }

    /// The time in its name.
    pub fn second(&self) -> &str {
        self.name.split('-').next().unwrap_or_default()
    }

    /// Whether it is in a folder that backups of several environments share.
    pub fn is_among_others(&self) -> bool {
        self.place() == MIGRATIONS || self.place() == ARCHIVES
    }
}

/// The folders in which backups of `environment` may be, or of all, in no order; nothing is opened. With what lies among them and
/// is none.
pub fn folders(store: &Store, environment: Option<&str>) -> Result<(Vec<Folder>, Vec<PathBuf>)> {
    let places = match environment {
        None => store.places()?,
        Some(name) => vec![name.to_owned(), MIGRATIONS.to_owned(), ARCHIVES.to_owned()],
    };
    let (mut folders, mut foreign) = (Vec::new(), Vec::new());
    for place in places {
        let path = store.folder(&place);
        let listing = match std::fs::read_dir(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            other => other.on("list", &path)?,
        };
        let place = Arc::new((place, path));
        let path = &place.1;
        for entry in listing {
            let entry = entry.on("list", path)?;
            let is_folder = entry.file_type().on("look at", path)?.is_dir();
            match entry.file_name().into_string() {
                Ok(name) if is_folder && id::is_id(&name) => folders.push(Folder { name, place: Arc::clone(&place) }),
                _ => foreign.push(entry.path()),
            }
        }
    }
    Ok((folders, foreign))
}

/// The backups of `environment`, or of all, that were not made after `until`, the newest first, each opened when it is asked for:
/// the names begin with the time. What cannot be opened is passed over.
pub fn newest_first(
    store: &Store,
    environment: Option<&str>,
    until: Option<DateTime<Utc>>,
) -> Result<impl Iterator<Item = Backup> + use<>> {
    let (mut folders, _) = folders(store, environment)?;
    if let Some(until) = until.map(clock::compact) {
        folders.retain(|folder| folder.second() <= until.as_str());
    }
    folders.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let only = environment.map(str::to_owned);
    let mut opened: Vec<Backup> = Vec::new();
    // Mostly the first one is meant; who looks further looks far.
    let mut count = 1;
    Ok(std::iter::from_fn(move || {
        while opened.is_empty() {
            // Those of one second are told apart by their manifests, so none of them is left for later.
            let first = folders.get(folders.len().saturating_sub(count))?.second();
            let begin = folders.partition_point(|folder| folder.second() < first);
            let batch: Vec<Folder> = folders.drain(begin..).collect();
            let is_meant = |backup: &Backup| {
                let manifest = backup.manifest();
                only.as_ref().is_none_or(|only| &manifest.environment == only) && until.is_none_or(|until| manifest.created_at <= until)
            };
            let found = parallel::map(&batch, |folder| folder.open()?.ok().filter(is_meant));
            opened = found.into_iter().flatten().collect();
            opened.sort_by_key(|backup| (backup.manifest().created_at, backup.id().to_owned()));
            // One that is moved at this moment is met twice.
            opened.dedup_by(|a, b| a.id() == b.id());
            count = (count * 2).min(BATCH_MAX);
        }
        opened.pop()
    }))
}

impl Catalog {
    /// Reads every backup of `environment`, or of all. Only manifests are opened.
    pub fn read(store: &Store, environment: Option<&str>) -> Result<Self> {
        let (folders, foreign) = folders(store, environment)?;
        let opened = parallel::map(&folders, Folder::open);
        let mut catalog = Catalog { entries: Vec::with_capacity(folders.len()), foreign };
        for (folder, backup) in folders.into_iter().zip(opened) {
            // Where there is none, retention of another run has just removed it.
            let Some(backup) = backup else { continue };
            let is_others = environment.filter(|_| folder.is_among_others()).is_some_and(|only| match &backup {
                Ok(backup) => backup.manifest().environment != only,
                Err(_) => id::environment_in(&folder.name) != Some(only),
            });
            if !is_others {
                catalog.entries.push(Entry { folder: folder.path(), name: folder.name, backup });
            }
        }
        catalog.drop_moved();
        catalog.entries.sort_by_cached_key(Entry::sort_key);
        Ok(catalog)
    }

    /// A backup that was moved into the archives while this was reading has been met twice.
    fn drop_moved(&mut self) {
        let is_archived = |entry: &Entry| entry.folder.parent().is_some_and(|place| place.ends_with(ARCHIVES));
        let archived: BTreeSet<String> = self.entries.iter().filter(|entry| is_archived(entry)).map(|entry| entry.name.clone()).collect();
        self.entries.retain(|entry| is_archived(entry) || !archived.contains(&entry.name) || entry.folder.symlink_metadata().is_ok());
    }

    /// The whole ones, the oldest first.
    pub fn backups(&self) -> impl DoubleEndedIterator<Item = &Backup> {
        self.entries.iter().filter_map(|entry| entry.backup.as_ref().ok())
    }

    /// The newest whole backup that fits.
    pub fn newest(&self, fits: impl Fn(&Backup) -> bool) -> Option<&Backup> {
        self.backups().rev().find(|backup| fits(backup))
    }

    /// The one entry whose name begins with `prefix`; an error that names the choices where there are several.
    pub fn by_prefix(&self, prefix: &str) -> Result<&Entry> {
        let mut found = self.entries.iter().filter(|entry| entry.name.starts_with(prefix));
        match (found.next(), found.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(Error::bad(format!("there is no backup {prefix:?}")).hint("restore-db --list shows what there is")),
            (Some(exact), Some(_)) if exact.name == prefix => Ok(exact),
            (Some(first), Some(second)) => {
                Err(Error::usage(format!("{prefix:?} is the beginning of several backups: {}, {}, …", first.name, second.name))
                    .hint("write more of the id"))
            }
        }
    }
}

impl Entry {
    /// The time of the run as far as it is known.
    fn sort_key(&self) -> (DateTime<Utc>, String) {
        let time = match &self.backup {
            Ok(backup) => backup.manifest().created_at,
            Err(_) => time_in(&self.name).unwrap_or_default(),
        };
        (time, self.name.clone())
    }
}

/// A backup of one environment in the folder of another would be taken for one of that other's.
fn in_its_place(backup: Backup, place: &str) -> Result<Backup> {
    let own = &backup.manifest().environment;
    if place == MIGRATIONS || place == ARCHIVES || place == own {
        return Ok(backup);
    }
    Err(Error::bad(format!("{} is a backup of {own} in the folder of {place}", backup.id())).hint("move it back"))
}

/// Whether what lies in a folder may be an increment, as far as its files' names say; one whose files cannot be listed may be.
pub fn may_be_increment(folder: &Path) -> bool {
    let Ok(listing) = std::fs::read_dir(folder) else { return true };
    let is_of_increment = |name: &str| name.contains(".delta") || name.contains(crate::store::RECOVER);
    listing.flatten().any(|file| is_of_increment(&file.file_name().to_string_lossy()))
}

/// Whether what lies there and cannot be read may need a backup that was made at that time: one that cannot be read may be an increment,
/// of any that is older.
pub fn may_need(name: &str, folder: &Path, made_at: DateTime<Utc>) -> bool {
    time_in(name).is_none_or(|time| made_at <= time + ONE_SECOND) && may_be_increment(folder)
}

/// Whether a backup of this id is in the store, in whichever of its folders.
pub fn holds(store: &Store, backup_id: &str) -> Result<bool> {
    Ok(store.places()?.iter().any(|place| store.folder(place).join(backup_id).symlink_metadata().is_ok()))
}

/// The time that a backup's name carries.
pub fn time_in(name: &str) -> Option<DateTime<Utc>> {
    let text = name.split_once('-')?.0;
    chrono::NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ").ok().map(|time| time.and_utc())
}
