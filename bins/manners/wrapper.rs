//! What the two wrappers share. stdout belongs to the command, so all that they say goes to stderr, apart from the document
//! of `--json`, which is the last line of stdout.

mod interrupted;
mod told;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;
use holdfast::audit::{Run, Trail};
use holdfast::command::{Ended, Wrapped};
use holdfast::engine::Engine;
use holdfast::environment::Environment;
use holdfast::error::{Error, Result};
use holdfast::guardian::Typed;
use holdfast::journal::{Entry, Kind};
use holdfast::progress::Progress;
use holdfast::verbs::guarded::Onlooker;
use holdfast::{exit, fsx};
use serde::Serialize;
use serde_json::json;

use crate::approval::Confirm;
use crate::audited::Audited;
use crate::out::Out;
use crate::prompt;
use crate::setting::Span;

pub use interrupted::end_interrupted;
pub use told::{note, tell};

/// One of the two wrappers.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// What it does, in the audit trail.
    pub operation: &'static str,
    /// What it leaves in the journal.
    pub kind: Kind,
}

impl Tool {
    /// A run of it, for the audit trail.
    pub fn run_on(self, environment: &Environment, engine: &dyn Engine) -> Run {
        Run {
            tool: self.name.to_owned(),
            operation: self.operation.to_owned(),
            environment: Some(environment.name.clone()),
            target: Some(engine.location()),
        }
    }
}

/// The flags that both have, and the command.
#[derive(Debug, Args)]
pub struct Around {
    /// bring an interrupted run to its end: the old state comes back, unless a migration's command had succeeded
    #[arg(long, conflicts_with_all = ["command", "abandon"])]
    pub resume: bool,

    /// leave the database as an interrupted run left it
    #[arg(long, conflicts_with = "command")]
    pub abandon: bool,

    /// wait this long for another run on the same database to end [default: do not wait]
    #[arg(long, value_name = "DURATION")]
    pub wait: Option<Span>,

    /// write the report there too, as one JSON document
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// How it is approved.
    #[command(flatten)]
    pub confirm: Confirm,

    /// the command and its arguments, after --
    #[arg(last = true, value_name = "COMMAND", required_unless_present_any = ["resume", "abandon"])]
    pub command: Vec<OsString>,
}

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

    fn reached_files(&self, done_files: u64) {
        self.out.reached_files(done_files);
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

#[derive(Serialize)]
struct Document<'a, R> {
    #[serde(flatten)]
    report: &'a R,
    audit_error: Option<&'a str>,
}

/// Refuses to write the report over the database.
pub fn refuse_report(file: Option<&Path>, engine: &dyn Engine) -> Result<()> {
    match file {
        Some(path) if path.to_str().is_some_and(|text| engine.is_named_by(text)) => {
            Err(Error::usage(format!("{} is the database: the report would replace it", path.display()))
                .hint("name another file with --report"))
        }
        _ => Ok(()),
    }
}

/// Prints the report as the document of `--json`, and writes it to a file where that is asked for. The command has run, and the
/// database is in whatever state the report says: a report that cannot be written changes nothing of that.
pub fn document(out: &Out, audited: &Audited<impl Serialize>, file: Option<&Path>) {
    let document = &Document { report: &audited.value, audit_error: audited.audit_error.as_deref() };
    if let Some(path) = file {
        let written = serde_json::to_vec_pretty(document)
            .map_err(|error| Error::failed("cannot write the report").because(error))
            .and_then(|text| fsx::replace_private(path, &text));
        if let Err(error) = written {
            out.warn(&format!("the report could not be written: {error}"));
        }
    }
    if out.is_json() {
        // On a line of its own, also where the command has not ended its last one.
        let printed = out.line("").and_then(|()| out.document(document));
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
