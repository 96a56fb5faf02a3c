//! The command on a clone first, and what it would do.

use super::Request;
use super::judge::Case;
use super::report::{Outcome, Rehearsed, Report, State};
use crate::changes::{Changes, What};
use crate::command::{self, Ended};
use crate::engine::Workspace;
use crate::error::Result;
use crate::interrupt;
use crate::journal::Entry;
use crate::loss;
use crate::process::{self, Process};
use crate::verbs::before::Since;
use crate::verbs::guarded::{Found, Loose, REACH_WAIT};
use crate::verbs::on_clone;

/// What a command left of a clone.
enum OnClone {
    Unchanged,
    Changed(Changes),
    /// It cannot be looked at any more.
    Broken,
}

/// What became of the real database meanwhile.
enum Real {
    Untouched,
    /// The command has changed it.
    Reached(Changes),
    /// These tables have changed as they have on the clone: by the command, or by others.
    Doubtful(Changes, Vec<String>),
    /// The command has made an end of it, and how.
    Broken(String),
    /// It cannot be known, and why.
    Unknown(String),
}

impl OnClone {
    /// The tables that changed here and in `real`.
    fn tables_also_in(&self, real: &Changes) -> Vec<String> {
        let OnClone::Changed(here) = self else { return Vec::new() };
        let is_here = |table: &String| here.tables.iter().any(|change| change.table == *table);
        real.tables.iter().map(|change| change.table.clone()).filter(is_here).collect()
    }
}

