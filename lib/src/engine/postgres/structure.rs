//! Whether a stream of plain bytes is a whole dump.

use super::text::Scanner;
use crate::engine::Structure;
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;

/// SQL text, read as it passes: its trailer, and the rows and content of every table.
#[derive(Default)]
pub struct SqlStructure {
    scanner: Scanner,
}

impl Structure for SqlStructure {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        self.scanner.write(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Option<Fingerprint>> {
        if self.scanner.has_header() {
            self.scanner.finish().map(Some)
        } else {
            // Text that no pg_dump made can only be asked not to end in the middle of something.
            self.scanner.finish_foreign().map(|()| None)
        }
    }
}

/// A `pg_dump -Fc` archive. Only `pg_restore` reads its inside, and it does so into a database beside the real one; here
/// its beginning is looked at.
#[derive(Debug, Default)]
pub struct ArchiveStructure {
    head: Vec<u8>,
}

const MAGIC: &[u8] = b"PGDMP";

impl Structure for ArchiveStructure {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        let missing = MAGIC.len() - self.head.len();
        self.head.extend_from_slice(&bytes[..bytes.len().min(missing)]);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Option<Fingerprint>> {
        if self.head == MAGIC { Ok(None) } else { Err(Error::bad("it is no pg_dump archive")) }
    }
}
