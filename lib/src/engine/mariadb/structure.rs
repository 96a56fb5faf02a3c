//! Whether a stream of plain bytes is a whole dump.

use super::text::Scanner;
use crate::engine::Structure;
use crate::error::Result;
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
            // Text that no dump program made can only be asked not to end in the middle of something.
            self.scanner.finish_foreign().map(|()| None)
        }
    }
}
