//! What a test run was, and whether it kept to the clone.

use serde::Serialize;

use super::Request;
use crate::changes::Changes;
use crate::engine::Left;
use crate::exit;
use crate::process::Process;
use crate::verbs::backup;
use crate::verbs::guarded::{Guarded, Loosed};

/// What a test run was, and whether it kept to the clone.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The environment.
    pub environment: String,
    /// The real database.
    pub target: String,
    /// The command, secrets struck out.
    pub command: String,
    /// The safety backup.
    pub backup: String,
    /// Where the clone was; none for a run in place.
    pub clone: Option<String>,
    /// The clone, where it stays for inspection.
    pub kept: Option<Left>,
    /// Environment variables that were set or taken away for the command.
    pub variables: Vec<String>,
    /// The command's exit status, as a shell gives it.
    pub command_status: u8,
    /// How long it took.
    pub command_ms: u64,
    /// Whether it ran out of time.
    pub timed_out: bool,
    /// What tests that were to run on a clone changed in the real database.
    pub leak: Option<Changes>,
    /// Why the real database is no sound one any more, where such tests left it so.
    pub damage: Option<String>,
    /// What became of the real database.
    #[serde(flatten)]
    pub state: State,
    /// Processes that the command left running.
    pub left_behind: Vec<Process>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// What became of the real database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// It is exactly as it was.
    Untouched,
    /// The tests reached it, and it is as they left it.
    Leaked,
    /// It was brought back to what it was.
    BroughtBack {
        /// The name under which the state that the tests left is kept.
        kept_aside: Option<String>,
    },
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
            clone: None,
            kept: None,
            variables: Vec::new(),
            command_status: 0,
            command_ms: 0,
            timed_out: false,
            leak: None,
            damage: None,
            state: State::Untouched,
            left_behind: Vec::new(),
            notes: made.notes.clone(),
        }
    }

    pub(super) fn ended(&mut self, loosed: &Loosed) {
        let ended = &loosed.ended;
        self.notes.extend(loosed.notes());
        self.command_status = ended.status;
        self.command_ms = u64::try_from(ended.duration.as_millis()).unwrap_or(u64::MAX);
        self.timed_out = ended.timed_out;
        self.left_behind.clone_from(&ended.left_behind);
    }

    /// The exit status that tells how it went: the command's own, unless something is wrong with the real database.
    pub fn status(&self) -> u8 {
        match &self.state {
            State::Unknown { .. } => exit::ROLLBACK_FAILED,
            _ if self.leak.is_some() || self.damage.is_some() => exit::LEAKED,
            _ if self.timed_out => exit::TIMED_OUT,
            _ if !self.left_behind.is_empty() && self.command_status == 0 => exit::REJECTED,
            _ => self.command_status,
        }
    }
}
