//! Writing a component: plain bytes in, a file of frames and its index out.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::codec::Encoder;
use super::cut::Cut;
use super::index::{Chunk, Frame, Index};
use super::open::{Expected, Reader};
use super::ordered::Ordered;
use super::{ChunkHash, FRAME_PLAIN_BYTES, chunk_hash, workers};
use crate::compression::Compression;
use crate::error::{Error, OnPath, Result};
use crate::fsx;
use crate::interrupt;

/// After this many bytes the kernel is asked to begin writing, so that the sync at the end has little left to wait for.
const WRITEBACK_BYTES: u64 = 8 << 20;

/// Takes a plain stream and writes its file. Dropped unfinished, it leaves a file that means nothing.
pub struct Sealer {
    path: PathBuf,
    file: File,
    cut: Cut,
    pending: Vec<u8>,
    chunk_ends: Vec<u32>,
    packing: Ordered<Plain, Packed>,
    spare: Vec<Spare>,
    stored_hash: Sha256,
    stored_bytes: u64,
    writeback_from: u64,
    index: Index,
    checks: Vec<u32>,
}

/// A frame on its way to a worker, with memory for what comes of it.
struct Plain {
    bytes: Vec<u8>,
    chunk_ends: Vec<u32>,
    stored: Vec<u8>,
}

/// A frame on its way back.
struct Packed {
    plain: Vec<u8>,
    stored: Vec<u8>,
    chunks: Vec<(ChunkHash, u32)>,
    check: u32,
}

/// The memory of a frame that is done, to be used for a later one.
#[derive(Default)]
struct Spare {
    plain: Vec<u8>,
    stored: Vec<u8>,
}

impl Sealer {
    /// Begins a component's file, which must not exist yet.
    pub fn create(path: &Path, cut: Cut, compression: Compression) -> Result<Self> {
        let cut = cut.check()?;
        let packing = Ordered::start(workers(), || {
            let mut encoder = Encoder::new(compression)?;
            Ok(move |frame: Plain| pack(&mut encoder, frame))
        })?;
        Ok(Sealer {
            path: path.to_owned(),
            file: fsx::create_private_file(path)?,
            cut,
            pending: Vec::with_capacity(FRAME_PLAIN_BYTES + cut.chunk_max()),
            chunk_ends: Vec::new(),
            packing,
            spare: Vec::new(),
            stored_hash: Sha256::new(),
            stored_bytes: 0,
            writeback_from: 0,
            index: Index {
                codec: compression,
                cut,
                plain_bytes: 0,
                sources: Vec::new(),
                frames: Vec::new(),
                chunks: Vec::new(),
                dictionaries: Vec::new(),
            },
            checks: Vec::new(),
        })
    }

    /// Plain bytes taken so far.
    pub fn plain_bytes(&self) -> u64 {
        self.index.plain_bytes
    }

