//! What each verb asks the guardian: its words, its state, and the marker compared with what was meant.

use std::os::unix::fs::MetadataExt;

use chrono::{DateTime, Utc};

use super::restore::{Origin, Plan, Target};
use super::undo::Record;
use crate::engine::{Engine, Live};
use crate::environment::Environment;
use crate::error::{OnPath, Result};
use crate::fsx;
use crate::guardian::{Intent, Loses, Operation, Request, State};
use crate::manifest;
use crate::marker::{self, Marker, Role};
use crate::store::Store;

/// What the database at the real place says of itself; none where there is none that can be opened.
pub fn marker_of(engine: &dyn Engine, live: &Live) -> Result<Option<Marker>> {
    match live {
        Live::Missing | Live::Broken(_) => Ok(None),
        Live::Present { .. } => engine.marker(),
    }
}

/// As [`marker_of`], refused where it is another than the environment whose database it is meant to be.
pub fn require_marker(engine: &dyn Engine, live: &Live, environment: Option<&Environment>) -> Result<Option<Marker>> {
    let found = marker_of(engine, live)?;
    if let Some(environment) = environment {
        marker::require(found.as_ref(), &environment.name, &engine.location())?;
    }
    Ok(found)
}

/// A place that no configuration describes may be any database's. Where it says whose it is, only a backup of that one, or
/// a file of nobody knows whose, can be meant for it.
fn require_same_origin(origin: &Origin, target: &Target<'_>, found: Option<&Marker>) -> Result<()> {
    match (target.environment, origin, found) {
        (None, Origin::Backup(backup), Some(marker)) if marker.role == Role::Real => {
            marker::require(found, &backup.manifest().environment, &target.engine.location())
        }
        _ => Ok(()),
    }
}

/// What a restore asks. The store is where backups of the target are.
pub fn restore(plan: &Plan, origin: &Origin, target: &Target<'_>, store: Option<&Store>) -> Result<Request> {
    let live = target.engine.live()?;
    let marker = require_marker(&*target.engine, &live, target.environment)?;
    require_same_origin(origin, target, marker.as_ref())?;
    let steps: Vec<&str> = plan.steps.iter().map(|step| step.action.name()).collect();
    let content = match origin {
        // The manifest holds the hashes of everything else.
        Origin::Backup(backup) => backup.checksums().get(manifest::FILE).cloned().unwrap_or_default(),
        Origin::File(file) => {
            let found = file.path().metadata().on("look at", file.path())?;
            format!("{} bytes of {}.{:09}, file {}", found.len(), found.mtime(), found.mtime_nsec(), found.ino())
        }
    };
    let loses = match &live {
        Live::Missing | Live::Present { is_empty: true, .. } => Loses::Nothing,
        _ => Loses::Kept("what is there now is replaced, and kept aside until restore-db --discard".to_owned()),
    };
    Request::of(Intent {
        operation: Operation::Restore,
        target: plan.target.clone(),
        identity: target.engine.identity(),
        environment: target.environment,
        subject: plan.origin.clone(),
        loses,
        state: state_of(&*target.engine, &live).with("plan", steps.join(", ")).with("content", content),
        marker,
        store,
    })
}

/// What an undo asks.
pub fn undo(target: &Target<'_>, record: &Record, store: Option<&Store>) -> Result<Request> {
    let live = target.engine.live()?;
    Request::of(Intent {
        operation: Operation::Undo,
        target: record.kept.target.clone(),
        identity: target.engine.identity(),
        environment: target.environment,
        subject: record.named(),
        loses: Loses::Kept("what is there now is replaced, and kept aside in its stead".to_owned()),
        state: state_of(&*target.engine, &live).with("comes_back", record.kept.aside.as_deref().unwrap_or("no database")),
        marker: require_marker(&*target.engine, &live, target.environment)?,
        store,
    })
}

/// What a discard asks. The live database is not touched, but whose it is must be right all the same.
pub fn discard(target: &Target<'_>, record: &Record, store: Option<&Store>) -> Result<Request> {
    let live = target.engine.live()?;
    let asides: Vec<&str> = record.asides().collect();
    let loses = match asides.as_slice() {
        [] => Loses::Nothing,
        [_] if record.was_empty => Loses::Nothing,
        all => Loses::ForGood { what: all.join(", "), as_of: record.at, held_by: record.safety_backup.clone(), going: Vec::new() },
    };
    Request::of(Intent {
        operation: Operation::Discard,
        target: record.kept.target.clone(),
        identity: target.engine.identity(),
        environment: target.environment,
        subject: record.named(),
        loses,
        state: State::default().with("removed", asides.join(", ")),
        marker: require_marker(&*target.engine, &live, target.environment)?,
        store,
    })
}

/// What a removal of backups asks: `ids` are the backups that would go, `as_of` the time of the newest of them.
pub fn removal(operation: Operation, environment: &Environment, ids: &[String], as_of: DateTime<Utc>, store: &Store) -> Result<Request> {
    let loses = match ids {
        [] => Loses::Nothing,
        [only] => Loses::ForGood { what: format!("the backup {only}"), as_of, held_by: None, going: ids.to_vec() },
        several => Loses::ForGood { what: format!("{} backups", several.len()), as_of, held_by: None, going: ids.to_vec() },
    };
    Request::of(Intent {
        operation,
        target: store.root().display().to_string(),
        identity: None,
        environment: Some(environment),
        subject: ids.join(", "),
        loses,
        state: State::default().with("removed", ids.len().to_string()).with("store", store.id()),
        marker: None,
        store: Some(store),
    })
}

/// Which database is at the target, and whether it holds anything: what tells it from every other for as long as nobody
/// replaces it. Its size and its rows change while an application works, and are left out.
pub(super) fn state_of(engine: &dyn Engine, live: &Live) -> State {
    let found = match live {
        Live::Missing => "nothing",
        Live::Broken(_) => "something that is broken",
        Live::Present { is_empty: true, .. } => "an empty database",
        Live::Present { .. } => "a database",
    };
    let identity = engine.identity().map_or_else(|| "unknown".to_owned(), |identity| fsx::sha256_hex(identity.as_bytes())[..16].to_owned());
    State::default().with("found", found).with("identity", identity)
}
