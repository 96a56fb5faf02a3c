//! Which files differ between two backups, or between a backup and the places that they were taken from.

use std::cmp::Ordering;
use std::iter::Peekable;

use serde::Serialize;

use crate::backup::Backup;
use crate::environment::Environment;
use crate::error::Result;
use crate::files::entry::Entry;
use crate::files::extract::{self, Checked};
use crate::files::walk::Chosen;
use crate::manifest::Component;
use crate::state_dir::StateDir;
use crate::verbs::files::{self, Change, Line, Total};

/// The files that differ. What is the same is only counted.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FileChanges {
    /// Every entry that differs, in the order of the archives.
    pub entries: Vec<Line>,
    /// What is the same.
    pub same: Total,
    /// What is only there after.
    pub added: Total,
    /// What is another.
    pub changed: Total,
    /// What is only there before.
    pub removed: Total,
}

impl FileChanges {
    /// `2 files added, 1 changed, 3 removed`, with their bytes.
    pub fn summary(&self) -> String {
        if self.entries.is_empty() {
            return format!("no file differs, {} are the same", self.same.entries);
        }
        let part = |total: Total, what: &str| (total.entries > 0).then(|| format!("{} {what} ({} bytes)", total.entries, total.bytes));
        let parts = [part(self.added, "added"), part(self.changed, "changed"), part(self.removed, "removed")];
        format!("files: {}, {} the same", parts.into_iter().flatten().collect::<Vec<_>>().join(", "), self.same.entries)
    }

    fn add(&mut self, line: Line) {
        let bytes = match line.change {
            Change::Removed => line.bytes,
            _ => line.bytes_now,
        };
        let total = match line.change {
            Change::Same => &mut self.same,
            Change::Added => &mut self.added,
            Change::Changed => &mut self.changed,
            Change::Removed => &mut self.removed,
        };
        total.entries += 1;
        total.bytes = total.bytes.saturating_add(bytes.unwrap_or(0));
        if line.change != Change::Same {
            self.entries.push(line);
        }
    }
}

/// Compares the files of two backups by their inventories: kind, content, mode, and where links lead. None where neither has any.
pub(super) fn between(before: &Backup, after: &Backup) -> Result<Option<FileChanges>> {
    let mut roles: Vec<&str> = before.archives().chain(after.archives()).map(|component| component.role.as_str()).collect();
    roles.sort_unstable();
    roles.dedup();
    if roles.is_empty() {
        return Ok(None);
    }
    let mut changes = FileChanges::default();
    for role in roles {
        let entries = |backup: &Backup| -> Result<Option<Checked>> {
            let has_role = |component: &&Component| component.role == role;
            backup.archives().find(has_role).map(|component| extract::checked(backup, component)).transpose()
        };
        merge(entries(before)?.into_iter().flatten().peekable(), entries(after)?.into_iter().flatten().peekable(), &mut changes)?;
    }
    Ok(Some(changes))
}

/// Compares the files of a backup with the places that they were taken from, by kind, length and time. None where it has none.
pub(super) fn with_current(before: &Backup, environment: &Environment, state: &StateDir) -> Result<Option<FileChanges>> {
    if before.archives().next().is_none() {
        return Ok(None);
    }
    let preview = files::preview(before, None, &Chosen::default(), Some(environment), state)?;
    let mut changes = FileChanges::default();
    for line in preview.entries {
        // A preview says what a restore would do; here it is the other way round.
        let change = match line.change {
            Change::Added => Change::Removed,
            Change::Removed => Change::Added,
            same_or_changed => same_or_changed,
        };
        changes.add(Line { change, ..line });
    }
    Ok(Some(changes))
}

fn merge<I: Iterator<Item = Result<Entry>>>(mut before: Peekable<I>, mut after: Peekable<I>, changes: &mut FileChanges) -> Result<()> {
    loop {
        let order = match (before.peek(), after.peek()) {
            (None, None) => return Ok(()),
            (Some(Ok(old)), Some(Ok(new))) => old.path.cmp(&new.path),
            (Some(_), None) | (Some(Err(_)), _) => Ordering::Less,
            (None, Some(_)) | (_, Some(Err(_))) => Ordering::Greater,
        };
        let old = if order == Ordering::Greater { None } else { before.next().transpose()? };
        let new = if order == Ordering::Less { None } else { after.next().transpose()? };
        let Some(one) = new.as_ref().or(old.as_ref()) else { return Ok(()) };
        let change = match (&old, &new) {
            (Some(old), Some(new)) if is_same(old, new) => Change::Same,
            (Some(_), Some(_)) => Change::Changed,
            (Some(_), None) => Change::Removed,
            (None, _) => Change::Added,
        };
        changes.add(Line {
            change,
            path: one.path.to_string(),
            what: one.what,
            bytes: old.as_ref().map(|entry| entry.bytes),
            bytes_now: new.as_ref().map(|entry| entry.bytes),
        });
    }
}

fn is_same(old: &Entry, new: &Entry) -> bool {
    (old.what, old.bytes, &old.sha256, old.mode, &old.target) == (new.what, new.bytes, &new.sha256, new.mode, &new.target)
}
