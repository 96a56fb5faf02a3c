//! A dump that somebody else made, as a component.

use std::io::Read;

use super::{PROGRESS_BYTES, describe, file_name};
use crate::compression::Compression;
use crate::engine::{self, Content, Cut};
use crate::error::{Error, Kind, Result};
use crate::fingerprint::Fingerprint;
use crate::frames::seal::Sealer;
use crate::interrupt;
use crate::manifest::Component;
use crate::progress::Progress;
use crate::store::Staging;

/// Average chunk of text, whose size is not known before its end.
const TEXT_CHUNK_BYTES: u32 = 16 << 10;
/// A SQLite file says its page size in its first bytes.
const HEAD_BYTES: usize = 100;
/// As much is read at once.
const PART_BYTES: usize = 256 << 10;

/// A dump that was taken in.
pub struct Adopted {
    /// Its component.
    pub component: Component,
    /// Its state, where the stream alone tells it.
    pub fingerprint: Option<Fingerprint>,
}

/// Packs a plain stream into the staging folder, reads it back from the disk, and finds it to be a whole dump.
pub fn adopt(
    content: Content,
    plain: &mut dyn Read,
    staging: &Staging,
    compression: Compression,
    progress: &dyn Progress,
) -> Result<Adopted> {
    let bad = |error| {
        let error = Error::from_io("the dump cannot be read to its end", error);
        if error.kind() == Kind::Failed { error.as_kind(Kind::Bad) } else { error }
    };
    let mut head = Vec::with_capacity(HEAD_BYTES);
    plain.take(HEAD_BYTES as u64).read_to_end(&mut head).map_err(bad)?;
    let cut = match content {
        Content::SqliteImage => Cut::Fixed(page_size(&head)?),
        _ => Cut::Content(TEXT_CHUNK_BYTES),
    };
    let mut sealer = Sealer::create(
        &staging.path().join(file_name(super::DATABASE, content.file_ending(), compression, false)),
        cut,
        compression,
        None,
    )?;
    let mut structure = engine::structure_of(content);
    let mut part = vec![0; PART_BYTES];
    let mut count = head.len();
    part[..count].copy_from_slice(&head);
    let mut told = 0;
    while count > 0 {
        interrupt::check()?;
        sealer.add(&part[..count])?;
        structure.take(&part[..count])?;
        if sealer.plain_bytes() - told >= PROGRESS_BYTES {
            told = sealer.plain_bytes();
            progress.reached(told);
        }
        count = match plain.read(&mut part) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            other => other.map_err(bad)?,
        };
    }
    let fingerprint = structure.finish()?;
    let component = describe(super::DATABASE, (content.name(), content.file_ending()), sealer.finish()?, staging, compression, Vec::new())?;
    Ok(Adopted { component, fingerprint })
}

/// Two bytes at offset 16, where 1 stands for 65,536.
fn page_size(head: &[u8]) -> Result<u32> {
    match head.get(16..18) {
        Some([0, 1]) => Ok(65_536),
        Some([high, low]) => Ok(u32::from(*high) << 8 | u32::from(*low)),
        _ => Err(Error::bad("the SQLite file ends within its header")),
    }
}
