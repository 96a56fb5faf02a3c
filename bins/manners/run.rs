//! How every binary starts and ends.

use std::ffi::OsString;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use clap::Parser;
use clap::error::ErrorKind;
use holdfast::error::{Error, Kind, Result};
use holdfast::{exit, interrupt, secret};

use crate::common::Common;
use crate::out::{Out, Voice};
use crate::process;
use crate::said::Said;
use crate::text::visible;

const REPORT_IT: &str = "this is a bug; please report it with the command line that led to it (RUST_BACKTRACE=1 adds where it happened)";

/// Whether this process is a wrapper.
static IS_WRAPPER: AtomicBool = AtomicBool::new(false);
/// What a wrapper's failures end with.
static WRAPPER_FAILURE: AtomicU8 = AtomicU8::new(exit::NOT_STARTED);
/// What the first panic of any thread said.
static PANICKED: Mutex<Option<String>> = Mutex::new(None);

/// Runs a binary: settles the process, reads its arguments, listens for signals, calls `body`, and turns what comes of
/// it into messages and the exit status. `body` returns a status of [`exit::TABLE`], mostly [`exit::DONE`].
///
/// ```no_run
/// # #[derive(clap::Parser)] struct Args { #[command(flatten)] common: manners::Common }
/// # impl AsRef<manners::Common> for Args { fn as_ref(&self) -> &manners::Common { &self.common } }
/// fn main() -> std::process::ExitCode {
///     manners::run("backup-db", |args: Args, out| {
///         out.line("20261121T130000Z-dev-db-7f3a")?;
///         Ok(holdfast::exit::DONE)
///     })
/// }
/// ```
pub fn run<A: Parser + AsRef<Common>>(tool: &'static str, body: impl FnOnce(A, &Out) -> Result<u8>) -> ExitCode {
    start(tool, Statuses::Own, body)
}

/// Runs a binary that wraps somebody's command, as [`run`] does, and keeps out of the way of that command's statuses: whatever
/// fails on our side, wrong usage included, is [`exit::NOT_STARTED`], unless a signal stopped us or the error carries a status
/// of [`exit::WRAPPERS`] itself. `body` returns the command's status or one of [`exit::WRAPPERS`].
///
/// From the moment at which the command may have begun, "before the command ran" is not true any more: see [`failures_are`].
pub fn run_wrapper<A: Parser + AsRef<Common>>(tool: &'static str, body: impl FnOnce(A, &Out) -> Result<u8>) -> ExitCode {
    start(tool, Statuses::Wrapper, body)
}

/// From now on, a wrapper's failures that carry no status of [`exit::WRAPPERS`], its panics, and stops by a signal end with
/// this one: with [`exit::ROLLBACK_FAILED`] as long as the real database is in the command's hands.
pub fn failures_are(status: u8) {
    WRAPPER_FAILURE.store(status, Ordering::SeqCst);
}

/// Which statuses our own failures have.
#[derive(Clone, Copy)]
enum Statuses {
    /// Those of [`exit::TABLE`].
    Own,
    /// Those of [`exit::WRAPPERS`].
    Wrapper,
}

impl Statuses {
    /// The kind of error that a process ends with.
    fn of(self, kind: Kind) -> Kind {
        let failure = WRAPPER_FAILURE.load(Ordering::SeqCst);
        match (self, kind) {
            (Statuses::Own, kind) | (Statuses::Wrapper, kind @ Kind::Wrapper(_)) => kind,
            (Statuses::Wrapper, kind @ Kind::Signal(_)) if failure == exit::NOT_STARTED => kind,
            (Statuses::Wrapper, _) => Kind::Wrapper(failure),
        }
    }

    /// The error that a process ends with, of the kind it ends with.
    fn as_ended(self, error: Error) -> Error {
        let error = as_stopped(error, interrupt::received());
        let kind = self.of(error.kind());
        error.as_kind(kind)
    }
}

/// An error as this process will end with it. What is done to it twice is done once.
pub(crate) fn as_ended(error: Error) -> Error {
    if is_wrapper() { Statuses::Wrapper.as_ended(error) } else { Statuses::Own.as_ended(error) }
}

