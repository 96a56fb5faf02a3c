//! What there is in a store, one line a backup: what its manifest says, what checks found since, and what people say of it.
//!
//! A listing is for looking and choosing. Whoever restores or removes opens the backup itself.

mod cache;
mod facts;
mod packed;
mod stats;

use cache::Cache;
pub use facts::{Facts, Known, Made, of_catalog, remembered};
pub use stats::{Growth, Restored, Saved, Stats, stats};

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, Serializer};

use crate::backup::Backup;
use crate::catalog::{self, Folder};
use crate::checks::{self, Check};
use crate::clock;
use crate::error::Result;
use crate::fingerprint::Fingerprint;
use crate::id;
use crate::labels::{self, Labels, Pin};
use crate::manifest::{Kind, Level, Manifest, Type};
use crate::store::Store;

/// One backup as a listing shows it. Of one that cannot be read, only the name is known, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    /// Its id; the folder's name.
    pub id: String,
    /// The folder of the store that it is in: an environment's, `migrations` or `archives`.
    pub place: String,
    /// The environment it was taken from.
    pub environment: Option<String>,
    /// When its run began.
    #[serde(serialize_with = "time_or_null")]
    pub created_at: Option<DateTime<Utc>>,
    /// Why it was made.
    pub kind: Option<Kind>,
    /// Whether it stands alone.
    #[serde(rename = "type")]
    pub backup_type: Option<Type>,
    /// The backup that it refers to.
    pub parent: Option<String>,
    /// The database's name.
    pub database: Option<String>,
    /// Its size in the store, indexes included.
    pub stored_bytes: Option<u64>,
    /// The size of its content.
    pub plain_bytes: Option<u64>,
    /// Rows of all tables.
    pub rows: Option<u64>,
    /// How long it took to make, in milliseconds.
    pub made_ms: Option<u64>,
    /// The strongest level that it passed, when it was made or since; none where it never did, or is damaged.
    pub verified: Option<Level>,
    /// The last check since it was made.
    pub checked: Option<Checked>,
    /// The last time it restored into a scratch database.
    pub restored: Option<LastRestore>,
    /// Whether it cannot be read, or a check found it bad and none has cleared it since.
    pub is_damaged: bool,
    /// Its tags.
    pub tags: Vec<String>,
    /// The pin, where it has one.
    pub pin: Option<Pin>,
    /// The user's words.
    pub reason: Option<String>,
    /// What is wrong with it.
    pub problem: Option<String>,
}

/// A check, in short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checked {
    /// When.
    #[serde(with = "clock::rfc3339_millis")]
    pub at: DateTime<Utc>,
    /// The level that it passed, or that found something wrong.
    pub level: Level,
    /// Whether it passed.
    pub passed: bool,
}

/// A restore into a scratch database that was compared and found equal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastRestore {
    /// When.
    #[serde(with = "clock::rfc3339_millis")]
    pub at: DateTime<Utc>,
    /// How long the load took, in milliseconds.
    pub restore_ms: u64,
}

/// Which backups are meant; each field that is set must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this kind.
    pub kind: Option<Kind>,
    /// Of this type.
    pub backup_type: Option<Type>,
    /// With each of these tags.
    pub tags: Vec<String>,
    /// Not made before.
    pub since: Option<DateTime<Utc>>,
    /// Not made after.
    pub until: Option<DateTime<Utc>>,
    /// Known to be good at this level or a stronger one.
    pub verified: Option<Level>,
    /// Damaged, unreadable, or never verified.
    pub bad: bool,
    /// With a pin.
    pub pinned: bool,
}

impl Filter {
    /// Whether a backup is meant.
    pub fn fits(&self, listed: &Listed) -> bool {
        self.kind.is_none_or(|kind| listed.kind == Some(kind))
            && self.backup_type.is_none_or(|backup_type| listed.backup_type == Some(backup_type))
            && self.tags.iter().all(|tag| listed.tags.contains(tag))
            && self.since.is_none_or(|since| listed.created_at.is_some_and(|at| at >= since))
            && self.until.is_none_or(|until| listed.created_at.is_some_and(|at| at <= until))
            && self.verified.is_none_or(|level| listed.verified.is_some_and(|verified| verified >= level))
            && (!self.bad || listed.verified.is_none())
            && (!self.pinned || listed.pin.is_some())
    }
}

/// Lists the backups of `environment`, or of the whole store, the oldest first.
pub fn read(store: &Store, environment: Option<&str>) -> Result<Vec<Listed>> {
    let (folders, _) = catalog::folders(store, environment)?;
    let cache = Cache::open(store, &folders);
    let mut listing: Vec<Listed> = cache.get_all(&folders, Cache::listed, |seen| seen.listed)?.into_iter().flatten().collect();
    listing.retain(|listed| {
        environment.is_none_or(|only| listed.environment.as_deref().is_none_or(|own| own == only || listed.place == only))
    });
    let mut listing = sorted(listing, |listed| (listed.created_at, listed.id.as_str()));
    // What was moved into the archives meanwhile has been met twice.
    let mut seen = HashSet::new();
    let twice: HashSet<String> = listing.iter().filter(|listed| !seen.insert(&listed.id)).map(|listed| listed.id.clone()).collect();
    listing.retain(|listed| !twice.contains(&listed.id) || store.folder(&listed.place).join(&listed.id).symlink_metadata().is_ok());
    Ok(listing)
}

