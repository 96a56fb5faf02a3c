//! A dump that is only compared with an earlier one, and kept nowhere.

use std::io::Write;
use std::path::Path;

use crate::engine::{Cut, Outlet};
use crate::error::Result;
use crate::frames::chunk_hash;
use crate::frames::index::Index;

/// Takes a dump only to compare it with an index, chunk by chunk.
pub(in crate::verbs) struct Compared<'a> {
    index: Index,
    spool: &'a Path,
    chunk: Vec<u8>,
    matched: usize,
    differs: bool,
}

impl<'a> Compared<'a> {
    pub(in crate::verbs) fn with(index: Index, spool: &'a Path) -> Self {
        Compared { index, spool, chunk: Vec::new(), matched: 0, differs: false }
    }

    pub(in crate::verbs) fn is_same(&self) -> bool {
        !self.differs && self.chunk.is_empty() && self.matched == self.index.chunks.len()
    }
}

impl Write for Compared<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut rest = bytes;
        while !self.differs && !rest.is_empty() {
            let Some(expected) = self.index.chunks.get(self.matched) else {
                self.differs = true;
                break;
            };
            let missing = expected.bytes as usize - self.chunk.len();
            let (now, later) = rest.split_at(rest.len().min(missing));
            self.chunk.extend_from_slice(now);
            rest = later;
            if self.chunk.len() == expected.bytes as usize {
                self.differs = chunk_hash(&self.chunk) != expected.hash;
                self.chunk.clear();
                self.matched += 1;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Outlet for Compared<'_> {
    fn begin(&mut self, _cut: Cut) -> Result<()> {
        (self.matched, self.differs) = (0, false);
        self.chunk.clear();
        Ok(())
    }

    fn spool(&self) -> &Path {
        self.spool
    }
}
