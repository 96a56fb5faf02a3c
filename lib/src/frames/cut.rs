//! Where a plain stream is cut into chunks.

use fastcdc::v2020::FastCDC;

use crate::error::{Error, Result};

/// How the plain bytes of a component are cut into chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// At every multiple of this many bytes: a database's own page size.
    Fixed(u32),
    /// Where the content says so (FastCDC, 2020), this many bytes on average, a power of two.
    Content(u32),
}

/// Content-defined chunks are at least this fraction of the average, …
const MIN_SHARE: usize = 4;
/// … and at most this multiple of it.
const MAX_TIMES: usize = 4;
/// The range of sizes a cut may have.
const SIZES: std::ops::RangeInclusive<u32> = 512..=65536;

impl Cut {
    /// Checks the size, which decides memory and what old and new backups share.
    pub fn check(self) -> Result<Self> {
        let (Cut::Fixed(size) | Cut::Content(size)) = self;
        if SIZES.contains(&size) && size.is_power_of_two() {
            Ok(self)
        } else {
            Err(Error::bad(format!("chunks of {size} bytes are not possible")))
        }
    }

    /// Whether chunks may be of any length up to the longest.
    pub fn is_by_content(self) -> bool {
        matches!(self, Cut::Content(_))
    }

    /// The longest chunk it makes.
    pub fn chunk_max(self) -> usize {
        match self {
            Cut::Fixed(size) => size as usize,
            Cut::Content(average) => average as usize * MAX_TIMES,
        }
    }

    /// The length of the first chunk of `bytes`; none where more bytes are needed to tell and `at_end` is false.
    pub(super) fn next(self, bytes: &[u8], at_end: bool) -> Option<usize> {
        if bytes.is_empty() || (bytes.len() < self.chunk_max() && !at_end) {
            return None;
        }
        let window = &bytes[..bytes.len().min(self.chunk_max())];
        match self {
            Cut::Fixed(_) => Some(window.len()),
            Cut::Content(average) => {
                let average = average as usize;
                let cutter = FastCDC::new(window, average / MIN_SHARE, average, average * MAX_TIMES);
                Some(cutter.cut(0, window.len()).1)
            }
        }
    }
}
