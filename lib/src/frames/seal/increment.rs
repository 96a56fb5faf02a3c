//! Only the chunks that the base does not know into the component's own file.
//!
//! Blocks are hashed by workers; in the order of the stream each chunk is looked up; those that are new are collected into
//! frames, which other workers compress, against the chunks of the full that they replace.

use std::ops::Range;
use std::sync::Arc;

use super::Block;
use super::output::{Output, Packed};
use crate::compression::Compression;
use crate::error::{Error, Result};
use crate::frames::base::Base;
use crate::frames::codec::{Decoder, Encoder};
use crate::frames::index::Chunk;
use crate::frames::ordered::Ordered;
use crate::frames::shelf::Picker;
use crate::frames::{ChunkHash, FRAME_PLAIN_BYTES, against, workers};

/// What comes next in the stream.
enum Next {
    /// Bytes.
    Block(Block),
    /// A run of the base's chunks.
    Repeat(Range<usize>),
}

/// The same, hashed.
enum Known {
    Block(Vec<u8>, Vec<(ChunkHash, u32)>),
    Repeat(Range<usize>),
}

/// A frame that is collected.
#[derive(Default)]
struct Delta {
    plain: Vec<u8>,
    dictionary: Vec<u32>,
    stored: Vec<u8>,
}

pub(super) struct Increment {
    base: Arc<Base>,
    /// Plain bytes of a frame with a dictionary; none where there are no dictionaries.
    against_bytes: Option<usize>,
    hashing: Ordered<Next, Known>,
    packing: Ordered<Delta, Packed>,
    spare: Vec<Packed>,
    blocks: Vec<Vec<u8>>,
    delta: Delta,
    /// Frames that are full already, written or not.
    closed: u32,
    /// Where the next chunk is expected among the parent's, and what it would replace in the full.
    expected: usize,
    replaces: u32,
    /// Whether every chunk so far is the parent's at the same place.
    repeats_base: bool,
}

impl Increment {
    pub(super) fn start(base: Arc<Base>, compression: Compression) -> Result<Self> {
        let hashing = Ordered::start(workers(), || Ok(|next: Next| Ok(hash(next))))?;
        let shelf = Arc::clone(base.shelf());
        let packing = Ordered::start(workers(), || {
            let mut worker = Worker {
                compression,
                encoder: Encoder::new(compression)?,
                decoder: Decoder::new(compression)?,
                picker: Picker::new(&shelf),
                again: Vec::new(),
            };
            Ok(move |delta: Delta| worker.pack(delta))
        })?;
        Ok(Increment {
            against_bytes: against::frame_bytes(compression).filter(|_| base.has_dictionaries),
            base,
            hashing,
            packing,
            spare: Vec::new(),
            blocks: Vec::new(),
            delta: Delta::default(),
            closed: 0,
            expected: 0,
            replaces: 0,
            repeats_base: true,
        })
    }

    pub(super) fn memory(&mut self) -> Vec<u8> {
        let mut memory = self.blocks.pop().unwrap_or_default();
        memory.clear();
        memory
    }

    pub(super) fn take(&mut self, block: Block, chunks: &mut Vec<Chunk>, out: &mut Output) -> Result<()> {
        self.give(Next::Block(block), chunks, out)
    }

    /// The base's chunks that are exactly this run of its plain stream, if there are such.
    pub(super) fn chunks_of(&self, plain: Range<u64>) -> Option<Range<usize>> {
        self.base.chunks_of(plain)
    }

    /// Takes a run of the base's chunks.
    pub(super) fn repeat(&mut self, run: Range<usize>, chunks: &mut Vec<Chunk>, out: &mut Output) -> Result<()> {
        self.give(Next::Repeat(run), chunks, out)
    }

    pub(super) fn repeats_base(&self) -> bool {
        self.repeats_base
    }

    /// Settles all that was taken so far, and says whether it is the base's stream.
    pub(super) fn is_whole_base(&mut self, chunks: &mut Vec<Chunk>, out: &mut Output) -> Result<bool> {
        while self.settle_hashed(chunks, out)? {}
        Ok(self.repeats_base && chunks.len() == self.base.chunks())
    }

    /// Writes all that was taken so far.
    pub(super) fn settle(&mut self, chunks: &mut Vec<Chunk>, out: &mut Output) -> Result<()> {
        while self.settle_hashed(chunks, out)? {}
        self.close_frame(out)?;
        while self.settle_packed(out)? {}
        Ok(())
    }

    pub(super) fn finish(mut self, chunks: &mut Vec<Chunk>, out: &mut Output) -> Result<Vec<String>> {
        self.settle(chunks, out)?;
        Ok(self.base.sources().to_vec())
    }

    fn give(&mut self, next: Next, chunks: &mut Vec<Chunk>, out: &mut Output) -> Result<()> {
        while !self.hashing.has_room() {
            self.settle_hashed(chunks, out)?;
        }
        self.hashing.give(next);
        Ok(())
    }

