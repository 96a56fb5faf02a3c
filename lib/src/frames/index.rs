//! The index of a component: for every chunk its hash and where its bytes are.
//!
//! All numbers are little-endian. A 64-byte header, then the sources (ids of other backups that chunks lie in), the
//! frames of this component's own file, in an increment the runs of chunks that lie in one place, the chunks of this
//! file in stream order, the dictionaries of delta frames, and the SHA-256 of all of that.
//!
//! What a file holds is an [`Outline`]: of a chunk that lies elsewhere it says only where. [`Outline::resolve`] makes an [`Index`]
//! of it, with every chunk's hash.

mod outline;

pub use outline::Outline;

use sha2::{Digest, Sha256};

use super::ChunkHash;
use super::cut::Cut;
use crate::compression::Compression;
use crate::error::{Error, Result};

const MAGIC: &[u8; 8] = b"HOLDFIDX";
/// Of a component that refers to nothing.
const VERSION_WHOLE: u16 = 1;
/// Of one that refers to others, and has runs.
const VERSION_INCREMENT: u16 = 2;
const HEADER_BYTES: usize = 64;
const SOURCE_BYTES: usize = 96;
const FRAME_BYTES: usize = 32;
const RUN_BYTES: usize = 12;
const CHUNK_BYTES: usize = 32;
const DICTIONARY_BYTES: usize = 4;
const SEAL_BYTES: usize = 32;

/// A component's index in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// How the frames are compressed; the level is not kept.
    pub codec: Compression,
    /// How the stream was cut.
    pub cut: Cut,
    /// Length of the plain stream.
    pub plain_bytes: u64,
    /// Ids of other backups in which chunks lie; a chunk's source n is the n-th of them, counted from 1.
    pub sources: Vec<String>,
    /// The frames of this component's file, in its order.
    pub frames: Vec<Frame>,
    /// The chunks, in the order of the plain stream.
    pub chunks: Vec<Chunk>,
    /// Chunk numbers, in the first source's index, that make up the dictionaries of delta frames.
    pub dictionaries: Vec<u32>,
}

/// A frame: a run of the component's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Where it begins in the file.
    pub stored_offset: u64,
    /// How long it is in the file.
    pub stored_bytes: u32,
    /// How long it is decompressed.
    pub plain_bytes: u32,
    /// Where its dictionary begins in [`Index::dictionaries`].
    pub dictionary_start: u32,
    /// How many chunks its dictionary has; none in a full backup.
    pub dictionary_chunks: u32,
}

/// A chunk: a run of the plain stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// Its name.
    pub hash: ChunkHash,
    /// Its length.
    pub bytes: u32,
    /// 0: in this backup; n: in the n-th of [`Index::sources`].
    pub source: u16,
    /// In this backup: the number of its frame, in which its own chunks follow each other. Elsewhere: its number among
    /// the chunks of the source's index of the same component, which must lie in that backup itself.
    pub place: u32,
}

/// A run of chunks that follow each other here and where they lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    /// 0: this component's own file.
    source: u16,
    chunks: u32,
    /// The first one's number among the chunks of its source; 0 for the own file, whose chunks follow each other.
    place: u32,
}

impl Index {
    /// The file's bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let too_many = |_| Error::failed("a component has too many frames or chunks for one index");
        let is_whole = self.sources.is_empty();
        let runs = if is_whole { Vec::new() } else { self.runs() };
        let own = self.chunks.iter().filter(|chunk| chunk.source == 0);
        let own_chunks = own.clone().count();
        let size = HEADER_BYTES
            + self.sources.len() * SOURCE_BYTES
            + self.frames.len() * FRAME_BYTES
            + runs.len() * RUN_BYTES
            + own_chunks * CHUNK_BYTES
            + self.dictionaries.len() * DICTIONARY_BYTES
            + SEAL_BYTES;
        let mut out = Vec::with_capacity(size);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&(if is_whole { VERSION_WHOLE } else { VERSION_INCREMENT }).to_le_bytes());
        out.push(match self.codec {
            Compression::None => 0,
            Compression::Gzip(_) => 1,
            Compression::Zstd(_) => 2,
        });
        let (cut, cut_size) = match self.cut {
            Cut::Fixed(size) => (0, size),
            Cut::Content(size) => (1, size),
        };
        out.push(cut);
        out.extend_from_slice(&cut_size.to_le_bytes());
        out.extend_from_slice(&self.plain_bytes.to_le_bytes());
        for count in [self.chunks.len(), self.frames.len(), self.sources.len(), self.dictionaries.len(), runs.len()] {
            out.extend_from_slice(&u32::try_from(count).map_err(too_many)?.to_le_bytes());
        }
        let own_count = if is_whole { 0 } else { own_chunks };
        out.extend_from_slice(&u32::try_from(own_count).map_err(too_many)?.to_le_bytes());
        out.resize(HEADER_BYTES, 0);
        for source in &self.sources {
            let end = out.len() + SOURCE_BYTES;
            out.extend_from_slice(source.as_bytes());
            out.resize(end, 0);
        }
        for frame in &self.frames {
            let end = out.len() + FRAME_BYTES;
            out.extend_from_slice(&frame.stored_offset.to_le_bytes());
            out.extend_from_slice(&frame.stored_bytes.to_le_bytes());
            out.extend_from_slice(&frame.plain_bytes.to_le_bytes());
            out.extend_from_slice(&frame.dictionary_start.to_le_bytes());
            out.extend_from_slice(&frame.dictionary_chunks.to_le_bytes());
            out.resize(end, 0);
        }
        for run in &runs {
            out.extend_from_slice(&run.source.to_le_bytes());
            out.extend_from_slice(&[0; 2]);
            out.extend_from_slice(&run.chunks.to_le_bytes());
            out.extend_from_slice(&run.place.to_le_bytes());
        }
        for chunk in own {
            out.extend_from_slice(&chunk.hash);
            out.extend_from_slice(&chunk.bytes.to_le_bytes());
            out.extend_from_slice(&[0; 4]);
            out.extend_from_slice(&chunk.place.to_le_bytes());
        }
        for number in &self.dictionaries {
            out.extend_from_slice(&number.to_le_bytes());
        }
        let seal = Sha256::digest(&out);
        out.extend_from_slice(&seal);
        Ok(out)
    }

    fn runs(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for chunk in &self.chunks {
            let place = if chunk.source == 0 { 0 } else { chunk.place };
            match runs.last_mut() {
                Some(run) if run.source == chunk.source && (chunk.source == 0 || run.place.checked_add(run.chunks) == Some(place)) => {
                    run.chunks += 1;
                }
                _ => runs.push(Run { source: chunk.source, chunks: 1, place }),
            }
        }
        runs
    }

    /// Where the file that the frames lie in must end.
    pub fn stored_bytes(&self) -> u64 {
        stored_bytes(&self.frames)
    }
}

fn stored_bytes(frames: &[Frame]) -> u64 {
    frames.last().map_or(0, |frame| frame.stored_offset + u64::from(frame.stored_bytes))
}

#[cfg(test)]
mod tests;
