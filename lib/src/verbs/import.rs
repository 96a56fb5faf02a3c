//! A backup from one file: what [`super::export`] has written comes into the store, with all that it needs.
//!
//! The file is input and may be anybody's. Nothing of it is unpacked by name: each entry must be the next one that an export has,
//! a plain file of exactly the size that the manifest before it says, and goes into a staging folder under a name of ours. The
//! backups appear when all of them are whole, the oldest first.

mod incoming;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;
use serde::Serialize;
use tar::Archive;

use super::export::{BACKUPS_MAX, FORMAT, HEAD, HEAD_MAX_BYTES, Head};
use super::verify::{self, Demands};
use crate::backup::Backup;
use crate::catalog::Catalog;
use crate::clock;
use crate::config;
use crate::engine::Settings;
use crate::error::{Error, Kind, OnPath, Result};
use crate::id;
use crate::interrupt;
use crate::known;
use crate::lock::Held;
use crate::manifest::{self, Level, Manifest};
use crate::progress::Progress;
use crate::retention::SKEW_MAX;
use crate::shell;
use crate::store::{self, Store};
use incoming::Incoming;

/// What came in.
#[derive(Debug, Clone, Serialize)]
pub struct Imported {
    /// The backup that was exported.
    pub id: String,
    /// Its environment.
    pub environment: String,
    /// Backups that are new in the store.
    pub imported: Vec<String>,
    /// Backups that were there already, byte for byte.
    pub present: Vec<String>,
}

/// What the file says of itself, before anything of it is believed.
pub fn head(file: &Path) -> Result<Head> {
    require_export(file)?;
    let mut archive = open(file)?;
    let mut entries = archive.entries().map_err(|error| damaged(file, error))?.raw(true);
    let first = entries.next().ok_or_else(|| no_export(file))?.map_err(|error| damaged(file, error))?;
    read_head(file, first)
}

/// Imports the file into the store, where `held` is the environment that its head names.
pub fn run(store: &Store, held: &Held, file: &Path, settings: &Settings, progress: &dyn Progress) -> Result<Imported> {
    let mut archive = open(file)?;
    let mut entries = archive.entries().map_err(|error| damaged(file, error))?.raw(true);
    let first = entries.next().ok_or_else(|| no_export(file))?.map_err(|error| damaged(file, error))?;
    let head = read_head(file, first)?;
    if head.environment != held.environment() {
        return Err(Error::refused(format!("{} is held, and the file is of {}", held.environment(), head.environment)));
    }
    // What a killed import has left stands in the way of the next one.
    store.sweep(held)?;
    let catalog = Catalog::read(store, None)?;
    let mut staged: Vec<Incoming> = Vec::new();
    progress.begin("import", None);
    for entry in entries {
        interrupt::check()?;
        let mut entry = entry.map_err(|error| damaged(file, error))?;
        let name = plain_name(&entry).ok_or_else(|| strange(file, "it holds something that is no plain file"))?;
        let size = entry.size();
        let (folder, name) = name.split_once('/').ok_or_else(|| strange(file, &format!("it holds {name:?}")))?;
        if name == store::CHECKSUMS {
            if let Some(last) = staged.last() {
                last.require_whole(file)?;
            }
            if head.backups.get(staged.len()).map(String::as_str) != Some(folder) {
                return Err(strange(file, &format!("{folder} is not the next backup that its head names")));
            }
            staged.push(Incoming::begin(store, held, folder)?);
        }
        let current = staged.last_mut().ok_or_else(|| strange(file, &format!("it holds {name:?} before any backup")))?;
        current.take(file, folder, name, size, &mut entry)?;
    }
    progress.end();
    if staged.len() != head.backups.len() {
        return Err(strange(file, &format!("it ends after {} of {} backups", staged.len(), head.backups.len())));
    }
    if let Some(last) = staged.last() {
        last.require_whole(file)?;
    }
    settle(store, &catalog, &head, staged, settings, progress)
}

