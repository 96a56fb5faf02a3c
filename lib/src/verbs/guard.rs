//! `backup-guard`: every promise checked, from outside the job that made the backups.
//!
//! What cannot be found out is reported as unknown, and unknown counts as bad.

mod chains;
mod history;
mod standing;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::prune;
use super::standing::Standings;
use super::verify::{self, Demands};
use crate::backup::Backup;
use crate::catalog::{Catalog, Entry};
use crate::checks::{self, Check};
use crate::clock;
use crate::config::duration;
use crate::environment::Environment;
use crate::error::{Kind, Result};
use crate::fsx;
use crate::id;
use crate::interrupt;
use crate::known;
use crate::lock;
use crate::manifest::{Level, Type};
use crate::progress::Progress;
use crate::retention;
use crate::store::Store;
use crate::sync_state::{self, SyncProbe, SyncState};
use crate::versions;

/// How long a file that is only in the cloud may take to come down before its check is given up.
const DOWNLOAD_MAX: Duration = Duration::from_secs(600);
/// Under this size a backup is worth a look, where no `min_size` is set: size alone proves nothing.
const SMALL_BYTES: u64 = 10_000;
/// As many missing backups are named; of more `backup-catalog forget --all -n` shows the rest.
const MISSING_NAMED_MAX: usize = 8;

/// How a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// Worth a look; does not fail the run.
    Warning,
    /// Broken.
    Failed,
    /// It could not be found out, which counts as bad.
    Unknown,
}

impl State {
    /// Whether it makes the run end with status 3.
    pub fn is_bad(self) -> bool {
        self >= State::Failed
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Failed => "FAILED",
            State::Unknown => "UNKNOWN",
        }
    }
}

/// One promise, and whether it is kept.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// Which promise: `age`, `size`, `verify`, …
    pub check: &'static str,
    /// The environment it is about; none for the store as a whole.
    pub environment: Option<String>,
    /// The backup it is about, where it is about one.
    pub backup: Option<String>,
    /// How it stands.
    pub state: State,
    /// What was found.
    pub message: String,
}

/// The newest good backup of an environment, in figures.
#[derive(Debug, Clone, Serialize)]
pub struct Newest {
    /// The environment.
    pub environment: String,
    /// The backup's id.
    pub id: String,
    /// How old it is.
    pub age_seconds: i64,
    /// Its size in the store.
    pub stored_bytes: u64,
    /// The rows of its tables.
    pub rows: Option<u64>,
    /// How many good backups the environment has.
    pub verified_backups: u64,
    /// How many newer ones are incomplete: they lack files, or hold torn ones.
    pub incomplete_since: u64,
    /// When a backup of it last restored into a scratch database.
    pub last_rehearsal: Option<String>,
    /// How long that took: the recovery time to expect.
    pub restore_ms: Option<u64>,
}

/// Everything that was found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// The findings: the store first, then environment by environment.
    pub findings: Vec<Finding>,
    /// The figures.
    pub newest: Vec<Newest>,
}

impl Report {
    /// The worst state of all.
    pub fn worst(&self) -> State {
        self.findings.iter().map(|finding| finding.state).max().unwrap_or(State::Unknown)
    }

    fn add(&mut self, check: &'static str, environment: Option<&str>, state: State, message: impl Into<String>) {
        self.findings.push(Finding { check, environment: environment.map(str::to_owned), backup: None, state, message: message.into() });
    }
}

/// What a run looks at.
pub struct Scope<'a> {
    /// The environments, each with its rules.
    pub environments: Vec<Ruled<'a>>,
    /// The one backup that was asked for; none for all.
    pub only: Option<Backup>,
    /// How thoroughly each backup is checked.
    pub level: Level,
}

/// An environment and the rules that hold for it.
pub struct Ruled<'a> {
    /// The environment.
    pub environment: &'a Environment,
    /// How old its newest backup may be; none where no schedule is known.
    pub max_age: Option<Duration>,
}

