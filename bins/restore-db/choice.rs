//! From the flags to the nouns: which backup, and which database it goes into.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

use holdfast::backup::Backup;
use holdfast::catalog::Catalog;
use holdfast::checks;
use holdfast::engine::Engine;
use holdfast::engine::source::{Source, engine_of};
use holdfast::environment::{Environment, Overrides};
use holdfast::error::{Error, Kind, Result};
use holdfast::foreign::Foreign;
use holdfast::manifest::EngineName;
use holdfast::marker::{self, Marker, Role};
use holdfast::rules::ApprovalRules;
use holdfast::select::{self, Holding, Selector};
use holdfast::shell;
use holdfast::store::{RESERVED, Store};
use holdfast::verbs::requests;
use holdfast::verbs::restore::{Origin, Target};
use holdfast::verbs::undo::{self, Record};
use manners::{Out, Setting};

use crate::args::Args;

/// So many backups that are passed over, or restores that may be meant, are named: a screen is not filled.
const NAMED_MAX: usize = 5;

/// What the flags and the configuration leave open before a backup is chosen.
pub(crate) struct Choice {
    /// The environment that was named, or the one that the chosen backup is of.
    pub(crate) environment: Environment,
    /// Every environment of the configuration file.
    described: Vec<Environment>,
    /// Whether the user or the configuration settled the environment, so that only its backups can be meant.
    is_settled: bool,
    /// The store, where there is one.
    pub(crate) store: Option<Store>,
}

impl Choice {
    pub(crate) fn open(args: &Args, setting: &Setting) -> Result<Self> {
        let names: Vec<String> = setting.config.environment_names().map(str::to_owned).collect();
        let overrides = || Overrides { store: args.common.store.clone(), ..Overrides::default() };
        let mut described = Vec::new();
        for name in &names {
            match setting.config.environment(Some(name), overrides()) {
                Ok(environment) => described.push(environment),
                Err(_) if args.list || is_own_target(args) => {}
                // Any other target could be the database of this one, which may be protected: then it must be known.
                Err(error) => return Err(error),
            }
        }
        let (environment, is_settled) = match (&args.common.env, described.as_slice()) {
            (Some(_), _) | (None, [_]) => (setting.environment(&args.common, overrides())?, true),
            // Several environments, or none described: the backup that is chosen says which.
            (None, [first, ..]) => (first.clone(), false),
            (None, []) => (setting.config.environment(None, overrides())?, false),
        };
        let store = match setting.store(&args.common, &environment, false) {
            Ok(store) => Some(store),
            // A file, an undo or a restore elsewhere needs no store.
            Err(error) if error.kind() == Kind::Bad && (args.file.is_some() || args.undo || args.discard) => None,
            Err(_) if matches!(args.selector.as_deref().map(Selector::parse), Some(Ok(Selector::Folder(_)))) => None,
            Err(error) => return Err(error),
        };
        Ok(Choice { environment, described, is_settled, store })
    }

    /// The name of the environment, where the user or the configuration settled it.
    pub(crate) fn settled(&self) -> Option<&str> {
        self.is_settled.then_some(self.environment.name.as_str())
    }

