//! One line more: under a lock, in one write, on disk before it counts.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use fs2::FileExt;
use serde_json::{Map, Value};

use super::BEGINNING;
use super::days::{self, day_of, name_of};
use super::line::{Entry, Event, Line};
use super::memory::{Head, Memory, Torn};
use super::place::Place;
use super::tail;
use crate::clock;
use crate::error::{Error, Kind, OnPath, Result};
use crate::fsx;
use crate::interrupt;
use crate::lock::Held;
use crate::sync_state;

/// Another run holds the lock for the time of one write; a disk that takes longer than this is broken.
const WAIT: Duration = Duration::from_secs(10);
/// How often a run that waits for the folder looks again.
const RETRY: Duration = Duration::from_millis(20);
/// The name of the lock, among those of the store's environments.
const LOCK: &str = "audit";

/// Appends one line to a trail, and waits until it is on disk. A stop that was asked for does not keep it from being written.
///
/// Whatever fails leaves the trail as it was, but for an error after the line was on disk ("… is written, but …"): then
/// this machine does not remember it as the newest.
///
/// ```
/// # fn main() -> holdfast::Result<()> {
/// # let own = tempfile::tempdir().expect("a folder");
/// # let here = own.path();
/// use holdfast::audit::{self, Entry, Event, Place, Query};
/// use holdfast::state_dir::StateDir;
///
/// let state = StateDir::at(&here.join("state"));
/// let place = Place::at(&here.join("audit"), "ledger-app", &state)?;
/// let mut entry = Entry::new(Event::Outcome, holdfast::fsx::random_hex(8)?, "ledger-app", "close-year");
/// entry.environment = Some("prod".to_owned());
/// entry.result = Some("done".to_owned());
/// entry.detail.insert("year".to_owned(), 2026.into());
/// audit::append(&place, &entry)?;
///
/// let answer = audit::read(&place, &[], &Query::default())?;
/// assert!(answer.findings.are_none());
/// assert_eq!(answer.lines[0].operation, "close-year");
/// # Ok(())
/// # }
/// ```
pub fn append(place: &Place, entry: &Entry) -> Result<Head> {
    append_by(clock::now, place, entry)
}

/// As [`append`], by another clock.
pub(super) fn append_by(now: impl Fn() -> DateTime<Utc>, place: &Place, entry: &Entry) -> Result<Head> {
    interrupt::while_cleaning(|| {
        let _held = hold(place)?;
        if place.folder().symlink_metadata().is_err() {
            fsx::create_private_dirs(place.folder())?;
            give_to_owner_above(place.folder());
        }
        refuse_link(place.folder())?;
        let _folder = hold_folder(place.folder())?;
        let (mut end, memory) = End::find(place)?;
        if let Some(torn) = end.torn.take().or(memory.torn) {
            end = repair(now(), place, end, torn, entry)?.0;
        }
        // Asked for under the lock, so that the times of the lines stand in their order.
        end.extend(now(), place, entry).map(|(_, head)| head)
    })
}

/// Where a trail ends.
struct End {
    /// The newest file.
    file: Option<String>,
    /// How long it is without what is torn.
    length: u64,
    /// How many lines it holds.
    lines: u64,
    /// The hash that the next line names.
    prev: String,
    /// What a crash left after the last line.
    torn: Option<Torn>,
}

impl End {
    /// Finds it, and what this machine remembers. Where the newest line that it remembers is gone, the next line names that
    /// one all the same: so the damage stays visible in the log itself.
    fn find(place: &Place) -> Result<(Self, Memory)> {
        let mut memory = Memory::recall(place);
        let files = days::list(place.folder())?.files;
        let newest = files.last();
        let (mut length, mut torn, mut last) = (0, None, None);
        for name in files.iter().rev() {
            let path = place.folder().join(name);
            let file = fsx::open_to_read(&path)?;
            let found = tail::of(&file, &path)?;
            if Some(name) == newest {
                length = found.end;
                torn = found.torn.map(|(bytes, sha256)| Torn { file: name.clone(), offset: found.end, bytes, sha256 });
            }
            if let Some(sha256) = found.sha256 {
                last = Some((name, found.end, sha256));
                break;
            }
        }
        let is_newest =
            |head: &Head| matches!(&last, Some((name, end, hash)) if **name == head.file && *end == head.offset && *hash == head.sha256);
        let prev = match (&memory.head, &last) {
            (Some(head), _) if !is_newest(head) && !is_in_log(place, head)? => head.sha256.clone(),
            (_, Some((_, _, hash))) => hash.clone(),
            (_, None) => BEGINNING.to_owned(),
        };
        let lines = match (newest, &memory.head) {
            (None, _) => 0,
            (Some(name), Some(head)) if head.file == *name && is_newest(head) => head.line,
            (Some(name), _) => {
                let path = place.folder().join(name);
                tail::count_lines(&fsx::open_to_read(&path)?, &path, 0, length)?
            }
        };
        // Told already, unless the file still ends where it was cut.
        memory.torn = memory.torn.filter(|torn| Some(&torn.file) == newest && torn.offset == length);
        Ok((End { file: newest.cloned(), length, lines, prev, torn }, memory))
    }

