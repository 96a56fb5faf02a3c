//! What the component of an increment may refer to: the chunks that an earlier one names.

use std::ops::Range;
use std::sync::Arc;

use super::ChunkHash;
use super::cut::Cut;
use super::index::{Chunk, Index};
use super::shelf::{Shelf, Volume};
use crate::error::Result;

/// An earlier component, by whose index a new one finds what it need not store, and the full that its dictionaries come from.
pub struct Base {
    parent: Arc<Index>,
    /// What the new component's sources are: the parent's own, and the parent.
    sources: Vec<String>,
    /// The parent's chunks, in the order of their hashes.
    by_hash: Vec<u32>,
    /// Where each of the parent's chunks begins in its plain stream.
    offsets: Vec<u64>,
    shelf: Arc<Shelf>,
    /// How many chunks the full has.
    pub(super) full_chunks: u32,
    /// Whether chunks that changed are compressed against the ones that they replace.
    pub(super) has_dictionaries: bool,
}

impl Base {
    /// The component of `parent_id` with this index; `full` is that of the full it descends from, or its own where it is one.
    pub fn new(parent_id: &str, parent: Arc<Index>, full: Volume, has_dictionaries: bool) -> Result<Self> {
        let mut by_hash: Vec<u32> = (0..u32::try_from(parent.chunks.len()).unwrap_or(u32::MAX)).collect();
        by_hash.sort_unstable_by_key(|number| parent.chunks[*number as usize].hash);
        let mut at = 0;
        let begin_of = |chunk: &Chunk| {
            let begin = at;
            at += u64::from(chunk.bytes);
            begin
        };
        let offsets = parent.chunks.iter().map(begin_of).collect();
        let sources = parent.sources.iter().cloned().chain([parent_id.to_owned()]).collect();
        let full_chunks = full.own_chunks();
        let shelf = Arc::new(Shelf::new(vec![Some(full)])?);
        Ok(Base { full_chunks, parent, sources, by_hash, offsets, shelf, has_dictionaries })
    }

    /// Whether a stream that is cut so can share anything with it.
    pub fn fits(&self, cut: Cut) -> bool {
        self.parent.cut == cut
    }

    /// Ids of the backups that the new component refers to; a chunk's source n is the n-th of them.
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    pub(super) fn shelf(&self) -> &Arc<Shelf> {
        &self.shelf
    }

    /// The parent's chunk with this content; first it is looked for where it is expected.
    pub(super) fn find(&self, hash: &ChunkHash, bytes: u32, expected: usize) -> Option<usize> {
        let chunks = &self.parent.chunks;
        let is_it = |number: usize| chunks.get(number).is_some_and(|chunk| chunk.hash == *hash && chunk.bytes == bytes);
        if is_it(expected) {
            return Some(expected);
        }
        let at = self.by_hash.partition_point(|number| chunks[*number as usize].hash < *hash);
        self.by_hash.get(at).map(|number| *number as usize).filter(|number| is_it(*number))
    }

    /// How many chunks the parent has.
    pub(super) fn chunks(&self) -> usize {
        self.parent.chunks.len()
    }

    /// What stands in the new index for a chunk of the parent's.
    pub(super) fn refer(&self, number: usize) -> Chunk {
        let chunk = self.parent.chunks[number];
        match chunk.source {
            0 => Chunk {
                source: u16::try_from(self.sources.len()).unwrap_or(u16::MAX),
                place: u32::try_from(number).unwrap_or(u32::MAX),
                ..chunk
            },
            _ => chunk,
        }
    }

    /// The number in the full of a chunk that stands in the new index so; none where it lies in an increment.
    pub(super) fn in_full(reference: &Chunk) -> Option<u32> {
        (reference.source == 1).then_some(reference.place)
    }

    /// The parent's chunks that are exactly this run of its plain stream.
    pub(super) fn chunks_of(&self, plain: Range<u64>) -> Option<Range<usize>> {
        let first = self.offsets.binary_search(&plain.start).ok()?;
        let end = match self.offsets.binary_search(&plain.end) {
            Ok(end) => end,
            Err(_) if plain.end == self.parent.plain_bytes => self.offsets.len(),
            Err(_) => return None,
        };
        (first <= end).then_some(first..end)
    }

    /// Where the parent was cut: at the same number, or where its content says so.
    pub(super) fn is_by_number(&self) -> bool {
        matches!(self.parent.cut, Cut::Fixed(_))
    }
}
