//! From a walk to an archive and its inventory. Small files are read and hashed on all cores, and written in the order of the walk.

use std::collections::hash_map::Entry as MapEntry;
use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use nix::sys::stat::{FileStat, SFlag};
use nix::unistd::{Gid, Group, Uid, User};

use super::entry::{Entry, Name, Time, Type};
use super::inventory::{self, Writer};
use super::read::{self, Content, Opened, Wanted};
use super::sparse::Map;
use super::unchanged::Base;
use super::walk::{self, Found, Selection, Visitor, kind_of, target_of};
use super::{BLOCK_BYTES, CONTENT, header, padded};
use crate::backup::Backup;
use crate::clock;
use crate::component;
use crate::compression::Compression;
use crate::error::{Error, Result};
use crate::frames::Hashed;
use crate::frames::cut::Cut;
use crate::frames::ordered::Ordered;
use crate::frames::seal::{Sealer, Unread};
use crate::frames::workers;
use crate::interrupt;
use crate::manifest::{Component, Files, Remark, Root, Source};
use crate::progress::Progress;
use crate::store::Staging;

/// Average chunk of an archive: media is written once and never changed in the middle, so larger chunks lose nothing and keep the
/// index small.
const CHUNK_BYTES: u32 = 64 << 10;
/// From this length on the content of a file that fits one chunk is a chunk of its own, whose hash comes with the file's; below it
/// shares one with the entry's header, so that many tiny files need no larger an index.
const OWN_CHUNK_MIN_BYTES: usize = 8 << 10;
/// So many entries may wait for the one before them that is being read.
const WAITING_MAX: usize = 512;
/// So many of what is missing are named in a manifest; the rest are counted.
pub const NAMED_MAX: usize = 100;
/// Two blocks of zeros end an archive.
const END: [u8; 2 * BLOCK_BYTES as usize] = [0; 2 * BLOCK_BYTES as usize];

/// An archive that is written, and not read back yet.
pub struct Packed {
    role: &'static str,
    unread: Unread,
    files: Files,
    sources: Vec<Source>,
}

/// Packs what was selected into the staging folder. With a parent what that holds is kept by reference, and what has not changed
/// since is not even read.
pub fn pack(
    role: &'static str,
    selection: &Selection,
    staging: &Path,
    compression: Compression,
    parent: Option<&Backup>,
    progress: &dyn Progress,
) -> Result<Packed> {
    let cut = Cut::Content(CHUNK_BYTES);
    // No dictionaries: a file that changes is mostly another one, and media packs no better against anything.
    let base = parent.map(|parent| parent.base(role, false)).transpose()?.flatten().filter(|base| base.fits(cut)).map(Arc::new);
    let parent = parent.filter(|_| base.is_some());
    let known = parent.map(|parent| known(parent, role)).transpose()?.flatten();
    let sources = parent.map(|parent| parent.sources_for(role)).unwrap_or_default();
    let path = staging.join(component::file_name(role, CONTENT, compression, base.is_some()));
    let sealer = Sealer::create(&path, cut, compression, base)?;
    Ok(Packed { sources, ..pack_into(sealer, role, selection, staging, compression, known, progress)? })
}

/// What the parent's inventory says.
fn known<'a>(parent: &Backup, role: &str) -> Result<Option<Base<'a>>> {
    let Some(component) = parent.manifest().component(role) else { return Ok(None) };
    // When the backup says it was made is later than the one before it by all means, and may be far from when its files were read. A base that
    // read them in our future did so by a clock that was put back since: times of then may have come again.
    let Some(began) = component.files.as_ref().and_then(|files| files.read_from).filter(|began| *began <= clock::now()) else {
        return Ok(None);
    };
    let began = Time { seconds: began.timestamp(), nanos: began.timestamp_subsec_nanos() };
    Ok(Some(Base::new(inventory::Reader::open(parent.folder(), component)?, began)))
}

