//! A disk that is not mounted is an empty folder: what was there yesterday and is not there today is missing until somebody says that it
//! was meant.

use crate::backup::Backup;
use crate::catalog::Catalog;
use crate::clock;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::files::inventory;
use crate::files::pack::NAMED_MAX;
use crate::fsx;
use crate::manifest::{Component, Kind, Remark, Root};

/// Notes each root in which there is nothing now, and in which the last whole backup of the same kind has something, as incomplete; but
/// for those of which somebody has said that they are empty.
pub(super) fn note(environment: &Environment, catalog: &Catalog, kind: Kind, component: &mut Component) {
    let role = component.role.clone();
    let Some(files) = &mut component.files else { return };
    for root in files.roots.iter().filter(|root| root.entries == Some(0) && !is_accepted(environment, root)) {
        let Some(before) = last_with(catalog, kind, &role, root, &files.by_hand) else { continue };
        if !held_something(before, &role, root) {
            continue;
        }
        let is_empty = std::fs::read_dir(&root.path).is_ok_and(|mut folder| folder.next().is_none());
        let now = if is_empty { "it is empty" } else { "nothing is below it that would be backed up" };
        let why = format!(
            "{now}, and was not so in {} of {}: is a disk not mounted? if it is meant: backup-full --accept-empty {}",
            before.id(),
            clock::readable(before.manifest().created_at),
            root.name
        );
        files.incomplete_count += 1;
        if files.incomplete.len() < NAMED_MAX {
            files.incomplete.push(Remark { path: root.name.clone(), why });
        }
    }
}

/// Refuses an acceptance that is about nothing: a slip of the pen must not wait for the day on which it would be needed.
pub(in crate::verbs) fn require_known<'a>(environment: &Environment, roots: impl Iterator<Item = &'a Root> + Clone) -> Result<()> {
    let is_named = |word: &String| roots.clone().any(|root| names(word, root));
    match environment.accept_empty.iter().find(|word| !is_named(word)) {
        None => Ok(()),
        Some(word) => {
            let known: Vec<&str> = roots.map(|root| root.name.as_str()).collect();
            Err(Error::usage(format!("--accept-empty {word}: that is nothing that would be backed up"))
                .hint(format!("what there is: {}", known.join(", "))))
        }
    }
}

fn is_accepted(environment: &Environment, root: &Root) -> bool {
    environment.accept_empty.iter().any(|word| names(word, root))
}

/// By its name in the archive, or by its path.
fn names(word: &str, root: &Root) -> bool {
    let path = std::path::absolute(word).map(|path| fsx::real_path(&path));
    *word == root.name || path.is_ok_and(|path| path == fsx::real_path(&root.path))
}

/// The newest whole backup of this kind that has the root. One that lacks something says nothing: it may lack just that.
fn last_with<'a>(catalog: &'a Catalog, kind: Kind, role: &str, root: &Root, by_hand: &[String]) -> Option<&'a Backup> {
    catalog.newest(|backup| {
        let manifest = backup.manifest();
        let files = manifest.component(role).and_then(|component| component.files.as_ref());
        manifest.kind == kind
            && manifest.verification.is_some()
            && manifest.incomplete_count() == 0
            && files.is_some_and(|files| files.by_hand == by_hand && files.roots.iter().any(|other| other.path == root.path))
    })
}

/// Whether a backup has something below a root. One that does not say so is asked for its list, and where that cannot be read it counts
/// as if it had.
fn held_something(backup: &Backup, role: &str, root: &Root) -> bool {
    let Some(component) = backup.manifest().component(role) else { return false };
    let Some(before) = component.files.as_ref().and_then(|files| files.roots.iter().find(|other| other.path == root.path)) else {
        return false;
    };
    if let Some(entries) = before.entries {
        return entries > 0;
    }
    let Ok(mut lines) = inventory::Reader::open(backup.folder(), component) else { return true };
    lines.any(|entry| entry.map_or(true, |entry| entry.path.root() == before.name.as_bytes() && entry.path.0.len() > before.name.len()))
}
