//! A dump of SQL text on its way from the program that makes it.

use std::io::{Read, Write};
use std::path::Path;

use super::{Cut, Outlet};
use crate::error::{Error, Result};
use crate::exec::Stream;
use crate::giving_way::GivingWay;

/// How much of the stream is read at once.
const BLOCK_BYTES: usize = 256 << 10;

/// How a dump of about so many bytes is cut.
pub(super) fn cut_for(estimated_bytes: u64) -> Cut {
    Cut::Content(match estimated_bytes >> 20 {
        0..64 => 8 << 10,
        64..1024 => 16 << 10,
        _ => 32 << 10,
    })
}

/// Moves the dump from the program to the outlet; `look` sees each block that has gone there. Nothing is begun before the
/// first byte.
pub(super) fn pump(stream: &mut Stream, out: &mut dyn Outlet, cut: Cut, mut look: impl FnMut(&[u8])) -> Result<()> {
    let first_the_server = GivingWay::begin();
    let mut block = vec![0u8; BLOCK_BYTES];
    let mut has_begun = false;
    loop {
        let count = stream.read(&mut block).map_err(|error| Error::from_io("cannot read the dump", error))?;
        if count == 0 {
            break;
        }
        if !has_begun {
            out.begin(cut)?;
            has_begun = true;
        }
        out.write_all(&block[..count]).map_err(|error| Error::from_io("cannot write the dump", error))?;
        look(&block[..count]);
    }
    drop(first_the_server);
    if has_begun { out.end() } else { Ok(()) }
}

/// An outlet that keeps nothing.
pub(super) struct Nowhere;

impl Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Outlet for Nowhere {
    /// A program that writes SQL text keeps no files of its own.
    fn spool(&self) -> &Path {
        Path::new("/nonexistent")
    }

    fn begin(&mut self, _cut: Cut) -> Result<()> {
        Ok(())
    }
}