    /// Appends a line. The file is that of the day, but never one older than the newest: where the clock went back, the
    /// order of the files stays the order of writing.
    fn extend(self, at: DateTime<Utc>, place: &Place, entry: &Entry) -> Result<(Self, Head)> {
        let (name, is_new) = match self.file {
            Some(newest) if day_of(&newest).is_some_and(|day| day >= at.date_naive()) => (newest, false),
            _ => (name_of(at.date_naive()), true),
        };
        let (length, lines) = if is_new { (0, 0) } else { (self.length, self.lines) };
        let mut bytes = Line::of(entry, at, &self.prev).to_bytes()?;
        let sha256 = fsx::sha256_hex(&bytes);
        bytes.push(b'\n');
        write(place.folder(), &name, is_new, length, &bytes)?;
        let head = Head { sha256: sha256.clone(), at, file: name.clone(), line: lines + 1, offset: length + bytes.len() as u64 };
        Memory { head: Some(head.clone()), torn: None }
            .keep(place)
            .map_err(|error| error.within("the audit line is written, but this machine cannot remember it as the newest"))?;
        Ok((End { file: Some(name), length: head.offset, lines: head.line, prev: sha256, torn: None }, head))
    }
}

/// Whether the line is where it was written. Other machines and other state directories may have written more since.
fn is_in_log(place: &Place, head: &Head) -> Result<bool> {
    if day_of(&head.file).is_none() {
        return Ok(false);
    }
    let path = place.folder().join(&head.file);
    match fsx::open_to_read(&path) {
        Ok(file) => Ok(tail::line_ending_at(&file, &path, head.offset)?.as_ref() == Some(&head.sha256)),
        Err(_) if path.symlink_metadata().is_err() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Cuts off what a crash left, and tells of it in a line.
fn repair(at: DateTime<Utc>, place: &Place, end: End, torn: Torn, entry: &Entry) -> Result<(End, Head)> {
    Memory { torn: Some(torn.clone()), ..Memory::recall(place) }.keep(place)?;
    let path = place.folder().join(&torn.file);
    let file = open_to_append(&path)?;
    fsx::step().and_then(|()| file.set_len(torn.offset)).on("cut", &path)?;
    fsx::sync_file(&file, &path)?;
    let mut repaired = Entry::new(Event::Repaired, &entry.run, &entry.tool, &entry.operation);
    repaired.detail = Map::from_iter([
        ("file".to_owned(), Value::from(torn.file)),
        ("offset".to_owned(), Value::from(torn.offset)),
        ("cut_bytes".to_owned(), Value::from(torn.bytes)),
        ("cut_sha256".to_owned(), Value::from(torn.sha256)),
    ]);
    end.extend(at, place, &repaired)
}

/// Writes a line at the end of a file that is so long now. What fails halfway is cut off again.
fn write(folder: &Path, name: &str, is_new: bool, length: u64, bytes: &[u8]) -> Result<()> {
    let path = folder.join(name);
    let mut file = if is_new { create(&path)? } else { open_to_append(&path)? };
    let written = fsx::step()
        .and_then(|()| file.write_all(bytes))
        .on("write", &path)
        .and_then(|()| fsx::sync_file(&file, &path))
        .and_then(|()| if is_new { fsx::sync_dir(folder) } else { Ok(()) });
    if written.is_err() {
        // Where even that fails, the next line begins with a repair.
        let _ = file.set_len(length);
    }
    written
}

/// Makes the file of a new day.
fn create(path: &Path) -> Result<File> {
    if sync_state::placeholder_of(path).is_some_and(|placeholder| placeholder.symlink_metadata().is_ok()) {
        return Err(
            Error::failed(format!("{} is only in the cloud", path.display())).hint("download it: brctl download, or open its folder")
        );
    }
    let file = fsx::create_private_file(path)?;
    give_to_owner_above(path);
    Ok(file)
}

/// What root makes in somebody else's store is given to that user, who could not write there otherwise for the rest of the day.
fn give_to_owner_above(path: &Path) {
    if nix::unistd::geteuid().is_root()
        && let Some(Ok(above)) = path.parent().map(Path::metadata)
    {
        let _ = std::os::unix::fs::lchown(path, Some(above.uid()), Some(above.gid()));
    }
}

fn open_to_append(path: &Path) -> Result<File> {
    fsx::step()
        .and_then(|()| OpenOptions::new().append(true).custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_CLOEXEC).open(path))
        .on("open", path)
}

/// The trail's lock on this machine.
pub(super) fn hold(place: &Place) -> Result<Held> {
    Held::acquire(place.state(), place.name(), LOCK, WAIT).map_err(|error| match error.kind() {
        Kind::Busy => error.within("the audit trail cannot be written").hint("does that process hang? its lock ends with it"),
        _ => error,
    })
}

/// The folder's own lock, which also keeps runs with another state directory apart. Not every file system has one.
fn hold_folder(folder: &Path) -> Result<Option<File>> {
    let opened = File::open(folder).on("open", folder)?;
    let start = Instant::now();
    loop {
        match FileExt::try_lock_exclusive(&opened) {
            Ok(()) => return Ok(Some(opened)),
            Err(error) if error.kind() == fs2::lock_contended_error().kind() => {
                if start.elapsed() >= WAIT {
                    return Err(Error::busy(format!("{} is held by a run with another state directory", folder.display()))
                        .hint("does one hang? its lock ends with it"));
                }
                std::thread::sleep(RETRY);
            }
            Err(_) => return Ok(None),
        }
    }
}

/// A link in place of the folder would lead the trail elsewhere.
fn refuse_link(folder: &Path) -> Result<()> {
    match folder.symlink_metadata() {
        Ok(found) if found.is_dir() => Ok(()),
        _ => Err(Error::refused(format!("{} is not a folder of the store", folder.display())).hint("put the real folder back")),
    }
}