/// Whether this process wraps somebody's command, and so has the statuses of [`exit::WRAPPERS`].
pub(crate) fn is_wrapper() -> bool {
    IS_WRAPPER.load(Ordering::SeqCst)
}

fn start<A: Parser + AsRef<Common>>(tool: &'static str, statuses: Statuses, body: impl FnOnce(A, &Out) -> Result<u8>) -> ExitCode {
    process::settle();
    IS_WRAPPER.store(matches!(statuses, Statuses::Wrapper), Ordering::SeqCst);
    watch_for_panics(tool);
    let words: Vec<OsString> = std::env::args_os().collect();
    let status = match A::try_parse_from(&words) {
        Ok(args) => {
            let out = Out::new(tool, Voice::from(args.as_ref())).with(Said::of(args.as_ref()));
            call(&out, statuses, || {
                interrupt::install()?;
                body(args, &out)
            })
        }
        Err(error) => tell_usage(tool, statuses, &error, &words),
    };
    ExitCode::from(status)
}

/// Calls `body`, tells its error, and gives the exit status. A panic of any thread is a failure, whatever `body` made
/// of it; it unwinds rather than aborts, so that what was staged is removed and children are ended.
fn call(out: &Out, statuses: Statuses, body: impl FnOnce() -> Result<u8>) -> u8 {
    let result = catch_unwind(AssertUnwindSafe(body));
    holdfast::progress::Progress::end(out);
    let panicked = PANICKED.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
    match (result, panicked) {
        (Ok(Ok(status)), None) => status,
        (Ok(Err(error)), _) => {
            let error = statuses.as_ended(error);
            out.error(&error);
            error.kind().status()
        }
        (Ok(Ok(_)) | Err(_), panicked) => {
            // The panic hook has told it on stderr.
            let status = statuses.of(Kind::Failed).status();
            out.error_document(&panicked.unwrap_or_else(|| "internal error".to_owned()), Some(REPORT_IT), status);
            status
        }
    }
}

/// After a signal the first thing to fail may be anything (a child that was ended, a cut stream); the stop is the cause.
fn as_stopped(error: Error, signal: Option<i32>) -> Error {
    match (signal, error.kind()) {
        // A wrapper's status has been chosen in full knowledge.
        (Some(number), kind) if !matches!(kind, Kind::Signal(_) | Kind::Wrapper(_)) => {
            error.as_kind(Kind::Signal(number)).within(format!("stopped by signal {number}"))
        }
        _ => error,
    }
}

fn watch_for_panics(tool: &'static str) {
    std::panic::set_hook(Box::new(move |panic| {
        let payload = panic.payload();
        let why = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let place = panic.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
        let what = secret::redact(&format!("internal error: {}{place}", why.unwrap_or("unknown")));
        let mut message = format!("{tool}: {}\nhint: {REPORT_IT}\n", visible(&what));
        let trace = std::backtrace::Backtrace::capture();
        if trace.status() == std::backtrace::BacktraceStatus::Captured {
            message.push_str(&trace.to_string());
        }
        let _ = io::stderr().write_all(message.as_bytes());
        PANICKED.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get_or_insert(what);
    }));
}

/// Whether `--json` is among the words, for errors that keep them from being parsed.
fn asks_for_json(words: &[OsString]) -> bool {
    words.iter().take_while(|word| *word != "--").any(|word| word == "--json")
}

/// Tells what clap has to say: help and version on stdout with status 0, wrong usage on stderr with status 2.
fn tell_usage(tool: &'static str, statuses: Statuses, error: &clap::Error, words: &[OsString]) -> u8 {
    if !error.use_stderr() {
        // A reader that has gone away is no error; a full disk is.
        return match error.print() {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => statuses.of(Kind::Failed).status(),
            _ => exit::DONE,
        };
    }
    let out = Out::new(tool, Voice { json: asks_for_json(words), ..Voice::default() });
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
    let shown: Vec<_> = text.lines().map(visible).collect();
    match error.kind() {
        // That one is the whole help.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => out.say(&shown.join("\n")),
        _ => out.say(&format!("{tool}: {}", shown.join("\n"))),
    }
    let hint = hint_for(tool, statuses, words);
    if let Some(hint) = &hint {
        out.say(&format!("hint: {hint}"));
    }
    let what = text.lines().next().unwrap_or("wrong usage");
    let status = statuses.of(Kind::Usage).status();
    out.error_document(what, Some(&hint.unwrap_or_else(|| format!("see {tool} --help"))), status);
    status
}

