//! The database that a command is let loose on: held, known to be in a state that was meant, and brought back where it must be.

mod loosed;

pub(super) use loosed::{Loose, Loosed};

use std::time::{Duration, Instant};

use super::backup::{self, Made};
use super::before::{Before, Since};
use super::restore::{self, Means, Origin, Target};
use super::undo::{self, Record};
use crate::backup::Backup;
use crate::catalog::Catalog;
use crate::changes::Changes;
use crate::clock;
use crate::command::{self, Ended, Wrapped};
use crate::engine::{Engine, Live, Probe, Settings};
use crate::environment::Environment;
use crate::error::{self, Error, Result};
use crate::exit;
use crate::fsx;
use crate::interrupt;
use crate::journal::{Entry, Kind, Stage};
use crate::lock::{self, Held};
use crate::marker;
use crate::process::{self, Process};
use crate::progress::Progress;
use crate::rules::Migration;
use crate::state_dir::StateDir;
use crate::store::Store;

/// How long a database that does not answer after a command is asked again: servers restart.
pub(super) const REACH_WAIT: Duration = Duration::from_secs(60);
/// How long others who work beside us are waited for: a backup of theirs, a test run.
const ALONE_WAIT: Duration = Duration::from_secs(10 * 60);
/// The pause between two questions.
const REACH_PAUSE: Duration = Duration::from_millis(500);

/// An environment's database under guard: nobody else restores it, migrates it or tests on it meanwhile.
pub struct Guarded<'a> {
    /// The environment.
    pub environment: &'a Environment,
    /// Its store.
    pub store: &'a Store,
    /// Its database.
    pub engine: Box<dyn Engine>,
    held: lock::Target,
}

/// Sees a guarded run as it goes on: takes its progress and its messages, and answers its questions.
pub trait Onlooker: Progress {
    /// Something that a person should know now.
    fn note(&self, line: &str);

    /// The command begins; `place` is where it works: the real database, or a clone.
    fn command_begins(&self, line: &str, place: &str);

    /// The command has ended.
    fn command_ended(&self, ended: &Ended);

    /// Whether the old state is to come back; asked where `on_failure` is `ask`.
    fn wants_rollback(&self, question: &str) -> Result<bool>;
}

/// What a database is after something was let loose on it, against what it was before.
pub(super) enum Found {
    /// Not one row and no definition is different.
    Unchanged,
    /// A database with differences.
    Changed(Changes),
    /// Nothing, or something that is no sound database, and why.
    Broken(String),
    /// It cannot be known, and why.
    Unknown(String),
}

/// What became of a database that was brought back.
#[derive(Debug)]
pub struct BroughtBack {
    /// The name of the failed state, which is kept.
    pub kept_aside: Option<String>,
    /// What a person should know.
    pub notes: Vec<String>,
}

impl<'a> Guarded<'a> {
    /// Takes the database of an environment under guard, in whatever state it is.
    pub(super) fn take(environment: &'a Environment, store: &'a Store) -> Result<Self> {
        let engine = environment.engine(store.state())?;
        let held = restore::hold(&*engine, store.state(), environment.wait)?;
        Ok(Guarded { environment, store, engine, held })
    }

    /// Takes a database that can be worked on under guard. Refuses one whose marker says that it is another's, and one on
    /// which an interrupted run stands in the journal.
    pub fn begin(environment: &'a Environment, store: &'a Store) -> Result<(Self, Probe)> {
        Self::take(environment, store)?.require_sound()
    }

    fn require_sound(self) -> Result<(Self, Probe)> {
        let location = self.engine.location();
        if let Some(entry) = Entry::read(self.store.state(), &location)? {
            return Err(self.stands(&entry));
        }
        for done in self.engine.recover()? {
            tracing::warn!("{done}");
        }
        let probe = self.engine.probe()?;
        marker::require(probe.marker.as_ref(), &self.environment.name, &location)?;
        Ok((self, probe))
    }

