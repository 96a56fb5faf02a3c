//! Where a trail is kept.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::id::is_bare_name;
use crate::state_dir::StateDir;
use crate::store::Store;

/// The folder in a store, and in the state directory.
const FOLDER: &str = "audit";
/// The name of the trail in the state directory.
const LOCAL: &str = "local";

/// The place of one trail: the folder of its files, and the name under which this machine locks and remembers it.
#[derive(Debug, Clone)]
pub struct Place {
    folder: PathBuf,
    name: String,
    state: StateDir,
}

impl Place {
    /// The trail of a store.
    pub fn of(store: &Store) -> Self {
        Place { folder: store.folder(FOLDER), name: store.id().to_owned(), state: store.state().clone() }
    }

    /// The trail of this machine's runs without a store, in the state directory.
    pub fn local(state: &StateDir) -> Self {
        Place { folder: state.path().join(FOLDER), name: LOCAL.to_owned(), state: state.clone() }
    }

    /// A trail of the caller's own. `name` must be the folder's alone: by it the trail is locked and remembered in `state`.
    pub fn at(folder: &Path, name: &str, state: &StateDir) -> Result<Self> {
        if !is_bare_name(name) {
            return Err(Error::failed(format!("{name:?} is no name for an audit trail")).hint("use letters, digits, - and _"));
        }
        Ok(Place { folder: folder.to_owned(), name: name.to_owned(), state: state.clone() })
    }

    /// The folder of its files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn state(&self) -> &StateDir {
        &self.state
    }
}
