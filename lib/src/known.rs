//! The backups this machine has published, remembered in the state directory: a backup that another device deleted, or
//! a store that was put back to an older copy, is noticed.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::error::{OnPath, Result};
use crate::fsx;
use crate::store::Store;

/// Remembers a published backup.
pub fn remember(store: &Store, environment: &str, backup_id: &str) -> Result<()> {
    fsx::append_line(&path(store, environment)?, backup_id, b"")
}

/// Forgets backups that were removed on purpose.
pub fn forget(store: &Store, environment: &str, removed: &BTreeSet<String>) -> Result<()> {
    let ids = ids(store, environment)?;
    let left: Vec<&str> = ids.iter().filter(|id| !removed.contains(*id)).map(String::as_str).collect();
    let mut text = left.join("\n");
    text.push('\n');
    fsx::replace_private(&path(store, environment)?, text.as_bytes())
}

/// The remembered backups that are no longer there.
pub fn missing(store: &Store, environment: &str, present: &BTreeSet<&str>) -> Result<Vec<String>> {
    Ok(ids(store, environment)?.into_iter().filter(|id| !present.contains(id.as_str())).collect())
}

/// The environments of which backups are remembered.
pub fn environments(store: &Store) -> Result<Vec<String>> {
    let begin = format!("{}-", store.id());
    let names = fsx::names_in(&store.state().folder("known")?)?;
    Ok(names.iter().filter_map(|name| name.to_str()?.strip_prefix(&begin)).map(str::to_owned).collect())
}

fn ids(store: &Store, environment: &str) -> Result<BTreeSet<String>> {
    let path = path(store, environment)?;
    match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        other => Ok(other.on("read", &path)?.lines().filter(|line| crate::id::is_id(line)).map(str::to_owned).collect()),
    }
}

fn path(store: &Store, environment: &str) -> Result<PathBuf> {
    Ok(store.state().folder("known")?.join(format!("{}-{environment}", store.id())))
}
