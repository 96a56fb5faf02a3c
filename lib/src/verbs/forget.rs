//! Backups that are gone on purpose, by other means than ours: the guard misses them until that is said.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use crate::catalog;
use crate::error::{Error, Result};
use crate::known;
use crate::lock::Held;
use crate::store::Store;
use crate::sync_state::placeholder_of;

/// What is forgotten: backups of one environment that this machine knew of and that are not in the store any more.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The environment whose backups they were.
    pub environment: String,
    /// Their ids.
    pub forgotten: Vec<String>,
}

impl Plan {
    /// One line a backup.
    pub fn lines(&self) -> Vec<String> {
        self.forgotten.iter().map(|id| format!("forget   {id}  not in the store any more")).collect()
    }
}

/// Plans to forget what is named by ids or unique starts of them, or, where nothing is named, all that an environment misses.
///
/// Refused: a backup that is there.
pub fn plan(store: &Store, environment: Option<&str>, wanted: &[String]) -> Result<Plan> {
    let (folders, _) = catalog::folders(store, None)?;
    let present: BTreeSet<&str> = folders.iter().map(|folder| folder.name.as_str()).collect();
    let environments = environment.map_or_else(|| known::environments(store), |name| Ok(vec![name.to_owned()]))?;
    // A folder that is in the cloud only is not gone.
    let places = store.places()?;
    let is_gone = |id: &String| !places.iter().any(|place| is_in_cloud(&store.root().join(place).join(id)));
    // By id, the environment that it was of.
    let mut missing: BTreeMap<String, &str> = BTreeMap::new();
    for name in &environments {
        missing.extend(known::missing(store, name, &present)?.into_iter().filter(&is_gone).map(|id| (id, name.as_str())));
    }
    let mut forgotten: BTreeSet<&str> = BTreeSet::new();
    for prefix in wanted {
        if prefix.is_empty() {
            return Err(Error::usage("an id is empty").hint("backup-guard says which backups are missed"));
        }
        let mut found = missing.keys().filter(|id| id.starts_with(prefix));
        match (found.next(), found.next()) {
            (Some(only), None) => drop(forgotten.insert(only)),
            (Some(_), Some(_)) => {
                return Err(Error::usage(format!("several missing backups begin with {prefix}")).hint("write more of the id"));
            }
            (None, _) if present.iter().any(|id| id.starts_with(prefix)) => {
                return Err(
                    Error::refused(format!("{prefix} is in the store")).hint(format!("to remove it: backup-catalog delete {prefix}"))
                );
            }
            (None, _) => {
                return Err(Error::bad(format!("no backup {prefix} is missed on this machine")).hint("backup-guard says which ones are"));
            }
        }
    }
    if wanted.is_empty() {
        forgotten.extend(missing.keys().map(String::as_str));
    }
    let names: BTreeSet<&str> = forgotten.iter().filter_map(|id| missing.get(*id).copied()).collect();
    if names.len() > 1 {
        let names: Vec<&str> = names.into_iter().collect();
        return Err(Error::usage(format!("these were backups of several environments: {}", names.join(", "))).hint("choose one with -e"));
    }
    let environment = names.into_iter().next().or(environment).unwrap_or_default().to_owned();
    Ok(Plan { environment, forgotten: forgotten.into_iter().map(str::to_owned).collect() })
}

fn is_in_cloud(folder: &Path) -> bool {
    placeholder_of(folder).is_some_and(|placeholder| placeholder.symlink_metadata().is_ok())
}

/// Forgets what a plan says, while the environment is held.
pub fn run(store: &Store, held: &Held, plan: &Plan) -> Result<()> {
    if held.environment() != plan.environment {
        return Err(Error::refused(format!("{} is held, and not {}", held.environment(), plan.environment)));
    }
    if plan.forgotten.is_empty() {
        return Ok(());
    }
    known::forget(store, held.environment(), &plan.forgotten.iter().cloned().collect())
}
