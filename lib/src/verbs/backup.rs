//! `backup-db`: from a live database to a published backup that has been read back.

pub(super) mod emptied;
mod packing;

pub(super) use packing::Sources;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;

use super::parent::{self, Parent};
use super::prune::{self, Pruned};
use super::verify::{self, Demands, Proven, elapsed_ms};
use crate::audit;
use crate::backup::Backup;
use crate::catalog::Catalog;
use crate::clock;
use crate::component;
use crate::engine::{Engine, Probe};
use crate::environment::Environment;
use crate::error::{self, Result};
use crate::exit;
use crate::fsx;
use crate::host;
use crate::id;
use crate::interrupt;
use crate::journal::Entry;
use crate::known;
use crate::lock::Held;
use crate::manifest::{self, Kind, Level, Manifest, Type, Verification};
use crate::marker;
use crate::progress::Progress;
use crate::rules::Wanted;
use crate::state_dir::StateDir;
use crate::store::{self, Staging, Store};

/// Beside what the last backup needed, this much must be free: manifest, index, and the folder's own growth.
const SPARE_BYTES: u64 = 1 << 20;
/// The clock may be behind the newest backup by this much without a warning: two machines never agree to the second.
const CLOCK_BEHIND_MAX: Duration = Duration::minutes(5);

/// What one backup is made for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Why it is made.
    pub kind: Kind,
    /// The user's words for that.
    pub reason: Option<String>,
    /// The user's tags.
    pub tags: Vec<String>,
    /// How well it must be verified before it is published. It is read back and decoded in any case, so nothing below
    /// [`Level::Structure`] saves anything.
    pub verify: Level,
    /// Whether retention runs afterwards.
    pub prune: bool,
}

/// What was made.
#[derive(Debug)]
pub struct Report {
    /// The backup's id.
    pub id: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// What retention did; none where it was not asked to, or may not.
    pub pruned: Option<Result<Pruned>>,
    /// What a person should know.
    pub notes: Vec<String>,
}

impl Report {
    /// The exit status that tells how it went.
    pub fn status(&self) -> u8 {
        match &self.pruned {
            _ if self.manifest.verification.is_none() => exit::BAD,
            _ if self.manifest.incomplete_count() > 0 => exit::PARTIAL,
            Some(Err(error)) => match error.kind() {
                // Not 1, which says that nothing was published.
                error::Kind::Failed => exit::PARTIAL,
                kind => kind.status(),
            },
            _ => exit::DONE,
        }
    }
}

/// A backup that has just been published, and the clone by which it was proven where the level asked for one.
pub struct Made {
    /// What was made.
    pub report: Report,
    /// The proof; there is one from [`Level::Restore`] on.
    pub proven: Option<Proven>,
}

/// Makes a backup of an environment's database, and then lets retention run.
///
/// On any error nothing is published and what was there before stays. A source that is itself corrupt is published as
/// what it is: unverified, with its problems named, and never counted as good.
///
/// The database is the one that was [looked](look) at a moment ago; where it was not, that is done now.
pub fn run(environment: &Environment, store: &Store, looked: Option<Looked>, request: &Request, progress: &dyn Progress) -> Result<Report> {
    interrupt::replace_deadline(Some(environment.timeout));
    let Looked { engine, probe } = looked.map_or_else(|| look(environment, store.state()), Ok)?;
    let held = Held::acquire(store.state(), store.id(), &environment.name, environment.wait)?;
    Ok(make_and_prune(environment, store, &held, &*engine, &probe, request, progress)?.report)
}

/// Makes a backup while the environment is held, and then lets retention run where that is asked for.
pub(super) fn make_and_prune(
    environment: &Environment,
    store: &Store,
    held: &Held,
    engine: &dyn Engine,
    probe: &Probe,
    request: &Request,
    progress: &dyn Progress,
) -> Result<Made> {
    make_of_and_prune(environment, store, held, Sources::database(engine, probe), request, progress)
}

