//! What to do about a run that was interrupted: bring it to its end, or leave the database as it is.

use serde::Serialize;

use std::time::Duration;

use super::judge::{self, Case};
use super::report::{Outcome, Report, State};
use crate::clock;
use crate::error::{Error, Result};
use crate::guardian::{self, Approval, Intent, Loses, Operation};
use crate::interrupt;
use crate::journal::{Entry, Kind, Stage};
use crate::rules::Migration;
use crate::verbs::before::Before;
use crate::verbs::guarded::{Found, Guarded, Onlooker, still_at_work};

/// A run that was interrupted, and the state that the database is in now.
pub struct Standing<'a> {
    /// What the journal says.
    pub entry: Entry,
    found: Found,
    guarded: Guarded<'a>,
    /// The state before, or why it cannot be had any more.
    before: Result<Before>,
    /// What the server may still do for it.
    work: Vec<String>,
}

/// A standing run as `--resume -n` prints it.
#[derive(Debug, Serialize)]
pub struct Described {
    /// The database.
    pub target: String,
    /// What was run.
    pub command: String,
    /// When.
    pub began_at: String,
    /// How far it got.
    pub stage: Stage,
    /// The backup that holds the state before.
    pub backup: String,
    /// What is different now.
    pub found: String,
    /// What `--resume` does.
    pub resume: String,
}

/// Looks at the run that stands on an environment's database.
///
/// Errors: [`crate::error::Kind::Busy`] while its command still runs; of kind `Bad` where none stands.
pub fn standing<'a>(environment: &'a crate::environment::Environment, store: &'a crate::store::Store, kind: Kind) -> Result<Standing<'a>> {
    let guarded = Guarded::take(environment, store)?;
    let target = guarded.engine.location();
    let entry = Entry::read(store.state(), &target)?
        .ok_or_else(|| Error::failed(format!("no interrupted run stands on {target}")).hint("there is nothing to resume or to abandon"))?;
    if entry.kind != kind {
        let tool = entry.kind.tool();
        return Err(Error::usage(format!("what stands on {target} is an interrupted {tool}")).hint(format!("use {tool}")));
    }
    if !entry.running().is_empty() {
        return Err(guarded.stands(&entry));
    }
    guarded.engine.recover()?;
    let before = guarded.before(&entry).map_err(|error| error.within("the backup before the command"));
    let found = match &before {
        Ok(before) => guarded.found(before, Duration::ZERO),
        Err(error) => Found::Unknown(error.to_string()),
    };
    let work = guarded.at_work(&entry.badge);
    Ok(Standing { entry, found, guarded, before, work })
}

impl Described {
    /// One line a fact.
    pub fn lines(&self, is_abandoned: bool) -> Vec<String> {
        vec![
            format!("interrupted  {} on {}, begun {}", self.command, self.target, self.began_at),
            format!("backup       {}", self.backup),
            format!("found        {}", self.found),
            match is_abandoned {
                true => "abandon      the database stays as it is".to_owned(),
                false => format!("resume       {}", self.resume),
            },
        ]
    }
}

