//! A component that refers to no other backup: its frames, one after the other.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{Expected, damaged_frame};
use crate::error::{Error, OnPath, Result};
use crate::frames::codec::Decoder;
use crate::frames::index::{Frame, Index};
use crate::frames::ordered::Ordered;
use crate::frames::{chunk_hash, workers};
use crate::fsx;

/// So far ahead of the decompression the disk is asked to read.
const READ_AHEAD_BYTES: u64 = 16 << 20;

/// What a worker compares a frame's plain bytes with.
enum Compare {
    Nothing,
    Chunks,
    Checks(Vec<u32>),
}

/// A component's plain stream, decompressed on all cores. An error is located to its frame; the end is an error where
/// the file as a whole is not what it should be.
pub(super) struct Whole {
    path: PathBuf,
    file: File,
    index: Arc<Index>,
    unpacking: Ordered<Stored, Unpacked>,
    spare_stored: Vec<Vec<u8>>,
    spare_plain: Vec<Vec<u8>>,
    next: usize,
    asked_for: u64,
    delivered: usize,
    stored: Option<(Sha256, String)>,
    ended: bool,
}

/// A frame on its way to a worker, with memory for what comes of it.
struct Stored {
    bytes: Vec<u8>,
    number: usize,
    chunks: std::ops::Range<usize>,
    plain: Vec<u8>,
}

/// A frame on its way back.
struct Unpacked {
    plain: Vec<u8>,
    stored: Vec<u8>,
}

impl Whole {
    /// Opens a component that refers to no other backup. Nothing is read yet.
    pub(super) fn open(path: &Path, index: Arc<Index>, expected: Expected) -> Result<Self> {
        if !index.sources.is_empty() {
            return Err(Error::failed(format!("{} is to be read through the backups that it refers to", path.display())));
        }
        let mut file = fsx::open_to_read(path)?;
        let size = file.metadata().on("look at", path)?.len();
        if size != index.stored_bytes() {
            return Err(Error::bad(format!("{} has {size} bytes, its index says {}", path.display(), index.stored_bytes())));
        }
        let (stored, compare, first) = match expected {
            Expected::File { stored_sha256 } => (Some((Sha256::new(), stored_sha256)), Compare::Nothing, 0),
            Expected::Chunks { stored_sha256 } => (Some((Sha256::new(), stored_sha256)), Compare::Chunks, 0),
            Expected::Index => (None, Compare::Chunks, 0),
            Expected::Checks { checks, proven } if checks.len() == index.frames.len() => (None, Compare::Checks(checks), proven),
            Expected::Checks { .. } => {
                return Err(Error::failed(format!("{} has another number of frames than were written", path.display())));
            }
        };
        let begin = index.frames.get(first).map_or(size, |frame| frame.stored_offset);
        file.seek(SeekFrom::Start(begin)).on("read", path)?;
        let compare = Arc::new(compare);
        // Most backups have few frames, and threads that find nothing to do are not for nothing.
        let frames_left = index.frames.len().saturating_sub(first);
        let unpacking = Ordered::start(workers().min(frames_left), || {
            let mut decoder = Decoder::new(index.codec)?;
            let index = Arc::clone(&index);
            let compare = Arc::clone(&compare);
            Ok(move |frame: Stored| unpack(&mut decoder, &index, &compare, frame))
        })?;
        Ok(Whole {
            path: path.to_owned(),
            file,
            index,
            unpacking,
            spare_stored: Vec::new(),
            spare_plain: Vec::new(),
            next: first,
            asked_for: begin,
            delivered: first,
            stored,
            ended: false,
        })
    }

    /// The next frame's plain bytes; none at the end, once the file as a whole was found to be as it should.
    pub(super) fn next_frame(&mut self) -> Result<Option<Vec<u8>>> {
        while self.unpacking.has_room() && self.next < self.index.frames.len() {
            self.read_ahead()?;
        }
        match self.unpacking.take() {
            Some(unpacked) => {
                let number = self.delivered;
                self.delivered += 1;
                let Unpacked { plain, stored } = unpacked.map_err(|error| damaged_frame(&self.path, &self.index.frames, number, &error))?;
                self.spare_stored.push(stored);
                Ok(Some(plain))
            }
            None if self.ended => Ok(None),
            None => {
                self.ended = true;
                self.check_end()?;
                Ok(None)
            }
        }
    }

    /// Gives a frame's memory back, to be used for a later one.
    pub(super) fn reuse(&mut self, frame: Vec<u8>) {
        self.spare_plain.push(frame);
    }

    fn read_ahead(&mut self) -> Result<()> {
        let number = self.next;
        let frame: Frame = self.index.frames[number];
        let wanted = (frame.stored_offset + READ_AHEAD_BYTES).min(self.index.stored_bytes());
        if wanted >= self.asked_for + READ_AHEAD_BYTES / 2 || self.asked_for == frame.stored_offset {
            fsx::read_ahead(&self.file, self.asked_for, wanted - self.asked_for);
            self.asked_for = wanted;
        }
        let mut bytes = self.spare_stored.pop().unwrap_or_default();
        bytes.resize(frame.stored_bytes as usize, 0);
        self.file.read_exact(&mut bytes).on("read", &self.path)?;
        if let Some((hash, _)) = &mut self.stored {
            hash.update(&bytes);
        }
        let first = if number == 0 { 0 } else { self.index.chunks.partition_point(|chunk| (chunk.place as usize) < number) };
        let count = self.index.chunks[first..].iter().take_while(|chunk| chunk.place as usize == number).count();
        self.next += 1;
        let plain = self.spare_plain.pop().unwrap_or_default();
        self.unpacking.give(Stored { bytes, number, chunks: first..first + count, plain });
        Ok(())
    }

    fn check_end(&mut self) -> Result<()> {
        if let Some((hash, expected)) = self.stored.take()
            && fsx::hex(&hash.finalize()) != expected
        {
            return Err(Error::bad(format!("{} is not the file that its manifest describes", self.path.display())));
        }
        Ok(())
    }
}

fn unpack(decoder: &mut Decoder, index: &Index, compare: &Compare, frame: Stored) -> Result<Unpacked> {
    let Stored { bytes: stored, number, chunks, mut plain } = frame;
    decoder.decode(&stored, index.frames[number].plain_bytes as usize, &mut plain)?;
    match compare {
        Compare::Nothing => {}
        Compare::Checks(checks) => {
            if checks.get(number) != Some(&libdeflater::crc32(&plain)) {
                return Err(Error::bad("it does not hold what was written into it"));
            }
        }
        Compare::Chunks => {
            let mut begin = 0;
            for chunk in &index.chunks[chunks] {
                let end = begin + chunk.bytes as usize;
                if chunk_hash(&plain[begin..end]) != chunk.hash {
                    return Err(Error::bad("a chunk does not match its hash"));
                }
                begin = end;
            }
        }
    }
    Ok(Unpacked { plain, stored })
}
