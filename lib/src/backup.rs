//! A published backup: its folder, and what its manifest says.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, OnPath, Result};
use crate::frames::base::Base;
use crate::frames::index::{Index, Outline};
use crate::frames::open::{Expected, Reader, hash_file};
use crate::frames::pick::Runs;
use crate::frames::shelf::{Shelf, Volume};
use crate::fsx;
use crate::manifest::{self, Component, Manifest, Source, Type};
use crate::store::{CHECKSUMS, INSTRUCTIONS, RECOVER};

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
    /// Folders of backups that are staged together with it, by their ids.
    staged_with: Arc<BTreeMap<String, PathBuf>>,
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
        Ok(Backup { folder: folder.to_owned(), manifest, checksums, staged_with: Arc::default() })
    }

    /// A backup that is being made and is not published yet.
    pub fn staged(folder: &Path, manifest: Manifest) -> Self {
        Backup { folder: folder.to_owned(), manifest, checksums: BTreeMap::new(), staged_with: Arc::default() }
    }

    /// The same, where what it needs is staged with it: those folders are looked into before the store is.
    #[must_use]
    pub fn staged_with(self, folders: &Arc<BTreeMap<String, PathBuf>>) -> Self {
        Backup { staged_with: Arc::clone(folders), ..self }
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
        if self.manifest.backup_type != Type::Full {
            names.push(RECOVER.to_owned());
        }
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

    /// As [`Backup::read`], with every chunk's hash compared in place of the whole file's.
    pub fn read_plain(&self, component: &Component) -> Result<Reader> {
        self.reader(component, Expected::Index)
    }

    fn reader(&self, component: &Component, expected: Expected) -> Result<Reader> {
        let index = Arc::new(self.index(component)?);
        let path = self.folder.join(&component.file);
        if component.sources.is_empty() {
            return Reader::open(&path, index, expected);
        }
        if !matches!(expected, Expected::Index) && hash_file(&path)?.0 != component.stored_sha256 {
            return Err(Error::bad(format!("{} is not the file that its manifest describes", path.display())));
        }
        Reader::gather(&Arc::new(self.shelf(component)?), index)
    }

    /// A component's plain stream, from any place on, without what lies elsewhere in its file; every chunk's hash is compared.
    pub fn pick(&self, component: &Component) -> Result<Runs> {
        let shelf = if component.sources.is_empty() {
            Shelf::new(vec![Some(Volume::open(&self.folder.join(&component.file), &self.outline(component)?)?)])?
        } else {
            self.shelf(component)?
        };
        Ok(Runs::over(&Arc::new(shelf), self.index(component)?))
    }

    /// What the chunks of an increment's component lie in.
    fn shelf(&self, component: &Component) -> Result<Shelf> {
        let outline = self.outline(component)?;
        let mut volumes = Vec::with_capacity(component.sources.len());
        for (number, (source, is_used)) in component.sources.iter().zip(outline.is_used()).enumerate() {
            // The first is the full, of which the dictionaries are made.
            volumes.push(if is_used || number == 0 { Some(self.volume_of(source, &component.role)?) } else { None });
        }
        Ok(Shelf::new(volumes)?.with(Volume::open(&self.folder.join(&component.file), &outline)?))
    }

    fn volume_of(&self, source: &Source, role: &str) -> Result<Volume> {
        let (holder, component) = self.source(source, role)?;
        Volume::open(&holder.folder.join(&component.file), &holder.outline(&component)?)
    }

    /// The backup that holds chunks of this one, and its component; the very one, and no other of its name.
    pub fn source(&self, source: &Source, role: &str) -> Result<(Backup, Component)> {
        let folder = self.beside(&source.id).ok_or_else(|| {
            Error::bad(format!("{} needs {}, which is not in the store", self.id(), source.id))
                .hint("put it back from a copy of the store; or restore from another backup: restore-db --list shows what there is")
        })?;
        let opened = match self.staged_with.get(&source.id) {
            Some(_) => Backup::open_under_any_name(&folder).map(|holder| holder.staged_with(&self.staged_with)),
            None => Backup::open(&folder),
        };
        let holder = opened.map_err(|error| error.within(format!("{} needs it", self.id())))?;
        let is_meant = holder.id() == source.id;
        match holder.manifest.component(role).filter(|component| is_meant && component.index_sha256 == source.index_sha256) {
            Some(component) => Ok((holder.clone(), component.clone())),
            None => Err(Error::bad(format!("{} needs {}, and what has that name is another backup", self.id(), source.id))
                .hint("put the right one back from a copy of the store")),
        }
    }

    /// Refuses a backup of which something that it needs is gone, or is another than it was.
    pub fn require_sources(&self) -> Result<()> {
        for component in &self.manifest.components {
            for source in &component.sources {
                self.source(source, &component.role)?;
            }
        }
        Ok(())
    }

    /// A backup that this one needs; none where it is not in the store, or cannot be read.
    pub fn needed(&self, id: &str) -> Option<Backup> {
        self.beside(id).and_then(|folder| Backup::open(&folder).ok())
    }

    /// The folder of another backup of the same store, wherever in it that lies.
    fn beside(&self, id: &str) -> Option<PathBuf> {
        if let Some(folder) = self.staged_with.get(id) {
            return Some(folder.clone());
        }
        let place = self.folder.parent()?;
        let in_place = |place: &Path| Some(place.join(id)).filter(|folder| folder.join(manifest::FILE).symlink_metadata().is_ok());
        let in_store = |store: &Path| std::fs::read_dir(store).ok()?.flatten().find_map(|entry| in_place(&entry.path()));
        let is_staged = self.folder.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        // One that is being made lies in the store itself.
        if is_staged { in_store(place) } else { in_place(place).or_else(|| in_store(place.parent()?)) }
    }

    /// What a later backup's component of this role may refer to; none where this one has no such component.
    pub fn base(&self, role: &str, has_dictionaries: bool) -> Result<Option<Base>> {
        let Some(component) = self.manifest.component(role) else { return Ok(None) };
        let index = Arc::new(self.index(component)?);
        let full = match component.sources.first() {
            None => Volume::open(&self.folder.join(&component.file), &self.outline(component)?)?,
            Some(full) => self.volume_of(full, role)?,
        };
        Base::new(self.id(), index, full, has_dictionaries).map(Some)
    }

    /// The sources of a component that refers to this backup's of the same role.
    pub fn sources_for(&self, role: &str) -> Vec<Source> {
        let Some(component) = self.manifest.component(role) else { return Vec::new() };
        let own = Source { id: self.id().to_owned(), index_sha256: component.index_sha256.clone() };
        component.sources.iter().cloned().chain([own]).collect()
    }

    /// A component's index, with every chunk's hash.
    pub fn index(&self, component: &Component) -> Result<Index> {
        let outline = self.outline(component)?;
        let outline_of = |(source, is_used): (&Source, bool)| {
            let read = || self.source(source, &component.role).and_then(|(holder, component)| holder.outline(&component));
            is_used.then(read).transpose().map(|outline| outline.map(Arc::new))
        };
        let sources = component.sources.iter().zip(outline.is_used()).map(outline_of).collect::<Result<Vec<_>>>()?;
        outline.resolve(&sources).map_err(|error| error.within(self.folder.join(&component.index).display()))
    }

    /// What a component's index file says, found to be what the manifest says.
    fn outline(&self, component: &Component) -> Result<Outline> {
        let path = self.folder.join(&component.index);
        let bytes = read_capped(&path, INDEX_MAX_BYTES.min(component.index_bytes))?;
        if fsx::sha256_hex(&bytes) != component.index_sha256 {
            return Err(Error::bad(format!("{} is not the index that its manifest describes", path.display())));
        }
        let outline = Outline::parse(&bytes).map_err(|error| error.within(path.display()))?;
        let agrees = outline.plain_bytes() == component.plain_bytes
            && outline.stored_bytes() == component.stored_bytes
            && outline.frames().len() as u64 == component.frames
            && outline.chunks() as u64 == component.chunks
            && outline.sources().iter().eq(component.sources.iter().map(|source| &source.id));
        if !agrees {
            return Err(Error::bad(format!("{} does not agree with its manifest", path.display())));
        }
        Ok(outline)
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
    let file = fsx::open_held(path)?;
    let size = file.metadata().on("look at", path)?.len();
    if size > max_bytes {
        return Err(Error::bad(format!("{} has {size} bytes, at most {max_bytes} were expected", path.display())));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    file.take(max_bytes + 1).read_to_end(&mut bytes).on("read", path)?;
    Ok(bytes)
}
