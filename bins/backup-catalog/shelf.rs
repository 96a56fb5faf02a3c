//! From the flags to the store, and from a backup to the rules that hold for it.

use holdfast::audit::Run;
use holdfast::backup::Backup;
use holdfast::catalog::Catalog;
use holdfast::config::Retention;
use holdfast::environment::{Environment, Overrides};
use holdfast::error::{Error, Result};
use holdfast::lock::Held;
use holdfast::select::{self, Holding, Selector};
use holdfast::store::Store;
use manners::{Common, Out, Setting, Span};

use crate::TOOL;

/// An open store with the configuration around it.
pub(crate) struct Shelf<'a> {
    pub(crate) setting: Setting,
    pub(crate) store: Store,
    common: &'a Common,
    first: Environment,
    described: Vec<String>,
}

impl<'a> Shelf<'a> {
    /// Opens the store of the environment that was named; else that of the first one. Only an import may create one.
    pub(crate) fn open(common: &'a Common, out: &Out, may_create: bool) -> Result<Self> {
        let setting = Setting::open(common)?;
        let described: Vec<String> = setting.config.environment_names().map(str::to_owned).collect();
        let overrides = Overrides { store: common.store.clone(), ..Overrides::default() };
        let first = match (&common.env, described.first()) {
            (None, Some(name)) => setting.config.environment(Some(name), overrides)?,
            _ => setting.environment(common, overrides)?,
        };
        let store = setting.store(common, &first, may_create)?;
        setting.start_log(TOOL, common, Some(&store), out)?;
        Ok(Shelf { setting, store, common, first, described })
    }

    /// The environment that was named.
    pub(crate) fn only(&self) -> Option<&str> {
        self.common.env.as_deref()
    }

    /// The backup that is meant; the latest is that of a database as well as that of files.
    pub(crate) fn find(&self, selector: &str) -> Result<Backup> {
        select::find_holding(&self.store, self.only(), &Selector::parse(selector)?, Holding::Anything)
    }

    /// An environment by its name. One that the configuration does not describe has no database and no retention of its own:
    /// those of another are not meant for it.
    pub(crate) fn environment(&self, name: &str) -> Result<Environment> {
        if self.described.is_empty() || self.described.iter().any(|described| described == name) {
            let overrides = Overrides { store: self.common.store.clone(), ..Overrides::default() };
            return self.setting.config.environment(Some(name), overrides);
        }
        Ok(Environment { name: name.to_owned(), source: None, retention: Retention::default(), ..self.first.clone() })
    }

    /// As [`Shelf::environment`]; protected too where its own backups say that it was.
    pub(crate) fn environment_of(&self, name: &str, catalog: &Catalog) -> Result<Environment> {
        let was_protected = || catalog.backups().any(|backup| backup.manifest().environment == name && backup.manifest().protected);
        self.environment_that(name, was_protected)
    }

    /// As [`Shelf::environment`]; protected too where it is not described and was.
    pub(crate) fn environment_that(&self, name: &str, was_protected: impl FnOnce() -> bool) -> Result<Environment> {
        let environment = self.environment(name)?;
        let is_described = self.described.iter().any(|described| described == name);
        Ok(Environment { protected: environment.protected || (!is_described && was_protected()), ..environment })
    }

    /// The environment that is to be put in order: the one that was named, else the only one there is.
    pub(crate) fn settled(&self) -> Result<Environment> {
        match (self.only(), self.described.as_slice()) {
            (Some(name), _) => self.environment(name),
            (None, [only]) => self.environment(only),
            (None, []) => Ok(self.first.clone()),
            (None, several) => Err(Error::usage(format!("which environment? there are {}", several.join(", "))).hint("choose one with -e")),
        }
    }

    /// Every environment that is to be put in order and has its backups in this store.
    pub(crate) fn all(&self) -> Result<Vec<Environment>> {
        if self.only().is_some() || self.described.is_empty() {
            return Ok(vec![self.settled()?]);
        }
        let mut all = self.described.iter().map(|name| self.environment(name)).collect::<Result<Vec<_>>>()?;
        all.retain(|environment| environment.store == self.first.store);
        Ok(all)
    }

    /// Takes the right to change an environment's backups.
    pub(crate) fn hold(&self, environment: &Environment, wait: Option<Span>) -> Result<Held> {
        let wait = wait.map_or(environment.wait, |Span(wait)| wait);
        Held::acquire(self.store.state(), self.store.id(), &environment.name, wait)
    }

    /// What the audit trail says of a run on an environment.
    pub(crate) fn run(&self, operation: &str, environment: Option<&str>) -> Run {
        Run {
            tool: TOOL.to_owned(),
            operation: operation.to_owned(),
            environment: environment.map(str::to_owned),
            target: Some(self.store.root().display().to_string()),
        }
    }
}