/// Checks a store.
pub fn run(store: &Store, scope: &Scope<'_>, probe: &dyn SyncProbe, progress: &dyn Progress) -> Result<Report> {
    let mut report = Report::default();
    if let Some(backup) = &scope.only {
        let Some(ruled) = scope.environments.first() else { return Ok(report) };
        check_backup(store, backup, ruled.environment, scope.level, probe, progress, &mut report)?;
        return Ok(report);
    }
    store_state(store, probe, &mut report)?;
    // A store may be one for versions of files, and nothing else.
    if scope.environments.is_empty() && !store.root().join(versions::FOLDER).is_dir() {
        report.add("age", None, State::Failed, "there is no backup in the store, and nothing says of what there should be one");
    }
    for ruled in &scope.environments {
        interrupt::check()?;
        let catalog = Catalog::read(store, Some(&ruled.environment.name))?;
        // The backups first: whether one is good is then known from this very run.
        let mut checked = Report::default();
        for entry in &catalog.entries {
            interrupt::check()?;
            match &entry.backup {
                Ok(backup) => check_backup(store, backup, ruled.environment, scope.level, probe, progress, &mut checked)?,
                Err(error) => checked.findings.push(damaged(entry, &ruled.environment.name, error.kind(), &error.to_string())),
            }
        }
        environment_state(store, ruled, &catalog, &mut report)?;
        report.findings.append(&mut checked.findings);
    }
    Ok(report)
}

fn damaged(entry: &Entry, environment: &str, kind: Kind, message: &str) -> Finding {
    let state = if kind == Kind::Bad { State::Failed } else { State::Unknown };
    Finding {
        check: "verify",
        environment: Some(environment.to_owned()),
        backup: Some(entry.name.clone()),
        state,
        message: message.to_owned(),
    }
}

/// Verifies one backup, and adds the check to its history.
fn check_backup(
    store: &Store,
    backup: &Backup,
    environment: &Environment,
    level: Level,
    probe: &dyn SyncProbe,
    progress: &dyn Progress,
    report: &mut Report,
) -> Result<()> {
    let finding = |state: State, message: String| Finding {
        check: "verify",
        environment: Some(backup.manifest().environment.clone()),
        backup: Some(backup.id().to_owned()),
        state,
        message,
    };
    if let Some(problem) = backup.manifest().problems.first() {
        report.findings.push(finding(State::Failed, format!("made from a corrupt database: {problem}")));
        return Ok(());
    }
    if level > Level::Quick
        && let Err(error) = fetch(backup, probe)
    {
        report.findings.push(finding(State::Unknown, error.to_string()));
        return Ok(());
    }
    let settings = environment.engine_settings(store.state())?;
    let demands = Demands { level, min_size: environment.min_size, asserts: &environment.asserts, settings: &settings };
    let outcome = match verify::verify(backup, &demands, progress) {
        Ok(outcome) => outcome,
        Err(error) if matches!(error.kind(), Kind::Signal(_)) => return Err(error),
        Err(error) => {
            let hint = error.next_step().map(|hint| format!(" ({hint})")).unwrap_or_default();
            report.findings.push(finding(State::Unknown, format!("could not be checked: {error}{hint}")));
            return Ok(());
        }
    };
    // A store that is mounted read-only can be checked all the same.
    if let Err(error) = verify::note_down(store, backup, &outcome) {
        report.findings.push(finding(State::Warning, format!("the check could not be noted down: {error}")));
    }
    for remark in &outcome.remarks {
        report.findings.push(finding(State::Failed, remark.clone()));
    }
    if let Some(first) = backup.manifest().incomplete().next() {
        let count = backup.manifest().incomplete_count();
        let named = format!("{} ({})", first.path, first.why);
        report.findings.push(finding(State::Warning, format!("it lacks, or holds torn, {count} files or folders: {named}")));
    }
    if outcome.findings.is_empty() && outcome.remarks.is_empty() {
        let restored =
            outcome.restore_ms.map(|milliseconds| format!(", restored in {:.1} s", milliseconds as f64 / 1000.0)).unwrap_or_default();
        report.findings.push(finding(State::Ok, format!("{level} passed{restored}")));
    }
    for wrong in &outcome.findings {
        tracing::warn!(id = backup.id(), "{wrong}");
        report.findings.push(finding(State::Failed, wrong.clone()));
    }
    Ok(())
}

