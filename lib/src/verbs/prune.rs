//! Retention, applied: a plan first, then the removal of what it names and nothing else.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::archive;
use crate::backup::Backup;
use crate::catalog::{self, Catalog};
use crate::chain::Chains;
use crate::clock;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::fsx;
use crate::interrupt;
use crate::journal::Entry;
use crate::known;
use crate::labels;
use crate::listing::{self, Facts, Known};
use crate::lock::Held;
use crate::retention::{self, Candidate, Plan, Policy, Standing, Verdict};
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
    let pruned = match plan_of_nothing(environment, store)? {
        Some(plan) => Pruned { plan, removed: 0, freed_bytes: 0, archived: 0 },
        None => {
            let catalog = Catalog::read(store, Some(held.environment()))?;
            let plan = plan(environment, store, &catalog)?;
            apply(store, held, &catalog, plan)?
        }
    };
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
    let mut plan = plan;
    let mut kept: BTreeMap<String, String> = BTreeMap::new();
    for backup in leaves_first(catalog.backups().filter(|backup| doomed.contains(backup.id()))) {
        interrupt::check()?;
        let stays = match kept.get(backup.id()) {
            Some(why) => Some(why.clone()),
            None => remove_unless_pinned(store, backup)?,
        };
        let Some(why) = stays else {
            removed += 1;
            continue;
        };
        for needed in backup.manifest().needs() {
            kept.insert(needed.to_owned(), format!("is needed by {}", backup.id()));
        }
        known::remember(store, held.environment(), backup.id())?;
        if let Some(line) = plan.lines.iter_mut().find(|line| line.id == backup.id()) {
            (line.verdict, line.reason) = (Verdict::Keep, format!("it {why}"));
        }
    }
    Ok(Pruned { removed, freed_bytes: plan.freed_bytes(), archived: 0, plan })
}

/// The same backups, each before what it needs: a removal that is cut off leaves nothing that cannot be restored.
pub(super) fn leaves_first<'a>(backups: impl Iterator<Item = &'a Backup>) -> Vec<&'a Backup> {
    let backups: BTreeMap<&str, &Backup> = backups.map(|backup| (backup.id(), backup)).collect();
    let chains = Chains::among(backups.values().copied());
    chains.leaves_first(backups.keys().copied()).into_iter().filter_map(|id| backups.get(id).copied()).collect()
}

/// What retention would do, by a look at each of these backups. What a plan removes follows from all of them together: whoever applies
/// one made it this way.
pub fn plan(environment: &Environment, store: &Store, catalog: &Catalog) -> Result<Plan> {
    plan_as_said(environment, store, catalog, Said::default())
}

/// As [`plan`], by the word of a person.
pub fn plan_as_said(environment: &Environment, store: &Store, catalog: &Catalog, said: Said) -> Result<Plan> {
    let now = clock::now();
    retention::plan(&as_said(environment, said, now), &candidates(store, &listing::of_catalog(store, catalog)?, &unreadable(catalog))?, now)
}

/// A plan to be looked at.
pub struct Preview {
    /// The plan; a mass deletion is shown, too.
    pub plan: Plan,
    /// Why it would be refused.
    pub refused: Option<Error>,
    /// What it was made of.
    pub known: Known,
}

/// The same to be looked at and never to be applied: what is remembered of a backup counts as long as its files are the very same.
pub fn preview(environment: &Environment, store: &Store, said: Said) -> Result<Preview> {
    let now = clock::now();
    let policy = as_said(environment, said, now);
    let known = listing::remembered(store, &environment.name)?;
    let unreadable: Vec<_> = known.unreadable.iter().map(|folder| (folder.name.as_str(), Cow::Owned(folder.path()))).collect();
    let candidates = candidates(store, &known.backups, &unreadable)?;
    let (plan, refused) = retention::plan_and_refusal(&policy, &candidates, now)?;
    Ok(Preview { plan, refused, known })
}

fn as_said(environment: &Environment, said: Said, now: DateTime<Utc>) -> Policy {
    Policy { confirm_delete: said.confirm_delete, sizes_accepted_until: said.accept_sizes.then_some(now), ..policy(environment) }
}

/// Names and folders of what could not be opened.
type Unreadable<'a> = Vec<(&'a str, Cow<'a, Path>)>;

fn unreadable(catalog: &Catalog) -> Unreadable<'_> {
    let entries = catalog.entries.iter().filter(|entry| entry.backup.is_err());
    entries.map(|entry| (entry.name.as_str(), Cow::Borrowed(entry.folder.as_path()))).collect()
}

/// The plan by which nothing goes, where that is so by what is remembered: then nothing need be opened. Were it wrong, what should go
/// would stay.
fn plan_of_nothing(environment: &Environment, store: &Store) -> Result<Option<Plan>> {
    // Where only the archives are spoken of, nothing is removed.
    if !has_rules(environment) {
        return Ok(Some(Plan::default()));
    }
    let Preview { plan, refused, .. } = preview(environment, store, Said::default())?;
    Ok(Some(plan).filter(|plan| refused.is_none() && plan.removals().next().is_none()))
}

