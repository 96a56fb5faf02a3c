//! Collecting: older versions where that was asked for, and then the contents that no version needs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::history::History;
use super::record::{self, Version};
use super::{INDEX, OBJECTS, TAGS, Versions, names, object};
use crate::clock;
use crate::error::{Error, OnPath, Result};
use crate::fsx;
use crate::interrupt;
use crate::lock::Held;
use crate::sync_state;

/// A younger object may be one that a save on another machine is about to name.
const YOUNG: Duration = Duration::from_secs(3600);
/// So many of what stands in the way are named.
const SHOWN: usize = 3;

/// Which older versions stay. What neither rule keeps goes, but never the newest version of a file, nor one with a tag.
#[derive(Debug, Clone, Copy, Default)]
pub struct Keep {
    /// So many of each file, the newest ones.
    pub last: Option<u32>,
    /// Those that are not older than so many days.
    pub days: Option<u32>,
}

/// A version that goes.
#[derive(Debug, Clone, Serialize)]
pub struct Removal {
    /// Its id.
    pub id: String,
    /// The file it is of.
    pub file: String,
    /// Why it goes.
    pub reason: String,
    #[serde(skip)]
    path: PathBuf,
}

/// What a collection does, or has done.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Sweep {
    /// The versions that go.
    pub versions: Vec<Removal>,
    /// How many objects go.
    pub objects: u64,
    /// What they take in the store.
    pub freed_bytes: u64,
    /// Objects that no version needs, and that stay since they are younger than an hour.
    pub young_objects: u64,
    /// What lies among the objects and records, and is none of ours: it stays.
    pub foreign: Vec<PathBuf>,
    #[serde(skip)]
    doomed: Vec<PathBuf>,
}

impl Versions {
    /// Says what a collection would remove.
    ///
    /// Errors: a record or a tag cannot be read, so that nobody knows what it needs.
    pub fn plan_gc(&self, keep: Keep) -> Result<Sweep> {
        if keep.last == Some(0) {
            return Err(Error::usage("--keep-last 0 keeps nothing").hint("the newest version of a file always stays: say --keep-last 1"));
        }
        self.require_whole_index()?;
        let histories = self.histories()?;
        refuse_unreadable(&histories)?;
        let now = clock::now();
        let mut sweep = Sweep::default();
        let mut needed = BTreeSet::new();
        for history in &histories {
            for (rank, version) in history.versions.iter().rev().enumerate() {
                match reason(version, rank, keep, now) {
                    None => {
                        needed.insert(version.record.sha256.as_str());
                    }
                    Some(reason) => sweep.versions.push(Removal {
                        id: version.id.clone(),
                        file: version.path.to_string_lossy().into_owned(),
                        reason,
                        path: self.index(&history.key).join(format!("{}{}", version.id, record::ENDING)),
                    }),
                }
            }
            sweep.foreign.extend(history.foreign.iter().cloned());
        }
        for (path, found) in self.objects(&mut sweep.foreign)? {
            let is_needed = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| needed.contains(name));
            if is_needed {
                continue;
            }
            if is_young(&found, now) {
                sweep.young_objects += 1;
                continue;
            }
            sweep.objects += 1;
            sweep.freed_bytes += found.len();
            sweep.doomed.push(path);
        }
        Ok(sweep)
    }

    /// Refuses where a part of the index is only in the cloud, or all of it gone: what is needed is then not known.
    fn require_whole_index(&self) -> Result<()> {
        for folder in [self.root.clone(), self.root.join(INDEX), self.root.join(TAGS)] {
            for name in names(&folder)? {
                if let Some(evicted) = sync_state::placeholder_for(&name) {
                    return Err(Error::bad(format!("{} is only in the cloud", folder.join(evicted).display()))
                        .hint("nothing was removed; let the sync service download it, then say gc again"));
                }
            }
        }
        let has_objects = !names(&self.root.join(OBJECTS))?.is_empty();
        if has_objects && !self.root.join(INDEX).is_dir() {
            return Err(Error::bad(format!("{} holds contents and no {INDEX}, which says who needs them", self.root.display()))
                .hint("nothing was removed; put the folder back from a copy of the store"));
        }
        Ok(())
    }

    /// Removes what the plan names. First the records: after a kill in between there are contents that nobody needs, and no
    /// version without its content.
    pub fn gc(&self, _held: &Held, keep: Keep) -> Result<Sweep> {
        let sweep = self.plan_gc(keep)?;
        let mut folders = BTreeSet::new();
        for version in &sweep.versions {
            interrupt::check()?;
            fsx::remove_file(&version.path)?;
            folders.extend(version.path.parent());
        }
        for folder in folders {
            fsx::sync_dir(folder)?;
        }
        let now = clock::now();
        let mut done = Sweep { objects: 0, freed_bytes: 0, doomed: Vec::new(), ..sweep.clone() };
        for path in &sweep.doomed {
            interrupt::check()?;
            // Looked at once more: another machine may have begun to need it.
            let Ok(found) = path.symlink_metadata() else { continue };
            if is_young(&found, now) {
                done.young_objects += 1;
                continue;
            }
            fsx::remove_file(path)?;
            done.objects += 1;
            done.freed_bytes += found.len();
        }
        Ok(done)
    }

    /// Every object there is; what lies among them and is none goes to `foreign`.
    pub(super) fn objects(&self, foreign: &mut Vec<PathBuf>) -> Result<BTreeMap<PathBuf, std::fs::Metadata>> {
        let mut objects = BTreeMap::new();
        let root = self.root.join(OBJECTS);
        for first in folders(&root, foreign)? {
            for second in folders(&first, foreign)? {
                for name in names(&second)? {
                    interrupt::check()?;
                    let path = second.join(&name);
                    let found = match path.symlink_metadata() {
                        Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                        other => other.on("look at", &path)?,
                    };
                    let is_object = name.to_str().is_some_and(|name| object::is_sha256(name) && object::path_of(&self.root, name) == path);
                    if is_object && found.is_file() {
                        objects.insert(path, found);
                    } else {
                        foreign.push(path);
                    }
                }
            }
        }
        Ok(objects)
    }
}

