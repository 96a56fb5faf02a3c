//! Retention, applied: a plan first, then the removal of what it names and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use super::archive;
use crate::backup::Backup;
use crate::catalog::Catalog;
use crate::chain::Chains;
use crate::checks;
use crate::clock;
use crate::environment::Environment;
use crate::error::{Error, OnPath, Result};
use crate::fsx;
use crate::interrupt;
use crate::journal::Entry;
use crate::known;
use crate::labels;
use crate::lock::Held;
use crate::manifest::Level;
use crate::parallel;
use crate::retention::{self, Candidate, Plan, Policy, Standing};
use crate::store::{CHECKSUMS, Store};

/// What retention did.
#[derive(Debug, Clone, Serialize)]
pub struct Pruned {
    /// The plan, with a reason for every backup.
    pub plan: Plan,
    /// How many backups were removed.
    pub removed: usize,
    /// What they gave back.
    pub freed_bytes: u64,
    /// How many backups were moved into the archives.
    pub archived: usize,
}

/// What a person says where retention is applied by hand.
#[derive(Debug, Clone, Copy, Default)]
pub struct Said {
    /// A mass deletion of exactly so many backups is meant.
    pub confirm_delete: Option<usize>,
    /// The sizes of all backups up to now are as they should be, also where the newest is far smaller than those before.
    pub accept_sizes: bool,
}

/// Plans and applies an environment's retention, then moves what is old into the archives. Called after a successful backup only.
pub fn run(environment: &Environment, store: &Store, held: &Held) -> Result<Pruned> {
    let catalog = Catalog::read(store, Some(held.environment()))?;
    // Where only the archives are spoken of, nothing is removed.
    let plan = if has_rules(environment) { plan(environment, store, &catalog)? } else { Plan::default() };
    let pruned = apply(store, held, &catalog, plan)?;
    let archived = archive::after_retention(environment, store, held)?;
    Ok(Pruned { archived, ..pruned })
}

/// Whether any rule says what to keep.
pub fn has_rules(environment: &Environment) -> bool {
    let mut keys = environment.retention.keys().into_iter();
    keys.any(|(key, value)| value.is_some() && !matches!(key, "keep_min" | "archive_after_days"))
}

/// Removes what a plan says. The plan is of this catalog, which was read while the environment was held.
pub fn apply(store: &Store, held: &Held, catalog: &Catalog, plan: Plan) -> Result<Pruned> {
    let doomed: BTreeSet<String> = plan.removals().map(|line| line.id.clone()).collect();
    if !doomed.is_empty() {
        // Before the first goes: a run that is killed in between must not leave an alarm about backups that disappeared.
        known::forget(store, held.environment(), &doomed)?;
    }
    let mut removed = 0;
    for backup in leaves_first(catalog.backups().filter(|backup| doomed.contains(backup.id()))) {
        interrupt::check()?;
        remove(store, backup)?;
        removed += 1;
    }
    Ok(Pruned { removed, freed_bytes: plan.freed_bytes(), archived: 0, plan })
}

/// The same backups, each before what it needs: a removal that is cut off leaves nothing that cannot be restored.
pub(super) fn leaves_first<'a>(backups: impl Iterator<Item = &'a Backup>) -> Vec<&'a Backup> {
    let backups: BTreeMap<&str, &Backup> = backups.map(|backup| (backup.id(), backup)).collect();
    let chains = Chains::among(backups.values().copied());
    chains.leaves_first(backups.keys().copied()).into_iter().filter_map(|id| backups.get(id).copied()).collect()
}

/// What retention would do.
pub fn plan(environment: &Environment, store: &Store, catalog: &Catalog) -> Result<Plan> {
    retention::plan(&policy(environment), &candidates(store, catalog)?, clock::now())
}