    /// Looks at a database as a dry run may: refuses as [`Guarded::begin`] does, and touches and holds nothing.
    pub fn look(environment: &Environment, state: &StateDir) -> Result<(Box<dyn Engine>, Probe)> {
        let engine = environment.engine(state)?;
        let location = engine.location();
        if let Some(entry) = Entry::read(state, &location)? {
            let tool = entry.kind.tool();
            return Err(Error::refused(format!("an interrupted {tool} stands on {location}: {}", entry.command))
                .hint(format!("see what it would take to end it: {tool} -e {} --resume -n", environment.name)));
        }
        let probe = engine.probe()?;
        marker::require(probe.marker.as_ref(), &environment.name, &location)?;
        Ok((engine, probe))
    }

    /// As [`Guarded::begin`], beside others who leave the database alone too: test runs on clones of it.
    pub fn beside_others(environment: &'a Environment, store: &'a Store) -> Result<(Self, Probe)> {
        let engine = environment.engine(store.state())?;
        let held = lock::Target::share(store.state(), &engine.location(), engine.identity().as_deref(), environment.wait)?;
        Self { environment, store, engine, held }.require_sound()
    }

    /// Waits until nobody else works beside us.
    pub(super) fn alone(self) -> Result<Self> {
        let Guarded { environment, store, engine, held } = self;
        drop(held);
        let wait = environment.wait.max(ALONE_WAIT);
        let held = lock::Target::acquire(store.state(), &engine.location(), engine.identity().as_deref(), wait)?;
        Ok(Guarded { environment, store, engine, held })
    }

    /// Makes a backup and, where that is asked for, the proof that it restores.
    pub(super) fn back_up(&self, probe: &Probe, request: &backup::Request, progress: &dyn Progress) -> Result<Made> {
        // Of many test runs at once each makes its own; that takes as long as a backup, so it is waited for.
        let wait = self.environment.wait.max(ALONE_WAIT);
        let held = Held::acquire(self.store.state(), self.store.id(), &self.environment.name, wait)?;
        backup::make_and_prune(self.environment, self.store, &held, &*self.engine, probe, request, progress)
    }

    /// Writes down that a command is about to be let loose on the database, and what brings the state before back.
    pub(super) fn open_journal(&self, kind: Kind, command: &Wrapped, rules: &Migration, backup: &Backup) -> Result<Entry> {
        let entry = Entry {
            badge: self.engine.badge(&fsx::random_hex(8)?),
            kind,
            environment: self.environment.name.clone(),
            target: self.engine.location(),
            backup: backup.id().to_owned(),
            folder: backup.folder().to_owned(),
            command: command.line(),
            rules: rules.clone(),
            began_at: clock::now(),
            runner: Process::own(),
            child: None,
            left_behind: Vec::new(),
            stage: Stage::Running,
        };
        entry.write(self.store.state())?;
        Ok(entry)
    }

    /// Runs a command on the real database, and notes its process and its end. An error says that it was not started.
    pub(super) fn run_command(
        &self,
        entry: &mut Entry,
        command: &Wrapped,
        variables: command::Changes,
        timeout: Option<Duration>,
        on: &dyn Onlooker,
    ) -> Result<Loosed> {
        let state = self.store.state();
        let badge = entry.badge.clone();
        let starts = |child: &Process| {
            entry.child = Some(child.clone());
            entry.write(state)?;
            on.command_begins(&command.line(), &self.engine.location());
            Ok(())
        };
        let loosed = self.let_loose(Loose { badge: &badge, command, variables, timeout }, starts, on)?;
        let ended = &loosed.ended;
        entry.left_behind.clone_from(&ended.left_behind);
        let status = if ended.timed_out { exit::TIMED_OUT } else { ended.status };
        if let Err(error) = entry.reach(Stage::Ended { status }, state) {
            // Whoever resumes it takes the command for interrupted, which is the safe side.
            tracing::warn!("the journal does not say that the command has ended: {error}");
        }
        Ok(loosed)
    }

    /// Refuses to go on where the old state could not be brought back; `otherwise` says how to go on without that.
    pub(super) fn require_way_back(&self, otherwise: &str) -> Result<()> {
        self.engine.require_swap().map_err(|error| {
            let hint = error.next_step().map(|hint| format!("{hint}; ")).unwrap_or_default();
            error.within("what fails could not be rolled back, so nothing was run").hint(format!("{hint}{otherwise}"))
        })
    }

