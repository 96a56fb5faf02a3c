//! `restore-db`: a backup becomes the live database again.
//!
//! Everything is checked before anything is touched; the new database is built beside the old one, compared, and swapped
//! in; the old one is kept aside. A [`Plan`] says all of that beforehand, and the run executes that very plan.

mod marked;
mod plan;

pub use plan::{Action, Plan, Step, plan};

use std::time::{Duration, Instant};

use serde::Serialize;

use super::backup::{self, Request};
use super::undo::{Record, Replaced};
use super::verify::{self, Demands, Verified, elapsed_ms};
use crate::backup::Backup;
use crate::clock;
use crate::engine::{Beside, Content, Depth, Engine, Live, Settings};
use crate::environment::Environment;
use crate::error::{Error, Kind, Result};
use crate::exec::Call;
use crate::fingerprint::Fingerprint;
use crate::foreign::Foreign;
use crate::frames::open::ANOTHER;
use crate::guardian::{Approval, Operation};
use crate::id;
use crate::interrupt;
use crate::lock::{self, Held};
use crate::manifest::{self, Database, EngineName, Level};
use crate::progress::Progress;
use crate::state_dir::StateDir;
use crate::store::Store;
use plan::refuse_mismatch;

/// What is to be restored.
pub enum Origin {
    /// A backup of a store.
    Backup(Box<Backup>),
    /// A dump file.
    File(Foreign),
}

impl Origin {
    fn named(&self) -> String {
        match self {
            Origin::Backup(backup) => backup.id().to_owned(),
            Origin::File(file) => file.path().display().to_string(),
        }
    }

    fn engine(&self) -> Result<EngineName> {
        match self {
            Origin::Backup(backup) => Ok(self.database_of(backup)?.engine),
            Origin::File(file) => Ok(file.content().engine()),
        }
    }

    fn database_of<'a>(&self, backup: &'a Backup) -> Result<&'a Database> {
        backup.database()?;
        backup.manifest().database.as_ref().ok_or_else(|| Error::bad(format!("{} holds no database", backup.id())))
    }

    fn database(&self) -> Option<&Database> {
        match self {
            Origin::Backup(backup) => backup.manifest().database.as_ref(),
            Origin::File(_) => None,
        }
    }

    fn fingerprint(&self) -> Option<&Fingerprint> {
        match self {
            Origin::Backup(backup) => backup.manifest().fingerprint.as_ref(),
            Origin::File(_) => None,
        }
    }

    fn is_proven(&self) -> bool {
        matches!(self, Origin::Backup(backup) if backup.manifest().verification.is_some())
    }

    fn plain_bytes(&self) -> Result<u64> {
        match self {
            Origin::Backup(backup) => Ok(backup.database()?.plain_bytes),
            Origin::File(file) => Ok(file.path().metadata().map_or(0, |found| found.len())),
        }
    }
}

/// Where it is to be restored to.
pub struct Target<'a> {
    /// The database.
    pub engine: Box<dyn Engine>,
    /// The environment whose database that is, where it is one's.
    pub environment: Option<&'a Environment>,
    /// Whether the user named it, with `--to` or `-d`; then another environment's backup may be meant.
    pub is_named: bool,
}

/// What a restore did.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The plan that was executed.
    pub plan: Plan,
    /// Where the database is.
    pub target: String,
    /// The safety backup's id.
    pub safety_backup: Option<String>,
    /// What was kept aside.
    pub kept_aside: Option<String>,
    /// How long the load took.
    pub load_ms: u64,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Why the restart command failed, where it did.
    pub restart_error: Option<String>,
}

/// Takes the right to work on a database, under whatever name others know it.
pub fn hold(engine: &dyn Engine, state: &StateDir, wait: Duration) -> Result<lock::Target> {
    lock::Target::acquire(state, &engine.location(), engine.identity().as_deref(), wait)
}

/// Ends what a killed restore into this target left half done, and says what it did. Without it a database that was
/// closed for a swap could be neither planned for nor backed up first.
pub fn put_right(origin: &Origin, target: &Target<'_>, held: &lock::Target) -> Result<Vec<String>> {
    refuse_mismatch(origin, target)?;
    held.require(&target.engine.location())?;
    target.engine.recover()
}

/// What the run may use.
pub struct Means<'a> {
    /// The local state directory.
    pub state: &'a StateDir,
    /// Where the safety backup goes, and under which environment; none where there is no store.
    pub store: Option<(&'a Store, &'a Environment)>,
    /// For checks.
    pub settings: &'a Settings,
    /// How long to wait for a lock.
    pub wait: Duration,
    /// Whether the very state of the backup is wanted, with the marker that it had and whatever the configuration's queries say
    /// of it, and with what stood around the database then: it was here a moment ago.
    pub as_it_was: bool,
}

