//! Old backups moved into `archives`: a plan first, then one rename a backup.
//!
//! A chain moves as a whole, and only when all of it is old. Between two renames of a run that is killed, part of it is there
//! and part is not: every reader looks in both places, and the next run moves the rest.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::prune;
use crate::backup::Backup;
use crate::catalog::Catalog;
use crate::chain::Chains;
use crate::clock;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::fsx;
use crate::interrupt;
use crate::journal;
use crate::lock::Held;
use crate::store::{ARCHIVES, Store};

/// What is moved and what stays, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// One line a backup that is not in the archives yet.
    pub lines: Vec<Line>,
}

/// What becomes of one backup, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Its id.
    pub id: String,
    /// Whether it is moved.
    pub is_moved: bool,
    /// Why.
    pub reason: String,
    /// Its stored bytes.
    pub bytes: u64,
}

impl Plan {
    /// What is moved.
    pub fn moves(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.is_moved)
    }

    /// One line a backup.
    pub fn lines(&self) -> Vec<String> {
        let verdict = |line: &Line| if line.is_moved { "archive" } else { "stay   " };
        self.lines.iter().map(|line| format!("{} {}  {}", verdict(line), line.id, line.reason)).collect()
    }
}

/// What the decision depends on.
struct Member<'a> {
    backup: &'a Backup,
    /// Why it must stay where it is, whatever its age.
    held: Option<String>,
}

/// Plans the move of everything older than so many days. The newest few backups of each kind and of the same things stay: as many as
/// `keep_min`, or `min_verified` where that is more.
pub fn plan(environment: &Environment, store: &Store, catalog: &Catalog, after_days: u32) -> Result<Plan> {
    let journal = journal::Entry::all_backups(store.state())?;
    let recent = recent(catalog, environment.retention.keep_min.unwrap_or(0).max(environment.min_verified));
    let mut members: BTreeMap<&str, Member<'_>> = BTreeMap::new();
    for backup in catalog.backups() {
        let held = if is_archived(backup) {
            None
        } else if journal.contains(backup.id()) {
            Some("an interrupted run would go back to it".to_owned())
        } else if !prune::is_ours(store, backup)? {
            Some("not ours to move".to_owned())
        } else {
            None
        };
        members.insert(backup.id(), Member { backup, held });
    }
    let chains = Chains::among(members.values().map(|member| member.backup));
    let now = clock::now();
    let mut lines = Vec::new();
    for chain in chains.whole(members.keys().copied()) {
        let verdict = judge(&chain, &members, &recent, after_days, now);
        let waiting = chain.iter().map(|id| members[id].backup).filter(|backup| !is_archived(backup));
        lines.extend(waiting.map(|backup| Line {
            id: backup.id().to_owned(),
            is_moved: verdict.is_ok(),
            reason: verdict.clone().unwrap_or_else(|why| why),
            bytes: backup.manifest().stored_bytes(),
        }));
    }
    lines.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Plan { lines })
}

/// Why a chain is moved, or why it stays.
fn judge(
    chain: &[&str],
    members: &BTreeMap<&str, Member<'_>>,
    recent: &BTreeSet<&str>,
    after_days: u32,
    now: DateTime<Utc>,
) -> Result<String, String> {
    if let Some((id, why)) = chain.iter().find_map(|id| Some((id, members[id].held.as_ref()?))) {
        return Err(if chain.len() == 1 { why.clone() } else { format!("{why} ({id})") });
    }
    let newest = chain.iter().map(|id| members[id].backup.manifest().created_at).max().unwrap_or(now);
    if now - newest < TimeDelta::days(i64::from(after_days)) {
        return Err(match chain.len() {
            1 => format!("younger than {after_days} days"),
            _ => format!("its chain has a backup younger than {after_days} days"),
        });
    }
    // A move that was cut off is brought to its end.
    let is_begun = chain.iter().any(|id| is_archived(members[id].backup));
    if !is_begun && chain.iter().any(|id| recent.contains(id)) {
        return Err(if chain.len() == 1 { "one of the newest" } else { "its chain has one of the newest" }.to_owned());
    }
    let days = (now - newest).num_days();
    Ok(if chain.len() == 1 { format!("{days} days old") } else { format!("the youngest of its chain is {days} days old") })
}

/// The newest backups of each kind and of the same things.
fn recent(catalog: &Catalog, count: u32) -> BTreeSet<&str> {
    let mut seen: BTreeMap<(String, String), u32> = BTreeMap::new();
    let mut recent = BTreeSet::new();
    for backup in catalog.backups().rev() {
        let manifest = backup.manifest();
        let seen = seen.entry((manifest.kind.to_string(), manifest.content())).or_default();
        if *seen < count {
            *seen += 1;
            recent.insert(backup.id());
        }
    }
    recent
}

fn is_archived(backup: &Backup) -> bool {
    backup.folder().parent().and_then(|place| place.file_name()).is_some_and(|place| place == ARCHIVES)
}

/// Moves what a plan says, and says how many that were. It was made of this catalog, which was read while the environment was held.
pub fn run(store: &Store, held: &Held, catalog: &Catalog, plan: &Plan) -> Result<usize> {
    let archives = store.folder(ARCHIVES);
    store.require_real(&archives)?;
    let moved: BTreeSet<&str> = plan.moves().map(|line| line.id.as_str()).collect();
    let mut count = 0;
    for backup in catalog.backups().filter(|backup| moved.contains(backup.id())) {
        if backup.manifest().environment != held.environment() {
            return Err(Error::refused(format!("{} is held, and not {}", held.environment(), backup.manifest().environment)));
        }
        interrupt::check()?;
        fsx::create_private_dirs(&archives)?;
        fsx::rename_new(backup.folder(), &archives.join(backup.id()))
            .map_err(|error| error.hint("every backup is whole where it is now; run this again when the cause is gone"))?;
        count += 1;
    }
    Ok(count)
}

/// What retention does at its end: moves by `archive_after_days`, where that is set.
pub(super) fn after_retention(environment: &Environment, store: &Store, held: &Held) -> Result<usize> {
    let Some(days) = environment.retention.archive_after_days else { return Ok(0) };
    let catalog = Catalog::read(store, Some(held.environment()))?;
    run(store, held, &catalog, &plan(environment, store, &catalog, days)?)
}