    /// Looks the next hashed chunks up; false where none are under way.
    fn settle_hashed(&mut self, chunks: &mut Vec<Chunk>, out: &mut Output) -> Result<bool> {
        let Some(known) = self.hashing.take() else { return Ok(false) };
        match known? {
            Known::Repeat(run) => {
                self.repeats_base &= run.start == chunks.len();
                chunks.extend(run.clone().map(|number| self.base.refer(number)));
                self.expected = run.end;
            }
            Known::Block(block, named) => {
                let mut begin = 0;
                for (hash, bytes) in named {
                    let end = begin + bytes as usize;
                    let chunk = self.settle_chunk(hash, bytes, &block[begin..end], chunks.len(), out)?;
                    chunks.push(chunk);
                    begin = end;
                }
                self.blocks.push(block);
            }
        }
        Ok(true)
    }

    fn settle_chunk(&mut self, hash: ChunkHash, bytes: u32, plain: &[u8], number: usize, out: &mut Output) -> Result<Chunk> {
        if self.base.is_by_number() {
            self.expected = number;
            self.replaces = u32::try_from(number).unwrap_or(u32::MAX);
        }
        let found = self.base.find(&hash, bytes, self.expected);
        self.repeats_base &= found == Some(number);
        if let Some(found) = found {
            let reference = self.base.refer(found);
            self.expected = found + 1;
            self.replaces = Base::in_full(&reference).map_or(self.replaces.saturating_add(1), |number| number + 1);
            return Ok(reference);
        }
        let replaced = self.against_bytes.map(|_| self.replaces).filter(|number| *number < self.base.full_chunks);
        self.expected += 1;
        self.replaces = self.replaces.saturating_add(1);
        self.make_room(plain.len(), replaced.is_some(), out)?;
        self.delta.plain.extend_from_slice(plain);
        self.delta.dictionary.extend(replaced.filter(|number| self.delta.dictionary.last() != Some(number)));
        Ok(Chunk { hash, bytes, source: 0, place: self.closed })
    }

    /// Closes the frame where a chunk would make it too long. Deflate's frames with a dictionary are small, since it reaches back
    /// a little way only: there a chunk that replaces nothing begins a frame of its own kind.
    fn make_room(&mut self, bytes: usize, has_dictionary: bool, out: &mut Output) -> Result<()> {
        let against_bytes = self.against_bytes.unwrap_or(FRAME_PLAIN_BYTES);
        let most = if has_dictionary { against_bytes } else { FRAME_PLAIN_BYTES };
        let is_of_other_kind = against_bytes < FRAME_PLAIN_BYTES && has_dictionary == self.delta.dictionary.is_empty();
        if self.delta.plain.len() + bytes > most || is_of_other_kind { self.close_frame(out) } else { Ok(()) }
    }

    fn close_frame(&mut self, out: &mut Output) -> Result<()> {
        if self.delta.plain.is_empty() {
            return Ok(());
        }
        while !self.packing.has_room() {
            self.settle_packed(out)?;
        }
        let mut spare = self.spare.pop().unwrap_or_default();
        spare.plain.clear();
        spare.dictionary.clear();
        let fresh = Delta { plain: spare.plain, dictionary: spare.dictionary, stored: spare.stored };
        self.packing.give(std::mem::replace(&mut self.delta, fresh));
        self.closed = self.closed.checked_add(1).ok_or_else(|| Error::failed("a component has too many frames"))?;
        Ok(())
    }

    fn settle_packed(&mut self, out: &mut Output) -> Result<bool> {
        let Some(packed) = self.packing.take() else { return Ok(false) };
        let packed = packed?;
        out.write(&packed)?;
        self.spare.push(packed);
        Ok(true)
    }
}

fn hash(next: Next) -> Known {
    match next {
        Next::Repeat(run) => Known::Repeat(run),
        Next::Block(block) => {
            let named = block.chunks().collect();
            Known::Block(block.bytes, named)
        }
    }
}

struct Worker {
    compression: Compression,
    encoder: Encoder,
    decoder: Decoder,
    picker: Picker,
    again: Vec<u8>,
}

impl Worker {
    /// Compresses a frame, and finds that it unpacks to what went in: now, since the dictionary is at hand.
    fn pack(&mut self, delta: Delta) -> Result<Packed> {
        let Delta { plain, dictionary, mut stored } = delta;
        if dictionary.is_empty() {
            self.encoder.encode(&plain, &mut stored)?;
            self.decoder.decode(&stored, plain.len(), &mut self.again)?;
        } else {
            let old = self.picker.gather(&dictionary)?;
            against::encode(self.compression, &old, &plain, &mut stored)?;
            against::decode(self.compression, &old, &stored, plain.len(), &mut self.again)?;
        }
        if self.again != plain {
            return Err(Error::failed("a frame does not unpack to what was packed").hint("is the machine's memory sound?"));
        }
        Ok(Packed { plain, stored, check: 0, dictionary })
    }
}
