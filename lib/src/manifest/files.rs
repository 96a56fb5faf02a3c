//! What a manifest says of a component that holds files.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What is in an archive of files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// The list of every entry.
    pub inventory: Inventory,
    /// What the configuration named, in its order.
    pub roots: Vec<Root>,
    /// The patterns and rules that the command line gave beside the configuration's: what they choose is no substitute for the whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_hand: Vec<String>,
    /// When the first of them was read, by this machine's clock. Without it nothing is taken for unchanged since.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::clock::rfc3339_millis_option")]
    pub read_from: Option<DateTime<Utc>>,
    /// How many files, those with holes included.
    pub files: u64,
    /// How many folders.
    pub folders: u64,
    /// How many symbolic links.
    pub links: u64,
    /// How many further names of files.
    pub hard_links: u64,
    /// The length of all files together.
    pub bytes: u64,
    /// How many things are missing or torn.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub incomplete_count: u64,
    /// The first of them, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<Remark>,
    /// How many things were left out by their nature: sockets, the store itself, other file systems.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out_count: u64,
    /// The first of them, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<Remark>,
}

/// The file that lists every entry of an archive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// Its name.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// Its size unpacked.
    pub plain_bytes: u64,
    /// SHA-256 (hex) of it.
    pub sha256: String,
}

/// A file or folder that the configuration named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// Its name in the archive: everything in it stands below that.
    pub name: String,
    /// Where it was, absolute.
    pub path: PathBuf,
    /// How many entries the archive has below it, itself not counted; none in a backup that does not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<u64>,
    /// The length of its files together; none in a backup that does not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// Something that a person should know of one path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// Its path in the archive.
    pub path: String,
    /// Why it is named.
    pub why: String,
}

impl Files {
    /// How many entries the archive has.
    pub fn entries(&self) -> u64 {
        [self.folders, self.links, self.hard_links].into_iter().fold(self.files, u64::saturating_add)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks so
fn is_zero(count: &u64) -> bool {
    *count == 0
}