    /// What its engine is set to.
    pub(super) fn settings(&self) -> Result<Settings> {
        self.environment.engine_settings(self.store.state())
    }

    /// The error that tells of a run that was interrupted, and of the state that the database is in now.
    pub(super) fn stands(&self, entry: &Entry) -> Error {
        let tool = entry.kind.tool();
        let name = &self.environment.name;
        let running = entry.running();
        if !running.is_empty() {
            let processes = process::list(&running);
            return Error::busy(format!("the command of an earlier {tool} is still running on {}: {processes}", entry.target)).hint(format!(
                "nobody watches over it any more: wait until it has ended, or end it, and then bring it to its end: {tool} -e {name} --resume"
            ));
        }
        let work = self.at_work(&entry.badge);
        let state = match self.before(entry) {
            _ if !work.is_empty() => still_at_work(&work),
            Ok(before) => match self.found(&before, Duration::ZERO) {
                Found::Unchanged => "the database is exactly as it was before".to_owned(),
                Found::Changed(changes) => format!("since then: {}", changes.summary()),
                Found::Broken(why) | Found::Unknown(why) => why,
            },
            Err(error) => format!("the backup cannot be read: {error}"),
        };
        Error::refused(format!(
            "an interrupted {tool} stands on {} ({}, begun {}, with the backup {}); {state}",
            entry.target,
            entry.command,
            clock::readable(entry.began_at),
            entry.backup
        ))
        .hint(format!("bring it to its end: {tool} -e {name} --resume; or leave the database as it is: {tool} -e {name} --abandon"))
    }

    /// The state before a run that stands in the journal. Retention may have moved its backup since.
    pub(super) fn before(&self, entry: &Entry) -> Result<Before> {
        let backup = Backup::open(&entry.folder).or_else(|error| {
            let catalog = Catalog::read(self.store, Some(&entry.environment))?;
            catalog.backups().find(|backup| backup.id() == entry.backup).cloned().ok_or(error)
        })?;
        Before::of(backup, self.settings()?)
    }

    /// What the database is now, against what it was before. One that does not answer is asked again for as long as `wait`.
    pub(super) fn found(&self, before: &Before, wait: Duration) -> Found {
        if let Some(elsewhere) = self.leads_elsewhere() {
            return Found::Unknown(elsewhere);
        }
        match self.live(wait) {
            Err(error) => return Found::Unknown(format!("the database does not answer, so nothing is known of its state: {error}")),
            Ok(Live::Missing) => return Found::Broken("the database is gone".to_owned()),
            Ok(Live::Broken(why)) => return Found::Broken(why),
            Ok(Live::Present { .. }) => {}
        }
        if let Some(why) = self.marker_is_spoilt(before) {
            return Found::Broken(why);
        }
        match before.compare(&*self.engine) {
            Ok(Since::Unchanged) => Found::Unchanged,
            Ok(Since::Changed(changes)) => Found::Changed(changes),
            Err(error) if error.kind() == error::Kind::Bad => Found::Broken(error.to_string()),
            Err(error) => {
                let waiting: String = self.engine.waiting().unwrap_or_default().iter().map(|line| format!("; {line}")).collect();
                Found::Unknown(format!("the database cannot be compared with the backup: {error}{waiting}"))
            }
        }
    }

    /// How the marker that the database had has changed: it is in no comparison, and the next run would go by it.
    fn marker_is_spoilt(&self, before: &Before) -> Option<String> {
        let name = &self.environment.name;
        match self.engine.marker() {
            _ if !before.is_marked() => None,
            Ok(None) => Some(format!("the database does not say any more that it is {name}: its table {} is gone or empty", marker::TABLE)),
            Ok(Some(found)) if found.is_real_of(name) => None,
            Ok(Some(found)) => Some(format!("the database says now that it is {found}, not {name}")),
            // What cannot be read for another reason is found by the comparison.
            Err(error) => {
                tracing::debug!("the marker cannot be read: {error}");
                None
            }
        }
    }

