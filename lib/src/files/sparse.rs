//! Files with holes: what is between the holes is stored, with a map, in the form that GNU calls 1.0 of PAX.

use std::fs::File;
use std::ops::Range;

use super::padded;

/// More pieces than this are not worth a map: the file is stored as if it had no holes.
const PIECES_MAX: usize = 100_000;

/// Where a file has data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Map {
    /// The file's length.
    pub(super) bytes: u64,
    /// What is no hole, in order.
    pub(super) data: Vec<Range<u64>>,
}

impl Map {
    /// Asks the file system. None where the file has no holes, or the file system tells none.
    #[cfg(target_os = "linux")]
    pub(super) fn of(file: &File, bytes: u64) -> Option<Self> {
        use nix::unistd::{Whence, lseek};
        let length = i64::try_from(bytes).ok()?;
        let mut data = Vec::new();
        let mut at = 0;
        while at < length {
            let begin = match lseek(file, at, Whence::SeekData) {
                Ok(begin) => begin.min(length),
                Err(nix::errno::Errno::ENXIO) => break,
                Err(_) => return None,
            };
            let end = lseek(file, begin, Whence::SeekHole).ok()?.min(length);
            if begin < end {
                data.push(u64::try_from(begin).ok()?..u64::try_from(end).ok()?);
            }
            if data.len() > PIECES_MAX || end <= at {
                return None;
            }
            at = end;
        }
        let has_holes = data.iter().map(|piece| piece.end - piece.start).sum::<u64>() < bytes;
        has_holes.then_some(Map { bytes, data })
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn of(_file: &File, _bytes: u64) -> Option<Self> {
        None
    }

    /// The map as it stands before the data: decimal numbers, a line each, padded to a block.
    pub(super) fn block(&self) -> Vec<u8> {
        // An empty piece at its end says how long a file is that ends in a hole.
        let last = self.data.last().is_none_or(|piece| piece.end < self.bytes).then_some(self.bytes..self.bytes);
        let pieces: Vec<&Range<u64>> = self.data.iter().chain(last.as_ref()).collect();
        let mut text = format!("{}\n", pieces.len());
        for piece in pieces {
            text.push_str(&format!("{}\n{}\n", piece.start, piece.end - piece.start));
        }
        let mut block = text.into_bytes();
        block.resize(padded(block.len() as u64) as usize, 0);
        block
    }

    /// The length of map and data together.
    pub(super) fn stored_bytes(&self) -> u64 {
        self.block().len() as u64 + self.data.iter().map(|piece| piece.end - piece.start).sum::<u64>()
    }
}

/// Reads a map as it comes, byte by byte.
#[derive(Default)]
pub(super) struct MapReader {
    numbers: Vec<u64>,
    digits: Vec<u8>,
    taken: u64,
}

/// What a map must agree with.
pub(super) struct Declared {
    /// The file's length.
    pub(super) bytes: u64,
    /// The length of map and data together.
    pub(super) stored: u64,
}

impl MapReader {
    /// Takes a block of the archive; gives the map once it is complete. An error says why it cannot be one.
    pub(super) fn take(&mut self, block: &[u8], declared: &Declared) -> Result<Option<Map>, &'static str> {
        self.taken += block.len() as u64;
        for byte in block {
            match byte {
                b'\n' => {
                    let text = std::str::from_utf8(&self.digits).map_err(|_| "a number is no number")?;
                    self.numbers.push(text.parse().map_err(|_| "a number is no number")?);
                    self.digits.clear();
                    if self.numbers[0] > PIECES_MAX as u64 + 1 {
                        return Err("it has too many pieces");
                    }
                    if self.numbers.len() as u64 == 1 + 2 * self.numbers[0] {
                        return self.map(declared).map(Some);
                    }
                }
                digit if digit.is_ascii_digit() && self.digits.len() < 20 => self.digits.push(*digit),
                _ => return Err("a number is no number"),
            }
        }
        if self.taken >= declared.stored { Err("it does not end") } else { Ok(None) }
    }

    fn map(&self, declared: &Declared) -> Result<Map, &'static str> {
        let mut data = Vec::new();
        let (mut at, mut sum) = (0, 0u64);
        for piece in self.numbers[1..].chunks(2) {
            let (begin, length) = (piece[0], piece[1]);
            let end = begin.checked_add(length).filter(|end| *end <= declared.bytes).ok_or("a piece lies behind the end")?;
            if begin < at {
                return Err("its pieces overlap");
            }
            at = end;
            sum += length;
            if length > 0 {
                data.push(begin..end);
            }
        }
        if self.taken.checked_add(sum) != Some(declared.stored) {
            return Err("its pieces do not add up");
        }
        Ok(Map { bytes: declared.bytes, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(map: &Map, block: &[u8]) -> Result<Option<Map>, &'static str> {
        let declared = Declared { bytes: map.bytes, stored: map.stored_bytes() };
        let mut reader = MapReader::default();
        for part in block.chunks(512) {
            if let Some(map) = reader.take(part, &declared)? {
                return Ok(Some(map));
            }
        }
        Ok(None)
    }

    #[test]
    fn a_map_is_read_as_it_was_written() {
        for (bytes, data) in [(10, vec![]), (5000, vec![0..10, 4096..5000]), (5000, std::iter::once(4096..4097).collect())] {
            let map = Map { bytes, data };
            assert_eq!(read(&map, &map.block()), Ok(Some(map.clone())));
        }
        let many = Map { bytes: 1 << 30, data: (0..900).map(|n| n << 20..(n << 20) + 4096).collect() };
        assert!(many.block().len() > 512 && many.block().len().is_multiple_of(512));
        assert_eq!(read(&many, &many.block()), Ok(Some(many.clone())));
    }

    #[test]
    fn fm_f13_a_map_that_lies_is_refused() {
        let map = Map { bytes: 5000, data: std::iter::once(0..10).collect() };
        for text in
            ["1\n0\n11\n", "1\n4999\n10\n", "2\n10\n5\n0\n5\n", "x\n", "99999999999\n", "1\n18446744073709551615\n10\n", "1\n-1\n1\n"]
        {
            let mut block = text.as_bytes().to_vec();
            block.resize(512, 0);
            assert!(!matches!(read(&map, &block), Ok(Some(_))), "{text:?}");
        }
    }
}
