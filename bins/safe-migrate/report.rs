//! What `safe-migrate` says of a migration.

use holdfast::verbs::migrate::{Outcome, Report};
use manners::{Out, diff, wrapper};

/// Says what the command did, and what became of the database.
pub(crate) fn tell(out: &Out, report: &Report) {
    for note in &report.notes {
        out.warn(note);
    }
    if let Some(rehearsal) = &report.rehearsal {
        match &rehearsal.changes {
            None => out.tell(&format!("on the clone it changed nothing, in {} ms", rehearsal.command_ms)),
            Some(changes) => {
                out.tell(&format!("on the clone, in {} ms: {}", rehearsal.command_ms, changes.summary()));
                diff::tell(changes, |line| out.tell(line));
            }
        }
    }
    match (&report.outcome, &report.changes) {
        (Outcome::Done, Some(changes)) => {
            out.note(&format!("done in {} ms: {}", report.command_ms.unwrap_or(0), changes.summary()));
            // Where it was rehearsed, that has been told already.
            if report.rehearsal.is_none() {
                diff::tell(changes, |line| out.note(line));
            }
        }
        (Outcome::Done, None) => out.note("done: the database is exactly as it was before"),
        _ => wrapper::tell_failure(out, report),
    }
}
