//! What `restore-db` prints.

use holdfast::catalog::Catalog;
use holdfast::clock;
use holdfast::engine::Kept;
use holdfast::error::{Error, Kind, Result};
use holdfast::exit;
use holdfast::verbs::restore::{Plan, Report};
use holdfast::verbs::undo::Record;
use manners::{Out, Shade, Table};
use serde::Serialize;
use serde_json::json;

/// Tells a person what is about to happen, and says a missing safety backup loudly.
pub(crate) fn tell_plan(out: &Out, plan: &Plan) {
    for line in plan.lines() {
        if line.contains("NO safety backup") { out.warn(line.trim_start()) } else { out.note(&line) }
    }
}

/// Prints where the database is now, and on stderr the command that brings the old one back.
pub(crate) fn print(out: &Out, report: &Report) -> Result<u8> {
    for note in &report.notes {
        out.warn(note);
    }
    if out.is_json() {
        out.document(report)?;
    } else {
        out.line(&format!("{}\t{}", report.plan.origin, report.target))?;
    }
    if let Some(id) = &report.safety_backup {
        out.note(&format!("safety backup: {id}"));
    }
    if let Some(aside) = &report.kept_aside {
        let which = match &report.plan.environment {
            Some(name) => format!("-e {name}"),
            None => format!("--to {}", quoted(&report.target)),
        };
        out.note(&format!("the old database is kept as {aside}; this brings it back: restore-db {which} --undo"));
    }
    if let Some(error) = &report.restart_error {
        out.error(
            &Error::new(Kind::Partial, format!("the database is restored, but the restart failed: {error}"))
                .hint("restart the application by hand"),
        );
        return Ok(exit::PARTIAL);
    }
    Ok(exit::DONE)
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let is_plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/:._-@+=,".contains(&byte));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
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
    ]
}

pub(crate) fn print_undone(out: &Out, record: &Record, kept: &Kept) -> Result<u8> {
    if out.is_json() {
        out.document(&json!({ "target": kept.target, "undone": record.origin, "kept_aside": kept.aside }))?;
    } else {
        out.line(&format!("undone\t{}", kept.target))?;
    }
    if let Some(aside) = &kept.aside {
        out.note(&format!("what was there is kept as {aside}; restore-db --undo again brings it back"));
    }
    Ok(exit::DONE)
}

pub(crate) fn print_discarded(out: &Out, record: &Record) -> Result<u8> {
    let asides: Vec<&str> = record.asides().collect();
    if out.is_json() {
        out.document(&json!({ "target": record.kept.target, "discarded": asides }))?;
    } else {
        for aside in asides {
            out.line(&format!("discarded\t{aside}"))?;
        }
    }
    Ok(exit::DONE)
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
pub(crate) fn print_list(out: &Out, catalog: &Catalog) -> Result<u8> {
    let rows: Vec<Row> = catalog
        .entries
        .iter()
        .map(|entry| match &entry.backup {
            Ok(backup) => {
                let manifest = backup.manifest();
                Row {
                    id: manifest.id.clone(),
                    environment: Some(manifest.environment.clone()),
                    created_at: Some(clock::readable(manifest.created_at)),
                    kind: Some(manifest.kind.to_string()),
                    stored_bytes: Some(manifest.stored_bytes()),
                    rows: manifest.fingerprint.as_ref().map(holdfast::fingerprint::Fingerprint::total_rows),
                    verified: manifest.verification.as_ref().map(|verification| verification.level.to_string()),
                    reason: manifest.reason.clone(),
                    tags: manifest.tags.clone(),
                    problem: manifest.problems.first().cloned(),
                }
            }
            Err(error) => Row {
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
            },
        })
        .collect();
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
