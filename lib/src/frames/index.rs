//! The index of a component: for every chunk its hash and where its bytes are.
//!
//! All numbers are little-endian. A 64-byte header, then the sources (ids of other backups that chunks lie in), the
//! frames of this component's own file, the chunks in stream order, the dictionaries of delta frames, and the SHA-256 of
//! all of that.

use sha2::{Digest, Sha256};

use super::cut::Cut;
use super::{ChunkHash, FRAME_MAX_BYTES};
use crate::compression::Compression;
use crate::error::{Error, Result};

const MAGIC: &[u8; 8] = b"HOLDFIDX";
const VERSION: u16 = 1;
const HEADER_BYTES: usize = 64;
const SOURCE_BYTES: usize = 96;
const FRAME_BYTES: usize = 32;
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

impl Index {
    /// The file's bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let too_many = |_| Error::failed("a component has too many frames or chunks for one index");
        let size = HEADER_BYTES
            + self.sources.len() * SOURCE_BYTES
            + self.frames.len() * FRAME_BYTES
            + self.chunks.len() * CHUNK_BYTES
            + self.dictionaries.len() * DICTIONARY_BYTES
            + SEAL_BYTES;
        let mut out = Vec::with_capacity(size);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
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
        out.extend_from_slice(&u32::try_from(self.chunks.len()).map_err(too_many)?.to_le_bytes());
        out.extend_from_slice(&u32::try_from(self.frames.len()).map_err(too_many)?.to_le_bytes());
        out.extend_from_slice(&u32::try_from(self.sources.len()).map_err(too_many)?.to_le_bytes());
        out.extend_from_slice(&u32::try_from(self.dictionaries.len()).map_err(too_many)?.to_le_bytes());
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
        for chunk in &self.chunks {
            out.extend_from_slice(&chunk.hash);
            out.extend_from_slice(&chunk.bytes.to_le_bytes());
            out.extend_from_slice(&chunk.source.to_le_bytes());
            out.extend_from_slice(&[0; 2]);
            out.extend_from_slice(&chunk.place.to_le_bytes());
        }
        for number in &self.dictionaries {
            out.extend_from_slice(&number.to_le_bytes());
        }
        let seal = Sha256::digest(&out);
        out.extend_from_slice(&seal);
        Ok(out)
    }

    /// Reads an index file and checks that it agrees with itself; nothing is allocated that its size does not back.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let damaged = |why: &str| Error::bad(format!("the index is damaged: {why}"));
        let body_bytes = bytes.len().checked_sub(SEAL_BYTES).filter(|body| *body >= HEADER_BYTES).ok_or_else(|| damaged("too short"))?;
        let (body, seal) = bytes.split_at(body_bytes);
        if &body[..8] != MAGIC {
            return Err(damaged("not an index"));
        }
        let mut fields = Fields(&body[8..HEADER_BYTES]);
        let version = fields.u16();
        if version > VERSION {
            return Err(Error::bad(format!("the index has version {version}, this one reads up to {VERSION}"))
                .hint("use a newer version of Holdfast for this backup"));
        }
        if Sha256::digest(body).as_slice() != seal {
            return Err(damaged("its checksum does not match"));
        }
        let codec = match fields.u8() {
            0 => Compression::None,
            1 => Compression::Gzip(1),
            2 => Compression::Zstd(1),
            _ => return Err(damaged("unknown compression")),
        };
        let cut_kind = fields.u8();
        let cut = match cut_kind {
            0 => Cut::Fixed(fields.u32()),
            1 => Cut::Content(fields.u32()),
            _ => return Err(damaged("unknown cut")),
        }
        .check()?;
        let plain_bytes = fields.u64();
        let (chunks, frames, sources, dictionaries) =
            (fields.u32() as usize, fields.u32() as usize, fields.u32() as usize, fields.u32() as usize);
        let expected = [(sources, SOURCE_BYTES), (frames, FRAME_BYTES), (chunks, CHUNK_BYTES), (dictionaries, DICTIONARY_BYTES)]
            .iter()
            .try_fold(HEADER_BYTES, |sum, (count, size)| sum.checked_add(count.checked_mul(*size)?));
        if expected != Some(body.len()) {
            return Err(damaged("its size does not fit its counts"));
        }
        let (source_part, rest) = body[HEADER_BYTES..].split_at(sources * SOURCE_BYTES);
        let (frame_part, rest) = rest.split_at(frames * FRAME_BYTES);
        let (chunk_part, dictionary_part) = rest.split_at(chunks * CHUNK_BYTES);
        let sources = source_part
            .chunks_exact(SOURCE_BYTES)
            .map(source_id)
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| damaged("a source is no id"))?;
        let frames = frame_part
            .chunks_exact(FRAME_BYTES)
            .map(|record| {
                let mut fields = Fields(record);
                Frame {
                    stored_offset: fields.u64(),
                    stored_bytes: fields.u32(),
                    plain_bytes: fields.u32(),
                    dictionary_start: fields.u32(),
                    dictionary_chunks: fields.u32(),
                }
            })
            .collect();
        let chunks = chunk_part
            .chunks_exact(CHUNK_BYTES)
            .map(|record| {
                let mut hash = ChunkHash::default();
                hash.copy_from_slice(&record[..20]);
                let mut fields = Fields(&record[20..]);
                let (bytes, source) = (fields.u32(), fields.u16());
                fields.u16();
                Chunk { hash, bytes, source, place: fields.u32() }
            })
            .collect();
        let dictionaries = dictionary_part.chunks_exact(DICTIONARY_BYTES).map(|record| Fields(record).u32()).collect();
        let index = Index { codec, cut, plain_bytes, sources, frames, chunks, dictionaries };
        index.check()?;
        Ok(index)
    }

    /// Where the file that the frames lie in must end.
    pub fn stored_bytes(&self) -> u64 {
        self.frames.last().map_or(0, |frame| frame.stored_offset + u64::from(frame.stored_bytes))
    }

    fn check(&self) -> Result<()> {
        let damaged = |why: &str| Error::bad(format!("the index is damaged: {why}"));
        let mut offset = 0u64;
        for frame in &self.frames {
            if frame.stored_offset != offset {
                return Err(damaged("its frames do not follow each other"));
            }
            offset = offset.checked_add(u64::from(frame.stored_bytes)).ok_or_else(|| damaged("its frames are too long"))?;
            if frame.plain_bytes as usize > FRAME_MAX_BYTES || frame.stored_bytes as usize > 2 * FRAME_MAX_BYTES {
                return Err(damaged("a frame is too long"));
            }
            let dictionary_end = frame.dictionary_start.checked_add(frame.dictionary_chunks);
            if dictionary_end.is_none_or(|end| end as usize > self.dictionaries.len()) {
                return Err(damaged("a frame's dictionary is not there"));
            }
        }
        let mut in_frames = vec![0u64; self.frames.len()];
        let mut plain = 0u64;
        let mut last_frame = 0;
        for chunk in &self.chunks {
            plain += u64::from(chunk.bytes);
            if chunk.bytes == 0 || chunk.bytes as usize > self.cut.chunk_max() || usize::from(chunk.source) > self.sources.len() {
                return Err(damaged("a chunk is not possible"));
            }
            if chunk.source == 0 {
                let filled = in_frames.get_mut(chunk.place as usize).ok_or_else(|| damaged("a chunk's frame is not there"))?;
                if chunk.place < last_frame {
                    return Err(damaged("its chunks are out of order"));
                }
                last_frame = chunk.place;
                *filled += u64::from(chunk.bytes);
            }
        }
        if plain != self.plain_bytes {
            return Err(damaged("its chunks do not add up"));
        }
        if self.frames.iter().zip(&in_frames).any(|(frame, filled)| u64::from(frame.plain_bytes) != *filled) {
            return Err(damaged("a frame's chunks do not add up"));
        }
        Ok(())
    }
}

fn source_id(record: &[u8]) -> Option<String> {
    let end = record.iter().position(|byte| *byte == 0).unwrap_or(record.len());
    let text = std::str::from_utf8(&record[..end]).ok()?;
    crate::id::is_id(text).then(|| text.to_owned())
}

/// Reads numbers off the front of a record whose length the caller has checked.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        let (front, rest) = self.0.split_at(N.min(self.0.len()));
        out[..front.len()].copy_from_slice(front);
        self.0 = rest;
        out
    }

    fn u8(&mut self) -> u8 {
        u8::from_le_bytes(self.take())
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.take())
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }
}