/// What somebody overlooked who has called a wrapper without the two dashes.
fn hint_for(tool: &str, statuses: Statuses, words: &[OsString]) -> Option<String> {
    let is_left_out = matches!(statuses, Statuses::Wrapper) && !words.iter().any(|word| word == "--");
    is_left_out.then(|| format!("the command stands after two dashes: {tool} -e ENV -- COMMAND"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::tests::{PIPE, pages};

    #[test]
    fn a_stop_is_told_as_the_cause() {
        let error = as_stopped(Error::failed("pg_dump ended early"), Some(15));
        assert_eq!(error.kind().status(), 143);
        assert_eq!(error.to_string(), "stopped by signal 15: pg_dump ended early");
        assert_eq!(as_stopped(Error::busy("busy"), None).kind(), Kind::Busy);
    }

    /// One test, since the note of a panic belongs to the whole process.
    #[test]
    fn a_panic_of_any_thread_is_status_1_whatever_came_of_the_rest() {
        let json = Voice { json: true, ..Voice::default() };
        let (out, stdout, _) = pages(json, PIPE);
        assert_eq!(call(&out, Statuses::Own, || panic!("seen in the test's own output")), exit::FAILED);
        assert!(stdout.text().starts_with(r#"{"error":{"what":"internal error","hint":"this is a bug"#), "{}", stdout.text());

        let (out, stdout, _) = pages(json, PIPE);
        *PANICKED.lock().expect("not poisoned") = Some("internal error: in a worker".to_owned());
        assert_eq!(call(&out, Statuses::Own, || Ok(exit::DONE)), exit::FAILED);
        assert!(stdout.text().contains("in a worker"));

        let (out, stdout, stderr) = pages(json, PIPE);
        assert_eq!(call(&out, Statuses::Own, || Ok(exit::BAD)), exit::BAD);
        assert_eq!(call(&out, Statuses::Own, || Err(Error::busy("prod is busy"))), exit::BUSY);
        assert!(stdout.text().contains(r#""status":5"#));
        assert_eq!(stderr.text(), "backup-db: prod is busy\n");
    }

    /// One test, since the status belongs to the whole process.
    #[test]
    fn a_wrapper_keeps_out_of_the_way_of_its_commands_statuses() {
        let json = Voice { json: true, ..Voice::default() };
        let status_of = |error: Error| {
            let (out, stdout, _) = pages(json, PIPE);
            let status = call(&out, Statuses::Wrapper, || Err(error));
            assert!(stdout.text().ends_with(&format!("\"status\":{status}}}}}\n")), "{}", stdout.text());
            assert_eq!(stdout.text().lines().count(), 1);
            status
        };
        for error in [Error::failed("x"), Error::usage("x"), Error::bad("x"), Error::refused("x"), Error::busy("x"), Error::config("x")] {
            assert_eq!(status_of(error), exit::NOT_STARTED);
        }
        assert_eq!(status_of(Error::new(Kind::Signal(2), "stopped")), 130);
        assert_eq!(status_of(Error::new(Kind::Wrapper(exit::NOT_FOUND), "not found")), exit::NOT_FOUND);
        let (out, _, _) = pages(json, PIPE);
        assert_eq!(call(&out, Statuses::Wrapper, || Ok(3)), 3, "the command's own");

        failures_are(exit::ROLLBACK_FAILED);
        assert_eq!(status_of(Error::failed("the server is gone")), exit::ROLLBACK_FAILED);
        assert_eq!(status_of(Error::new(Kind::Signal(2), "stopped")), exit::ROLLBACK_FAILED);
        assert_eq!(status_of(Error::new(Kind::Wrapper(exit::REJECTED), "a table is gone")), exit::REJECTED);
        failures_are(exit::NOT_STARTED);
    }

    #[test]
    fn json_is_seen_before_the_arguments_are_parsed() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert!(asks_for_json(&words("backup-db --wrong --json")));
        assert!(!asks_for_json(&words("backup-db --wrong -- --json")));
    }
}
