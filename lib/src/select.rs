//! Which backup is meant: `latest`, an id or the beginning of one, a folder, a time.

use std::path::Path;

use chrono::{DateTime, Utc};

use crate::backup::Backup;
use crate::catalog::{self, Catalog, Folder};
use crate::checks::{self, Check};
use crate::clock;
use crate::error::{Error, Result};
use crate::id;
use crate::manifest::{Kind, Manifest};
use crate::shell;
use crate::store::Store;

/// What a command line says of the backup that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The newest good one.
    Latest,
    /// The newest good one that is not after this time.
    At(DateTime<Utc>),
    /// An id, or the beginning of one.
    Id(String),
    /// A backup's folder.
    Folder(std::path::PathBuf),
}

impl Selector {
    /// Reads a selector: a word with a slash, or the name of a folder that is there, is a folder.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        // The line that backup-db prints is an id and a folder, separated by a tab.
        let text = text.split('\t').next().unwrap_or(text);
        if text == "latest" {
            return Ok(Selector::Latest);
        }
        if text.contains('/') || (Path::new(text).join(crate::manifest::FILE).is_file()) {
            return Ok(Selector::Folder(text.into()));
        }
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(Error::usage(format!("{text:?} is no backup: use latest, an id or its beginning, or a backup's folder")));
        }
        Ok(Selector::Id(text.to_owned()))
    }

    /// Reads a time: RFC 3339, or a date with hours and minutes, in UTC where it names no zone.
    pub fn parse_time(text: &str) -> Result<Self> {
        read_time(text).map(Selector::At).ok_or_else(|| {
            Error::usage(format!("{text:?} is not a time"))
                .hint("write it like 2026-11-21T13:00:00Z, 2026-11-21T13:00+01:00 or 2026-11-21 (UTC)")
        })
    }
}

fn read_time(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.with_timezone(&Utc));
    }
    if let Ok(time) = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M%#z") {
        return Some(time.with_timezone(&Utc));
    }
    let bare = text.strip_suffix('Z').unwrap_or(text).replace(' ', "T");
    for form in ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"] {
        if let Ok(time) = chrono::NaiveDateTime::parse_from_str(&bare, form) {
            return Some(time.and_utc());
        }
    }
    // A day means all of it.
    chrono::NaiveDate::parse_from_str(&bare, "%Y-%m-%d").ok()?.and_hms_opt(23, 59, 59).map(|time| time.and_utc())
}

/// Finds the backup that is meant, among those of `environment` or of the whole store.
///
/// `latest` and a time never choose a safety backup (it holds the very state that a restore replaced), nor one that was
/// never verified, nor, while there is another, one that a later check found bad; all can be chosen by id.
pub fn find(store: &Store, environment: Option<&str>, selector: &Selector) -> Result<Backup> {
    find_holding(store, environment, selector, Holding::Database)
}

/// What a backup must hold to be chosen by `latest` or a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// A database.
    Database,
    /// Files.
    Files,
    /// Whatever there is.
    Anything,
}

impl Holding {
    fn is_in(self, manifest: &Manifest) -> bool {
        match self {
            Holding::Database => manifest.database.is_some(),
            Holding::Files => manifest.components.iter().any(|component| component.files.is_some()),
            Holding::Anything => true,
        }
    }

    fn named(self) -> &'static str {
        match self {
            Holding::Files => " that holds files",
            Holding::Database | Holding::Anything => "",
        }
    }
}

/// As [`find`], where `latest` and a time choose among those that hold what is wanted.
pub fn find_holding(store: &Store, environment: Option<&str>, selector: &Selector, holding: Holding) -> Result<Backup> {
    if let Selector::Folder(path) = selector {
        return open_folder(path);
    }
    if let Some(backup) = find_by_name(store, environment, selector, holding)? {
        return Ok(backup);
    }
    let catalog = Catalog::read(store, environment)?;
    let place =
        environment.map_or_else(|| format!("in {}", store.root().display()), |name| format!("of {name} in {}", store.root().display()));
    match selector {
        Selector::Id(prefix) => {
            let entry = catalog.by_prefix(prefix).map_err(|error| elsewhere(store, environment, prefix).unwrap_or(error))?;
            match &entry.backup {
                Ok(backup) => Ok(backup.clone()),
                // Opened again for an error of its own.
                Err(_) => Backup::open(&entry.folder),
            }
        }
        Selector::Latest => {
            only_environment(&catalog, environment)?;
            newest_good(store, &catalog, |backup| holding.is_in(backup.manifest()))?
                .ok_or_else(|| none_good(format!("there is no verified backup {place}{}", holding.named()), &catalog, holding))
        }
        Selector::At(time) => {
            only_environment(&catalog, environment)?;
            let fits = |backup: &Backup| backup.manifest().created_at <= *time && holding.is_in(backup.manifest());
            newest_good(store, &catalog, fits)?.ok_or_else(|| {
                let named = holding.named();
                none_good(
                    format!("there is no verified backup {place}{named} from {} or before", clock::readable(*time)),
                    &catalog,
                    holding,
                )
            })
        }
        Selector::Folder(_) => Err(Error::usage("a folder is no id")),
    }
}

