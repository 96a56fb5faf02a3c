//! What every binary opens before it works: the configuration, the local state, the environment, the log.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::ValueParserFactory;
use holdfast::config::{self, Config, Log};
use holdfast::environment::{Environment, Overrides};
use holdfast::error::{Kind, Result};
use holdfast::state_dir::StateDir;
use holdfast::store::{Create, Store};

use crate::common::Common;
use crate::log;
use crate::out::Out;

/// The configuration and the local state directory of a run.
pub struct Setting {
    /// What the configuration file says.
    pub config: Config,
    /// The local state directory.
    pub state: StateDir,
}

impl Setting {
    /// Reads the configuration that the flags name, and opens the state directory.
    pub fn open(common: &Common) -> Result<Self> {
        let config = Config::load(common.config.as_deref())?;
        let state = config.open_state_dir()?;
        Ok(Setting { config, state })
    }

    /// Resolves the environment that the flags name.
    pub fn environment(&self, common: &Common, overrides: Overrides) -> Result<Environment> {
        let store = common.store.clone().or(overrides.store);
        self.config.environment(common.env.as_deref(), Overrides { store, ..overrides })
    }

    /// Looks whether the store of a run that writes backups is there, and fails where that run could create none. Nothing is created.
    pub fn has_store(&self, common: &Common, environment: &Environment) -> Result<bool> {
        Store::is_there(&environment.store, &self.state, if common.new_store { Create::Meant } else { Create::FirstUse })
    }

    /// Opens an environment's store. Only a run that writes backups may create one.
    pub fn store(&self, common: &Common, environment: &Environment, writes: bool) -> Result<Store> {
        let create = match (writes, common.new_store) {
            (true, true) => Create::Meant,
            (true, false) => Create::FirstUse,
            (false, _) => Create::Never,
        };
        Store::open(&environment.store, &self.state, create)
    }

    /// Opens an environment's store where there is one: for a dry run, which creates none.
    pub fn store_if_any(&self, common: &Common, environment: &Environment) -> Result<Option<Store>> {
        match self.store(common, environment, false) {
            Ok(store) => Ok(Some(store)),
            Err(error) if error.kind() == Kind::Bad => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Starts the log where the configuration wants it.
    pub fn start_log(&self, tool: &'static str, common: &Common, store: Option<&Store>, out: &Out) -> Result<()> {
        let folder: Option<PathBuf> = match (self.config.log()?, store) {
            (Log::State, _) => Some(self.state.path().join("logs")),
            (Log::Store, Some(store)) => Some(store.folder("logs")),
            (Log::Store, None) => None,
            (Log::Folder(path), _) => Some(path),
        };
        for trouble in log::start(tool, folder.as_deref(), self.config.log_keep_days().unwrap_or(0), common.verbose) {
            out.warn(&trouble);
        }
        Ok(())
    }
}

/// A duration as a flag takes it: `10m`, `36h`, `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(pub Duration);

impl ValueParserFactory for Span {
    type Parser = clap::builder::ValueParser;

    fn value_parser() -> Self::Parser {
        clap::builder::ValueParser::from(|text: &str| config::duration::parse(text).map(Span))
    }
}

/// A size as a flag takes it: `10KB`, `2GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes(pub u64);

impl ValueParserFactory for Bytes {
    type Parser = clap::builder::ValueParser;

    fn value_parser() -> Self::Parser {
        clap::builder::ValueParser::from(|text: &str| config::size::parse(text).map(Bytes))
    }
}
