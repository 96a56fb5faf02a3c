//! The history of one file: its versions, in the order in which they were saved.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use super::name::Name;
use super::record::{self, Version};
use super::tag::Tag;
use super::{Versions, names, read_small};
use crate::error::{Error, Result};
use crate::sync_state;

/// A record or a tag that is there and cannot be read as one.
#[derive(Debug, Clone)]
pub struct Damaged {
    /// The version's id, or the tag's name.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
    /// The time that the id carries; none for a tag.
    pub time: Option<DateTime<Utc>>,
}

/// The versions of one file.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The key of the file.
    pub key: String,
    /// Those that can be read, the oldest first.
    pub versions: Vec<Version>,
    /// Its tags, sorted by name; also those whose version is not there any more.
    pub tags: Vec<Tag>,
    /// Records and tags that cannot be read.
    pub damaged: Vec<Damaged>,
    /// What else lies among them, and is none of ours: a sync service's conflict copies, for instance.
    pub foreign: Vec<PathBuf>,
}

impl Versions {
    /// The history of a file; an empty one where it has none.
    pub fn history(&self, name: &Name) -> Result<History> {
        self.history_of(name.key())
    }

    pub(super) fn history_of(&self, key: &str) -> Result<History> {
        let mut history = History { key: key.to_owned(), ..History::default() };
        self.read_records(key, &mut history)?;
        self.read_tags(key, &mut history)?;
        for version in &mut history.versions {
            let own = history.tags.iter().filter(|tag| tag.version == version.id);
            version.tags = own.map(|tag| tag.name.clone()).collect();
        }
        Ok(history)
    }

    fn read_records(&self, key: &str, history: &mut History) -> Result<()> {
        let folder = self.index(key);
        self.store.require_real(&folder)?;
        for name in names(&folder)? {
            let path = folder.join(&name);
            let evicted = sync_state::placeholder_for(&name);
            let is_evicted = evicted.is_some();
            let Some(id) = own_name(&evicted.unwrap_or(name)).filter(|id| record::is_id(id)) else {
                history.foreign.push(path);
                continue;
            };
            let read = if is_evicted { Err(in_the_cloud(&id)) } else { read_small(&path) };
            match read.and_then(|bytes| bytes.map(|bytes| Version::parse(&id, key, &bytes)).transpose()) {
                Ok(Some(version)) => history.versions.push(version),
                // A collection has just removed it.
                Ok(None) => {}
                Err(error) => history.damaged.push(Damaged { time: record::time_in(&id), name: id, path, why: told(&error) }),
            }
        }
        history.versions.sort_by(|one, other| (one.record.created_at, &one.id).cmp(&(other.record.created_at, &other.id)));
        Ok(())
    }

    fn read_tags(&self, key: &str, history: &mut History) -> Result<()> {
        let folder = self.tags_folder(key);
        self.store.require_real(&folder)?;
        for name in names(&folder)? {
            let path = folder.join(&name);
            let evicted = sync_state::placeholder_for(&name);
            let is_evicted = evicted.is_some();
            let Some(tag) = own_name(&evicted.unwrap_or(name)).filter(|tag| Tag::is_name(tag)) else {
                history.foreign.push(path);
                continue;
            };
            let read = if is_evicted { Err(in_the_cloud(&tag)) } else { read_small(&path) };
            match read.and_then(|bytes| bytes.map(|bytes| Tag::parse(&tag, &bytes)).transpose()) {
                Ok(Some(tag)) => history.tags.push(tag),
                Ok(None) => {}
                Err(error) => history.damaged.push(Damaged { time: None, name: tag, path, why: told(&error) }),
            }
        }
        Ok(())
    }
}

/// The name without the ending of a record.
fn own_name(name: &std::ffi::OsStr) -> Option<String> {
    name.to_str()?.strip_suffix(record::ENDING).map(str::to_owned)
}

fn in_the_cloud(name: &str) -> Error {
    Error::bad(format!("{name} is only in the cloud")).hint("have it downloaded first")
}

/// The error with its next step, in one line.
fn told(error: &Error) -> String {
    let hint = error.next_step().map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("{error}{hint}")
}

impl History {
    /// Whether there is nothing of the file.
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty() && self.damaged.is_empty() && self.tags.is_empty()
    }

    /// The newest version that can be read.
    pub fn newest(&self) -> Option<&Version> {
        self.versions.last()
    }

    /// The file's path, as its newest version has it.
    pub fn path(&self) -> Option<PathBuf> {
        self.newest().map(|version| version.path.clone())
    }

    /// The newest version with this content.
    pub fn holding(&self, sha256: &str) -> Option<&Version> {
        self.versions.iter().rev().find(|version| version.record.sha256 == sha256)
    }

    /// A damaged record that may come after a version, and not after a time.
    pub(super) fn damaged_after(&self, version: &Version, until: Option<DateTime<Utc>>) -> Option<&Damaged> {
        let order = |version: &Version| (version.record.created_at, version.id.clone());
        // The time in a name has no part of a second; but whose child is not younger is older for certain.
        let is_older = |damaged: &Damaged| {
            let mut children = self.versions.iter().filter(|child| child.record.parent.as_ref() == Some(&damaged.name));
            damaged.time < record::time_in(&version.id) || children.any(|child| order(child) <= order(version))
        };
        let is_within = |time: DateTime<Utc>| until.is_none_or(|until| time <= until);
        self.damaged.iter().rev().find(|damaged| damaged.time.is_some_and(is_within) && !is_older(damaged))
    }
}
