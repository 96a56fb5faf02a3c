//! `backup-catalog tag`, `untag`, `pin` and `unpin`.

use holdfast::backup::Backup;
use holdfast::error::Result;
use holdfast::exit;
use holdfast::labels::{self, Change, Labels};
use manners::{Common, Out};
use serde_json::json;

use crate::args::label::{Pin, Tag, Unpin, Untag};
use crate::shelf::Shelf;

pub(crate) fn tag(args: &Tag, out: &Out) -> Result<u8> {
    args.tags.iter().try_for_each(|tag| labels::require_tag(tag))?;
    let changes = |labels: &Labels| {
        let new = args.tags.iter().filter(|tag| !labels.tags.contains(*tag));
        new.map(|tag| Change::Tag { tag: tag.clone() }).collect()
    };
    run("tag", std::slice::from_ref(&args.selector), &changes, &args.common, out)
}

pub(crate) fn untag(args: &Untag, out: &Out) -> Result<u8> {
    let changes = |labels: &Labels| {
        let there = args.tags.iter().filter(|tag| labels.tags.contains(*tag));
        there.map(|tag| Change::Untag { tag: tag.clone() }).collect()
    };
    run("untag", std::slice::from_ref(&args.selector), &changes, &args.common, out)
}

pub(crate) fn pin(args: &Pin, out: &Out) -> Result<u8> {
    let changes = |labels: &Labels| {
        let is_said = labels.pin.as_ref().is_some_and(|pin| args.reason.is_none() || pin.reason == args.reason);
        if is_said { Vec::new() } else { vec![Change::Pin { reason: args.reason.clone() }] }
    };
    run("pin", &args.selectors, &changes, &args.common, out)
}

pub(crate) fn unpin(args: &Unpin, out: &Out) -> Result<u8> {
    let changes = |labels: &Labels| if labels.pin.is_some() { vec![Change::Unpin] } else { Vec::new() };
    run("unpin", &args.selectors, &changes, &args.common, out)
}

/// Says to each backup that is meant what is not so already.
fn run(operation: &str, selectors: &[String], changes: &dyn Fn(&Labels) -> Vec<Change>, common: &Common, out: &Out) -> Result<u8> {
    let shelf = Shelf::open(common, out, false)?;
    let mut backups: Vec<Backup> = Vec::new();
    for selector in selectors {
        let backup = shelf.find(selector)?;
        if backups.iter().all(|other| other.id() != backup.id()) {
            backups.push(backup);
        }
    }
    let labels_of = |backup: &Backup| labels::of(&shelf.store, backup.id(), &backup.manifest().tags);
    let planned: Vec<(&Backup, Vec<Change>)> =
        backups.iter().map(|backup| Ok((backup, changes(&labels_of(backup))))).collect::<Result<_>>()?;
    if common.dry_run {
        return print(out, &planned, &labels_of, None).map(|()| exit::DONE);
    }
    let environment = planned.first().map(|(backup, _)| backup.manifest().environment.as_str());
    let run = shelf.run(operation, environment);
    let audited = shelf.setting.audited(out, Some(&shelf.store), run, |trail| {
        trail.note(|facts| {
            facts.backup = planned.first().map(|(backup, _)| backup.id().to_owned());
            let said: Vec<_> = planned.iter().map(|(backup, changes)| json!({ "backup": backup.id(), "changes": changes })).collect();
            facts.detail.insert("labels".to_owned(), json!(said));
        });
        for (backup, changes) in &planned {
            changes.iter().try_for_each(|change| labels::say(&shelf.store, backup.id(), change.clone()))?;
        }
        Ok((exit::DONE, ()))
    })?;
    print(out, &planned, &labels_of, audited.audit_error.as_deref())?;
    Ok(audited.status)
}

fn print(out: &Out, planned: &[(&Backup, Vec<Change>)], labels_of: &dyn Fn(&Backup) -> Labels, audit_error: Option<&str>) -> Result<()> {
    if out.is_json() {
        let mut backups = Vec::new();
        for (backup, changes) in planned {
            let labels = labels_of(backup);
            backups.push(json!({ "id": backup.id(), "changes": changes, "tags": labels.tags, "pin": labels.pin }));
        }
        return out.document(&json!({ "backups": backups, "audit_error": audit_error }));
    }
    for (backup, changes) in planned {
        let said: Vec<String> = changes.iter().map(said).collect();
        out.line(&format!("{}\t{}", backup.id(), if said.is_empty() { "unchanged".to_owned() } else { said.join(", ") }))?;
    }
    Ok(())
}

fn said(change: &Change) -> String {
    match change {
        Change::Tag { tag } => format!("+{tag}"),
        Change::Untag { tag } => format!("-{tag}"),
        Change::Pin { reason: None } => "pinned".to_owned(),
        Change::Pin { reason: Some(reason) } => format!("pinned: {reason}"),
        Change::Unpin => "unpinned".to_owned(),
    }
}
