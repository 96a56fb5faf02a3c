//! Single runs out of a component: only the frames in which they lie are read and unpacked, in whatever backup those are.

use std::io::{self, Read};
use std::sync::Arc;

use super::chunk_hash;
use super::index::Index;
use super::shelf::{Picker, Piece, Shelf};
use crate::error::{Error, Result};
use crate::interrupt;

/// A component's plain stream, read from any place on. Every chunk is compared with its hash in the index; the rest of the files may
/// be damaged or not even be there.
pub struct Runs {
    index: Index,
    /// Where each chunk begins in the plain stream.
    begins: Vec<u64>,
    picker: Picker,
    /// The component's own place on the shelf.
    own: usize,
    /// The chunk that was read last, and was what it should be.
    current: Option<(usize, Piece)>,
    at: u64,
}

impl Runs {
    /// The stream of the shelf's last volume, which has this index. Nothing is read yet.
    pub fn over(shelf: &Arc<Shelf>, index: Index) -> Self {
        let mut begins = Vec::with_capacity(index.chunks.len());
        let mut at = 0;
        for chunk in &index.chunks {
            begins.push(at);
            at += u64::from(chunk.bytes);
        }
        Runs { index, begins, picker: Picker::new(shelf), own: shelf.last(), current: None, at: 0 }
    }

    /// Goes to a place in the plain stream.
    pub fn go_to(&mut self, offset: u64) {
        self.at = offset;
    }

    fn piece(&mut self, number: usize) -> Result<Piece> {
        interrupt::check()?;
        let chunk = &self.index.chunks[number];
        let piece = match chunk.source {
            0 => self.picker.chunk(self.own, number)?,
            source => self.picker.chunk(usize::from(source) - 1, chunk.place as usize)?,
        };
        if piece.bytes().len() != chunk.bytes as usize || chunk_hash(piece.bytes()) != chunk.hash {
            return Err(Error::bad("a chunk does not match its hash"));
        }
        Ok(piece)
    }
}

impl Read for Runs {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.index.plain_bytes || buffer.is_empty() {
            return Ok(0);
        }
        let number = self.begins.partition_point(|begin| *begin <= self.at) - 1;
        let piece = match self.current.take() {
            Some((last, piece)) if last == number => piece,
            _ => self.piece(number)?,
        };
        let from = usize::try_from(self.at - self.begins[number]).map_err(io::Error::other)?;
        let rest = piece.bytes().get(from..).unwrap_or_default();
        let count = buffer.len().min(rest.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count as u64;
        self.current = Some((number, piece));
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compression::Compression;
    use crate::frames::cut::Cut;
    use crate::frames::index::Outline;
    use crate::frames::seal::Sealer;
    use crate::frames::shelf::Volume;

    #[test]
    fn any_run_is_read_although_the_rest_is_damaged() {
        let plain: Vec<u8> = (0..400_000u32).flat_map(|n| (n / 3).to_le_bytes()).collect();
        for compression in [Compression::Gzip(1), Compression::Zstd(1), Compression::None] {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("x");
            let mut sealer = Sealer::create(&path, Cut::Content(8192), compression, None).expect("begun");
            sealer.add(&plain).expect("added");
            let index = Index::clone(&sealer.finish().expect("finished").read_back().expect("read back").index);
            assert!(index.frames.len() > 4);
            let read = |offset: usize, length: usize| {
                let outline = Outline::parse(&index.to_bytes().expect("bytes")).expect("an index");
                let volume = Volume::open(&path, &outline).expect("a volume");
                let mut picker = Runs::over(&Arc::new(Shelf::new(vec![Some(volume)]).expect("a shelf")), index.clone());
                picker.go_to(offset as u64);
                let mut found = vec![0; length];
                picker.read_exact(&mut found).map(|()| found)
            };
            for (offset, length) in [(0, 1), (0, plain.len()), (262_143, 2), (1_000_000, 300_000), (plain.len() - 1, 1)] {
                assert_eq!(read(offset, length).expect("read"), plain[offset..offset + length], "{offset} {length}");
            }
            assert!(read(plain.len() - 1, 2).is_err(), "there is nothing behind the end");
            let mut stored = std::fs::read(&path).expect("read");
            let hit = index.frames[1].stored_offset as usize + 40;
            stored[hit] ^= 1;
            std::fs::write(&path, stored).expect("written");
            assert_eq!(read(1_200_000, 1000).expect("read"), plain[1_200_000..1_201_000]);
            assert!(read(200_000, 200_000).is_err(), "a damaged frame is told");
        }
    }
}
