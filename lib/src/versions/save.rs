//! Saving: the content first, then the record that names it. A kill in between leaves a content that nobody needs.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::history::History;
use super::name::{Name, Present, TRIES, changing, open};
use super::record::{self, Record, Version};
use super::{FORMAT, Versions, object};
use crate::clock;
use crate::compression::Compression;
use crate::error::{Error, Result};
use crate::fsx;
use crate::host;
use crate::lock::Held;
use crate::progress::Progress;

/// Longer messages are refused; a record must stay small.
const MESSAGE_MAX_BYTES: usize = 64 << 10;
/// As long as a name may be.
const AUTHOR_MAX_BYTES: usize = 256;

/// What a version is saved with.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who saves it.
    pub author: String,
    /// Why.
    pub message: String,
    /// How its content is compressed where it is not there yet; without compression it is gzip.
    pub compression: Compression,
    /// Free bytes that must be left where the store is, when a content was written.
    pub min_free: u64,
}

impl Request {
    /// Refuses a message or an author that no record takes.
    pub fn check(&self) -> Result<()> {
        if self.message.len() > MESSAGE_MAX_BYTES {
            return Err(Error::usage(format!("the message has {} bytes, at most {MESSAGE_MAX_BYTES} are kept", self.message.len())));
        }
        if self.author.is_empty() || self.author.len() > AUTHOR_MAX_BYTES || self.author.chars().any(char::is_control) {
            return Err(Error::usage(format!("{:?} is no author", self.author))
                .hint(format!("use a name of at most {AUTHOR_MAX_BYTES} bytes in one line")));
        }
        Ok(())
    }
}

/// What was saved.
#[derive(Debug, Clone)]
pub struct Saved {
    /// The version that holds the file's present content.
    pub version: Version,
    /// It was made just now; else the newest version was the same already.
    pub is_new: bool,
    /// What its content took in the store; 0 where the same content was there already.
    pub added_bytes: u64,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// What a save would do.
#[derive(Debug, Clone, Serialize)]
pub struct Planned {
    /// Whether there would be a new version.
    pub is_new: bool,
    /// Whether its content is in the store already.
    pub is_shared: bool,
    /// Length of the content.
    pub bytes: u64,
    /// SHA-256 of the content, in hex.
    pub sha256: String,
    /// The id of the newest version there is.
    pub parent: Option<String>,
}

/// Reads the file that is to be saved.
fn present(name: &Name, progress: &dyn Progress) -> Result<Present> {
    Present::look(name, progress)?.ok_or_else(|| {
        Error::failed(format!("there is no file {}", name.path().display()))
            .hint("file-versions log FILE shows the versions of one that is gone")
    })
}

/// The newest version, where the file is as it was then.
fn unchanged<'a>(history: &'a History, found: &Present) -> Option<&'a Version> {
    history.newest().filter(|version| version.record.sha256 == found.sha256 && version.mode() == found.mode)
}

impl Planned {
    /// Says what [`Versions::save`] would do; nothing is made. Where there is no store yet, there are no versions.
    pub fn of(versions: Option<&Versions>, name: &Name, progress: &dyn Progress) -> Result<Self> {
        if let Some(versions) = versions {
            versions.refuse_own(name)?;
        }
        let found = present(name, progress)?;
        let history = versions.map(|versions| versions.history(name)).transpose()?.unwrap_or_default();
        let is_shared = versions.is_some_and(|versions| object::path_of(&versions.root, &found.sha256).symlink_metadata().is_ok());
        Ok(Planned {
            is_new: unchanged(&history, &found).is_none(),
            is_shared,
            bytes: found.bytes,
            sha256: found.sha256,
            parent: history.newest().map(|version| version.id.clone()),
        })
    }
}

impl Versions {
    /// Saves a file as it is now. Where it is as its newest version has it, that one is all there is to say.
    pub fn save(&self, held: &Held, name: &Name, request: &Request, progress: &dyn Progress) -> Result<Saved> {
        request.check()?;
        self.refuse_own(name)?;
        for _ in 0..TRIES {
            let found = present(name, progress)?;
            if let Some(saved) = self.save_found(held, name, &found, request, progress)? {
                return Ok(saved);
            }
        }
        Err(changing(name))
    }

    /// Versions of the store's own files would be versions of versions.
    pub(super) fn refuse_own(&self, name: &Name) -> Result<()> {
        if name.path().starts_with(self.store.root()) {
            return Err(
                Error::refused(format!("{} is part of the store", name.path().display())).hint("what is there is kept by the store itself")
            );
        }
        Ok(())
    }

