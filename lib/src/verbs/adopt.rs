//! A dump that another program made becomes a backup: packed, proven to restore, and described as far as it can be known, so
//! that checks and retention work on it from then on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::prune;
use super::verify::{self, Demands, elapsed_ms};
use crate::audit;
use crate::backup::Backup;
use crate::catalog::Catalog;
use crate::clock;
use crate::component;
use crate::engine::{Content, Depth};
use crate::environment::Environment;
use crate::error::{Error, OnPath, Result};
use crate::fingerprint::Fingerprint;
use crate::foreign::Foreign;
use crate::host;
use crate::id;
use crate::interrupt;
use crate::known;
use crate::lock::Held;
use crate::manifest::{self, Component, Database, Kind, Level, Manifest, Type, Verification};
use crate::progress::Progress;
use crate::retention::SKEW_MAX;
use crate::store::{self, Staging, Store};

/// The method of a dump that another program made.
pub use crate::manifest::ADOPTED;

/// What is adopted.
#[derive(Debug, Clone)]
pub struct Request {
    /// The dump.
    pub file: PathBuf,
    /// Of which time its state is; the time of the file, where that is not said.
    pub at: Option<DateTime<Utc>>,
    /// The user's words.
    pub reason: Option<String>,
    /// The user's tags.
    pub tags: Vec<String>,
}