    /// Takes a part of the plain stream.
    pub fn add(&mut self, mut bytes: &[u8]) -> Result<()> {
        let pending_max = FRAME_PLAIN_BYTES + self.cut.chunk_max();
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(pending_max - self.pending.len()));
            self.pending.extend_from_slice(now);
            self.index.plain_bytes += now.len() as u64;
            self.cut_pending(false)?;
            bytes = later;
        }
        Ok(())
    }

    /// Ends a chunk here, so that what follows is cut the same whatever stands before it.
    pub fn cut_here(&mut self) -> Result<()> {
        self.cut_pending(true)
    }

    /// Takes a run of the base's plain stream by reference, as what follows in this one. False where there is no base: then its
    /// bytes have to be added.
    pub fn repeat(&mut self, _run: std::ops::Range<u64>) -> Result<bool> {
        Ok(false)
    }

    /// Ends the stream: writes out what is left and syncs the file.
    pub fn finish(mut self) -> Result<Unread> {
        self.cut_pending(true)?;
        if !self.pending.is_empty() || (self.index.plain_bytes == 0 && self.index.codec != Compression::None) {
            let rest = std::mem::take(&mut self.pending);
            self.send_frame(rest, Vec::new())?;
        }
        while self.settle_one()? {}
        fsx::sync_file(&self.file, &self.path)?;
        fsx::drop_cache(&self.file, 0, self.stored_bytes);
        Ok(Unread {
            path: self.path,
            stored_sha256: fsx::hex(&self.stored_hash.finalize()),
            index: Arc::new(self.index),
            checks: self.checks,
        })
    }

    fn cut_pending(&mut self, at_end: bool) -> Result<()> {
        loop {
            let begin = self.chunk_ends.last().map_or(0, |end| *end as usize);
            let Some(length) = self.cut.next(&self.pending[begin..], at_end) else { return Ok(()) };
            let end = begin + length;
            self.chunk_ends.push(u32::try_from(end).unwrap_or(u32::MAX));
            if end >= FRAME_PLAIN_BYTES {
                let mut spare = self.spare.pop().unwrap_or_default();
                spare.plain.clear();
                spare.plain.extend_from_slice(&self.pending[end..]);
                let mut frame = std::mem::replace(&mut self.pending, spare.plain);
                frame.truncate(end);
                self.send_frame(frame, spare.stored)?;
            }
        }
    }

    fn send_frame(&mut self, bytes: Vec<u8>, stored: Vec<u8>) -> Result<()> {
        interrupt::check()?;
        while !self.packing.has_room() {
            self.settle_one()?;
        }
        self.packing.give(Plain { bytes, chunk_ends: std::mem::take(&mut self.chunk_ends), stored })
    }

    /// Writes the next packed frame to the file; false where none is under way.
    fn settle_one(&mut self) -> Result<bool> {
        let Some(packed) = self.packing.take() else { return Ok(false) };
        let packed = packed?;
        fsx::step().and_then(|()| self.file.write_all(&packed.stored)).on("write", &self.path)?;
        self.stored_hash.update(&packed.stored);
        let too_long = |_| Error::failed(format!("{} has too many frames", self.path.display()));
        let place = u32::try_from(self.index.frames.len()).map_err(too_long)?;
        let stored_bytes = u32::try_from(packed.stored.len()).map_err(too_long)?;
        self.index.frames.push(Frame {
            stored_offset: self.stored_bytes,
            stored_bytes,
            plain_bytes: u32::try_from(packed.plain.len()).map_err(too_long)?,
            dictionary_start: 0,
            dictionary_chunks: 0,
        });
        self.index.chunks.extend(packed.chunks.into_iter().map(|(hash, bytes)| Chunk { hash, bytes, source: 0, place }));
        self.checks.push(packed.check);
        self.spare.push(Spare { plain: packed.plain, stored: packed.stored });
        self.stored_bytes += u64::from(stored_bytes);
        if self.stored_bytes - self.writeback_from >= WRITEBACK_BYTES {
            fsx::start_writeback(&self.file, self.writeback_from, self.stored_bytes - self.writeback_from);
            self.writeback_from = self.stored_bytes;
        }
        Ok(true)
    }
}

impl Write for Sealer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.add(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn pack(encoder: &mut Encoder, frame: Plain) -> Result<Packed> {
    let Plain { bytes: plain, chunk_ends, mut stored } = frame;
    let mut chunks = Vec::with_capacity(chunk_ends.len());
    let mut begin = 0;
    for end in &chunk_ends {
        let end = *end as usize;
        chunks.push((chunk_hash(&plain[begin..end]), u32::try_from(end - begin).unwrap_or(u32::MAX)));
        begin = end;
    }
    encoder.encode(&plain, &mut stored)?;
    let check = libdeflater::crc32(&plain);
    Ok(Packed { plain, stored, chunks, check })
}

/// A component whose file is written and synced, and not proven yet: [`Unread::read_back`] is the only way on.
pub struct Unread {
    path: PathBuf,
    index: Arc<Index>,
    checks: Vec<u32>,
    stored_sha256: String,
}

/// A component whose file was read back from the disk, decompressed and found to hold what went in.
#[derive(Debug)]
pub struct Sealed {
    /// Where each chunk is.
    pub index: Arc<Index>,
    /// SHA-256 (hex) of the file.
    pub stored_sha256: String,
}

impl Unread {
    /// Reads the file back, past the page cache where the system can, decompresses every frame and compares it with the
    /// checksum (CRC-32) of the plain bytes that went into it.
    pub fn read_back(self) -> Result<Sealed> {
        let mut reader = Reader::open(&self.path, Arc::clone(&self.index), Expected::Checks(self.checks))?;
        while let Some(frame) = reader.next_frame()? {
            interrupt::check()?;
            reader.reuse(frame);
        }
        Ok(Sealed { index: self.index, stored_sha256: self.stored_sha256 })
    }
}
