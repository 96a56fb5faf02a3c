//! What retention must know of a backup. All of it is read off the backup itself, or, for a plan that is only shown, remembered.
//!
//! Whatever a plan removes follows from all backups of an environment together: one that is kept may need one that is not, a small
//! one suspends everything, a good one pushes older ones out. So there is no part of them that a removal would not rely on, and
//! whoever removes something has opened all of them: [`of_catalog`], and never [`remembered`].

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use super::cache::Cache;
use crate::backup::Backup;
use crate::catalog::{self, Catalog, Folder};
use crate::checks;
use crate::error::Result;
use crate::fsx;
use crate::id;
use crate::labels;
use crate::manifest::{Kind, Level, Manifest};
use crate::parallel;
use crate::store::Store;
use crate::sync_state;

/// What is known of one backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Its id.
    pub id: String,
    /// The environment it was taken from.
    pub environment: String,
    /// Why it was made.
    pub kind: Kind,
    /// What it is a backup of: two with the same words are of the same things.
    pub content: String,
    /// When its run began.
    pub created_at: DateTime<Utc>,
    /// Its size in the store, indexes included.
    pub stored_bytes: u64,
    /// The size of its content.
    pub plain_bytes: u64,
    /// How much it holds of each thing.
    pub amounts: Vec<(String, u64)>,
    /// How good it was when it was made.
    pub made: Made,
    /// Whether its environment was protected.
    pub is_protected: bool,
    /// Whether a check found it bad and none has cleared it since.
    pub is_damaged: bool,
    /// Whether a placeholder of a sync service lies in its folder.
    pub has_placeholder: bool,
    /// Whether a person has pinned it.
    pub is_pinned: bool,
    /// Why a check may have found it bad, or a person pinned it, all the same; never remembered.
    pub unknown: Option<String>,
    /// Whether it was made for this store, and its folder holds nothing else.
    pub is_ours: bool,
    /// The files that hold its data, each with its size.
    pub files: Vec<(String, u64)>,
    /// Ids of the backups that it cannot do without.
    pub needs: BTreeSet<String>,
    /// Whether each of the files is there with its size; always looked at, never remembered.
    pub has_its_sizes: bool,
}

/// How good a backup was when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// Of a corrupt source.
    Corrupt,
    /// Something is missing from it.
    Incomplete,
    /// It was checked less thoroughly than by its structure.
    Unproven,
    /// It passed its structure's check, or more.
    Proven,
}

impl Facts {
    /// What is known of a backup that has been opened.
    pub fn of(store: &Store, backup: &Backup) -> Result<Self> {
        let manifest = backup.manifest();
        let history = checks::history(store, backup.id());
        let labels = labels::of(store, backup.id(), &[]);
        let mut facts = Facts {
            id: manifest.id.clone(),
            environment: manifest.environment.clone(),
            kind: manifest.kind,
            content: manifest.content(),
            created_at: manifest.created_at,
            stored_bytes: manifest.stored_bytes(),
            plain_bytes: manifest.components.iter().map(|component| component.plain_bytes).fold(0, u64::saturating_add),
            amounts: manifest.amounts(),
            made: made(manifest),
            is_protected: manifest.protected,
            is_damaged: checks::is_damaged(&history.lines),
            has_placeholder: false,
            is_pinned: labels.pin.is_some(),
            unknown: history.unknown.or(labels.unknown),
            is_ours: manifest.store_id == store.id(),
            files: manifest.components.iter().map(|component| (component.file.clone(), component.stored_bytes)).collect(),
            needs: manifest.needs().into_iter().map(str::to_owned).collect(),
            has_its_sizes: false,
        };
        let expected = backup.expected_files();
        for name in fsx::names_in(backup.folder())? {
            facts.has_placeholder |= sync_state::placeholder_for(&name).is_some();
            facts.is_ours &= expected.iter().any(|expected| name == expected.as_str());
        }
        let size_of =
            |name: &str| backup.folder().join(name).symlink_metadata().ok().filter(|found| found.is_file()).map(|found| found.len());
        facts.has_its_sizes = facts.has_sizes(size_of);
        Ok(facts)
    }

    /// Whether each of its files has its size; `size_of` gives that of a plain file.
    pub(super) fn has_sizes(&self, size_of: impl Fn(&str) -> Option<u64>) -> bool {
        self.files.iter().all(|(name, bytes)| size_of(name) == Some(*bytes))
    }
}

fn made(manifest: &Manifest) -> Made {
    match &manifest.verification {
        None => Made::Corrupt,
        Some(_) if manifest.incomplete_count() > 0 => Made::Incomplete,
        Some(verification) if verification.level >= Level::Structure => Made::Proven,
        Some(_) => Made::Unproven,
    }
}

/// What there is of an environment, as far as retention is concerned.
#[derive(Debug, Default)]
pub struct Known {
    /// What could be read, the oldest first.
    pub backups: Vec<Facts>,
    /// What could not.
    pub unreadable: Vec<Folder>,
}

/// What is known of the backups of an environment that have been opened.
pub fn of_catalog(store: &Store, catalog: &Catalog) -> Result<Vec<Facts>> {
    let backups: Vec<&Backup> = catalog.backups().collect();
    parallel::map(&backups, |backup| Facts::of(store, backup)).into_iter().collect()
}

/// What is known of the backups of an environment without opening those that are known already. For looking only.
pub fn remembered(store: &Store, environment: &str) -> Result<Known> {
    let (folders, _) = catalog::folders(store, Some(environment))?;
    let mut memory = Vec::new();
    let cache = Cache::open(store, &folders, &mut memory);
    // In boxes: there may be very many, and each goes through many hands.
    let answers =
        cache.get_all(&folders, |cache, hit| cache.facts(hit).map(|facts| Some(Box::new(facts))), |seen| seen.facts.map(Box::new))?;
    let mut known = Known::default();
    let mut met: HashMap<&str, &Folder> = HashMap::with_capacity(folders.len());
    for (folder, answer) in folders.iter().zip(answers) {
        let Some(facts) = answer else { continue };
        let of = match &facts {
            Some(facts) => Some(facts.environment.as_str()),
            None => id::environment_in(&folder.name),
        };
        if folder.is_among_others() && of != Some(environment) {
            continue;
        }
        // What was moved into the archives meanwhile has been met twice.
        if met.insert(&folder.name, folder).is_some_and(|first| first.path().symlink_metadata().is_err()) {
            continue;
        }
        match facts {
            Some(facts) => known.backups.push(*facts),
            None => known.unreadable.push(folder.clone()),
        }
    }
    known.backups = super::sorted(known.backups, |facts| (facts.created_at, facts.id.as_str()));
    Ok(known)
}