    /// The backup or file to restore, and the target.
    pub(crate) fn restore<'a>(&'a self, args: &Args, setting: &Setting, out: &Out) -> Result<(Origin, Target<'a>)> {
        let origin = self.origin(args, out)?;
        let target = match &origin {
            Origin::Backup(backup) => self.target_of(args, setting, Some(backup))?,
            Origin::File(_) => self.target_of(args, setting, None)?,
        };
        require_meant(args, &target)?;
        if let (Origin::Backup(backup), Some(store)) = (&origin, &self.store) {
            warn_of_files(backup, store, out);
        }
        Ok((origin, target))
    }

    /// The backup whose files are meant.
    pub(crate) fn files(&self, args: &Args, out: &Out) -> Result<Backup> {
        self.backup(args, Holding::Files, out)
    }

    /// The environment that a backup is of, where the configuration describes it.
    pub(crate) fn environment_of(&self, backup: &Backup) -> Option<&Environment> {
        self.described.iter().find(|environment| environment.name == backup.manifest().environment)
    }

    /// Every environment of the configuration file.
    pub(crate) fn environments(&self) -> &[Environment] {
        &self.described
    }

    /// Who approves what is done to the target.
    pub(crate) fn approval_of<'a>(&'a self, target: &Target<'a>) -> &'a ApprovalRules {
        &target.environment.unwrap_or(&self.environment).approval
    }

    /// The environment under which a safety backup of the target is filed: the one whose database it is, else the one that was settled,
    /// else the one that the chosen backup is of. Under any other name it would look as if the backups of that one had gone missing.
    pub(crate) fn filed_under<'a>(&'a self, origin: &Origin, target: &Target<'a>) -> Result<Cow<'a, Environment>> {
        if let Some(owner) = target.environment {
            return Ok(Cow::Borrowed(owner));
        }
        let ours = &self.environment;
        let under = |name: String, environment: &Environment, was_protected: bool| {
            Cow::Owned(Environment { name, protected: environment.protected || was_protected, ..environment.clone() })
        };
        Ok(match origin {
            Origin::Backup(backup) if self.is_settled => {
                let manifest = backup.manifest();
                under(ours.name.clone(), ours, manifest.protected && manifest.environment == ours.name)
            }
            Origin::File(_) if self.is_settled => Cow::Borrowed(ours),
            Origin::Backup(backup) => {
                let manifest = backup.manifest();
                under(manifest.environment.clone(), self.environment_of(backup).unwrap_or(ours), manifest.protected)
            }
            Origin::File(_) => match self.only_one_in_store()? {
                Some((name, was_protected)) => under(name, ours, was_protected),
                None => Cow::Borrowed(ours),
            },
        })
    }

    /// The environment whose backups alone the store holds, where no configuration describes any, and whether one of them says that it
    /// is protected.
    fn only_one_in_store(&self) -> Result<Option<(String, bool)>> {
        let Some(store) = self.store.as_ref().filter(|_| self.described.is_empty()) else { return Ok(None) };
        let mut places = store.places()?.into_iter().filter(|place| !RESERVED.contains(&place.as_str()));
        let Some(name) = places.next().filter(|_| places.next().is_none()) else { return Ok(None) };
        let catalog = Catalog::read(store, Some(&name))?;
        let was_protected = catalog.entries.iter().filter_map(|entry| entry.backup.as_ref().ok()).any(|backup| backup.manifest().protected);
        Ok(Some((name, was_protected)))
    }

    /// Where the backups of the target are: an environment may have a store of its own.
    pub(crate) fn store_of(&self, args: &Args, setting: &Setting, target: &Target<'_>) -> Result<Option<Store>> {
        match target.environment.filter(|owner| owner.store != self.environment.store) {
            None => Ok(self.store.clone()),
            Some(owner) => match setting.store(&args.common, owner, false) {
                Ok(store) => Ok(Some(store)),
                Err(error) if error.kind() == Kind::Bad => Ok(None),
                Err(error) => Err(error),
            },
        }
    }

    /// The last restore into the target that the flags name; without any, the only one there was.
    pub(crate) fn last_restore(&self, args: &Args, setting: &Setting) -> Result<(Target<'_>, Record)> {
        let is_named = args.user.is_some() || args.dbname.is_some();
        if args.to.is_some() || self.is_settled && (self.environment.source.is_some() || is_named) {
            let target = self.target_of(args, setting, None)?;
            require_meant(args, &target)?;
            let record = undo::last(&setting.state, &*target.engine).map_err(|error| match Record::all(&setting.state) {
                Ok(others) if error.kind() == Kind::Bad && !others.is_empty() => {
                    let hint = error.next_step().map(|hint| format!("{hint}\n")).unwrap_or_default();
                    error.hint(format!("{hint}others are remembered, if one of them is meant: {}", commands_of(args, &others)))
                }
                _ => error,
            })?;
            return Ok((target, record));
        }
        // Without a configuration the working directory's store says which databases can be meant: never one of another project.
        let known = self.databases_in_store()?;
        let (mut records, elsewhere): (Vec<Record>, Vec<Record>) =
            Record::all(&setting.state)?.into_iter().partition(|record| known.contains(&record.kept.target));
        match (records.pop(), records.is_empty()) {
            (Some(record), true) => {
                let target = self.target(&Source::of(&record.kept.target, "/"), setting, true)?;
                let record = undo::last(&setting.state, &*target.engine)?;
                Ok((target, record))
            }
            (None, _) if elsewhere.is_empty() => {
                Err(Error::bad("no restore is remembered on this machine")
                    .hint("a safety backup may hold what was there: restore-db --list"))
            }
            (None, _) => Err(Error::usage("which restore? none was into a database of the store here")
                .hint(format!("name the database: {}", commands_of(args, &elsewhere)))),
            (Some(last), false) => {
                records.push(last);
                Err(Error::usage(format!("which restore? there were {}", records.len()))
                    .hint(format!("name the database: {}", commands_of(args, &records))))
            }
        }
    }

    /// Where the databases are whose backups the store holds.
    fn databases_in_store(&self) -> Result<BTreeSet<String>> {
        let Some(store) = &self.store else { return Ok(BTreeSet::new()) };
        let catalog = Catalog::read(store, None)?;
        Ok(catalog.backups().filter_map(|backup| backup.manifest().database.as_ref()).map(|database| database.location.clone()).collect())
    }

    fn origin(&self, args: &Args, out: &Out) -> Result<Origin> {
        if let Some(path) = &args.file {
            return self.file(path, args);
        }
        Ok(Origin::Backup(Box::new(self.backup(args, Holding::Database, out)?)))
    }

    fn backup(&self, args: &Args, holding: Holding, out: &Out) -> Result<Backup> {
        let environment = self.is_settled.then_some(self.environment.name.as_str());
        let selector = match (&args.selector, &args.at) {
            (Some(text), _) => Selector::parse(text)?,
            (None, Some(time)) => Selector::parse_time(time)?,
            (None, None) => return Err(Error::usage("no backup is named").hint("use latest, an id or a backup's folder")),
        };
        if let Selector::Folder(path) = &selector {
            return select::open_folder(path);
        }
        let store = self.require_store()?;
        let chosen = select::find_holding(store, environment, &selector, holding)?;
        let passed_over = select::passed_over(store, &selector, holding, &chosen)?;
        for (id, why) in passed_over.iter().take(NAMED_MAX) {
            out.warn(&format!("{id} is newer and is passed over: {why}"));
        }
        if let Some(more) = passed_over.len().checked_sub(NAMED_MAX).filter(|more| *more > 0) {
            out.warn(&format!("{more} more that are newer than {} are passed over; restore-db --list says why", chosen.id()));
        }
        Ok(chosen)
    }

    /// A file of one of our backups stands for that backup, so that everything known of it is checked.
    fn file(&self, path: &Path, args: &Args) -> Result<Origin> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if folder.join(holdfast::manifest::FILE).is_file() {
            let backup = Backup::open_under_any_name(folder)?;
            let is_database = backup.database().is_ok_and(|component| path.file_name().is_some_and(|name| name == component.file.as_str()));
            if is_database {
                return Ok(Origin::Backup(Box::new(backup)));
            }
        }
        let text = args.to.clone().or_else(|| self.environment.source.clone());
        let engine = text.map(|text| engine_of(&text));
        Foreign::open(path, engine).map(Origin::File)
    }

    /// The database to restore into: the one `--to` names, else the environment's, else, where no configuration knows of
    /// any, the one that the backup was made from.
    fn target_of<'a>(&'a self, args: &Args, setting: &Setting, backup: Option<&Backup>) -> Result<Target<'a>> {
        let is_named = args.to.is_some() || args.dbname.is_some();
        let of_backup =
            backup.and_then(|backup| self.described.iter().find(|environment| environment.name == backup.manifest().environment));
        let environment = if self.is_settled { Some(&self.environment) } else { of_backup };
        let source = match (&args.to, environment.filter(|environment| environment.source.is_some()), backup) {
            (Some(text), _, _) => Source::of(text, working_dir()?),
            (None, Some(environment), _) => environment.source()?,
            (None, None, Some(backup)) => Source::of(self.place_it_was_made_from(backup)?, "/"),
            (None, None, None) => return Err(Error::usage("no target is named").hint("name it with --to URL, or its environment with -e")),
        };
        self.target(&Source { user: args.user.clone(), dbname: args.dbname.clone(), ..source }, setting, is_named)
    }

    /// Where a backup says that it was made from. That is only text, so it must be a backup of the store, and none of a
    /// protected environment.
    fn place_it_was_made_from<'b>(&self, backup: &'b Backup) -> Result<&'b str> {
        let manifest = backup.manifest();
        let id = backup.id();
        backup.database()?;
        let database = manifest.database.as_ref().ok_or_else(|| Error::bad(format!("{id} holds no database")))?;
        let folder = backup.folder().canonicalize().unwrap_or_default();
        let refuse = |what: &str| {
            Err(Error::refused(format!("{id} {what}, and no target is named"))
                .hint(format!("name the target with --to; the backup says that it was made from {}", database.location)))
        };
        match self.store.as_ref().filter(|store| folder.starts_with(store.root())) {
            None => return refuse("lies outside the store"),
            Some(store) if store.id() != manifest.store_id => return refuse("was made in another store and brought into this one"),
            Some(_) => {}
        }
        if manifest.protected {
            return Err(Error::refused(format!(
                "{id} is of the protected environment {}, which no configuration here describes",
                manifest.environment
            ))
            .hint(format!("name the configuration with --config, or the target with --to; it was made from {}", database.location)));
        }
        Ok(&database.location)
    }

    /// Opens a target, and finds the environment whose database it is, whatever way it was named.
    fn target(&self, source: &Source, setting: &Setting, is_named: bool) -> Result<Target<'_>> {
        let engine = source.open(self.environment.engine_settings(&setting.state)?)?;
        let mut engines = Vec::new();
        for environment in self.described.iter().filter(|environment| environment.source.is_some()) {
            engines.push((environment, environment.engine(&setting.state)?));
        }
        let location = engine.location();
        let at_the_place = engines.iter().find(|(_, own)| own.location() == location);
        let owner = at_the_place.or_else(|| engines.iter().find(|(_, own)| is_same(&*engine, &**own))).map(|(environment, _)| *environment);
        let owner = match owner {
            None if !self.described.is_empty() => self.claimed_by(&*engine)?,
            owner => owner,
        };
        Ok(Target { engine, environment: owner, is_named })
    }

    /// The environment that a database says it belongs to, where the configuration describes one of that name: its
    /// protection then holds wherever the database is.
    fn claimed_by(&self, engine: &dyn Engine) -> Result<Option<&Environment>> {
        let marker = says(engine)?;
        Ok(marker.and_then(|marker| self.described.iter().find(|environment| environment.name == marker.environment)))
    }

    pub(crate) fn require_store(&self) -> Result<&Store> {
        self.store
            .as_ref()
            .ok_or_else(|| Error::bad(format!("there is no store at {}", self.environment.store.display())).hint("name it with --store"))
    }
}

