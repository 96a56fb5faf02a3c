//! From the flags to what is checked.

use std::collections::BTreeSet;
use std::time::Duration;

use holdfast::audit::{self, Event, Place, Query};
use holdfast::backup::Backup;
use holdfast::environment::{Environment, Overrides};
use holdfast::error::Result;
use holdfast::fsx;
use holdfast::id;
use holdfast::manifest::Level;
use holdfast::select::{self, Holding, Selector};
use holdfast::store::Store;
use holdfast::sync_state;
use holdfast::verbs::guard::{Ruled, Scope};
use manners::{Bytes, Setting, Span};

use crate::args::Args;

/// An environment of the configuration without a `max_age` of its own is expected to be backed up daily; two hours are
/// for the run itself and for a late start.
const MAX_AGE_DEFAULT: Duration = Duration::from_secs(26 * 3600);

/// What the flags chose.
pub(crate) struct Chosen {
    pub(crate) store: Store,
    environments: Vec<(Environment, Option<Duration>)>,
    only: Option<Backup>,
    level: Level,
}

impl Chosen {
    pub(crate) fn open(args: &Args, setting: &Setting) -> Result<Self> {
        let config = &setting.config;
        let overrides = || Overrides {
            store: args.common.store.clone(),
            min_size: args.min_size.map(|Bytes(size)| size),
            max_age: args.max_age.map(|Span(age)| age),
            ..Overrides::default()
        };
        let described: Vec<String> = config.environment_names().map(str::to_owned).collect();
        let rule = |environment: Environment| {
            let default = described.contains(&environment.name).then_some(MAX_AGE_DEFAULT);
            let max_age = environment.max_age.or(default);
            (environment, max_age)
        };
        let first = match (&args.common.env, described.first()) {
            (None, Some(name)) => config.environment(Some(name), overrides())?,
            _ => setting.environment(&args.common, overrides())?,
        };
        let store = setting.store(&args.common, &first, false)?;
        let selector = args.selector.as_deref().map(Selector::parse).transpose()?;
        let only = match &selector {
            None => None,
            Some(Selector::Folder(path)) => Some(select::open_folder(path)?),
            Some(selector) => Some(select::find_holding(&store, args.common.env.as_deref(), selector, Holding::Anything)?),
        };
        let names = match (&args.common.env, &only) {
            (Some(name), _) => vec![name.clone()],
            (None, Some(backup)) => vec![backup.manifest().environment.clone()],
            (None, None) => Self::all(&described, &store)?,
        };
        let mut environments = Vec::new();
        for name in names {
            let environment = if described.is_empty() || described.contains(&name) {
                config.environment(Some(&name), overrides())?
            } else {
                // In the store, but not in the configuration: checked by the rules of the first.
                Environment { name, source: None, ..first.clone() }
            };
            // Environments with a store of their own are that store's business.
            if environment.store == first.store || args.common.store.is_some() {
                environments.push(rule(environment));
            }
        }
        Ok(Chosen { store, environments, only, level: args.verify })
    }

    /// The one backup that was asked for.
    pub(crate) fn only_id(&self) -> Option<String> {
        self.only.as_ref().map(|backup| backup.id().to_owned())
    }

    pub(crate) fn scope(&self) -> Result<Scope<'_>> {
        let environments = self.environments.iter().map(|(environment, max_age)| Ruled { environment, max_age: *max_age }).collect();
        Ok(Scope { environments, only: self.only.clone(), level: self.level })
    }

    /// Every environment that is configured or has a folder in the store. Where nothing is configured, also those that the store tells
    /// of: what was backed up once and has no backup left is missed.
    fn all(described: &[String], store: &Store) -> Result<Vec<String>> {
        let mut names: BTreeSet<String> = described.iter().cloned().collect();
        names.extend(store.places()?.into_iter().filter(|place| !holdfast::store::RESERVED.contains(&place.as_str())));
        if described.is_empty() {
            names.extend(told_of(store));
        }
        Ok(names.into_iter().collect())
    }
}

/// The environments of which the audit trail, or the checks, say that there was a backup. A trail that cannot be read says nothing
/// here; `backup-guard audit` says what is wrong with it.
fn told_of(store: &Store) -> BTreeSet<String> {
    let query = Query { operation: Some("backup".to_owned()), event: Some(Event::Outcome.name().to_owned()), ..Query::default() };
    let lines = audit::read(&Place::of(store), &[], &query).map(|answer| answer.lines).unwrap_or_default();
    let backed_up = lines.into_iter().filter(|line| line.backup.is_some()).filter_map(|line| line.environment);
    let folder = store.folder("checks");
    let names = fsx::names_in(&folder).unwrap_or_default();
    let checked = names.iter().filter_map(|name| {
        let name = sync_state::placeholder_for(name).unwrap_or_else(|| name.clone());
        id::environment_in(name.to_str()?.strip_suffix(".jsonl")?).map(str::to_owned)
    });
    backed_up.chain(checked).collect()
}