/// As [`plan`], by the word of a person.
pub fn plan_as_said(environment: &Environment, store: &Store, catalog: &Catalog, said: Said) -> Result<Plan> {
    let now = clock::now();
    let policy =
        Policy { confirm_delete: said.confirm_delete, sizes_accepted_until: said.accept_sizes.then_some(now), ..policy(environment) };
    retention::plan(&policy, &candidates(store, catalog)?, now)
}

/// The same to be looked at: a mass deletion is shown, with why it would be refused.
pub fn preview(environment: &Environment, store: &Store, catalog: &Catalog, said: Said) -> Result<(Plan, Option<Error>)> {
    let now = clock::now();
    let policy =
        Policy { confirm_delete: said.confirm_delete, sizes_accepted_until: said.accept_sizes.then_some(now), ..policy(environment) };
    let candidates = candidates(store, catalog)?;
    Ok((retention::preview(&policy, &candidates, now)?, retention::plan(&policy, &candidates, now).err()))
}

fn candidates(store: &Store, catalog: &Catalog) -> Result<Vec<Candidate>> {
    let held = Entry::all_backups(store.state())?;
    let owners = owners(catalog);
    let backups: Vec<&Backup> = catalog.backups().collect();
    // Each is looked at once, also where many others need it.
    let own: Vec<Standing> = parallel::map(&backups, |backup| own_standing(store, backup)).into_iter().collect::<Result<_>>()?;
    let own: BTreeMap<&str, Standing> = backups.iter().map(|backup| backup.id()).zip(own).collect();
    let candidate_of = |backup: &&Backup| {
        let standing = with_needs(store, backup, |id| Ok(own.get(id).copied()))?;
        candidate(store, backup, standing, &held, &owners)
    };
    parallel::map(&backups, |backup| candidate_of(backup)).into_iter().collect()
}

fn policy(environment: &Environment) -> Policy {
    let keys = &environment.retention;
    Policy {
        keep_days: keys.keep_days,
        keep_last: keys.keep_last,
        keep_min: keys.keep_min,
        hourly: keys.hourly,
        daily: keys.daily,
        weekly: keys.weekly,
        monthly: keys.monthly,
        yearly: keys.yearly,
        min_verified: environment.min_verified,
        ..Policy::default()
    }
}

/// A name carries whole seconds, a manifest parts of them.
const ONE_SECOND: chrono::TimeDelta = chrono::TimeDelta::seconds(1);

/// By backup, the increments in which chunks of it are referred to.
fn owners(catalog: &Catalog) -> BTreeMap<&str, Vec<String>> {
    let mut owners: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for backup in catalog.backups() {
        for needed in backup.manifest().needs() {
            owners.entry(needed).or_default().push(backup.id().to_owned());
        }
    }
    // What cannot be read just now may need any that is older: it is left alone, and so is all that it may stand on.
    for entry in catalog.entries.iter().filter(|entry| entry.backup.is_err() && entry.may_be_increment()) {
        for backup in
            catalog.backups().filter(|backup| entry.time_in_name().is_none_or(|time| backup.manifest().created_at <= time + ONE_SECOND))
        {
            owners.entry(backup.id()).or_default().push(entry.name.clone());
        }
    }
    owners
}

/// `held` are the backups to which an interrupted run would go back.
fn candidate(
    store: &Store,
    backup: &Backup,
    standing: Standing,
    held: &BTreeSet<String>,
    owners: &BTreeMap<&str, Vec<String>>,
) -> Result<Candidate> {
    let manifest = backup.manifest();
    let database = manifest.database.as_ref().map_or("", |database| database.name.as_str());
    Ok(Candidate {
        id: manifest.id.clone(),
        group: format!("{} {} {database}", manifest.environment, manifest.kind),
        created_at: manifest.created_at,
        standing,
        kind: manifest.kind,
        pinned: held.contains(backup.id()) || labels::of(store, backup.id(), &[])?.pin.is_some(),
        referred_to_by: owners.get(backup.id()).cloned().unwrap_or_default(),
        stored_bytes: manifest.stored_bytes(),
        plain_bytes: manifest.components.iter().map(|component| component.plain_bytes).sum(),
        deletable: is_ours(store, backup)?,
    })
}

