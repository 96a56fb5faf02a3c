//! What a command did, whether that keeps to the rules, and what becomes of the database then.

use std::time::Instant;

use super::report::{Outcome, Report, State};
use crate::changes::Changes;
use crate::command::Ended;
use crate::engine::Live;
use crate::error::{Error, Kind};
use crate::exec::{self, Call};
use crate::interrupt;
use crate::journal::{self, Entry, Stage};
use crate::loss;
use crate::rules::{Migration, OnFailure};
use crate::verbs::before::{Before, Since};
use crate::verbs::guarded::{Guarded, Onlooker};

/// What the command left.
enum Found {
    /// Exactly what was there before.
    Unchanged,
    /// A database with differences.
    Changed(Changes),
    /// Something that is no sound database, and why.
    Broken(String),
    /// It cannot be known, and why.
    Unknown(String),
}

/// Everything that a judgement needs.
pub(super) struct Case<'a> {
    pub(super) guarded: &'a Guarded<'a>,
    pub(super) rules: &'a Migration,
    pub(super) before: &'a Before,
    pub(super) on: &'a dyn Onlooker,
}

impl Case<'_> {
    /// Judges the end of a command, brings the old state back where it must be, and closes the journal unless the database
    /// is in a state that nobody meant. `ended` is none for a run that was interrupted. Nothing of this ends it early: what
    /// cannot be known is [`State::Unknown`].
    pub(super) fn settle(&self, entry: Entry, ended: Option<&Ended>, report: &mut Report) {
        if let Some(ended) = ended {
            report.ended(ended);
        }
        if !report.left_behind.is_empty() {
            left_running(report);
            return;
        }
        let status = match (ended, entry.stage) {
            (Some(ended), _) => Some(ended.status),
            (None, Stage::Ended { status }) => Some(status),
            (None, Stage::Running | Stage::RollingBack) => None,
        };
        report.outcome = match status {
            _ if ended.is_some_and(|ended| ended.timed_out) => Outcome::TimedOut,
            Some(0) => Outcome::Done,
            Some(_) => Outcome::Failed,
            None => Outcome::Resumed,
        };
        self.on.begin("compare", None);
        let found = self.look();
        self.on.end();
        if let Found::Changed(changes) = &found {
            report.changes = Some(changes.clone());
        }
        report.state = match found {
            Found::Unknown(why) => State::Unknown { why },
            Found::Unchanged => {
                if report.outcome == Outcome::Done && !self.passes_check(report) {
                    // The application does not work, and the database is not why: there is nothing to bring back.
                    report.outcome = Outcome::Rejected;
                }
                State::Unchanged
            }
            Found::Changed(changes) if report.outcome == Outcome::Done && self.keeps_rules(&changes, report) => State::Migrated,
            Found::Changed(_) => self.reject(&entry, report),
            Found::Broken(why) => {
                report.reasons.push(why);
                self.reject(&entry, report)
            }
        };
        self.close(entry, report);
    }

    /// Takes the journal's entry away, where the database is in a state that was meant.
    pub(super) fn close(&self, entry: Entry, report: &mut Report) {
        if !matches!(report.state, State::Unknown { .. })
            && let Err(error) = entry.close(self.guarded.store.state())
        {
            report.notes.push(format!("the journal could not be closed, so the next run will ask about this one: {error}"));
        }
    }

    /// After an error before the command was run on the real database: the journal is closed where that is untouched.
    pub(super) fn give_up(&self, entry: Entry, error: Error) -> Error {
        let untouched = interrupt::while_cleaning(|| self.before.compare(&*self.guarded.engine));
        match untouched {
            Ok(Since::Unchanged) => entry.close(self.guarded.store.state()).err().map_or(error, |second| second.within("the journal")),
            _ => error,
        }
    }

    fn keeps_rules(&self, changes: &Changes, report: &mut Report) -> bool {
        report.reasons = loss::broken_rules(changes, self.rules, |table| self.before.rows_of(table));
        match self.guarded.engine.examine() {
            Ok(problems) => report.reasons.extend(problems),
            Err(error) => report.reasons.push(format!("the database could not be checked: {error}")),
        }
        report.reasons.is_empty() && self.passes_check(report)
    }

    fn reject(&self, entry: &Entry, report: &mut Report) -> State {
        if report.outcome == Outcome::Done {
            report.outcome = Outcome::Rejected;
        }
        self.go_back(entry, report)
    }

    /// Brings the old state back where the policy says so.
    pub(super) fn go_back(&self, entry: &Entry, report: &mut Report) -> State {
        let wanted = match (entry.kind, self.rules.on_failure) {
            (journal::Kind::InPlaceTest, _) | (_, OnFailure::Restore) => Ok(true),
            (_, OnFailure::Keep) => Ok(false),
            (_, OnFailure::Ask) => self.on.wants_rollback(&self.question(report)),
        };
        match wanted {
            Ok(true) => {}
            Ok(false) => return State::Kept,
            Err(error) => return State::Unknown { why: format!("nobody could be asked whether to roll back: {error}") },
        }
        self.on.note(&format!("rolling back to {}; a stop has to wait for its end", self.before.backup().id()));
        let start = Instant::now();
        let mut noted = entry.clone();
        if let Err(error) = noted.reach(Stage::RollingBack, self.guarded.store.state()) {
            // Whoever resumes it finds the command's end instead, and comes to the same rollback.
            tracing::warn!("the journal does not say that a rollback has begun: {error}");
        }
        match self.guarded.bring_back(self.before, self.on) {
            Ok(brought) => {
                tracing::info!(took_ms = start.elapsed().as_millis(), "rolled back to {}", self.before.backup().id());
                report.notes.extend(brought.notes);
                State::RolledBack { kept_aside: brought.kept_aside }
            }
            Err(error) => State::Unknown { why: format!("the rollback failed: {error}") },
        }
    }

    fn question(&self, report: &Report) -> String {
        let why = report.reasons.first().cloned().unwrap_or_else(|| match report.command_status {
            Some(status) => format!("the command ended with status {status}"),
            None => "the command was interrupted".to_owned(),
        });
        let changed = report.changes.as_ref().map(|changes| format!("; {}", changes.summary())).unwrap_or_default();
        format!("{why}{changed}. Bring {} back to the state of {}?", self.guarded.engine.location(), self.before.backup().id())
    }

    /// What is there now, compared with what was there before.
    fn look(&self) -> Found {
        match self.guarded.look() {
            None => return Found::Unknown("the database does not answer, so nothing is known of its state".to_owned()),
            Some(Live::Missing) => return Found::Broken("the database is gone".to_owned()),
            Some(Live::Broken(why)) => return Found::Broken(why),
            Some(Live::Present { .. }) => {}
        }
        match self.before.compare(&*self.guarded.engine) {
            Ok(Since::Unchanged) => Found::Unchanged,
            Ok(Since::Changed(changes)) => Found::Changed(changes),
            Err(error) if error.kind() == Kind::Bad => Found::Broken(error.to_string()),
            Err(error) => Found::Unknown(format!("the database cannot be compared with the backup: {error}")),
        }
    }

    /// Runs the application's own check, where there is one.
    fn passes_check(&self, report: &mut Report) -> bool {
        let Some(words) = &self.rules.check else { return true };
        match Call::of_words(words).and_then(Call::sink).and_then(exec::Sink::finish) {
            Ok(_) => true,
            Err(error) => {
                report.reasons.push(format!("the check of {} fails: {error}", self.guarded.environment.name));
                false
            }
        }
    }
}

pub(super) fn left_running(report: &mut Report) {
    let processes: Vec<String> = report.left_behind.iter().map(|process| format!("{} ({})", process.pid, process.command)).collect();
    let why = format!("the command has left processes that still run: {}", processes.join(", "));
    report.outcome = Outcome::LeftRunning;
    report.reasons.push(why.clone());
    report.state = State::Unknown { why };
}
