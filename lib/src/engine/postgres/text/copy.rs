//! Inside the rows of a `COPY` block: counting, hashing, and finding `\.`, at the speed of memory.

use sha2::{Digest, Sha256};

/// How many bytes are looked at in one vectorised step. At most 255, so that a step's newlines fit one byte.
const STEP: usize = 128;

/// Where the present position stands towards the end line `\.` (backslash, dot, newline, at the start of a line).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Inside,
    LineStart,
    Backslash,
    Dot,
}

/// Finds the end of a block's rows across the borders of the pieces it comes in.
#[derive(Debug)]
pub(super) struct CopyEnd {
    at: At,
}

impl Default for CopyEnd {
    fn default() -> Self {
        CopyEnd { at: At::LineStart }
    }
}

impl CopyEnd {
    /// Takes a block; adds its rows and hashes their bytes (the end line is no row). Gives what follows the end line, and
    /// whether it was found.
    pub(super) fn feed<'a>(&mut self, block: &'a [u8], rows: &mut u64, mut hash: Option<&mut Sha256>) -> (&'a [u8], bool) {
        let mut position = 0;
        // What the last block's end held back, since it could have been the beginning of the end line.
        let held: &[u8] = match self.at {
            At::Backslash => b"\\",
            At::Dot => b"\\.",
            At::Inside | At::LineStart => b"",
        };
        if !held.is_empty() {
            while position < block.len() && matches!(self.at, At::Backslash | At::Dot) {
                let found = self.step(block[position], rows);
                position += 1;
                if found {
                    return (&block[position..], true);
                }
            }
            if matches!(self.at, At::Backslash | At::Dot) {
                return (&[], false);
            }
            if let Some(hash) = hash.as_deref_mut() {
                hash.update(held);
                hash.update(&block[..position]);
            }
        }
        let from = position;
        while position < block.len() {
            if matches!(self.at, At::Inside | At::LineStart) {
                let (count, newlines) = quiet_run(&block[position..]);
                if count > 0 {
                    *rows += newlines;
                    position += count;
                    self.at = if block[position - 1] == b'\n' { At::LineStart } else { At::Inside };
                }
            }
            // A step that holds a backslash and a dot, or the rest of the block: byte by byte.
            let slow_end = block.len().min(position + STEP);
            while position < slow_end {
                let found = self.step(block[position], rows);
                position += 1;
                if found {
                    if let Some(hash) = hash.as_deref_mut() {
                        hash.update(&block[from..position - 3]);
                    }
                    return (&block[position..], true);
                }
            }
        }
        let keep = match self.at {
            At::Backslash => 1,
            At::Dot => 2,
            At::Inside | At::LineStart => 0,
        };
        if let Some(hash) = hash {
            hash.update(&block[from..position - keep]);
        }
        (&[], false)
    }

    /// One byte; whether it ends the block.
    fn step(&mut self, byte: u8, rows: &mut u64) -> bool {
        self.at = match (self.at, byte) {
            (At::Dot, b'\n') => return true,
            (_, b'\n') => {
                *rows += 1;
                At::LineStart
            }
            (At::LineStart, b'\\') => At::Backslash,
            (At::Backslash, b'.') => At::Dot,
            _ => At::Inside,
        };
        false
    }
}

/// How many bytes from the start hold no backslash that a dot follows, in whole steps, and the newlines among them. The
/// byte behind a step is looked at with it, so a pair across the border of two steps is seen.
fn quiet_run(bytes: &[u8]) -> (usize, u64) {
    let mut count = 0;
    let mut newlines = 0u64;
    while let Some(window) = bytes.get(count..count + STEP + 1) {
        let (step, next) = (&window[..STEP], &window[1..]);
        let mut lines = 0u8;
        let mut pair = 0u8;
        for (byte, after) in step.iter().zip(next) {
            lines += u8::from(*byte == b'\n');
            pair |= u8::from(*byte == b'\\') & u8::from(*after == b'.');
        }
        if pair != 0 {
            break;
        }
        newlines += u64::from(lines);
        count += STEP;
    }
    (count, newlines)
}

/// The position of the first newline.
pub(super) fn find_newline(bytes: &[u8]) -> Option<usize> {
    find(bytes, b'\n', b'\n')
}

/// The position of the first byte that is one of the two.
pub(super) fn find(bytes: &[u8], one: u8, other: u8) -> Option<usize> {
    let mut at = 0;
    while let Some(step) = bytes.get(at..at + STEP) {
        if step.iter().fold(false, |found, byte| found | (*byte == one) | (*byte == other)) {
            break;
        }
        at += STEP;
    }
    bytes[at..].iter().position(|byte| *byte == one || *byte == other).map(|offset| at + offset)
}
