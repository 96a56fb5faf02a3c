//! From the flags to the store, and from a backup to the rules that hold for it.

use holdfast::backup::Backup;
use holdfast::config::Retention;
use holdfast::environment::{Environment, Overrides};
use holdfast::error::Result;
use holdfast::select::{self, Selector};
use holdfast::store::Store;
use manners::{Common, Out, Setting};

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

    /// The backup that is meant.
    pub(crate) fn find(&self, selector: &str) -> Result<Backup> {
        select::find(&self.store, self.only(), &Selector::parse(selector)?)
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
}
