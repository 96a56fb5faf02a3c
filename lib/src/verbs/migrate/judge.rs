//! What a command did, whether that keeps to the rules, and what becomes of the database then.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::time::Instant;

use super::report::{Outcome, Report, State};
use crate::changes::Changes;
use crate::command::{Ended, Wrapped};
use crate::error::{Error, Kind, Result};
use crate::exec::Call;
use crate::exit;
use crate::journal::{self, Entry, Stage};
use crate::loss;
use crate::manifest::Level;
use crate::process;
use crate::rules::{Migration, OnFailure};
use crate::verbs::before::Before;
use crate::verbs::guarded::{Found, Guarded, Loosed, Onlooker, REACH_WAIT};
use crate::verbs::verify::{self, Demands};

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
    pub(super) fn settle(&self, entry: Entry, loosed: Option<&Loosed>, report: &mut Report) {
        if let Some(loosed) = loosed {
            report.ended(loosed);
        }
        if !report.left_behind.is_empty() {
            let why = format!("the command has left processes that still run: {}", process::list(&report.left_behind));
            return left_running(report, why);
        }
        let at_large = match loosed {
            Some(loosed) => loosed.seen_off.at_large.clone(),
            None => self.guarded.see_off(&entry.badge, false, self.on).at_large,
        };
        if let Some(why) = at_large {
            return left_running(report, why);
        }
        let ended = loosed.map(|loosed| &loosed.ended);
        report.outcome = match (ended, entry.stage, entry.kind) {
            (Some(ended), ..) if ended.timed_out => Outcome::TimedOut,
            (Some(Ended { status: 0, .. }), ..) => Outcome::Done,
            (Some(_), ..) => Outcome::Failed,
            // What tests did is never kept, and what has failed goes back: only a success is still to be judged.
            (None, Stage::Ended { status: 0 }, journal::Kind::Migration) => Outcome::Done,
            (None, ..) => Outcome::Resumed,
        };
        if report.outcome == Outcome::Done {
            // Before the comparison, which then sees what the check did, too.
            self.ask_application(report);
        }
        self.on.begin("compare", None);
        let found = self.guarded.found(self.before, REACH_WAIT);
        self.on.end();
        if let Found::Changed(changes) = &found {
            report.changes = Some(changes.clone());
        }
        report.state = match found {
            Found::Unknown(why) => {
                if report.outcome == Outcome::Done {
                    report.outcome = Outcome::Unjudged;
                }
                State::Unknown { why }
            }
            Found::Unchanged => {
                report.reasons.extend(unfinished(loosed));
                if report.outcome == Outcome::Done && !report.reasons.is_empty() {
                    // The application does not work, and the database is not why: there is nothing to bring back.
                    report.outcome = Outcome::Rejected;
                }
                State::Unchanged
            }
            Found::Changed(changes) if report.outcome == Outcome::Done && self.keeps_rules(&changes, loosed, report) => State::Migrated,
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

    /// After an error before the command was run on the real database: there is nothing to come back to.
    pub(super) fn not_run(&self, entry: Entry, error: Error) -> Error {
        let closed = entry.close(self.guarded.store.state());
        not_started(closed.err().map_or(error, |second| second.within("the journal")))
    }

    fn keeps_rules(&self, changes: &Changes, loosed: Option<&Loosed>, report: &mut Report) -> bool {
        report.reasons.extend(loss::broken_rules(changes, self.rules, |table| self.before.rows_of(table)));
        report.reasons.extend(unfinished(loosed));
        match self.guarded.engine.examine() {
            Ok(problems) => report.reasons.extend(problems),
            Err(error) => report.reasons.push(format!("the database could not be checked: {error}")),
        }
        report.reasons.is_empty()
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
        let brought = match entry.kind {
            journal::Kind::Migration => self.guarded.bring_back(self.before, self.on),
            journal::Kind::InPlaceTest => self.guarded.bring_back_after_tests(self.before, self.on),
        };
        match brought {
            Ok(brought) => {
                tracing::info!(took_ms = start.elapsed().as_millis(), "rolled back to {}", self.before.backup().id());
                report.notes.extend(brought.notes);
                State::RolledBack { kept_aside: brought.kept_aside }
            }
            Err(error) => {
                report.notes.extend(error.next_step().map(|hint| format!("what stands in the way of the rollback: {hint}")));
                self.rescue_clone(report);
                State::Unknown { why: format!("the rollback failed: {error}") }
            }
        }
    }

    /// After a rollback that failed: where the backup is bad by now, the clone by which it was proven may be the only other
    /// copy of the state before.
    fn rescue_clone(&self, report: &mut Report) {
        let sound = self.guarded.settings().and_then(|settings| {
            let demands = Demands { level: Level::Structure, min_size: None, asserts: &[], settings: &settings };
            verify::verify(self.before.backup(), &demands, self.on)
        });
        if sound.is_ok_and(|outcome| outcome.verified.is_some()) {
            return;
        }
        match self.before.keep_clone() {
            None => {}
            Some(Ok(left)) => report.kept = Some(left),
            Some(Err(error)) => report.notes.push(format!("the clone could not be kept: {error}")),
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

    /// Runs the application's own check, where there is one, and notes where it says no.
    fn ask_application(&self, report: &mut Report) {
        let Some(words) = &self.rules.check else { return };
        if let Err(error) = Call::of_words(words).and_then(Call::sink).and_then(|mut sink| sink.finish()) {
            report.reasons.push(format!("the check of {} fails: {error}", self.guarded.environment.name));
        }
    }
}

/// Refuses a check that could not be run: found out after the command, it would undo a migration that is sound.
pub(super) fn require_check(rules: &Migration) -> Result<()> {
    let Some(words) = &rules.check else { return Ok(()) };
    let argv: Vec<OsString> = words.iter().map(OsString::from).collect();
    let found = if argv.first().is_some_and(|program| program.as_bytes().contains(&b'/')) {
        Wrapped::find(&argv).map(|_| ())
    } else {
        Call::of_words(words).map(|_| ())
    };
    found.map_err(|error| not_started(error.as_kind(Kind::Usage).within("the check")))
}

/// The error of a run whose command was not started, with the status that says so.
pub(in crate::verbs) fn not_started(error: Error) -> Error {
    let status = match error.kind() {
        Kind::Wrapper(status) => status,
        stopped @ Kind::Signal(_) => stopped.status(),
        _ => exit::NOT_STARTED,
    };
    error.as_kind(Kind::Wrapper(status))
}

/// Why a command that has succeeded has not done all that it says.
fn unfinished(loosed: Option<&Loosed>) -> Option<String> {
    let cut_off = loosed.map(|loosed| loosed.seen_off.cut_off.as_slice()).unwrap_or_default();
    (!cut_off.is_empty()).then(|| format!("the server had not done all that the command asked for: {}", cut_off.join("; ")))
}

fn left_running(report: &mut Report, why: String) {
    report.outcome = Outcome::LeftRunning;
    report.reasons.push(why.clone());
    report.state = State::Unknown { why };
}