impl Standing<'_> {
    /// What it is, for a person and for `--json`.
    pub fn describe(&self) -> Described {
        Described {
            target: self.entry.target.clone(),
            command: self.entry.command.clone(),
            began_at: clock::readable(self.entry.began_at),
            stage: self.entry.stage,
            backup: self.entry.backup.clone(),
            found: match &self.found {
                _ if !self.work.is_empty() => still_at_work(&self.work),
                Found::Unchanged => "the database is exactly as it was before".to_owned(),
                Found::Changed(changes) => changes.summary(),
                Found::Broken(why) | Found::Unknown(why) => why.clone(),
            },
            resume: match (&self.found, self.entry.stage, self.entry.kind) {
                _ if self.before.is_err() => "nothing can be brought back".to_owned(),
                (Found::Unchanged, _, _) if self.work.is_empty() => "nothing is to be brought back".to_owned(),
                (_, Stage::Ended { status: 0 }, Kind::Migration) => {
                    "the command had succeeded: its result is judged by the rules that it began with, and kept where it keeps to them"
                        .to_owned()
                }
                _ => format!("the state of {} is brought back, and the present one kept aside", self.entry.backup),
            },
        }
    }

    /// What the guardian is asked about.
    fn operation(&self) -> Operation {
        match self.entry.kind {
            Kind::Migration => Operation::Migrate,
            Kind::InPlaceTest => Operation::TestInPlace,
        }
    }

    /// What the guardian is asked before the run is ended.
    pub fn request(&self, is_abandoned: bool) -> Result<guardian::Request> {
        let described = self.describe();
        let (step, loses) = match is_abandoned {
            true => ("the database stays as it is".to_owned(), Loses::Nothing),
            false if matches!(self.found, Found::Unchanged) && self.work.is_empty() => (described.resume, Loses::Nothing),
            false => (described.resume, Loses::Kept("what is there now is replaced, and kept aside".to_owned())),
        };
        guardian::Request::of(Intent {
            operation: self.operation(),
            target: self.entry.target.clone(),
            identity: self.guarded.engine.identity(),
            environment: Some(self.guarded.environment),
            subject: self.entry.command.clone(),
            loses,
            state: guardian::State::default().with("the plan", step).with("the run", self.entry.badge.run.clone()),
            marker: self.guarded.engine.marker().ok().flatten(),
            store: Some(self.guarded.store),
        })
    }

    fn report(&self) -> Report {
        let described = self.describe();
        let manifest = self.before.as_ref().ok().map(|before| before.backup().manifest());
        Report {
            environment: self.entry.environment.clone(),
            target: described.target,
            command: described.command,
            backup: described.backup,
            proven: manifest
                .and_then(|manifest| manifest.verification.as_ref())
                .is_some_and(|passed| passed.level >= crate::manifest::Level::Restore),
            backup_at: manifest.map(|manifest| clock::readable(manifest.created_at)),
            rehearsal: None,
            command_status: match self.entry.stage {
                Stage::Ended { status } => Some(status),
                _ => None,
            },
            command_ms: None,
            outcome: Outcome::Resumed,
            reasons: Vec::new(),
            changes: None,
            state: State::Unchanged,
            left_behind: Vec::new(),
            kept: None,
            notes: Vec::new(),
        }
    }
}

/// Brings an interrupted run to its end: what had succeeded is judged by the rules that it began with, all else goes back to
/// the state before.
pub fn resume(standing: Standing<'_>, approval: &Approval, on: &dyn Onlooker) -> Result<Report> {
    approval.require(standing.operation(), &standing.entry.target)?;
    let rules = standing.entry.rules.clone();
    judge::require_check(&rules)?;
    let mut report = standing.report();
    let Standing { entry, guarded, before, .. } = standing;
    let before = before.map_err(|error| hint_at_other_ways(error, &entry))?;
    // Who resumes has decided that it goes back, whatever was to be done had the command failed by itself.
    let rules = Migration { on_failure: crate::rules::OnFailure::Restore, ..rules };
    let case = Case { guarded: &guarded, rules: &rules, before: &before, on };
    let told = |_| on.note("this goes on to its end; once more ends it, and leaves that to another --resume");
    interrupt::shield(told, || case.settle(entry, None, &mut report));
    Ok(report)
}

fn hint_at_other_ways(error: Error, entry: &Entry) -> Error {
    let (tool, name) = (entry.kind.tool(), &entry.environment);
    error.hint(format!(
        "look for another backup of that time: restore-db -e {name} --list; when the database is as it should be: {tool} -e {name} --abandon"
    ))
}

/// Takes an interrupted run out of the journal and leaves the database as it is.
pub fn abandon(standing: Standing<'_>, approval: &Approval) -> Result<Report> {
    approval.require(standing.operation(), &standing.entry.target)?;
    let mut report = standing.report();
    match &standing.found {
        _ if !standing.work.is_empty() => {
            report.notes.push(still_at_work(&standing.work));
            report.state = State::Kept;
        }
        Found::Unchanged => {}
        Found::Changed(changes) => {
            report.changes = Some(changes.clone());
            report.state = State::Kept;
        }
        Found::Broken(why) | Found::Unknown(why) => {
            report.notes.push(why.clone());
            report.state = State::Kept;
        }
    }
    standing.entry.close(standing.guarded.store.state())?;
    Ok(report)
}