/// The same, sorted: by their keys first, since they are large and many, and each is then moved once.
fn sorted<T, K: Ord>(all: Vec<T>, key: impl for<'a> Fn(&'a T) -> (K, &'a str)) -> Vec<T> {
    let order: Vec<usize> = {
        let mut keys: Vec<((K, &str), usize)> = all.iter().enumerate().map(|(at, one)| (key(one), at)).collect();
        keys.sort_unstable();
        keys.into_iter().map(|(_, at)| at).collect()
    };
    let mut all: Vec<Option<T>> = all.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| all[at].take()).collect()
}

/// What was seen of one backup's folder.
struct Seen {
    listed: Listed,
    /// None where it cannot be read as a backup.
    facts: Option<Facts>,
}

impl Seen {
    /// Opens and reads it; none where it has just been removed.
    fn read(store: &Store, folder: &Folder) -> Option<Result<Self>> {
        Some(match folder.open()? {
            Ok(backup) => of_backup(store, &backup).map(|listed| Seen { listed, facts: Facts::of(store, &backup).ok() }),
            Err(error) => Ok(Seen { listed: unreadable(folder, error.to_string()), facts: None }),
        })
    }
}

/// Lists a backup that has been opened.
pub fn of_backup(store: &Store, backup: &Backup) -> Result<Listed> {
    let manifest = backup.manifest();
    let history = checks::history(store, backup.id())?;
    let Labels { tags, pin } = labels::of(store, backup.id(), &manifest.tags)?;
    let is_damaged = checks::is_damaged(&history);
    let last = history.last();
    let found = history.iter().rfind(|check| !check.passed).and_then(|check| check.findings.first());
    Ok(Listed {
        id: manifest.id.clone(),
        place: place_of(backup.folder()),
        environment: Some(manifest.environment.clone()),
        created_at: Some(manifest.created_at),
        kind: Some(manifest.kind),
        backup_type: Some(manifest.backup_type),
        parent: manifest.parent.clone(),
        database: manifest.database.as_ref().map(|database| database.name.clone()),
        stored_bytes: Some(manifest.stored_bytes()),
        plain_bytes: Some(manifest.components.iter().map(|component| component.plain_bytes).fold(0, u64::saturating_add)),
        rows: manifest.fingerprint.as_ref().map(Fingerprint::total_rows),
        made_ms: made_ms(manifest),
        verified: if is_damaged { None } else { strongest(manifest, &history) },
        checked: last.map(|check| Checked { at: check.at, level: check.level, passed: check.passed }),
        restored: last_restore(manifest, &history),
        is_damaged,
        tags: tags.into_iter().collect(),
        pin,
        reason: manifest.reason.clone(),
        problem: manifest.problems.first().cloned().or_else(|| found.filter(|_| is_damaged).cloned()),
    })
}

/// The stages one after the other; `restore` is a part of `rehearsal`.
fn made_ms(manifest: &Manifest) -> Option<u64> {
    let stages = manifest.durations_ms.iter().filter(|(stage, _)| *stage != "restore");
    (!manifest.durations_ms.is_empty()).then(|| stages.map(|(_, ms)| *ms).fold(0, u64::saturating_add))
}

/// The strongest level that it passed; none for one whose source was corrupt, whatever its bytes pass.
fn strongest(manifest: &Manifest, history: &[Check]) -> Option<Level> {
    let made = manifest.verification.as_ref()?.level;
    history.iter().filter(|check| check.passed).map(|check| check.level).max().max(Some(made))
}

fn last_restore(manifest: &Manifest, history: &[Check]) -> Option<LastRestore> {
    let since = history.iter().rfind(|check| check.passed && check.restore_ms.is_some());
    let since = since.and_then(|check| Some(LastRestore { at: check.at, restore_ms: check.restore_ms? }));
    since.or_else(|| {
        let made = manifest.verification.as_ref().filter(|made| made.level >= Level::Restore)?;
        Some(LastRestore { at: made.at, restore_ms: *manifest.durations_ms.get("restore")? })
    })
}

fn unreadable(folder: &Folder, problem: String) -> Listed {
    let environment =
        if folder.is_among_others() { id::environment_in(&folder.name).map(str::to_owned) } else { Some(folder.place.clone()) };
    Listed {
        id: folder.name.clone(),
        place: folder.place.clone(),
        environment,
        created_at: catalog::time_in(&folder.name),
        kind: None,
        backup_type: None,
        parent: None,
        database: None,
        stored_bytes: None,
        plain_bytes: None,
        rows: None,
        made_ms: None,
        verified: None,
        checked: None,
        restored: None,
        is_damaged: true,
        tags: Vec::new(),
        pin: None,
        reason: None,
        problem: Some(problem),
    }
}

fn place_of(folder: &std::path::Path) -> String {
    let place = folder.parent().and_then(|place| place.file_name());
    place.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn time_or_null<S: Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => clock::rfc3339_millis::serialize(time, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
pub(crate) mod tests;
