//! A component whose chunks lie in several backups: each is taken from where it lies, and compared with its name.

use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::frames::index::Index;
use crate::frames::ordered::Ordered;
use crate::frames::shelf::{Picker, Shelf};
use crate::frames::{FRAME_PLAIN_BYTES, chunk_hash, workers};

/// A run of chunks on its way to a worker, with memory for their bytes.
struct Job {
    chunks: Range<usize>,
    plain: Vec<u8>,
}

pub(super) struct Gathered {
    index: Arc<Index>,
    gathering: Ordered<Job, Vec<u8>>,
    next: usize,
    spare: Vec<Vec<u8>>,
}

impl Gathered {
    /// The stream of the shelf's last volume, which refers to the others.
    pub(super) fn open(shelf: &Arc<Shelf>, index: Arc<Index>) -> Result<Self> {
        let gathering = Ordered::start(workers(), || {
            let mut picker = Picker::new(shelf);
            let (index, own) = (Arc::clone(&index), shelf.last());
            Ok(move |job: Job| gather(&mut picker, &index, own, job))
        })?;
        Ok(Gathered { index, gathering, next: 0, spare: Vec::new() })
    }

    /// The next bytes; none at the end.
    pub(super) fn next_frame(&mut self) -> Result<Option<Vec<u8>>> {
        while self.gathering.has_room() && self.next < self.index.chunks.len() {
            let first = self.next;
            let mut bytes = 0;
            while bytes < FRAME_PLAIN_BYTES && self.next < self.index.chunks.len() {
                bytes += self.index.chunks[self.next].bytes as usize;
                self.next += 1;
            }
            let plain = self.spare.pop().unwrap_or_default();
            self.gathering.give(Job { chunks: first..self.next, plain });
        }
        self.gathering.take().transpose()
    }

    pub(super) fn reuse(&mut self, frame: Vec<u8>) {
        self.spare.push(frame);
    }
}

fn gather(picker: &mut Picker, index: &Index, own: usize, job: Job) -> Result<Vec<u8>> {
    let Job { chunks, mut plain } = job;
    plain.clear();
    for number in chunks {
        let chunk = &index.chunks[number];
        let piece = match chunk.source {
            0 => picker.chunk(own, number)?,
            source => picker.chunk(usize::from(source) - 1, chunk.place as usize)?,
        };
        if piece.bytes().len() != chunk.bytes as usize || chunk_hash(piece.bytes()) != chunk.hash {
            let holder = match chunk.source {
                0 => "this backup",
                source => &index.sources[usize::from(source) - 1],
            };
            return Err(Error::bad(format!("a chunk in {holder} does not match its hash")).hint(super::ANOTHER));
        }
        plain.extend_from_slice(piece.bytes());
    }
    Ok(plain)
}
