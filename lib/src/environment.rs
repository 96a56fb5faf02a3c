//! The noun the verbs take: one environment, everything about it resolved and absolute. The configuration ends here.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::compression::Compression;
use crate::config::place::nearest;
use crate::config::{self, ApprovalTable, Assert, Config, EnvTable, Retention};
use crate::engine::{self, source::Source};
use crate::error::{Error, Result};
use crate::manifest::Level;
use crate::rules::{ApprovalBy, ApprovalRules, Increments, Migration, TestRun, Wanted};
use crate::secret::{Secret, redact};
use crate::state_dir::StateDir;

/// The environment's name where nobody says one.
pub const NAME_DEFAULT: &str = "dev";
/// The store, beside the configuration file or in the working directory, where nobody says one.
const STORE_DEFAULT: &str = "backups";
/// How many verified backups are always kept; with three, one that turns out bad still leaves two.
const MIN_VERIFIED_DEFAULT: u32 = 3;
/// Longer than an application holds a lock in ordinary work, shorter than an hourly schedule.
const BUSY_TIMEOUT_DEFAULT: Duration = Duration::from_secs(60);
/// A server that sorts or builds an index can be silent for minutes.
const STALL_TIMEOUT_DEFAULT: Duration = Duration::from_secs(15 * 60);
/// A nightly run must be over before the working day.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(6 * 3_600);

/// A full a week: what the field is used to.
const FULL_EVERY_DEFAULT: Duration = Duration::from_secs(7 * 24 * 3_600);

/// One database and its rules.
#[derive(Clone)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// Whether destructive operations need an approval.
    pub protected: bool,
    /// The database's source as [`engine::source::open`] takes it, expanded; it may hold a password. See [`Environment::source`].
    pub source: Option<String>,
    /// The folder that a relative path in `source` starts from.
    pub base: PathBuf,
    /// The database's password, where a `password_file` gives it.
    pub password: Option<Secret>,
    /// The store's folder, absolute.
    pub store: PathBuf,
    /// How components are compressed.
    pub compression: Compression,
    /// When a backup refers to an earlier one.
    pub increments: Increments,
    /// How thoroughly a backup is checked before it counts.
    pub verify: Level,
    /// What to keep; empty keeps everything.
    pub retention: Retention,
    /// How old the newest backup may be.
    pub max_age: Option<Duration>,
    /// The least stored bytes of a backup.
    pub min_size: Option<u64>,
    /// The bytes that must stay free where the store is.
    pub min_free: Option<u64>,
    /// Verified backups that are always kept; at least 1.
    pub min_verified: u32,
    /// How long to wait for another run's lock.
    pub wait: Duration,
    /// How long to wait for a lock inside the database.
    pub busy_timeout: Duration,
    /// The longest a dump or load may make no progress.
    pub stall_timeout: Duration,
    /// The longest a whole run may take.
    pub timeout: Duration,
    /// Whether a database without any table may be backed up.
    pub allow_empty: bool,
    /// Whether tables for which no snapshot holds are locked while they are dumped.
    pub lock_tables: bool,
    /// Folders in which an engine's programs are looked for first.
    pub program_dirs: Vec<PathBuf>,
    /// The user a private server runs as where we are root.
    pub scratch_user: Option<String>,
    /// A server on which scratch databases may be made; its URL may hold a password.
    pub scratch_server: Option<String>,
    /// The command, word by word, to run after a restore.
    pub restart: Option<Vec<String>>,
    /// Queries that a restored database must answer.
    pub asserts: Vec<Assert>,
    /// The rules of its migrations.
    pub migration: Migration,
    /// The rules of its test runs.
    pub test_run: TestRun,
    /// Who approves what is risky.
    pub approval: ApprovalRules,
    /// Files and folders that a full backup takes along.
    pub files: Vec<PathBuf>,
    /// Configuration files that a full backup takes along.
    pub config_files: Vec<PathBuf>,
    /// Patterns of the only files that are taken along; empty takes all.
    pub include: Vec<String>,
    /// Patterns of what is left out.
    pub exclude: Vec<String>,
    /// Whether other file systems below a folder stay out.
    pub one_file_system: bool,
    /// Whether a full backup takes along the versions of files that the store keeps.
    pub include_versions: bool,
    /// What the command line says of which files are taken along, beside the configuration: a backup that was chosen so is no substitute
    /// for one of everything that the configuration names.
    pub by_hand: Vec<String>,
    /// Files and folders, by name or path, that are meant to be empty though they were not in the last backup.
    pub accept_empty: Vec<String>,
}

