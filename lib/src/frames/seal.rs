//! Writing a component: plain bytes in, a file of frames and its index out.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

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
    plain_hash: PlainHash,
    stored_hash: Sha256,
    stored_bytes: u64,
    writeback_from: u64,
    index: Index,
    checks: Vec<u32>,
}

/// A frame on its way to a worker.
struct Plain {
    bytes: Arc<Vec<u8>>,
    chunk_ends: Vec<u32>,
}

/// A frame on its way back.
struct Packed {
    stored: Vec<u8>,
    plain_bytes: u32,
    chunks: Vec<(ChunkHash, u32)>,
    check: u32,
}

impl Sealer {
    /// Begins a component's file, which must not exist yet.
    pub fn create(path: &Path, cut: Cut, compression: Compression) -> Result<Self> {
        let cut = cut.check()?;
        let packing = Ordered::start(workers(), || {
            let mut encoder = Encoder::new(compression)?;
            Ok(move |frame: Plain| pack(&mut encoder, &frame))
        })?;
        Ok(Sealer {
            path: path.to_owned(),
            file: fsx::create_private_file(path)?,
            cut,
            pending: Vec::with_capacity(FRAME_PLAIN_BYTES + cut.chunk_max()),
            chunk_ends: Vec::new(),
            packing,
            plain_hash: PlainHash::start(),
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

    /// Ends the stream: writes out what is left and syncs the file.
    pub fn finish(mut self) -> Result<Unread> {
        self.cut_pending(true)?;
        if !self.pending.is_empty() || (self.index.plain_bytes == 0 && self.index.codec != Compression::None) {
            let rest = std::mem::take(&mut self.pending);
            self.send_frame(rest)?;
        }
        while self.settle_one()? {}
        fsx::sync_file(&self.file, &self.path)?;
        fsx::drop_cache(&self.file, 0, self.stored_bytes);
        Ok(Unread {
            path: self.path,
            stored_sha256: fsx::hex(&self.stored_hash.finalize()),
            plain_sha256: self.plain_hash.finish()?,
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
                let rest = self.pending.split_off(end);
                let mut frame = std::mem::replace(&mut self.pending, Vec::with_capacity(FRAME_PLAIN_BYTES + self.cut.chunk_max()));
                self.pending.extend_from_slice(&rest);
                frame.truncate(end);
                self.send_frame(frame)?;
            }
        }
    }

    fn send_frame(&mut self, bytes: Vec<u8>) -> Result<()> {
        interrupt::check()?;
        while !self.packing.has_room() {
            self.settle_one()?;
        }
        let bytes = Arc::new(bytes);
        self.plain_hash.add(Arc::clone(&bytes));
        self.packing.give(Plain { bytes, chunk_ends: std::mem::take(&mut self.chunk_ends) })
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
            plain_bytes: packed.plain_bytes,
            dictionary_start: 0,
            dictionary_chunks: 0,
        });
        self.index.chunks.extend(packed.chunks.into_iter().map(|(hash, bytes)| Chunk { hash, bytes, source: 0, place }));
        self.checks.push(packed.check);
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

fn pack(encoder: &mut Encoder, frame: &Plain) -> Result<Packed> {
    let mut chunks = Vec::with_capacity(frame.chunk_ends.len());
    let mut begin = 0;
    for end in &frame.chunk_ends {
        let end = *end as usize;
        chunks.push((chunk_hash(&frame.bytes[begin..end]), u32::try_from(end - begin).unwrap_or(u32::MAX)));
        begin = end;
    }
    Ok(Packed {
        stored: encoder.encode(&frame.bytes)?,
        plain_bytes: u32::try_from(frame.bytes.len()).unwrap_or(u32::MAX),
        chunks,
        check: libdeflater::crc32(&frame.bytes),
    })
}

/// The hash of the whole plain stream, which is sequential by nature and so has a thread of its own.
struct PlainHash {
    frames: SyncSender<Arc<Vec<u8>>>,
    thread: JoinHandle<Sha256>,
}

impl PlainHash {
    fn start() -> Self {
        let (frames, queue) = sync_channel::<Arc<Vec<u8>>>(4);
        let thread = std::thread::spawn(move || queue.iter().fold(Sha256::new(), |hash, frame| hash.chain_update(&*frame)));
        PlainHash { frames, thread }
    }

    fn add(&self, frame: Arc<Vec<u8>>) {
        // A dead thread shows when it is joined.
        let _ = self.frames.send(frame);
    }

    fn finish(self) -> Result<String> {
        drop(self.frames);
        let hash = self.thread.join().map_err(|_| Error::failed("the hashing thread died"))?;
        Ok(fsx::hex(&hash.finalize()))
    }
}

/// A component whose file is written and synced, and not proven yet: [`Unread::read_back`] is the only way on.
pub struct Unread {
    path: PathBuf,
    index: Arc<Index>,
    checks: Vec<u32>,
    stored_sha256: String,
    plain_sha256: String,
}

/// A component whose file was read back from the disk, decompressed and found to hold what went in.
#[derive(Debug)]
pub struct Sealed {
    /// Where each chunk is.
    pub index: Arc<Index>,
    /// SHA-256 (hex) of the file.
    pub stored_sha256: String,
    /// SHA-256 (hex) of the plain stream.
    pub plain_sha256: String,
}

impl Unread {
    /// Reads the file back, past the page cache where the system can, decompresses every frame and compares it with the
    /// checksum (CRC-32) of the plain bytes that went into it.
    pub fn read_back(self) -> Result<Sealed> {
        let mut reader = Reader::open(&self.path, Arc::clone(&self.index), Expected::Checks(self.checks))?;
        while reader.next_frame()?.is_some() {
            interrupt::check()?;
        }
        Ok(Sealed { index: self.index, stored_sha256: self.stored_sha256, plain_sha256: self.plain_sha256 })
    }
}
