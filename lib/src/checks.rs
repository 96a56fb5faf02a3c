//! The later checks of a backup: `checks/ID.jsonl` in the store, one line a check, so that history shows when it last
//! restored and how long that took.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::error::{Error, Result};
use crate::manifest::Level;
use crate::sidecar::{self, Beside};
use crate::store::Store;

/// One check of one backup.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// When it ended.
    #[serde(with = "clock::rfc3339_millis")]
    pub at: DateTime<Utc>,
    /// The level that it passed, or that found something wrong.
    pub level: Level,
    /// Whether the backup passed.
    pub passed: bool,
    /// What was wrong with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
    /// How long the check took.
    pub check_ms: u64,
    /// How long the restore into a scratch database took: the recovery time to expect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_ms: Option<u64>,
    /// The machine that checked.
    pub host: String,
}

/// Adds a check to a backup's history.
pub fn append(store: &Store, backup_id: &str, check: &Check) -> Result<()> {
    let line = serde_json::to_string(check).map_err(|error| Error::failed("cannot write a check").because(error))?;
    sidecar::append(store, &store.checks_file(backup_id), &line)
}

/// A backup's checks, the oldest first, as far as they are known.
pub fn history(store: &Store, backup_id: &str) -> Beside<Check> {
    sidecar::read(&store.checks_file(backup_id))
}

impl Check {
    /// What a failed check found.
    pub fn told(&self) -> String {
        let finding = self.findings.first().map(|finding| format!(": {finding}")).unwrap_or_default();
        format!("a check at {} found it bad{finding}", clock::readable(self.at))
    }
}

/// The check that found the backup bad where none has cleared it since: one that looks less closely than the one that failed
/// cannot. Of several the first of the closest.
pub fn that_failed(history: &[Check]) -> Option<&Check> {
    let mut failed: Option<&Check> = None;
    for check in history {
        if !check.passed && failed.is_none_or(|failed| check.level > failed.level) {
            failed = Some(check);
        } else if check.passed && failed.is_some_and(|failed| check.level >= failed.level) {
            failed = None;
        }
    }
    failed
}

/// Whether a check found the backup bad and none has cleared it since.
pub fn is_damaged(history: &[Check]) -> bool {
    that_failed(history).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_check_as_thorough_clears_a_failed_one() {
        let check = |level: Level, passed: bool| Check {
            at: clock::now(),
            level,
            passed,
            findings: Vec::new(),
            check_ms: 1,
            restore_ms: None,
            host: "here".to_owned(),
        };
        assert!(!is_damaged(&[]));
        assert!(!is_damaged(&[check(Level::Restore, true)]));
        assert!(is_damaged(&[check(Level::Restore, false)]));
        assert!(is_damaged(&[check(Level::Restore, false), check(Level::Quick, true), check(Level::Structure, true)]));
        assert!(!is_damaged(&[check(Level::Restore, false), check(Level::Quick, true), check(Level::Restore, true)]));
        assert!(!is_damaged(&[check(Level::Checksum, false), check(Level::Exact, true)]));
        assert!(is_damaged(&[check(Level::Exact, false), check(Level::Quick, false), check(Level::Checksum, true)]));
    }
}