/// The same, with nothing in them yet.
fn counted(roots: &[Root]) -> Vec<Root> {
    roots.iter().map(|root| Root { entries: Some(0), bytes: Some(0), ..root.clone() }).collect()
}

fn pack_into<'a>(
    sealer: Sealer,
    role: &'static str,
    selection: &Selection,
    staging: &Path,
    compression: Compression,
    base: Option<Base<'a>>,
    progress: &'a dyn Progress,
) -> Result<Packed> {
    let mut packer = Packer {
        sealer,
        inventory: Writer::create(staging, role, compression)?,
        base,
        progress,
        reading: Ordered::start(workers(), || Ok(|wanted: Wanted| Ok(read::read(wanted))))?,
        memory: Vec::new(),
        waiting: VecDeque::new(),
        linked: HashMap::new(),
        users: HashMap::new(),
        groups: HashMap::new(),
        files: Files {
            roots: counted(&selection.roots),
            by_hand: selection.by_hand.clone(),
            read_from: Some(clock::now()),
            ..Files::default()
        },
    };
    walk::walk(selection, &mut packer)?;
    while packer.settle_one()? {}
    let Packer { mut sealer, inventory, mut files, .. } = packer;
    sealer.cut_here()?;
    sealer.add(&END)?;
    files.inventory = inventory.finish()?;
    Ok(Packed { role, unread: sealer.finish()?, files, sources: Vec::new() })
}

impl Packed {
    /// Reads the archive back from the disk and compares it with what went in.
    pub fn prove(self, staging: &Staging, compression: Compression) -> Result<Component> {
        let component = component::describe(self.role, (CONTENT, CONTENT), self.unread, staging, compression, self.sources)?;
        Ok(Component { files: Some(self.files), ..component })
    }
}

/// An entry on its way into the archive.
struct Waiting {
    found: Found,
    how: How,
}

enum How {
    /// A folder or a symbolic link: there is nothing to read.
    AsItIs,
    /// A file that is being read.
    Reading,
    /// A file that an earlier backup holds.
    Unchanged(Box<Entry>),
    /// Another name of a file that stands before it.
    Again,
}

/// What tells one file of several names from another.
type Identity = (u64, u64);

struct Packer<'a> {
    sealer: Sealer,
    inventory: Writer,
    base: Option<Base<'a>>,
    progress: &'a dyn Progress,
    reading: Ordered<Wanted, Result<Opened, String>>,
    /// Memory of files that are in the archive.
    memory: Vec<Vec<u8>>,
    waiting: VecDeque<Waiting>,
    /// Files of several names: the first of them, once it is in the archive.
    linked: HashMap<Identity, Option<Name>>,
    users: HashMap<u32, Option<String>>,
    groups: HashMap<u32, Option<String>>,
    files: Files,
}

impl Visitor for Packer<'_> {
    fn found(&mut self, found: Found) -> Result<()> {
        while self.waiting.len() >= WAITING_MAX {
            self.settle_one()?;
        }
        let how = if kind_of(&found.stat) == SFlag::S_IFREG { self.how(&found)? } else { How::AsItIs };
        self.waiting.push_back(Waiting { found, how });
        Ok(())
    }

    fn missing(&mut self, path: &Name, why: &str) -> Result<()> {
        note(&mut self.files.incomplete, &mut self.files.incomplete_count, path, why);
        Ok(())
    }

    fn left_out(&mut self, path: &Name, why: &str) -> Result<()> {
        note(&mut self.files.left_out, &mut self.files.left_out_count, path, why);
        Ok(())
    }
}

fn note(list: &mut Vec<Remark>, count: &mut u64, path: &Name, why: &str) {
    *count += 1;
    if list.len() < NAMED_MAX {
        list.push(Remark { path: path.to_string(), why: why.to_owned() });
    }
}

