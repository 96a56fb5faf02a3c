//! What an index's file says, read and found to agree with itself.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{
    CHUNK_BYTES, Chunk, DICTIONARY_BYTES, FRAME_BYTES, Frame, HEADER_BYTES, Index, MAGIC, RUN_BYTES, Run, SEAL_BYTES, SOURCE_BYTES,
    VERSION_INCREMENT, VERSION_WHOLE,
};
use crate::compression::Compression;
use crate::error::{Error, Result};
use crate::frames::cut::Cut;
use crate::frames::{ChunkHash, FRAME_MAX_BYTES};

/// The least that a chunk has on average, …
const CHUNK_MIN_BYTES: u64 = 512;
/// … and so many more there may be of smaller ones.
const CHUNKS_SPARE: u64 = 4096;
/// So many chunks a frame's dictionary may have: that many of the smallest are as long as it may be.
const DICTIONARY_CHUNKS_MAX: u32 = 8192;

/// Room that is made for chunks before they are found to be there: what a count says costs nothing to write.
const CHUNKS_EXPECTED: usize = 1 << 20;

/// An index as its file has it: of a chunk that lies elsewhere only where.
#[derive(Debug, Clone)]
pub struct Outline {
    codec: Compression,
    cut: Cut,
    plain_bytes: u64,
    chunks: usize,
    sources: Vec<String>,
    frames: Vec<Frame>,
    runs: Vec<Run>,
    /// The chunks of its own file; their `place` is a frame.
    own: Vec<Chunk>,
    dictionaries: Vec<u32>,
}

impl Outline {
    /// Reads an index file and checks that it agrees with itself; nothing is allocated that its size does not back.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let body_bytes = bytes.len().checked_sub(SEAL_BYTES).filter(|body| *body >= HEADER_BYTES).ok_or_else(|| damaged("too short"))?;
        let (body, seal) = bytes.split_at(body_bytes);
        if &body[..8] != MAGIC {
            return Err(damaged("not an index"));
        }
        let mut fields = Fields(&body[8..HEADER_BYTES]);
        let version = fields.u16();
        if version > VERSION_INCREMENT {
            return Err(Error::bad(format!("the index has version {version}, this one reads up to {VERSION_INCREMENT}"))
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
        let mut count = || fields.u32() as usize;
        let (chunks, frames, sources, dictionaries, runs, own) = (count(), count(), count(), count(), count(), count());
        let is_whole = version == VERSION_WHOLE;
        if is_whole && (sources, dictionaries) != (0, 0) {
            return Err(damaged("it refers to others, and is not of the version that does"));
        }
        if !is_whole && sources == 0 {
            return Err(damaged("it refers to nothing, and is of the version that does"));
        }
        // A chunk has at least half a kilobyte, but for the last ones of a stream: what is counted costs its reader memory.
        if chunks as u64 > plain_bytes / CHUNK_MIN_BYTES + CHUNKS_SPARE {
            return Err(damaged("it has more chunks than its stream can have"));
        }
        let (runs, own) = if is_whole { (0, chunks) } else { (runs, own) };
        let parts =
            [(sources, SOURCE_BYTES), (frames, FRAME_BYTES), (runs, RUN_BYTES), (own, CHUNK_BYTES), (dictionaries, DICTIONARY_BYTES)];
        let expected = parts.iter().try_fold(HEADER_BYTES, |sum: usize, (count, size)| sum.checked_add(count.checked_mul(*size)?));
        if expected != Some(body.len()) {
            return Err(damaged("its size does not fit its counts"));
        }
        let (source_part, rest) = body[HEADER_BYTES..].split_at(sources * SOURCE_BYTES);
        let (frame_part, rest) = rest.split_at(frames * FRAME_BYTES);
        let (run_part, rest) = rest.split_at(runs * RUN_BYTES);
        let (chunk_part, dictionary_part) = rest.split_at(own * CHUNK_BYTES);
        let sources = source_part
            .chunks_exact(SOURCE_BYTES)
            .map(source_id)
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| damaged("a source is no id"))?;
        let runs = if is_whole {
            vec![Run { source: 0, chunks: u32::try_from(chunks).unwrap_or(u32::MAX), place: 0 }]
        } else {
            run_part.chunks_exact(RUN_BYTES).map(run).collect()
        };
        let outline = Outline {
            codec,
            cut,
            plain_bytes,
            chunks,
            sources,
            frames: frame_part.chunks_exact(FRAME_BYTES).map(frame).collect(),
            runs,
            own: chunk_part.chunks_exact(CHUNK_BYTES).map(chunk).collect(),
            dictionaries: dictionary_part.chunks_exact(DICTIONARY_BYTES).map(|record| Fields(record).u32()).collect(),
        };
        outline.check()?;
        Ok(outline)
    }

    /// How its frames are compressed.
    pub fn codec(&self) -> Compression {
        self.codec
    }

    /// Length of the plain stream.
    pub fn plain_bytes(&self) -> u64 {
        self.plain_bytes
    }

    /// How many chunks the stream has.
    pub fn chunks(&self) -> usize {
        self.chunks
    }

    /// The frames of its file.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// The numbers that make up the dictionaries of its frames.
    pub fn dictionaries(&self) -> &[u32] {
        &self.dictionaries
    }

    /// The backups that it refers to.
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    /// For each source, whether a chunk lies in it.
    pub fn is_used(&self) -> Vec<bool> {
        let mut is_used = vec![false; self.sources.len()];
        self.runs.iter().filter(|run| run.source > 0).for_each(|run| is_used[usize::from(run.source) - 1] = true);
        is_used
    }

