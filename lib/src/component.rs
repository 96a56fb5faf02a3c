//! From an engine's dump to the files of a backup.

mod adopted;
mod instructions;

pub use adopted::{Adopted, adopt};
pub use instructions::{RECOVER_PROGRAM, instructions};

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::backup::Backup;
use crate::compression::Compression;
use crate::engine::{Content, Cut, Dumped, Engine, Extra, Outlet, Workspace};
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::frames::base::Base;
use crate::frames::seal::{Sealer, Unread};
use crate::fsx;
use crate::manifest::{Component, Source};
use crate::progress::Progress;
use crate::store::Staging;

/// The role of the component that holds the database.
const DATABASE: &str = "database";
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
            Origin::Scratch(workspace, _) => workspace.loaded().dump(out),
        }
    }
}

/// A dump whose component is written and synced, and not read back yet.
pub struct Packed {
    /// What the dump was.
    pub dumped: Dumped,
    database: Unread,
    content: Content,
    sources: Vec<Source>,
}

/// Dumps a database into the staging folder; by reference what the parent's dump holds already, where there is a parent and it
/// was cut in the same way.
pub fn pack_database(
    origin: &Origin<'_>,
    staging: &Path,
    compression: Compression,
    parent: Option<&Backup>,
    progress: &dyn Progress,
) -> Result<Packed> {
    let content = origin.content();
    let base = parent.map(|parent| parent.base(DATABASE, true)).transpose()?.flatten().map(Arc::new);
    // With a warning the earlier look may have left something out.
    let sound = parent.map(Backup::manifest).filter(|manifest| manifest.problems.is_empty() && manifest.warnings.is_empty());
    let known = sound.and_then(|manifest| manifest.fingerprint.clone());
    let mut intake = Intake { staging, content, compression, base, known, current: None, progress, told: 0 };
    let dumped = origin.dump(&mut intake)?;
    let Current { sealer, is_increment, .. } = intake.current.ok_or_else(|| Error::failed("the dump gave nothing"))?;
    let sources = parent.filter(|_| is_increment).map(|parent| parent.sources_for(DATABASE)).unwrap_or_default();
    Ok(Packed { dumped, database: sealer.finish()?, content, sources })
}

impl Packed {
    /// Reads everything back from the disk, compares it with what went in, and adds the texts beside the dump.
    pub fn prove(self, staging: &Staging, compression: Compression) -> Result<(Dumped, Vec<Component>)> {
        let mut components =
            vec![describe(DATABASE, (self.content.name(), self.content.file_ending()), self.database, staging, compression, self.sources)?];
        for extra in &self.dumped.extras {
            components.push(seal_extra(extra, self.content, staging, compression)?);
        }
        Ok((self.dumped, components))
    }
}

fn seal_extra(extra: &Extra, content: Content, staging: &Staging, compression: Compression) -> Result<Component> {
    let path = staging.path().join(file_name(&extra.role, content.file_ending(), compression, false));
    let mut sealer = Sealer::create(&path, Cut::Content(EXTRA_CHUNK_BYTES), compression, None)?;
    sealer.add(&extra.bytes)?;
    describe(&extra.role, (content.name(), content.file_ending()), sealer.finish()?, staging, compression, Vec::new())
}

/// Reads a component's file back, writes its index, and says what it is. `content` is its name in the manifest, and its ending.
pub(crate) fn describe(
    role: &str,
    (content, content_ending): (&str, &str),
    unread: Unread,
    staging: &Staging,
    compression: Compression,
    sources: Vec<Source>,
) -> Result<Component> {
    let sealed = unread.read_back()?;
    let index = sealed.index.to_bytes()?;
    let index_file = format!("{role}.index");
    staging.write(&index_file, &index)?;
    Ok(Component {
        role: role.to_owned(),
        file: file_name(role, content_ending, compression, !sources.is_empty()),
        content: content.to_owned(),
        compression: compression.name().to_owned(),
        stored_bytes: sealed.index.stored_bytes(),
        plain_bytes: sealed.index.plain_bytes,
        stored_sha256: sealed.stored_sha256,
        frames: sealed.index.frames.len() as u64,
        chunks: sealed.index.chunks.len() as u64,
        index: index_file,
        index_bytes: index.len() as u64,
        index_sha256: fsx::sha256_hex(&index),
        files: None,
        sources,
    })
}

/// `database.sql.gz`, or `database.sql.delta`, which nobody is to take for the whole.
pub(crate) fn file_name(role: &str, content_ending: &str, compression: Compression, is_increment: bool) -> String {
    let ending = match compression {
        _ if is_increment => ".delta",
        Compression::Gzip(_) => ".gz",
        Compression::Zstd(_) => ".zst",
        Compression::None => "",
    };
    format!("{role}.{content_ending}{ending}")
}

/// Where an engine's bytes go.
struct Intake<'a> {
    staging: &'a Path,
    content: Content,
    compression: Compression,
    base: Option<Arc<Base>>,
    /// The state that the base holds, which was found sound.
    known: Option<Fingerprint>,
    current: Option<Current>,
    progress: &'a dyn Progress,
    told: u64,
}

/// A dump that has begun.
struct Current {
    sealer: Sealer,
    path: PathBuf,
    is_increment: bool,
}

impl Outlet for Intake<'_> {
    fn begin(&mut self, cut: Cut) -> Result<()> {
        if let Some(earlier) = self.current.take() {
            // A dump that has to begin again, for instance because a table was altered under it.
            fsx::remove_file(&earlier.path)?;
        }
        let base = self.base.clone().filter(|base| base.fits(cut));
        let is_increment = base.is_some();
        let path = self.staging.join(file_name(DATABASE, self.content.file_ending(), self.compression, is_increment));
        self.current = Some(Current { sealer: Sealer::create(&path, cut, self.compression, base)?, path, is_increment });
        Ok(())
    }

    fn spool(&self) -> &Path {
        self.staging
    }

    fn has_news(&self) -> bool {
        self.current.as_ref().is_none_or(|current| !current.sealer.repeats_base())
    }

    fn end(&mut self) -> Result<()> {
        self.current.as_mut().map_or(Ok(()), |current| current.sealer.settle())
    }

    fn repeats(&mut self) -> Result<Option<Fingerprint>> {
        let Some(Current { sealer, .. }) = &mut self.current else { return Ok(None) };
        let is_repetition = sealer.is_whole_base()?;
        Ok(self.known.clone().filter(|_| is_repetition))
    }
}

impl Write for Intake<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Current { sealer, .. } = self.current.as_mut().ok_or_else(|| io::Error::other("bytes before the beginning of a dump"))?;
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
