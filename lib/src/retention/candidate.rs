//! What a plan needs to know of a backup.

use chrono::{DateTime, Utc};

use crate::manifest::Kind;

/// One backup, as retention sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its id.
    pub id: String,
    /// What it is judged among: environment, kind, and what it is a backup of, so that backups of one thing never push those of
    /// another out. Shown in messages.
    pub group: String,
    /// When its run began.
    pub created_at: DateTime<Utc>,
    /// How good it is.
    pub standing: Standing,
    /// Why it was made.
    pub kind: Kind,
    /// Held by a person or by a running migration.
    pub pinned: bool,
    /// Ids of the backups that cannot be restored without this one.
    pub referred_to_by: Vec<String>,
    /// What removing it gives back.
    pub stored_bytes: u64,
    /// Size of the whole plain content: what two backups are compared by, since neither another compression nor an
    /// increment changes it.
    pub plain_bytes: u64,
    /// How much it holds of each thing, by what that is called in a message: `entries of /srv/media`. Compared one by one, since a large
    /// database hides that all files are gone.
    pub amounts: Vec<(String, u64)>,
    /// Whether it is ours to delete: its manifest carries this store's id, and its files are those that the manifest names.
    pub deletable: bool,
}

/// How good a backup is known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It passed `structure` or more, and no later check failed.
    Verified,
    /// As verified, but its bytes are only in the cloud at present.
    CloudOnly,
    /// It passed less, or nothing.
    Unverified,
    /// Something is missing from it or torn.
    Incomplete,
    /// A check found it bad.
    Damaged,
    /// Its format is newer than this version reads.
    NewerFormat,
    /// What checks found, or what people said of it, cannot be read just now.
    Unknown,
}

impl Standing {
    /// Whether a rule may choose it.
    pub(super) fn counts(self) -> bool {
        matches!(self, Standing::Verified | Standing::CloudOnly)
    }
}
