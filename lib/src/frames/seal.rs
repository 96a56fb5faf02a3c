//! Writing a component: plain bytes in, a file of frames and its index out.

mod increment;
mod output;
mod trail;
mod whole;

use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use self::increment::Increment;
use self::output::{Output, Written};
use self::whole::Whole;
use super::base::Base;
use super::cut::Cut;
use super::index::Index;
use super::open::{self, Expected, Reader};
use super::{ChunkHash, FRAME_PLAIN_BYTES, Hashed, chunk_hash};
use crate::compression::Compression;
use crate::error::{Error, Result};
use crate::interrupt;

/// Takes a plain stream and writes its file. Dropped unfinished, it leaves a file that means nothing.
pub struct Sealer {
    pending: Vec<u8>,
    ends: Vec<End>,
    kind: Kind,
    index: Index,
    out: Output,
}

/// What goes into the component's own file.
enum Kind {
    Whole(Whole),
    Increment(Box<Increment>),
}

/// Some bytes of the stream, and where its chunks end.
struct Block {
    bytes: Vec<u8>,
    ends: Vec<End>,
}

/// Where a chunk ends within its block, and its name where that is known.
#[derive(Clone, Copy)]
struct End {
    at: u32,
    name: Option<ChunkHash>,
}

impl Block {
    /// The name and length of each chunk.
    fn chunks(&self) -> impl Iterator<Item = (ChunkHash, u32)> {
        self.ends.iter().scan(0, |begin, end| {
            let from = std::mem::replace(begin, end.at);
            let name = end.name.unwrap_or_else(|| chunk_hash(&self.bytes[from as usize..end.at as usize]));
            Some((name, end.at - from))
        })
    }
}

impl Sealer {
    /// Begins a component's file, which must not exist yet. With a base, which must [fit](Base::fits) the cut, what that knows
    /// is not stored again.
    pub fn create(path: &Path, cut: Cut, compression: Compression, base: Option<Arc<Base>>) -> Result<Self> {
        let cut = cut.check()?;
        let read_back = base.is_none().then_some(compression);
        let kind = match base {
            None => Kind::Whole(Whole::start(compression)?),
            Some(base) => Kind::Increment(Box::new(Increment::start(base, compression)?)),
        };
        Ok(Sealer {
            pending: Vec::with_capacity(FRAME_PLAIN_BYTES + cut.chunk_max()),
            ends: Vec::new(),
            kind,
            index: Index {
                codec: compression,
                cut,
                plain_bytes: 0,
                sources: Vec::new(),
                frames: Vec::new(),
                chunks: Vec::new(),
                dictionaries: Vec::new(),
            },
            out: Output::create(path, read_back)?,
        })
    }

    /// Plain bytes taken so far.
    pub fn plain_bytes(&self) -> u64 {
        self.index.plain_bytes
    }

