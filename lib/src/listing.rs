//! What there is in a store, one line a backup: what its manifest says, what checks found since, and what people say of it.
//!
//! A listing is for looking and choosing. Whoever restores or removes opens the backup itself.

mod cache;
mod facts;
mod packed;
mod stats;
mod verdict;

use cache::{Cache, Hit};
pub use facts::{Facts, Known, Made, of_catalog, remembered};
pub use stats::{Growth, Restored, Saved, Stats, stats};
pub use verdict::{Verdict, with_needs};

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

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
    /// The strongest level that it passed, when it was made or since; none where it never did, or cannot be relied upon.
    pub verified: Option<Level>,
    /// The last check since it was made.
    pub checked: Option<Checked>,
    /// The last time it restored into a scratch database.
    pub restored: Option<LastRestore>,
    /// Whether it cannot be read, or it, or what it needs, is damaged.
    pub is_damaged: bool,
    /// Its tags.
    pub tags: Vec<String>,
    /// The pin, where it has one.
    pub pin: Option<Pin>,
    /// The user's words.
    pub reason: Option<String>,
    /// What is wrong with it.
    pub problem: Option<String>,
    /// How good it is, with all that it needs.
    pub verdict: Verdict,
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

impl Listed {
    /// Whether it cannot be relied upon.
    pub fn is_bad(&self) -> bool {
        self.verified.is_none()
    }

    /// The level that it passed; what it is instead, where it cannot be relied upon.
    pub fn verified_word(&self) -> String {
        match (self.verdict, self.verified) {
            (Verdict::Incomplete, _) => Verdict::Incomplete.to_string(),
            (_, Some(level)) => level.to_string(),
            (_, None) => "NO".to_owned(),
        }
    }

    /// What is known of a backup now that what it needs is known, too.
    fn judged(self, verdict: Verdict, needs: Option<String>) -> Self {
        let has_level = matches!(verdict, Verdict::Verified | Verdict::CloudOnly | Verdict::Unverified);
        Listed {
            verified: self.verified.filter(|_| has_level),
            is_damaged: verdict == Verdict::Damaged,
            problem: self.problem.or(needs),
            verdict,
            ..self
        }
    }
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
            && (!self.bad || listed.is_bad())
            && (!self.pinned || listed.pin.is_some())
    }
}

/// Lists the backups of `environment`, or of the whole store, the oldest first.
pub fn read(store: &Store, environment: Option<&str>) -> Result<Vec<Listed>> {
    let (folders, _) = catalog::folders(store, environment)?;
    let mut memory = Vec::new();
    let cache = Cache::open(store, &folders, &mut memory);
    // Of one that is not as it was, the reason is read anew.
    let known = |cache: &Cache<'_>, hit: &Hit<'_>| {
        let facts = cache.facts(hit).filter(|facts| facts.has_its_sizes || facts.has_placeholder)?;
        Some(Unjudged::of(cache.listed(hit)?, Some(facts)))
    };
    let seen = cache.get_all(&folders, known, |seen| Unjudged::of(seen.listed, seen.facts))?;
    let mut listing = judged(seen.into_iter().flatten().collect());
    listing.retain(|listed| {
        environment.is_none_or(|only| listed.environment.as_deref().is_none_or(|own| own == only || listed.place == only))
    });
    let mut listing = sorted(listing, |listed| (listed.created_at, listed.id.as_str()));
    // What was moved into the archives meanwhile has been met twice.
    let mut seen = HashSet::with_capacity(listing.len());
    let twice: HashSet<String> = listing.iter().filter(|listed| !seen.insert(&listed.id)).map(|listed| listed.id.clone()).collect();
    listing.retain(|listed| !twice.contains(&listed.id) || store.folder(&listed.place).join(&listed.id).symlink_metadata().is_ok());
    Ok(listing)
}

/// A backup by itself, and what it is to be judged by.
struct Unjudged {
    /// In a box: there may be very many, and each goes through many hands.
    listed: Box<Listed>,
    /// Its own verdict, and what it needs; none where it cannot be read as a backup.
    own: Option<(Verdict, BTreeSet<String>)>,
}

impl Unjudged {
    fn of(listed: Listed, facts: Option<Facts>) -> Self {
        Unjudged { listed: Box::new(listed), own: facts.map(|facts| (facts.own_verdict(), facts.needs)) }
    }
}