impl Case<'_> {
    /// Runs the command on a clone, and says whether it may go on to the real database.
    ///
    /// The real database is looked at afterwards too: a command that does not heed the variables reaches it although it
    /// was meant for the clone, and that is a failed migration. The journal stands meanwhile, as for the run itself.
    ///
    /// An error says that the real database is as it was.
    pub(super) fn rehearse(&self, request: &Request, entry: &mut Entry, limits: &command::Changes, report: &mut Report) -> Result<bool> {
        let guarded = self.guarded;
        let clone = self.before.take_clone()?;
        let surroundings = on_clone::surroundings(guarded.environment, &*guarded.engine, &*clone)?;
        let command = surroundings.fill_in(&request.command)?;
        let mut variables = surroundings.variables;
        variables.extend(limits.clone());
        self.on.note(&format!("rehearsal on {}", clone.loaded().location()));
        let starts = |_: &Process| {
            self.on.command_begins(&command.line(), &clone.loaded().location());
            Ok(())
        };
        let loose = Loose { badge: &entry.badge, command: &command, variables, timeout: request.rules.timeout };
        let loosed = guarded.let_loose(loose, starts, self.on)?;
        report.notes.extend(loosed.notes());
        let ended = &loosed.ended;
        self.on.begin("compare", None);
        let (on_clone, mut broken) = self.look_at_clone(clone, ended);
        let on_real = match loosed.seen_off.at_large {
            Some(why) => Real::Unknown(why),
            None => self.look_at_real(&on_clone, report),
        };
        self.on.end();
        report.rehearsal = Some(Rehearsed {
            command_status: ended.status,
            command_ms: u64::try_from(ended.duration.as_millis()).unwrap_or(u64::MAX),
            changes: match on_clone {
                OnClone::Changed(changes) => Some(changes),
                OnClone::Unchanged | OnClone::Broken => None,
            },
        });
        report.left_behind.clone_from(&ended.left_behind);
        if !ended.left_behind.is_empty() {
            broken.push(format!("the rehearsal has left processes that still run: {}", process::list(&ended.left_behind)));
            entry.left_behind.clone_from(&ended.left_behind);
            if let Err(error) = entry.write(guarded.store.state()) {
                tracing::warn!("the journal does not name the processes that are left: {error}");
            }
        }
        match on_real {
            Real::Untouched => {}
            Real::Unknown(why) => {
                report.outcome = Outcome::RehearsalFailed;
                report.state = State::Unknown { why };
                return Ok(false);
            }
            Real::Reached(changes) => {
                self.reached(&changes, report);
                report.changes = Some(changes);
                report.state = self.return_from(entry, report);
                return Ok(false);
            }
            Real::Doubtful(changes, on_both) => {
                report.outcome = Outcome::RehearsalRejected;
                report.reasons.push(format!(
                    "during the rehearsal the real database changed in what the command works on ({}): by others, or by the \
                     command; stop what writes to it and try again, or do without --rehearse",
                    on_both.join(", ")
                ));
                report.changes = Some(changes);
                report.state = State::Kept;
                return Ok(false);
            }
            Real::Broken(why) => {
                report.outcome = Outcome::ReachedReal;
                report.reasons.push(format!("the rehearsal reached the real database: {why}"));
                report.state = self.return_from(entry, report);
                return Ok(false);
            }
        }
        if let Some(signal) = ended.signals_received.last() {
            // Somebody wants an end: whatever the command made of it, the real run does not begin.
            return Err(interrupt::stopped_by(*signal).within("during the rehearsal, the real database was not touched"));
        }
        report.outcome = match ended.status {
            _ if ended.timed_out => Outcome::TimedOut,
            0 => Outcome::RehearsalRejected,
            _ => Outcome::RehearsalFailed,
        };
        match report.outcome {
            Outcome::TimedOut => report.reasons.push("the rehearsal ran out of time".to_owned()),
            Outcome::RehearsalFailed => report.reasons.push(format!("the rehearsal ended with status {}", ended.status)),
            _ if broken.is_empty() => {
                report.outcome = Outcome::Done;
                return Ok(true);
            }
            _ => report.reasons = broken,
        }
        Ok(false)
    }

    /// What is on the clone now, and every rule that this breaks.
    fn look_at_clone(&self, clone: Box<dyn Workspace>, ended: &Ended) -> (OnClone, Vec<String>) {
        tracing::info!(took_ms = ended.duration.as_millis(), status = ended.status, "rehearsed");
        match self.before.compare_clone(&*clone).and_then(|since| Ok((since, clone.loaded().examine()?))) {
            Ok((Since::Unchanged, problems)) => (OnClone::Unchanged, problems),
            Ok((Since::Changed(changes), problems)) => {
                let mut broken = loss::broken_rules(&changes, self.rules, |table| self.before.rows_of(table));
                broken.extend(problems);
                (OnClone::Changed(changes), broken)
            }
            Err(error) => (OnClone::Broken, vec![format!("the clone cannot be looked at after the rehearsal: {error}")]),
        }
    }

    /// What the command did to the real database, where it was the command: an application that is in use changes it too.
    /// Definitions that change, tables and rows that vanish, and any change at all while the clone was left alone are the
    /// command's. A table that got other rows on both may be either's, which ends the run and undoes nothing: what others
    /// wrote is not ours to take away. Rows in other tables are taken for the application's, and told.
    fn look_at_real(&self, on_clone: &OnClone, report: &mut Report) -> Real {
        match self.guarded.found(self.before, REACH_WAIT) {
            Found::Unchanged => Real::Untouched,
            Found::Broken(why) => Real::Broken(why),
            Found::Unknown(why) => Real::Unknown(why),
            Found::Changed(changes) => {
                let vanished = changes.rows_lost() > 0 || changes.tables.iter().any(|change| matches!(change.what, What::Removed { .. }));
                if matches!(on_clone, OnClone::Unchanged) || !changes.schema.is_empty() || vanished {
                    return Real::Reached(changes);
                }
                let on_both = on_clone.tables_also_in(&changes);
                if !on_both.is_empty() {
                    return Real::Doubtful(changes, on_both);
                }
                report.notes.push(format!("others wrote to the real database during the rehearsal: {}", changes.summary()));
                Real::Untouched
            }
        }
    }

    fn reached(&self, changes: &Changes, report: &mut Report) {
        report.outcome = Outcome::ReachedReal;
        let tables = changes.tables.iter().map(|change| format!("the rehearsal reached the real database: {change}"));
        let schema = changes.schema.iter().map(|change| format!("the rehearsal changed {} of the real database", change.object));
        report.reasons.extend(tables.chain(schema));
    }

    /// As [`Case::go_back`], unless what the rehearsal has left behind may still write.
    fn return_from(&self, entry: &Entry, report: &mut Report) -> State {
        match process::list(&report.left_behind) {
            running if running.is_empty() => self.go_back(entry, report),
            running => State::Unknown { why: format!("the rehearsal has left processes that still run: {running}") },
        }
    }
}
