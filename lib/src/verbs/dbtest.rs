//! `safe-db-test`: tests on a disposable clone, and the proof that they left the real database alone.
//!
//! The clone is the very scratch database by which the safety backup was proven to restore. With `--in-place` the tests
//! run on the real one, and it is brought back afterwards whatever they did.

mod plan;
mod report;

pub use plan::{Plan, plan};
pub use report::{Report, State};

use std::time::Duration;

use super::backup::{self, Made};
use super::before::Before;
use super::guarded::{BroughtBack, Found, Guarded, Loose, Loosed, Onlooker, REACH_WAIT};
use super::migrate::not_started;
use super::on_clone;
use crate::backup::Backup;
use crate::command::{self, Wrapped};
use crate::engine::{Probe, Workspace};
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::fsx;
use crate::guardian::{Approval, Operation};
use crate::interrupt;
use crate::journal::{Entry, Kind};
use crate::manifest::{self, Level};
use crate::process::Process;
use crate::rules::{Migration, OnLeak};

/// A test run that is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The command, found already; its words may hold placeholders for the clone.
    pub command: Wrapped,
    /// Whether the clone stays for inspection.
    pub keep: bool,
    /// The longest the tests may take.
    pub timeout: Option<Duration>,
    /// What becomes of the real database when they have reached it.
    pub on_leak: OnLeak,
}

/// Refuses what must not be tested on at all.
pub fn refuse_protected(environment: &Environment) -> Result<()> {
    if environment.protected {
        return Err(Error::refused(format!("{} is protected, so no tests are run on it or on a clone of it", environment.name))
            .hint("test on an environment of its own: -e test"));
    }
    Ok(())
}

/// Refuses tests inside a run that they could not be told apart from: as they are, they would work on the real database that is
/// being migrated.
pub fn refuse_inside(around: &Entry, is_in_place: bool) -> Result<()> {
    match (around.kind, is_in_place) {
        // Whatever these leave there, the run around them puts back.
        (Kind::InPlaceTest, _) => Ok(()),
        (Kind::Migration, _) => {
            Err(Error::refused(format!("{} is being migrated by {}: no tests are run on it", around.target, around.command))
                .hint("run the tests before the migration or after it"))
        }
    }
}

/// Runs tests on a clone of a database that was taken [beside others](Guarded::beside_others). An error says that they were
/// not run.
pub fn run(guarded: Guarded<'_>, probe: &Probe, request: &Request, on: &dyn Onlooker) -> Result<Report> {
    let environment = guarded.environment;
    refuse_protected(environment)?;
    if request.on_leak == OnLeak::Restore {
        guarded.require_way_back("or say --on-leak report")?;
    }
    interrupt::replace_deadline(Some(environment.timeout));
    let (before, made) = back_up(&guarded, probe, request, on)?;
    let mut report = Report::begin(&guarded, request, &made);
    let clone = before.take_clone()?;
    report.clone = Some(clone.loaded().location());
    let surroundings = on_clone::surroundings(environment, &*guarded.engine, &*clone)?;
    let command = surroundings.fill_in(&request.command)?;
    report.variables = surroundings.names();
    let badge = guarded.engine.badge(&fsx::random_hex(8)?);
    on.note(&format!("the tests run on {}", clone.loaded().location()));
    interrupt::check()?;
    interrupt::replace_deadline(None);
    let told = |_| on.note("looking at what the tests did; once more ends it");
    interrupt::shield(told, || {
        let starts = |_: &Process| {
            on.command_begins(&command.line(), &clone.loaded().location());
            Ok(())
        };
        let loose = Loose { badge: &badge, command: &command, variables: surroundings.variables, timeout: request.timeout };
        let loosed = guarded.let_loose(loose, starts, on).map_err(not_started)?;
        report.ended(&loosed);
        put_away(clone, request.keep, &mut report);
        match loosed.seen_off.at_large {
            Some(why) => report.state = State::Unknown { why },
            None => prove_untouched(guarded, &before, request, on, &mut report),
        }
        Ok(report)
    })
}

/// Runs tests on the real database, and brings it back.
pub fn run_in_place(guarded: &Guarded<'_>, probe: &Probe, request: &Request, approval: &Approval, on: &dyn Onlooker) -> Result<Report> {
    refuse_protected(guarded.environment)?;
    approval.require(Operation::TestInPlace, &guarded.engine.location())?;
    refuse_placeholders(request)?;
    guarded.require_way_back("or leave --in-place out")?;
    interrupt::replace_deadline(Some(guarded.environment.timeout));
    let (before, made) = back_up(guarded, probe, request, on)?;
    let mut report = Report::begin(guarded, request, &made);
    let state = guarded.store.state();
    let mut entry = guarded.open_journal(Kind::InPlaceTest, &request.command, &Migration::default(), before.backup())?;
    interrupt::replace_deadline(None);
    let told = |_| on.note("bringing the database back goes on; once more ends it, and leaves that to --resume");
    interrupt::shield(told, || {
        let loosed = match guarded.run_command(&mut entry, &request.command, command::Changes::new(), request.timeout, on) {
            Ok(loosed) => loosed,
            Err(error) => {
                let closed = entry.close(state);
                return Err(not_started(closed.err().map_or(error, |second| second.within("the journal"))));
            }
        };
        report.ended(&loosed);
        report.state = put_back(guarded, &before, &loosed, on, &mut report);
        if !matches!(report.state, State::Unknown { .. })
            && let Err(error) = entry.close(state)
        {
            report.notes.push(format!("the journal could not be closed, so the next run will ask about this one: {error}"));
        }
        Ok(report)
    })
}

