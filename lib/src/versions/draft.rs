//! A file that is being written beside its place. Its name says which machine and which process writes it.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::{OnPath, Result};
use crate::fsx;
use crate::store;

const PREFIX: &str = ".staging-";
/// iCloud does not upload what ends so.
const SUFFIX: &str = ".nosync";

/// A private file under a name that nothing is looked for under. Dropped unpublished, it is removed.
#[derive(Debug)]
pub(super) struct Draft {
    path: PathBuf,
    file: File,
}

impl Draft {
    /// Begins one in a folder, which is made where it is missing.
    pub(super) fn create(folder: &Path) -> Result<Self> {
        fsx::create_private_dirs(folder)?;
        let name = format!("{}{}{SUFFIX}", own_prefix(std::process::id()), fsx::random_hex(4)?);
        Self::at(folder.join(name))
    }

    /// Begins one at a path of the caller's choice, which must not exist.
    pub(super) fn at(path: PathBuf) -> Result<Self> {
        Ok(Draft { file: fsx::create_private_file(&path)?, path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// How long it is.
    pub(super) fn bytes(&self) -> Result<u64> {
        Ok(self.file.metadata().on("look at", &self.path)?.len())
    }

    pub(super) fn sync(&self) -> Result<()> {
        fsx::sync_file(&self.file, &self.path)
    }

    /// Gives it its name, which must be free. What is reported as failed is not there: renamed, and then not synced, it is
    /// taken back.
    pub(super) fn publish(self, to: &Path) -> Result<()> {
        let done = fsx::rename_new(&self.path, to);
        if done.is_err() && self.path.symlink_metadata().is_err() {
            let _ = std::fs::rename(to, &self.path);
        }
        done
    }

    /// Gives it its name, over whatever had it.
    pub(super) fn publish_over(self, to: &Path) -> Result<()> {
        fsx::step().and_then(|()| std::fs::rename(&self.path, to)).on("rename to", to)?;
        fsx::sync_parent(to)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn own_prefix(pid: u32) -> String {
    format!("{PREFIX}{}-{pid}-", store::host_tag())
}

/// Removes what killed processes of this machine have left in a folder. The caller holds the lock.
pub(super) fn sweep(folder: &Path) -> Result<()> {
    sweep_named(folder, &format!("{PREFIX}{}-", store::host_tag()))
}

/// As [`sweep`], for names that begin so, with the process id and a dash after that.
pub(super) fn sweep_named(folder: &Path, prefix: &str) -> Result<()> {
    for name in super::names(folder)? {
        let pid = name.to_str().and_then(|name| name.strip_prefix(prefix)?.split_once('-')?.0.parse().ok());
        let path = folder.join(&name);
        if pid.is_some_and(fsx::is_dead) && path.symlink_metadata().is_ok_and(|found| found.is_file()) {
            fsx::remove_file(&path)?;
        }
    }
    Ok(())
}
