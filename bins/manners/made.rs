//! What is printed of a backup that was made: the same in every binary that makes one.

use std::path::PathBuf;

use holdfast::error::{Error, Kind, Result};
use holdfast::manifest::Manifest;
use holdfast::verbs::backup::Report;
use holdfast::verbs::prune::Pruned;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::audited::Audited;
use crate::out::Out;

/// The document of `--json`.
#[derive(Serialize)]
struct Document<'a> {
    id: &'a str,
    folder: &'a PathBuf,
    status: u8,
    manifest: &'a Manifest,
    retention: Option<&'a Pruned>,
    retention_error: Option<String>,
    notes: &'a [String],
    audit_error: Option<&'a str>,
}

/// What the audit trail says of a backup beside its id and size: what it removed, and why it is not whole.
pub fn facts(report: &Report) -> Map<String, Value> {
    let mut facts = Map::new();
    match &report.pruned {
        Some(Ok(pruned)) => {
            let removed: Vec<&str> = pruned.plan.removals().map(|line| line.id.as_str()).collect();
            if !removed.is_empty() {
                facts.insert("removed".to_owned(), json!(removed));
            }
        }
        Some(Err(error)) => {
            facts.insert("retention_error".to_owned(), json!(error.to_string()));
        }
        None => {}
    }
    if report.manifest.incomplete_count() > 0 {
        facts.insert("incomplete".to_owned(), json!(report.manifest.incomplete_count()));
    }
    if let Some(problem) = report.manifest.problems.first() {
        facts.insert("problem".to_owned(), json!(problem));
    }
    facts
}

/// Prints the new backup's id and folder, separated by a tab; what a person should know goes to stderr.
pub fn print(out: &Out, audited: &Audited<Report>) -> Result<u8> {
    let Audited { value: report, status, audit_error } = audited;
    let (pruned, prune_error) = match &report.pruned {
        Some(Ok(pruned)) => (Some(pruned), None),
        Some(Err(error)) => (None, Some(error)),
        None => (None, None),
    };
    for note in report.notes.iter().chain(&report.manifest.warnings) {
        out.warn(note);
    }
    if let Some(pruned) = pruned {
        for line in pruned.plan.removals() {
            out.note(&line.to_string());
        }
    }
    if let Some(error) = prune_error {
        out.say_error(error);
    }
    tell_files(out, &report.manifest);
    for problem in &report.manifest.problems {
        out.say_error(&Error::bad(format!("the database itself is corrupt: {problem}")).hint(
            "this backup is kept as unverified and never counts as good; restore an older one, or repair the database with sqlite3's .recover",
        ));
    }
    if out.is_json() {
        out.document(&Document {
            id: &report.id,
            folder: &report.folder,
            status: *status,
            manifest: &report.manifest,
            retention: pruned,
            retention_error: prune_error.map(ToString::to_string),
            notes: &report.notes,
            audit_error: audit_error.as_deref(),
        })?;
    } else {
        out.line(&format!("{}\t{}", report.id, report.folder.display()))?;
    }
    Ok(*status)
}

/// What a person should know of the files in a backup: what is missing or torn is an error, what was left out only a note.
fn tell_files(out: &Out, manifest: &Manifest) {
    for files in manifest.components.iter().filter_map(|component| component.files.as_ref()) {
        for remark in &files.left_out {
            out.tell(&format!("{} is left out: {}", remark.path, remark.why));
        }
        for remark in &files.incomplete {
            out.warn(&format!("{} is not in the backup as it should be: {}", remark.path, remark.why));
        }
    }
    let count = manifest.incomplete_count();
    if count > 0 {
        out.say_error(
            &Error::new(Kind::Partial, format!("{} is published, but {count} files or folders are missing from it or torn", manifest.id))
                .hint("put right what can be, or leave it out on purpose with exclude, and run it again"),
        );
    }
}
