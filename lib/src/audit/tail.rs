//! The end of a file, read from behind: what it costs does not grow with the log.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::line::LINE_MAX_BYTES;
use crate::error::{Error, OnPath, Result};
use crate::fsx;

/// Read at first: some lines.
const FIRST_BYTES: u64 = 8 << 10;
/// A whole line and a torn one after it, newlines included; beyond that nothing was written by us.
const TAIL_MAX_BYTES: u64 = 2 * (LINE_MAX_BYTES as u64 + 1);

/// How a file ends.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// The hash of its last whole line; none where it holds no whole line.
    pub(super) sha256: Option<String>,
    /// Where that line ends, its newline included.
    pub(super) end: u64,
    /// What stands after it without a newline: length and hash.
    pub(super) torn: Option<(u64, String)>,
}

/// Reads how a file ends.
pub(super) fn of(file: &File, path: &Path) -> Result<Tail> {
    let length = file.metadata().on("look at", path)?.len();
    let mut window = FIRST_BYTES;
    loop {
        let begin = length.saturating_sub(window);
        let bytes = read_range(file, path, begin, length)?;
        let last_newline = bytes.iter().rposition(|byte| *byte == b'\n');
        let before = last_newline.and_then(|at| bytes[..at].iter().rposition(|byte| *byte == b'\n'));
        // The line begins after the newline before it, or at the beginning of the file.
        let line_begin = match (last_newline, before, begin) {
            (Some(_), Some(before), _) => Some(before + 1),
            (_, _, 0) => Some(0),
            _ => None,
        };
        if let Some(line_begin) = line_begin {
            let end = last_newline.map_or(0, |at| at + 1);
            let torn = &bytes[end..];
            return Ok(Tail {
                sha256: last_newline.map(|at| fsx::sha256_hex(&bytes[line_begin..at])),
                end: begin + end as u64,
                torn: (!torn.is_empty()).then(|| (torn.len() as u64, fsx::sha256_hex(torn))),
            });
        }
        if window >= TAIL_MAX_BYTES {
            return Err(Error::failed(format!("{} does not end with a line of the audit trail", path.display()))
                .hint("something else wrote into it; look at its end, and move the file away to begin a new one"));
        }
        window = (window * 8).min(TAIL_MAX_BYTES);
    }
}

/// The hash of the line that ends, with its newline, at `offset`; none where there is none.
pub(super) fn line_ending_at(file: &File, path: &Path, offset: u64) -> Result<Option<String>> {
    let length = file.metadata().on("look at", path)?.len();
    if offset == 0 || offset > length {
        return Ok(None);
    }
    let begin = offset.saturating_sub(LINE_MAX_BYTES as u64 + 2);
    let bytes = read_range(file, path, begin, offset)?;
    let Some((b'\n', line)) = bytes.split_last() else { return Ok(None) };
    let line_begin = line.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    Ok(Some(fsx::sha256_hex(&line[line_begin..])))
}

/// How many lines end in a range of the file.
pub(super) fn count_lines(file: &File, path: &Path, from: u64, to: u64) -> Result<u64> {
    const STRIDE: u64 = 1 << 20;
    let (mut count, mut at) = (0, from);
    while at < to {
        let next = to.min(at + STRIDE);
        count += read_range(file, path, at, next)?.iter().filter(|byte| **byte == b'\n').count() as u64;
        at = next;
    }
    Ok(count)
}

fn read_range(file: &File, path: &Path, from: u64, to: u64) -> Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(to.saturating_sub(from)).unwrap_or(0)];
    file.read_exact_at(&mut bytes, from).on("read", path)?;
    Ok(bytes)
}
