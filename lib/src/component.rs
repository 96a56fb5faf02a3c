//! From an engine's dump to the files of a backup.

mod adopted;
mod instructions;

pub use adopted::{Adopted, adopt};
pub use instructions::instructions;

use std::io::{self, Write};
use std::path::Path;

use crate::compression::Compression;
use crate::engine::{Content, Cut, Dumped, Engine, Extra, Outlet, Workspace};
use crate::error::{Error, Result};
use crate::frames::seal::{Sealer, Unread};
use crate::fsx;
use crate::manifest::Component;
use crate::progress::Progress;
use crate::store::Staging;

/// Average chunk of the small texts beside a dump.
const EXTRA_CHUNK_BYTES: u32 = 8192;
/// How often, in plain bytes, progress is told.
const PROGRESS_BYTES: u64 = 1 << 20;

/// What dumps: the real database, or a scratch one that is dumped again.
pub enum Origin<'a> {
    /// The database at its real place.
    Live(&'a dyn Engine),
    /// One that a backup was restored into.
    Scratch(&'a dyn Workspace, Content),
}

impl Origin<'_> {
    fn content(&self) -> Content {
        match self {
            Origin::Live(engine) => engine.content(),
            Origin::Scratch(_, content) => *content,
        }
    }

    fn dump(&self, out: &mut dyn Outlet) -> Result<Dumped> {
        match self {
            Origin::Live(engine) => engine.dump(out),
            Origin::Scratch(workspace, _) => workspace.dump(out),
        }
    }
}

/// A dump whose component is written and synced, and not read back yet.
pub struct Packed {
    /// What the dump was.
    pub dumped: Dumped,
    database: Unread,
    content: Content,
}

/// Dumps a database into the staging folder.
pub fn pack_database(origin: &Origin<'_>, staging: &Path, compression: Compression, progress: &dyn Progress) -> Result<Packed> {
    let content = origin.content();
    let mut intake = Intake { staging, file: file_name("database", content, compression), compression, sealer: None, progress, told: 0 };
    let dumped = origin.dump(&mut intake)?;
    let sealer = intake.sealer.ok_or_else(|| Error::failed("the dump gave nothing"))?;
    Ok(Packed { dumped, database: sealer.finish()?, content })
}

impl Packed {
    /// Reads everything back from the disk, compares it with what went in, and adds the texts beside the dump.
    pub fn prove(self, staging: &Staging, compression: Compression) -> Result<(Dumped, Vec<Component>)> {
        let mut components = vec![describe("database", self.content, self.database, staging, compression)?];
        for extra in &self.dumped.extras {
            components.push(seal_extra(extra, self.content, staging, compression)?);
        }
        Ok((self.dumped, components))
    }
}

fn seal_extra(extra: &Extra, content: Content, staging: &Staging, compression: Compression) -> Result<Component> {
    let path = staging.path().join(file_name(&extra.role, content, compression));
    let mut sealer = Sealer::create(&path, Cut::Content(EXTRA_CHUNK_BYTES), compression)?;
    sealer.add(&extra.bytes)?;
    describe(&extra.role, content, sealer.finish()?, staging, compression)
}

fn describe(role: &str, content: Content, unread: Unread, staging: &Staging, compression: Compression) -> Result<Component> {
    let sealed = unread.read_back()?;
    let index = sealed.index.to_bytes()?;
    let index_file = format!("{role}.index");
    staging.write(&index_file, &index)?;
    Ok(Component {
        role: role.to_owned(),
        file: file_name(role, content, compression),
        content: content.name().to_owned(),
        compression: compression.name().to_owned(),
        stored_bytes: sealed.index.stored_bytes(),
        plain_bytes: sealed.index.plain_bytes,
        stored_sha256: sealed.stored_sha256,
        frames: sealed.index.frames.len() as u64,
        chunks: sealed.index.chunks.len() as u64,
        index: index_file,
        index_bytes: index.len() as u64,
        index_sha256: fsx::sha256_hex(&index),
    })
}

/// `database.sql.gz`
fn file_name(role: &str, content: Content, compression: Compression) -> String {
    let ending = match compression {
        Compression::Gzip(_) => ".gz",
        Compression::Zstd(_) => ".zst",
        Compression::None => "",
    };
    format!("{role}.{}{ending}", content.file_ending())
}

/// Where an engine's bytes go.
struct Intake<'a> {
    staging: &'a Path,
    file: String,
    compression: Compression,
    sealer: Option<Sealer>,
    progress: &'a dyn Progress,
    told: u64,
}

impl Outlet for Intake<'_> {
    fn begin(&mut self, cut: Cut) -> Result<()> {
        let path = self.staging.join(&self.file);
        if self.sealer.take().is_some() {
            // A dump that has to begin again, for instance because a table was altered under it.
            fsx::remove_file(&path)?;
        }
        self.sealer = Some(Sealer::create(&path, cut, self.compression)?);
        Ok(())
    }

    fn spool(&self) -> &Path {
        self.staging
    }
}

impl Write for Intake<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sealer = self.sealer.as_mut().ok_or_else(|| io::Error::other("bytes before the beginning of a dump"))?;
        sealer.add(bytes)?;
        if sealer.plain_bytes() - self.told >= PROGRESS_BYTES {
            self.told = sealer.plain_bytes();
            self.progress.reached(self.told);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
