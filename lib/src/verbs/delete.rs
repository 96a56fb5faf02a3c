//! Backups removed by name. A plan first: what goes, and why it may.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{prune, requests};
use crate::backup::Backup;
use crate::catalog::{self, Catalog, Entry};
use crate::chain::Chains;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::guardian::{Approval, Operation, Request};
use crate::id;
use crate::interrupt;
use crate::journal;
use crate::known;
use crate::labels;
use crate::lock::Held;
use crate::store::Store;

/// What a deletion removes, each backup before what it needs.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The environment whose backups they are.
    pub environment: String,
    /// The backups.
    pub lines: Vec<Line>,
    /// Stored bytes that they give back.
    pub freed_bytes: u64,
    #[serde(skip)]
    newest: DateTime<Utc>,
}

/// One backup that goes.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// Its id.
    pub id: String,
    /// Why: it was named, or it cannot be restored without one that was.
    pub reason: String,
    /// Its stored bytes.
    pub bytes: u64,
}

impl Plan {
    /// One line a backup.
    pub fn lines(&self) -> Vec<String> {
        self.lines.iter().map(|line| format!("delete   {}  {}", line.id, line.reason)).collect()
    }

    fn ids(&self) -> Vec<String> {
        self.lines.iter().map(|line| line.id.clone()).collect()
    }

    /// What it asks the guardian.
    pub fn request(&self, environment: &Environment, store: &Store) -> Result<Request> {
        requests::removal(Operation::Delete, environment, &self.ids(), self.newest, store)
    }
}

/// Plans the removal of `wanted`, which are all of one environment; with what depends on them only where that is meant.
///
/// Refused: a backup that others need, one that is pinned, one that an interrupted run would go back to, and a folder that holds
/// anything else.
pub fn plan(store: &Store, catalog: &Catalog, wanted: &[String], with_dependents: bool) -> Result<Plan> {
    let there: BTreeMap<&str, &Backup> = catalog.backups().map(|backup| (backup.id(), backup)).collect();
    let chains = Chains::among(there.values().copied());
    let held = journal::Entry::all_backups(store.state())?;
    let mut reasons: BTreeMap<&str, String> = BTreeMap::new();
    for id in wanted {
        let Some((id, _)) = there.get_key_value(id.as_str()) else {
            return Err(Error::bad(format!("there is no backup {id} that can be read")).hint("backup-catalog list shows what there is"));
        };
        reasons.insert(id, "named".to_owned());
    }
    for id in wanted {
        let Some((id, _)) = there.get_key_value(id.as_str()) else { continue };
        let dependents: Vec<&str> = chains.dependents(id).into_iter().filter(|dependent| !reasons.contains_key(dependent)).collect();
        if let Some(unread) = catalog.entries.iter().find(|entry| may_stand_on(entry, there[id])) {
            return Err(Error::refused(format!("{} cannot be read just now, and may need {id}", unread.name))
                .hint("is it only in the cloud? have it downloaded, then try again; backup-catalog list says what is wrong with it"));
        }
        if !dependents.is_empty() && !with_dependents {
            return Err(Error::refused(format!("{id} is needed by {}, which cannot be restored without it", dependents.join(", ")))
                .hint("say --with-dependents to delete them too; look at the plan with -n"));
        }
        for dependent in dependents {
            reasons.insert(dependent, format!("cannot be restored without {id}"));
        }
    }
    let mut environments = BTreeSet::new();
    for id in reasons.keys() {
        let backup = there[id];
        environments.insert(backup.manifest().environment.as_str());
        let labels = labels::of(store, id, &[]);
        if let Some(why) = labels.unknown {
            return Err(Error::refused(format!("whether {id} is pinned cannot be said: {why}"))
                .hint(format!("have {} downloaded, or put it right from a copy of the store", store.labels_file(id).display())));
        }
        if let Some(pin) = labels.pin {
            let why = pin.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            return Err(Error::refused(format!("{id} is pinned by {}{why}", pin.user)).hint(format!("backup-catalog unpin {id}")));
        }
        if held.contains(*id) {
            return Err(Error::refused(format!("an interrupted run would go back to {id}"))
                .hint("bring that run to its end first: safe-migrate --resume or --abandon"));
        }
        if !prune::holds_only_its_own(backup)? {
            return Err(Error::refused(format!("{} holds files that are not the backup's", backup.folder().display()))
                .hint("move them away first; nothing was removed"));
        }
    }
    if environments.len() > 1 {
        let names: Vec<&str> = environments.into_iter().collect();
        return Err(Error::usage(format!("these are backups of several environments: {}", names.join(", ")))
            .hint("delete those of one at a time: each has rules of its own"));
    }
    let going = prune::leaves_first(reasons.keys().map(|id| there[id]));
    let newest = going.iter().map(|backup| backup.manifest().created_at).max().unwrap_or_default();
    let lines: Vec<Line> = going
        .into_iter()
        .map(|backup| Line { id: backup.id().to_owned(), reason: reasons[backup.id()].clone(), bytes: backup.manifest().stored_bytes() })
        .collect();
    let freed_bytes = lines.iter().map(|line| line.bytes).fold(0, u64::saturating_add);
    let environment = environments.into_iter().next().unwrap_or_default().to_owned();
    Ok(Plan { environment, lines, freed_bytes, newest })
}

/// Whether an entry cannot be read and may need a backup.
fn may_stand_on(entry: &Entry, backup: &Backup) -> bool {
    let manifest = backup.manifest();
    let is_of_another = id::environment_in(&entry.name).is_some_and(|name| name != manifest.environment);
    entry.backup.is_err() && !is_of_another && catalog::may_need(&entry.name, &entry.folder, manifest.created_at)
}

/// Removes what a plan says. It was made of this catalog, which was read while the environment was held.
pub fn run(store: &Store, held: &Held, catalog: &Catalog, plan: &Plan, approval: &Approval) -> Result<()> {
    approval.require(Operation::Delete, &store.root().display().to_string())?;
    if held.environment() != plan.environment {
        return Err(Error::refused(format!("{} is held, and not {}", held.environment(), plan.environment)));
    }
    known::forget(store, held.environment(), &plan.ids().into_iter().collect())?;
    for (number, line) in plan.lines.iter().enumerate() {
        let removed = interrupt::check().and_then(|()| match catalog.backups().find(|backup| backup.id() == line.id) {
            Some(backup) => prune::remove_unless_pinned(store, backup),
            None => Ok(None),
        });
        let stop = match removed {
            Ok(None) => continue,
            Ok(Some(why)) => Error::refused(format!("{} stays, and all that it needs: it {why}", line.id)),
            Err(error) => error,
        };
        let left: Vec<&str> = plan.lines[number..].iter().map(|line| line.id.as_str()).collect();
        for id in left {
            if catalog::holds(store, id)? {
                known::remember(store, held.environment(), id)?;
            }
        }
        return Err(stop);
    }
    Ok(())
}
