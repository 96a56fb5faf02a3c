//! The command on a clone first, and what it would do.

use std::time::Instant;

use super::Request;
use super::judge::Case;
use super::report::{Outcome, Rehearsed, Report};
use crate::changes::{Changes, What};
use crate::command;
use crate::error::Result;
use crate::interrupt;
use crate::journal::{Entry, RUN_VARIABLE};
use crate::loss;
use crate::process::Process;
use crate::verbs::before::Since;
use crate::verbs::on_clone;

impl Case<'_> {
    /// Runs the command on a clone, and says whether it may go on to the real database.
    ///
    /// The real database is looked at afterwards too: a command that does not heed the variables reaches it although it
    /// was meant for the clone, and that is a failed migration. The journal stands meanwhile, as for the run itself.
    pub(super) fn rehearse(&self, request: &Request, entry: &Entry, limits: &command::Changes, report: &mut Report) -> Result<bool> {
        let guarded = self.guarded;
        let clone = self.before.take_clone()?;
        let surroundings = on_clone::surroundings(guarded.environment, &*guarded.engine, &*clone)?;
        let mut variables = surroundings.variables.clone();
        variables.extend(limits.clone());
        variables.insert(RUN_VARIABLE.into(), Some(entry.run.clone().into()));
        self.on.note(&format!("rehearsal on {}", clone.location()));
        interrupt::replace_deadline(None);
        let start = Instant::now();
        let limits = command::Limits { timeout: request.rules.timeout, ..command::Limits::default() };
        let command = surroundings.fill_in(&request.command)?;
        let starts = |_: &Process| {
            self.on.command_begins(&command.line(), &clone.location());
            Ok(())
        };
        let ended = command.run(&variables, limits, starts, |line| self.on.note(line))?;
        self.on.command_ended(&ended);
        let on_clone = self.before.compare_clone(&*clone)?;
        tracing::info!(took_ms = start.elapsed().as_millis(), status = ended.status, "rehearsed");
        drop(clone);
        let changes = match &on_clone {
            Since::Unchanged => None,
            Since::Changed(changes) => Some(changes.clone()),
        };
        report.rehearsal = Some(Rehearsed {
            command_status: ended.status,
            command_ms: u64::try_from(ended.duration.as_millis()).unwrap_or(u64::MAX),
            changes: changes.clone(),
        });
        if !ended.left_behind.is_empty() {
            report.ended(&ended);
            super::judge::left_running(report);
            return Ok(false);
        }
        if let Some(on_real) = self.reached_real(&on_clone, report)? {
            report.outcome = Outcome::ReachedReal;
            report.reasons = on_real.tables.iter().map(|change| format!("the rehearsal reached the real database: {change}")).collect();
            report
                .reasons
                .extend(on_real.schema.iter().map(|change| format!("the rehearsal changed {} of the real database", change.object)));
            report.changes = Some(on_real);
            report.state = self.go_back(entry, report);
            return Ok(false);
        }
        if let Some(signal) = ended.signals_received.last() {
            // Somebody wants an end: whatever the command made of it, the real run does not begin.
            report.reasons.push(format!("stopped by signal {signal} during the rehearsal"));
            report.outcome = Outcome::RehearsalFailed;
            return Ok(false);
        }
        if ended.timed_out || ended.status != 0 {
            report.outcome = if ended.timed_out { Outcome::TimedOut } else { Outcome::RehearsalFailed };
            report.reasons.push(match ended.timed_out {
                true => "the rehearsal ran out of time".to_owned(),
                false => format!("the rehearsal ended with status {}", ended.status),
            });
            return Ok(false);
        }
        let broken =
            changes.map(|changes| loss::broken_rules(&changes, self.rules, |table| self.before.rows_of(table))).unwrap_or_default();
        if !broken.is_empty() {
            report.outcome = Outcome::RehearsalRejected;
            report.reasons = broken;
            return Ok(false);
        }
        Ok(true)
    }

    /// What the command did to the real database, where it was the command: an application that is in use changes it too.
    /// Definitions that change, tables and rows that vanish, and any change at all while the clone was left alone are the
    /// command's; otherwise new and other rows are taken for the application's, and told.
    fn reached_real(&self, on_clone: &Since, report: &mut Report) -> Result<Option<Changes>> {
        match self.before.compare(&*self.guarded.engine)? {
            Since::Unchanged => Ok(None),
            Since::Changed(changes) => {
                let vanished = changes.rows_lost() > 0 || changes.tables.iter().any(|change| matches!(change.what, What::Removed { .. }));
                if *on_clone == Since::Unchanged || !changes.schema.is_empty() || vanished {
                    return Ok(Some(changes));
                }
                report.notes.push(format!("others wrote to the real database during the rehearsal: {}", changes.summary()));
                Ok(None)
            }
        }
    }
}