/// As [`make_and_prune`], of whatever there is.
pub(super) fn make_of_and_prune(
    environment: &Environment,
    store: &Store,
    held: &Held,
    sources: Sources<'_>,
    request: &Request,
    progress: &dyn Progress,
) -> Result<Made> {
    let mut made = make_of(environment, store, held, sources, request, progress).map_err(as_failed)?;
    // What lacks something makes up for nothing that would be removed.
    let is_whole = made.report.manifest.verification.is_some() && made.report.manifest.incomplete_count() == 0;
    let may_prune = request.prune && is_whole && !environment.retention.is_empty();
    let id = &made.report.id;
    made.report.pruned = may_prune.then(|| prune::run(environment, store, held).map_err(|error| within_retention(error, id)));
    Ok(made)
}

/// A database of which nothing is known that a backup would fail at.
pub struct Looked {
    pub(super) engine: Box<dyn Engine>,
    pub(super) probe: Probe,
}

impl Looked {
    pub(super) fn at(engine: Box<dyn Engine>, environment: &Environment, state: &StateDir) -> Result<Self> {
        let probe = probe(environment, &*engine, state).map_err(as_failed)?;
        Ok(Looked { engine, probe })
    }
}

/// Looks at the source without touching anything: what a run would fail at, fails here.
pub fn look(environment: &Environment, state: &StateDir) -> Result<Looked> {
    Looked::at(environment.engine(state)?, environment, state)
}

/// Looks at the source, and refuses one that says of itself that it is another environment's.
pub(super) fn probe(environment: &Environment, engine: &dyn Engine, state: &StateDir) -> Result<Probe> {
    let mut probe = engine.probe()?;
    let location = engine.location();
    marker::require(probe.marker.as_ref(), &environment.name, &location)?;
    if let Some(entry) = Entry::read(state, &location)? {
        probe.warnings.push(format!(
            "a run of {} stands on it, under way or interrupted: what its command has done so far is in this backup; {} holds the state before",
            entry.kind.tool(),
            entry.backup
        ));
    }
    Ok(probe)
}

/// A source that is no database is no bad backup: the run failed, and nothing was published.
pub(super) fn as_failed(error: error::Error) -> error::Error {
    if error.kind() == error::Kind::Bad { error.as_kind(error::Kind::Failed) } else { error }
}

/// The error of a step that came after the backup.
fn within_retention(error: error::Error, id: &str) -> error::Error {
    let is_plain = error.kind() == error::Kind::Failed;
    let told = error.within(format!("{id} is published, but retention failed"));
    if is_plain { told.hint("what was to be removed is removed by the next run") } else { told }
}

/// What a backup would do; printed by `--dry-run`.
#[derive(Debug, Serialize)]
pub struct Planned {
    /// The environment it would be filed under.
    pub environment: String,
    /// The database it would read.
    pub source: String,
    /// The store it would go to.
    pub store: PathBuf,
    /// About how many bytes it would read.
    pub estimated_bytes: u64,
    /// How it would be compressed.
    pub compression: String,
    /// What it may refer to.
    #[serde(rename = "type")]
    pub wanted: Wanted,
    /// How well it would be verified before it is published.
    pub verify: Level,
    /// The retention rules that would run afterwards, as `key value`.
    pub retention: Vec<String>,
    /// What a person should know before.
    pub warnings: Vec<String>,
}

impl Planned {
    /// One line a fact.
    pub fn lines(&self) -> Vec<String> {
        let retention = if self.retention.is_empty() { "keep everything".to_owned() } else { self.retention.join(", ") };
        let mut lines = vec![
            format!("environment  {}", self.environment),
            format!("source       {}, about {} bytes", self.source, self.estimated_bytes),
            format!("store        {}", self.store.display()),
            format!("compression  {}", self.compression),
            format!("type         {}", self.wanted),
            format!("verify       {}", self.verify),
            format!("retention    {retention}"),
        ];
        lines.extend(self.warnings.iter().map(|warning| format!("warning      {warning}")));
        lines
    }
}

/// Looks at the source and says what a run would do. Changes nothing, and creates no store.
pub fn plan(environment: &Environment, state: &StateDir) -> Result<Planned> {
    let engine = environment.engine(state)?;
    let probe = probe(environment, &*engine, state)?;
    Ok(Planned {
        environment: environment.name.clone(),
        source: engine.location(),
        store: environment.store.clone(),
        estimated_bytes: probe.estimated_bytes,
        compression: environment.compression.to_string(),
        wanted: environment.increments.wanted,
        verify: environment.verify.max(Level::Structure),
        retention: environment.retention.keys().iter().filter_map(|(key, value)| value.map(|value| format!("{key} {value}"))).collect(),
        warnings: probe.warnings,
    })
}