/// Each by what it needs: that is looked up, and never remembered.
fn judged(seen: Vec<Unjudged>) -> Vec<Listed> {
    let needed: HashSet<&String> = seen.iter().filter_map(|one| one.own.as_ref()).flat_map(|(_, needs)| needs).collect();
    let of_needed: HashMap<String, Verdict> = seen
        .iter()
        .filter(|one| needed.contains(&one.listed.id))
        .filter_map(|one| Some((one.listed.id.clone(), one.own.as_ref()?.0)))
        .collect();
    let judge = |Unjudged { listed, own }: Unjudged| {
        let Some((verdict, needs)) = own else { return *listed };
        let (verdict, needed) = with_needs(verdict, &needs, |id| of_needed.get(id).copied());
        listed.judged(verdict, needed.map(verdict::said))
    };
    seen.into_iter().map(judge).collect()
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
            Ok(backup) => Facts::of(store, &backup).map(|facts| Seen { listed: alone(store, &backup, &facts), facts: Some(facts) }),
            Err(error) => Ok(Seen { listed: unreadable(folder, error.to_string()), facts: None }),
        })
    }
}

/// Lists a backup that has been opened.
pub fn of_backup(store: &Store, backup: &Backup) -> Result<Listed> {
    let facts = Facts::of(store, backup)?;
    let (verdict, needed) = look(store, backup, &facts)?;
    Ok(alone(store, backup, &facts).judged(verdict, needed))
}

/// How good a backup is, with all that it needs; and what is wrong with that.
fn look(store: &Store, backup: &Backup, facts: &Facts) -> Result<(Verdict, Option<String>)> {
    let mut of_needed = BTreeMap::new();
    for needed in facts.needs.iter().filter_map(|id| backup.needed(id)) {
        of_needed.insert(needed.id().to_owned(), Facts::of(store, &needed)?.own_verdict());
    }
    let (verdict, needed) = with_needs(facts.own_verdict(), &facts.needs, |id| of_needed.get(id).copied());
    Ok((verdict, needed.map(verdict::said)))
}

/// Without a look at what it needs.
fn alone(store: &Store, backup: &Backup, facts: &Facts) -> Listed {
    let manifest = backup.manifest();
    let history = checks::history(store, backup.id()).lines;
    let Labels { tags, pin, .. } = labels::of(store, backup.id(), &manifest.tags);
    let last = history.last();
    Listed {
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
        verified: strongest(manifest, &history),
        checked: last.map(|check| Checked { at: check.at, level: check.level, passed: check.passed }),
        restored: last_restore(manifest, &history),
        is_damaged: facts.is_damaged,
        tags: tags.into_iter().collect(),
        pin,
        reason: manifest.reason.clone(),
        problem: problem(manifest, &history, facts),
        verdict: facts.own_verdict(),
    }
}

/// What is wrong with a backup itself; what lacks something names the first of it.
fn problem(manifest: &Manifest, history: &[Check], facts: &Facts) -> Option<String> {
    let found = || history.iter().rfind(|check| !check.passed).and_then(|check| check.findings.first()).filter(|_| facts.is_damaged);
    let size = || (!facts.has_its_sizes && !facts.has_placeholder).then(|| "a file of it is missing, or has not its size".to_owned());
    let away = || facts.has_placeholder.then(|| "some of it is only in the cloud just now".to_owned());
    let unknown = facts.unknown.as_ref();
    unknown.or(manifest.problems.first()).or_else(found).cloned().or_else(away).or_else(size).or_else(|| lacking(manifest))
}

/// What is missing from a backup or torn: the first by its name, and how many there are.
pub fn lacking(manifest: &Manifest) -> Option<String> {
    let first = manifest.incomplete().next()?;
    let more = match manifest.incomplete_count() {
        0 | 1 => String::new(),
        count => format!(", and {} more", count - 1),
    };
    Some(format!("lacks {} ({}){more}", first.path, first.why))
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
        if folder.is_among_others() { id::environment_in(&folder.name).map(str::to_owned) } else { Some(folder.place().to_owned()) };
    Listed {
        id: folder.name.clone(),
        place: folder.place().to_owned(),
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
        verdict: Verdict::Damaged,
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
