//! Chunks and frames: the one format of every component. `docs/FORMAT.md` specifies it byte by byte.
//!
//! A plain stream is cut into *chunks*, what backups compare and share; neighbouring chunks are compressed together into
//! a *frame*, a self-standing gzip member or zstd frame, so that the file is an ordinary `.gz` or `.zst`. The *index*
//! says where each chunk is. [`seal`] writes a component, [`open`] reads one, both on all cores and in bounded memory.

mod against;
pub mod base;
pub mod codec;
pub mod cut;
pub mod index;
pub mod open;
pub mod pick;
pub(crate) mod ordered;
pub mod seal;
pub mod shelf;

use sha2::{Digest, Sha256};

use crate::fsx;

/// Plain bytes at which a frame is closed. On a ledger 256 KiB packs within 0.2 % of 1 MiB, and is small enough to take
/// a single chunk out of a large file and to keep many frames in flight.
pub const FRAME_PLAIN_BYTES: usize = 256 << 10;

/// The largest frame a reader accepts; it bounds the memory that a hostile index can ask for.
pub const FRAME_MAX_BYTES: usize = 2 << 20;

/// A chunk's name: the first 160 bits of the SHA-256 of its bytes.
pub type ChunkHash = [u8; 20];

/// Names a chunk.
pub fn chunk_hash(bytes: &[u8]) -> ChunkHash {
    name_of(Sha256::new_with_prefix(bytes))
}

fn name_of(hashed: Sha256) -> ChunkHash {
    let mut name = ChunkHash::default();
    name.copy_from_slice(&hashed.finalize()[..20]);
    name
}

/// Bytes that are hashed already, and may become a chunk as they are.
pub struct Hashed {
    bytes: Vec<u8>,
    name: ChunkHash,
}

impl Hashed {
    /// Hashes all of the bytes, and on the way the first `content` of them on their own (SHA-256, hex).
    pub fn new(bytes: Vec<u8>, content: usize) -> (Self, String) {
        let mut hash = Sha256::new_with_prefix(&bytes[..content]);
        let sha256 = fsx::hex(&hash.clone().finalize());
        hash.update(&bytes[content..]);
        (Hashed { bytes, name: name_of(hash) }, sha256)
    }

    /// What was hashed.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The memory, to be used again.
    pub fn into_memory(self) -> Vec<u8> {
        self.bytes
    }
}

/// How many threads compress or decompress: one a core.
pub(crate) fn workers() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get).min(WORKERS_MAX)
}

/// More workers than this gain nothing: the stream that feeds them is the limit long before.
const WORKERS_MAX: usize = 32;

#[cfg(test)]
mod tests;
