//! `backup-full`: the database, the files and the configuration files of an environment in one backup, published or not as one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::backup::{self, Looked, Report, Request, Sources, emptied};
use crate::engine::Engine;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::files::walk::{self, Rules, Selection};
use crate::files::{self, roots};
use crate::interrupt;
use crate::lock::Held;
use crate::manifest::{EngineName, Level, Root};
use crate::progress::Progress;
use crate::rules::Wanted;
use crate::state_dir::StateDir;
use crate::store::Store;
use crate::versions::FOLDER as VERSIONS;

/// As long as a file is being saved, or versions are collected, at least.
const VERSIONS_WAIT: Duration = Duration::from_secs(60);

/// Makes a full backup of an environment, and then lets retention run.
///
/// What cannot be read, or changes while it is read, is named in the manifest, and the report is then a partial one. On any error
/// nothing is published.
///
/// A database is the one that was [looked](look) at a moment ago; where it was not, that is done now.
pub fn run(environment: &Environment, store: &Store, looked: Option<Looked>, request: &Request, progress: &dyn Progress) -> Result<Report> {
    interrupt::replace_deadline(Some(environment.timeout));
    let looked = looked.map_or_else(|| look(environment, store.state()), |looked| Ok(Some(looked)))?;
    let database = looked.as_ref().map(|Looked { engine, probe }| (&**engine, probe));
    let archives = archives(environment, store.root(), database.map(|(engine, _)| engine))?;
    if database.is_none() && archives.is_empty() {
        return Err(nothing(environment));
    }
    emptied::require_known(environment, archives.iter().flat_map(|(_, selection)| &selection.roots))?;
    let held = Held::acquire(store.state(), store.id(), &environment.name, environment.wait)?;
    // Versions are only ever added, apart from what `gc` removes: that waits meanwhile.
    let has_versions = archives.iter().any(|(role, _)| *role == files::VERSIONS);
    let _versions =
        has_versions.then(|| Held::share(store.state(), store.id(), VERSIONS, environment.wait.max(VERSIONS_WAIT))).transpose()?;
    let sources = Sources { database, files: &archives };
    Ok(backup::make_of_and_prune(environment, store, &held, sources, request, progress)?.report)
}

/// Looks at the sources without touching anything: what a run would fail at, fails here. The database, if there is one.
pub fn look(environment: &Environment, state: &StateDir) -> Result<Option<Looked>> {
    match engine_of(environment, state)? {
        Some(engine) => Looked::at(engine, environment, state).map(Some),
        None if environment.files.is_empty() && environment.config_files.is_empty() && !environment.include_versions => {
            Err(nothing(environment))
        }
        None => Ok(None),
    }
}

