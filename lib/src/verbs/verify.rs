//! Verification: how well a backup is known to be good.
//!
//! [`Verified`] and [`Proven`] can be made in this module only. Whoever is about to overwrite something asks for them by type.

mod archives;
mod compared;
mod rehearsal;
mod sources;

pub use archives::rehearse_files;
pub(super) use compared::Compared;
pub use rehearsal::{Proven, Rehearsal, asserts, rehearse};

use std::ffi::OsStr;
use std::io::Read;
use std::time::Instant;

use crate::backup::Backup;
use crate::checks::{self, Check};
use crate::clock;
use crate::config::Assert;
use crate::engine::{self, Content, Settings};
use crate::error::{Error, Kind, OnPath, Result};
use crate::files::archive;
use crate::fingerprint::Fingerprint;
use crate::frames::open::hash_file;
use crate::fsx;
use crate::host;
use crate::interrupt;
use crate::manifest::{Component, Level, Type, Verification};
use crate::progress::Progress;
use crate::store::Store;
use crate::sync_state;

/// A backup that passed a verification.
#[derive(Debug, Clone)]
pub struct Verified {
    backup: Backup,
    verification: Verification,
}

impl Verified {
    /// The backup.
    pub fn backup(&self) -> &Backup {
        &self.backup
    }

    /// What it passed, and when.
    pub fn verification(&self) -> &Verification {
        &self.verification
    }
}

/// What a verification found.
#[derive(Debug)]
pub struct Outcome {
    /// The proof, where nothing was wrong.
    pub verified: Option<Verified>,
    /// The level that it passed, or that found something wrong.
    pub level: Level,
    /// What is wrong; empty where nothing is.
    pub findings: Vec<String>,
    /// What is not as it should be around bytes that may well be whole: others can reach them, a stranger lies beside them,
    /// they are fewer than demanded. No reason to refuse a restore.
    pub remarks: Vec<String>,
    /// How long all of it took.
    pub check_ms: u64,
    /// How long the restore into a scratch database took, where there was one.
    pub restore_ms: Option<u64>,
}

/// Adds what a check of a backup came to to its history. A copy of it, outside of the store or under another name, has none.
pub fn note_down(store: &Store, backup: &Backup, outcome: &Outcome) -> Result<()> {
    let folder = fsx::real_path(backup.folder());
    if !folder.starts_with(store.root()) || folder.file_name().is_none_or(|name| name != backup.id()) {
        return Ok(());
    }
    let check = Check {
        at: clock::now(),
        level: outcome.level,
        passed: outcome.verified.is_some(),
        findings: outcome.findings.clone(),
        check_ms: outcome.check_ms,
        restore_ms: outcome.restore_ms,
        host: host::name(),
    };
    checks::append(store, backup.id(), &check)
}

/// For a run that has ended because a backup seems to be damaged: checks it, and notes down what is found. What a reader stumbled over
/// may be another's fault, and a backup that is noted down as damaged is passed over from then on: a full disk of the target, a file
/// that is in the cloud, a base that is elsewhere just now. That it could not be noted down is only logged.
pub(super) fn note_damage(store: Option<&Store>, backup: &Backup, settings: &Settings, progress: &dyn Progress) {
    let Some(store) = store.filter(|_| backup.require_sources().is_ok()) else { return };
    let demands = Demands { level: Level::Structure, min_size: None, asserts: &[], settings };
    let noted = match verify(backup, &demands, progress) {
        Ok(outcome) if outcome.verified.is_none() => note_down(store, backup, &outcome),
        Ok(_) => Ok(()),
        Err(error) => Err(error),
    };
    if let Err(error) = noted {
        tracing::warn!("what is wrong with {} could not be noted down: {error}", backup.id());
    }
}

/// What a verification may use and must demand.
pub struct Demands<'a> {
    /// How thorough it is.
    pub level: Level,
    /// Below this many stored bytes a backup is bad, where that is set.
    pub min_size: Option<u64>,
    /// Queries that the restored database must answer.
    pub asserts: &'a [Assert],
    /// For scratch databases.
    pub settings: &'a Settings,
}

/// Verifies a backup. What is wrong with the backup is a finding; an error says that the check itself could not be made,
/// and then nothing is known of the backup.
pub fn verify(backup: &Backup, demands: &Demands<'_>, progress: &dyn Progress) -> Result<Outcome> {
    verify_parts(backup, demands, true, progress)
}

/// As [`verify`], without a look into archives of files: for whoever is about to use the database alone.
pub fn verify_database(backup: &Backup, demands: &Demands<'_>, progress: &dyn Progress) -> Result<Outcome> {
    verify_parts(backup, demands, false, progress)
}