/// Executes a plan, on a target that is held. The approval is for it too.
///
/// Until the swap every error leaves the target as it was.
pub fn run(
    plan: &Plan,
    origin: &Origin,
    target: &Target<'_>,
    held: &lock::Target,
    approval: &Approval,
    means: &Means<'_>,
    progress: &dyn Progress,
) -> Result<Report> {
    approval.require(Operation::Restore, &plan.target)?;
    put_back(plan, origin, target, held, means, progress)
}

/// As [`run`], for whoever has an approval already that says what brings the old state back: a migration, a test run.
pub(super) fn put_back(
    plan: &Plan,
    origin: &Origin,
    target: &Target<'_>,
    held: &lock::Target,
    means: &Means<'_>,
    progress: &dyn Progress,
) -> Result<Report> {
    let engine = &*target.engine;
    held.require(&plan.target)?;
    held.require(&engine.location())?;
    let mut notes = engine.recover()?;
    let live = engine.live()?;
    refuse_surprise(plan, &live)?;
    let restore_id = id::stamp(clock::now())?;

    let proof = prove(origin, means, progress)?;
    engine.require_room(origin.plain_bytes()?)?;
    tracing::info!("restoring {} into {}", plan.origin, plan.target);
    let start = Instant::now();
    progress.begin("load", Some(origin.plain_bytes()?));
    let mut beside = engine.beside(origin.database(), &restore_id)?;
    load(origin, proof.as_ref(), &mut *beside).map_err(|error| {
        let error = match origin {
            Origin::Backup(backup) => damaged(error, backup, means, progress),
            Origin::File(_) => error,
        };
        error.within("the load failed, the target is as it was")
    })?;
    if means.as_it_was {
        beside.bring_properties();
    }
    let load_ms = elapsed_ms(start);
    let asserts = target.environment.filter(|_| !means.as_it_was).map_or(&[][..], |environment| &environment.asserts);
    compare(origin, &*beside, asserts)?;
    let expected = if !means.as_it_was && marked::settle(origin, target, &live, &*beside)? {
        // The marker's table may have come with it.
        Some(beside.loaded().fingerprint(Depth::Rows)?)
    } else {
        origin.fingerprint().cloned()
    };
    progress.end();

    // As late as can be, so that it holds what was written while the new database was loaded.
    let safety_backup = if plan.has(Action::SafetyBackup) { Some(back_up_first(engine, plan, means, progress)?) } else { None };
    interrupt::check()?;
    let was_empty = safety_backup.is_none() && matches!(engine.live()?, Live::Present { is_empty: true, .. });
    let replaced = Replaced { kept: engine.would_keep(&restore_id)?, safety_backup: safety_backup.clone(), was_empty };
    let record = Record::begin(means.state, engine, &plan.origin, replaced)?;
    let kept = match beside.swap() {
        Ok(kept) => kept,
        Err(error) => {
            record.withdraw(means.state)?;
            return Err(error.within("the swap failed"));
        }
    };
    // The database is in place: what fails from here on is told beside it, where its very state is all that counts.
    let after = |result: Result<()>, notes: &mut Vec<String>| match result {
        Err(error) if means.as_it_was => {
            notes.push(error.to_string());
            Ok(())
        }
        other => other,
    };
    after(record.complete(means.state, kept.clone()), &mut notes)?;
    tracing::info!(load_ms, kept_aside = kept.aside, "{} is restored", plan.target);
    match compare_live(expected.as_ref(), engine) {
        Ok(found) => notes.extend(found),
        Err(error) => after(Err(error), &mut notes)?,
    }
    let restart = target.environment.and_then(|environment| environment.restart.as_deref());
    Ok(Report {
        plan: plan.clone(),
        target: plan.target.clone(),
        safety_backup,
        kept_aside: kept.aside,
        load_ms,
        notes,
        restart_error: restart.and_then(|command| restart_application(command).err()).map(|error| error.to_string()),
    })
}

/// Between the plan and this moment, a person may have thought about it for an hour: what was empty then may be in use now.
fn refuse_surprise(plan: &Plan, live: &Live) -> Result<()> {
    let holds_something = matches!(live, Live::Broken(_) | Live::Present { is_empty: false, .. });
    if holds_something && !plan.has(Action::SafetyBackup) && !plan.has(Action::NoSafetyBackup) {
        return Err(Error::refused(format!("{} was empty when the restore was planned, and is not any more", plan.target))
            .hint("look at what is there now, and run it again"));
    }
    Ok(())
}