/// Makes a backup of a database while the environment is held.
pub fn make(
    environment: &Environment,
    store: &Store,
    held: &Held,
    engine: &dyn Engine,
    probe: &Probe,
    request: &Request,
    progress: &dyn Progress,
) -> Result<Made> {
    make_of(environment, store, held, Sources::database(engine, probe), request, progress).map_err(as_failed)
}

/// A backup that is packed and, where that was asked for, proven, and not published yet.
struct Attempt {
    staging: Staging,
    manifest: Manifest,
    durations: BTreeMap<String, u64>,
    proven: Option<Proven>,
}

/// Makes a backup while the environment is held: the database first, since what its rows speak of is there by then.
fn make_of(
    environment: &Environment,
    store: &Store,
    held: &Held,
    sources: Sources<'_>,
    request: &Request,
    progress: &dyn Progress,
) -> Result<Made> {
    let mut notes: Vec<String> =
        store.sweep(held)?.into_iter().map(|name| format!("removed {name}, which an interrupted run left")).collect();
    store.require_real(&store.folder(place_of(request.kind, &environment.name)))?;
    let catalog = Catalog::read(store, Some(&environment.name))?;
    let now = clock::now();
    let created_at = next_time(&catalog, now, &mut notes);
    let needed = sources.expected_bytes(&catalog) / 10 * 13;
    fsx::require_free(store.root(), needed + SPARE_BYTES + environment.min_free.unwrap_or(0))?;

    let parent = parent::choose(environment, store, &catalog, (request.kind, &sources.content()), now, &mut notes)?;
    let id = fresh_id(&catalog, created_at, &environment.name, request.kind)?;
    let with = packing::Packing { sources, catalog: &catalog, environment, progress };
    let attempt = |parent: Option<&Parent>| -> Result<Attempt> {
        let staging = store.stage(held, &id)?;
        let mut manifest = describe(environment, store, &staging, request, created_at);
        let mut durations = BTreeMap::new();
        with.pack(parent, &staging, &mut manifest, &mut durations)?;
        let mut proven = None;
        if manifest.problems.is_empty() {
            if request.verify >= Level::Restore {
                proven = prove(environment, store, &staging, &manifest, request.verify, &mut durations, progress)?;
            }
            manifest.verification = Some(Verification { level: request.verify.max(Level::Structure), at: clock::now() });
        }
        // Others may have moved it meanwhile: another machine, a sync service.
        Backup::staged(staging.path(), manifest.clone()).require_sources()?;
        Ok(Attempt { staging, manifest, durations, proven })
    };
    let Attempt { staging, mut manifest, durations, proven } = match (attempt(parent.as_ref()), &parent) {
        // Rather a full tonight than no backup at all; it is not chosen again once a check has found it bad.
        (Err(error), Some(parent)) if error.kind() == error::Kind::Bad => {
            notes.push(format!("{} cannot be referred to, so this one is a full: {error}", parent.backup.id()));
            attempt(None)?
        }
        (attempt, _) => attempt?,
    };
    if parent.is_some() && manifest.parent.is_none() && environment.increments.wanted != Wanted::Auto {
        notes.push("nothing in it could be referred to an earlier backup, which was cut in another way: it is a full".to_owned());
    }
    manifest.durations_ms = durations;
    manifest.finished_at = clock::now().max(created_at);
    let folder = publish(store, staging, request.kind, &environment.name, &manifest)?;
    // The backup stands: what fails from here on is told beside it.
    if let Err(error) = known::remember(store, &environment.name, &manifest.id) {
        notes.push(format!("the backup is published, but the guard will not miss it if it disappears: {error}"));
    }
    tracing::info!(
        id = manifest.id,
        stored_bytes = manifest.stored_bytes(),
        dump_ms = manifest.durations_ms.get("dump"),
        verified = manifest.verification.as_ref().map(|verification| verification.level.name()),
        "published in {}",
        folder.display()
    );
    Ok(Made { report: Report { id: manifest.id.clone(), folder, manifest, pruned: None, notes }, proven })
}

