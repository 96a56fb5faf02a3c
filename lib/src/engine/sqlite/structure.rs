//! Whether a stream of plain bytes is a whole SQLite database, or a whole `.dump`.

use super::load::MAGIC;
use crate::engine::Structure;
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;

/// Where the header keeps the page size, …
const PAGE_SIZE_AT: usize = 16;
/// … and the number of pages.
const PAGE_COUNT_AT: usize = 28;
const HEADER_BYTES: usize = 100;

/// A page image is whole if its header's page count and page size give its length.
#[derive(Debug, Default)]
pub struct ImageStructure {
    header: Vec<u8>,
    bytes: u64,
}

impl Structure for ImageStructure {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        let missing = HEADER_BYTES - self.header.len();
        self.header.extend_from_slice(&bytes[..bytes.len().min(missing)]);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Option<Fingerprint>> {
        if self.header.len() < HEADER_BYTES || !self.header.starts_with(MAGIC) {
            return Err(Error::bad("it is no SQLite database"));
        }
        let page_size = match u16::from_be_bytes([self.header[PAGE_SIZE_AT], self.header[PAGE_SIZE_AT + 1]]) {
            1 => 65536,
            size => u64::from(size),
        };
        let count: [u8; 4] = self.header[PAGE_COUNT_AT..PAGE_COUNT_AT + 4].try_into().unwrap_or_default();
        // Writers before SQLite 3.7 left the count at 0.
        let pages = u64::from(u32::from_be_bytes(count));
        if page_size < 512 || !self.bytes.is_multiple_of(page_size) || (pages != 0 && pages * page_size != self.bytes) {
            return Err(Error::bad(format!("the SQLite database has {} bytes, its header says {pages} pages of {page_size}", self.bytes)));
        }
        Ok(None)
    }
}

/// A `.dump` is whole if it begins a transaction and ends with `COMMIT;`.
#[derive(Debug, Default)]
pub struct SqlStructure {
    tail: Vec<u8>,
}

/// Enough to hold the last line and some white space after it.
const TAIL_BYTES: usize = 256;

impl Structure for SqlStructure {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL_BYTES)..]);
        let surplus = self.tail.len().saturating_sub(TAIL_BYTES);
        self.tail.drain(..surplus);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Option<Fingerprint>> {
        let tail = self.tail.trim_ascii_end();
        if tail.ends_with(b"COMMIT;") {
            return Ok(None);
        }
        let rolled_back = tail.ends_with(b"ROLLBACK; -- due to errors");
        let why = if rolled_back { "sqlite3 met errors while it made it" } else { "it does not end with COMMIT" };
        Err(Error::bad(format!("the SQL text is no whole dump: {why}")))
    }
}
