//! What is different between two backups, or between a backup and what is there now.

mod files;

pub use files::FileChanges;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::adopt::ADOPTED;
use super::before::{Before, Since};
use super::requests;
use crate::backup::Backup;
use crate::changes::Changes;
use crate::clock;
use crate::engine::Settings;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::state_dir::StateDir;

/// How closely two backups are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// By what their manifests say: rows, and contents where both know them.
    Manifests,
    /// Also the definitions, where the manifests say that they differ: then both are restored into scratch databases.
    Schema,
    /// Both are restored in any case, and compared row by row.
    Contents,
}

/// One of the two sides.
#[derive(Debug, Clone, Serialize)]
pub struct Side {
    /// The backup's id, or the database's location.
    pub name: String,
    /// Of which time its state is.
    #[serde(with = "clock::rfc3339_millis")]
    pub at: DateTime<Utc>,
}

/// What is different in `after`.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// The state before.
    pub before: Side,
    /// The state after.
    pub after: Side,
    /// Whether every row was compared, and not only how many there are.
    pub is_by_content: bool,
    /// What is different in the database; none where neither side has one.
    pub changes: Option<Changes>,
    /// Which files differ; none where neither side has any.
    pub files: Option<FileChanges>,
    /// What a person should know.
    pub notes: Vec<String>,
}

impl Side {
    fn of(backup: &Backup) -> Self {
        Side { name: backup.id().to_owned(), at: backup.manifest().created_at }
    }
}

/// Compares two backups.
pub fn backups(before: &Backup, after: &Backup, depth: Depth, settings: &Settings) -> Result<Difference> {
    let files = files::between(before, after)?;
    let engine = |backup: &Backup| backup.manifest().database.as_ref().map(|database| database.engine);
    let (changes, is_by_content, notes) = match (engine(before), engine(after)) {
        (Some(_), Some(_)) => databases(before, after, depth, settings)?,
        (None, None) => (None, true, Vec::new()),
        (old, _) => {
            let lacks = if old.is_none() { before } else { after };
            (None, false, vec![format!("{} holds no database, so none was compared", lacks.id())])
        }
    };
    Ok(Difference { before: Side::of(before), after: Side::of(after), is_by_content, changes, files, notes })
}

fn databases(before: &Backup, after: &Backup, depth: Depth, settings: &Settings) -> Result<(Option<Changes>, bool, Vec<String>)> {
    let (old, new) = (state(before)?, state(after)?);
    let engine = |backup: &Backup| backup.manifest().database.as_ref().map(|database| database.engine);
    if engine(before) != engine(after) {
        return Err(Error::usage(format!("{} and {} are of different engines", before.id(), after.id()))
            .hint("only databases of one engine can be compared"));
    }
    let mut notes = Vec::new();
    let name = |backup: &Backup| backup.manifest().database.as_ref().map(|database| database.name.clone()).unwrap_or_default();
    if name(before) != name(after) {
        notes.push(format!("they are of two databases: {} and {}", name(before), name(after)));
    }
    let mut is_by_content = has_contents(old) && has_contents(new);
    let changes = if depth == Depth::Contents {
        let clone = Before::of(after.clone(), settings.clone())?.take_clone()?;
        is_by_content = true;
        match Before::of(before.clone(), settings.clone())?.compare_clone(&*clone)? {
            Since::Unchanged => Changes::default(),
            Since::Changed(changes) => changes,
        }
    } else {
        let changes = Changes::between(old, new);
        match (old.schema_sha256 == new.schema_sha256, depth) {
            (true, _) => changes,
            (false, Depth::Manifests) => {
                notes.push("definitions differ; without --quick they are shown".to_owned());
                changes
            }
            (false, _) => {
                let schema = |backup: &Backup| Before::of(backup.clone(), settings.clone())?.take_clone()?.loaded().schema();
                changes.with_schema(&schema(before)?, &schema(after)?)
            }
        }
    };
    if !is_by_content {
        notes.push("rows were counted and not compared; --content does that".to_owned());
    }
    Ok((Some(changes), is_by_content, notes))
}

/// Compares a backup with what its environment has now: the database by content, files by kind, length and time.
pub fn with_current(before: &Backup, environment: &Environment, state: &StateDir) -> Result<Difference> {
    let files = files::with_current(before, environment, state)?;
    if before.manifest().database.is_none() {
        let after = Side { name: environment.name.clone(), at: clock::now() };
        return Ok(Difference { before: Side::of(before), after, is_by_content: true, changes: None, files, notes: Vec::new() });
    }
    let engine = environment.engine(state)?;
    let live = engine.live()?;
    match live {
        crate::engine::Live::Present { .. } => {}
        crate::engine::Live::Missing => return Err(Error::failed(format!("there is no database at {}", engine.location()))),
        crate::engine::Live::Broken(why) => return Err(Error::failed(format!("{} cannot be read: {why}", engine.location()))),
    }
    requests::require_marker(&*engine, &live, Some(environment))?;
    let of = before.manifest().database.as_ref().map(|database| database.engine);
    if of != Some(engine.name()) {
        return Err(Error::usage(format!("{} is not of the same engine as {}", before.id(), engine.location())));
    }
    // Of a dump that was adopted nobody knows what stood around the database.
    let is_adopted = before.manifest().database.as_ref().is_some_and(|database| database.method == ADOPTED);
    let before_it = Before::of(before.clone(), environment.engine_settings(state)?)?;
    let since = if is_adopted { before_it.compare_restored(&*engine) } else { before_it.compare(&*engine) }?;
    let changes = match since {
        Since::Unchanged => Changes::default(),
        Since::Changed(changes) => changes,
    };
    let after = Side { name: engine.location(), at: clock::now() };
    Ok(Difference { before: Side::of(before), after, is_by_content: true, changes: Some(changes), files, notes: Vec::new() })
}

fn state(backup: &Backup) -> Result<&Fingerprint> {
    let fingerprint = backup.manifest().fingerprint.as_ref();
    fingerprint.ok_or_else(|| Error::bad(format!("{} does not say what its database held", backup.id())).hint("was its source corrupt?"))
}

fn has_contents(fingerprint: &Fingerprint) -> bool {
    fingerprint.tables.values().all(|table| table.content_sha256.is_some())
}
