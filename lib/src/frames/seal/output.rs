//! The file of a component that is being written: packed frames, one after the other.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::trail::{Trail, Window};
use crate::compression::Compression;
use crate::error::{Error, OnPath, Result};
use crate::frames::index::Frame;
use crate::fsx;

/// After this many bytes what was written is brought to the disk, so that the sync at the end has little left to wait for; a full's
/// frames are read back.
const WRITEBACK_BYTES: u64 = 8 << 20;

/// A frame on its way into the file.
#[derive(Default)]
pub(super) struct Packed {
    /// What it holds. Its memory, as that of `stored`, is used again.
    pub(super) plain: Vec<u8>,
    /// What is written.
    pub(super) stored: Vec<u8>,
    /// CRC-32 of `plain`, for the reading back of a full. An increment's frame has been unpacked and compared by now: 0.
    pub(super) check: u32,
    /// The chunks of the full that it is compressed against.
    pub(super) dictionary: Vec<u32>,
}

pub(super) struct Output {
    path: PathBuf,
    file: File,
    hash: Sha256,
    bytes: u64,
    writeback_from: u64,
    pub(super) frames: Vec<Frame>,
    pub(super) dictionaries: Vec<u32>,
    checks: Vec<u32>,
    /// How the frames are read back on the way; none of an increment's, which were unpacked before they were written.
    read_back: Option<Compression>,
    trail: Option<Trail>,
    trailed: usize,
}

/// A file that is whole and synced.
pub(super) struct Written {
    pub(super) path: PathBuf,
    /// SHA-256 (hex) of the file.
    pub(super) stored_sha256: String,
    /// Each frame's check.
    pub(super) checks: Vec<u32>,
    /// So many frames, from the first on, were read back from the disk, and hold what went into them.
    pub(super) proven: usize,
}

impl Output {
    /// Begins the file, which must not exist yet. With a compression its frames are read back while more are written.
    pub(super) fn create(path: &Path, read_back: Option<Compression>) -> Result<Self> {
        Ok(Output {
            path: path.to_owned(),
            file: fsx::create_private_file(path)?,
            hash: Sha256::new(),
            bytes: 0,
            writeback_from: 0,
            frames: Vec::new(),
            dictionaries: Vec::new(),
            checks: Vec::new(),
            read_back,
            trail: None,
            trailed: 0,
        })
    }

    pub(super) fn write(&mut self, packed: &Packed) -> Result<()> {
        fsx::step().and_then(|()| self.file.write_all(&packed.stored)).on("write", &self.path)?;
        self.hash.update(&packed.stored);
        let too_long = |_| Error::failed(format!("{} has too many frames", self.path.display()));
        let stored_bytes = u32::try_from(packed.stored.len()).map_err(too_long)?;
        self.frames.push(Frame {
            stored_offset: self.bytes,
            stored_bytes,
            plain_bytes: u32::try_from(packed.plain.len()).map_err(too_long)?,
            dictionary_start: if packed.dictionary.is_empty() { 0 } else { u32::try_from(self.dictionaries.len()).map_err(too_long)? },
            dictionary_chunks: u32::try_from(packed.dictionary.len()).map_err(too_long)?,
        });
        self.dictionaries.extend_from_slice(&packed.dictionary);
        self.checks.push(packed.check);
        self.bytes += u64::from(stored_bytes);
        if self.bytes - self.writeback_from >= WRITEBACK_BYTES {
            if let Some(compression) = self.read_back.take() {
                self.trail = Trail::start(&self.path, compression);
            }
            self.write_back(false);
        }
        Ok(())
    }

    /// What was written is, to all appearance, all: it is on its way to the disk, and read back from there up to its last byte where
    /// there is somebody who does so.
    pub(super) fn settle(&mut self) {
        self.write_back(true);
    }

    /// What was written since the last time is on its way to the disk, and read back from there beside what follows where there is
    /// somebody who does so.
    fn write_back(&mut self, is_all: bool) {
        let is_followed = self.trail.as_ref().is_some_and(|trail| {
            let new = self.frames[self.trailed..].iter().copied().zip(self.checks[self.trailed..].iter().copied());
            trail.follow(Window { frames: new.collect(), is_all })
        });
        // To ask the disk takes time, which the trail has and we have not.
        if !is_followed {
            fsx::start_writeback(&self.file, self.writeback_from, self.bytes - self.writeback_from);
        }
        self.trailed = self.frames.len();
        self.writeback_from = self.bytes;
    }

    /// Syncs the file.
    pub(super) fn finish(self) -> Result<Written> {
        let proven = self.trail.map_or(0, Trail::proven);
        fsx::sync_file(&self.file, &self.path)?;
        fsx::drop_cache(&self.file, 0, self.bytes);
        Ok(Written { path: self.path, stored_sha256: fsx::hex(&self.hash.finalize()), checks: self.checks, proven })
    }
}
