//! The local state directory: locks, remembered stores, journals and caches. Never inside a synced folder.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::fsx;

/// The directory that holds what belongs to this machine and not to the store; 0700.
#[derive(Debug, Clone)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// `$HOLDFAST_STATE_DIR`, else `$XDG_STATE_HOME/holdfast`, else `/var/lib/holdfast` for root and
    /// `~/.local/state/holdfast` for everybody else (the home comes from the user database where cron left HOME out).
    pub fn open() -> Result<Self> {
        let path = Self::locate()?;
        fsx::create_private_dirs(&path)
            .map_err(|error| error.hint("locks and journals live there; set HOLDFAST_STATE_DIR to a local folder that you can write"))?;
        Ok(StateDir(path))
    }

    fn locate() -> Result<PathBuf> {
        let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(path) = from("HOLDFAST_STATE_DIR") {
            return std::path::absolute(&path).map_err(|error| Error::from_io("HOLDFAST_STATE_DIR is not a path", error));
        }
        if let Some(path) = from("XDG_STATE_HOME").filter(|path| path.is_absolute()) {
            return Ok(path.join("holdfast"));
        }
        let uid = nix::unistd::geteuid();
        if uid.is_root() {
            return Ok(PathBuf::from("/var/lib/holdfast"));
        }
        home()
            .map(|home| home.join(".local/state/holdfast"))
            .ok_or_else(|| Error::config(format!("user {uid} has no home directory")).hint("set HOLDFAST_STATE_DIR"))
    }

    /// A state directory at a path of the caller's choice, which exists.
    pub fn at(path: &Path) -> Self {
        StateDir(path.to_owned())
    }

    /// The directory's path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A private folder inside, created where it is missing.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.0.join(name);
        fsx::create_private_dirs(&path)?;
        Ok(path)
    }
}

/// The user's home: `$HOME`, else what the user database says.
pub fn home() -> Option<PathBuf> {
    std::env::var_os("HOME")
        .map(PathBuf::from)
        .filter(|home| home.is_absolute())
        .or_else(|| nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten().map(|user| user.dir))
}
