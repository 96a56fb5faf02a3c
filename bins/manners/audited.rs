//! A run with its lines in the audit trail.

use holdfast::audit::{Place, Run, Trail};
use holdfast::error::{Error, Result};
use holdfast::exit;
use holdfast::store::Store;

use crate::out::Out;
use crate::run::{as_ended, is_wrapper};
use crate::setting::Setting;

/// What came of an audited run.
#[derive(Debug)]
pub struct Audited<T> {
    /// What the work gave.
    pub value: T,
    /// The exit status: the work's own, or, where that was [`exit::DONE`] and the trail lacks a line, [`exit::PARTIAL`]; a
    /// wrapper's is [`exit::UNAUDITED`].
    pub status: u8,
    /// Why the trail lacks a line; it has been told on stderr.
    pub audit_error: Option<String>,
}

impl Setting {
    /// Does the work between a `start` and an `outcome` in the audit trail: the store's, or this machine's own where there is
    /// no store. The work gives its exit status, and may add to the trail.
    ///
    /// A line that cannot be written undoes nothing: it is warned about, and turns status 0 into 7, or into 119 for a wrapper. So
    /// what is printed of the result is better printed afterwards.
    pub fn audited<T>(
        &self,
        out: &Out,
        store: Option<&Store>,
        run: Run,
        work: impl FnOnce(&Trail) -> Result<(u8, T)>,
    ) -> Result<Audited<T>> {
        audited(out, store.map_or_else(|| Place::local(&self.state), Place::of), run, work)
    }
}

/// As [`Setting::audited`], where no configuration is read.
pub fn audited<T>(out: &Out, place: Place, run: Run, work: impl FnOnce(&Trail) -> Result<(u8, T)>) -> Result<Audited<T>> {
    let trail = Trail::begin(place, run);
    // Unwinding from a panic, the trail ends itself.
    let result = work(&trail).map_err(as_ended);
    let status = result.as_ref().map(|(status, _)| *status);
    let partial = if is_wrapper() { exit::UNAUDITED } else { exit::PARTIAL };
    if is_wrapper() {
        let status = status.unwrap_or_else(|error| error.kind().status());
        trail.note(|facts| facts.result = facts.result.take().or_else(|| Some(word(status).to_owned())));
    }
    let written = trail.end(status, partial);
    if let Err(error) = &written {
        out.warn(&told(error));
    }
    let (status, value) = result?;
    let audit_error = written.err().map(|error| error.to_string());
    let status = if status == exit::DONE && audit_error.is_some() { partial } else { status };
    Ok(Audited { value, status, audit_error })
}

/// The word for a wrapper's status: the command's own statuses say nothing but that it failed.
fn word(status: u8) -> &'static str {
    match status {
        exit::DONE => "done",
        exit::ROLLBACK_FAILED => "rollback failed",
        exit::LEAKED => "leaked",
        exit::REJECTED => "rejected",
        exit::TIMED_OUT => "timed out",
        exit::NOT_STARTED | exit::NOT_RUNNABLE | exit::NOT_FOUND => "not started",
        exit::SIGNAL_BASE.. => "stopped",
        _ => "failed",
    }
}

/// The warning. Its end says what counts: nothing is lost but the line.
fn told(error: &Error) -> String {
    let hint = error.next_step().map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("the audit trail lacks a line of this run: {error}{hint}; the work itself is not affected")
}
