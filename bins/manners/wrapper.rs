//! What the two wrappers share. stdout belongs to the command, so all that they say goes to stderr, apart from the document
//! of `--json`, which is the last line of stdout.

use std::path::Path;

use holdfast::audit::Trail;
use holdfast::command::{Ended, Wrapped};
use holdfast::environment::Environment;
use holdfast::error::{Error, Kind, Result};
use holdfast::guardian::Typed;
use holdfast::journal::Entry;
use holdfast::progress::Progress;
use holdfast::rules::Migration;
use holdfast::verbs::guarded::Onlooker;
use holdfast::verbs::migrate::{self, Outcome, Report, Standing, State};
use holdfast::{exit, fsx};
use serde::Serialize;
use serde_json::json;

use crate::approval::Confirm;
use crate::out::Out;
use crate::prompt;
use crate::setting::Setting;

/// The library's view of the person at the terminal, with the run's lines in the audit trail.
pub struct Watcher<'a> {
    /// Where it is told.
    pub out: &'a Out,
    /// Where it is kept.
    pub trail: &'a Trail,
}

impl Progress for Watcher<'_> {
    fn begin(&self, stage: &str, total_bytes: Option<u64>) {
        self.out.begin(stage, total_bytes);
    }

    fn reached(&self, done_bytes: u64) {
        self.out.reached(done_bytes);
    }

    fn end(&self) {
        self.out.end();
    }
}

impl Onlooker for Watcher<'_> {
    fn note(&self, line: &str) {
        self.out.note(line);
    }

    fn command_begins(&self, line: &str, place: &str) {
        // The command's own output must not run into a bar.
        self.out.end();
        self.trail.command_begins(json!({ "command": line, "place": place }));
        // From here on it is not true that a failure came before the command.
        crate::failures_are(exit::ROLLBACK_FAILED);
    }

    fn command_ended(&self, ended: &Ended) {
        let result = if ended.timed_out {
            "timed_out"
        } else if ended.status == 0 {
            "done"
        } else {
            "failed"
        };
        let detail = json!({ "signals": ended.signals_received, "left_behind": ended.left_behind });
        self.trail.command_ended(result, Some(ended.status), ended.duration, detail);
    }

    fn wants_rollback(&self, question: &str) -> Result<bool> {
        self.out.end();
        let lines = [question.to_owned(), "anything but restore leaves it as it is".to_owned()];
        match prompt::name_of(&lines, "restore")? {
            Typed::Name => Ok(true),
            Typed::Else => Ok(false),
            Typed::NoTerminal => Err(Error::refused("there is no terminal any more")),
        }
    }
}

/// Prints the report as the document of `--json`, and writes it to a file where that is asked for. The command has run, and the
/// database is in whatever state the report says: a report that cannot be written changes nothing of that.
pub fn document(out: &Out, report: &impl Serialize, file: Option<&Path>) {
    if let Some(path) = file {
        let written = serde_json::to_vec_pretty(report)
            .map_err(|error| Error::failed("cannot write the report").because(error))
            .and_then(|text| fsx::replace_private(path, &text));
        if let Err(error) = written {
            out.warn(&format!("the report could not be written: {error}"));
        }
    }
    if out.is_json() {
        // On a line of its own, also where the command has not ended its last one.
        let printed = out.line("").and_then(|()| out.document(report));
        if let Err(error) = printed {
            out.warn(&format!("the report could not be printed: {error}"));
        }
    }
}

/// Runs a command that is already inside a guarded run on the same database: as it is, in our place. What is around it makes
/// the backup, and judges.
pub fn run_inside(around: &Entry, command: Wrapped, is_dry_run: bool, out: &Out) -> Result<u8> {
    let told = format!("inside {}: the command runs as it is", around.kind.tool());
    if is_dry_run {
        return out.plan(&json!({ "inside": around.kind.tool(), "command": command.line() }), &[told]).map(|()| exit::DONE);
    }
    out.note(&told);
    Err(command.replace_us())
}

/// Brings an interrupted run to its end, or takes it out of the journal; with `-n` it only says what that would do.
pub fn end_interrupted(
    standing: Standing<'_>,
    is_abandoned: bool,
    rules: &Migration,
    confirm: &Confirm,
    environment: &Environment,
    setting: &Setting,
    watcher: &Watcher<'_>,
) -> Result<Report> {
    for line in standing.describe().lines(is_abandoned) {
        watcher.note(&line);
    }
    let request = standing.request(is_abandoned)?;
    let approval = confirm.approve_audited(&request, &environment.approval, setting, watcher.trail, watcher.out)?;
    match is_abandoned {
        true => migrate::abandon(standing, &approval),
        false => migrate::resume(standing, rules, &approval, watcher),
    }
}

/// Says what went wrong, what the database is now, and what to do next.
pub fn tell_failure(out: &Out, report: &Report) {
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
        Outcome::RehearsalRejected => format!("the real database was not touched, the rehearsal's result is rejected: {why}"),
        Outcome::ReachedReal | Outcome::LeftRunning => why,
        Outcome::Resumed => "the run had been interrupted".to_owned(),
    };
    let (state, hint) = state_of(report);
    let is_end = report.outcome == Outcome::Resumed && !matches!(report.state, State::Unknown { .. });
    if is_end {
        out.note(&format!("{what}; {state}"));
        hint.iter().for_each(|hint| out.note(hint));
        return;
    }
    let error = Error::new(Kind::Wrapper(report.status()), format!("{what}; {state}"));
    out.say_error(&match hint {
        Some(hint) => error.hint(hint),
        None => error,
    });
    if let Some(left) = &report.kept {
        out.warn(&format!("{} is bad by now; a clone of the state before is kept at {}: {}", report.backup, left.location, left.open));
    }
}

/// What the database is now, and the next step.
fn state_of(report: &Report) -> (String, Option<String>) {
    let (name, backup) = (&report.environment, &report.backup);
    match &report.state {
        State::Unchanged => ("the database is exactly as it was before".to_owned(), None),
        State::Migrated => ("the database is as the command left it".to_owned(), None),
        State::RolledBack { kept_aside } => (
            format!("rolled back to {backup}"),
            kept_aside.as_ref().map(|aside| format!("the failed state is kept as {aside}; restore-db -e {name} --discard removes it")),
        ),
        State::Kept => {
            let changes = report.changes.as_ref().map(|changes| format!(": {}", changes.summary())).unwrap_or_default();
            (format!("the database stays as it is{changes}"), Some(format!("restore-db -e {name} {backup} brings back what was before")))
        }
        State::Unknown { .. } if report.outcome == Outcome::LeftRunning => (
            "so nothing was judged".to_owned(),
            Some(format!("end them, then say safe-migrate -e {name} --resume, or --abandon; {backup} holds what was before")),
        ),
        State::Unknown { why } => (
            format!("NOT rolled back: {why}"),
            Some(format!(
                "the present state is where it was, {backup} holds the one before; go on with safe-migrate -e {name} --resume, \
                 or with restore-db -e {name} {backup}"
            )),
        ),
    }
}
