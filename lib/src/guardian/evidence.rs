//! How good the backups of a database are: what the guardian weighs an operation against.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::backup::Backup;
use crate::catalog;
use crate::checks;
use crate::clock;
use crate::error::Result;
use crate::manifest::{Database, EngineName, Kind, Level, Manifest};
use crate::parallel;
use crate::sidecar::Beside;
use crate::store::Store;

/// A backup that passed its verification, and that no later check found bad.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newest {
    /// Its id.
    pub id: String,
    /// The strongest level that it passed, when it was made or since.
    pub level: Level,
    /// When it was made.
    #[serde(with = "clock::rfc3339_millis")]
    pub made_at: DateTime<Utc>,
    /// How old it was when this was asked; below zero where it is dated in the future.
    pub age_seconds: i64,
}

/// Where the backups are from which what is at risk could come back.
pub(super) struct Holdings<'a> {
    pub(super) store: &'a Store,
    pub(super) environment: Option<&'a str>,
    pub(super) of: Of<'a>,
}

/// What they have to be backups of. Safety backups and those of migrations count too, since data comes back from them as well.
#[derive(Clone, Copy)]
pub(super) enum Of<'a> {
    /// Of this very database, by its [place](Database::place). Another one may be filed under the same environment: one that was named by hand, one that a restore of
    /// the environment's backup replaced elsewhere.
    Database { location: &'a str, identity: Option<&'a str> },
    /// Of the environment: whatever was backed up as its own, and safety backups only of what is at these places.
    Environment { places: &'a BTreeSet<String> },
}

impl Of<'_> {
    fn holds(self, manifest: &Manifest) -> bool {
        manifest.database.as_ref().is_some_and(|database| match self {
            Of::Database { location, identity } => {
                // A file's number goes to the next file as soon as it is removed, and a copy of a server has the numbers of the server:
                // what a restore replaced there is none of this one's.
                let has_number = database.engine != EngineName::Sqlite && identity.is_some() && manifest.kind != Kind::Safety;
                database.place() == location || has_number && database.identity.as_deref() == identity
            }
            Of::Environment { places } => manifest.kind != Kind::Safety || places.contains(&database.place()),
        })
    }
}

impl Holdings<'_> {
    /// The newest verified one that fits.
    pub(super) fn newest(&self, fits: impl Fn(&str) -> bool) -> Result<Option<Newest>> {
        for backup in catalog::newest_first(self.store, self.environment, None)?.filter(|backup| fits(backup.id())) {
            if let Some(held) = self.judge(&backup)? {
                return Ok(Some(held));
            }
        }
        Ok(None)
    }

    fn judge(&self, backup: &Backup) -> Result<Option<Newest>> {
        let manifest = backup.manifest();
        let Some(verification) = manifest.verification.as_ref().filter(|_| self.of.holds(manifest)) else { return Ok(None) };
        let Beside { lines: history, unknown } = checks::history(self.store, backup.id());
        if unknown.is_some() || checks::is_damaged(&history) {
            return Ok(None);
        }
        let since = history.iter().filter(|check| check.passed).map(|check| check.level).max();
        Ok(Some(Newest {
            id: manifest.id.clone(),
            level: since.unwrap_or(verification.level).max(verification.level),
            made_at: manifest.created_at,
            age_seconds: (clock::now() - manifest.created_at).num_seconds(),
        }))
    }
}

/// Backups of one database that are removed.
pub(super) struct Going {
    /// The database's [place](Database::place); none where they hold none, or nobody knows which.
    pub(super) location: Option<String>,
    /// When the newest of them was made.
    pub(super) as_of: DateTime<Utc>,
    /// Whether one of them is no safety backup: then it is a database of the environment.
    pub(super) is_its_own: bool,
}

/// What the backups that are removed are of, database by database. One that cannot be opened is none that could be removed.
pub(super) fn going(store: &Store, environment: Option<&str>, ids: &BTreeSet<&str>) -> Result<Vec<Going>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (mut folders, _) = catalog::folders(store, environment)?;
    folders.retain(|folder| ids.contains(folder.name.as_str()));
    let mut going: Vec<Going> = Vec::new();
    for backup in parallel::map(&folders, |folder| folder.open()?.ok()).into_iter().flatten() {
        let manifest = backup.manifest();
        let location = manifest.database.as_ref().filter(|database| !database.is_adopted()).map(Database::place);
        let is_its_own = manifest.kind != Kind::Safety;
        match going.iter_mut().find(|known| known.location == location) {
            Some(known) => {
                known.as_of = known.as_of.max(manifest.created_at);
                known.is_its_own |= is_its_own;
            }
            None => going.push(Going { location, as_of: manifest.created_at, is_its_own }),
        }
    }
    Ok(going)
}
