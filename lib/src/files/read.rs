//! Reading one file: in one piece where it is small, as a stream where it is not; hashed on the way, and watched for changes.

use std::ffi::CString;
use std::fs::File;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat};
use sha2::{Digest, Sha256};

use super::entry::{Time, ctime, mtime};
use super::padded;
use super::sparse::Map;
use super::walk::kind_of;
use crate::frames::Hashed;
use crate::fsx;

/// A file up to this length is read in one piece, and once more where it changed meanwhile.
const WHOLE_MAX_BYTES: u64 = 1 << 20;
/// A larger one comes in blocks of this size, …
const BLOCK_BYTES: usize = 256 << 10;
/// … and so many of them may wait to be packed.
const BLOCKS_WAITING: usize = 8;
/// So much is kept of a file whose length reads 0.
const UNMEASURED_MAX_BYTES: usize = 64 << 10;
/// A small file that changes under us is read so many times before it counts as torn.
const TRIES: u32 = 3;
/// The clock that stamps files moves in steps of up to this length: two changes within one step look like one.
const CLOCK_STEP: Duration = Duration::from_millis(20);

/// A file that is to be read.
pub(super) struct Wanted {
    pub(super) folder: Arc<OwnedFd>,
    pub(super) name: CString,
    /// Memory that is used for its content.
    pub(super) memory: Vec<u8>,
}

/// A file that was opened, and read where it is small.
pub(super) struct Opened {
    pub(super) stat: FileStat,
    pub(super) content: Content,
    /// Whether every later change of it would give it another time.
    pub(super) is_settled: bool,
}

pub(super) enum Content {
    /// All of it, filled up to whole blocks; the hash of what the file holds, and why it is torn, where it is.
    Whole(Hashed, String, Option<String>),
    /// To be read by [`pour`].
    Large(File, Option<Map>),
}

/// Opens a file, and reads it where it is small. The error says why it is missing from the backup.
pub(super) fn read(wanted: Wanted) -> Result<Opened, String> {
    // Whatever took the file's place since its folder was read: a fifo must not make us wait, nor a link lead us away.
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let file = match openat(&*wanted.folder, wanted.name.as_c_str(), flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::ENOENT) => return Err("it vanished while its folder was read".to_owned()),
        Err(Errno::ELOOP) => return Err("it became a link while its folder was read".to_owned()),
        Err(error) => return Err(format!("it cannot be opened: {}", error.desc())),
    };
    let mut memory = wanted.memory;
    let mut tries = 0;
    loop {
        tries += 1;
        let (stat, is_settled) = settled(&file)?;
        let bytes = u64::try_from(stat.st_size).unwrap_or(0);
        let may_have_holes = u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512) < bytes;
        if bytes > WHOLE_MAX_BYTES {
            let map = if may_have_holes { Map::of(&file, bytes) } else { None };
            return Ok(Opened { stat, content: Content::Large(file, map), is_settled });
        }
        if bytes == 0
            && let Some(opened) = unmeasured(&file, stat, &mut memory)
        {
            return Ok(opened);
        }
        // Not cleared before: what it had is overwritten, and only what is longer costs zeros.
        memory.resize(padded(bytes) as usize, 0);
        let (content, padding) = memory.split_at_mut(bytes as usize);
        let (read, failed) = fill(&file, content, 0);
        content[read..].fill(0);
        padding.fill(0);
        let change = match failed {
            Some(error) if read == 0 => return Err(error),
            Some(error) => Some(error),
            None => change(&file, &stat, read < bytes as usize),
        };
        if change.is_some() && tries < TRIES {
            continue;
        }
        let (content, sha256) = Hashed::new(memory, bytes as usize);
        return Ok(Opened { stat, content: Content::Whole(content, sha256, change), is_settled });
    }
}

/// A file whose length reads 0, and which holds something: those in /proc are made as they are read. What comes first is kept, and
/// nobody can say whether it is all.
fn unmeasured(file: &File, mut stat: FileStat, memory: &mut Vec<u8>) -> Option<Opened> {
    memory.resize(UNMEASURED_MAX_BYTES, 0);
    let (read, failed) = fill(file, memory, 0);
    if read == 0 && failed.is_none() || change(file, &stat, false).is_some() {
        return None;
    }
    let why = failed.unwrap_or_else(|| format!("its length reads 0, and it holds something: {read} bytes were read"));
    memory.truncate(padded(read as u64) as usize);
    memory[read..].fill(0);
    let (content, sha256) = Hashed::new(std::mem::take(memory), read);
    stat.st_size = i64::try_from(read).unwrap_or(0);
    Some(Opened { stat, content: Content::Whole(content, sha256, Some(why)), is_settled: false })
}

