//! What `restore-db` prints.

use holdfast::catalog::Catalog;
use holdfast::clock;
use holdfast::engine::Kept;
use holdfast::error::{Error, Kind, Result};
use holdfast::exit;
use holdfast::labels;
use holdfast::shell;
use holdfast::store::Store;
use holdfast::verbs::restore::{Plan, Report};
use holdfast::verbs::undo::Record;
use manners::{Audited, Out, Shade, Table};
use serde::Serialize;
use serde_json::json;

use crate::work::Done;

/// Tells a person what is about to happen, and says a missing safety backup loudly.
pub(crate) fn tell_plan(out: &Out, plan: &Plan) {
    for line in plan.lines() {
        if line.contains("NO safety backup") { out.warn(line.trim_start()) } else { out.note(&line) }
    }
}

/// Prints what was done, and gives the exit status.
pub(crate) fn print(out: &Out, audited: &Audited<Done>) -> Result<u8> {
    let audit_error = audited.audit_error.as_deref();
    match &audited.value {
        Done::Restored(report) => print_restored(out, report, audit_error)?,
        Done::Undone(record, kept) => print_undone(out, record, kept, audit_error)?,
        Done::Discarded(record) => print_discarded(out, record, audit_error)?,
    }
    Ok(audited.status)
}

#[derive(Serialize)]
struct Restored<'a> {
    #[serde(flatten)]
    report: &'a Report,
    audit_error: Option<&'a str>,
}

/// Prints where the database is now, and on stderr the command that brings the old one back.
fn print_restored(out: &Out, report: &Report, audit_error: Option<&str>) -> Result<()> {
    for note in &report.notes {
        out.warn(note);
    }
    if out.is_json() {
        out.document(&Restored { report, audit_error })?;
    } else {
        out.line(&format!("{}\t{}", report.plan.origin, report.target))?;
    }
    if let Some(files) = report.plan.files() {
        out.note(&format!("files: {files}"));
    }
    if let Some(id) = &report.safety_backup {
        out.note(&format!("safety backup: {id}"));
    }
    if let Some(aside) = &report.kept_aside {
        let which = match &report.plan.environment {
            Some(name) => format!("-e {name}"),
            None => format!("--to {}", shell::word(&report.target)),
        };
        out.note(&format!("the old database is kept as {aside}; this brings it back: restore-db {which} --undo"));
    }
    if let Some(error) = &report.restart_error {
        out.error(
            &Error::new(Kind::Partial, format!("the database is restored, but the restart failed: {error}"))
                .hint("restart the application by hand"),
        );
    }
    Ok(())
}

/// What undo or discard would do.
pub(crate) fn lines_of(record: &Record, is_discard: bool) -> Vec<String> {
    if is_discard {
        return record.asides().map(|aside| format!("discard  {aside}")).collect();
    }
    let aside = record.kept.aside.as_deref().unwrap_or("nothing: there was no database before");
    vec![
        format!("undo     the restore of {} at {}", record.origin, clock::readable(record.at)),
        format!("into     {}", record.kept.target),
        format!("from     {aside}"),
        format!("live     then: {}", live_after(record)),
    ]
}

/// What is live once this is undone. Each undo is remembered as an undo of what it undid.
fn live_after(record: &Record) -> String {
    let mut restored = record.origin.as_str();
    let mut was_restored = true;
    while let Some(rest) = restored.strip_prefix("undo of ") {
        (restored, was_restored) = (rest, !was_restored);
    }
    let verb = if was_restored { format!("{restored} was restored") } else { format!("the restore of {restored} was undone") };
    format!("the state from before {}, when {verb}", clock::readable(record.at))
}

fn print_undone(out: &Out, record: &Record, kept: &Kept, audit_error: Option<&str>) -> Result<()> {
    if out.is_json() {
        out.document(&json!({ "target": kept.target, "undone": record.origin, "kept_aside": kept.aside, "audit_error": audit_error }))?;
    } else {
        out.line(&format!("undone\t{}", kept.target))?;
    }
    let other = kept.aside.as_ref().map(|aside| format!("; the other is kept as {aside}, and restore-db --undo again brings it back"));
    out.note(&format!("live now: {}{}", live_after(record), other.unwrap_or_default()));
    Ok(())
}

fn print_discarded(out: &Out, record: &Record, audit_error: Option<&str>) -> Result<()> {
    let asides: Vec<&str> = record.asides().collect();
    if out.is_json() {
        return out.document(&json!({ "target": record.kept.target, "discarded": asides, "audit_error": audit_error }));
    }
    asides.into_iter().try_for_each(|aside| out.line(&format!("discarded\t{aside}")))
}

/// One backup as `--list` shows it.
#[derive(Serialize)]
struct Row {
    id: String,
    environment: Option<String>,
    created_at: Option<String>,
    kind: Option<String>,
    stored_bytes: Option<u64>,
    rows: Option<u64>,
    verified: Option<String>,
    reason: Option<String>,
    tags: Vec<String>,
    problem: Option<String>,
}

/// Prints what there is, the newest last.
pub(crate) fn print_list(out: &Out, store: &Store, catalog: &Catalog) -> Result<u8> {
    let rows: Vec<Row> = catalog
        .entries
        .iter()
        .map(|entry| match &entry.backup {
            Ok(backup) => {
                let manifest = backup.manifest();
                let labels = labels::of(store, backup.id(), &manifest.tags)?;
                Ok(Row {
                    id: manifest.id.clone(),
                    environment: Some(manifest.environment.clone()),
                    created_at: Some(clock::readable(manifest.created_at)),
                    kind: Some(manifest.kind.to_string()),
                    stored_bytes: Some(manifest.stored_bytes()),
                    rows: manifest.fingerprint.as_ref().map(holdfast::fingerprint::Fingerprint::total_rows),
                    verified: manifest.verification.as_ref().map(|verification| verification.level.to_string()),
                    reason: manifest.reason.clone(),
                    tags: labels.tags.into_iter().collect(),
                    problem: manifest.problems.first().cloned(),
                })
            }
            Err(error) => Ok(Row {
                id: entry.name.clone(),
                environment: None,
                created_at: None,
                kind: None,
                stored_bytes: None,
                rows: None,
                verified: None,
                reason: None,
                tags: Vec::new(),
                problem: Some(error.to_string()),
            }),
        })
        .collect::<Result<_>>()?;
    if out.is_json() {
        out.document(&json!({ "backups": rows }))?;
        return Ok(exit::DONE);
    }
    let mut table = Table::new(["id", "made at", "kind", "bytes", "rows", "verified", "reason"]);
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let number = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    for row in rows {
        let shade = if row.verified.is_some() { Shade::Plain } else { Shade::Bad };
        let reason = row.problem.or(row.reason);
        table.row(
            shade,
            [
                row.id,
                text(row.created_at),
                text(row.kind),
                number(row.stored_bytes),
                number(row.rows),
                text(row.verified.or(Some("NO".to_owned()))),
                text(reason),
            ],
        );
    }
    out.table(&table)?;
    Ok(exit::DONE)
}
