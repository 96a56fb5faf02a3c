//! The proof that a backup restores: it is loaded into a scratch database, which is then compared with what the backup says.

use std::time::Instant;

use super::compared::Compared;
use super::{Demands, content_of, elapsed_ms};
use crate::backup::Backup;
use crate::config::Assert;
use crate::engine::{self, Depth, Settings, Workspace};
use crate::error::{Error, Kind, Result};
use crate::fsx;
use crate::manifest::{Component, EngineName, Level};
use crate::progress::Progress;
use crate::store;

/// A database that a backup was restored into, and that was found equal to what the backup says: the proof that it
/// restores, and a clone to work on. Made here only.
pub struct Proven {
    backup_id: String,
    clone: Box<dyn Workspace>,
}

impl Proven {
    /// The backup that it proves.
    pub fn backup_id(&self) -> &str {
        &self.backup_id
    }

    /// Gives the clone away, to be worked on; from then on it proves nothing.
    pub fn into_clone(self) -> Box<dyn Workspace> {
        self.clone
    }
}

/// What a restore into a scratch database showed.
pub struct Rehearsal {
    /// The proof, or what is wrong.
    pub outcome: std::result::Result<Proven, Vec<String>>,
    /// How long the load took.
    pub restore_ms: u64,
}

/// A restore into a scratch database, compared with the fingerprint.
pub fn rehearse(backup: &Backup, demands: &Demands<'_>, progress: &dyn Progress) -> Result<Rehearsal> {
    let manifest = backup.manifest();
    let component = backup.database()?;
    let origin = manifest.database.as_ref();
    let name =
        origin.map(|database| database.engine).ok_or_else(|| Error::bad(format!("{} does not say which engine it is of", manifest.id)))?;
    let content = content_of(backup, component)?;
    if content.engine() == EngineName::Sqlite {
        // A full disk says nothing of the backup, and must not look like damage.
        fsx::require_free(&demands.settings.scratch_dir, component.plain_bytes)?;
    }
    progress.begin("rehearsal", None);
    let mut scratch = engine::source::scratch(name, origin, demands.settings.clone())?;
    let start = Instant::now();
    let loaded = scratch.load(content, &mut backup.read(component)?);
    let restore_ms = elapsed_ms(start);
    match loaded {
        Err(error) if matches!(error.kind(), Kind::Bad | Kind::Failed) => {
            return Ok(Rehearsal { outcome: Err(vec![format!("it does not restore: {error}")]), restore_ms });
        }
        other => other?,
    }
    let mut findings: Vec<String> = scratch.loaded().examine()?.into_iter().map(|problem| format!("restored, {problem}")).collect();
    let found = scratch.loaded().fingerprint(Depth::Rows)?;
    if let Some(expected) = &manifest.fingerprint {
        findings.extend(expected.differences(&found).into_iter().map(|difference| format!("restored, {difference}")));
    }
    findings.extend(asserts(&*scratch, demands.asserts));
    if findings.is_empty() && demands.level >= Level::Exact {
        findings.extend(dump_again(backup, component, &*scratch, demands.settings)?);
    }
    progress.end();
    let outcome = if findings.is_empty() { Ok(Proven { backup_id: manifest.id.clone(), clone: scratch }) } else { Err(findings) };
    Ok(Rehearsal { outcome, restore_ms })
}

/// The queries of the configuration that the database does not answer as it must.
pub fn asserts(workspace: &dyn Workspace, asserts: &[Assert]) -> Vec<String> {
    let mut findings = Vec::new();
    for assert in asserts {
        let query = &assert.query;
        match (workspace.loaded().ask(query), &assert.expect) {
            (Err(error), _) => findings.push(format!("assert {query:?} fails: {error}")),
            (Ok(None), _) => findings.push(format!("assert {query:?} gives no row")),
            (Ok(Some(answer)), Some(expected)) if &answer != expected => {
                findings.push(format!("assert {query:?} gives {answer:?}, expected {expected:?}"))
            }
            (Ok(Some(answer)), None) if matches!(answer.as_str(), "" | "0" | "f" | "false") => {
                findings.push(format!("assert {query:?} gives {answer:?}"))
            }
            (Ok(Some(_)), _) => {}
        }
    }
    findings
}

/// Whether dumping the restored database gives the same content.
fn dump_again(backup: &Backup, component: &Component, scratch: &dyn Workspace, settings: &Settings) -> Result<Vec<String>> {
    let folder = store::scratch_folder(&settings.scratch_dir)?;
    let mut out = Compared::with(backup.index(component)?, folder.path());
    let dumped = scratch.loaded().dump(&mut out)?;
    if out.was_same() {
        return Ok(Vec::new());
    }
    // SQL text carries the versions of the programs that made it: then the tables' own hashes decide.
    let Some(expected) = &backup.manifest().fingerprint else { return Ok(vec!["dumped again, it is not the same".to_owned()]) };
    let has_content = !expected.tables.is_empty() && expected.tables.values().all(|table| table.content_sha256.is_some());
    let mut findings: Vec<String> =
        expected.differences(&dumped.fingerprint).into_iter().map(|difference| format!("dumped again, {difference}")).collect();
    if findings.is_empty() && !has_content {
        findings.push("dumped again, it is not the same".to_owned());
    }
    Ok(findings)
}