fn verify_parts(backup: &Backup, demands: &Demands<'_>, with_files: bool, progress: &dyn Progress) -> Result<Outcome> {
    let start = Instant::now();
    let Quick { mut findings, remarks, evicted } = quick(backup, demands.min_size)?;
    let mut level = Level::Quick;
    if let Some(name) = evicted.first().filter(|_| findings.is_empty() && demands.level >= Level::Checksum) {
        return Err(Error::failed(format!("{name} of {} is only in the cloud", backup.id()))
            .hint("let the sync service download it, or run backup-guard, which asks for it"));
    }
    if findings.is_empty() && demands.level >= Level::Checksum {
        level = Level::Checksum;
        note(&mut findings, checksums(backup, demands.level >= Level::Structure))?;
    }
    if findings.is_empty() && demands.level >= Level::Structure {
        level = Level::Structure;
        note(&mut findings, structure(backup, with_files, progress))?;
    }
    let mut restore_ms = None;
    if findings.is_empty() && demands.level >= Level::Restore {
        level = demands.level;
        let begun = Instant::now();
        if backup.manifest().database.is_some() {
            let rehearsal = rehearse(backup, demands, progress)?;
            findings = rehearsal.outcome.err().unwrap_or_default();
            restore_ms = Some(rehearsal.restore_ms);
        }
        if with_files && findings.is_empty() {
            findings = rehearse_files(backup, demands.settings, progress)?;
            restore_ms = restore_ms.or_else(|| Some(elapsed_ms(begun)));
        }
    }
    let verified = findings.is_empty().then(|| Verified { backup: backup.clone(), verification: Verification { level, at: clock::now() } });
    Ok(Outcome { verified, level, findings, remarks, check_ms: elapsed_ms(start), restore_ms })
}

/// A bad backup is a finding; anything else went wrong with the check.
fn note(findings: &mut Vec<String>, result: Result<Vec<String>>) -> Result<()> {
    match result {
        Ok(found) => findings.extend(found),
        Err(error) if error.kind() == Kind::Bad => findings.push(error.to_string()),
        Err(error) => return Err(error),
    }
    Ok(())
}

/// What can be seen without reading anything.
struct Quick {
    findings: Vec<String>,
    remarks: Vec<String>,
    /// Files that only the cloud has at present.
    evicted: Vec<String>,
}

/// Names, sizes and modes.
fn quick(backup: &Backup, min_size: Option<u64>) -> Result<Quick> {
    let mut findings = Vec::new();
    let mut remarks = Vec::new();
    let mut evicted = Vec::new();
    let folder = backup.folder();
    let expected = backup.expected_files();
    let mut present = Vec::new();
    for entry in std::fs::read_dir(folder).on("list", folder)? {
        let name = entry.on("list", folder)?.file_name();
        let stands_for = sync_state::placeholder_for(&name);
        let is_expected = |name: &OsStr| expected.iter().any(|expected| name == expected.as_str());
        if !is_expected(&name) && !stands_for.as_deref().is_some_and(is_expected) {
            remarks.push(format!("{} does not belong to it", name.to_string_lossy()));
        }
        present.push(name);
    }
    for name in expected.iter().filter(|name| !present.iter().any(|present| present == name.as_str())) {
        if present.contains(&sync_state::placeholder_name(name.as_ref())) {
            remarks.push(format!("{name} is only in the cloud"));
            evicted.push(name.clone());
        } else {
            findings.push(format!("{name} is missing{}", holds_no_data(name)));
        }
    }
    for component in &backup.manifest().components {
        for (name, bytes, _) in component.parts() {
            let path = folder.join(name);
            if let Ok(found) = path.symlink_metadata()
                && (!found.is_file() || found.len() != bytes)
            {
                findings.push(format!("{name} has {} bytes, the manifest says {bytes}", found.len()));
            }
        }
    }
    for component in &backup.manifest().components {
        for (number, source) in component.sources.iter().enumerate() {
            match backup.source(source, &component.role) {
                Ok((full, _)) if number == 0 && full.manifest().backup_type != Type::Full => {
                    findings.push(format!("{} is the first that it refers to, and is no full", full.id()));
                }
                Ok((holder, held)) => {
                    if holder.folder().join(sync_state::placeholder_name(held.file.as_ref())).symlink_metadata().is_ok() {
                        remarks.push(format!("{} of {}, which it needs, is only in the cloud", held.file, holder.id()));
                        evicted.push(format!("{}/{}", holder.id(), held.file));
                    }
                }
                Err(error) => findings.push(error.to_string()),
            }
        }
    }
    for (path, most) in expected.iter().map(|name| (folder.join(name), fsx::FILE_MODE)).chain([(folder.to_owned(), fsx::FOLDER_MODE)]) {
        if path.symlink_metadata().is_ok() {
            let mode = fsx::mode_of(&path)?;
            if mode & !most != 0 {
                remarks.push(format!("{} has mode {mode:04o}, others can reach it: chmod {most:o} it", path.display()));
            }
        }
    }
    // An increment is as small as what has changed.
    if let Some(min_size) = min_size
        && backup.manifest().backup_type == Type::Full
        && backup.manifest().stored_bytes() < min_size
    {
        remarks.push(format!("it has {} bytes, at least {min_size} are demanded", backup.manifest().stored_bytes()));
    }
    Ok(Quick { findings, remarks, evicted })
}