/// What is newer than the backup that `latest` or a time has chosen, is as much meant, and was not chosen: each with the reason, the
/// newest first.
pub fn passed_over(store: &Store, selector: &Selector, holding: Holding, chosen: &Backup) -> Result<Vec<(String, String)>> {
    let until = match selector {
        Selector::Latest => None,
        Selector::At(time) => Some(*time),
        Selector::Id(_) | Selector::Folder(_) => return Ok(Vec::new()),
    };
    let environment = chosen.manifest().environment.as_str();
    let (mut folders, _) = catalog::folders(store, Some(environment))?;
    folders.retain(|folder| folder.second() >= chosen.id().split('-').next().unwrap_or_default() && folder.name != chosen.id());
    folders.sort_unstable_by(|a, b| b.name.cmp(&a.name));
    let is_meant = |made_at| made_at >= chosen.manifest().created_at && until.is_none_or(|until| made_at <= until);
    let mut passed_over = Vec::new();
    for folder in folders {
        let why = match folder.open() {
            None => None,
            Some(Ok(backup)) => {
                let manifest = backup.manifest();
                let is_candidate = manifest.environment == environment
                    && is_meant(manifest.created_at)
                    && manifest.kind != Kind::Safety
                    && holding.is_in(manifest);
                if is_candidate { why_not(store, &backup) } else { None }
            }
            Some(Err(error)) => {
                let is_others = folder.is_among_others() && id::environment_in(&folder.name) != Some(environment);
                let is_candidate = !is_others && catalog::time_in(&folder.name).is_some_and(is_meant);
                is_candidate.then(|| error.to_string())
            }
        };
        passed_over.extend(why.map(|why| (folder.name, why)));
    }
    Ok(passed_over)
}

fn why_not(store: &Store, backup: &Backup) -> Option<String> {
    let manifest = backup.manifest();
    match manifest.problems.first() {
        Some(problem) => Some(format!("it was made from a corrupt database: {problem}")),
        None if manifest.verification.is_none() => Some("it was never verified".to_owned()),
        None => known_bad(store, backup),
    }
}

/// Opens a backup's folder that a command line names.
pub fn open_folder(path: &Path) -> Result<Backup> {
    let other = "use latest, an id or its beginning, or a backup's folder: restore-db --list shows what there is";
    match path.metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Error::bad(format!("there is no backup at {}", path.display())).hint(other))
        }
        Ok(found) if found.is_file() => Err(Error::bad(format!("{} is a file, and no backup's folder", path.display()))
            .hint(format!("restore what it holds with --file {}; or {other}", shell::word(&path.display().to_string())))),
        _ => Backup::open_under_any_name(path).map_err(|error| if error.next_step().is_some() { error } else { error.hint(other) }),
    }
}

/// The same by the names of the folders, which begin with the time: only the few that may be meant are opened. None where it
/// takes all of them to know, or to say what is wrong.
fn find_by_name(store: &Store, environment: Option<&str>, selector: &Selector, holding: Holding) -> Result<Option<Backup>> {
    let (folders, _) = catalog::folders(store, environment)?;
    let until = match selector {
        Selector::Folder(_) => return Ok(None),
        Selector::Id(prefix) => {
            let mut found = folders.iter().filter(|folder| folder.name.starts_with(prefix));
            let (Some(only), None) = (found.next(), found.next()) else { return Ok(None) };
            let is_meant = |backup: &Backup| environment.is_none_or(|only| backup.manifest().environment == only);
            return Ok(only.open().and_then(Result::ok).filter(is_meant));
        }
        Selector::Latest => None,
        Selector::At(time) => Some(*time),
    };
    if environment.is_none() && !is_of_one(&folders) {
        return Ok(None);
    }
    let fits = |backup: &Backup| counts(backup.manifest()) && holding.is_in(backup.manifest());
    for backup in catalog::newest_first(store, environment, until)?.filter(fits) {
        match known_bad(store, &backup) {
            None => return Ok(Some(backup)),
            Some(why) => tracing::warn!("{} is passed over: {why}", backup.id()),
        }
    }
    // All are damaged, or there is none: the whole catalog says which.
    Ok(None)
}

/// Whether all of them are one environment's, by where they are and what they are called.
fn is_of_one(folders: &[Folder]) -> bool {
    let of = |folder: &Folder| {
        if folder.is_among_others() { id::environment_in(&folder.name).map(str::to_owned) } else { Some(folder.place().to_owned()) }
    };
    let first = folders.first().and_then(of);
    first.is_some() && folders.iter().all(|folder| of(folder) == first)
}

