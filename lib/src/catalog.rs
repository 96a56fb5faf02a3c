//! What there is in a store.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::backup::Backup;
use crate::error::{Error, OnPath, Result};
use crate::id;
use crate::store::{ARCHIVES, MIGRATIONS, Store};

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

impl Catalog {
    /// Reads every backup of `environment`, or of all. Only manifests are opened.
    pub fn read(store: &Store, environment: Option<&str>) -> Result<Self> {
        let mut catalog = Catalog::default();
        let places = match environment {
            None => store.places()?,
            Some(name) => vec![name.to_owned(), MIGRATIONS.to_owned(), ARCHIVES.to_owned()],
        };
        for place in places {
            let is_shared = place == MIGRATIONS || place == ARCHIVES;
            catalog.read_place(&store.folder(&place), environment.filter(|_| is_shared))?;
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

    fn read_place(&mut self, folder: &Path, only: Option<&str>) -> Result<()> {
        let place = folder.file_name().unwrap_or_default().to_string_lossy();
        let listing = match std::fs::read_dir(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            other => other.on("list", folder)?,
        };
        for entry in listing {
            let entry = entry.on("list", folder)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_folder = entry.file_type().on("look at", &entry.path())?.is_dir();
            if !is_folder || !id::is_id(&name) {
                self.foreign.push(entry.path());
                continue;
            }
            let backup = Backup::open(&entry.path()).and_then(|backup| in_its_place(backup, &place));
            // Retention of another run has just removed it.
            if backup.is_err() && entry.path().symlink_metadata().is_err() {
                continue;
            }
            let is_others = only.is_some_and(|only| match &backup {
                Ok(backup) => backup.manifest().environment != only,
                Err(_) => id::environment_in(&name) != Some(only),
            });
            if !is_others {
                self.entries.push(Entry { folder: entry.path(), name, backup });
            }
        }
        Ok(())
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

    /// The time that the name carries.
    pub fn time_in_name(&self) -> Option<DateTime<Utc>> {
        time_in(&self.name)
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

fn time_in(name: &str) -> Option<DateTime<Utc>> {
    let text = name.split_once('-')?.0;
    chrono::NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ").ok().map(|time| time.and_utc())
}
