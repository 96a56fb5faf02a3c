//! What was read of each backup's folder, kept in the local state directory: a listing of very many backups then only looks
//! whether anything has changed.
//!
//! Only listings are made of it, never a restore or a removal. A line counts as long as the folder, the manifest and what stands
//! beside the backup are the very same files with the same times; what has changed a moment ago is always read.

use std::collections::{BTreeSet, HashMap};
use std::fs::{Metadata, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::Listed;
use crate::catalog::Folder;
use crate::error::Result;
use crate::fsx;
use crate::manifest;
use crate::parallel;
use crate::store::Store;

/// Reading fewer is as fast as looking them up.
const WORTH_IT: usize = 500;
/// Two changes of one file may get the same time when they are this close.
const SETTLED_SECONDS: i64 = if cfg!(test) { 0 } else { 3 };
/// Raised with every change of what a line holds.
const FORMAT: u32 = 1;
/// Changed lines are appended until there are as many as this share of all, then the file is written anew.
const REWRITE_SHARE: usize = 4;

/// What tells whether a file is still the same: inode, size, and both its times.
type Stamp = Option<(u64, u64, i64, i64)>;

/// One backup, and of which files that was read: the folder, its manifest, its checks, its labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Line {
    format: u32,
    stamps: [Stamp; 4],
    listed: Listed,
}

/// The lines of a store, by the backups' ids.
pub(super) struct Cache<'a> {
    store: &'a Store,
    path: PathBuf,
    lines: HashMap<String, Line>,
    /// Lines in the file, also such as count no more.
    written: usize,
    /// The backups that have checks, or labels: most have neither, and need not be asked one by one.
    beside: [BTreeSet<String>; 2],
}

/// What came of looking a backup up.
pub(super) struct Answer {
    /// The backup; none where it has been removed meanwhile.
    pub(super) listed: Option<Listed>,
    fresh: Option<Line>,
}

impl<'a> Cache<'a> {
    /// Opens the cache of a store, where so many backups are worth it.
    pub(super) fn open(store: &'a Store, backups: usize) -> Option<Self> {
        if backups < WORTH_IT {
            return None;
        }
        let path = store.state().folder("cache").ok()?.join(format!("listing-{}.jsonl", store.id()));
        let bytes = std::fs::read(&path).unwrap_or_default();
        let parts: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        let read = parallel::map(&parts, |line| serde_json::from_slice::<Line>(line).ok().filter(|line| line.format == FORMAT));
        // Of two lines of one backup, the later counts.
        let lines = read.into_iter().flatten().map(|line| (line.listed.id.clone(), line)).collect();
        let beside = [store.checks_file("x"), store.labels_file("x")].map(|path| names_in(path.parent().unwrap_or(&path)));
        Some(Cache { store, path, lines, written: parts.len(), beside })
    }

    /// A backup as the cache has it, or as `read` reads it.
    pub(super) fn get(&self, folder: &Folder, read: impl FnOnce() -> Option<Result<Listed>>) -> Result<Answer> {
        let stamps = self.stamps(folder);
        if let Some(line) = self.lines.get(&folder.name)
            && line.stamps == stamps
            && line.listed.place == folder.place
        {
            return Ok(Answer { listed: Some(line.listed.clone()), fresh: None });
        }
        let listed = read().transpose()?;
        let fresh = listed.as_ref().filter(|_| is_settled(&stamps)).map(|listed| Line { format: FORMAT, stamps, listed: listed.clone() });
        Ok(Answer { listed, fresh })
    }

    fn stamps(&self, folder: &Folder) -> [Stamp; 4] {
        let of = |path: &Path| path.symlink_metadata().ok().map(|found| stamp(&found));
        let beside = |names: &BTreeSet<String>, path: PathBuf| if names.contains(&folder.name) { of(&path) } else { None };
        [
            of(&folder.path),
            of(&folder.path.join(manifest::FILE)),
            beside(&self.beside[0], self.store.checks_file(&folder.name)),
            beside(&self.beside[1], self.store.labels_file(&folder.name)),
        ]
    }

    /// Keeps what was read. That it cannot be kept costs time and nothing else.
    pub(super) fn keep(self, answers: &[Answer]) {
        let fresh: Vec<&Line> = answers.iter().filter_map(|answer| answer.fresh.as_ref()).collect();
        if fresh.is_empty() {
            return;
        }
        let kept = if (self.written + fresh.len()) > answers.len() + answers.len() / REWRITE_SHARE {
            let still = answers.iter().filter_map(|answer| self.lines.get(&answer.listed.as_ref()?.id).filter(|_| answer.fresh.is_none()));
            fsx::replace_unsynced(&self.path, &text(still.chain(fresh)))
        } else {
            append(&self.path, &text(fresh.into_iter()))
        };
        if let Err(error) = kept {
            tracing::debug!("the listing could not be kept: {error}");
        }
    }
}

fn text<'a>(lines: impl Iterator<Item = &'a Line>) -> Vec<u8> {
    // A line that a kill cut short is ended first.
    let mut text = vec![b'\n'];
    for line in lines {
        if serde_json::to_writer(&mut text, line).is_ok() {
            text.push(b'\n');
        }
    }
    text
}

fn append(path: &Path, text: &[u8]) -> Result<()> {
    use crate::error::OnPath;
    let file = OpenOptions::new().append(true).create(true).mode(fsx::FILE_MODE).custom_flags(nix::libc::O_NOFOLLOW).open(path);
    file.and_then(|mut file| file.write_all(text)).on("write", path)
}

fn stamp(found: &Metadata) -> (u64, u64, i64, i64) {
    let nanoseconds = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
    (found.ino(), found.len(), nanoseconds(found.mtime(), found.mtime_nsec()), nanoseconds(found.ctime(), found.ctime_nsec()))
}

/// Whether nothing of it has changed so recently that a change right after it would go unseen.
fn is_settled(stamps: &[Stamp; 4]) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0);
    stamps.iter().flatten().all(|(_, _, mtime, ctime)| now - (*mtime).max(*ctime) > SETTLED_SECONDS * 1_000_000_000)
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    let listing = std::fs::read_dir(folder).into_iter().flatten().flatten();
    listing.filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".jsonl").map(str::to_owned)).collect()
}