/// Refuses a database that says it is another environment's than the one that was named, whatever the configuration says.
fn require_meant(args: &Args, target: &Target<'_>) -> Result<()> {
    let Some(name) = &args.common.env else { return Ok(()) };
    marker::require(says(&*target.engine)?.as_ref(), name, &target.engine.location())
}

/// The environment's own marker that a database bears. One that cannot be reached says nothing; whatever is done to it later
/// tells why.
fn says(engine: &dyn Engine) -> Result<Option<Marker>> {
    let Ok(live) = engine.live() else { return Ok(None) };
    Ok(requests::marker_of(engine, &live)?.filter(|marker| marker.role == Role::Real))
}

/// The command that names each of these restores, the newest first.
fn commands_of(args: &Args, records: &[Record]) -> String {
    let flag = if args.discard { "--discard" } else { "--undo" };
    let command = |record: &Record| format!("restore-db {flag} --to {}", shell::word(&record.kept.target));
    records.iter().rev().take(NAMED_MAX).map(command).collect::<Vec<_>>().join(", or ")
}

/// A restore of the database reads the files of the backup as little as it touches those that are here.
fn warn_of_files(backup: &Backup, store: &Store, out: &Out) {
    let history = checks::history(store, backup.id());
    if let Some(failed) = checks::that_failed(&history.lines).filter(|_| backup.archives().next().is_some()) {
        out.warn(&format!("{}: {}; its database is checked now, and its files are not", backup.id(), failed.told()));
    }
}

/// Whether the target is the database of the environment that was named, and nothing else could be meant.
fn is_own_target(args: &Args) -> bool {
    args.common.env.is_some() && args.to.is_none() && args.dbname.is_none() && args.user.is_none()
}

/// Whether two places that are spelled differently are one database: `localhost` and `127.0.0.1`, two links to a file. Only
/// SQLite files can have several names; on a server a database has one.
fn is_same(one: &dyn Engine, other: &dyn Engine) -> bool {
    one.name() == other.name()
        && (one.name() == EngineName::Sqlite || one.database_name() == other.database_name())
        && one.identity().is_some_and(|identity| other.identity() == Some(identity))
}

fn working_dir() -> Result<std::path::PathBuf> {
    std::env::current_dir().map_err(|error| Error::from_io("there is no working directory", error))
}