/// Judges everything, and only then publishes it.
fn settle(
    store: &Store,
    catalog: &Catalog,
    head: &Head,
    staged: Vec<Incoming>,
    settings: &Settings,
    progress: &dyn Progress,
) -> Result<Imported> {
    let there: BTreeMap<&str, &Backup> = catalog.backups().map(|backup| (backup.id(), backup)).collect();
    let mut imported = Imported { id: head.id.clone(), environment: head.environment.clone(), imported: Vec::new(), present: Vec::new() };
    let mut new = Vec::new();
    let mut old = Vec::new();
    let mut before: BTreeMap<String, PathBuf> = BTreeMap::new();
    let manifests = staged.iter().map(|incoming| Ok(incoming.backup()?.manifest().clone())).collect::<Result<Vec<_>>>()?;
    require_one_chain(&manifests)?;
    for (number, incoming) in staged.into_iter().enumerate() {
        let backup = incoming.backup()?;
        require_sound(&backup, head, number)?;
        // What it needs has been judged before it, and is not in the store yet.
        let backup = backup.staged_with(&Arc::new(before.clone()));
        require_whole(&backup, settings, progress)?;
        before.insert(backup.id().to_owned(), backup.folder().to_owned());
        let taken = catalog.entries.iter().any(|entry| entry.name == backup.id());
        match there.get(backup.id()) {
            Some(present) if present.checksums() == backup.checksums() => {
                require_whole_there(present, settings, progress)?;
                old.push((incoming, backup));
            }
            _ if taken => {
                return Err(Error::refused(format!("the store has another backup {} already", backup.id()))
                    .hint("nothing was imported; compare the two, and import into another store with --store"));
            }
            _ => new.push((incoming, backup)),
        }
    }
    for (incoming, backup) in old {
        // A run that was killed may have come just so far.
        incoming.write_sidecars(store)?;
        known::remember(store, &backup.manifest().environment, backup.id())?;
        imported.present.push(backup.id().to_owned());
    }
    for (incoming, backup) in new {
        interrupt::check()?;
        let sidecars = incoming.write_sidecars(store)?;
        let Incoming { staging, .. } = incoming;
        let place = match backup.manifest().kind {
            manifest::Kind::Migration => store::MIGRATIONS,
            _ => backup.manifest().environment.as_str(),
        };
        store.require_real(&store.folder(place))?;
        if let Err(error) = staging.publish(&store.folder(place)) {
            sidecars.iter().for_each(|path| drop(std::fs::remove_file(path)));
            return Err(error);
        }
        known::remember(store, &backup.manifest().environment, backup.id())?;
        imported.imported.push(backup.id().to_owned());
    }
    Ok(imported)
}

/// Refuses backups of which one needs something that does not come before it in the file, or is needed by none that comes after it and
/// is not the last: nothing comes in beside what was exported.
fn require_one_chain(manifests: &[Manifest]) -> Result<()> {
    let refuse = |id: &str, why: &str| Err(Error::bad(format!("{id}: {why}")).hint("nothing was imported"));
    let mut before = BTreeSet::new();
    for manifest in manifests {
        if let Some(missing) = manifest.needs().into_iter().find(|id| !before.contains(id)) {
            return refuse(&manifest.id, &format!("it needs {missing}, which does not come before it in the file"));
        }
        before.insert(manifest.id.as_str());
    }
    let needed: BTreeSet<&str> = manifests.iter().flat_map(Manifest::needs).collect();
    let others = manifests.split_last().map_or(&[][..], |(_, others)| others);
    match others.iter().find(|manifest| !needed.contains(manifest.id.as_str())) {
        Some(stray) => refuse(&stray.id, "nothing in the file needs it"),
        None => Ok(()),
    }
}

/// Refuses a backup that is not what the head says.
fn require_sound(backup: &Backup, head: &Head, number: usize) -> Result<()> {
    let manifest = backup.manifest();
    let refuse = |why: String| Err(Error::bad(format!("{}: {why}", manifest.id)).hint("nothing was imported"));
    if manifest.environment != head.environment {
        return refuse(format!("it is of {}, and the file says {}", manifest.environment, head.environment));
    }
    if head.backups.get(number) != Some(&manifest.id) {
        return refuse("its manifest has another id than its folder".to_owned());
    }
    if manifest.created_at > clock::now() + SKEW_MAX {
        return refuse(format!("it is dated in the future: {}", clock::readable(manifest.created_at)));
    }
    Ok(())
}

