//! Which earlier backup a new one refers to.

use std::rc::Rc;

use chrono::{DateTime, TimeDelta, Utc};

use super::standing::Standings;
use crate::backup::Backup;
use crate::catalog::Catalog;
use crate::environment::Environment;
use crate::error::Result;
use crate::manifest::{Kind, Manifest, Type};
use crate::retention::{SKEW_MAX, Standing};
use crate::rules::Wanted;
use crate::store::Store;

/// Backups in a chain after which a new one begins: each is one more that all later ones need.
const CHAIN_MAX: usize = 200;

/// The backup that a new one refers to, and what that makes the new one.
pub(super) struct Parent {
    pub(super) backup: Backup,
    pub(super) makes: Type,
}

/// The parent of a backup of this kind; none where it stands alone. What was wanted and cannot be is told in `notes`. `now` is what the
/// clock says, and not the time that the new backup will bear.
///
/// Only a backup of the same kind and of the same things is referred to, so that retention keeps no chain alive across groups; one before a
/// migration, and a safety backup, always stand alone: they are for the worst of days.
pub(super) fn choose(
    environment: &Environment,
    store: &Store,
    catalog: &Catalog,
    (kind, content): (Kind, &str),
    now: DateTime<Utc>,
    notes: &mut Vec<String>,
) -> Result<Option<Parent>> {
    let rules = environment.increments;
    if rules.wanted == Wanted::Full || !matches!(kind, Kind::Db | Kind::Full) {
        return Ok(None);
    }
    let makes = if rules.wanted == Wanted::Differential { Type::Differential } else { Type::Incremental };
    let fits = |backup: &&Backup| {
        let manifest = backup.manifest();
        let is_full_enough = makes == Type::Incremental || manifest.backup_type == Type::Full;
        manifest.kind == kind && manifest.store_id == store.id() && is_full_enough && manifest.content() == content
    };
    let standings = Standings::new(store);
    for backup in catalog.backups().rev().filter(fits) {
        if standings.of(backup)? != Standing::Verified {
            continue;
        }
        let Some(full) = chain_begin(&standings, backup)? else { continue };
        if rules.wanted == Wanted::Auto && is_old(full.manifest(), now, rules.full_every) {
            return Ok(None);
        }
        if makes == Type::Incremental && chain_length(backup) >= CHAIN_MAX {
            if rules.wanted != Wanted::Auto {
                notes.push(format!("{CHAIN_MAX} backups stand on each other: this one is a full, with which a new chain begins"));
            }
            return Ok(None);
        }
        return Ok(Some(Parent { backup: backup.clone(), makes }));
    }
    if rules.wanted != Wanted::Auto {
        notes.push(format!("there is no good backup that this one could refer to: it is a full, not {makes}"));
    }
    Ok(None)
}

/// The full that a backup descends from; none where one of those that it needs is gone or bad.
fn chain_begin(standings: &Standings<'_>, backup: &Backup) -> Result<Option<Rc<Backup>>> {
    let mut begin = None;
    for component in &backup.manifest().components {
        for source in &component.sources {
            let holder = standings.needed(backup, &source.id).filter(|holder| {
                // The very one, and no other of its name.
                holder.manifest().component(&component.role).is_some_and(|held| held.index_sha256 == source.index_sha256)
            });
            let Some(holder) = holder else { return Ok(None) };
            if standings.of(&holder)? != Standing::Verified {
                return Ok(None);
            }
            if holder.manifest().backup_type == Type::Full {
                begin = Some(holder);
            }
        }
    }
    Ok(begin.or_else(|| (backup.manifest().backup_type == Type::Full).then(|| Rc::new(backup.clone()))))
}

fn chain_length(backup: &Backup) -> usize {
    backup.manifest().components.iter().map(|component| component.sources.len()).max().unwrap_or(0) + 1
}

fn is_old(manifest: &Manifest, now: DateTime<Utc>, full_every: std::time::Duration) -> bool {
    // One whose age cannot be told might stay young for years.
    let Some(made_at) = made_at(manifest, now) else { return true };
    now.signed_duration_since(made_at) >= TimeDelta::from_std(full_every).unwrap_or(TimeDelta::MAX)
}

/// When a backup was made, as far as that can be true. After a run under a wrong clock every later backup bears a time in the future,
/// so that the order is kept; when it was verified is what the clock said.
fn made_at(manifest: &Manifest, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let verified_at = manifest.verification.as_ref().map(|verification| verification.at);
    [Some(manifest.created_at), verified_at].into_iter().flatten().find(|at| at.signed_duration_since(now) <= SKEW_MAX)
}

#[cfg(test)]
mod tests;
