//! What is said of a command's end, and of the database's state then.

use holdfast::audit::Trail;
use holdfast::error::{Error, Kind};
use holdfast::verbs::migrate::{Outcome, Report, State};
use serde_json::json;

use super::Tool;
use crate::diff;
use crate::out::Out;

/// Says what the command did, and what became of the database.
pub fn tell(out: &Out, tool: Tool, report: &Report) {
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
        _ => tell_failure(out, tool, report),
    }
}

/// What the audit trail keeps of the end.
pub fn note(trail: &Trail, report: &Report) {
    trail.note(|facts| {
        facts.backup = Some(report.backup.clone());
        facts.detail.insert("outcome".to_owned(), json!(report.outcome));
        facts.detail.insert("database".to_owned(), json!(report.state));
        facts.detail.insert("reasons".to_owned(), json!(report.reasons));
    });
}

/// Says what went wrong, what the database is now, and what to do next.
fn tell_failure(out: &Out, tool: Tool, report: &Report) {
    let why = report.reasons.join("; ");
    let what = match report.outcome {
        Outcome::Done => "done".to_owned(),
        Outcome::Failed => match report.command_status {
            Some(status) => format!("the command failed (status {status})"),
            None => "the command failed".to_owned(),
        },
        Outcome::TimedOut if report.command_status.is_none() => format!("the real database was not touched: {why}"),
        Outcome::TimedOut => "the command ran out of time".to_owned(),
        Outcome::Rejected => format!("the command succeeded, but its result is rejected: {why}"),
        Outcome::RehearsalFailed => format!("the real database was not touched: {why}"),
        Outcome::RehearsalRejected if report.state == State::Kept => format!("the command was not run on the real database: {why}"),
        Outcome::RehearsalRejected => format!("the real database was not touched, the rehearsal's result is rejected: {why}"),
        Outcome::ReachedReal | Outcome::LeftRunning => why,
        Outcome::Unjudged => "the command succeeded, but nothing can be said of its result".to_owned(),
        Outcome::Resumed => "the run had been interrupted".to_owned(),
    };
    let (state, hint) = state_of(tool, report);
    let is_end = report.outcome == Outcome::Resumed && !matches!(report.state, State::Unknown { .. });
    if is_end {
        out.tell(&format!("{what}; {state}"));
        hint.iter().for_each(|hint| out.tell(hint));
        return;
    }
    let error = Error::new(Kind::Wrapper(report.status()), format!("{what}; {state}"));
    out.say_error(&match hint {
        Some(hint) => error.hint(hint),
        None => error,
    });
    if let Some(table) = table_that_lost(report) {
        out.say(&format!("hint: where rows may go, say so: --allow-loss {table}, or --allow-loss {table}=N"));
    }
    if let Some(left) = &report.kept {
        out.warn(&format!("{} is bad by now; a clone of the state before is kept at {}: {}", report.backup, left.location, left.open));
    }
}

/// The first table of which a rule said that it has lost rows.
fn table_that_lost(report: &Report) -> Option<&str> {
    let changes = match report.outcome {
        Outcome::Rejected => report.changes.as_ref(),
        Outcome::RehearsalRejected => report.rehearsal.as_ref().and_then(|rehearsal| rehearsal.changes.as_ref()),
        _ => None,
    };
    let lost = changes?.tables.iter().filter(|change| change.rows_lost() > 0).map(|change| change.table.as_str());
    lost.into_iter().find(|table| report.reasons.iter().any(|reason| reason.starts_with(&format!("table {table} "))))
}

/// What the database is now, and the next step.
fn state_of(tool: Tool, report: &Report) -> (String, Option<String>) {
    let (tool, name, backup) = (tool.name, &report.environment, &report.backup);
    match &report.state {
        State::Unchanged => ("the database is exactly as it was before".to_owned(), None),
        State::Migrated => ("the database is as the command left it".to_owned(), None),
        State::RolledBack { kept_aside } => (
            format!("rolled back to {backup}"),
            kept_aside.as_ref().map(|aside| {
                let since = report.backup_at.as_ref().map(|at| format!(", with all that was written since {at}")).unwrap_or_default();
                format!("the failed state is kept as {aside}{since}; restore-db -e {name} --discard removes it")
            }),
        ),
        State::Kept => {
            let changes = report.changes.as_ref().map(|changes| format!(": {}", changes.summary())).unwrap_or_default();
            (format!("the database stays as it is{changes}"), Some(format!("restore-db -e {name} {backup} brings back what was before")))
        }
        State::Unknown { .. } if report.outcome == Outcome::LeftRunning => (
            "so nothing was judged".to_owned(),
            Some(format!("end them, then say {tool} -e {name} --resume, or --abandon; {backup} holds what was before")),
        ),
        State::Unknown { why } if report.outcome == Outcome::Unjudged => {
            (why.clone(), Some(format!("when that is mended, say {tool} -e {name} --resume; {backup} holds what was before")))
        }
        State::Unknown { why } => (
            format!("NOT rolled back: {why}"),
            Some(format!(
                "the present state is where it was, {backup} holds the one before; go on with {tool} -e {name} --resume, \
                 or with restore-db -e {name} {backup}"
            )),
        ),
    }
}
