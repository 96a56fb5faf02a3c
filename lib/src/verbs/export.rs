//! A backup as one file: a `tar.gz` that holds it, all that it needs, and what is known of them.
//!
//! The order in it is fixed, so that whoever reads it knows how large each file must be before it comes.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

use crate::backup::Backup;
use crate::catalog::Catalog;
use crate::chain::Chains;
use crate::clock;
use crate::error::{Error, OnPath, Result};
use crate::fsx;
use crate::interrupt;
use crate::manifest;
use crate::progress::Progress;
use crate::store::{CHECKSUMS, Store};

/// The first file of an export.
pub const HEAD: &str = "holdfast-export.json";
/// The format of an export that this version writes, and the newest that it reads.
pub const FORMAT: u32 = 1;
/// As much is read and written at once.
const PART_BYTES: usize = 256 << 10;

/// The head of an export lists a chain of ids.
pub(super) const HEAD_MAX_BYTES: u64 = 1 << 20;
/// More backups than a chain has.
pub(super) const BACKUPS_MAX: usize = 1000;
/// What is no component's is text of ours, such as `RESTORE.txt`. Of every file of a component its manifest says the size.
pub(super) const OTHER_MAX_BYTES: u64 = 4 << 20;
/// The checks and labels of years.
pub(super) const SIDECAR_MAX_BYTES: u64 = 16 << 20;

/// What the first file of an export says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Head {
    /// Version of this format.
    pub format: u32,
    /// The backup that was exported.
    pub id: String,
    /// Its environment.
    pub environment: String,
    /// Every backup in it, each after what it needs; the last is the one that was exported.
    pub backups: Vec<String>,
    /// The store they come from.
    pub store_id: String,
    /// When it was written.
    #[serde(with = "clock::rfc3339_millis")]
    pub exported_at: DateTime<Utc>,
    /// Name and version of what wrote it.
    pub tool: String,
}

/// What was exported.
#[derive(Debug, Clone, Serialize)]
pub struct Exported {
    /// The backup.
    pub id: String,
    /// Every backup in the file, each after what it needs.
    pub backups: Vec<String>,
    /// The file.
    pub file: PathBuf,
    /// Its size.
    pub file_bytes: u64,
    /// Its hash.
    pub sha256: String,
}

/// The backup with all that it needs, each after what it needs itself.
pub fn with_ancestors(store: &Store, backup: &Backup) -> Result<Vec<Backup>> {
    let catalog = Catalog::read(store, Some(&backup.manifest().environment))?;
    let chains = Chains::among(catalog.backups().chain([backup]));
    let mut all = vec![backup.clone()];
    for id in chains.ancestors(backup.id()) {
        let found = catalog.backups().find(|other| other.id() == id);
        let found = found.ok_or_else(|| Error::bad(format!("{} needs {id}, which is not in the store", backup.id())))?;
        all.push(found.clone());
    }
    all.reverse();
    Ok(all)
}

/// Writes an export. Every file is compared with its hash on the way: what is damaged is not exported.
pub fn run(store: &Store, backup: &Backup, file: &Path, progress: &dyn Progress) -> Result<Exported> {
    let file = std::path::absolute(file).on("use", file)?;
    if file.symlink_metadata().is_ok() {
        return Err(Error::usage(format!("{} is there already", file.display())).hint("name a file that is not"));
    }
    let backups = with_ancestors(store, backup)?;
    require_importable(store, &backups)?;
    let bytes = backups.iter().map(|backup| backup.manifest().stored_bytes()).fold(0, u64::saturating_add);
    let place = file.parent().filter(|place| place.is_dir());
    let place = place.ok_or_else(|| Error::usage(format!("there is no folder for {}", file.display())).hint("make it first"))?;
    fsx::require_free(place, bytes)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let draft = Draft { path: place.join(format!(".{name}.{}.part", std::process::id())) };
    progress.begin("export", Some(bytes));
    let out = Hashed { file: fsx::create_private_file(&draft.path)?, hash: Sha256::new(), bytes: 0 };
    let mut writer = Writer { out: GzEncoder::new(out, Compression::fast()), progress, done: 0 };
    let head = Head {
        format: FORMAT,
        id: backup.id().to_owned(),
        environment: backup.manifest().environment.clone(),
        backups: backups.iter().map(|backup| backup.id().to_owned()).collect(),
        store_id: store.id().to_owned(),
        exported_at: clock::now(),
        tool: concat!("holdfast ", env!("CARGO_PKG_VERSION")).to_owned(),
    };
    let text = serde_json::to_vec(&head).map_err(|error| Error::failed("cannot write an export").because(error))?;
    writer.bytes(HEAD, &text, head.exported_at)?;
    for backup in &backups {
        writer.backup(store, backup)?;
    }
    let Hashed { file: written, hash, bytes } = writer.end().on("write", &draft.path)?;
    progress.end();
    fsx::sync_file(&written, &draft.path)?;
    fsx::rename_new(&draft.path, &file)?;
    Ok(Exported { id: head.id, backups: head.backups, file, file_bytes: bytes, sha256: fsx::hex(&hash.finalize()) })
}