/// Refuses a backup that does not hold what its manifest says: every chunk is read, also those that lie in what it needs.
fn require_whole(backup: &Backup, settings: &Settings, progress: &dyn Progress) -> Result<()> {
    let demands = Demands { level: Level::Structure, min_size: None, asserts: &[], settings };
    let outcome = verify::verify(backup, &demands, progress)?;
    match outcome.findings.first() {
        Some(finding) => Err(Error::bad(format!("{}: {finding}", backup.id())).hint("nothing was imported")),
        None => Ok(()),
    }
}

/// Refuses a backup that the store has already and that is damaged there: it is not what was asked for, nor what an increment may stand on.
fn require_whole_there(backup: &Backup, settings: &Settings, progress: &dyn Progress) -> Result<()> {
    let demands = Demands { level: Level::Checksum, min_size: None, asserts: &[], settings };
    match verify::verify(backup, &demands, progress)?.findings.first() {
        Some(finding) => {
            Err(Error::bad(format!("the store has {} already, and it is damaged there: {finding}", backup.id())).hint(format!(
                "nothing was imported; backup-catalog delete {} --with-dependents makes room, or import into another store with --store",
                backup.id()
            )))
        }
        None => Ok(()),
    }
}

fn open(file: &Path) -> Result<Archive<MultiGzDecoder<BufReader<File>>>> {
    let opened = File::open(file).on("open", file)?;
    if !opened.metadata().on("look at", file)?.is_file() {
        return Err(Error::usage(format!("{} is not a file", file.display())));
    }
    Ok(Archive::new(MultiGzDecoder::new(BufReader::with_capacity(256 << 10, opened))))
}

/// Refuses what another program wrote, before tar's reader makes a riddle of it.
fn require_export(file: &Path) -> Result<()> {
    let unpacked = open(file)?.into_inner();
    let mut begin = Vec::new();
    let is_gzip = File::open(file).on("open", file)?.take(2).read_to_end(&mut begin).on("read", file)? == 2 && begin == [0x1f, 0x8b];
    begin.clear();
    if is_gzip {
        unpacked.take(HEAD.len() as u64 + 1).read_to_end(&mut begin).map_err(|error| damaged(file, error))?;
    }
    if begin.strip_prefix(HEAD.as_bytes()) == Some(&[0]) { Ok(()) } else { Err(no_export(file)) }
}

fn read_head<R: Read>(file: &Path, mut entry: tar::Entry<'_, R>) -> Result<Head> {
    if plain_name(&entry).as_deref() != Some(HEAD) || entry.size() > HEAD_MAX_BYTES {
        return Err(no_export(file));
    }
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).map_err(|error| damaged(file, error))?;
    let head: Head = serde_json::from_slice(&bytes).map_err(|error| strange(file, &format!("its head cannot be read: {error}")))?;
    if head.format > FORMAT {
        return Err(Error::bad(format!("{} has format {}, this version reads up to {FORMAT}", file.display(), head.format))
            .hint("use a newer version of Holdfast"));
    }
    let is_environment = config::check_name(&head.environment).is_ok();
    let are_ids = head.backups.iter().all(|id| id::is_id(id)) && head.backups.last() == Some(&head.id);
    if !is_environment || !are_ids || head.backups.len() > BACKUPS_MAX {
        return Err(strange(file, "its head names no backup of an environment"));
    }
    Ok(head)
}

/// The name of an entry that is a plain file.
fn plain_name<R: Read>(entry: &tar::Entry<'_, R>) -> Option<String> {
    let is_plain = matches!(entry.header().entry_type(), tar::EntryType::Regular);
    let name = entry.path_bytes().into_owned();
    if is_plain { String::from_utf8(name).ok() } else { None }
}

fn damaged(file: &Path, error: std::io::Error) -> Error {
    Error::from_io(format!("{} is damaged", file.display()), error).as_kind(Kind::Bad)
}

fn strange(file: &Path, why: &str) -> Error {
    Error::bad(format!("{} is not as an export is written: {why}", file.display()))
        .hint("nothing was imported; was it packed again by another program? a backup's folder can be copied into the store instead")
}

fn no_export(file: &Path) -> Error {
    Error::usage(format!("{} is no export of a backup", file.display())).hint(format!(
        "a dump of another program is adopted: backup-catalog import --as db -e ENV {}",
        shell::word(&file.display().to_string())
    ))
}
