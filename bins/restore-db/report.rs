//! What `restore-db` prints.

use holdfast::clock;
use holdfast::engine::Kept;
use holdfast::error::{self, Error, Result};
use holdfast::exit;
use holdfast::listing::{Listed, Verdict};
use holdfast::manifest::{Kind, Level, Type};
use holdfast::shell;
use holdfast::verbs::restore::{Plan, Report};
use holdfast::verbs::undo::Record;
use manners::{Audited, Out, Shade, Table};
use serde::Serialize;
use serde_json::json;

use crate::work::Done;

/// Tells a person what is about to happen, and says a missing safety backup loudly.
pub(crate) fn tell_plan(out: &Out, plan: &Plan) {
    for line in plan.lines().iter().map(|line| out.to_paste(line)) {
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
        out.note(&out.to_paste(&format!("files: {files}")));
    }
    if let Some(id) = &report.safety_backup {
        out.note(&format!("safety backup: {id}"));
    }
    if let Some(aside) = &report.kept_aside {
        let which = match &report.plan.environment {
            Some(name) => format!("-e {name}"),
            None => format!("--to {}", shell::word(&report.target)),
        };
        out.note(&out.to_paste(&format!("the old database is kept as {aside}; this brings it back: restore-db {which} --undo")));
    }
    if let Some(error) = &report.restart_error {
        out.error(
            &Error::new(error::Kind::Partial, format!("the database is restored, but the restart failed: {error}"))
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
        format!("undo     {}", record.named()),
        format!("into     {}", record.kept.target),
        format!("from     {aside}"),
        format!("live     then: {}", record.live_after()),
    ]
}

fn print_undone(out: &Out, record: &Record, kept: &Kept, audit_error: Option<&str>) -> Result<()> {
    if out.is_json() {
        out.document(&json!({ "target": kept.target, "undone": record.origin, "kept_aside": kept.aside, "audit_error": audit_error }))?;
    } else {
        out.line(&format!("undone\t{}", kept.target))?;
    }
    let other = kept.aside.as_ref().map(|aside| format!("; the other is kept as {aside}, and restore-db --undo again brings it back"));
    out.note(&out.to_paste(&format!("live now: {}{}", record.live_after(), other.unwrap_or_default())));
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
    kind: Option<Kind>,
    #[serde(rename = "type")]
    backup_type: Option<Type>,
    stored_bytes: Option<u64>,
    rows: Option<u64>,
    verified: Option<Level>,
    verdict: Verdict,
    reason: Option<String>,
    tags: Vec<String>,
    problem: Option<String>,
}

impl Row {
    fn of(listed: Listed) -> Self {
        Row {
            id: listed.id,
            environment: listed.environment,
            created_at: listed.created_at.map(clock::readable),
            kind: listed.kind,
            backup_type: listed.backup_type,
            stored_bytes: listed.stored_bytes,
            rows: listed.rows,
            verified: listed.verified,
            verdict: listed.verdict,
            reason: listed.reason,
            tags: listed.tags,
            problem: listed.problem,
        }
    }
}

/// Prints what there is, the newest last: the same verdicts as those of `backup-catalog list`.
pub(crate) fn print_list(out: &Out, listing: Vec<Listed>) -> Result<u8> {
    if out.is_json() {
        let rows: Vec<Row> = listing.into_iter().map(Row::of).collect();
        out.document(&json!({ "backups": rows }))?;
        return Ok(exit::DONE);
    }
    let mut table = Table::new(["id", "made at", "kind", "type", "bytes", "rows", "verified", "reason"]);
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    for listed in listing {
        let shade = if listed.is_bad() { Shade::Bad } else { Shade::Plain };
        let verified = listed.verified_word();
        table.row(
            shade,
            [
                listed.id,
                text(listed.created_at.map(clock::readable)),
                text(listed.kind.map(|kind| kind.to_string())),
                text(listed.backup_type.map(|found| found.to_string())),
                text(listed.stored_bytes.map(|bytes| bytes.to_string())),
                text(listed.rows.map(|rows| rows.to_string())),
                verified,
                text(listed.problem.or(listed.reason)),
            ],
        );
    }
    out.table(&table)?;
    Ok(exit::DONE)
}