fn none_good(what: String, catalog: &Catalog, holding: Holding) -> Error {
    let is_other = |backup: &&Backup| backup.manifest().kind == Kind::Safety && holding.is_in(backup.manifest());
    let safety = catalog.backups().filter(is_other).count();
    let besides = if safety == 0 { String::new() } else { format!(", besides {safety} safety backups, which are only chosen by their id") };
    Error::bad(what + &besides).hint("restore-db --list shows what there is")
}

/// The newest that `latest` may choose and that no later check found bad. Where a check found all of them bad, the newest
/// all the same: a restore checks it again before it touches anything, and says what is wrong with it.
fn newest_good(store: &Store, catalog: &Catalog, fits: impl Fn(&Backup) -> bool) -> Result<Option<Backup>> {
    let mut candidates = catalog.backups().rev().filter(|backup| counts(backup.manifest()) && fits(backup)).peekable();
    let newest = candidates.peek().copied();
    for backup in candidates {
        match known_bad(store, backup) {
            None => return Ok(Some(backup.clone())),
            Some(why) => tracing::warn!("{} is passed over: {why}", backup.id()),
        }
    }
    Ok(newest.cloned())
}

/// Why a backup is bad, or may be, itself or in what it needs; none where it is good as far as is known.
fn known_bad(store: &Store, backup: &Backup) -> Option<String> {
    let bad = |id: &str| {
        let history = checks::history(store, id);
        checks::that_failed(&history.lines).map(Check::told).or(history.unknown)
    };
    if let Some(why) = bad(backup.id()) {
        return Some(why);
    }
    backup.manifest().needs().into_iter().find_map(|id| match backup.needed(id) {
        None => Some(format!("it needs {id}, which is not there or cannot be read")),
        Some(_) => bad(id).map(|why| format!("it needs {id}: {why}")),
    })
}

/// Whether `latest` may choose it.
pub fn counts(manifest: &Manifest) -> bool {
    manifest.kind != Kind::Safety && manifest.verification.is_some()
}

/// Without an environment, `latest` only means something where there is one.
fn only_environment(catalog: &Catalog, environment: Option<&str>) -> Result<()> {
    if environment.is_some() {
        return Ok(());
    }
    let mut names: Vec<&str> = catalog.backups().map(|backup| backup.manifest().environment.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    match names.as_slice() {
        [] | [_] => Ok(()),
        several => Err(Error::usage(format!("latest of which environment? there are {}", several.join(", "))).hint("choose one with -e")),
    }
}

/// Where the id belongs to another environment, an error that says so.
fn elsewhere(store: &Store, environment: Option<&str>, prefix: &str) -> Option<Error> {
    let wanted = environment?;
    let catalog = Catalog::read(store, None).ok()?;
    let entry = catalog.entries.iter().find(|entry| entry.name.starts_with(prefix) && id::is_id(&entry.name))?;
    let own = entry.backup.as_ref().ok()?.manifest().environment.clone();
    (own != wanted).then(|| {
        Error::refused(format!("{} is a backup of {own}, not of {wanted}", entry.name))
            .hint(format!("to restore it elsewhere on purpose: restore-db -e {own} {} --to URL", entry.name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_is_read() {
        assert_eq!(Selector::parse("latest").expect("one"), Selector::Latest);
        assert_eq!(Selector::parse("20261121").expect("one"), Selector::Id("20261121".into()));
        assert_eq!(
            Selector::parse("20261121T130000Z-dev-db-7f3a\t/x/y").expect("one"),
            Selector::Id("20261121T130000Z-dev-db-7f3a".into())
        );
        assert_eq!(Selector::parse("./x").expect("one"), Selector::Folder("./x".into()));
        for text in ["", "a b", "é", "*"] {
            Selector::parse(text).expect_err(text);
        }
    }

    #[test]
    fn a_time_is_read_in_the_usual_forms() {
        let at = |text: &str| match Selector::parse_time(text) {
            Ok(Selector::At(time)) => clock::readable(time),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(at("2026-11-21T13:00:00Z"), "2026-11-21T13:00:00Z");
        assert_eq!(at("2026-11-21T13:00Z"), "2026-11-21T13:00:00Z");
        assert_eq!(at("2026-11-21T13:00:00+01:00"), "2026-11-21T12:00:00Z");
        assert_eq!(at("2026-11-21T13:00+01:00"), "2026-11-21T12:00:00Z");
        assert_eq!(at("2026-11-21 13:00"), "2026-11-21T13:00:00Z");
        assert_eq!(at("2026-11-21"), "2026-11-21T23:59:59Z");
        for text in ["", "yesterday", "2026-13-01", "13:00"] {
            Selector::parse_time(text).expect_err(text);
        }
    }
}