/// Brings down what is only in the cloud, before it is read.
fn fetch(backup: &Backup, probe: &dyn SyncProbe) -> Result<()> {
    let sources = backup.manifest().components.iter().flat_map(|component| {
        let held = |source| backup.source(source, &component.role).ok().map(|(holder, held)| holder.folder().join(held.file));
        component.sources.iter().filter_map(held)
    });
    for path in backup.expected_files().into_iter().map(|name| backup.folder().join(name)).chain(sources) {
        if probe.state(&path)? != SyncState::Local {
            sync_state::wait_until_local(&path, probe, DOWNLOAD_MAX)?;
        }
    }
    Ok(())
}

/// What concerns the store as a whole.
fn store_state(store: &Store, probe: &dyn SyncProbe, report: &mut Report) -> Result<()> {
    let mode = fsx::mode_of(store.root())?;
    if mode & 0o022 != 0 {
        report.add(
            "permissions",
            None,
            State::Failed,
            format!("{} can be written by others (mode {mode:04o}): chmod 700 it", store.root().display()),
        );
    } else if mode & 0o077 != 0 {
        report.add(
            "permissions",
            None,
            State::Warning,
            format!("{} can be read by others (mode {mode:04o}): chmod 700 it", store.root().display()),
        );
    } else {
        report.add("permissions", None, State::Ok, "private");
    }
    match sync_state::survey(store.root(), probe) {
        Err(error) => report.add("sync", None, State::Unknown, error.to_string()),
        Ok(survey) => {
            let state = if survey.conflicts.is_empty() { State::Ok } else { State::Warning };
            report.add("sync", None, state, survey.to_string());
        }
    }
    for name in store.strays()? {
        let path = store.root().join(&name);
        let is_running = is_held(store, &name)?;
        if !is_running {
            report.add(
                "strays",
                None,
                State::Warning,
                format!("{} is left of an interrupted run; the next backup on its machine removes it", path.display()),
            );
        }
    }
    Ok(())
}