    /// Whether the environment's own words lead to another place than they did: a link that was changed.
    fn leads_elsewhere(&self) -> Option<String> {
        let (before, now) = (self.engine.location(), self.environment.engine(self.store.state()).ok()?.location());
        (now != before).then(|| format!("the database was {before}, and what names it leads to {now} now, which nobody has looked at"))
    }

    fn live(&self, wait: Duration) -> Result<Live> {
        let wait = wait.min(longest_wait());
        let start = Instant::now();
        loop {
            match self.engine.live() {
                // One that is only busy has been waited for already, for as long as the configuration says.
                Err(error) if error.kind() != error::Kind::Busy && start.elapsed() < wait => {
                    tracing::debug!("{} does not answer: {error}", self.engine.location());
                    std::thread::sleep(REACH_PAUSE);
                }
                other => return other,
            }
        }
    }

    /// Brings the state of a backup back, with what is there now kept aside, and makes sure that it is that state. A stop
    /// that is asked for meanwhile waits for its end.
    pub(super) fn bring_back(&self, before: &Before, on: &dyn Onlooker) -> Result<BroughtBack> {
        interrupt::replace_deadline(Some(self.environment.timeout));
        let told = |_| on.note("bringing the old state back goes on; once more ends it, and leaves that to --resume");
        interrupt::shield(told, || {
            self.put_back(before, on).or_else(|error| match self.found(before, Duration::ZERO) {
                // It failed after the swap, in noting that down.
                Found::Unchanged => {
                    let record = Record::read(self.store.state(), &*self.engine).ok().flatten();
                    let own = record.filter(|record| record.origin == before.backup().id());
                    Ok(BroughtBack { kept_aside: own.and_then(|record| record.kept.aside), notes: vec![error.to_string()] })
                }
                _ => Err(error),
            })
        })
    }

    /// As [`Guarded::bring_back`], where what is there now is what tests left: of that, only the newest is kept.
    pub(super) fn bring_back_after_tests(&self, before: &Before, on: &dyn Onlooker) -> Result<BroughtBack> {
        let mut brought = self.bring_back(before, on)?;
        if let Some(aside) = &brought.kept_aside
            && let Err(error) = undo::keep_newest_of_tests(&*self.engine, aside, &self.held, self.store.state())
        {
            brought.notes.push(format!("what earlier tests left could not be removed: {error}"));
        }
        Ok(brought)
    }

    fn put_back(&self, before: &Before, on: &dyn Onlooker) -> Result<BroughtBack> {
        let settings = self.settings()?;
        let origin = Origin::Backup(Box::new(before.backup().clone()));
        let target = Target { engine: self.environment.engine(self.store.state())?, environment: Some(self.environment), is_named: false };
        target.engine.recover()?;
        let plan = restore::plan(&origin, &target, false)?;
        let means = Means { state: self.store.state(), store: None, settings: &settings, wait: self.environment.wait, as_it_was: true };
        let report = restore::put_back(&plan, &origin, &target, &self.held, &means, on)?;
        let mut notes = report.notes;
        match before.compare_restored(&*self.engine) {
            Ok(Since::Unchanged) => {}
            Ok(Since::Changed(changes)) => notes.push(format!("others are writing to the database already: {}", changes.summary())),
            Err(error) => notes.push(format!("the database that was brought back could not be looked at once more: {error}")),
        }
        if let Some(error) = report.restart_error {
            notes.push(format!("the restart failed: {error}"));
        }
        Ok(BroughtBack { kept_aside: report.kept_aside, notes })
    }
}

/// A debug build takes `HOLDFAST_TEST_REACH_WAIT` seconds at most, where it is set, so that scenarios need not wait for a minute.
fn longest_wait() -> Duration {
    let text = if cfg!(debug_assertions) { std::env::var("HOLDFAST_TEST_REACH_WAIT").ok() } else { None };
    text.and_then(|text| text.parse().ok()).map_or(Duration::MAX, Duration::from_secs)
}

/// What is said of a run for which the server goes on working.
pub(super) fn still_at_work(work: &[String]) -> String {
    format!("the server is still at work there, and may be so for it: {}", work.join("; "))
}
