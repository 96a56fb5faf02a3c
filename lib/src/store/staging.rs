//! A backup that is being made, and its publishing.

use std::path::{Path, PathBuf};

use super::{CHECKSUMS, Store, staging_name};
use crate::error::{OnPath, Result};
use crate::frames::open::hash_file;
use crate::fsx;

/// The staging folder of one backup. Dropped unpublished, it is removed.
#[derive(Debug)]
pub struct Staging {
    path: PathBuf,
    note: PathBuf,
    backup_id: String,
    published: bool,
}

impl Staging {
    pub(super) fn create(store: &Store, environment: &str, backup_id: &str) -> Result<Self> {
        // Noted first: whatever a kill leaves in the store is known to this machine as its own.
        let note = notes(store, environment)?.join(backup_id);
        fsx::write_private(&note, b"")?;
        let path = store.root().join(staging_name(backup_id));
        let staging = Staging { path, note, backup_id: backup_id.to_owned(), published: false };
        fsx::create_private_dir(&staging.path)?;
        Ok(staging)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The id of the backup that is being made.
    pub fn backup_id(&self) -> &str {
        &self.backup_id
    }

    /// Writes a small file of the backup.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        fsx::write_private(&self.path.join(name), bytes)
    }

    /// Writes `SHA256SUMS` over every file there is. `known` holds hashes that need not be computed again.
    pub fn write_checksums(&self, known: &[(String, String)]) -> Result<()> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.path).on("list", &self.path)? {
            names.push(entry.on("list", &self.path)?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        let mut text = String::new();
        for name in names {
            let hash = match known.iter().find(|(file, _)| *file == name) {
                Some((_, hash)) => hash.clone(),
                None => hash_file(&self.path.join(&name))?.0,
            };
            text.push_str(&format!("{hash}  {name}\n"));
        }
        self.write(CHECKSUMS, text.as_bytes())
    }

    /// Makes the backup appear in `place`, whole and durable: the one step after which it counts.
    pub fn publish(mut self, place: &Path) -> Result<PathBuf> {
        fsx::sync_dir(&self.path)?;
        fsx::create_private_dirs(place)?;
        let target = place.join(&self.backup_id);
        if let Err(error) = fsx::rename_new(&self.path, &target) {
            // Renamed, and then not synced: what is reported as failed must not be there. Where the rename itself failed,
            // whatever has that name is not ours to touch, and our folder is still here.
            if self.path.symlink_metadata().is_err() {
                let _ = std::fs::rename(&target, &self.path);
            }
            return Err(error);
        }
        self.published = true;
        Ok(target)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.published {
            let _ = std::fs::remove_dir_all(&self.path);
        }
        // What could not be removed stays noted, for the next run to sweep.
        if self.path.symlink_metadata().is_err() {
            let _ = std::fs::remove_file(&self.note);
        }
    }
}

/// Where this machine notes which staging folders are its own.
fn notes(store: &Store, environment: &str) -> Result<PathBuf> {
    store.state().folder(&format!("staging/{}-{environment}", store.id()))
}

/// Removes the staging folders that killed runs of this machine left for an environment whose lock the caller holds.
pub(super) fn sweep(store: &Store, environment: &str) -> Result<Vec<String>> {
    let notes = notes(store, environment)?;
    let mut removed = Vec::new();
    for entry in std::fs::read_dir(&notes).on("list", &notes)? {
        let note = entry.on("list", &notes)?;
        let name = staging_name(&note.file_name().to_string_lossy());
        let path = store.root().join(&name);
        if path.symlink_metadata().is_ok() {
            fsx::remove_tree(&path)?;
            removed.push(name);
        }
        fsx::remove_file(&note.path())?;
    }
    Ok(removed)
}
