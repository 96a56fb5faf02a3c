//! What a sync service has done to a folder, by names alone.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use super::conflict::{is_backup, is_ours, originals};
use super::{Service, SyncProbe, SyncState, is_not_uploaded, placeholder_for, service_of, shown};
use crate::error::{Error, OnPath, Result};
use crate::interrupt;

/// How deep a survey goes: store, environment, backup. Below a backup's folder nothing is ours.
const DEPTH_MAX: usize = 3;
/// How many names a survey reads before it gives up: an hourly backup of ten files for ten years is 900,000.
const NAMES_MAX: usize = 2_000_000;

/// What was found, each list sorted by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// The service that keeps the folder.
    pub service: Option<Service>,
    /// Files and folders whose bytes are not here.
    pub cloud_only: Vec<CloudOnly>,
    /// Copies that a service made of something of ours.
    pub conflicts: Vec<Conflict>,
}

/// A file or folder whose bytes are only in the cloud. It is not junk, whatever its name here looks like.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CloudOnly {
    /// Its real path.
    pub path: PathBuf,
    /// The placeholder that stands in for it, on an older macOS.
    pub placeholder: Option<PathBuf>,
}

/// A conflict copy. It is reported and never deleted: only a person can say which of the two is meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// The copy.
    pub path: PathBuf,
    /// What it is a copy of; that one need not be there any more.
    pub original: PathBuf,
}

impl Survey {
    /// Whether a sync service keeps the folder, or has left its traces in it.
    pub fn is_synced(&self) -> bool {
        self.service.is_some() || !self.cloud_only.is_empty()
    }

    /// Whether every byte is here, once.
    pub fn is_clean(&self) -> bool {
        self.cloud_only.is_empty() && self.conflicts.is_empty()
    }
}

/// One line for the folder, then one for each finding.
impl fmt::Display for Survey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.service {
            Some(service) => write!(f, "kept by {service}")?,
            None if self.is_synced() => write!(f, "a synced folder")?,
            None => write!(f, "not a synced folder")?,
        }
        for one in &self.cloud_only {
            write!(f, "\nonly in the cloud: {}", shown(one.path.as_os_str()))?;
        }
        for one in &self.conflicts {
            write!(f, "\nconflict copy: {} of {}", shown(one.path.as_os_str()), shown(one.original.as_os_str()))?;
        }
        Ok(())
    }
}

/// Reads the names in `folder`, three levels deep, and opens no file. What is not uploaded (staging folders) is left out,
/// links are not followed, evicted folders are not listed. A folder that vanishes meanwhile is left out as well.
///
/// A copy is reported where the name it was copied from is one that Holdfast gives, or is a folder with backups in it: a
/// stranger's `Report 2.pdf` is none of our business.
pub fn survey(folder: &Path, probe: &dyn SyncProbe) -> Result<Survey> {
    let mut walk = Walk { probe, names: 0, found: Survey { service: service_of(folder)?, ..Survey::default() } };
    if probe.state(folder)? == SyncState::CloudOnly {
        walk.found.cloud_only.push(CloudOnly { path: folder.to_owned(), placeholder: None });
        return Ok(walk.found);
    }
    let names = walk.list(folder)?;
    walk.look(folder, names, 1)?;
    walk.found.cloud_only.sort();
    walk.found.conflicts.sort();
    Ok(walk.found)
}

/// The names in a folder, and whether each is a folder itself.
type Names = BTreeMap<OsString, bool>;

struct Walk<'a> {
    probe: &'a dyn SyncProbe,
    names: usize,
    found: Survey,
}

impl Walk<'_> {
    fn list(&mut self, folder: &Path) -> Result<Names> {
        interrupt::check()?;
        let mut names = Names::new();
        for entry in std::fs::read_dir(folder).on("list", folder)? {
            let entry = entry.on("list", folder)?;
            self.names += 1;
            if self.names > NAMES_MAX {
                return Err(Error::failed(format!("{} holds more than {NAMES_MAX} names", folder.display()))
                    .hint("is it a store? name the store's own folder"));
            }
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if !is_not_uploaded(&entry.file_name()) {
                names.insert(entry.file_name(), is_folder);
            }
        }
        Ok(names)
    }

    fn look(&mut self, folder: &Path, names: Names, depth: usize) -> Result<()> {
        let mut holds_backups: BTreeSet<&str> = BTreeSet::new();
        for (name, is_folder) in &names {
            let path = folder.join(name);
            if let Some(real) = placeholder_for(name) {
                self.found.cloud_only.push(CloudOnly { path: folder.join(real), placeholder: Some(path) });
                continue;
            }
            match self.probe.state(&path)? {
                SyncState::CloudOnly => self.found.cloud_only.push(CloudOnly { path, placeholder: None }),
                SyncState::Local if *is_folder && depth < DEPTH_MAX => {
                    let inside = match self.list(&path) {
                        Err(_) if path.symlink_metadata().is_err() => continue,
                        other => other?,
                    };
                    if inside.keys().any(|name| name.to_str().is_some_and(is_backup)) {
                        holds_backups.extend(name.to_str());
                    }
                    self.look(&path, inside, depth + 1)?;
                }
                SyncState::Local | SyncState::Missing => {}
            }
        }
        for name in names.keys() {
            // A copy may be evicted too.
            let real = placeholder_for(name).unwrap_or_else(|| name.clone());
            let Some(text) = real.to_str() else { continue };
            let original = originals(text).into_iter().find(|original| is_ours(original) || holds_backups.contains(original.as_str()));
            if let Some(original) = original {
                self.found.conflicts.push(Conflict { path: folder.join(name), original: folder.join(original) });
            }
        }
        Ok(())
    }
}
