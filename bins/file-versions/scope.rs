//! From the flags to the versions of a store.

use std::path::Path;
use std::time::Duration;

use holdfast::audit::Run;
use holdfast::environment::{Environment, Overrides};
use holdfast::error::{Error, Kind, Result};
use holdfast::store::Store;
use holdfast::versions::{Request, Versions, author};
use manners::{Common, Out, Setting, Span};

/// A save is over in a moment mostly, so a run waits for another one rather than fail.
const WAIT_LEAST: Duration = Duration::from_secs(60);

/// The setting, and the store in which versions are kept.
pub(crate) struct Scope {
    pub(crate) setting: Setting,
    environment: Environment,
}

/// A store, and the versions in it.
pub(crate) struct Place {
    pub(crate) store: Store,
    pub(crate) versions: Versions,
}

impl Scope {
    /// The store is that of the environment that was named; else of the first one.
    pub(crate) fn open(common: &Common) -> Result<Self> {
        let setting = Setting::open(common)?;
        let config = &setting.config;
        let first = config.environment_names().next().map(str::to_owned);
        let environment = match (&common.env, first) {
            (None, Some(name)) => config.environment(Some(&name), Overrides { store: common.store.clone(), ..Overrides::default() })?,
            _ => setting.environment(common, Overrides::default())?,
        };
        Ok(Scope { setting, environment })
    }

    /// Opens the store for a run that saves, which may make it.
    pub(crate) fn to_write(&self, common: &Common, out: &Out) -> Result<Place> {
        self.place(self.setting.store(common, &self.environment, true)?, common, out)
    }

    /// Opens the store for a run that only changes what is there.
    pub(crate) fn to_change(&self, common: &Common, out: &Out) -> Result<Place> {
        let store = self.setting.store(common, &self.environment, false).map_err(|error| match error.kind() {
            Kind::Bad => error.hint("file-versions save makes a store on its first run; --store names another place"),
            _ => error,
        })?;
        self.place(store, common, out)
    }

    /// Opens the store where there is one.
    pub(crate) fn if_any(&self, common: &Common) -> Result<Option<Versions>> {
        self.setting.store_if_any(common, &self.environment)?.map(|store| Versions::of(&store)).transpose()
    }

    fn place(&self, store: Store, common: &Common, out: &Out) -> Result<Place> {
        self.setting.start_log("file-versions", common, Some(&store), out)?;
        Ok(Place { versions: Versions::of(&store)?, store })
    }

    pub(crate) fn wait(&self, wait: Option<Span>) -> Duration {
        wait.map_or(self.environment.wait.max(WAIT_LEAST), |Span(wait)| wait)
    }

    pub(crate) fn request(&self, by: Option<&String>, message: &str) -> Result<Request> {
        let author = by.cloned().unwrap_or_else(author);
        let Environment { compression, min_free, .. } = self.environment;
        let request = Request { author, message: message.to_owned(), compression, min_free: min_free.unwrap_or(0) };
        request.check()?;
        Ok(request)
    }
}

/// A run as the audit trail tells it. Versions belong to the store, and to no environment.
pub(crate) fn audit_run(operation: &str, target: &Path) -> Run {
    Run { tool: "file-versions".to_owned(), operation: operation.to_owned(), environment: None, target: Some(target.display().to_string()) }
}

/// An error about the versions of a file, with the file before it.
pub(crate) fn of_file(error: Error, file: &Path) -> Error {
    error.within(file.display())
}
