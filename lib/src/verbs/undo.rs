//! `restore-db --undo` and `--discard`: what a restore kept aside comes back, or goes.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::engine::{Engine, Kept};
use crate::error::{Error, OnPath, Result};
use crate::fsx;
use crate::guardian::{Approval, Operation};
use crate::lock;
use crate::manifest::EngineName;
use crate::state_dir::StateDir;

/// What the state directory remembers of the last restore into a target.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// What was kept, and where.
    pub kept: Kept,
    /// What was restored.
    pub origin: String,
    /// When.
    #[serde(with = "clock::rfc3339_millis")]
    pub at: DateTime<Utc>,
    /// Whether the swap is known to have been done.
    pub is_complete: bool,
    /// The safety backup of what was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safety_backup: Option<String>,
    /// Whether what was kept is a database without any table.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub was_empty: bool,
    /// What earlier restores kept, which only [`discard`] removes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub older: Vec<Kept>,
    /// The names among all these of what tests left: of it only the newest is kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_by_tests: Vec<String>,
    /// The record that this one replaced, for a swap that then failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Box<Record>>,
}

/// What a swap is about to replace.
pub(super) struct Replaced {
    pub(super) kept: Kept,
    pub(super) safety_backup: Option<String>,
    pub(super) was_empty: bool,
}

impl Record {
    /// Writes down what a swap is about to keep.
    pub(super) fn begin(state: &StateDir, target: &str, origin: &str, replaced: Replaced) -> Result<Self> {
        let previous = Self::read(state, target)?.map(|record| Box::new(Record { previous: None, ..record }));
        let older = previous
            .iter()
            .flat_map(|record| record.older.iter().chain([&record.kept]))
            .filter(|kept| kept.aside.is_some())
            .cloned()
            .collect();
        let Replaced { kept, safety_backup, was_empty } = replaced;
        let (origin, at) = (origin.to_owned(), clock::now());
        let left_by_tests = previous.as_ref().map(|record| record.left_by_tests.clone()).unwrap_or_default();
        let record = Record { kept, origin, at, is_complete: false, safety_backup, was_empty, older, left_by_tests, previous };
        record.write(state)?;
        Ok(record)
    }

    /// The swap was done.
    pub(super) fn complete(mut self, state: &StateDir, kept: Kept) -> Result<()> {
        self.kept = kept;
        self.is_complete = true;
        self.previous = None;
        self.write(state)
    }

    /// The swap was not done: what was remembered before counts again.
    pub(super) fn withdraw(self, state: &StateDir) -> Result<()> {
        match self.previous {
            Some(previous) => previous.write(state),
            None => fsx::remove_file(&path(state, &self.kept.target)?),
        }
    }

    /// The record that counts: a restore that was killed before it had kept anything aside has changed nothing, and the one
    /// before it is the last.
    fn that_counts(self) -> Self {
        let is_there = |record: &Record| record.kept.aside.as_ref().is_some_and(|aside| Path::new(aside).symlink_metadata().is_ok());
        match self.previous.clone() {
            Some(previous) if !self.is_complete && self.kept.engine == EngineName::Sqlite && !is_there(&self) && is_there(&previous) => {
                *previous
            }
            _ => self,
        }
    }