/// What was made of it.
#[derive(Debug)]
pub struct Adopted {
    /// The backup's folder.
    pub folder: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// Adopts a dump as a backup of the environment that is held. On any error nothing is published.
pub fn run(environment: &Environment, store: &Store, held: &Held, request: &Request, progress: &dyn Progress) -> Result<Adopted> {
    interrupt::replace_deadline(Some(environment.timeout));
    let mut notes: Vec<String> =
        store.sweep(held)?.into_iter().map(|name| format!("removed {name}, which an interrupted run left")).collect();
    let own = environment.source.as_ref().map(|_| environment.engine(store.state())).transpose()?;
    let foreign = Foreign::open(&request.file, own.as_ref().map(|engine| engine.name()))?;
    let content = foreign.content();
    if content == Content::PostgresCustom {
        return Err(Error::usage(format!("{} is {content}, which only pg_restore reads", request.file.display()))
            .hint("turn it into text first: pg_restore -f - FILE | gzip > dump.sql.gz"));
    }
    let found = request.file.metadata().on("look at", &request.file)?;
    let written: DateTime<Utc> = found.modified().on("look at", &request.file)?.into();
    let created_at = request.at.unwrap_or(written);
    if created_at > clock::now() + SKEW_MAX {
        return Err(Error::usage(format!("{} is in the future", clock::readable(created_at))).hint("say with --at when the dump was made"));
    }
    // Milliseconds are all that a manifest keeps.
    let created_at = DateTime::from_timestamp_millis(created_at.timestamp_millis()).unwrap_or(created_at);
    store.require_real(&store.folder(&environment.name))?;
    crate::fsx::require_free(store.root(), found.len())?;

    let started = clock::now();
    let staging = store.stage(held, &id::new(created_at, &environment.name, Kind::Db)?)?;
    let start = std::time::Instant::now();
    progress.begin("adopt", None);
    let adopted = component::adopt(content, &mut foreign.read()?, &staging, environment.compression, progress)
        .map_err(|error| error.within(request.file.display()).hint("nothing was published"))?;
    progress.end();
    let newest = if request.at.is_none() { newest_of_others(store, &environment.name)? } else { None };
    let name = match own.filter(|engine| engine.name() == content.engine()) {
        Some(engine) => engine.database_name(),
        None => request.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
    };
    let mut manifest = describe(environment, store, &staging, request, created_at, adopted.component);
    manifest.database = Some(origin(content, name, &request.file));
    manifest.durations_ms = BTreeMap::from([("dump".to_owned(), elapsed_ms(start))]);
    prove(environment, store, &staging, &mut manifest, adopted.fingerprint, progress)?;
    manifest.finished_at = created_at.max(created_at + (clock::now() - started));
    let folder = publish(store, staging, &manifest)?;
    if let Err(error) = known::remember(store, &environment.name, &manifest.id) {
        notes.push(format!("the backup is published, but the guard will not miss it if it disappears: {error}"));
    }
    if newest.is_some_and(|newest| created_at > newest) {
        notes.push(format!(
            "it is taken for the state of {}, the time of the file, and so is now the newest backup of {} (`latest`); if the dump is \
             older: backup-catalog delete {}, and import it again with --at TIME",
            clock::readable(created_at),
            environment.name,
            manifest.id
        ));
    }
    notes.extend(fate(environment, store, &manifest.id)?);
    Ok(Adopted { folder, manifest, notes })
}

/// Of when the newest backup of the environment is.
fn newest_of_others(store: &Store, environment: &str) -> Result<Option<DateTime<Utc>>> {
    let catalog = Catalog::read(store, Some(environment))?;
    Ok(catalog.backups().filter(|backup| backup.manifest().environment == environment).map(|backup| backup.manifest().created_at).max())
}

fn describe(
    environment: &Environment,
    store: &Store,
    staging: &Staging,
    request: &Request,
    created_at: DateTime<Utc>,
    component: Component,
) -> Manifest {
    Manifest {
        format: manifest::FORMAT,
        id: staging.backup_id().to_owned(),
        store_id: store.id().to_owned(),
        environment: environment.name.clone(),
        protected: environment.protected,
        kind: Kind::Db,
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
        warnings: vec!["adopted from a dump that another program made: what it left out is not known".to_owned()],
        database: None,
        fingerprint: None,
        components: vec![component],
        durations_ms: BTreeMap::new(),
        audit_head: audit::head(&audit::Place::of(store)).map(|head| head.for_manifest()),
    }
}

fn origin(content: Content, name: String, file: &Path) -> Database {
    Database {
        engine: content.engine(),
        name,
        location: crate::fsx::real_path(file).display().to_string(),
        identity: None,
        server_version: "unknown".to_owned(),
        client_version: None,
        charset: "unknown".to_owned(),
        method: ADOPTED.to_owned(),
        consistency: "unknown".to_owned(),
        properties: BTreeMap::new(),
        not_included: Vec::new(),
    }
}

/// Restores it into a scratch database, and takes what it holds from there.
fn prove(
    environment: &Environment,
    store: &Store,
    staging: &Staging,
    manifest: &mut Manifest,
    in_stream: Option<Fingerprint>,
    progress: &dyn Progress,
) -> Result<()> {
    let settings = environment.engine_settings(store.state())?;
    let demands = Demands { level: Level::Restore, min_size: environment.min_size, asserts: &environment.asserts, settings: &settings };
    let staged = Backup::staged(staging.path(), manifest.clone());
    let rehearsal = verify::rehearse(&staged, &demands, progress)?;
    manifest.durations_ms.insert("restore".to_owned(), rehearsal.restore_ms);
    let proven = rehearsal.outcome.map_err(|findings| {
        Error::bad(format!("the dump does not prove: {}", findings.first().map_or("", String::as_str))).hint("nothing was published")
    })?;
    let restored = proven.into_clone().loaded().fingerprint(Depth::Rows)?;
    manifest.fingerprint = match in_stream {
        None => Some(restored),
        // Later checks compare it with both, so both must agree.
        Some(stream) => {
            let whole = Fingerprint { objects: restored.objects.clone(), ..stream };
            if whole.differences(&restored).is_empty() { Some(whole) } else { None }
        }
    };
    if manifest.fingerprint.is_none() {
        manifest.warnings.push("its text and what it restores to cannot be counted alike: later checks compare no rows".to_owned());
    }
    manifest.verification = Some(Verification { level: Level::Restore, at: clock::now() });
    Ok(())
}

fn publish(store: &Store, staging: Staging, manifest: &Manifest) -> Result<PathBuf> {
    staging.write(store::INSTRUCTIONS, component::instructions(manifest).as_bytes())?;
    staging.write(manifest::FILE, &manifest.to_bytes()?)?;
    let known: Vec<(String, String)> = manifest
        .components
        .iter()
        .flat_map(|component| {
            [(component.file.clone(), component.stored_sha256.clone()), (component.index.clone(), component.index_sha256.clone())]
        })
        .collect();
    staging.write_checksums(&known)?;
    interrupt::check()?;
    staging.publish(&store.folder(&manifest.environment))
}

/// An old dump may be one that no rule keeps, which is better said now.
fn fate(environment: &Environment, store: &Store, id: &str) -> Result<Option<String>> {
    if !prune::has_rules(environment) {
        return Ok(None);
    }
    let preview = prune::preview(environment, store, prune::Said::default())?;
    let goes = preview.plan.removals().find(|line| line.id == id);
    Ok(goes.map(|line| format!("the next retention removes it ({}); to keep it: backup-catalog pin {id}", line.reason)))
}