/// Refuses what an import would refuse: a file that nobody can read again is no export.
fn require_importable(store: &Store, backups: &[Backup]) -> Result<()> {
    if backups.len() > BACKUPS_MAX {
        return Err(Error::refused(format!("it is a chain of {} backups, and an export holds at most {BACKUPS_MAX}", backups.len()))
            .hint("export a full backup, or an increment nearer to one"));
    }
    for backup in backups {
        let of_components: BTreeSet<&String> =
            backup.manifest().components.iter().flat_map(|component| component.parts().map(|(name, _, _)| name)).collect();
        let others = backup.expected_files().into_iter().filter(|name| !of_components.contains(name) && name != manifest::FILE);
        let others = others.map(|name| (backup.folder().join(name), OTHER_MAX_BYTES));
        let sidecars = [store.checks_file(backup.id()), store.labels_file(backup.id())].map(|path| (path, SIDECAR_MAX_BYTES));
        for (path, most) in others.chain(sidecars) {
            if let Some(found) = path.symlink_metadata().ok().filter(|found| found.len() > most) {
                return Err(Error::refused(format!("{} has {} bytes, and an export takes at most {most}", path.display(), found.len()))
                    .hint("copy the folders of the backup, and of those that it needs, into the other store instead"));
            }
        }
    }
    Ok(())
}

/// The file while it is written; gone with the value, unless it was renamed.
struct Draft {
    path: PathBuf,
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

struct Hashed {
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        fsx::step()?;
        let count = self.file.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

struct Writer<'a> {
    out: GzEncoder<Hashed>,
    progress: &'a dyn Progress,
    done: u64,
}

impl Writer<'_> {
    /// A backup's files, in the order in which a reader can check them, then what stands beside it.
    fn backup(&mut self, store: &Store, backup: &Backup) -> Result<()> {
        let at = backup.manifest().created_at;
        let mut names = vec![CHECKSUMS.to_owned(), manifest::FILE.to_owned()];
        names.extend(backup.expected_files().into_iter().filter(|name| name != CHECKSUMS && name != manifest::FILE));
        for name in names {
            let path = backup.folder().join(&name);
            let found = self.file(&format!("{}/{name}", backup.id()), &path, at)?;
            if name != CHECKSUMS && backup.checksums().get(&name) != Some(&found) {
                return Err(Error::bad(format!("{} is damaged: it does not match {CHECKSUMS}", path.display()))
                    .hint(format!("backup-guard {} says more; export another backup", backup.id())));
            }
        }
        for (folder, path) in [("checks", store.checks_file(backup.id())), ("labels", store.labels_file(backup.id()))] {
            if path.symlink_metadata().is_ok_and(|found| found.is_file()) {
                // Read whole, since a check may add a line meanwhile.
                let bytes = std::fs::read(&path).on("read", &path)?;
                self.bytes(&format!("{folder}/{}.jsonl", backup.id()), &bytes, at)?;
            }
        }
        Ok(())
    }

    fn bytes(&mut self, name: &str, bytes: &[u8], at: DateTime<Utc>) -> Result<()> {
        self.entry(name, bytes.len() as u64, bytes, at).map(|_| ())
    }

    fn file(&mut self, name: &str, path: &Path, at: DateTime<Utc>) -> Result<String> {
        let file = fsx::open_to_read(path)?;
        let size = file.metadata().on("look at", path)?.len();
        self.entry(name, size, file, at).map_err(|error| error.within(path.display()))
    }

    /// One file; the hash of what was read.
    fn entry(&mut self, name: &str, size: u64, mut from: impl Read, at: DateTime<Utc>) -> Result<String> {
        let mut header = Header::new_ustar();
        header.set_path(name).map_err(|error| Error::failed(format!("{name} is too long a name for an export")).because(error))?;
        header.set_entry_type(EntryType::Regular);
        header.set_mode(fsx::FILE_MODE);
        header.set_size(size);
        header.set_mtime(u64::try_from(at.timestamp()).unwrap_or(0));
        header.set_cksum();
        self.write(header.as_bytes())?;
        let (mut hash, mut left, mut part) = (Sha256::new(), size, vec![0; PART_BYTES]);
        while left > 0 {
            interrupt::check()?;
            let most = usize::try_from(left).unwrap_or(PART_BYTES).min(PART_BYTES);
            let count = from.read(&mut part[..most]).map_err(|error| Error::from_io("cannot read it", error))?;
            if count == 0 {
                return Err(Error::bad(format!("it ends {left} bytes early")));
            }
            hash.update(&part[..count]);
            self.write(&part[..count])?;
            left -= count as u64;
            self.done += count as u64;
            self.progress.reached(self.done);
        }
        let filled = usize::try_from(size % 512).unwrap_or(0);
        if filled > 0 {
            self.write(&[0; 512][filled..])?;
        }
        Ok(fsx::hex(&hash.finalize()))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(|error| Error::from_io("cannot write the export", error))
    }

    fn end(mut self) -> io::Result<Hashed> {
        self.out.write_all(&[0; 1024])?;
        self.out.finish()
    }
}
