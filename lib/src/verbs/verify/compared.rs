//! A dump that is only compared with an earlier one, and kept nowhere.

use std::io::Write;
use std::path::Path;

use crate::engine::{Cut, Outlet};
use crate::error::Result;
use crate::frames::index::{Chunk, Index};
use crate::frames::{chunk_hash, workers};

/// So many bytes are hashed at once, on all cores: one core alone hashes slower than SQLite reads.
const BATCH_BYTES: usize = 2 << 20;
/// The first batch is small: a database that was written to differs on its first page, and then the rest need not be read.
const FIRST_BATCH_BYTES: usize = 64 << 10;

/// Takes a dump only to compare it with an index, chunk by chunk.
pub(in crate::verbs) struct Compared<'a> {
    chunks: Vec<Chunk>,
    spool: &'a Path,
    batch: Vec<u8>,
    batch_bytes: usize,
    matched: usize,
    differs: bool,
}

impl<'a> Compared<'a> {
    pub(in crate::verbs) fn with(index: Index, spool: &'a Path) -> Self {
        Compared { chunks: index.chunks, spool, batch: Vec::new(), batch_bytes: FIRST_BATCH_BYTES, matched: 0, differs: false }
    }

    /// Whether the whole dump was the same.
    pub(in crate::verbs) fn was_same(mut self) -> bool {
        self.check();
        !self.differs && self.batch.is_empty() && self.matched == self.chunks.len()
    }

    /// Compares every whole chunk of the batch, and keeps the rest for the next.
    fn check(&mut self) {
        let expected = &self.chunks[self.matched..];
        let mut ends = 0;
        let count = expected
            .iter()
            .take_while(|chunk| {
                let fits = ends + chunk.bytes as usize <= self.batch.len();
                ends += if fits { chunk.bytes as usize } else { 0 };
                fits
            })
            .count();
        if count == expected.len() && ends < self.batch.len() {
            // More than there was.
            self.differs = true;
            return;
        }
        self.differs |= !all_match(&expected[..count], &self.batch[..ends]);
        self.batch.drain(..ends);
        self.matched += count;
    }
}

/// Whether the bytes are those of the chunks, in order.
fn all_match(chunks: &[Chunk], bytes: &[u8]) -> bool {
    let share = chunks.len().div_ceil(workers()).max(1);
    std::thread::scope(|threads| {
        let mut rest = bytes;
        let mut others = Vec::new();
        for part in chunks.chunks(share) {
            let (own, later) = rest.split_at(part.iter().map(|chunk| chunk.bytes as usize).sum());
            rest = later;
            others.push(threads.spawn(move || part_matches(part, own)));
        }
        others.into_iter().all(|other| other.join().unwrap_or(false))
    })
}

fn part_matches(chunks: &[Chunk], mut bytes: &[u8]) -> bool {
    chunks.iter().all(|chunk| {
        let (own, later) = bytes.split_at(chunk.bytes as usize);
        bytes = later;
        chunk_hash(own) == chunk.hash
    })
}

impl Write for Compared<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if !self.differs {
            self.batch.extend_from_slice(bytes);
            if self.batch.len() >= self.batch_bytes {
                self.check();
                self.batch_bytes = BATCH_BYTES;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Outlet for Compared<'_> {
    fn begin(&mut self, _cut: Cut) -> Result<()> {
        (self.matched, self.differs) = (0, false);
        self.batch.clear();
        Ok(())
    }

    fn spool(&self) -> &Path {
        self.spool
    }

    fn is_satisfied(&self) -> bool {
        self.differs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> Compared<'static> {
        let spool = Path::new("/");
        Compared { chunks: Vec::new(), spool, batch: Vec::new(), batch_bytes: FIRST_BATCH_BYTES, matched: 0, differs: false }
    }

    fn chunks_of(bytes: &[u8], sizes: &[usize]) -> Vec<Chunk> {
        let mut rest = bytes;
        let chunk_of = |size: &usize| {
            let (own, later) = rest.split_at(*size);
            rest = later;
            Chunk { hash: chunk_hash(own), bytes: u32::try_from(*size).expect("small"), source: 0, place: 0 }
        };
        sizes.iter().map(chunk_of).collect()
    }

    fn is_same(bytes: &[u8], chunks: &[Chunk], step: usize) -> bool {
        let mut compared = Compared { chunks: chunks.to_vec(), ..empty() };
        bytes.chunks(step).for_each(|part| compared.write_all(part).expect("never fails"));
        compared.was_same()
    }

    #[test]
    fn the_same_bytes_are_the_same_however_they_come_and_any_other_are_not() {
        let bytes: Vec<u8> = (0..200_000u32).flat_map(u32::to_le_bytes).collect();
        let sizes: Vec<usize> = (0..200).map(|n| if n % 2 == 0 { 3000 } else { 5000 }).collect();
        let chunks = chunks_of(&bytes, &sizes);
        for step in [1000, 4096, 70_000, 800_000] {
            assert!(is_same(&bytes, &chunks, step), "by {step}");
            for at in [0, 2999, 3000, 400_000, 799_999] {
                let mut other = bytes.clone();
                other[at] ^= 1;
                assert!(!is_same(&other, &chunks, step), "byte {at} by {step}");
            }
            assert!(!is_same(&bytes[..795_000], &chunks, step), "one chunk less");
            assert!(!is_same(&bytes[..799_999], &chunks, step), "one byte less");
            assert!(!is_same(&[&bytes[..], &[0]].concat(), &chunks, step), "one byte more");
        }
        assert!(is_same(&[], &chunks_of(&[], &[]), 1));
        assert!(!is_same(&[1], &chunks_of(&[], &[]), 1));
    }
}
