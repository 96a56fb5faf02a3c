//! The files of other backups that an increment refers to.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::backup::Backup;
use crate::error::{OnPath, Result};
use crate::frames::open::hash_file;

/// A file as it was when it was hashed.
type Seen = (PathBuf, u64, u64, i64, i64);

/// Hashes that this process has taken: a chain's full is needed by all of it, and is read once.
static TAKEN: Mutex<BTreeMap<Seen, String>> = Mutex::new(BTreeMap::new());

/// Every stored byte of the components that this backup's refer to, against the manifests that they stand in.
pub(super) fn checksums(backup: &Backup) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for component in &backup.manifest().components {
        for source in &component.sources {
            let (holder, held) = backup.source(source, &component.role)?;
            for (name, sha256) in [(&held.file, &held.stored_sha256), (&held.index, &held.index_sha256)] {
                if hash_once(&holder.folder().join(name))? != *sha256 {
                    findings.push(format!("{name} of {}, which it needs, has changed", holder.id()));
                }
            }
        }
    }
    Ok(findings)
}

fn hash_once(path: &Path) -> Result<String> {
    let found = path.metadata().on("look at", path)?;
    let seen = (path.to_owned(), found.ino(), found.len(), found.mtime(), found.mtime_nsec());
    let taken = || TAKEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(hash) = taken().get(&seen) {
        return Ok(hash.clone());
    }
    let (hash, _) = hash_file(path)?;
    taken().insert(seen, hash.clone());
    Ok(hash)
}