/// What a file is that no row and no file comes from. What the others are worth is not said by that: they are judged by themselves, once
/// it is as it should be.
fn holds_no_data(name: &str) -> &'static str {
    match name {
        crate::store::RECOVER => {
            "; it is the script for a recovery without Holdfast, and holds no data: put the one of another increment in its place and check again"
        }
        crate::store::INSTRUCTIONS => "; it is the page on a recovery without Holdfast, and holds no data",
        _ => "",
    }
}

/// Every stored byte against `SHA256SUMS`, and that against the manifest. Component files are left to their reader where
/// `readers_follow`: it hashes them while it decompresses.
fn checksums(backup: &Backup, readers_follow: bool) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    let listed = backup.checksums();
    for name in backup.expected_files().iter().filter(|name| *name != crate::store::CHECKSUMS) {
        let Some(expected) = listed.get(name) else {
            findings.push(format!("{} does not list {name}", crate::store::CHECKSUMS));
            continue;
        };
        let component = backup.manifest().components.iter().find(|component| component.parts().any(|(part, _, _)| part == name));
        if let Some(component) = component {
            let stated = component.parts().find(|(part, _, _)| *part == name).map(|(_, _, sha256)| sha256);
            if stated != Some(expected) {
                findings.push(format!("{} and the manifest disagree on {name}", crate::store::CHECKSUMS));
            }
            if readers_follow && &component.file == name {
                continue;
            }
        }
        if &hash_file(&backup.folder().join(name))?.0 != expected {
            findings.push(format!("{name} has changed: it does not match {}{}", crate::store::CHECKSUMS, holds_no_data(name)));
        }
    }
    for name in listed.keys().filter(|name| !backup.expected_files().contains(name)) {
        findings.push(format!("{} lists {name}, which does not belong to it", crate::store::CHECKSUMS));
    }
    // A reader compares each chunk with its name, wherever it lies.
    if !readers_follow {
        findings.extend(sources::checksums(backup)?);
    }
    Ok(findings)
}

/// Every plain byte, the hash of its chunk, and that all is a whole dump of what the fingerprint says.
fn structure(backup: &Backup, with_files: bool, progress: &dyn Progress) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for component in &backup.manifest().components {
        findings.extend(match archive::is_archive(component) {
            true if with_files => archive::findings(backup, component, progress)?,
            true => Vec::new(),
            false => component_structure(backup, component, progress)?,
        });
    }
    Ok(findings)
}

fn component_structure(backup: &Backup, component: &Component, progress: &dyn Progress) -> Result<Vec<String>> {
    let mut reader = backup.read_by_chunks(component)?;
    let content = content_of(backup, component)?;
    let mut structure = (component.role == "database").then(|| engine::structure_of(content));
    progress.begin("check", Some(component.plain_bytes));
    let mut done = 0;
    while let Some(frame) = reader.next_frame()? {
        interrupt::check()?;
        if let Some(structure) = &mut structure {
            structure.take(&frame)?;
        }
        done += frame.len() as u64;
        progress.reached(done);
        reader.reuse(frame);
    }
    progress.end();
    let found = match structure {
        Some(structure) => structure.finish()?,
        None => None,
    };
    Ok(match (found, &backup.manifest().fingerprint) {
        (Some(found), Some(expected)) => expected.differences_in_dump(&found),
        _ => Vec::new(),
    })
}

/// What a component's plain bytes are.
pub fn content_of(backup: &Backup, component: &Component) -> Result<Content> {
    let engine = backup.manifest().database.as_ref().map(|database| database.engine);
    engine::content_named(engine, &component.content)
        .ok_or_else(|| Error::bad(format!("{} holds {:?}, which this version does not know", backup.id(), component.content)))
}

/// Reads a stream to its end through its structure check: for files that no manifest describes.
pub fn whole(content: Content, plain: &mut dyn Read) -> Result<()> {
    through(content, plain).map(|_| ())
}

/// The state that a backup's own stream tells, with every table's content in the very order of its columns; none where a
/// stream of its kind does not tell it.
pub(super) fn read_back(backup: &Backup) -> Result<Option<Fingerprint>> {
    let component = backup.database()?;
    let content = content_of(backup, component)?;
    if content.tells_state() { through(content, &mut backup.read(component)?) } else { Ok(None) }
}

fn through(content: Content, plain: &mut dyn Read) -> Result<Option<Fingerprint>> {
    let mut structure = engine::structure_of(content);
    let mut buffer = vec![0; 256 << 10];
    loop {
        interrupt::check()?;
        let count = plain.read(&mut buffer).map_err(|error| Error::from_io("cannot read the backup", error).as_kind(Kind::Bad))?;
        if count == 0 {
            return structure.finish();
        }
        structure.take(&buffer[..count])?;
    }
}

/// Whole milliseconds since then.
pub(super) fn elapsed_ms(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}