fn refuse_placeholders(request: &Request) -> Result<()> {
    match request.command.argv().iter().find(|word| on_clone::has_placeholder(word)) {
        Some(word) => Err(Error::usage(format!("{} stands for a clone, and --in-place makes none", word.to_string_lossy()))),
        None => Ok(()),
    }
}

/// The safety backup, and the clone that proves it.
fn back_up(guarded: &Guarded<'_>, probe: &Probe, request: &Request, on: &dyn Onlooker) -> Result<(Before, backup::Report)> {
    let wanted = backup::Request {
        kind: manifest::Kind::Safety,
        reason: Some(format!("before the tests {}", request.command.line())),
        tags: Vec::new(),
        verify: guarded.environment.verify.max(Level::Restore),
        prune: true,
    };
    let Made { report, proven } = guarded.back_up(probe, &wanted, on).map_err(|error| error.within("the backup before the tests"))?;
    let proven = proven.ok_or_else(|| {
        let problem = report.manifest.problems.first().map_or("", String::as_str);
        Error::failed(format!("the database is not sound, so no tests were run: {problem}"))
            .hint(format!("{} holds it as it is", report.id))
    })?;
    Ok((Before::proven(Backup::open(&report.folder)?, guarded.settings()?, proven)?, report))
}

/// The clone goes, or stays for inspection.
fn put_away(clone: Box<dyn Workspace>, keep: bool, report: &mut Report) {
    if !keep {
        return;
    }
    match clone.keep() {
        Ok(left) => report.kept = Some(left),
        Err(error) => report.notes.push(format!("the clone could not be kept: {error}")),
    }
}

/// Compares the real database with what it was, and undoes what the tests did to it where that is asked for.
fn prove_untouched(guarded: Guarded<'_>, before: &Before, request: &Request, on: &dyn Onlooker, report: &mut Report) {
    on.begin("compare", None);
    let found = guarded.found(before, REACH_WAIT);
    on.end();
    match found {
        Found::Unchanged => return,
        Found::Unknown(why) => {
            report.state = State::Unknown { why };
            return;
        }
        Found::Changed(changes) => report.leak = Some(changes),
        Found::Broken(why) => report.damage = Some(why),
    }
    report.state = match request.on_leak {
        OnLeak::Report => State::Leaked,
        OnLeak::Restore => undo_leak(guarded, before, on, report),
    };
}

fn undo_leak(guarded: Guarded<'_>, before: &Before, on: &dyn Onlooker, report: &mut Report) -> State {
    on.note(&format!("the tests reached the real database; bringing {} back", before.backup().id()));
    let alone = match guarded.alone() {
        Ok(alone) => alone,
        Err(error) => return failed(&error),
    };
    match alone.found(before, REACH_WAIT) {
        // Somebody whose tests ran beside ours has seen it too, and was faster.
        Found::Unchanged => State::BroughtBack { kept_aside: None },
        _ => back(alone.bring_back(before, on), report),
    }
}

fn put_back(guarded: &Guarded<'_>, before: &Before, loosed: &Loosed, on: &dyn Onlooker, report: &mut Report) -> State {
    if let Some(why) = &loosed.seen_off.at_large {
        return State::Unknown { why: why.clone() };
    }
    if !loosed.ended.left_behind.is_empty() {
        return State::Unknown { why: "the tests have left processes that may still write".to_owned() };
    }
    on.begin("compare", None);
    let found = guarded.found(before, REACH_WAIT);
    on.end();
    match found {
        Found::Unchanged => State::Untouched,
        // Also what cannot be compared any more goes back: that was promised whatever the tests do.
        Found::Changed(_) | Found::Broken(_) | Found::Unknown(_) => back(guarded.bring_back_after_tests(before, on), report),
    }
}

fn back(brought: Result<BroughtBack>, report: &mut Report) -> State {
    match brought {
        Ok(brought) => {
            report.notes.extend(brought.notes);
            State::BroughtBack { kept_aside: brought.kept_aside }
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &Error) -> State {
    State::Unknown { why: format!("bringing it back failed: {error}") }
}
