//! What `safe-migrate` says. stdout belongs to the command, so all of it goes to stderr, apart from the document of `--json`.

use std::path::Path;

use holdfast::error::{Error, Kind, Result};
use holdfast::fsx;
use holdfast::verbs::migrate::{Outcome, Report, State};
use manners::{Out, diff};

/// Says what became of the database, and gives the exit status.
pub(crate) fn print(out: &Out, report: &Report, file: Option<&Path>) -> Result<u8> {
    let status = report.status();
    for note in &report.notes {
        out.warn(note);
    }
    if let Some(rehearsal) = &report.rehearsal {
        match &rehearsal.changes {
            None => out.note(&format!("on the clone it changed nothing, in {} ms", rehearsal.command_ms)),
            Some(changes) => {
                out.note(&format!("on the clone, in {} ms: {}", rehearsal.command_ms, changes.summary()));
                diff::tell(out, changes);
            }
        }
    }
    match (&report.outcome, &report.changes) {
        (Outcome::Done, Some(changes)) => {
            out.note(&format!("done in {} ms: {}", report.command_ms.unwrap_or(0), changes.summary()));
            // The rehearsal has told what it does.
            if report.rehearsal.is_none() {
                diff::tell(out, changes);
            }
        }
        (Outcome::Done, None) => out.note("done: the database is exactly as it was before"),
        _ => tell_failure(out, report),
    }
    if let Some(path) = file {
        let text = serde_json::to_vec_pretty(report).map_err(|error| Error::failed("cannot write the report").because(error))?;
        if let Err(error) = fsx::replace_private(path, &text) {
            out.warn(&format!("the report could not be written: {error}"));
        }
    }
    if out.is_json() {
        out.document(report)?;
    }
    Ok(status)
}

/// One error that says what happened and what the database is now, with what to do next.
fn tell_failure(out: &Out, report: &Report) {
    let name = &report.environment;
    let why = report.reasons.join("; ");
    let status = report.command_status.map(|status| format!("status {status}")).unwrap_or_default();
    let what = match report.outcome {
        Outcome::Done => "done".to_owned(),
        Outcome::Failed => format!("the command failed ({status})"),
        Outcome::TimedOut => "the command ran out of time".to_owned(),
        Outcome::Rejected => format!("the command succeeded, but its result is rejected: {why}"),
        Outcome::RehearsalFailed => format!("the real database was not touched: {why}"),
        Outcome::RehearsalRejected => format!("the real database was not touched, the rehearsal's result is rejected: {why}"),
        Outcome::ReachedReal => why.clone(),
        Outcome::LeftRunning => why.clone(),
        Outcome::Resumed => "the migration had been interrupted".to_owned(),
    };
    let (state, hint) = match &report.state {
        State::Unchanged => ("the database is exactly as it was before".to_owned(), None),
        State::Migrated => ("the database is as the command left it".to_owned(), None),
        State::RolledBack { kept_aside: Some(aside) } => (
            format!("rolled back to {}", report.backup),
            Some(format!("the failed state is kept as {aside}; restore-db -e {name} --discard removes it")),
        ),
        State::RolledBack { kept_aside: None } => (format!("rolled back to {}", report.backup), None),
        State::Kept => {
            let changes = report.changes.as_ref().map_or(String::new(), |changes| format!(": {}", changes.summary()));
            (format!("the database is as it was left{changes}"), Some(format!("the state before is {0}: restore-db -e {name} {0}", report.backup)))
        }
        State::Unknown { .. } if report.outcome == Outcome::LeftRunning => (
            "nothing was judged".to_owned(),
            Some(format!("end them, then: safe-migrate -e {name} --resume, or --abandon; the state before is {}", report.backup)),
        ),
        State::Unknown { why } => (
            format!("NOT rolled back: {why}"),
            Some(format!(
                "the present state is where it was, the one before is {0}; go on with safe-migrate -e {name} --resume, or restore-db -e {name} {0}",
                report.backup
            )),
        ),
    };
    let error = Error::new(Kind::Wrapper(report.status()), format!("{what}; {state}"));
    let is_bad = report.outcome != Outcome::Resumed || matches!(report.state, State::Unknown { .. });
    match (is_bad, hint) {
        (true, Some(hint)) => out.tell(&error.hint(hint)),
        (true, None) => out.tell(&error),
        (false, hint) => {
            out.note(&format!("{what}; {state}"));
            if let Some(hint) = hint {
                out.note(&hint);
            }
        }
    }
}
