//! What was read of each backup's folder, kept in the local state directory: a look at very many backups then only sees whether
//! anything has changed.
//!
//! Listings and plans that are shown are made of it, never a restore or a removal. A record counts as long as the folder, the manifest
//! and what stands beside the backup are the very same files with the same times; what has changed a moment ago is always read.
//!
//! The file begins with [`MAGIC`]; then come records: the length of what follows, its CRC-32, the backup's id, its place, its stamps,
//! what a listing shows and what retention asks. Of two records of one backup, the later counts. What is none is passed over, and the
//! file is then written anew.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use nix::fcntl::AtFlags;
use nix::sys::stat::{FileStat, SFlag, fstatat};

use super::facts::Facts;
use super::packed::{Pack, Packed};
use super::{Listed, Seen};
use crate::catalog::Folder;
use crate::error::Result;
use crate::fsx;
use crate::manifest;
use crate::parallel;
use crate::store::Store;
use crate::sync_state::{self, SyncProbe, SyncState, SystemProbe};

/// Reading fewer is as fast as looking them up.
const WORTH_IT: usize = if cfg!(test) { 1 } else { 500 };
/// Two changes of one file may get the same time when they are this close.
const SETTLED_SECONDS: i64 = if cfg!(test) { 0 } else { 3 };
/// How the file begins; changed with every change of what a record holds.
const MAGIC: &[u8] = b"HFSEEN03";
/// The length and the checksum before each record.
const HEAD_BYTES: usize = 8;
/// Changed records are appended until there are as many as this share of all, then the file is written anew.
const REWRITE_SHARE: usize = 4;

/// What tells whether a file is still the same: inode, size, and both its times.
type Stamp = Option<(u64, u64, i64, i64)>;

/// What is remembered of a store's backups.
pub(super) struct Cache<'a> {
    store: &'a Store,
    /// None where so few backups are not worth it.
    file: Option<PathBuf>,
    /// What follows the id in the last record of each backup.
    records: HashMap<&'a str, &'a [u8]>,
    /// Records in the file, also such as count no more.
    written: usize,
    /// Whether all of the file is records.
    is_whole: bool,
    /// The folders of the store that backups are in, open: a look from there is shorter than one from the root.
    places: HashMap<String, File>,
    /// The backups that have checks, or labels: most have neither, and need not be asked one by one.
    beside: [BTreeSet<String>; 2],
    /// The backups of which some of that is only in the cloud: nothing that is remembered of them counts.
    away: BTreeSet<String>,
}

/// What came of looking a backup up.
struct Answer<T> {
    /// None where the backup has been removed meanwhile.
    value: Option<T>,
    /// The record of what had to be read.
    fresh: Option<Vec<u8>>,
}

/// A record that counts.
pub(super) struct Hit<'a> {
    folder: &'a Folder,
    listed: &'a [u8],
    facts: &'a [u8],
}

impl<'a> Cache<'a> {
    /// Opens the cache of a store in which these backups are. `memory` is for what the file holds.
    pub(super) fn open(store: &'a Store, folders: &[Folder], memory: &'a mut Vec<u8>) -> Self {
        let mut cache = Cache {
            store,
            file: None,
            records: HashMap::new(),
            written: 0,
            is_whole: false,
            places: HashMap::new(),
            beside: [BTreeSet::new(), BTreeSet::new()],
            away: BTreeSet::new(),
        };
        let Ok(state) = store.state().folder("cache") else { return cache };
        if folders.len() < WORTH_IT {
            return cache;
        }
        let mut places = [store.checks_file("x"), store.labels_file("x")].map(|path| names_in(path.parent().unwrap_or(&path)));
        let [Some(checks), Some(labels)] = &mut places else { return cache };
        cache.away = &std::mem::take(&mut checks.away) | &std::mem::take(&mut labels.away);
        cache.beside = [std::mem::take(&mut checks.there), std::mem::take(&mut labels.there)];
        let file = state.join(format!("seen-{}", store.id()));
        *memory = std::fs::read(&file).unwrap_or_default();
        cache.file = Some(file);
        cache.records.reserve(folders.len());
        cache.is_whole = cache.find_records(memory);
        for folder in folders {
            if !cache.places.contains_key(folder.place())
                && let Ok(place) = File::open(store.folder(folder.place()))
            {
                cache.places.insert(folder.place().to_owned(), place);
            }
        }
        cache
    }

    /// Finds the records, and says whether there is nothing else.
    fn find_records(&mut self, bytes: &'a [u8]) -> bool {
        let (mut at, mut is_whole) = (MAGIC.len(), true);
        if !bytes.starts_with(MAGIC) {
            return false;
        }
        while at < bytes.len() {
            let field = |from: usize| bytes.get(from..from + 4)?.try_into().ok().map(u32::from_le_bytes);
            let begin = at + HEAD_BYTES;
            let end = field(at).and_then(|length| begin.checked_add(usize::try_from(length).ok()?));
            let (Some(crc), Some(record)) = (field(at + 4), end.and_then(|end| bytes.get(begin..end))) else { return false };
            at = begin + record.len();
            let mut packed = Packed(record);
            match packed.str().filter(|_| libdeflater::crc32(record) == crc) {
                Some(id) => {
                    self.records.insert(id, packed.0);
                    self.written += 1;
                }
                None => is_whole = false,
            }
        }
        is_whole
    }

