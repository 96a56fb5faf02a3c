//! `safe-migrate`: any migration command, between a backup that is proven to restore and the return to it.
//!
//! The steps are [`Guarded::begin`] (hold, refuse), [`Plan`] (say what will be done; the guardian's approval is for it), and
//! [`run`]: back up and prove, rehearse on a clone, run the command, judge what it did, and bring the old state back where
//! it failed.

mod judge;
mod plan;
mod rehearsal;
mod report;
mod resume;

pub(super) use judge::not_started;
pub use plan::{Plan, plan};
pub use report::{Outcome, Rehearsed, Report, State};
pub use resume::{Standing, abandon, resume, standing};

use self::judge::Case;
use super::backup::{self, Made};
use super::before::Before;
use super::guarded::{Guarded, Onlooker};
use super::on_clone;
use crate::backup::Backup;
use crate::command::{self, Wrapped};
use crate::engine::Probe;
use crate::error::{Error, Result};
use crate::guardian::{Approval, Operation};
use crate::interrupt;
use crate::journal::Kind;
use crate::loss;
use crate::manifest::{self, Level};
use crate::rules::{Migration, OnFailure};

/// A migration that is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The command, found already.
    pub command: Wrapped,
    /// Whether it is first run on a clone.
    pub rehearse: bool,
    /// Whether the backup is proven to restore before anything is run.
    pub prove: bool,
    /// What it must keep to.
    pub rules: Migration,
}

/// Runs a migration. An error says that the command was not run on the real database; whatever became of a command that
/// was is in the report.
pub fn run(guarded: &Guarded<'_>, probe: &Probe, request: &Request, approval: &Approval, on: &dyn Onlooker) -> Result<Report> {
    approval.require(Operation::Migrate, &guarded.engine.location())?;
    let limits = limits(guarded, request)?;
    judge::require_check(&request.rules)?;
    if request.rules.on_failure != OnFailure::Keep {
        guarded.require_way_back("or say --on-failure keep")?;
    }
    // What stands for the clone in the rehearsal stands for the real database afterwards; without one, nothing is touched.
    let command = match request.rehearse {
        true => &on_clone::fill_in(&request.command, &guarded.engine.places())?,
        false => &request.command,
    };
    interrupt::replace_deadline(Some(guarded.environment.timeout));
    let (before, mut report) = back_up(guarded, probe, request, on)?;
    let mut entry = guarded.open_journal(Kind::Migration, &request.command, &request.rules, before.backup())?;
    let case = Case { guarded, rules: &request.rules, before: &before, on };
    interrupt::replace_deadline(None);
    // From its start on a stop is the command's, and afterwards waits until the database is in a state that was meant.
    let told = |_| on.note("looking at what the command did; once more ends it, and leaves that to --resume");
    interrupt::shield(told, || {
        if request.rehearse {
            match case.rehearse(request, &mut entry, &limits, &mut report) {
                Ok(true) => {}
                Ok(false) => {
                    case.close(entry, &mut report);
                    return Ok(report);
                }
                Err(error) => return Err(case.not_run(entry, error)),
            }
        }
        match guarded.run_command(&mut entry, command, limits, request.rules.timeout, on) {
            Ok(loosed) => {
                case.settle(entry, Some(&loosed), &mut report);
                Ok(report)
            }
            Err(error) => Err(case.not_run(entry, error)),
        }
    })
}

fn back_up(guarded: &Guarded<'_>, probe: &Probe, request: &Request, on: &dyn Onlooker) -> Result<(Before, Report)> {
    let wanted = backup::Request {
        kind: manifest::Kind::Migration,
        reason: Some(request.command.line()),
        tags: Vec::new(),
        verify: if request.prove { guarded.environment.verify.max(Level::Restore) } else { Level::Structure },
        prune: false,
    };
    let Made { report: made, proven } =
        guarded.back_up(probe, &wanted, on).map_err(|error| error.within("the backup before the migration"))?;
    if made.manifest.verification.is_none() {
        let problem = made.manifest.problems.first().map_or("", String::as_str);
        return Err(Error::failed(format!("the database is not sound, so the command was not run: {problem}"))
            .hint(format!("{} holds it as it is", made.id)));
    }
    let mut report = Report::begin(guarded, request, &made);
    let backup = Backup::open(&made.folder)?;
    let before = match proven {
        Some(proven) => Before::proven(backup, guarded.settings()?, proven)?,
        None => Before::of(backup, guarded.settings()?)?,
    };
    report.notes.extend(loss::unknown_tables(&request.rules, before.tables()));
    on.note(&format!("{} {}", made.id, if request.prove { "is proven to restore" } else { "is made, and was NOT proven to restore" }));
    Ok((before, report))
}

/// The variables that hand timeouts to the command.
fn limits(guarded: &Guarded<'_>, request: &Request) -> Result<command::Changes> {
    let limits = guarded.engine.limits(request.rules.lock_timeout, request.rules.statement_timeout)?;
    Ok(limits.into_iter().map(|(name, value)| (name.into(), Some(value.into()))).collect())
}
