//! Every chunk into the component's own file.

use super::Block;
use super::output::{Output, Packed};
use crate::compression::Compression;
use crate::error::{Error, Result};
use crate::frames::codec::Encoder;
use crate::frames::index::Chunk;
use crate::frames::ordered::Ordered;
use crate::frames::workers;

/// A block on its way to a worker, with memory for what comes of it.
struct Job {
    block: Block,
    stored: Vec<u8>,
}

/// A block, which is a frame now.
struct Done {
    packed: Packed,
    chunks: Vec<Chunk>,
}

pub(super) struct Whole {
    packing: Ordered<Job, Done>,
    plain_memory: Vec<Vec<u8>>,
    stored_memory: Vec<Vec<u8>>,
}

impl Whole {
    pub(super) fn start(compression: Compression) -> Result<Self> {
        let packing = Ordered::start(workers(), || {
            let mut encoder = Encoder::new(compression)?;
            Ok(move |job: Job| pack(&mut encoder, job))
        })?;
        Ok(Whole { packing, plain_memory: Vec::new(), stored_memory: Vec::new() })
    }

    pub(super) fn memory(&mut self) -> Vec<u8> {
        let mut memory = self.plain_memory.pop().unwrap_or_default();
        memory.clear();
        memory
    }

    pub(super) fn take(&mut self, block: Block, chunks: &mut Vec<Chunk>, out: &mut Output) -> Result<()> {
        while !self.packing.has_room() {
            self.settle_one(chunks, out)?;
        }
        let stored = self.stored_memory.pop().unwrap_or_default();
        self.packing.give(Job { block, stored });
        Ok(())
    }

    /// Writes all that was taken so far.
    pub(super) fn settle(&mut self, chunks: &mut Vec<Chunk>, out: &mut Output) -> Result<()> {
        while self.settle_one(chunks, out)? {}
        Ok(())
    }

    /// Writes the next packed frame to the file; false where none is under way.
    fn settle_one(&mut self, chunks: &mut Vec<Chunk>, out: &mut Output) -> Result<bool> {
        let Some(done) = self.packing.take() else { return Ok(false) };
        let Done { packed, chunks: own } = done?;
        let place = u32::try_from(out.frames.len()).map_err(|_| Error::failed("a component has too many frames"))?;
        out.write(&packed)?;
        chunks.extend(own.into_iter().map(|chunk| Chunk { place, ..chunk }));
        self.plain_memory.push(packed.plain);
        self.stored_memory.push(packed.stored);
        Ok(true)
    }
}

fn pack(encoder: &mut Encoder, job: Job) -> Result<Done> {
    let Job { block, mut stored } = job;
    let chunks = block.chunks().map(|(hash, bytes)| Chunk { hash, bytes, source: 0, place: 0 }).collect();
    encoder.encode(&block.bytes, &mut stored)?;
    let check = libdeflater::crc32(&block.bytes);
    Ok(Done { packed: Packed { plain: block.bytes, stored, check, dictionary: Vec::new() }, chunks })
}