/// The folders of two hex digits in a folder, links not followed.
fn folders(folder: &Path, foreign: &mut Vec<PathBuf>) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for name in names(folder)? {
        let path = folder.join(&name);
        let is_ours = name.to_str().is_some_and(|name| name.len() == 2 && super::name::is_hex(name));
        if is_ours && path.symlink_metadata().is_ok_and(|found| found.is_dir()) { found.push(path) } else { foreign.push(path) }
    }
    Ok(found)
}

/// Why a version goes; none where it stays. The newest of a file has rank 0.
fn reason(version: &Version, rank: usize, keep: Keep, now: DateTime<Utc>) -> Option<String> {
    let asked = keep.last.is_some() || keep.days.is_some();
    if !asked || rank == 0 || !version.tags.is_empty() {
        return None;
    }
    if keep.last.is_some_and(|last| rank < last as usize) {
        return None;
    }
    let days = now.signed_duration_since(version.record.created_at);
    if keep.days.is_some_and(|most| days <= TimeDelta::days(i64::from(most))) {
        return None;
    }
    let last = keep.last.map(|last| format!("not among the newest {last}"));
    let days = keep.days.map(|_| format!("{} days old", days.num_days()));
    Some([last, days].into_iter().flatten().collect::<Vec<_>>().join(", "))
}

/// Whether an object was written or named less than an hour ago; also one whose time is yet to come.
fn is_young(found: &std::fs::Metadata, now: DateTime<Utc>) -> bool {
    let Ok(at) = found.modified() else { return true };
    SystemTime::from(now).duration_since(at).map_or(true, |age| age < YOUNG)
}

fn refuse_unreadable(histories: &[History]) -> Result<()> {
    let damaged: Vec<String> = histories
        .iter()
        .flat_map(|history| history.damaged.iter())
        .map(|damaged| format!("{} ({})", damaged.path.display(), damaged.why))
        .collect();
    if damaged.is_empty() {
        return Ok(());
    }
    let shown = damaged.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    let more = if damaged.len() > SHOWN { format!(" and {} more", damaged.len() - SHOWN) } else { String::new() };
    Err(Error::bad(format!("nobody knows what these need, so nothing is removed: {shown}{more}"))
        .hint("bring them back from a copy of the store; where there is none, remove them and run it again"))
}
