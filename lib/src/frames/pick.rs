//! Single runs out of a component: only the frames in which they lie are read and unpacked.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::chunk_hash;
use super::codec::Decoder;
use super::index::Index;
use crate::error::{Error, OnPath, Result};
use crate::fsx;
use crate::interrupt;

/// A component's plain stream, read from any place on. Every chunk is compared with its hash in the index; the rest of the file may
/// be damaged or not even be there.
pub struct Picker {
    path: PathBuf,
    file: File,
    index: Index,
    decoder: Decoder,
    /// Where each frame begins in the plain stream.
    begins: Vec<u64>,
    current: Option<usize>,
    plain: Vec<u8>,
    at: u64,
}

impl Picker {
    /// Opens a component that refers to no other backup. Nothing is read yet.
    pub fn open(path: &Path, index: Index) -> Result<Self> {
        if !index.sources.is_empty() || !index.dictionaries.is_empty() {
            return Err(Error::failed(format!("{} is an increment, of which single files cannot be taken", path.display()))
                .hint("restore all of it"));
        }
        let mut begins = Vec::with_capacity(index.frames.len());
        let mut at = 0;
        for frame in &index.frames {
            begins.push(at);
            at += u64::from(frame.plain_bytes);
        }
        let decoder = Decoder::new(index.codec)?;
        Ok(Picker {
            path: path.to_owned(),
            file: fsx::open_to_read(path)?,
            index,
            decoder,
            begins,
            current: None,
            plain: Vec::new(),
            at: 0,
        })
    }

    /// Goes to a place in the plain stream.
    pub fn go_to(&mut self, offset: u64) {
        self.at = offset;
    }

    fn unpack(&mut self, number: usize) -> Result<()> {
        interrupt::check()?;
        let frame = self.index.frames[number];
        let damaged = |error: &dyn std::fmt::Display| {
            Error::bad(format!("{} is damaged in frame {} of {}: {error}", self.path.display(), number + 1, self.index.frames.len()))
        };
        let mut stored = vec![0; frame.stored_bytes as usize];
        self.file.read_exact_at(&mut stored, frame.stored_offset).on("read", &self.path).map_err(|error| damaged(&error))?;
        self.current = None;
        self.decoder.decode(&stored, frame.plain_bytes as usize, &mut self.plain).map_err(|error| damaged(&error))?;
        let first = self.index.chunks.partition_point(|chunk| (chunk.place as usize) < number);
        let mut begin = 0;
        for chunk in self.index.chunks[first..].iter().take_while(|chunk| chunk.place as usize == number) {
            let end = begin + chunk.bytes as usize;
            if self.plain.get(begin..end).map(chunk_hash) != Some(chunk.hash) {
                return Err(damaged(&"a chunk does not match its hash"));
            }
            begin = end;
        }
        self.current = Some(number);
        Ok(())
    }
}

impl Read for Picker {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.index.plain_bytes || buffer.is_empty() {
            return Ok(0);
        }
        // The last frame that begins here or before; an empty one ends where it begins.
        let number = self.begins.partition_point(|begin| *begin <= self.at) - 1;
        if self.current != Some(number) {
            self.unpack(number)?;
        }
        let from = usize::try_from(self.at - self.begins[number]).map_err(io::Error::other)?;
        let count = buffer.len().min(self.plain.len().saturating_sub(from));
        buffer[..count].copy_from_slice(&self.plain[from..from + count]);
        self.at += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compression::Compression;
    use crate::frames::cut::Cut;
    use crate::frames::seal::Sealer;

    #[test]
    fn any_run_is_read_although_the_rest_is_damaged() {
        let plain: Vec<u8> = (0..400_000u32).flat_map(|n| (n / 3).to_le_bytes()).collect();
        for compression in [Compression::Gzip(1), Compression::Zstd(1), Compression::None] {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("x");
            let mut sealer = Sealer::create(&path, Cut::Content(8192), compression).expect("begun");
            sealer.add(&plain).expect("added");
            let index = Index::clone(&sealer.finish().expect("finished").read_back().expect("read back").index);
            assert!(index.frames.len() > 4);
            let read = |offset: usize, length: usize| {
                let mut picker = Picker::open(&path, index.clone()).expect("open");
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
            assert!(read(300_000, 200_000).is_err(), "a damaged frame is told");
        }
    }
}
