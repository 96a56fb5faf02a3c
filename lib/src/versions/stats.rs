//! What the versions take, and what is saved by keeping every content once.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::history::History;
use super::record::Version;
use super::{Versions, needed_by, object};
use crate::error::Result;
use crate::interrupt;

/// So many of the largest files are named.
const BIGGEST: usize = 5;

/// A file by what its contents take.
#[derive(Debug, Clone, Serialize)]
pub struct Biggest {
    /// Its path.
    pub file: String,
    /// How many versions it has.
    pub versions: u64,
    /// The length of all its versions.
    pub plain_bytes: u64,
    /// What the objects take that its versions need; one that other files need too counts for each.
    pub stored_bytes: u64,
}

/// The versions of a store, in figures.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Stats {
    /// Files that have versions.
    pub files: u64,
    /// Their versions.
    pub versions: u64,
    /// Their tags.
    pub tags: u64,
    /// The contents in the store.
    pub objects: u64,
    /// The length of all versions.
    pub plain_bytes: u64,
    /// The same, each content counted once.
    pub distinct_bytes: u64,
    /// What the objects take in the store.
    pub stored_bytes: u64,
    /// What is saved because each content is kept once: `plain_bytes` less `distinct_bytes`.
    pub dedup_bytes: u64,
    /// Objects that no version needs.
    pub unneeded_objects: u64,
    /// What they take.
    pub unneeded_bytes: u64,
    /// The files that take most, the largest first.
    pub biggest: Vec<Biggest>,
    /// Everything that is wrong: damaged records and tags, missing objects; damaged objects where they were read.
    pub problems: Vec<String>,
    /// What lies among the versions and is none of ours.
    pub foreign: Vec<PathBuf>,
}

impl Versions {
    /// Counts; with `verify` every object is read and compared with its hash.
    pub fn stats(&self, verify: bool) -> Result<Stats> {
        let histories = self.histories()?;
        let mut stats = Stats { files: histories.len() as u64, ..Stats::default() };
        let mut stored: BTreeMap<String, u64> = BTreeMap::new();
        for (path, found) in self.objects(&mut stats.foreign)? {
            stats.objects += 1;
            stats.stored_bytes += found.len();
            stored.insert(path.file_name().unwrap_or_default().to_string_lossy().into_owned(), found.len());
        }
        let by_object = Self::by_object(&histories);
        for (sha256, bytes) in stored.iter().filter(|(sha256, _)| !by_object.contains_key(sha256.as_str())) {
            tracing::debug!("no version needs {sha256}");
            stats.unneeded_objects += 1;
            stats.unneeded_bytes += bytes;
        }
        for (sha256, versions) in &by_object {
            interrupt::check()?;
            // A record is input: what one says of the length may be made up, and only one length can be true of one content.
            let said = || versions.iter().map(|version| version.record.bytes);
            let (least, most) = (said().min().unwrap_or(0), said().max().unwrap_or(0));
            let checked = if verify {
                object::measure(&self.root, sha256, most)
            } else if stored.contains_key(*sha256) {
                Ok(least)
            } else {
                object::open(&self.root, sha256, least).map(|_| least)
            };
            let bytes = *checked.as_ref().unwrap_or(&least);
            stats.distinct_bytes = stats.distinct_bytes.saturating_add(bytes);
            let there = |version: &&Version| self.is_there(version);
            match checked {
                Ok(_) if !verify && least < most => {
                    stats
                        .problems
                        .push(format!("versions of the object {sha256} say that it has {least} and {most} bytes: --verify finds out"));
                }
                Ok(_) => {
                    let wrong: Vec<&Version> = versions.iter().copied().filter(|version| version.record.bytes != bytes).collect();
                    for version in wrong.into_iter().filter(there) {
                        let said = version.record.bytes;
                        stats.problems.push(format!("version {} says that it has {said} bytes, its content has {bytes}", version.id));
                    }
                }
                Err(error) => {
                    let still: Vec<&Version> = versions.iter().copied().filter(there).collect();
                    if !still.is_empty() {
                        stats.problems.push(needed_by(&still, error).to_string());
                    }
                }
            }
        }
        for history in &histories {
            stats.count(history, &stored);
        }
        stats.dedup_bytes = stats.plain_bytes.saturating_sub(stats.distinct_bytes);
        stats.biggest.sort_by(|one, other| (other.stored_bytes, &one.file).cmp(&(one.stored_bytes, &other.file)));
        stats.biggest.truncate(BIGGEST);
        Ok(stats)
    }
}

impl Stats {
    fn count(&mut self, history: &History, stored: &BTreeMap<String, u64>) {
        self.tags += history.tags.len() as u64;
        self.versions += history.versions.len() as u64;
        self.foreign.extend(history.foreign.iter().cloned());
        self.problems.extend(history.damaged.iter().map(|damaged| format!("{}: {}", damaged.path.display(), damaged.why)));
        let gone = history.tags.iter().filter(|tag| !history.versions.iter().any(|version| version.id == tag.version));
        self.problems.extend(gone.map(|tag| format!("tag {} is for {}, which is not there", tag.name, tag.version)));
        let plain_bytes = history.versions.iter().map(|version| version.record.bytes).fold(0, u64::saturating_add);
        self.plain_bytes = self.plain_bytes.saturating_add(plain_bytes);
        let mut own: Vec<&str> = history.versions.iter().map(|version| version.record.sha256.as_str()).collect();
        own.sort_unstable();
        own.dedup();
        if let Some(path) = history.path() {
            self.biggest.push(Biggest {
                file: path.to_string_lossy().into_owned(),
                versions: history.versions.len() as u64,
                plain_bytes,
                stored_bytes: own.iter().filter_map(|sha256| stored.get(*sha256)).sum(),
            });
        }
    }
}
