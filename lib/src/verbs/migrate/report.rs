//! What a migration was and what became of the database.

use serde::Serialize;

use super::Request;
use crate::changes::Changes;
use crate::engine::Left;
use crate::exit;
use crate::process::Process;
use crate::verbs::backup;
use crate::verbs::guarded::{Guarded, Loosed};

/// What a migration was and what became of the database.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The environment.
    pub environment: String,
    /// The database.
    pub target: String,
    /// The command, secrets struck out.
    pub command: String,
    /// The backup that holds the state before; `restore-db` knows it too.
    pub backup: String,
    /// Whether it was proven to restore.
    pub proven: bool,
    /// When that state was: rows that others have written since are in no backup. None where the backup cannot be read any more.
    pub backup_at: Option<String>,
    /// What the command did to a clone, where that was asked for.
    pub rehearsal: Option<Rehearsed>,
    /// The command's exit status, as a shell gives it; none where it was not run on the real database, or where a run that
    /// was interrupted cannot know it.
    pub command_status: Option<u8>,
    /// How long the command took.
    pub command_ms: Option<u64>,
    /// How it went.
    pub outcome: Outcome,
    /// Why it counts as that, where it is not done.
    pub reasons: Vec<String>,
    /// What the command changed, as far as it is known.
    pub changes: Option<Changes>,
    /// What became of the database.
    pub state: State,
    /// Processes that the command left running.
    pub left_behind: Vec<Process>,
    /// The clone by which the backup was proven, where it stays because the backup is bad by now.
    pub kept: Option<Left>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// What a command did to a clone.
#[derive(Debug, Clone, Serialize)]
pub struct Rehearsed {
    /// Its exit status.
    pub command_status: u8,
    /// How long it took.
    pub command_ms: u64,
    /// What it changed there; none where nothing.
    pub changes: Option<Changes>,
}

/// How a migration went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The command succeeded, and its result keeps to the rules.
    Done,
    /// The rehearsal failed; the real database was not touched.
    RehearsalFailed,
    /// The rehearsal succeeded, but its result breaks a rule; the real database was not touched.
    RehearsalRejected,
    /// The command, meant for the clone, reached the real database.
    ReachedReal,
    /// The command failed.
    Failed,
    /// The command ran out of time.
    TimedOut,
    /// The command succeeded, but its result breaks a rule.
    Rejected,
    /// The command has ended and left processes that still run: nothing can be said of its result.
    LeftRunning,
    /// The command succeeded, and whether its result keeps to the rules cannot be known.
    Unjudged,
    /// An interrupted run was brought to its end.
    Resumed,
}

/// What became of the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// It is exactly as it was before.
    Unchanged,
    /// It is as the command left it, which was meant.
    Migrated,
    /// It was brought back to what it was before.
    RolledBack {
        /// The name under which the failed state is kept.
        kept_aside: Option<String>,
    },
    /// It is as the failed command left it, as was asked for.
    Kept,
    /// It is not known, or could not be brought back.
    Unknown {
        /// Why.
        why: String,
    },
}

impl Report {
    pub(super) fn begin(guarded: &Guarded<'_>, request: &Request, made: &backup::Report) -> Self {
        Report {
            environment: guarded.environment.name.clone(),
            target: guarded.engine.location(),
            command: request.command.line(),
            backup: made.id.clone(),
            proven: request.prove,
            backup_at: Some(crate::clock::readable(made.manifest.created_at)),
            rehearsal: None,
            command_status: None,
            command_ms: None,
            outcome: Outcome::Done,
            reasons: Vec::new(),
            changes: None,
            state: State::Unchanged,
            left_behind: Vec::new(),
            kept: None,
            notes: made.notes.clone(),
        }
    }

    pub(super) fn ended(&mut self, loosed: &Loosed) {
        let ended = &loosed.ended;
        self.notes.extend(loosed.notes());
        self.command_status = Some(ended.status);
        self.command_ms = Some(u64::try_from(ended.duration.as_millis()).unwrap_or(u64::MAX));
        self.left_behind.clone_from(&ended.left_behind);
    }

    /// The exit status that tells how it went: the command's own where it failed, else one of the wrappers'.
    pub fn status(&self) -> u8 {
        match (&self.state, self.outcome) {
            // Nothing was to be rolled back as far as the command says; of one that failed, nothing could be.
            (_, Outcome::LeftRunning) if self.command_status == Some(exit::DONE) => exit::REJECTED,
            (State::Unknown { .. }, _) => exit::ROLLBACK_FAILED,
            (_, Outcome::Done | Outcome::Resumed | Outcome::LeftRunning | Outcome::Unjudged) => exit::DONE,
            (_, Outcome::TimedOut) => exit::TIMED_OUT,
            (_, Outcome::Failed) => self.command_status.unwrap_or(exit::FAILED),
            (_, Outcome::RehearsalFailed) => self.rehearsal.as_ref().map_or(exit::FAILED, |rehearsal| rehearsal.command_status),
            (_, Outcome::RehearsalRejected | Outcome::ReachedReal | Outcome::Rejected) => exit::REJECTED,
        }
    }
}
