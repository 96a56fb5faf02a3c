//! Whether a stream of plain bytes is a whole dump.

use crate::engine::Structure;
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;

/// How many bytes of a stream's end are looked at for its trailer.
const TAIL_BYTES: usize = 4096;
/// The line that a dump ends with.
const TRAILER: &[u8] = b"\n-- Dump completed";

/// SQL text: its trailer.
#[derive(Default)]
pub struct SqlStructure {
    tail: Vec<u8>,
}

impl Structure for SqlStructure {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL_BYTES)..]);
        let surplus = self.tail.len().saturating_sub(TAIL_BYTES);
        self.tail.drain(..surplus);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Option<Fingerprint>> {
        let is_whole = self.tail.windows(TRAILER.len()).any(|window| window == TRAILER);
        if is_whole { Ok(None) } else { Err(Error::bad("the dump is cut off: its last line, \"-- Dump completed\", is missing")) }
    }
}
