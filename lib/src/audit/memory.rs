//! What this machine remembers of a trail: the newest line it wrote, so that a cut tail or a vanished file is seen.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::place::Place;
use crate::clock;
use crate::error::{Error, Result};
use crate::fsx;
use crate::manifest::AuditHead;

/// The newest line of a trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// SHA-256 (hex) of the line, without its newline.
    pub sha256: String,
    /// When it was written.
    #[serde(with = "clock::rfc3339_millis")]
    pub at: DateTime<Utc>,
    /// The name of its file.
    pub file: String,
    /// Its number in that file, counted from 1.
    pub line: u64,
    /// Where it ends in that file, its newline included.
    pub offset: u64,
}

impl Head {
    /// As a manifest keeps it.
    pub fn for_manifest(&self) -> AuditHead {
        AuditHead { sha256: self.sha256.clone(), at: self.at }
    }
}

/// The end of a file that a crash left behind, without a newline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Torn {
    pub(super) file: String,
    pub(super) offset: u64,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// What the file in the state directory holds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Memory {
    pub(super) head: Option<Head>,
    /// A repair that was begun: should its run be killed between the cut and the line that tells of it, the next run tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) torn: Option<Torn>,
}

impl Memory {
    /// What is remembered. A file that cannot be read is as good as none: a power cut may have emptied it.
    pub(super) fn recall(place: &Place) -> Self {
        let read = |path: PathBuf| serde_json::from_slice(&std::fs::read(path).ok()?).ok();
        path(place).ok().and_then(read).unwrap_or_default()
    }

    /// Remembers. It is not waited for on disk: an older head is found in the log too, and the log itself is on disk.
    pub(super) fn keep(&self, place: &Place) -> Result<()> {
        let bytes =
            serde_json::to_vec(self).map_err(|error| Error::failed("cannot remember the audit trail's newest line").because(error))?;
        fsx::replace_unsynced(&path(place)?, &bytes)
    }
}

fn path(place: &Place) -> Result<PathBuf> {
    Ok(place.state().folder("audit-heads")?.join(format!("{}.json", place.name())))
}

/// The newest line that this machine knows to be on disk in that trail.
pub fn head(place: &Place) -> Option<Head> {
    Memory::recall(place).head
}
