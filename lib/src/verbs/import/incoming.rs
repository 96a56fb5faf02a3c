//! One backup of an export on its way into a staging folder.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::super::export::{OTHER_MAX_BYTES, SIDECAR_MAX_BYTES};
use super::strange;
use serde::Serialize;

use crate::backup::Backup;
use crate::checks::Check;
use crate::error::{Error, OnPath, Result};
use crate::fsx;
use crate::id;
use crate::interrupt;
use crate::labels::{self, Event};
use crate::lock::Held;
use crate::manifest::{self, Component};
use crate::store::{CHECKSUMS, Staging, Store};

/// `SHA256SUMS` lists a handful of files.
const CHECKSUMS_MAX_BYTES: u64 = 64 << 10;
/// As much is read and written at once.
const PART_BYTES: usize = 256 << 10;

/// A backup that is being unpacked, file by file in the order of an export.
pub(super) struct Incoming {
    pub(super) staging: Staging,
    /// Known from the moment its manifest is there.
    opened: Option<Backup>,
    seen: BTreeSet<String>,
    checks: Vec<Check>,
    labels: Vec<Event>,
    store: Store,
}

impl Incoming {
    pub(super) fn begin(store: &Store, held: &Held, backup_id: &str) -> Result<Self> {
        Ok(Incoming {
            staging: store.stage(held, backup_id)?,
            opened: None,
            seen: BTreeSet::new(),
            checks: Vec::new(),
            labels: Vec::new(),
            store: store.clone(),
        })
    }

    /// Takes the next file, whose name in the archive is `folder/name`.
    pub(super) fn take(&mut self, file: &Path, folder: &str, name: &str, size: u64, from: &mut impl Read) -> Result<()> {
        let own = self.staging.backup_id().to_owned();
        if matches!(folder, "checks" | "labels") && name == format!("{own}.jsonl") {
            return self.take_sidecar(file, folder, size, from);
        }
        let most = match (&self.opened, name) {
            (None, CHECKSUMS) if self.seen.is_empty() => CHECKSUMS_MAX_BYTES,
            (None, manifest::FILE) if self.seen.len() == 1 => manifest::MAX_BYTES,
            (Some(backup), name) if backup.expected_files().iter().any(|expected| expected == name) => most_of(backup, name, size, file)?,
            _ => return Err(strange(file, &format!("{folder}/{name} does not belong there"))),
        };
        if folder != own || !id::is_bare_name(name) || size > most || !self.seen.insert(name.to_owned()) {
            return Err(strange(file, &format!("{folder}/{name} of {size} bytes does not belong there")));
        }
        let path = self.staging.path().join(name);
        let mut out = fsx::create_private_file(&path)?;
        let (mut left, mut part) = (size, vec![0; PART_BYTES]);
        while left > 0 {
            interrupt::check()?;
            let most = usize::try_from(left).unwrap_or(PART_BYTES).min(PART_BYTES);
            let count = from.read(&mut part[..most]).map_err(|error| super::damaged(file, error))?;
            if count == 0 {
                return Err(strange(file, &format!("{folder}/{name} ends {left} bytes early")));
            }
            fsx::step().and_then(|()| out.write_all(&part[..count])).on("write", &path)?;
            left -= count as u64;
        }
        fsx::sync_file(&out, &path)?;
        if name == manifest::FILE {
            let backup = Backup::open_under_any_name(self.staging.path())?;
            fsx::require_free(self.store.root(), backup.manifest().stored_bytes())?;
            self.opened = Some(backup);
        }
        Ok(())
    }

    /// What stands beside a backup is read line by line, and what is no such line is passed over.
    fn take_sidecar(&mut self, file: &Path, folder: &str, size: u64, from: &mut impl Read) -> Result<()> {
        if size > SIDECAR_MAX_BYTES || !self.seen.insert(format!("{folder}/")) {
            return Err(strange(file, &format!("its {folder} have {size} bytes, or come twice")));
        }
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).map_err(|error| super::damaged(file, error))?;
        match folder {
            "checks" => {
                let lines = bytes.split(|byte| *byte == b'\n');
                self.checks = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
            }
            _ => self.labels = labels::parse(&bytes),
        }
        Ok(())
    }

    /// Writes what is known of the backup beside its place in the store, where nothing is yet; each file whole or not at all, so that one
    /// which is there is not a killed run's half. Gives the files that are new.
    pub(super) fn write_sidecars(&self, store: &Store) -> Result<Vec<PathBuf>> {
        let id = self.staging.backup_id();
        let mut written = Vec::new();
        for (path, text) in [(store.checks_file(id), lines(&self.checks)?), (store.labels_file(id), lines(&self.labels)?)] {
            if text.is_empty() || path.symlink_metadata().is_ok() {
                continue;
            }
            if let Some(folder) = path.parent() {
                fsx::create_private_dirs(folder)?;
                store.require_real(folder)?;
            }
            fsx::place_private(&path, text.as_bytes())?;
            written.push(path);
        }
        Ok(written)
    }

    /// Refuses one of which a file is missing.
    pub(super) fn require_whole(&self, file: &Path) -> Result<()> {
        let backup = self.backup().map_err(|_| strange(file, &format!("{} has no manifest", self.staging.backup_id())))?;
        match backup.expected_files().iter().find(|name| !self.seen.contains(*name)) {
            None => Ok(()),
            Some(missing) => Err(strange(file, &format!("{}/{missing} is missing", self.staging.backup_id()))),
        }
    }

    /// The backup as it lies in its staging folder.
    pub(super) fn backup(&self) -> Result<Backup> {
        self.opened.clone().ok_or_else(|| Error::bad(format!("{} has no manifest", self.staging.backup_id())))
    }
}

fn lines(all: &[impl Serialize]) -> Result<String> {
    let mut text = String::new();
    for one in all {
        text.push_str(&serde_json::to_string(one).map_err(|error| Error::failed("cannot write what is known of a backup").because(error))?);
        text.push('\n');
    }
    Ok(text)
}

/// The size that a file must have, or the most that it may.
fn most_of(backup: &Backup, name: &str, size: u64, file: &Path) -> Result<u64> {
    let mut parts = backup.manifest().components.iter().flat_map(Component::parts);
    match parts.find(|(part, _, _)| *part == name).map(|(_, bytes, _)| bytes) {
        Some(expected) if expected != size => {
            Err(strange(file, &format!("{name} of {} has {size} bytes, its manifest says {expected}", backup.id())))
        }
        Some(expected) => Ok(expected),
        None => Ok(OTHER_MAX_BYTES),
    }
}