/// How good a backup is known to be: by its manifest, by the last check since, and no better than what it needs. What it needs and is not
/// there may come back, from a sync service's bin or with the rest of a copy: that is no damage.
pub fn standing(store: &Store, backup: &Backup) -> Result<Standing> {
    with_needs(store, backup, |id| backup.needed(id).map(|needed| own_standing(store, &needed)).transpose())
}

/// As [`standing`]; `of` gives the own standing of a backup that is needed, or none where it is not there.
fn with_needs(store: &Store, backup: &Backup, of: impl Fn(&str) -> Result<Option<Standing>>) -> Result<Standing> {
    let own = own_standing(store, backup)?;
    if matches!(own, Standing::Damaged | Standing::Unverified) {
        return Ok(own);
    }
    let mut all = own;
    for id in backup.manifest().needs() {
        match of(id)? {
            Some(Standing::Damaged) => return Ok(Standing::Damaged),
            Some(Standing::Verified) => {}
            Some(_) | None => all = Standing::CloudOnly,
        }
    }
    Ok(all)
}

/// How good a backup's own files are.
fn own_standing(store: &Store, backup: &Backup) -> Result<Standing> {
    if checks::is_damaged(&checks::history(store, backup.id())?) {
        return Ok(Standing::Damaged);
    }
    if has_placeholder(backup.folder())? {
        return Ok(Standing::CloudOnly);
    }
    let expected = backup.manifest().components.iter().all(|component| {
        backup.folder().join(&component.file).symlink_metadata().is_ok_and(|found| found.is_file() && found.len() == component.stored_bytes)
    });
    Ok(match &backup.manifest().verification {
        Some(_) if !expected => Standing::Damaged,
        // What lacks something must never push out what lacks nothing.
        Some(_) if backup.manifest().incomplete_count() > 0 => Standing::Unverified,
        Some(verification) if verification.level >= Level::Structure => Standing::Verified,
        _ => Standing::Unverified,
    })
}

fn has_placeholder(folder: &Path) -> Result<bool> {
    for entry in std::fs::read_dir(folder).on("list", folder)? {
        if crate::sync_state::placeholder_for(&entry.on("list", folder)?.file_name()).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a backup was made for this store, and its folder holds nothing else.
pub(super) fn is_ours(store: &Store, backup: &Backup) -> Result<bool> {
    Ok(backup.manifest().store_id == store.id() && holds_only_its_own(backup)?)
}

/// Whether the folder holds the files of its manifest and no others: a folder with somebody's notes in it stays.
pub(super) fn holds_only_its_own(backup: &Backup) -> Result<bool> {
    let expected = backup.expected_files();
    for entry in std::fs::read_dir(backup.folder()).on("list", backup.folder())? {
        let entry = entry.on("list", backup.folder())?;
        if !expected.iter().any(|name| entry.file_name().to_str() == Some(name)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Removes one backup: first its name, by a rename after which no listing shows it, then its files. A kill in between
/// leaves a folder that the next run removes.
pub(super) fn remove(store: &Store, backup: &Backup) -> Result<()> {
    if !holds_only_its_own(backup)? {
        return Err(Error::refused(format!("{} holds files that are not the backup's", backup.folder().display()))
            .hint("move them away; nothing of it was removed"));
    }
    let trash = store.trash_path(backup.id());
    fsx::rename_new(backup.folder(), &trash)?;
    for name in backup.expected_files().iter().filter(|name| *name != CHECKSUMS) {
        remove_if_there(&trash.join(name))?;
    }
    remove_if_there(&trash.join(CHECKSUMS))?;
    fsx::remove_tree(&trash)?;
    store.forget_sidecars(backup.id())
}

fn remove_if_there(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() { fsx::remove_file(path) } else { Ok(()) }
}
