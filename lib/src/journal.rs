//! The journal of guarded commands: what stands in it after a power cut says what was going on, and how to get back.
//!
//! One entry a database, in the local state directory. It is written before the command starts and taken away when the
//! database is in a state that was meant, so one that is found belongs to a run that was interrupted.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::engine::Badge;
use crate::error::{Error, OnPath, Result};
use crate::fsx;
use crate::lock;
use crate::process::{self, Process};
use crate::rules::Migration;
use crate::state_dir::StateDir;

/// The variable that tells a wrapper inside a wrapper which run it is part of.
pub const RUN_VARIABLE: &str = "HOLDFAST_RUN";

/// A guarded command that has begun.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// The run, and how its sessions are told from others.
    #[serde(flatten)]
    pub badge: Badge,
    /// What kind of run it is.
    pub kind: Kind,
    /// The environment.
    pub environment: String,
    /// The database, as [`crate::engine::Engine::location`] gives it.
    pub target: String,
    /// The backup that holds the state before.
    pub backup: String,
    /// Its folder.
    pub folder: PathBuf,
    /// The command, for a person: secrets are struck out.
    pub command: String,
    /// What it must keep to, also where somebody else brings it to its end.
    #[serde(default)]
    pub rules: Migration,
    /// When it began.
    #[serde(with = "clock::rfc3339_millis")]
    pub began_at: DateTime<Utc>,
    /// The process that watches over it.
    pub runner: Process,
    /// The command's process, once it has started.
    pub child: Option<Process>,
    /// What the command had left running when it ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_behind: Vec<Process>,
    /// How far it got.
    pub stage: Stage,
}

/// What kind of run an entry is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `safe-migrate`: a success is kept.
    Migration,
    /// `safe-db-test --in-place`: the old state comes back in any case.
    InPlaceTest,
}

impl Kind {
    /// The binary that resumes it.
    pub fn tool(self) -> &'static str {
        match self {
            Kind::Migration => "safe-migrate",
            Kind::InPlaceTest => "safe-db-test",
        }
    }
}

/// How far a run got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "stage")]
pub enum Stage {
    /// The command may have begun.
    Running,
    /// The command has ended, and its result was not yet judged.
    Ended {
        /// Its exit status; of one whose time was over, [`crate::exit::TIMED_OUT`].
        status: u8,
    },
    /// The old state was being brought back.
    RollingBack,
}

impl Entry {
    /// The entry of a database, where one stands.
    pub fn read(state: &StateDir, target: &str) -> Result<Option<Self>> {
        Self::read_file(&path(state, target)?)
    }

    fn read_file(path: &Path) -> Result<Option<Self>> {
        match std::fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            other => {
                let bytes = other.on("read", path)?;
                serde_json::from_slice(&bytes).map(Some).map_err(|error| {
                    Error::failed(format!("the journal {} is damaged", path.display()))
                        .because(error)
                        .hint("look at the database; when it is as it should be, remove that file")
                })
            }
        }
    }

    /// The backups that runs which stand in the journal would go back to.
    pub fn all_backups(state: &StateDir) -> Result<BTreeSet<String>> {
        let folder = state.folder("journal")?;
        let mut backups = BTreeSet::new();
        for entry in std::fs::read_dir(&folder).on("list", &folder)? {
            let path = entry.on("list", &folder)?.path();
            if path.extension().is_some_and(|ending| ending == "json") {
                backups.extend(Self::read_file(&path)?.map(|entry| entry.backup));
            }
        }
        Ok(backups)
    }

    /// The run that this process is part of, by its environment: one of this machine whose runner is alive.
    pub fn around(state: &StateDir, target: &str) -> Result<Option<Self>> {
        let Some(run) = std::env::var_os(RUN_VARIABLE) else { return Ok(None) };
        Ok(Self::read(state, target)?.filter(|entry| run.to_str() == Some(&entry.badge.run) && entry.runner.is_alive()))
    }

    /// Writes it down, durably.
    pub fn write(&self, state: &StateDir) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| Error::failed("cannot write the journal").because(error))?;
        fsx::replace_private(&path(state, &self.target)?, &bytes)
    }

    /// As [`Entry::write`], at another stage.
    pub fn reach(&mut self, stage: Stage, state: &StateDir) -> Result<()> {
        self.stage = stage;
        self.write(state)
    }

    /// Takes it away: the database is in a state that was meant.
    pub fn close(self, state: &StateDir) -> Result<()> {
        fsx::remove_file(&path(state, &self.target)?)
    }

    /// What of it still runs: its watcher, the command, and whatever the command has started and left behind.
    pub fn running(&self) -> Vec<Process> {
        let noted = [&self.runner].into_iter().chain(&self.child).chain(&self.left_behind);
        let mut running: Vec<Process> = noted.filter(|process| process.is_alive()).cloned().collect();
        // What a command starts inherits the name of its run, unless it takes pains not to.
        for started in process::with_variable(RUN_VARIABLE, &self.badge.run) {
            if running.iter().all(|known| known.pid != started.pid) {
                running.push(started);
            }
        }
        running
    }
}

fn path(state: &StateDir, target: &str) -> Result<PathBuf> {
    Ok(state.folder("journal")?.join(format!("{}.json", lock::target_name(target))))
}
