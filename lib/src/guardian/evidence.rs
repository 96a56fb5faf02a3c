//! How good the backups of a database are: what the guardian weighs an operation against.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::backup::Backup;
use crate::catalog;
use crate::checks;
use crate::clock;
use crate::error::Result;
use crate::manifest::Level;
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

/// Where the backups of a database are: those of its environment, or, where it is none's, those that were made at its place. Safety
/// backups and those of migrations count, since data comes back from them too.
pub(super) struct Holdings<'a> {
    pub(super) store: &'a Store,
    pub(super) environment: Option<&'a str>,
    pub(super) target: &'a str,
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
        let is_of_target =
            manifest.database.as_ref().is_some_and(|database| self.environment.is_some() || database.location == self.target);
        let Some(verification) = manifest.verification.as_ref().filter(|_| is_of_target) else { return Ok(None) };
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
