//! What many lines say together.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::line::{Event, Line};
use crate::clock;
use crate::fsx;
use crate::host;

/// The lines that were asked for, counted.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    /// How many lines.
    pub lines: u64,
    /// How many runs, by the operation and how they ended; from their outcomes.
    pub operations: BTreeMap<String, BTreeMap<String, u64>>,
    /// How many runs ended, by user.
    pub users: BTreeMap<String, u64>,
    /// When the first of the lines was written.
    pub first: Option<String>,
    /// When the last of them was written.
    pub last: Option<String>,
    /// The runs that began, have no outcome, and do not run on this machine any more.
    pub unfinished: Vec<Unfinished>,
    /// How many runs have no outcome yet since they still run.
    pub running: u64,
}

/// A run that began and did not say how it ended: it was killed, or its machine died.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unfinished {
    /// The run's id.
    pub run: String,
    /// When it began.
    pub at: String,
    /// The program.
    pub tool: String,
    /// What it did.
    pub operation: String,
    /// The environment.
    pub environment: Option<String>,
    /// Who began it.
    pub user: String,
    /// The machine.
    pub host: String,
    /// Its process there.
    pub pid: u32,
    /// What has become of that process.
    pub process: Process,
}

/// What is known of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Process {
    /// It is on this machine, and is no more.
    Gone,
    /// It is, or was, on another machine.
    Elsewhere,
}

/// Counts as the lines pass by. Only runs without an outcome are kept in memory.
#[derive(Debug, Default)]
pub(super) struct Count {
    summary: Summary,
    first: Option<DateTime<Utc>>,
    last: Option<DateTime<Utc>>,
    open: HashMap<String, (u64, Line)>,
}

impl Count {
    pub(super) fn take(&mut self, line: &Line, fits: bool) {
        // Whether a run has ended does not depend on what is looked for.
        if line.event == Event::Outcome.name() {
            self.open.remove(&line.run);
        }
        if !fits {
            return;
        }
        self.summary.lines += 1;
        self.first.get_or_insert(line.at);
        self.last = Some(line.at);
        if line.event == Event::Start.name() {
            self.open.insert(line.run.clone(), (self.summary.lines, line.clone()));
        } else if line.event == Event::Outcome.name() {
            let result = line.result.clone().unwrap_or_else(|| "unknown".to_owned());
            *self.summary.operations.entry(line.operation.clone()).or_default().entry(result).or_default() += 1;
            *self.summary.users.entry(line.user.clone()).or_default() += 1;
        }
    }

    pub(super) fn summary(mut self) -> Summary {
        let here = host::name();
        let mut open: Vec<(u64, Line)> = self.open.into_values().collect();
        open.sort_by_key(|(number, _)| *number);
        for (_, line) in open {
            let process = match i32::try_from(line.pid) {
                _ if line.host != here => Process::Elsewhere,
                Ok(pid) if !fsx::is_dead(pid) => {
                    self.summary.running += 1;
                    continue;
                }
                _ => Process::Gone,
            };
            self.summary.unfinished.push(Unfinished {
                run: line.run,
                at: clock::readable(line.at),
                tool: line.tool,
                operation: line.operation,
                environment: line.environment,
                user: line.user,
                host: line.host,
                pid: line.pid,
                process,
            });
        }
        self.summary.first = self.first.map(clock::readable);
        self.summary.last = self.last.map(clock::readable);
        self.summary
    }
}