/// What a full backup would do; printed by `--dry-run`.
#[derive(Debug, Serialize)]
pub struct Planned {
    /// The environment it would be filed under.
    pub environment: String,
    /// The database it would read; none where the environment has none.
    pub source: Option<String>,
    /// The store it would go to.
    pub store: PathBuf,
    /// About how many bytes of a database it would read.
    pub estimated_bytes: u64,
    /// The archives it would make.
    pub archives: Vec<PlannedArchive>,
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

/// An archive that would be made.
#[derive(Debug, Serialize)]
pub struct PlannedArchive {
    /// Its role.
    pub role: &'static str,
    /// What would be in it.
    pub paths: Vec<PathBuf>,
    /// How many files that are now.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
}

impl Planned {
    /// One line a fact.
    pub fn lines(&self) -> Vec<String> {
        let retention = if self.retention.is_empty() { "keep everything".to_owned() } else { self.retention.join(", ") };
        let source = self.source.as_ref().map_or("none".to_owned(), |source| format!("{source}, about {} bytes", self.estimated_bytes));
        let mut lines = vec![format!("environment  {}", self.environment), format!("source       {source}")];
        for archive in &self.archives {
            let paths: Vec<String> = archive.paths.iter().map(|path| path.display().to_string()).collect();
            lines.push(format!("{:<12} {}: {} files, {} bytes", archive.role, paths.join(", "), archive.files, archive.bytes));
        }
        lines.extend([
            format!("store        {}", self.store.display()),
            format!("compression  {}", self.compression),
            format!("type         {}", self.wanted),
            format!("verify       {}", self.verify),
            format!("retention    {retention}"),
        ]);
        lines.extend(self.warnings.iter().map(|warning| format!("warning      {warning}")));
        lines
    }
}

/// Looks at the sources and says what a run would do. Changes nothing, and creates no store.
pub fn plan(environment: &Environment, state: &StateDir) -> Result<Planned> {
    let engine = engine_of(environment, state)?;
    let selected = archives(environment, &environment.store, engine.as_deref())?;
    if engine.is_none() && selected.is_empty() {
        return Err(nothing(environment));
    }
    emptied::require_known(environment, selected.iter().flat_map(|(_, selection)| &selection.roots))?;
    let probe = engine.as_ref().map(|engine| backup::probe(environment, &**engine, state)).transpose()?;
    let mut warnings = probe.as_ref().map_or_else(Vec::new, |probe| probe.warnings.clone());
    let mut archives = Vec::new();
    for (role, selection) in &selected {
        let (files, bytes) = walk::estimate(selection)?;
        for root in selection.roots.iter().filter(|root| root.path.symlink_metadata().is_err()) {
            warnings.push(format!("{} is not there", root.path.display()));
        }
        archives.push(PlannedArchive { role, paths: selection.roots.iter().map(|root| root.path.clone()).collect(), files, bytes });
    }
    warnings.extend(secrets(environment));
    Ok(Planned {
        environment: environment.name.clone(),
        source: engine.as_ref().map(|engine| engine.location()),
        store: environment.store.clone(),
        estimated_bytes: probe.map_or(0, |probe| probe.estimated_bytes),
        archives,
        compression: environment.compression.to_string(),
        wanted: environment.increments.wanted,
        verify: environment.verify.max(Level::Structure),
        retention: environment.retention.keys().iter().filter_map(|(key, value)| value.map(|value| format!("{key} {value}"))).collect(),
        warnings,
    })
}

/// What is said of configuration files: what stands in them stands in the backup.
pub fn secrets(environment: &Environment) -> Option<String> {
    let there = environment.config_files.iter().filter(|path| path.exists());
    let names: Vec<String> = there.map(|path| path.display().to_string()).collect();
    (!names.is_empty()).then(|| format!("passwords and keys in {} are in the backup as they are", names.join(", ")))
}

pub(super) fn engine_of(environment: &Environment, state: &StateDir) -> Result<Option<Box<dyn Engine>>> {
    environment.source.as_ref().map(|_| environment.engine(state)).transpose()
}

fn nothing(environment: &Environment) -> Error {
    Error::usage(format!("environment {} has neither a database nor files", environment.name))
        .hint(format!("name some: files = [\"media\"] under [env.{}], or their paths on the command line", environment.name))
}

/// What goes into which archive.
fn archives(environment: &Environment, store: &Path, engine: Option<&dyn Engine>) -> Result<Vec<(&'static str, Selection)>> {
    let (files, config_files) = roots::named(&environment.files, &environment.config_files)?;
    let versions = versions(environment, store, files.iter().chain(&config_files));
    let all = [(files::FILES, files), (files::CONFIG, config_files), (files::VERSIONS, versions)];
    let archives = all.into_iter().filter(|(_, roots)| !roots.is_empty());
    let archives = archives.map(|(role, roots)| {
        let by_hand = if role == files::FILES { environment.by_hand.clone() } else { Vec::new() };
        Ok((role, Selection { roots, rules: rules(environment, role, store, engine)?, by_hand }))
    });
    archives.collect()
}

/// The store's own versions of files, where they are wanted and there are any, under a name that no other root has.
fn versions<'a>(environment: &Environment, store: &Path, others: impl Iterator<Item = &'a Root> + Clone) -> Vec<Root> {
    let path = store.join(VERSIONS);
    if !environment.include_versions || !path.is_dir() {
        return Vec::new();
    }
    let mut name = VERSIONS.to_owned();
    while others.clone().any(|other| other.name.eq_ignore_ascii_case(&name)) {
        name.push_str("-of-files");
    }
    vec![Root { name, path, ..Root::default() }]
}

/// What is taken along below the roots of an archive.
pub(super) fn rules(environment: &Environment, role: &str, store: &Path, engine: Option<&dyn Engine>) -> Result<Rules> {
    let mut rules = if role == files::FILES {
        Rules { one_file_system: environment.one_file_system, ..Rules::of(&environment.include, &environment.exclude)? }
    } else {
        // Configuration files are named one by one: no pattern is meant for them.
        Rules::of(&[], &[])?
    };
    let location = engine.filter(|engine| engine.name() == EngineName::Sqlite).map(|engine| engine.location());
    rules.database = location.and_then(|location| location.strip_prefix("sqlite:").map(PathBuf::from));
    // What is in the store is in the store, but for what nobody else keeps.
    rules.never = if role == files::VERSIONS { Vec::new() } else { vec![store.to_owned()] };
    Ok(rules)
}
