//! `holdfast.toml`: found, read, and refused where anything in it is not understood. It ends where an
//! environment is resolved from it.

pub mod duration;
mod expand;
mod keys;
pub(crate) mod place;
#[cfg(any(test, feature = "schema"))]
pub mod schema;
mod secrets;
pub mod size;
pub(crate) mod surroundings;
mod values;

use std::fs::File as OsFile;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use keys::Retention;
pub use values::Assert;

pub(crate) use expand::{expand, path as expand_path};
pub(crate) use keys::{ApprovalTable, EnvTable, File};
pub(crate) use secrets::read_password;

use crate::error::{Error, Kind, OnPath, Result};
use crate::fsx;
use crate::state_dir::StateDir;
use place::Source;
use surroundings::Surroundings;

/// The file's name.
pub const FILE: &str = "holdfast.toml";
/// Far more than anybody writes by hand; a larger file is something else, named by mistake.
const MAX_BYTES: u64 = 1 << 20;
/// The most characters of an environment's name.
pub const NAME_MAX_CHARS: usize = 40;
/// Folders that stand beside the environments' own in a store.
const RESERVED: [&str; 7] = ["migrations", "archives", "checks", "labels", "audit", "logs", "versions"];
/// For how many days log files are kept where the file does not say.
const LOG_KEEP_DAYS_DEFAULT: u32 = 30;

/// What the file says; empty where there is none.
#[derive(Clone)]
pub struct Config {
    pub(crate) source: Option<Source>,
    pub(crate) file: File,
    pub(crate) surroundings: Surroundings,
}

/// Where the log goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Log {
    /// The local state directory.
    State,
    /// The `logs` folder of the environment's store.
    Store,
    /// This folder.
    Folder(PathBuf),
}

/// Shows the path alone: the text may hold a password.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("path", &self.path()).finish_non_exhaustive()
    }
}

impl Config {
    /// Reads the file at `explicit`, else at `$HOLDFAST_CONFIG`, else the nearest `holdfast.toml` in the working directory
    /// and its parents, else `$XDG_CONFIG_HOME/holdfast/` (`~/.config/holdfast/`), else `/etc/holdfast/`. To find none is fine.
    ///
    /// Errors are of the kind [`Kind::Config`] and name line and key.
    pub fn load(explicit: Option<&Path>) -> Result<Self> {
        Self::load_in(explicit, Surroundings::of_this_process())
    }

    pub(crate) fn load_in(explicit: Option<&Path>, surroundings: Surroundings) -> Result<Self> {
        match find(explicit, &surroundings)? {
            Some(path) => Self::read(path, surroundings),
            None => Ok(Config { source: None, file: File::default(), surroundings }),
        }
    }

    fn read(path: PathBuf, surroundings: Surroundings) -> Result<Self> {
        let as_config = |error: Error| error.as_kind(Kind::Config);
        let handle = OsFile::open(&path).on("open", &path).map_err(as_config)?;
        let metadata = handle.metadata().on("look at", &path).map_err(as_config)?;
        let mut bytes = Vec::new();
        handle.take(MAX_BYTES + 1).read_to_end(&mut bytes).on("read", &path).map_err(as_config)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(Error::config(format!("{} is larger than {MAX_BYTES} bytes: is it a configuration file?", path.display())));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let line = 1 + error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
            Error::config(format!("{}:{line}: not UTF-8", path.display()))
        })?;
        let source = Source { path, text };
        let file: File = toml::from_str(&source.text).map_err(|error| source.explain(&error))?;
        check(&file, &source, metadata.mode())?;
        Ok(Config { source: Some(source), file, surroundings })
    }

    /// The file that was read, absolute.
    pub fn path(&self) -> Option<&Path> {
        self.source.as_ref().map(|source| source.path.as_path())
    }

    /// The names of the environments it describes.
    pub fn environment_names(&self) -> impl Iterator<Item = &str> {
        self.file.env.keys().map(String::as_str)
    }

    /// Where the log goes.
    pub fn log(&self) -> Result<Log> {
        match self.file.log.as_deref() {
            None | Some("state") => Ok(Log::State),
            Some("store") => Ok(Log::Store),
            Some(text) => self.path_at(&["log"], text).map(Log::Folder),
        }
    }

    /// For how many days log files are kept; none keeps them for ever.
    pub fn log_keep_days(&self) -> Option<u32> {
        Some(self.file.log_keep_days.unwrap_or(LOG_KEEP_DAYS_DEFAULT)).filter(|days| *days > 0)
    }

    /// Opens the local state directory: `$HOLDFAST_STATE_DIR`, else the file's `state_dir`, else the usual place.
    pub fn open_state_dir(&self) -> Result<StateDir> {
        match &self.file.state_dir {
            Some(text) if self.surroundings.variable("HOLDFAST_STATE_DIR").is_none() => {
                let path = self.path_at(&["state_dir"], text)?;
                fsx::create_private_dirs(&path)?;
                Ok(StateDir::at(&path))
            }
            _ => StateDir::open(),
        }
    }

    /// The folder that the file's relative paths start from; the working directory where there is no file.
    pub(crate) fn base(&self) -> Result<PathBuf> {
        match self.path().and_then(Path::parent) {
            Some(folder) => Ok(folder.to_owned()),
            None => self.surroundings.working_dir(),
        }
    }

    /// A path of the file, expanded and absolute; `keys` is where it stands.
    pub(crate) fn path_at(&self, keys: &[&str], text: &str) -> Result<PathBuf> {
        expand_path(text, &self.base()?, &self.surroundings).map_err(|why| self.error_at(keys, why))
    }

    /// A text of the file, expanded; `keys` is where it stands.
    pub(crate) fn text_at(&self, keys: &[&str], text: &str) -> Result<String> {
        expand(text, &self.surroundings).map_err(|why| self.error_at(keys, why))
    }

    pub(crate) fn error_at(&self, keys: &[&str], why: impl std::fmt::Display) -> Error {
        match &self.source {
            Some(source) => source.error_at(keys, why),
            None => Error::config(format!("{}: {why}", keys.join("."))),
        }
    }
}

