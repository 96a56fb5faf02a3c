//! What `backup-db` prints.

use std::path::PathBuf;

use holdfast::error::{Error, Result};
use holdfast::exit;
use holdfast::manifest::Manifest;
use holdfast::verbs::backup::{Planned, Report};
use holdfast::verbs::prune::Pruned;
use manners::Out;
use serde::Serialize;

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
}

/// Prints the new backup's id and folder, separated by a tab; what a person should know goes to stderr.
pub(crate) fn print(out: &Out, report: &Report) -> Result<u8> {
    let status = report.status();
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
        out.error(error);
    }
    for problem in &report.manifest.problems {
        out.error(&Error::bad(format!("the database itself is corrupt: {problem}")).hint(
            "this backup is kept as unverified and never counts as good; restore an older one, or repair the database with sqlite3's .recover",
        ));
    }
    if out.is_json() {
        out.document(&Document {
            id: &report.id,
            folder: &report.folder,
            status,
            manifest: &report.manifest,
            retention: pruned,
            retention_error: prune_error.map(ToString::to_string),
            notes: &report.notes,
        })?;
    } else {
        out.line(&format!("{}\t{}", report.id, report.folder.display()))?;
    }
    Ok(status)
}

/// Prints what a run would do.
pub(crate) fn print_plan(out: &Out, plan: &Planned) -> Result<u8> {
    out.plan(plan, &plan.lines())?;
    Ok(exit::DONE)
}