    /// The last restore into a target.
    pub fn read(state: &StateDir, target: &str) -> Result<Option<Self>> {
        let path = path(state, target)?;
        match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            other => {
                let bytes = other.on("read", &path)?;
                serde_json::from_slice(&bytes)
                    .map(|record: Record| Some(record.that_counts()))
                    .map_err(|error| Error::failed(format!("{} is damaged", path.display())).because(error))
            }
        }
    }

    /// Where everything is that [`discard`] removes, the oldest first.
    pub fn asides(&self) -> impl Iterator<Item = &str> {
        self.older.iter().chain([&self.kept]).filter_map(|kept| kept.aside.as_deref())
    }

    /// Every restore that can be undone, the newest last.
    pub fn all(state: &StateDir) -> Result<Vec<Self>> {
        let folder = state.folder("restores")?;
        let mut records = Vec::new();
        for entry in std::fs::read_dir(&folder).on("list", &folder)? {
            let path = entry.on("list", &folder)?.path();
            // A killed run may have left a half of the next record beside the record.
            if path.extension().is_some_and(|ending| ending == "json")
                && let Ok(bytes) = std::fs::read(&path)
                && let Ok(record) = serde_json::from_slice::<Record>(&bytes)
            {
                records.push(record.that_counts());
            }
        }
        records.sort_by_key(|record| record.at);
        Ok(records)
    }

    fn write(&self, state: &StateDir) -> Result<()> {
        let bytes =
            serde_json::to_vec_pretty(self).map_err(|error| Error::failed("cannot write the record of the restore").because(error))?;
        fsx::replace_private(&path(state, &self.kept.target)?, &bytes)
    }
}

fn path(state: &StateDir, target: &str) -> Result<PathBuf> {
    Ok(state.folder("restores")?.join(format!("{}.json", lock::target_name(target))))
}

/// The record of the last restore into a target, or an error that says there is none.
pub fn last(state: &StateDir, engine: &dyn Engine) -> Result<Record> {
    Record::read(state, &engine.location())?.ok_or_else(|| {
        Error::bad(format!("no restore into {} is remembered on this machine", engine.location()))
            .hint("a safety backup may hold what was there: restore-db --list")
    })
}

/// Brings back what the last restore replaced; what is there now is kept in its stead, so that undo can be undone.
pub fn undo(engine: &dyn Engine, record: &Record, held: &lock::Target, approval: &Approval, state: &StateDir) -> Result<Kept> {
    approval.require(Operation::Undo, &record.kept.target)?;
    held.require(&record.kept.target)?;
    engine.recover()?;
    let kept = engine.undo(&record.kept)?;
    let undone = Record {
        kept: kept.clone(),
        origin: format!("undo of {}", record.origin),
        at: clock::now(),
        is_complete: true,
        safety_backup: None,
        was_empty: false,
        older: record.older.clone(),
        left_by_tests: record.left_by_tests.clone(),
        previous: None,
    };
    undone.write(state)?;
    // Its content is in place again, and what replaced it is written down.
    engine.discard(&record.kept)?;
    tracing::info!(kept_aside = kept.aside, "undone: the restore of {} into {}", record.origin, kept.target);
    Ok(kept)
}

/// Notes that `aside`, which the last restore kept, is what tests left, and removes what earlier ones did: who tests in place a
/// hundred times a day wants to look at the last one at most.
pub(super) fn keep_newest_of_tests(engine: &dyn Engine, aside: &str, held: &lock::Target, state: &StateDir) -> Result<()> {
    let location = engine.location();
    held.require(&location)?;
    let Some(mut record) = Record::read(state, &location)?.filter(|record| record.kept.aside.as_deref() == Some(aside)) else {
        return Ok(());
    };
    let is_outdated = |kept: &Kept| kept.aside.as_ref().is_some_and(|aside| record.left_by_tests.contains(aside));
    let (outdated, older): (Vec<Kept>, Vec<Kept>) = record.older.iter().cloned().partition(is_outdated);
    for kept in &outdated {
        engine.discard(kept)?;
    }
    (record.older, record.left_by_tests) = (older, vec![aside.to_owned()]);
    record.write(state)
}

/// Removes what the last restore and the ones before it kept aside.
pub fn discard(engine: &dyn Engine, record: &Record, held: &lock::Target, approval: &Approval, state: &StateDir) -> Result<()> {
    approval.require(Operation::Discard, &record.kept.target)?;
    held.require(&record.kept.target)?;
    for kept in record.older.iter().chain([&record.kept]) {
        engine.discard(kept)?;
    }
    fsx::remove_file(&path(state, &record.kept.target)?)
}