fn find(explicit: Option<&Path>, surroundings: &Surroundings) -> Result<Option<PathBuf>> {
    if let Some(path) = explicit {
        return surroundings.path(path).map(Some);
    }
    if let Some(path) = surroundings.variable("HOLDFAST_CONFIG") {
        return surroundings.path(Path::new(path)).map(Some);
    }
    let nearest = surroundings.working_dir.as_deref().and_then(|folder| place::in_parents(folder, FILE));
    let user = surroundings
        .variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|folder| folder.is_absolute())
        .or_else(|| surroundings.home.as_ref().map(|home| home.join(".config")))
        .map(|folder| folder.join("holdfast").join(FILE));
    let system = surroundings.system.join(FILE);
    Ok(nearest.or_else(|| [user, Some(system)].into_iter().flatten().find(|path| path.symlink_metadata().is_ok())))
}

/// What the types cannot say: names, policies, and secrets in a file that others can read.
fn check(file: &File, source: &Source, mode: u32) -> Result<()> {
    for name in file.env.keys() {
        check_name(name).map_err(|why| Error::config(format!("{}: {why}", source.at_key(&["env", name]))))?;
    }
    if let Some(text) = file.log.as_deref()
        && !matches!(text, "state" | "store")
        && !text.contains('/')
        && !text.starts_with(['~', '$'])
    {
        return Err(source.error_at(&["log"], format!("{text:?} is neither state nor store, nor a path with a / in it")));
    }
    if let Some(0) = file.min_verified {
        return Err(source.error_at(&["min_verified"], AT_LEAST_ONE));
    }
    check_retention(source, &["retention"], file.retention)?;
    check_limits(source, &[], [("max_age", file.max_age), ("stall_timeout", file.stall_timeout), ("timeout", file.timeout)])?;
    check_secrets(source, mode, [(vec!["scratch_server"], &file.scratch_server)])?;
    for (name, env) in &file.env {
        if let Some(0) = env.min_verified {
            return Err(source.error_at(&["env", name, "min_verified"], AT_LEAST_ONE));
        }
        check_retention(source, &["env", name, "retention"], env.retention)?;
        check_limits(source, &["env", name], [("max_age", env.max_age), ("stall_timeout", env.stall_timeout), ("timeout", env.timeout)])?;
        check_secrets(
            source,
            mode,
            [(vec!["env", name, "database"], &env.database), (vec!["env", name, "scratch_server"], &env.scratch_server)],
        )?;
    }
    Ok(())
}

const AT_LEAST_ONE: &str = "must be at least 1: the last good backup is never deleted";

fn check_limits(source: &Source, above: &[&str], limits: [(&str, Option<values::Text<Duration>>); 3]) -> Result<()> {
    match limits.into_iter().find(|(_, limit)| limit.is_some_and(|limit| limit.0.is_zero())) {
        Some((key, _)) => Err(source.error_at(&above.iter().copied().chain([key]).collect::<Vec<_>>(), "must be longer than nothing")),
        None => Ok(()),
    }
}

fn check_retention(source: &Source, keys: &[&str], retention: Option<Retention>) -> Result<()> {
    let Some(retention) = retention else { return Ok(()) };
    retention.check().map_err(|(key, why)| source.error_at(&keys.iter().copied().chain(key).collect::<Vec<_>>(), why))
}

fn check_secrets<'a, const N: usize>(source: &Source, mode: u32, urls: [(Vec<&'a str>, &'a Option<String>); N]) -> Result<()> {
    for (keys, url) in urls {
        if secrets::open_to_others(mode) && url.as_deref().is_some_and(secrets::has_inline_password) {
            let why = format!("holds a password, and the file is open to others (mode {:04o})", mode & 0o7777);
            return Err(source
                .error_at(&keys, why)
                .hint(format!("chmod 600 {}, or keep the password in a password_file", secrets::shell_word(&source.path))));
        }
    }
    Ok(())
}

/// Whether a text can name an environment; the error is one line. Lowercase only, because `Prod` and `prod` are one
/// folder on a Mac and two on Linux.
pub fn check_name(name: &str) -> Result<(), String> {
    let fits = |name: &str| {
        name.len() <= NAME_MAX_CHARS
            && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    if RESERVED.contains(&name) {
        return Err(format!("{name:?} cannot name an environment: it is a folder of the store's own"));
    }
    if fits(name) {
        return Ok(());
    }
    let rule = format!("{name:?} cannot name an environment: use a-z, 0-9 and -, at most {NAME_MAX_CHARS} characters");
    let better: String =
        name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(NAME_MAX_CHARS).collect();
    let better = better.trim_matches('-');
    if fits(better) && !RESERVED.contains(&better) { Err(format!("{rule}, such as {better:?}")) } else { Err(rule) }
}

#[cfg(test)]
pub(crate) mod tests;