    /// What `known` makes of each backup that is known, and `read` of each that must be read; none of one that is gone. What was read
    /// is remembered.
    pub(super) fn get_all<T: Send>(
        &self,
        folders: &[Folder],
        known: impl Fn(&Self, &Hit<'_>) -> Option<T> + Sync,
        read: impl Fn(Seen) -> T + Sync,
    ) -> Result<Vec<Option<T>>> {
        let answers = parallel::map(folders, |folder| self.get(folder, &known, &read));
        let answers = answers.into_iter().collect::<Result<Vec<_>>>()?;
        self.keep(folders, &answers);
        Ok(answers.into_iter().map(|answer| answer.value).collect())
    }

    fn get<T>(&self, folder: &Folder, known: impl Fn(&Self, &Hit<'_>) -> Option<T>, read: impl Fn(Seen) -> T) -> Result<Answer<T>> {
        // Before it is read: what changes in between does not fit them.
        let stamps = self.file.as_ref().filter(|_| !self.away.contains(&folder.name)).map(|_| self.stamps(folder));
        if let Some(stamps) = &stamps
            && let Some(record) = self.records.get(folder.name.as_str())
            && let Some(hit) = hit(folder, record, stamps)
            && let Some(value) = known(self, &hit)
        {
            return Ok(Answer { value: Some(value), fresh: None });
        }
        let Some(seen) = Seen::read(self.store, folder).transpose()? else { return Ok(Answer { value: None, fresh: None }) };
        // What is wrong may be mended without a trace in what is looked at.
        let is_known = seen.listed.problem.is_none() && seen.facts.as_ref().is_none_or(|facts| facts.unknown.is_none());
        let fresh = stamps.filter(|stamps| is_known && is_settled(stamps)).map(|stamps| record(folder, &stamps, &seen));
        Ok(Answer { value: Some(read(seen)), fresh })
    }

    fn stamps(&self, folder: &Folder) -> [Stamp; 4] {
        let beside = |names: &BTreeSet<String>, path: &dyn Fn() -> PathBuf| {
            if names.contains(&folder.name) { path().symlink_metadata().ok().map(|found| stamp_of(&found)) } else { None }
        };
        [
            self.look_at(folder, "").map(|found| stamp(&found)),
            self.look_at(folder, manifest::FILE).map(|found| stamp(&found)),
            beside(&self.beside[0], &|| self.store.checks_file(&folder.name)),
            beside(&self.beside[1], &|| self.store.labels_file(&folder.name)),
        ]
    }

    /// What the system says of a file in a backup's folder, or of the folder.
    fn look_at(&self, folder: &Folder, name: &str) -> Option<FileStat> {
        let place = self.places.get(folder.place())?;
        let mut path = String::with_capacity(folder.name.len() + name.len() + 1);
        path.push_str(&folder.name);
        if !name.is_empty() {
            path.push('/');
            path.push_str(name);
        }
        fstatat(place, path.as_str(), AtFlags::AT_SYMLINK_NOFOLLOW).ok()
    }

    /// What a listing shows of a backup.
    pub(super) fn listed(&self, hit: &Hit<'_>) -> Option<Listed> {
        Packed(hit.listed).listed(&hit.folder.name, hit.folder.place())
    }

    /// What retention asks of a backup; none of one that could not be read. The sizes of its files are looked at.
    pub(super) fn facts(&self, hit: &Hit<'_>) -> Option<Facts> {
        let mut facts = Packed(hit.facts).some(|packed| packed.facts(&hit.folder.name))??;
        let is_file = |found: &FileStat| SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT == SFlag::S_IFREG;
        let size_of = |name: &str| self.look_at(hit.folder, name).filter(is_file).map(|found| found.st_size.unsigned_abs());
        facts.has_its_sizes = facts.has_sizes(size_of);
        Some(facts)
    }

    /// Keeps what was read. That it cannot be kept costs time and nothing else.
    fn keep<T>(&self, folders: &[Folder], answers: &[Answer<T>]) {
        let Some(path) = &self.file else { return };
        let fresh: Vec<(&Folder, &Vec<u8>)> =
            folders.iter().zip(answers).filter_map(|(folder, answer)| Some((folder, answer.fresh.as_ref()?))).collect();
        if fresh.is_empty() {
            return;
        }
        let all = self.written + fresh.len();
        let kept = if !self.is_whole || all > answers.len() + answers.len() / REWRITE_SHARE {
            let mut text = MAGIC.to_vec();
            let is_read: BTreeSet<&str> = fresh.iter().map(|(folder, _)| folder.name.as_str()).collect();
            let still: BTreeSet<&str> = folders.iter().map(|folder| folder.name.as_str()).filter(|name| !is_read.contains(name)).collect();
            for id in still {
                if let Some(rest) = self.records.get(id) {
                    let mut body = Pack::default();
                    body.text(id);
                    body.0.extend_from_slice(rest);
                    add(&mut text, &body.0);
                }
            }
            fresh.iter().for_each(|(_, body)| add(&mut text, body));
            fsx::replace_unsynced(path, &text)
        } else {
            let mut text = Vec::new();
            fresh.iter().for_each(|(_, body)| add(&mut text, body));
            append(path, &text)
        };
        if let Err(error) = kept {
            tracing::debug!("what was seen could not be kept: {error}");
        }
    }
}

fn record(folder: &Folder, stamps: &[Stamp; 4], seen: &Seen) -> Vec<u8> {
    let mut listed = Pack::default();
    listed.listed(&seen.listed);
    let mut body = Pack::default();
    body.text(&folder.name);
    body.text(folder.place());
    for stamp in stamps {
        body.some(*stamp, |body, (inode, bytes, mtime, ctime)| {
            body.number(inode);
            body.number(bytes);
            body.signed(mtime);
            body.signed(ctime);
        });
    }
    body.number(listed.0.len() as u64);
    body.0.extend_from_slice(&listed.0);
    body.some(seen.facts.as_ref(), Pack::facts);
    body.0
}

/// What a record says of a folder, where it is about these very files. `rest` is what follows the id.
fn hit<'a>(folder: &'a Folder, rest: &'a [u8], stamps: &[Stamp; 4]) -> Option<Hit<'a>> {
    let mut packed = Packed(rest);
    if packed.str()? != folder.place() {
        return None;
    }
    for stamp in stamps {
        let found = packed.some(|packed| Some((packed.number()?, packed.number()?, packed.signed()?, packed.signed()?)))?;
        if found != *stamp {
            return None;
        }
    }
    let length = usize::try_from(packed.number()?).ok()?;
    let (listed, facts) = packed.0.split_at_checked(length)?;
    Some(Hit { folder, listed, facts })
}

fn add(text: &mut Vec<u8>, body: &[u8]) {
    let Ok(length) = u32::try_from(body.len()) else { return };
    text.extend_from_slice(&length.to_le_bytes());
    text.extend_from_slice(&libdeflater::crc32(body).to_le_bytes());
    text.extend_from_slice(body);
}

fn append(path: &Path, bytes: &[u8]) -> Result<()> {
    use crate::error::OnPath;
    let file = OpenOptions::new().append(true).mode(fsx::FILE_MODE).custom_flags(nix::libc::O_NOFOLLOW).open(path);
    file.and_then(|mut file| file.write_all(bytes)).on("write", path)
}

fn nanoseconds(seconds: i64, rest: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

fn stamp(found: &FileStat) -> (u64, u64, i64, i64) {
    let (mtime, ctime) = (nanoseconds(found.st_mtime, found.st_mtime_nsec), nanoseconds(found.st_ctime, found.st_ctime_nsec));
    (found.st_ino, found.st_size.unsigned_abs(), mtime, ctime)
}

fn stamp_of(found: &std::fs::Metadata) -> (u64, u64, i64, i64) {
    use std::os::unix::fs::MetadataExt;
    let (mtime, ctime) = (nanoseconds(found.mtime(), found.mtime_nsec()), nanoseconds(found.ctime(), found.ctime_nsec()));
    (found.ino(), found.len(), mtime, ctime)
}

/// Whether nothing of it has changed so recently that a change right after it would go unseen.
fn is_settled(stamps: &[Stamp; 4]) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0);
    stamps.iter().flatten().all(|(_, _, mtime, ctime)| now - (*mtime).max(*ctime) > SETTLED_SECONDS * 1_000_000_000)
}

/// What lies in `checks` or `labels`.
#[derive(Default)]
struct Names {
    there: BTreeSet<String>,
    away: BTreeSet<String>,
}

/// By their names, the backups that have something there; none where that cannot be said.
fn names_in(folder: &Path) -> Option<Names> {
    let mut names = Names::default();
    match SystemProbe.state(folder).ok()? {
        SyncState::Local => {}
        SyncState::Missing => return Some(names),
        SyncState::CloudOnly => return None,
    }
    for name in fsx::names_in(folder).ok()? {
        let placeholder = sync_state::placeholder_for(&name);
        let id = |name: &OsStr| name.to_str()?.strip_suffix(".jsonl").map(str::to_owned);
        match placeholder {
            Some(real) => names.away.extend(id(&real)),
            None => names.there.extend(id(&name)),
        }
    }
    Some(names)
}
