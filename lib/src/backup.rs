//! A published backup: its folder, and what its manifest says.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, OnPath, Result};
use crate::frames::index::Index;
use crate::frames::open::{Expected, Reader};
use crate::fsx;
use crate::manifest::{self, Component, Manifest};
use crate::store::{CHECKSUMS, INSTRUCTIONS};

/// `SHA256SUMS` lists a handful of files; a larger one is no list of ours.
const CHECKSUMS_MAX_BYTES: u64 = 64 << 10;
/// A chunk takes 32 bytes of the index: this much indexes a database of some terabytes.
const INDEX_MAX_BYTES: u64 = 16 << 30;

/// A backup whose manifest is there, whole, and its own.
#[derive(Debug, Clone)]
pub struct Backup {
    folder: PathBuf,
    manifest: Manifest,
    checksums: BTreeMap<String, String>,
}

impl Backup {
    /// Opens a backup's folder: `SHA256SUMS` is read, the manifest is checked against it and parsed. Nothing else is
    /// opened; what the other files hold is for a verification to say.
    pub fn open(folder: &Path) -> Result<Self> {
        Self::open_under_any_name(folder).and_then(|backup| {
            let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if backup.manifest.id == name {
                Ok(backup)
            } else {
                Err(Error::bad(format!("{} is a copy of {}", folder.display(), backup.manifest.id))
                    .hint("a sync service or a person copied it; remove the copy if both are the same"))
            }
        })
    }

    /// As [`Backup::open`], of a folder that may have been copied to another name.
    pub fn open_under_any_name(folder: &Path) -> Result<Self> {
        let checksums = read_checksums(folder)?;
        let bytes = read_capped(&folder.join(manifest::FILE), manifest::MAX_BYTES)?;
        let expected = checksums
            .get(manifest::FILE)
            .ok_or_else(|| Error::bad(format!("{CHECKSUMS} of {} does not list the manifest", folder.display())))?;
        if &fsx::sha256_hex(&bytes) != expected {
            return Err(Error::bad(format!("the manifest of {} does not match {CHECKSUMS}", folder.display())));
        }
        let manifest = Manifest::parse(&bytes).map_err(|error| error.within(folder.display()))?;
        Ok(Backup { folder: folder.to_owned(), manifest, checksums })
    }

    /// A backup that is being made and is not published yet.
    pub fn staged(folder: &Path, manifest: Manifest) -> Self {
        Backup { folder: folder.to_owned(), manifest, checksums: BTreeMap::new() }
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.manifest.id
    }

    /// Its manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The hash that `SHA256SUMS` gives each file.
    pub fn checksums(&self) -> &BTreeMap<String, String> {
        &self.checksums
    }

    /// The names that a backup with this manifest has, and no others.
    pub fn expected_files(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.manifest.components.iter().flat_map(|component| component.parts().map(|(name, _, _)| name.clone())).collect();
        names.extend([manifest::FILE, CHECKSUMS, INSTRUCTIONS].map(str::to_owned));
        names.sort();
        names
    }

    /// The component that holds the database.
    pub fn database(&self) -> Result<&Component> {
        self.manifest.component("database").ok_or_else(|| {
            let error = Error::bad(format!("{} holds no database", self.manifest.id));
            if self.archives().next().is_some() { error.hint("its files come back with --files-to DIR") } else { error }
        })
    }

    /// The components that hold files.
    pub fn archives(&self) -> impl Iterator<Item = &Component> {
        self.manifest.components.iter().filter(|component| component.files.is_some())
    }

    /// A component's plain stream; its end is an error where the file as a whole is not what the manifest says.
    pub fn read(&self, component: &Component) -> Result<Reader> {
        self.reader(component, Expected::File { stored_sha256: component.stored_sha256.clone() })
    }

    /// As [`Backup::read`], with every chunk's hash compared on the way.
    pub fn read_by_chunks(&self, component: &Component) -> Result<Reader> {
        self.reader(component, Expected::Chunks { stored_sha256: component.stored_sha256.clone() })
    }

    fn reader(&self, component: &Component, expected: Expected) -> Result<Reader> {
        Reader::open(&self.folder.join(&component.file), Arc::new(self.index(component)?), expected)
    }

    /// A component's index, found to be what the manifest says.
    pub fn index(&self, component: &Component) -> Result<Index> {
        let path = self.folder.join(&component.index);
        let bytes = read_capped(&path, INDEX_MAX_BYTES.min(component.index_bytes))?;
        if fsx::sha256_hex(&bytes) != component.index_sha256 {
            return Err(Error::bad(format!("{} is not the index that its manifest describes", path.display())));
        }
        let index = Index::parse(&bytes).map_err(|error| error.within(path.display()))?;
        let agrees = index.plain_bytes == component.plain_bytes
            && index.stored_bytes() == component.stored_bytes
            && index.frames.len() as u64 == component.frames
            && index.chunks.len() as u64 == component.chunks;
        if !agrees {
            return Err(Error::bad(format!("{} does not agree with its manifest", path.display())));
        }
        Ok(index)
    }
}

fn read_checksums(folder: &Path) -> Result<BTreeMap<String, String>> {
    let path = folder.join(CHECKSUMS);
    let bytes = read_capped(&path, CHECKSUMS_MAX_BYTES)?;
    let damaged = || Error::bad(format!("{} is damaged", path.display()));
    let text = String::from_utf8(bytes).map_err(|_| damaged())?;
    let mut checksums = BTreeMap::new();
    for line in text.strip_suffix('\n').ok_or_else(damaged)?.split('\n') {
        let (hash, name) = line.split_once("  ").ok_or_else(damaged)?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !is_hash || !crate::id::is_bare_name(name) || checksums.insert(name.to_owned(), hash.to_owned()).is_some() {
            return Err(damaged());
        }
    }
    Ok(checksums)
}

/// Reads a file whole, if it is no larger than `max_bytes`; never through a link.
fn read_capped(path: &Path, max_bytes: u64) -> Result<Vec<u8>> {
    let file = match fsx::open_to_read(path) {
        Ok(file) => file,
        Err(error) => return Err(error.as_kind(crate::error::Kind::Bad)),
    };
    let size = file.metadata().on("look at", path)?.len();
    if size > max_bytes {
        return Err(Error::bad(format!("{} has {size} bytes, at most {max_bytes} were expected", path.display())));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    file.take(max_bytes + 1).read_to_end(&mut bytes).on("read", path)?;
    Ok(bytes)
}