    /// Saves what was found; none where the file has changed since.
    pub(super) fn save_found(
        &self,
        _held: &Held,
        name: &Name,
        found: &Present,
        request: &Request,
        progress: &dyn Progress,
    ) -> Result<Option<Saved>> {
        let history = self.history(name)?;
        let mut notes: Vec<String> = history.damaged.iter().map(|damaged| format!("{}: {}", damaged.path.display(), damaged.why)).collect();
        let Some(added_bytes) = self.keep_content(name, found, request, &mut notes, progress)? else { return Ok(None) };
        if let Some(version) = unchanged(&history, found) {
            return Ok(Some(Saved { version: version.clone(), is_new: false, added_bytes, notes }));
        }
        let (parent, parent_at) = youngest(&history);
        let record = Record {
            format: FORMAT,
            file: name.path().to_string_lossy().into_owned(),
            file_hex: name.hex(),
            parent,
            created_at: after(parent_at, &mut notes),
            author: request.author.clone(),
            host: host::name(),
            message: request.message.clone(),
            sha256: found.sha256.clone(),
            bytes: found.bytes,
            mode: format!("{:03o}", found.mode),
        };
        let (id, bytes) = record.seal()?;
        fsx::create_private_dirs(&self.index(name.key()))?;
        self.written(&bytes)?.publish(&self.index(name.key()).join(format!("{id}{}", record::ENDING)))?;
        // A collection on another machine may have taken the content before it could see that it is needed.
        if object::path_of(&self.root, &found.sha256).symlink_metadata().is_err() {
            self.keep_content(name, found, request, &mut notes, progress)?;
        }
        let version = Version { id, path: name.path().to_owned(), record, tags: Vec::new() };
        Ok(Some(Saved { version, is_new: true, added_bytes, notes }))
    }

    /// Makes sure that the content is in the store and whole. Gives the bytes that it took; none where the file has changed.
    fn keep_content(
        &self,
        name: &Name,
        found: &Present,
        request: &Request,
        notes: &mut Vec<String>,
        progress: &dyn Progress,
    ) -> Result<Option<u64>> {
        let path = object::path_of(&self.root, &found.sha256);
        if path.symlink_metadata().is_ok() {
            match object::check(&self.root, &found.sha256, found.bytes) {
                Ok(_) => {
                    object::touch(&self.root, &found.sha256)?;
                    return Ok(Some(0));
                }
                Err(error) if error.kind() == crate::error::Kind::Bad => notes.push(format!("{error}; it is replaced by a whole one")),
                Err(error) => return Err(error),
            }
        }
        let Some((mut file, _)) = open(name.path())? else { return Ok(None) };
        fsx::require_free(self.store.root(), request.min_free)?;
        let announced = (found.sha256.as_str(), found.bytes);
        let Some(draft) = object::write(&self.root, &mut file, announced, request.compression, progress)? else { return Ok(None) };
        // By how much a content shrinks is only known now.
        fsx::require_free(self.store.root(), request.min_free)?;
        let added = draft.bytes()?;
        object::publish(&self.root, &found.sha256, draft)?;
        Ok(Some(added))
    }
}

/// The id and the time of the version after which the next one comes: also one whose record is damaged.
fn youngest(history: &History) -> (Option<String>, Option<DateTime<Utc>>) {
    let of = |version: &Version| (version.id.clone(), version.record.created_at);
    let readable = history.newest().map(of);
    let damaged = match history.newest() {
        Some(newest) => history.damaged_after(newest, None),
        None => history.damaged.iter().rev().find(|damaged| damaged.time.is_some()),
    };
    let time = readable.iter().map(|(_, time)| *time).chain(damaged.and_then(|damaged| damaged.time)).max();
    (damaged.map(|damaged| damaged.name.clone()).or(readable.map(|(id, _)| id)), time)
}

/// The time of a version: now, and after the one before it, whatever the clock says.
fn after(parent: Option<DateTime<Utc>>, notes: &mut Vec<String>) -> DateTime<Utc> {
    let now = clock::now();
    match parent {
        Some(before) if before >= now => {
            if before - now > TimeDelta::seconds(2) {
                notes.push(format!("the version before it is dated {}, after now: is the clock right?", clock::readable(before)));
            }
            before + TimeDelta::milliseconds(1)
        }
        _ => now,
    }
}
