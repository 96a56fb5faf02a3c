//! What a run finds around it: environment variables, working directory, home. Taken once, so that every later answer
//! agrees with the first, and tests can make up their own.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::state_dir;

/// The surroundings of a run.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) variables: BTreeMap<OsString, OsString>,
    /// None where the working directory has been removed.
    pub(crate) working_dir: Option<PathBuf>,
    pub(crate) home: Option<PathBuf>,
    /// `/etc/holdfast`.
    pub(crate) system: PathBuf,
}

impl Surroundings {
    pub(crate) fn of_this_process() -> Self {
        Surroundings {
            variables: std::env::vars_os().collect(),
            working_dir: std::env::current_dir().ok(),
            home: state_dir::home(),
            system: PathBuf::from("/etc/holdfast"),
        }
    }

    /// A variable that is set and not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// A variable as text.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>> {
        self.variable(name)
            .map(|value| value.to_str().map(str::to_owned).ok_or_else(|| Error::config(format!("{name} is not UTF-8"))))
            .transpose()
    }

    /// A path from the command line or a variable, made absolute against the working directory. A leading `~/` expands:
    /// cron does not, and a shell does not inside `--store=~/x`; nobody wants a folder called `~`.
    pub(crate) fn path(&self, path: &Path) -> Result<PathBuf> {
        if let Ok(rest) = path.strip_prefix("~") {
            return self.home().map(|home| home.join(rest));
        }
        let path = if path.is_absolute() { path.to_owned() } else { self.working_dir()?.join(path) };
        Ok(tidy(path))
    }

    pub(crate) fn working_dir(&self) -> Result<PathBuf> {
        self.working_dir.clone().ok_or_else(|| Error::failed("the working directory is gone").hint("change to one that exists"))
    }

    pub(crate) fn home(&self) -> Result<PathBuf> {
        self.home
            .clone()
            .ok_or_else(|| Error::config("~ is used and this user has no home directory").hint("set HOME, or write the path out"))
    }
}

/// An absolute path without `.` and doubled slashes; `..` and links stay, since only the kernel can follow them.
pub(crate) fn tidy(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}