/// What the command line says, and wins over the file. Paths are relative to the working directory.
#[derive(Clone, Default)]
pub struct Overrides {
    /// The database.
    pub source: Option<String>,
    /// The store; wins over `$HOLDFAST_STORE`.
    pub store: Option<PathBuf>,
    /// How components are compressed.
    pub compression: Option<Compression>,
    /// What a backup may refer to.
    pub wanted: Option<Wanted>,
    /// The verification level.
    pub verify: Option<Level>,
    /// Each key that is set replaces the file's.
    pub retention: Retention,
    /// How old the newest backup may be.
    pub max_age: Option<Duration>,
    /// The least stored bytes.
    pub min_size: Option<u64>,
    /// The bytes that must stay free.
    pub min_free: Option<u64>,
    /// How long to wait for another run's lock.
    pub wait: Option<Duration>,
    /// How long to wait for a lock inside the database.
    pub busy_timeout: Option<Duration>,
    /// The longest without progress.
    pub stall_timeout: Option<Duration>,
    /// The longest a whole run may take.
    pub timeout: Option<Duration>,
    /// Whether a database without any table may be backed up.
    pub allow_empty: Option<bool>,
    /// Folders in which an engine's programs are looked for first.
    pub program_dirs: Vec<PathBuf>,
    /// Files and folders that a full backup takes along.
    pub files: Vec<PathBuf>,
    /// Patterns of the only files that are taken along.
    pub include: Vec<String>,
    /// Patterns of what is left out, beside the file's.
    pub exclude: Vec<String>,
    /// Whether other file systems below a folder stay out.
    pub one_file_system: Option<bool>,
    /// Files and folders, by name or path, that are meant to be empty though they were not in the last backup.
    pub accept_empty: Vec<String>,
}

/// Shows no secret.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("name", &self.name)
            .field("source", &self.source.as_deref().map(redact))
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl Environment {
    /// The database's source; an error where neither file nor command line names one.
    pub fn source(&self) -> Result<Source> {
        let text = self.source.clone().ok_or_else(|| {
            Error::usage(format!("environment {} has no database", self.name)).hint(format!(
                "name one on the command line, or write database = \"…\" under [env.{}] in {}",
                self.name,
                config::FILE
            ))
        })?;
        Ok(Source { password: self.password.clone(), ..Source::of(text, &self.base) })
    }

    /// Its database's engine.
    pub fn engine(&self, state: &StateDir) -> Result<Box<dyn engine::Engine>> {
        self.source()?.open(self.engine_settings(state)?)
    }

    /// What its engine is set to; caches go to the state directory, large temporary files beside the store.
    pub fn engine_settings(&self, state: &StateDir) -> Result<engine::Settings> {
        Ok(engine::Settings {
            busy_timeout: self.busy_timeout,
            stall_timeout: self.stall_timeout,
            allow_empty: self.allow_empty,
            lock_tables: self.lock_tables,
            program_dirs: self.program_dirs.clone(),
            scratch_dir: self.store.clone(),
            cache: state.folder("cache")?,
            scratch_user: self.scratch_user.clone(),
            scratch_server: self.scratch_server.clone(),
        })
    }
}

