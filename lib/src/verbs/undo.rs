//! `restore-db --undo` and `--discard`: what a restore kept aside comes back, or goes.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::engine::{Engine, Kept};
use crate::error::{Error, OnPath, Result};
use crate::fsx;
use crate::guardian::{Approval, Operation};
use crate::id;
use crate::lock;
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
    /// Whether it was an undo, which takes what it puts back from where that was kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_undo: bool,
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

/// Before what was restored, once for each undo.
const UNDO_OF: &str = "undo of ";

impl Record {
    /// What was restored, whatever was undone and brought back since, and how many times that was. Each undo is remembered as one of
    /// what it undid.
    fn restored(&self) -> (&str, usize) {
        let (mut restored, mut undos) = (self.origin.as_str(), 0);
        while let Some(rest) = restored.strip_prefix(UNDO_OF).filter(|_| self.is_undo) {
            (restored, undos) = (rest, undos + 1);
        }
        (restored, undos)
    }

    /// What it is that can be undone: `the restore of ID at TIME`.
    pub fn named(&self) -> String {
        let at = clock::readable(self.at);
        match self.restored() {
            (restored, 0) => format!("the restore of {restored} at {at}"),
            (restored, undos) if undos % 2 == 1 => format!("the undo at {at} of the restore of {restored}"),
            (restored, _) => format!("the undo at {at} that brought back the restore of {restored}"),
        }
    }

    /// What is live once it is undone.
    pub fn live_after(&self) -> String {
        let what = match self.restored() {
            (restored, undos) if undos % 2 == 1 => format!("the restore of {restored} was undone"),
            (restored, _) => format!("{restored} was restored"),
        };
        format!("the state from before {}, when {what}", clock::readable(self.at))
    }

    /// Writes down what the swap of a restore is about to keep.
    pub(super) fn begin(state: &StateDir, engine: &dyn Engine, origin: &str, replaced: Replaced) -> Result<Self> {
        let previous = Self::read(state, engine)?.map(|record| Box::new(Record { previous: None, ..record }));
        let older = previous
            .iter()
            .flat_map(|record| record.older.iter().chain([&record.kept]))
            .filter(|kept| kept.aside.is_some())
            .cloned()
            .collect();
        let Replaced { kept, safety_backup, was_empty } = replaced;
        let (origin, at) = (origin.to_owned(), clock::now());
        let left_by_tests = previous.as_ref().map(|record| record.left_by_tests.clone()).unwrap_or_default();
        let record =
            Record { kept, origin, at, is_complete: false, is_undo: false, safety_backup, was_empty, older, left_by_tests, previous };
        record.write(state)?;
        Ok(record)
    }

    /// Writes down what the swap of an undo is about to keep, in the stead of what it puts back.
    fn begin_undo(&self, state: &StateDir, kept: Kept) -> Result<Self> {
        let record = Record {
            kept,
            origin: format!("{UNDO_OF}{}", self.origin),
            at: clock::now(),
            is_complete: false,
            is_undo: true,
            safety_backup: None,
            was_empty: false,
            older: self.older.clone(),
            left_by_tests: self.left_by_tests.clone(),
            previous: Some(Box::new(Record { previous: None, ..self.clone() })),
        };
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

    /// The record that counts: a restore or undo that was killed before it had changed anything is none, and the one before it is
    /// the last.
    fn that_counts(self, engine: &dyn Engine) -> Result<Self> {
        let Some(previous) = self.previous.as_ref().filter(|_| !self.is_complete) else { return Ok(self) };
        let has_begun = engine.is_kept(&self.kept)?;
        if !engine.is_kept(&previous.kept)? || has_begun && !self.is_undo {
            return Ok(self);
        }
        // What an undo puts back is there until it is in place. Where a copy of it entered (SQLite), it may be there still:
        // then it is put back once more.
        let mut record = Record::clone(previous);
        record.older.extend(has_begun.then_some(self.kept));
        Ok(record)
    }

    /// The last restore into a target.
    pub fn read(state: &StateDir, engine: &dyn Engine) -> Result<Option<Self>> {
        let path = path(state, &engine.location())?;
        match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            other => {
                let bytes = other.on("read", &path)?;
                let record: Record = serde_json::from_slice(&bytes)
                    .map_err(|error| Error::failed(format!("{} is damaged", path.display())).because(error))?;
                record.that_counts(engine).map(Some)
            }
        }
    }

    /// Where everything is that [`discard`] removes, the oldest first.
    pub fn asides(&self) -> impl Iterator<Item = &str> {
        self.older.iter().chain([&self.kept]).filter_map(|kept| kept.aside.as_deref())
    }

    /// The last restore into every target, the newest last, as it was written down.
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
                records.push(record);
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
    Record::read(state, engine)?.ok_or_else(|| {
        Error::bad(format!("no restore into {} is remembered on this machine", engine.location()))
            .hint("a safety backup may hold what was there: restore-db --list")
    })
}

/// Brings back what the last restore replaced; what is there now is kept in its stead, so that undo can be undone.
pub fn undo(engine: &dyn Engine, record: &Record, held: &lock::Target, approval: &Approval, state: &StateDir) -> Result<Kept> {
    approval.require(Operation::Undo, &record.kept.target)?;
    held.require(&record.kept.target)?;
    engine.recover()?;
    if last(state, engine)?.kept != record.kept {
        return Err(Error::refused(format!("what a killed run had begun on {} was ended first", record.kept.target))
            .hint("look at it, and say --undo again if that is not the state you want"));
    }
    let id = id::stamp(clock::now())?;
    let begun = record.begin_undo(state, engine.would_keep(&id)?)?;
    let kept = match engine.undo(&record.kept, &id) {
        Ok(kept) => kept,
        Err(error) => {
            begun.withdraw(state)?;
            return Err(error);
        }
    };
    begun.complete(state, kept.clone())?;
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
    let Some(mut record) = Record::read(state, engine)?.filter(|record| record.kept.aside.as_deref() == Some(aside)) else {
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