impl Packer<'_> {
    fn how(&mut self, found: &Found) -> Result<How> {
        if found.stat.st_nlink > 1 {
            match self.linked.entry(identity(&found.stat)) {
                MapEntry::Occupied(_) => return Ok(How::Again),
                MapEntry::Vacant(first) => first.insert(None),
            };
        }
        let unchanged = match &mut self.base {
            Some(base) => base.unchanged(&found.path, &found.stat, found.place.as_deref())?,
            None => None,
        };
        if let Some(entry) = unchanged {
            return Ok(How::Unchanged(Box::new(entry)));
        }
        while !self.reading.has_room() {
            self.settle_one()?;
        }
        let memory = self.memory.pop().unwrap_or_default();
        self.reading.give(wanted(found, memory));
        Ok(How::Reading)
    }

    /// Writes the entry that has waited longest; false where none does.
    fn settle_one(&mut self) -> Result<bool> {
        let Some(Waiting { found, how }) = self.waiting.pop_front() else { return Ok(false) };
        interrupt::check()?;
        match how {
            How::AsItIs => self.plain(&found)?,
            How::Reading => {
                let opened = self.reading.take().ok_or_else(|| Error::failed("a file that was to be read is gone"))??;
                self.file(&found, opened)?;
            }
            How::Unchanged(entry) => self.unchanged(&found, *entry)?,
            How::Again => self.again(&found)?,
        }
        self.progress.reached(self.files.bytes);
        self.progress.reached_files(self.files.files);
        Ok(true)
    }

    fn plain(&mut self, found: &Found) -> Result<()> {
        if kind_of(&found.stat) == SFlag::S_IFDIR {
            self.files.folders += 1;
            let entry = self.entry(found, Type::Folder, &found.stat);
            return self.write(entry, None);
        }
        match target_of(&found.folder, &found.name) {
            Ok(target) => {
                self.files.links += 1;
                let entry = Entry { target: Some(target), ..self.entry(found, Type::Link, &found.stat) };
                self.write(entry, None)
            }
            Err(error) => self.missing(&found.path, &format!("the link cannot be read: {}", error.desc())),
        }
    }

    fn file(&mut self, found: &Found, opened: Result<Opened, String>) -> Result<()> {
        let Opened { stat, content, is_settled } = match opened {
            Ok(opened) => opened,
            Err(why) => return self.missing(&found.path, &why),
        };
        // Whatever took its place since its folder was read may be another file, and lie elsewhere.
        let place = found.place.as_deref().filter(|_| is_settled && stat.st_dev == found.stat.st_dev).map(str::to_owned);
        let entry = Entry { place, ..self.entry(found, Type::File, &stat) };
        let torn = match content {
            Content::Whole(content, sha256, torn) => {
                self.write(Entry { sha256: Some(sha256), torn: torn.is_some(), ..entry }, Some(&content))?;
                self.memory.push(content.into_memory());
                torn
            }
            Content::Large(file, map) => self.pour(entry, file, stat, map)?,
        };
        self.files.files += 1;
        self.files.bytes = self.files.bytes.saturating_add(u64::try_from(stat.st_size).unwrap_or(0));
        self.remember(&found.path, &found.stat, &stat);
        match torn {
            Some(why) => self.missing(&found.path, &why),
            None => Ok(()),
        }
    }

    /// Writes a file that is read while it is written; why it is torn, where it is.
    fn pour(&mut self, mut entry: Entry, file: std::fs::File, stat: FileStat, map: Option<Map>) -> Result<Option<String>> {
        entry.stored = map.as_ref().map(Map::stored_bytes);
        let (blocks, thread) = read::pour(file, stat, map.as_ref());
        self.begin(&mut entry, map.as_ref())?;
        if let Some(map) = &map {
            self.sealer.add(&map.block())?;
        }
        let done = self.files.bytes;
        for block in blocks {
            self.sealer.add(&block)?;
            self.progress.reached(done + self.sealer.plain_bytes() - entry.offset);
        }
        let poured = thread.join().map_err(|_| Error::failed("a thread that read a file died"))?;
        entry.torn = poured.torn.is_some();
        entry.sha256 = Some(poured.sha256);
        self.end(entry)?;
        Ok(poured.torn)
    }

    fn unchanged(&mut self, found: &Found, before: Entry) -> Result<()> {
        self.sealer.cut_here()?;
        let offset = self.sealer.plain_bytes();
        let end = before.offset.checked_add(before.length).ok_or_else(|| Error::bad("an entry of the base's inventory has no end"))?;
        if !self.sealer.repeat(before.offset..end)? {
            return self.file(found, read::read(wanted(found, Vec::new())));
        }
        self.files.files += 1;
        self.files.bytes = self.files.bytes.saturating_add(before.bytes);
        self.remember(&found.path, &found.stat, &found.stat);
        self.list(&Entry { offset, ..before })
    }

    fn again(&mut self, found: &Found) -> Result<()> {
        let Some(Some(first)) = self.linked.get(&identity(&found.stat)) else {
            // The first of its names could not be read.
            return self.file(found, read::read(wanted(found, Vec::new())));
        };
        let target = Some(first.clone());
        self.files.hard_links += 1;
        let entry = Entry { target, ..self.entry(found, Type::Hardlink, &found.stat) };
        self.write(entry, None)
    }

    /// A file of several names is in the archive now, if it was still the same when it was opened.
    fn remember(&mut self, path: &Name, found: &FileStat, opened: &FileStat) {
        if found.st_nlink > 1 && identity(found) == identity(opened) {
            self.linked.insert(identity(found), Some(path.clone()));
        }
    }

    fn entry(&mut self, found: &Found, what: Type, stat: &FileStat) -> Entry {
        let user = self.users.entry(stat.st_uid).or_insert_with_key(|uid| Some(User::from_uid(Uid::from_raw(*uid)).ok()??.name));
        let group = self.groups.entry(stat.st_gid).or_insert_with_key(|gid| Some(Group::from_gid(Gid::from_raw(*gid)).ok()??.name));
        Entry { user: user.clone(), group: group.clone(), ..Entry::of(found.path.clone(), what, stat) }
    }

    fn write(&mut self, mut entry: Entry, content: Option<&Hashed>) -> Result<()> {
        self.begin(&mut entry, None)?;
        match content {
            Some(content) if content.bytes().len() >= OWN_CHUNK_MIN_BYTES => self.sealer.add_chunk(content)?,
            Some(content) => self.sealer.add(content.bytes())?,
            None => {}
        }
        self.end(entry)
    }

    fn begin(&mut self, entry: &mut Entry, map: Option<&Map>) -> Result<()> {
        self.sealer.cut_here()?;
        entry.offset = self.sealer.plain_bytes();
        self.sealer.add(&header::blocks(entry, map))
    }

    fn end(&mut self, mut entry: Entry) -> Result<()> {
        let length = self.sealer.plain_bytes() - entry.offset;
        entry.length = padded(length);
        self.sealer.add(&END[..(entry.length - length) as usize])?;
        self.list(&entry)
    }

    /// Lists an entry, and counts it for its root.
    fn list(&mut self, entry: &Entry) -> Result<()> {
        let root = entry.path.root();
        if let Some(root) = self.files.roots.iter_mut().find(|one| one.name.as_bytes() == root) {
            root.entries = root.entries.map(|entries| entries + u64::from(entry.path.0.len() > root.name.len()));
            root.bytes = root.bytes.map(|bytes| bytes.saturating_add(entry.bytes));
        }
        self.inventory.add(entry)
    }
}

fn identity(found: &FileStat) -> Identity {
    (found.st_dev, found.st_ino)
}

fn wanted(found: &Found, memory: Vec<u8>) -> Wanted {
    Wanted { folder: Arc::clone(&found.folder), name: found.name.clone(), memory }
}

#[cfg(test)]
mod tests;