/// Whether a stray folder is one of a backup that is being made right now.
fn is_held(store: &Store, name: &str) -> Result<bool> {
    for place in store.places()? {
        if name.contains(&format!("-{place}-")) && lock::is_held(store.state(), store.id(), &place)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What concerns one environment.
fn environment_state(store: &Store, ruled: &Ruled<'_>, catalog: &Catalog, report: &mut Report) -> Result<()> {
    let environment = ruled.environment;
    let name = environment.name.as_str();
    let now = clock::now();
    let sorted = standing::sort(store, catalog, name, report)?;
    let good = &sorted.good;
    age(report, name, &sorted, ruled.max_age, now);
    let standings = Standings::new(store);
    if let Some(newest) = good.last() {
        size(report, newest, environment);
        history::compare(report, newest, &good[..good.len() - 1]);
        free_space(store, report, newest, environment)?;
        report.newest.push(figures(store, newest, &sorted, now)?);
    }
    chains::check(&standings, catalog, name, report)?;
    for path in &catalog.foreign {
        report.add("foreign", Some(name), State::Warning, format!("{} is no backup; it is left alone", shown(path)));
    }
    let present: BTreeSet<&str> = catalog.entries.iter().map(|entry| entry.name.as_str()).collect();
    let missing = known::missing(store, name, &present)?;
    if !missing.is_empty() {
        report.add("missing", Some(name), State::Failed, disappeared(name, &missing));
    }
    if prune::has_rules(environment) {
        match prune::plan(environment, store, catalog) {
            Ok(plan) => report.add(
                "retention",
                Some(name),
                State::Ok,
                format!("{} backups, {} due for removal", plan.lines.len(), plan.removals().count()),
            ),
            Err(error) => report.add("retention", Some(name), State::Warning, error.to_string()),
        }
    }
    Ok(())
}

/// `2 backups that this machine made have disappeared: A, B; …`, with what to do.
fn disappeared(environment: &str, missing: &[String]) -> String {
    let (named, more) = missing.split_at(missing.len().min(MISSING_NAMED_MAX));
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    let (what, has, they) = match missing.len() {
        1 => ("1 backup".to_owned(), "has", "it was"),
        count => (format!("{count} backups"), "have", "they were"),
    };
    format!(
        "{what} that this machine made {has} disappeared: {}{more}; look in the bin of the sync service, or, where {they} removed on purpose, say \
         backup-catalog forget -e {environment} ID…",
        named.join(", ")
    )
}

fn age(report: &mut Report, name: &str, sorted: &standing::Sorted<'_>, max_age: Option<Duration>, now: DateTime<Utc>) {
    let (word, lacking) = (sorted.word(), sorted.lacking());
    let Some(newest) = sorted.good.last() else {
        report.add("age", Some(name), State::Failed, format!("there is no {word} backup{lacking}"));
        return;
    };
    let made_at = newest.manifest().created_at;
    if made_at.signed_duration_since(now) > retention::SKEW_MAX {
        let message = format!(
            "the newest {word} backup, {}, is dated {}, the clock says {}: its age cannot be told, and a missed run not be seen",
            newest.id(),
            clock::readable(made_at),
            clock::readable(now)
        );
        report.add("age", Some(name), State::Unknown, message);
        return;
    }
    let age = (now - made_at).to_std().unwrap_or_default();
    let said = format!("the newest {word} backup is {} old", duration::text(Duration::from_secs(age.as_secs())));
    match max_age {
        Some(limit) if age > limit => {
            report.add(
                "age",
                Some(name),
                State::Failed,
                format!("{said}, at most {} are allowed: was a run missed?{lacking}", duration::text(limit)),
            );
        }
        Some(_) => report.add("age", Some(name), State::Ok, said + &lacking),
        None => report.add("age", Some(name), State::Ok, format!("{said} (no max_age is set){lacking}")),
    }
}

fn size(report: &mut Report, newest: &Backup, environment: &Environment) {
    let manifest = newest.manifest();
    let bytes = manifest.stored_bytes();
    if environment.min_size.is_none() && bytes < SMALL_BYTES && manifest.backup_type == Type::Full {
        report.add(
            "size",
            Some(&environment.name),
            State::Warning,
            format!("the newest backup has only {bytes} bytes; set min_size to say what is normal"),
        );
    }
}

fn free_space(store: &Store, report: &mut Report, newest: &Backup, environment: &Environment) -> Result<()> {
    let free = fsx::free_bytes(store.root())?;
    let next = newest.manifest().stored_bytes();
    let name = Some(environment.name.as_str());
    let demanded = environment.min_free.unwrap_or(0);
    if free < next.max(demanded) {
        report.add(
            "space",
            name,
            State::Failed,
            format!("{free} bytes are free, the next backup needs about {next} and {demanded} are to stay free"),
        );
    } else if free < next.saturating_mul(3) {
        report.add("space", name, State::Warning, format!("{free} bytes are free, the next backup needs about {next}"));
    } else {
        report.add("space", name, State::Ok, format!("{free} bytes are free"));
    }
    Ok(())
}

fn figures(store: &Store, newest: &Backup, sorted: &standing::Sorted<'_>, now: DateTime<Utc>) -> Result<Newest> {
    let manifest = newest.manifest();
    let mut rehearsal: Option<Check> = None;
    for backup in &sorted.good {
        let last = checks::history(store, backup.id()).lines.into_iter().rfind(|check| check.passed && check.restore_ms.is_some());
        if let Some(last) = last
            && rehearsal.as_ref().is_none_or(|best| best.at < last.at)
        {
            rehearsal = Some(last);
        }
    }
    Ok(Newest {
        environment: manifest.environment.clone(),
        id: manifest.id.clone(),
        age_seconds: (now - manifest.created_at).num_seconds(),
        stored_bytes: manifest.stored_bytes(),
        rows: manifest.fingerprint.as_ref().map(crate::fingerprint::Fingerprint::total_rows),
        verified_backups: sorted.good.len() as u64,
        incomplete_since: sorted.incomplete.len() as u64,
        last_rehearsal: rehearsal.as_ref().map(|check| clock::readable(check.at)),
        restore_ms: rehearsal.and_then(|check| check.restore_ms),
    })
}

fn shown(path: &Path) -> String {
    match path.file_name() {
        Some(name) if !id::is_id(&name.to_string_lossy()) => path.with_file_name(sync_state::shown(name)).display().to_string(),
        _ => path.display().to_string(),
    }
}