/// What the file system says of an open file, once its times are old enough to tell a further change, and every page that somebody
/// has written through a mapping is on its way to the disk: only the first write to a clean page gives the file a new time, so one
/// to a page that was not clean would go unseen, now and by every later backup.
/// False where that does not come about: then what is read of it proves nothing for later.
fn settled(file: &File) -> Result<(FileStat, bool), String> {
    let look = || fstat(file).map_err(|error| format!("it cannot be looked at: {}", error.desc()));
    let mut found = look()?;
    if kind_of(&found) != SFlag::S_IFREG {
        return Err("it is no file any more".to_owned());
    }
    let mut tries = 0;
    loop {
        tries += 1;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let last = mtime(&found).max(ctime(&found));
        let last = Duration::new(u64::try_from(last.seconds).unwrap_or(0), last.nanos);
        if now.checked_sub(last).is_some_and(|age| age < CLOCK_STEP) {
            std::thread::sleep(CLOCK_STEP);
        }
        let is_clean = fsx::write_mapped_pages(file);
        let after = look()?;
        if stamp(&after) == stamp(&found) || tries >= TRIES {
            let is_settled = is_clean && stamp(&after) == stamp(&found);
            return Ok((after, is_settled));
        }
        found = after;
    }
}

/// Reads until the buffer is full or the file is at its end, and says how far it came, and which error stopped it.
fn fill(file: &File, buffer: &mut [u8], offset: u64) -> (usize, Option<String>) {
    let mut done = 0;
    while done < buffer.len() {
        match file.read_at(&mut buffer[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return (done, Some(format!("it cannot be read: {error}"))),
        }
    }
    (done, None)
}

/// Why what was read may be of different moments; none where the file is as it was.
fn change(file: &File, before: &FileStat, is_short: bool) -> Option<String> {
    let is_same = fstat(file).is_ok_and(|now| stamp(&now) == stamp(before));
    (is_short || !is_same).then(|| "it changed while it was read".to_owned())
}

fn stamp(found: &FileStat) -> (i64, Time, Time) {
    (found.st_size, mtime(found), ctime(found))
}

/// How a large file was read.
pub(super) struct Poured {
    /// SHA-256 (hex) of the bytes that were given.
    pub(super) sha256: String,
    /// Why they may be of different moments.
    pub(super) torn: Option<String>,
}

/// Reads a large file on a thread of its own: exactly as many bytes as were promised, zeros where there are no more.
pub(super) fn pour(file: File, stat: FileStat, map: Option<&Map>) -> (Receiver<Vec<u8>>, JoinHandle<Poured>) {
    let (blocks, taken) = sync_channel(BLOCKS_WAITING);
    let whole = || std::iter::once(0..u64::try_from(stat.st_size).unwrap_or(0)).collect();
    let pieces: Vec<Range<u64>> = map.map_or_else(whole, |map| map.data.clone());
    let thread = std::thread::spawn(move || {
        let mut hash = Sha256::new();
        let mut torn = None;
        let mut is_short = false;
        for piece in pieces {
            let mut at = piece.start;
            while at < piece.end {
                let mut block = vec![0; BLOCK_BYTES.min(usize::try_from(piece.end - at).unwrap_or(BLOCK_BYTES))];
                if torn.is_none() && !is_short {
                    let (read, failed) = fill(&file, &mut block, at);
                    is_short = read < block.len();
                    torn = failed;
                }
                hash.update(&block);
                at += block.len() as u64;
                if blocks.send(block).is_err() {
                    // Whoever wanted them has given up.
                    return Poured { sha256: String::new(), torn };
                }
            }
        }
        let torn = torn.or_else(|| change(&file, &stat, is_short));
        Poured { sha256: fsx::hex(&hash.finalize()), torn }
    });
    (taken, thread)
}
