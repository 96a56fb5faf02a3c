//! The lines of one run.

use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::append::append;
use super::line::{Entry, Event};
use super::place::Place;
use crate::error::{Error, Kind, Result};
use crate::exit;
use crate::fsx;

/// What a run is, known before it begins.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// The program.
    pub tool: String,
    /// What is done: backup, restore, undo, discard, guard, migrate, test, mark-env, approve, prune, …
    pub operation: String,
    /// The environment it is done to.
    pub environment: Option<String>,
    /// The database, or whatever is changed, without any secret.
    pub target: Option<String>,
}

/// What becomes known during a run; every line from then on says it.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The environment.
    pub environment: Option<String>,
    /// The database, or whatever is changed, without any secret.
    pub target: Option<String>,
    /// The backup's id.
    pub backup: Option<String>,
    /// How many bytes were kept or brought back.
    pub bytes: Option<u64>,
    /// How it went, where the exit status does not say it.
    pub result: Option<String>,
    /// What else the outcome says.
    pub detail: Map<String, Value>,
}

/// One run in the trail. A line that cannot be written never fails the work: the first such error is kept, and [`Trail::end`]
/// returns it. Dropped before its end, the run counts as failed.
#[derive(Debug)]
pub struct Trail {
    place: Place,
    id: String,
    tool: String,
    operation: String,
    begun: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    facts: Facts,
    has_begun: bool,
    trouble: Option<Error>,
}

impl Trail {
    /// Begins a run: writes its `start`.
    pub fn begin(place: Place, run: Run) -> Self {
        let trail = Self::open(place, run);
        trail.inner().has_begun = true;
        trail.write(Event::Start, |_| {});
        trail
    }

    /// A run that has written nothing yet, and writes no outcome: for a dry run, which only leaves its [`Trail::plan`].
    pub fn open(place: Place, run: Run) -> Self {
        let (id, trouble) = match fsx::random_hex(8) {
            Ok(id) => (id, None),
            Err(error) => (format!("pid-{}", std::process::id()), Some(error)),
        };
        let facts = Facts { environment: run.environment, target: run.target, ..Facts::default() };
        Trail {
            place,
            id,
            tool: run.tool,
            operation: run.operation,
            begun: Instant::now(),
            inner: Mutex::new(Inner { facts, has_begun: false, trouble }),
        }
    }

    /// The id that joins the lines of this run.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Notes what has become known.
    pub fn note(&self, change: impl FnOnce(&mut Facts)) {
        change(&mut self.inner().facts);
    }

    /// Writes what the run is going to do, or what an approval is asked for.
    pub fn plan(&self, detail: Value) {
        self.write(Event::Plan, |entry| entry.detail = object(detail));
    }

    /// Writes how an approval was answered: `granted`, `refused`, `not needed`, `expired`, …
    pub fn approval(&self, result: &str, detail: Value) {
        self.write(Event::Approval, |entry| {
            entry.result = Some(result.to_owned());
            entry.detail = object(detail);
        });
    }

    /// Writes that a wrapped command begins.
    pub fn command_begins(&self, detail: Value) {
        self.write(Event::Command, |entry| {
            entry.result = Some("begun".to_owned());
            entry.detail = object(detail);
        });
    }

    /// Writes how a wrapped command ended: its status, none where it has none, and how long it took.
    pub fn command_ended(&self, result: &str, status: Option<u8>, duration: Duration, detail: Value) {
        self.write(Event::Command, |entry| {
            entry.result = Some(result.to_owned());
            entry.status = status;
            entry.duration = Some(duration);
            entry.detail = object(detail);
        });
    }

    /// Whether a line could not be written so far, and why.
    pub fn trouble(&self) -> Option<String> {
        self.inner().trouble.as_ref().map(Error::to_string)
    }

    /// Ends the run: writes its outcome. `result` is the exit status, or the error that led to one.
    ///
    /// The error is the first one of all lines of the run: the work is done, but the trail does not tell all of it. A run that is
    /// done and lacks a line ends with the status `partial` instead; its outcome, where that can be written, says so too.
    pub fn end(self, result: std::result::Result<u8, &Error>, partial: u8) -> Result<()> {
        self.outcome(result, partial);
        let mut inner = self.inner();
        inner.has_begun = false;
        match inner.trouble.take() {
            None => Ok(()),
            Some(error) => Err(error.as_kind(Kind::Partial)),
        }
    }

    fn outcome(&self, result: std::result::Result<u8, &Error>, partial: u8) {
        let trouble = self.trouble();
        let (said, detail) = {
            let facts = &self.inner().facts;
            (facts.result.clone(), facts.detail.clone())
        };
        let said = |status: u8| said.unwrap_or_else(|| word(status).to_owned());
        let (status, result, error) = match (result, trouble) {
            (Ok(exit::DONE), Some(trouble)) => {
                (partial, word(exit::PARTIAL).to_owned(), Some(format!("the audit trail lacks a line of this run: {trouble}")))
            }
            (Ok(status), _) => (status, said(status), None),
            (Err(error), _) => (error.kind().status(), said(error.kind().status()), Some(error.to_string())),
        };
        self.write(Event::Outcome, |entry| {
            entry.result = Some(result);
            entry.status = Some(status);
            entry.error = error;
            entry.duration = Some(self.begun.elapsed());
            entry.detail = detail;
        });
    }

    fn write(&self, event: Event, fill: impl FnOnce(&mut Entry)) {
        let mut entry = Entry::new(event, &self.id, &self.tool, &self.operation);
        {
            let facts = &self.inner().facts;
            entry.environment = facts.environment.clone();
            entry.target = facts.target.clone();
            entry.backup = facts.backup.clone();
            entry.bytes = facts.bytes;
        }
        fill(&mut entry);
        if let Err(error) = append(&self.place, &entry) {
            tracing::warn!("{event} is missing from the audit trail: {error}");
            self.inner().trouble.get_or_insert(error);
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        if self.inner().has_begun {
            let why = if std::thread::panicking() { "internal error" } else { "it ended early" };
            self.outcome(Err(&Error::failed(why)), exit::PARTIAL);
        }
    }
}

/// The word for an exit status.
fn word(status: u8) -> &'static str {
    match status {
        exit::DONE => "done",
        exit::USAGE => "usage",
        exit::BAD => "bad",
        exit::REFUSED => "refused",
        exit::BUSY => "busy",
        exit::CONFIG => "config",
        exit::PARTIAL => "partial",
        exit::SIGNAL_BASE.. => "stopped",
        _ => "failed",
    }
}

/// A detail as an object; any other value becomes one.
fn object(detail: Value) -> Map<String, Value> {
    match detail {
        Value::Object(map) => map,
        Value::Null => Map::new(),
        other => Map::from_iter([("detail".to_owned(), other)]),
    }
}
