//! How good the backups of a database are: what the guardian weighs an operation against.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::backup::Backup;
use crate::catalog::Catalog;
use crate::checks;
use crate::clock;
use crate::error::Result;
use crate::manifest::Level;
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

/// The verified backups of a database, the oldest first: those of its environment, or, where it is none's, those that were
/// made at its place. Safety backups and those of migrations count, since data comes back from them too.
pub(super) fn verified(store: &Store, environment: Option<&str>, target: &str) -> Result<Vec<Newest>> {
    let is_of_target = |backup: &Backup| {
        let database = backup.manifest().database.as_ref();
        database.is_some_and(|database| environment.is_some() || database.location == target)
    };
    let mut found = Vec::new();
    for backup in Catalog::read(store, environment)?.backups().filter(|backup| is_of_target(backup)) {
        let manifest = backup.manifest();
        let Some(verification) = &manifest.verification else { continue };
        let history = checks::history(store, backup.id())?;
        if checks::is_damaged(&history) {
            continue;
        }
        let since = history.iter().filter(|check| check.passed).map(|check| check.level).max();
        found.push(Newest {
            id: manifest.id.clone(),
            level: since.unwrap_or(verification.level).max(verification.level),
            made_at: manifest.created_at,
            age_seconds: (clock::now() - manifest.created_at).num_seconds(),
        });
    }
    Ok(found)
}