    /// The chunks of its own file, each with its number in the stream.
    pub fn own(&self) -> impl Iterator<Item = (u32, &Chunk)> {
        let mut next = 0;
        let own_runs = self.runs.iter().filter_map(move |run| {
            let first = next;
            next += run.chunks;
            (run.source == 0).then_some(first..first + run.chunks)
        });
        own_runs.flatten().zip(&self.own)
    }

    /// Where the file that the frames lie in must end.
    pub fn stored_bytes(&self) -> u64 {
        super::stored_bytes(&self.frames)
    }

    /// The whole index, with the outlines of its sources; none where no chunk lies in one.
    pub fn resolve(self, sources: &[Option<Arc<Outline>>]) -> Result<Index> {
        let mut held: Vec<Vec<(u32, &Chunk)>> = Vec::with_capacity(sources.len());
        held.extend(sources.iter().map(|source| source.iter().flat_map(|outline| outline.own()).collect()));
        let mut chunks = Vec::with_capacity(self.chunks.min(CHUNKS_EXPECTED));
        let mut plain = 0u64;
        let mut own = self.own.iter();
        for run in &self.runs {
            if run.source == 0 {
                chunks.extend(own.by_ref().take(run.chunks as usize).copied());
                continue;
            }
            let held = held.get(usize::from(run.source) - 1).ok_or_else(|| damaged("a chunk's source is not there"))?;
            let places = run.place..run.place.checked_add(run.chunks).ok_or_else(|| damaged("a run is too long"))?;
            let first = held.partition_point(|(number, _)| *number < run.place);
            for (at, place) in (first..).zip(places) {
                let found = held.get(at).filter(|(number, _)| *number == place);
                let (_, chunk) = found.ok_or_else(|| damaged("a chunk does not lie in its source"))?;
                chunks.push(Chunk { source: run.source, place, ..**chunk });
                plain += u64::from(chunk.bytes);
                if plain > self.plain_bytes {
                    return Err(damaged("its chunks do not add up"));
                }
            }
        }
        if chunks.iter().map(|chunk| u64::from(chunk.bytes)).sum::<u64>() != self.plain_bytes {
            return Err(damaged("its chunks do not add up"));
        }
        let Outline { codec, cut, plain_bytes, sources, frames, dictionaries, .. } = self;
        Ok(Index { codec, cut, plain_bytes, sources, frames, chunks, dictionaries })
    }

    fn check(&self) -> Result<()> {
        let mut offset = 0u64;
        for frame in &self.frames {
            if frame.stored_offset != offset {
                return Err(damaged("its frames do not follow each other"));
            }
            offset = offset.checked_add(u64::from(frame.stored_bytes)).ok_or_else(|| damaged("its frames are too long"))?;
            if frame.plain_bytes as usize > FRAME_MAX_BYTES || frame.stored_bytes as usize > 2 * FRAME_MAX_BYTES {
                return Err(damaged("a frame is too long"));
            }
            if frame.dictionary_chunks > DICTIONARY_CHUNKS_MAX {
                return Err(damaged("a frame's dictionary is too long"));
            }
            let dictionary_end = frame.dictionary_start.checked_add(frame.dictionary_chunks);
            if dictionary_end.is_none_or(|end| end as usize > self.dictionaries.len()) {
                return Err(damaged("a frame's dictionary is not there"));
            }
        }
        let (mut all, mut own) = (0usize, 0usize);
        for run in &self.runs {
            if usize::from(run.source) > self.sources.len() {
                return Err(damaged("a run's source is not there"));
            }
            all += run.chunks as usize;
            own += if run.source == 0 { run.chunks as usize } else { 0 };
        }
        if all != self.chunks || own != self.own.len() {
            return Err(damaged("its runs do not add up"));
        }
        self.check_own()
    }

    fn check_own(&self) -> Result<()> {
        let mut in_frames = vec![0u64; self.frames.len()];
        let mut last_frame = 0;
        for chunk in &self.own {
            if chunk.bytes == 0 || chunk.bytes as usize > self.cut.chunk_max() || chunk.source != 0 {
                return Err(damaged("a chunk is not possible"));
            }
            let filled = in_frames.get_mut(chunk.place as usize).ok_or_else(|| damaged("a chunk's frame is not there"))?;
            if chunk.place < last_frame {
                return Err(damaged("its chunks are out of order"));
            }
            last_frame = chunk.place;
            *filled += u64::from(chunk.bytes);
        }
        if self.frames.iter().zip(&in_frames).any(|(frame, filled)| u64::from(frame.plain_bytes) != *filled) {
            return Err(damaged("a frame's chunks do not add up"));
        }
        if self.sources.is_empty() && in_frames.iter().sum::<u64>() != self.plain_bytes {
            return Err(damaged("its chunks do not add up"));
        }
        Ok(())
    }
}

fn damaged(why: &str) -> Error {
    Error::bad(format!("the index is damaged: {why}"))
}

fn frame(record: &[u8]) -> Frame {
    let mut fields = Fields(record);
    Frame {
        stored_offset: fields.u64(),
        stored_bytes: fields.u32(),
        plain_bytes: fields.u32(),
        dictionary_start: fields.u32(),
        dictionary_chunks: fields.u32(),
    }
}

fn run(record: &[u8]) -> Run {
    let mut fields = Fields(record);
    let source = fields.u16();
    fields.u16();
    Run { source, chunks: fields.u32(), place: fields.u32() }
}

fn chunk(record: &[u8]) -> Chunk {
    let mut hash = ChunkHash::default();
    hash.copy_from_slice(&record[..20]);
    let mut fields = Fields(&record[20..]);
    let (bytes, source) = (fields.u32(), fields.u16());
    fields.u16();
    Chunk { hash, bytes, source, place: fields.u32() }
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