impl Config {
    /// Resolves an environment: `name`, else `$HOLDFAST_ENV`, else the only one there is, else `dev` where the file
    /// describes none. A source on the command line without a name belongs to the environment whose database it is.
    ///
    /// Errors: [`crate::error::Kind::Usage`] for a name that does not exist or a choice that was not made,
    /// [`crate::error::Kind::Config`] for values that cannot be resolved.
    pub fn environment(&self, name: Option<&str>, overrides: Overrides) -> Result<Environment> {
        let name = match name {
            Some(name) => Some(name.to_owned()),
            None => self.surroundings.text("HOLDFAST_ENV")?,
        };
        let name = self.choose(name.as_deref(), overrides.source.as_deref())?;
        match self.file.env.get(&name) {
            Some(table) => self.resolve(&name, table, true, overrides),
            None => self.resolve(&name, &EnvTable::default(), false, overrides),
        }
    }

    fn choose(&self, name: Option<&str>, source: Option<&str>) -> Result<String> {
        let known = &self.file.env;
        if let Some(name) = name {
            if known.is_empty() {
                config::check_name(name).map_err(Error::usage)?;
            } else if !known.contains_key(name) {
                return Err(self.no_such(name));
            }
            return Ok(name.to_owned());
        }
        if known.is_empty() {
            return Ok(NAME_DEFAULT.to_owned());
        }
        let candidates: Vec<&str> = match source {
            None => self.environment_names().collect(),
            Some(source) => {
                known.iter().filter(|(name, table)| self.is_database_of(name, table, source)).map(|(name, _)| name.as_str()).collect()
            }
        };
        match (candidates.as_slice(), source) {
            ([only], _) => Ok((*only).to_owned()),
            ([], Some(source)) => Err(Error::usage(format!("{} is the database of no environment in {}", redact(source), self.shown()))
                .hint(format!("say which one its backup is for with -e: {}", self.names()))),
            _ => Err(Error::usage(format!("which environment? {} has {}", self.shown(), candidates.join(", "))).hint("choose one with -e")),
        }
    }

    fn approval_rules(&self, table: &ApprovalTable, folder: &[&str]) -> Result<ApprovalRules> {
        let default = ApprovalRules::default();
        if let (Some(ApprovalBy::Other), None, Some(source)) = (table.by.map(|text| text.0), &table.folder, &self.source) {
            let by: Vec<&str> = folder.iter().map(|key| if *key == "folder" { "by" } else { *key }).collect();
            return Err(source
                .error_at(&by, "\"other\" needs a folder beside it")
                .hint("name one to which both users can write: folder = \"/var/lib/holdfast-approvals\""));
        }
        Ok(ApprovalRules {
            command: table.command.clone().map(|command| command.0),
            by: table.by.map(|text| text.0).unwrap_or_default(),
            folder: table.folder.as_ref().map(|text| self.path_at(folder, text)).transpose()?,
            valid: table.valid.map_or(default.valid, |text| text.0),
            timeout: table.timeout.map_or(default.timeout, |text| text.0),
        })
    }

    fn no_such(&self, name: &str) -> Error {
        let near = nearest(name, self.environment_names()).map(|near| format!(", did you mean {near:?}?")).unwrap_or_default();
        Error::usage(format!("no environment {name:?} in {}{near}", self.shown()))
            .hint(format!("the environments there are {}", self.names()))
    }

    fn names(&self) -> String {
        self.environment_names().collect::<Vec<_>>().join(", ")
    }

    fn shown(&self) -> String {
        self.path().map_or_else(|| config::FILE.to_owned(), |path| path.display().to_string())
    }

    /// Whether a source on the command line is this environment's database. One that cannot be resolved here is not.
    fn is_database_of(&self, name: &str, table: &EnvTable, source: &str) -> bool {
        let own = table.database.as_deref().and_then(|text| self.text_at(&["env", name, "database"], text).ok());
        let (Some(own), Ok(base), Ok(here)) = (own, self.base(), self.surroundings.working_dir()) else { return false };
        own == source && own.contains("://") || same_file(&base.join(plain_path(&own)), &here.join(plain_path(source)))
    }

