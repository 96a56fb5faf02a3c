//! What people say of a backup after it was published: tags and a pin, in `labels/ID.jsonl` of the store, one line a word.
//!
//! A published backup is never rewritten, so these stand beside it. The last word wins; a line that a crash cut short is
//! passed over.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::error::{Error, OnPath, Result};
use crate::fsx;
use crate::host;
use crate::store::Store;

/// A longer tag is a sentence, and belongs into a reason.
pub const TAG_MAX_CHARS: usize = 64;

/// What is said of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Change {
    /// It has this tag.
    Tag {
        /// The tag.
        tag: String,
    },
    /// It has this tag no more, also where its manifest says so.
    Untag {
        /// The tag.
        tag: String,
    },
    /// No retention removes it.
    Pin {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Retention judges it again.
    Unpin,
}

/// One line: a change, by whom and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    #[serde(with = "clock::rfc3339_millis")]
    pub at: DateTime<Utc>,
    /// What.
    #[serde(flatten)]
    pub change: Change,
    /// By which user of the machine.
    pub user: String,
    /// On which machine.
    pub host: String,
}

/// What holds of a backup now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// Its tags: those of its manifest and those given since.
    pub tags: BTreeSet<String>,
    /// The pin, where it has one.
    pub pin: Option<Pin>,
}

/// Why and by whom a backup is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Since when.
    #[serde(with = "clock::rfc3339_millis")]
    pub at: DateTime<Utc>,
    /// By whom.
    pub user: String,
    /// Why.
    pub reason: Option<String>,
}

/// Refuses a tag that could not be typed, shown on one line, or be an argument of its own.
pub fn require_tag(tag: &str) -> Result<()> {
    let is_plain = tag.chars().all(|c| !c.is_control() && !c.is_whitespace() && c != ',');
    if is_plain && !tag.is_empty() && !tag.starts_with('-') && tag.chars().count() <= TAG_MAX_CHARS {
        return Ok(());
    }
    Err(Error::usage(format!("{tag:?} is no tag"))
        .hint(format!("a tag is one word of at most {TAG_MAX_CHARS} characters, without commas and not beginning with a dash")))
}

/// Says something of a backup.
pub fn say(store: &Store, backup_id: &str, change: Change) -> Result<()> {
    append(store, backup_id, &[Event { at: clock::now(), change, user: host::user(), host: host::name() }])
}

/// Adds lines, as they are.
pub fn append(store: &Store, backup_id: &str, events: &[Event]) -> Result<()> {
    let path = store.labels_file(backup_id);
    let is_new = path.symlink_metadata().is_err();
    if let Some(folder) = path.parent() {
        fsx::create_private_dirs(folder)?;
        store.require_real(folder)?;
    }
    for event in events {
        let line = serde_json::to_string(event).map_err(|error| Error::failed("cannot write a label").because(error))?;
        fsx::append_line(&path, &line)?;
    }
    if is_new { fsx::sync_parent(&path) } else { Ok(()) }
}

/// Every line there is of a backup, the oldest first.
pub fn events(store: &Store, backup_id: &str) -> Result<Vec<Event>> {
    let path = store.labels_file(backup_id);
    let bytes = match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.on("read", &path)?,
    };
    Ok(parse(&bytes))
}

/// The lines of such a file; what is none is passed over.
pub fn parse(bytes: &[u8]) -> Vec<Event> {
    bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

/// What holds of a backup now. `made_with` are the tags of its manifest.
pub fn of(store: &Store, backup_id: &str, made_with: &[String]) -> Result<Labels> {
    Ok(judge(made_with, events(store, backup_id)?))
}

fn judge(made_with: &[String], events: Vec<Event>) -> Labels {
    let mut labels = Labels { tags: made_with.iter().cloned().collect(), pin: None };
    for Event { at, change, user, .. } in events {
        match change {
            Change::Tag { tag } => {
                labels.tags.insert(tag);
            }
            Change::Untag { tag } => {
                labels.tags.remove(&tag);
            }
            Change::Pin { reason } => labels.pin = Some(Pin { at, user, reason }),
            Change::Unpin => labels.pin = None,
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_wins_and_a_cut_line_is_passed_over() {
        let text = br#"{"at":"2026-11-21T12:00:00.000Z","do":"tag","tag":"a","user":"u","host":"h"}
{"at":"2026-11-21T12:00:01.000Z","do":"untag","tag":"made","user":"u","host":"h"}
{"at":"2026-11-21T12:00:02.000Z","do":"pin","reason":"audit","user":"u","host":"h"}
{"at":"2026-11-21T12:00:03.000Z","do":"un
{"at":"2026-11-21T12:00:03.000Z","do":"paint","user":"u","host":"h"}
"#;
        let events = parse(text);
        assert_eq!(events.len(), 3);
        let labels = judge(&["made".to_owned(), "kept".to_owned()], events.clone());
        assert_eq!(labels.tags.iter().map(String::as_str).collect::<Vec<_>>(), ["a", "kept"]);
        assert_eq!(labels.pin.and_then(|pin| pin.reason).as_deref(), Some("audit"));
        let unpin = Event { change: Change::Unpin, ..events[0].clone() };
        assert_eq!(judge(&[], events.into_iter().chain([unpin]).collect()).pin, None);
    }

    #[test]
    fn a_tag_is_one_word() {
        for tag in ["release", "v2.4", "größe", "a:b"] {
            require_tag(tag).expect(tag);
        }
        for tag in ["", "two words", "a,b", "-e", "line\nbreak", &"x".repeat(65)] {
            require_tag(tag).expect_err(tag);
        }
    }
}