    /// Takes a part of the plain stream.
    pub fn add(&mut self, mut bytes: &[u8]) -> Result<()> {
        let pending_max = FRAME_PLAIN_BYTES + self.index.cut.chunk_max();
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(pending_max - self.pending.len()));
            self.pending.extend_from_slice(now);
            self.index.plain_bytes += now.len() as u64;
            self.cut_pending(false)?;
            bytes = later;
        }
        Ok(())
    }

    /// Takes bytes as one chunk of their own, where the cut allows one of their length.
    pub fn add_chunk(&mut self, chunk: &Hashed) -> Result<()> {
        let bytes = chunk.bytes();
        if bytes.is_empty() || bytes.len() > self.index.cut.chunk_max() || !self.index.cut.is_by_content() {
            return self.add(bytes);
        }
        self.cut_here()?;
        self.pending.extend_from_slice(bytes);
        self.index.plain_bytes += bytes.len() as u64;
        self.end_chunk(self.pending.len(), Some(chunk.name))
    }

    /// Ends a chunk here, so that what follows is cut the same whatever stands before it.
    pub fn cut_here(&mut self) -> Result<()> {
        self.cut_pending(true)
    }

    /// Takes this run of the base's plain stream, by reference: nothing of it is read. False, and nothing is taken, where
    /// there is no base, or where no chunk of it begins or ends there.
    pub fn repeat(&mut self, run: Range<u64>) -> Result<bool> {
        let Kind::Increment(increment) = &self.kind else { return Ok(false) };
        let Some(numbers) = increment.chunks_of(run.clone()) else { return Ok(false) };
        self.send_all()?;
        if let Kind::Increment(increment) = &mut self.kind {
            increment.repeat(numbers, &mut self.index.chunks, &mut self.out)?;
            self.index.plain_bytes += run.end - run.start;
        }
        Ok(true)
    }

    /// Whether all that is known of the stream so far is the beginning of the base's; false without a base.
    pub fn repeats_base(&self) -> bool {
        matches!(&self.kind, Kind::Increment(increment) if increment.repeats_base())
    }

    /// Whether the stream, which ends here, is the base's from its beginning to its end.
    pub fn is_whole_base(&mut self) -> Result<bool> {
        self.send_all()?;
        let Kind::Increment(increment) = &mut self.kind else { return Ok(false) };
        increment.is_whole_base(&mut self.index.chunks, &mut self.out)
    }

    /// Ends a chunk here, as [`Sealer::cut_here`] does, and writes out all that was taken. As far as it is brought to the disk and read
    /// back on the way at all, that goes on while nothing more comes.
    pub fn settle(&mut self) -> Result<()> {
        self.send_all()?;
        match &mut self.kind {
            Kind::Whole(whole) => whole.settle(&mut self.index.chunks, &mut self.out)?,
            Kind::Increment(increment) => increment.settle(&mut self.index.chunks, &mut self.out)?,
        }
        self.out.settle();
        Ok(())
    }

    /// Ends the stream: writes out what is left and syncs the file.
    pub fn finish(mut self) -> Result<Unread> {
        self.send_all()?;
        // Nothing is an empty frame, so that its file is one that gunzip takes.
        if matches!(self.kind, Kind::Whole(_)) && self.index.plain_bytes == 0 && self.index.codec != Compression::None {
            self.send(Vec::new())?;
        }
        let Sealer { kind, mut index, mut out, .. } = self;
        match kind {
            Kind::Whole(mut whole) => whole.settle(&mut index.chunks, &mut out)?,
            Kind::Increment(increment) => index.sources = increment.finish(&mut index.chunks, &mut out)?,
        }
        index.frames = std::mem::take(&mut out.frames);
        index.dictionaries = std::mem::take(&mut out.dictionaries);
        Ok(Unread { written: out.finish()?, index: Arc::new(index) })
    }

    fn cut_pending(&mut self, at_end: bool) -> Result<()> {
        loop {
            let begin = self.ends.last().map_or(0, |end| end.at as usize);
            let Some(length) = self.index.cut.next(&self.pending[begin..], at_end) else { return Ok(()) };
            self.end_chunk(begin + length, None)?;
        }
    }

    /// Ends a chunk within what is pending, and sends all chunks on their way where they are a frame now.
    fn end_chunk(&mut self, end: usize, name: Option<ChunkHash>) -> Result<()> {
        self.ends.push(End { at: u32::try_from(end).unwrap_or(u32::MAX), name });
        if end < FRAME_PLAIN_BYTES {
            return Ok(());
        }
        let mut next = self.memory();
        next.extend_from_slice(&self.pending[end..]);
        let mut block = std::mem::replace(&mut self.pending, next);
        block.truncate(end);
        self.send(block)
    }

    /// Cuts what is pending, and sends it on its way.
    fn send_all(&mut self) -> Result<()> {
        self.cut_here()?;
        if self.pending.is_empty() {
            return Ok(());
        }
        let next = self.memory();
        let rest = std::mem::replace(&mut self.pending, next);
        self.send(rest)
    }

    /// Empty memory that a block had that is done.
    fn memory(&mut self) -> Vec<u8> {
        match &mut self.kind {
            Kind::Whole(whole) => whole.memory(),
            Kind::Increment(increment) => increment.memory(),
        }
    }

    /// Sends the chunks that are cut on their way.
    fn send(&mut self, bytes: Vec<u8>) -> Result<()> {
        interrupt::check()?;
        let block = Block { bytes, ends: std::mem::take(&mut self.ends) };
        match &mut self.kind {
            Kind::Whole(whole) => whole.take(block, &mut self.index.chunks, &mut self.out),
            Kind::Increment(increment) => increment.take(block, &mut self.index.chunks, &mut self.out),
        }
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

/// A component whose file is written and synced, and not proven yet: [`Unread::read_back`] is the only way on.
pub struct Unread {
    written: Written,
    index: Arc<Index>,
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
    /// Reads back what was not read back on the way, past the page cache where the system can. A full's frames are decompressed, and
    /// each compared with the checksum (CRC-32) of the plain bytes that went into it. An increment's were unpacked and compared before
    /// they were written, so there it is enough that the file is what was written.
    pub fn read_back(self) -> Result<Sealed> {
        let Unread { written: Written { path, stored_sha256, checks, proven }, index } = self;
        if !index.sources.is_empty() {
            if open::hash_file(&path)?.0 != stored_sha256 {
                return Err(Error::bad(format!("{} does not hold what was written into it", path.display())));
            }
        } else {
            let mut reader = Reader::open(&path, Arc::clone(&index), Expected::Checks { checks, proven })?;
            while let Some(frame) = reader.next_frame()? {
                interrupt::check()?;
                reader.reuse(frame);
            }
        }
        Ok(Sealed { index, stored_sha256 })
    }
}