/// Reads everything once before the first byte is sent to a server. For a backup that gives the proof by which it is loaded.
///
/// A SQLite image is loaded into a file of ours, not sent: there the load is that reading, every chunk against its hash.
fn prove(origin: &Origin, means: &Means<'_>, progress: &dyn Progress) -> Result<Option<Verified>> {
    match origin {
        Origin::File(file) => {
            progress.begin("check", None);
            verify::whole(file.content(), &mut file.read()?).map_err(|error| error.within(file.path().display()))?;
            progress.end();
            Ok(None)
        }
        Origin::Backup(backup) => {
            let component = backup.database()?;
            let is_sent = verify::content_of(backup, component)? != Content::SqliteImage;
            if !is_sent {
                backup.index(component).map_err(|error| damaged(error, backup, means, progress))?;
            }
            let level = if is_sent { Level::Structure } else { Level::Quick };
            let demands = Demands { level, min_size: None, asserts: &[], settings: means.settings };
            let outcome = verify::verify_database(backup, &demands, progress)?;
            match (&outcome.verified, outcome.findings.first()) {
                (Some(verified), _) => Ok(Some(verified.clone())),
                (None, finding) => {
                    let error = Error::bad(format!("{} is bad: {}", backup.id(), finding.map_or("", String::as_str)));
                    Err(damaged(error.hint(format!("nothing was touched; {ANOTHER}")), backup, means, progress))
                }
            }
        }
    }
}

/// The error of whoever reads a backup; what is wrong with that is noted down.
fn damaged(error: Error, backup: &Backup, means: &Means<'_>, progress: &dyn Progress) -> Error {
    if error.kind() == Kind::Bad {
        verify::note_damage(means.store.map(|(store, _)| store), backup, means.settings, progress);
    }
    error
}

fn back_up_first(engine: &dyn Engine, plan: &Plan, means: &Means<'_>, progress: &dyn Progress) -> Result<String> {
    let Some((store, environment)) = means.store else {
        return Err(Error::refused("there is no store for the safety backup").hint("name one with --store, or say --no-safety-backup"));
    };
    let held = Held::acquire(means.state, store.id(), &environment.name, means.wait)?;
    let request = Request {
        kind: manifest::Kind::Safety,
        reason: Some(format!("before the restore of {}", plan.origin)),
        tags: Vec::new(),
        verify: Level::Structure,
        prune: false,
    };
    let cannot =
        |error: Error| error.within("no safety backup could be made, nothing was touched").hint("see why, or say --no-safety-backup");
    let probe = engine.probe().map_err(cannot)?;
    let made = backup::make(environment, store, &held, engine, &probe, &request, progress).map_err(cannot)?;
    Ok(made.report.id)
}

fn load(origin: &Origin, proof: Option<&Verified>, beside: &mut dyn Beside) -> Result<()> {
    match (origin, proof) {
        (Origin::Backup(_), Some(verified)) => {
            let backup = verified.backup();
            let component = backup.database()?;
            let content: Content = verify::content_of(backup, component)?;
            beside.load(content, &mut backup.read(component)?)
        }
        (Origin::File(file), _) => beside.load(file.content(), &mut file.read()?),
        (Origin::Backup(backup), None) => Err(Error::failed(format!("{} was not verified", backup.id()))),
    }
}

/// Whether what was loaded is what the backup says; anything else ends the restore before the swap.
fn compare(origin: &Origin, beside: &dyn Beside, asserts: &[crate::config::Assert]) -> Result<()> {
    // The image of a backup has just been found to be, byte for byte, the one that passed this check when it was made.
    let mut findings = if origin.is_proven() { Vec::new() } else { beside.loaded().examine()? };
    if let Some(expected) = origin.fingerprint() {
        findings.extend(expected.differences(&beside.loaded().fingerprint(Depth::Rows)?));
    }
    findings.extend(verify::asserts(beside, asserts));
    match findings.as_slice() {
        [] => Ok(()),
        [first, rest @ ..] => {
            let more = if rest.is_empty() { String::new() } else { format!(" (and {} more)", rest.len()) };
            Err(Error::bad(format!("the restored database is not what {} says: {first}{more}", origin.named()))
                .hint("the target is as it was; restore another backup"))
        }
    }
}

/// Looks at the database once more at its real place. An application that writes already may have added rows.
fn compare_live(expected: Option<&Fingerprint>, engine: &dyn Engine) -> Result<Vec<String>> {
    let Some(expected) = expected else { return Ok(Vec::new()) };
    let found = engine.fingerprint(Depth::Rows).map_err(|error| error.within("the database is in place, but it cannot be looked at"))?;
    let differences = expected.differences(&found);
    if differences.is_empty() {
        return Ok(Vec::new());
    }
    let only_grew = expected.schema_sha256 == found.schema_sha256
        && expected.tables.iter().all(|(name, table)| found.tables.get(name).is_some_and(|now| now.rows >= table.rows));
    let all = differences.join("; ");
    if only_grew {
        return Ok(vec![format!("the application is writing already: {all}")]);
    }
    Err(Error::failed(format!("the restored database is in place but differs from the backup: {all}"))
        .hint("if no application has changed it since, bring the old one back: restore-db --undo"))
}

fn restart_application(command: &[String]) -> Result<()> {
    // What it says is not read: a daemon that it starts may hold its stdout open for ever.
    let ended = Call::of_words(command).and_then(Call::sink).and_then(|mut sink| sink.finish());
    ended.map(|_| ()).map_err(|error| error.as_kind(Kind::Partial))
}