fn candidates(store: &Store, known: &[Facts], unreadable: &Unreadable<'_>) -> Result<Vec<Candidate>> {
    let held = Entry::all_backups(store.state())?;
    let mut owners = owners(known, unreadable);
    // Each is judged once, also where many others need it.
    let own: HashMap<&str, listing::Verdict> = known.iter().map(|facts| (facts.id.as_str(), facts.own_verdict())).collect();
    let candidate = |facts: &Facts| Candidate {
        id: facts.id.clone(),
        group: format!("{} {} of {}", facts.environment, facts.kind, facts.content),
        created_at: facts.created_at,
        standing: standing_of(listing::with_needs(facts.own_verdict(), &facts.needs, |id| own.get(id).copied()).0),
        kind: facts.kind,
        // Held too are the backups to which an interrupted run would go back.
        pinned: facts.is_pinned || held.contains(&facts.id),
        referred_to_by: owners.remove(facts.id.as_str()).unwrap_or_default(),
        stored_bytes: facts.stored_bytes,
        plain_bytes: facts.plain_bytes,
        amounts: facts.amounts.clone(),
        deletable: facts.is_ours,
    };
    Ok(known.iter().map(candidate).collect())
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

/// By backup, those that cannot do without it.
fn owners<'a>(known: &'a [Facts], unreadable: &Unreadable<'_>) -> HashMap<&'a str, Vec<String>> {
    let mut owners: HashMap<&str, Vec<String>> = HashMap::new();
    for facts in known {
        for needed in &facts.needs {
            owners.entry(needed).or_default().push(facts.id.clone());
        }
    }
    // What cannot be read just now may need any that is older: it is left alone, and so is all that it may stand on.
    for (name, _) in unreadable.iter().filter(|(_, folder)| catalog::may_be_increment(folder)) {
        let time_in_name = catalog::time_in(name);
        for facts in known.iter().filter(|facts| time_in_name.is_none_or(|time| facts.created_at <= time + catalog::ONE_SECOND)) {
            owners.entry(&facts.id).or_default().push((*name).to_owned());
        }
    }
    owners
}

/// What retention makes of a verdict.
pub(super) fn standing_of(verdict: listing::Verdict) -> Standing {
    use listing::Verdict;
    match verdict {
        Verdict::Verified => Standing::Verified,
        Verdict::CloudOnly | Verdict::Stranded => Standing::CloudOnly,
        Verdict::Incomplete => Standing::Incomplete,
        Verdict::Unverified => Standing::Unverified,
        Verdict::Damaged => Standing::Damaged,
        Verdict::Unknown => Standing::Unknown,
    }
}

/// Whether a backup was made for this store, and its folder holds nothing else.
pub(super) fn is_ours(store: &Store, backup: &Backup) -> Result<bool> {
    Ok(backup.manifest().store_id == store.id() && holds_only_its_own(backup)?)
}

/// Whether the folder holds the files of its manifest and no others: a folder with somebody's notes in it stays.
pub(super) fn holds_only_its_own(backup: &Backup) -> Result<bool> {
    let expected = backup.expected_files();
    Ok(fsx::names_in(backup.folder())?.iter().all(|name| expected.iter().any(|expected| name == expected.as_str())))
}

/// Removes one backup: first its name, by a rename after which no listing shows it, then its files. A kill in between
/// leaves a folder that the next run removes. One that was pinned since the plan was made stays; then why.
pub(super) fn remove_unless_pinned(store: &Store, backup: &Backup) -> Result<Option<String>> {
    if !holds_only_its_own(backup)? {
        return Err(Error::refused(format!("{} holds files that are not the backup's", backup.folder().display()))
            .hint("move them away; nothing of it was removed"));
    }
    let trash = store.trash_path(backup.id());
    {
        // Whoever pins it has said so before this, or finds it gone.
        let _said = labels::hold(store)?;
        let labels = labels::of(store, backup.id(), &[]);
        if let Some(pin) = labels.pin {
            return Ok(Some(format!("was pinned by {} meanwhile", pin.user)));
        }
        if let Some(why) = labels.unknown {
            return Ok(Some(format!("may be pinned: {why}")));
        }
        fsx::rename_new(backup.folder(), &trash)?;
    }
    for name in backup.expected_files().iter().filter(|name| *name != CHECKSUMS) {
        remove_if_there(&trash.join(name))?;
    }
    remove_if_there(&trash.join(CHECKSUMS))?;
    fsx::remove_tree(&trash)?;
    store.forget_sidecars(backup.id())?;
    Ok(None)
}

fn remove_if_there(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() { fsx::remove_file(path) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