/// The time a new backup carries: now, but never before the newest one, so that `latest` means the last one made even
/// after the clock went back.
fn next_time(catalog: &Catalog, now: DateTime<Utc>, notes: &mut Vec<String>) -> DateTime<Utc> {
    let Some(newest) = catalog.backups().next_back().map(|backup| backup.manifest().created_at) else { return now };
    if newest > now + CLOCK_BEHIND_MAX {
        notes.push(format!(
            "the clock says {}, the newest backup was made at {}: is the clock right?",
            clock::readable(now),
            clock::readable(newest)
        ));
    }
    now.max(newest + Duration::milliseconds(1))
}

/// An id that no backup of the environment has: in a burst of some hundred backups a second two would draw the same one.
fn fresh_id(catalog: &Catalog, created_at: DateTime<Utc>, environment: &str, kind: Kind) -> Result<String> {
    loop {
        let id = id::new(created_at, environment, kind)?;
        if catalog.entries.iter().all(|entry| entry.name != id) {
            return Ok(id);
        }
    }
}

/// What is known of a backup before anything is in it.
fn describe(environment: &Environment, store: &Store, staging: &Staging, request: &Request, created_at: DateTime<Utc>) -> Manifest {
    Manifest {
        format: manifest::FORMAT,
        id: staging.backup_id().to_owned(),
        store_id: store.id().to_owned(),
        environment: environment.name.clone(),
        protected: environment.protected,
        kind: request.kind,
        backup_type: Type::Full,
        parent: None,
        created_at,
        finished_at: created_at,
        host: host::name(),
        tool: concat!("holdfast ", env!("CARGO_PKG_VERSION")).to_owned(),
        reason: request.reason.clone(),
        tags: request.tags.clone(),
        verification: None,
        problems: Vec::new(),
        warnings: Vec::new(),
        database: None,
        fingerprint: None,
        components: Vec::new(),
        durations_ms: BTreeMap::new(),
        audit_head: audit::head(&audit::Place::of(store)).map(|head| head.for_manifest()),
    }
}

/// Rehearses the restore of the staged backup. It has passed `structure` already, by having been read back.
fn prove(
    environment: &Environment,
    store: &Store,
    staging: &Staging,
    manifest: &Manifest,
    level: Level,
    durations: &mut BTreeMap<String, u64>,
    progress: &dyn Progress,
) -> Result<Option<Proven>> {
    let staged = Backup::staged(staging.path(), manifest.clone());
    let settings = environment.engine_settings(store.state())?;
    let demands = Demands { level, min_size: environment.min_size, asserts: &environment.asserts, settings: &settings };
    let refused = |findings: Vec<String>| {
        let finding = findings.first().map_or("", String::as_str);
        error::Error::bad(format!("the backup does not pass {level}: {finding}"))
            .hint("nothing was published; is what was backed up itself sound?")
    };
    let start = Instant::now();
    let mut proven = None;
    if manifest.database.is_some() {
        let rehearsal = verify::rehearse(&staged, &demands, progress)?;
        durations.insert("rehearsal".to_owned(), elapsed_ms(start));
        durations.insert("restore".to_owned(), rehearsal.restore_ms);
        proven = Some(rehearsal.outcome.map_err(refused)?);
    }
    let findings = verify::rehearse_files(&staged, &settings, progress)?;
    if !findings.is_empty() {
        return Err(refused(findings));
    }
    durations.insert("rehearsal".to_owned(), elapsed_ms(start));
    Ok(proven)
}

/// Writes what describes the backup, and makes it appear.
fn publish(store: &Store, staging: Staging, kind: Kind, environment: &str, manifest: &Manifest) -> Result<PathBuf> {
    staging.write(store::INSTRUCTIONS, component::instructions(manifest).as_bytes())?;
    staging.write(manifest::FILE, &manifest.to_bytes()?)?;
    if manifest.backup_type != Type::Full {
        staging.write(store::RECOVER, component::RECOVER_PROGRAM.as_bytes())?;
    }
    let mut known = Vec::new();
    for component in &manifest.components {
        known.extend(component.parts().map(|(name, _, sha256)| (name.clone(), sha256.clone())));
    }
    staging.write_checksums(&known)?;
    interrupt::check()?;
    staging.publish(&store.folder(place_of(kind, environment)))
}

/// The folder of the store that a backup goes to.
fn place_of(kind: Kind, environment: &str) -> &str {
    if kind == Kind::Migration { store::MIGRATIONS } else { environment }
}
