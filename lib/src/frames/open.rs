//! Reading a component: its file and index in, the plain stream out, every frame checked on the way.

mod gathered;
mod whole;

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use self::gathered::Gathered;
use self::whole::Whole;
use super::index::{Frame, Index};
use super::shelf::Shelf;
use crate::error::{Error, OnPath, Result};
use crate::fsx;
use crate::interrupt;

/// The next step where a backup is damaged.
pub const ANOTHER: &str =
    "restore from another backup: restore-db --list shows what there is, and backup-guard --verify structure which are whole";

/// What a component is compared with while it is read.
pub enum Expected {
    /// The file's own SHA-256 (hex), at its end: then its frames are the very ones that were read back and compared when
    /// they were written. Damage is told by the frames' own checksums, or at the end.
    File {
        /// SHA-256 (hex) of the whole file.
        stored_sha256: String,
    },
    /// The file's SHA-256, and every chunk's hash in the index beside that.
    Chunks {
        /// SHA-256 (hex) of the whole file.
        stored_sha256: String,
    },
    /// Every chunk's hash in the index, by all workers: for whoever wants the plain bytes alone, whatever else the file holds.
    Index,
    /// A CRC-32 for each frame, known only to the run that has just written it.
    Checks {
        /// The CRC-32 of what each frame holds.
        checks: Vec<u32>,
        /// So many frames, from the first on, were compared already, and are not read again.
        proven: usize,
    },
}

/// A component's plain stream, decompressed on all cores. An error is located to its frame; the end is an error where
/// the file as a whole is not what it should be.
pub struct Reader {
    kind: Kind,
    plain_bytes: u64,
    current: Vec<u8>,
    current_at: usize,
}

enum Kind {
    Whole(Whole),
    Gathered(Gathered),
}

impl Reader {
    /// Opens a component that refers to no other backup. Nothing is read yet.
    pub fn open(path: &Path, index: Arc<Index>, expected: Expected) -> Result<Self> {
        let plain_bytes = index.plain_bytes;
        Ok(Self::new(Kind::Whole(Whole::open(path, index, expected)?), plain_bytes))
    }

    /// Opens the shelf's last volume, which has this index and refers to the others. Every chunk is compared with its hash.
    pub fn gather(shelf: &Arc<Shelf>, index: Arc<Index>) -> Result<Self> {
        let plain_bytes = index.plain_bytes;
        Ok(Self::new(Kind::Gathered(Gathered::open(shelf, index)?), plain_bytes))
    }

    fn new(kind: Kind, plain_bytes: u64) -> Self {
        Reader { kind, plain_bytes, current: Vec::new(), current_at: 0 }
    }

    /// Length of the whole plain stream.
    pub fn plain_bytes(&self) -> u64 {
        self.plain_bytes
    }

    /// The next plain bytes, some hundreds of KiB; none at the end, once the file as a whole was found to be as it should.
    pub fn next_frame(&mut self) -> Result<Option<Vec<u8>>> {
        match &mut self.kind {
            Kind::Whole(whole) => whole.next_frame(),
            Kind::Gathered(gathered) => gathered.next_frame(),
        }
    }

    /// Gives memory back that [`Reader::next_frame`] has given.
    pub fn reuse(&mut self, frame: Vec<u8>) {
        match &mut self.kind {
            Kind::Whole(whole) => whole.reuse(frame),
            Kind::Gathered(gathered) => gathered.reuse(frame),
        }
    }
}

/// The error that a frame of a file is damaged.
pub(super) fn damaged_frame(path: &Path, frames: &[Frame], number: usize, error: &Error) -> Error {
    let frame = frames[number];
    Error::bad(format!(
        "{} is damaged in frame {} of {} (bytes {} to {}): {error}",
        path.display(),
        number + 1,
        frames.len(),
        frame.stored_offset,
        frame.stored_offset + u64::from(frame.stored_bytes)
    ))
    .hint(ANOTHER)
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current_at == self.current.len() {
            interrupt::check()?;
            match self.next_frame()? {
                Some(frame) => {
                    let done = std::mem::replace(&mut self.current, frame);
                    self.reuse(done);
                    self.current_at = 0;
                }
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.current.len() - self.current_at);
        buffer[..count].copy_from_slice(&self.current[self.current_at..self.current_at + count]);
        self.current_at += count;
        Ok(count)
    }
}

/// SHA-256 (hex) and length of a file, read once from start to end.
pub fn hash_file(path: &Path) -> Result<(String, u64)> {
    let mut file = fsx::open_to_read(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut length = 0;
    loop {
        interrupt::check()?;
        let count = file.read(&mut buffer).on("read", path)?;
        if count == 0 {
            return Ok((fsx::hex(&hash.finalize()), length));
        }
        hash.update(&buffer[..count]);
        length += count as u64;
    }
}