    fn resolve(&self, name: &str, env: &EnvTable, is_described: bool, overrides: Overrides) -> Result<Environment> {
        let top = &self.file;
        let at = |key: &'static str| ["env", name, key];
        let one_file_system = env.one_file_system.or(top.one_file_system).unwrap_or(true);
        let by_hand = by_hand(&overrides, one_file_system);
        let own_source = env.database.as_deref().map(|text| self.text_at(&at("database"), text)).transpose()?;
        // A password belongs to the database it was written for: it is never sent to one named on the command line.
        let is_own = overrides.source.is_none() || overrides.source == own_source;
        let password = match &env.password_file {
            Some(text) if is_own => {
                let keys = at("password_file");
                Some(config::read_password(&self.path_at(&keys, text)?).map_err(|error| match &self.source {
                    Some(source) => error.within(source.at_key(&keys)),
                    None => error,
                })?)
            }
            _ => None,
        };
        let base = if is_described && overrides.source.is_none() { self.base()? } else { self.surroundings.working_dir()? };

        // A value of the environment, else the one at the top, with the place it was found at.
        let either = |key: &'static str, own: &Option<String>, common: &Option<String>| match (own, common) {
            (Some(text), _) => Some((at(key).to_vec(), text.clone())),
            (None, Some(text)) => Some((vec![key], text.clone())),
            (None, None) => None,
        };
        let store = match (overrides.store, self.surroundings.variable("HOLDFAST_STORE"), either("store", &env.store, &top.store)) {
            (Some(path), _, _) => self.surroundings.path(&path)?,
            (None, Some(path), _) => self.surroundings.path(Path::new(path))?,
            (None, None, Some((keys, text))) => self.path_at(&keys, &text)?,
            (None, None, None) if is_described => self.base()?.join(STORE_DEFAULT),
            (None, None, None) => self.surroundings.working_dir()?.join(STORE_DEFAULT),
        };
        let program_dirs = if overrides.program_dirs.is_empty() {
            let of = [("pg_bin", &env.pg_bin, &top.pg_bin), ("mariadb_bin", &env.mariadb_bin, &top.mariadb_bin)];
            let mut found = Vec::new();
            for (key, own, common) in of {
                let (keys, folders) = match (own, common) {
                    (Some(own), _) => (at(key).to_vec(), own.0.as_slice()),
                    (None, Some(common)) => (vec![key], common.0.as_slice()),
                    (None, None) => continue,
                };
                for folder in folders {
                    found.push(self.path_at(&keys, folder)?);
                }
            }
            found
        } else {
            overrides.program_dirs.iter().map(|folder| self.surroundings.path(folder)).collect::<Result<_>>()?
        };
        let paths = |key: &'static str, list: &Option<Vec<String>>| -> Result<Vec<PathBuf>> {
            list.iter().flatten().map(|text| self.path_at(&at(key), text)).collect()
        };
        let scratch_server = either("scratch_server", &env.scratch_server, &top.scratch_server)
            .map(|(keys, text)| self.text_at(&keys, &text))
            .transpose()?;
        let retention = env.retention.or(top.retention).unwrap_or_default().overridden_by(overrides.retention);
        if !overrides.retention.is_empty() {
            retention.check().map_err(|(key, why)| Error::usage(format!("{}: {why}", key.unwrap_or("retention"))))?;
        }

        Ok(Environment {
            name: name.to_owned(),
            protected: env.protected.unwrap_or(false),
            source: overrides.source.or(own_source),
            base,
            password,
            store,
            compression: overrides.compression.or(env.compression.or(top.compression).map(|text| text.0)).unwrap_or_default(),
            increments: Increments {
                wanted: overrides.wanted.or(env.wanted.or(top.wanted).map(|text| text.0)).unwrap_or_default(),
                full_every: env.full_every.or(top.full_every).map_or(FULL_EVERY_DEFAULT, |text| text.0),
            },
            verify: overrides.verify.or(env.verify.or(top.verify).map(|text| text.0)).unwrap_or(Level::Structure),
            retention,
            max_age: overrides.max_age.or(env.max_age.or(top.max_age).map(|text| text.0)),
            min_size: overrides.min_size.or(env.min_size.or(top.min_size).map(|text| text.0)),
            min_free: overrides.min_free.or(env.min_free.or(top.min_free).map(|text| text.0)),
            min_verified: env.min_verified.or(top.min_verified).unwrap_or(MIN_VERIFIED_DEFAULT),
            wait: overrides.wait.or(env.wait.or(top.wait).map(|text| text.0)).unwrap_or(Duration::ZERO),
            busy_timeout: overrides
                .busy_timeout
                .or(env.busy_timeout.or(top.busy_timeout).map(|text| text.0))
                .unwrap_or(BUSY_TIMEOUT_DEFAULT),
            stall_timeout: overrides
                .stall_timeout
                .or(env.stall_timeout.or(top.stall_timeout).map(|text| text.0))
                .unwrap_or(STALL_TIMEOUT_DEFAULT),
            timeout: overrides.timeout.or(env.timeout.or(top.timeout).map(|text| text.0)).unwrap_or(TIMEOUT_DEFAULT),
            allow_empty: overrides.allow_empty.or(env.allow_empty).or(top.allow_empty).unwrap_or(false),
            lock_tables: env.lock_tables.or(top.lock_tables).unwrap_or(false),
            program_dirs,
            scratch_user: env.scratch_user.clone().or_else(|| top.scratch_user.clone()),
            scratch_server,
            restart: env.restart.clone().map(|command| command.0),
            asserts: env.assert.clone(),
            migration: Migration {
                on_failure: env.on_failure.or(top.on_failure).map(|text| text.0).unwrap_or_default(),
                max_row_loss: env.max_row_loss.or(top.max_row_loss).map(|text| text.0).unwrap_or_default(),
                allow_loss: env.allow_loss.iter().map(|text| text.0.clone()).collect(),
                check: env.check.clone().map(|command| command.0),
                timeout: env.command_timeout.or(top.command_timeout).map(|text| text.0),
                lock_timeout: env.lock_timeout.or(top.lock_timeout).map(|text| text.0),
                statement_timeout: env.statement_timeout.or(top.statement_timeout).map(|text| text.0),
            },
            test_run: TestRun {
                on_leak: env.on_leak.or(top.on_leak).map(|text| text.0).unwrap_or_default(),
                clone_env: env.clone_env.clone(),
            },
            approval: match (&env.approval, &top.approval) {
                (Some(table), _) => self.approval_rules(table, &["env", name, "approval", "folder"])?,
                (None, Some(table)) => self.approval_rules(table, &["approval", "folder"])?,
                (None, None) => ApprovalRules::default(),
            },
            files: if overrides.files.is_empty() {
                paths("files", &env.files)?
            } else {
                overrides.files.iter().map(|path| self.surroundings.path(path)).collect::<Result<_>>()?
            },
            config_files: paths("config_files", &env.config_files)?,
            include: if overrides.include.is_empty() {
                env.include.clone().or_else(|| top.include.clone()).unwrap_or_default()
            } else {
                overrides.include
            },
            exclude: env.exclude.iter().flatten().chain(top.exclude.iter().flatten()).cloned().chain(overrides.exclude).collect(),
            include_versions: env.include_versions.or(top.include_versions).unwrap_or(false),
            one_file_system: overrides.one_file_system.unwrap_or(one_file_system),
            by_hand,
            accept_empty: overrides.accept_empty,
        })
    }
}

/// What the command line says of which files are taken along, in words that are the same for the same choice.
fn by_hand(overrides: &Overrides, one_file_system: bool) -> Vec<String> {
    let include = overrides.include.iter().map(|pattern| format!("include {pattern}"));
    let exclude = overrides.exclude.iter().map(|pattern| format!("exclude {pattern}"));
    let other = overrides.one_file_system.filter(|said| *said != one_file_system);
    let other = other.map(|said| if said { "one file system" } else { "other file systems too" }.to_owned());
    let mut words: Vec<String> = include.chain(exclude).chain(other).collect();
    words.sort();
    words.dedup();
    words
}

/// The path in a source's text, where it is a file.
fn plain_path(source: &str) -> &str {
    ["sqlite:", "sqlite3:", "file:"].into_iter().find_map(|scheme| source.strip_prefix(scheme)).unwrap_or(source)
}

fn same_file(a: &Path, b: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    real(a) == real(b)
}

#[cfg(test)]
mod tests;
