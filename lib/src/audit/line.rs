//! One line: what a caller says, and what is stored.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::clock;
use crate::error::{Error, Result};
use crate::host;
use crate::secret::redact;

/// No line is longer, so that one write holds it and a reader needs no more memory. A plan of some hundred steps fits.
pub(super) const LINE_MAX_BYTES: usize = 64 << 10;
/// A longer error, or text of a detail, is cut: a child's stderr can be a flood.
const TEXT_MAX_CHARS: usize = 4_000;
/// A longer target is cut; paths end at 4,096 bytes.
const TARGET_MAX_CHARS: usize = 1_000;
/// A longer name is cut. With every character escaped, all of a line but its detail stays far below its limit.
const NAME_MAX_CHARS: usize = 200;

/// What a line tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A run begins.
    Start,
    /// What it is going to do, or what an approval is asked for.
    Plan,
    /// Whether it may.
    Approval,
    /// A wrapped command begins, or has ended.
    Command,
    /// How the run ended. A start without one was killed, or still runs.
    Outcome,
    /// The end of the log was cut short by a crash, and was removed.
    Repaired,
}

impl Event {
    /// Its name in a line.
    pub fn name(self) -> &'static str {
        match self {
            Event::Start => "start",
            Event::Plan => "plan",
            Event::Approval => "approval",
            Event::Command => "command",
            Event::Outcome => "outcome",
            Event::Repaired => "repaired",
        }
    }

    /// All events.
    pub const ALL: [Event; 6] = [Event::Start, Event::Plan, Event::Approval, Event::Command, Event::Outcome, Event::Repaired];
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a caller says; when and who is added to it. Secrets are struck out of every text.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What the line tells of.
    pub event: Event,
    /// What joins the lines of one run: [`crate::fsx::random_hex`] of 8 bytes.
    pub run: String,
    /// The program.
    pub tool: String,
    /// What is done: backup, restore, undo, discard, guard, migrate, test, …
    pub operation: String,
    /// The environment it is done to.
    pub environment: Option<String>,
    /// The database, or whatever is changed, without any secret.
    pub target: Option<String>,
    /// The backup's id.
    pub backup: Option<String>,
    /// How long it took.
    pub duration: Option<Duration>,
    /// How many bytes were kept or brought back.
    pub bytes: Option<u64>,
    /// How it went: `done`, `failed`, `refused`, …
    pub result: Option<String>,
    /// The exit status.
    pub status: Option<u8>,
    /// Why it failed.
    pub error: Option<String>,
    /// Whatever else there is to say.
    pub detail: Map<String, Value>,
}

impl Entry {
    /// A line that says only this.
    pub fn new(event: Event, run: impl Into<String>, tool: impl Into<String>, operation: impl Into<String>) -> Self {
        Entry {
            event,
            run: run.into(),
            tool: tool.into(),
            operation: operation.into(),
            environment: None,
            target: None,
            backup: None,
            duration: None,
            bytes: None,
            result: None,
            status: None,
            error: None,
            detail: Map::new(),
        }
    }
}

/// A line as it is stored. What has nothing to say is left out; fields of later versions are passed over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// When it was written.
    #[serde(with = "clock::rfc3339_millis")]
    pub at: DateTime<Utc>,
    /// What it tells of: the name of an [`Event`].
    pub event: String,
    /// What joins the lines of one run.
    pub run: String,
    /// The program.
    pub tool: String,
    /// What was done.
    pub operation: String,
    /// The environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The database, or whatever was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The backup's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
    /// The name of the operating system's user.
    pub user: String,
    /// That user's number.
    pub uid: u32,
    /// The machine.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// How long it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// How many bytes were kept or brought back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// How it went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// The exit status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u8>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Whatever else there is to say.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub detail: Map<String, Value>,
    /// SHA-256 (hex) of the line before, without its newline; [`super::BEGINNING`] in the very first.
    pub prev: String,
}

impl Line {
    /// The line that is stored for an entry.
    pub(super) fn of(entry: &Entry, at: DateTime<Utc>, prev: &str) -> Self {
        let name = |text: &String| clean(text, NAME_MAX_CHARS);
        let (uid, user) = who();
        Line {
            at,
            event: entry.event.name().to_owned(),
            run: name(&entry.run),
            tool: name(&entry.tool),
            operation: name(&entry.operation),
            environment: entry.environment.as_ref().map(name),
            target: entry.target.as_ref().map(|text| clean(text, TARGET_MAX_CHARS)),
            backup: entry.backup.as_ref().map(name),
            user: user.to_owned(),
            uid,
            host: host::name(),
            pid: std::process::id(),
            duration_ms: entry.duration.map(|duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)),
            bytes: entry.bytes,
            result: entry.result.as_ref().map(name),
            status: entry.status,
            error: entry.error.as_ref().map(|text| clean(text, TEXT_MAX_CHARS)),
            detail: entry.detail.iter().map(|(key, value)| (clean(key, NAME_MAX_CHARS), cleaned(value))).collect(),
            prev: prev.to_owned(),
        }
    }

    /// Its bytes, without the newline. A detail that is too long is left out, and says so.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        let write = |line: &Line| serde_json::to_vec(line).map_err(|error| Error::failed("cannot write an audit line").because(error));
        let bytes = write(self)?;
        if bytes.len() < LINE_MAX_BYTES {
            return Ok(bytes);
        }
        let left_out = serde_json::to_vec(&self.detail).map_or(0, |detail| detail.len());
        let detail = Map::from_iter([("left_out_bytes".to_owned(), Value::from(left_out))]);
        write(&Line { detail, ..self.clone() })
    }
}

fn clean(text: &str, max_chars: usize) -> String {
    let text = redact(text);
    match text.char_indices().nth(max_chars) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}

fn cleaned(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(clean(text, TEXT_MAX_CHARS)),
        Value::Array(list) => Value::Array(list.iter().map(cleaned).collect()),
        Value::Object(map) => Value::Object(map.iter().map(|(key, value)| (clean(key, NAME_MAX_CHARS), cleaned(value))).collect()),
        other => other.clone(),
    }
}

/// The operating system's user: number and name. Asked once, since a name service can be slow.
fn who() -> (u32, &'static str) {
    static NAME: OnceLock<String> = OnceLock::new();
    let uid = nix::unistd::geteuid();
    let name = NAME.get_or_init(|| match nix::unistd::User::from_uid(uid) {
        Ok(Some(user)) => user.name,
        _ => uid.to_string(),
    });
    (uid.as_raw(), name)
}
