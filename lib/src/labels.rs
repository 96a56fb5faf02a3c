//! What people say of a backup after it was published: tags and a pin, in `labels/ID.jsonl` of the store, one line a word.
//!
//! A published backup is never rewritten, so these stand beside it. The last word wins.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::catalog;
use crate::clock;
use crate::error::{Error, Result};
use crate::host;
use crate::lock::Held;
use crate::sidecar::{self, Beside};
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
    /// Why there may be others; none where all that was said is known.
    pub unknown: Option<String>,
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

/// The name of the lock under which something is said, or found not to have been said; no environment has such a name.
const LOCK: &str = "labels.said";
/// Whoever holds it renames a folder or appends a line.
const LOCK_WAIT: Duration = Duration::from_secs(30);

/// Keeps this machine's other runs from saying anything of any backup. To be held for a moment only: nobody who says something waits
/// for a backup that runs.
pub fn hold(store: &Store) -> Result<Held> {
    Held::acquire(store.state(), store.id(), LOCK, LOCK_WAIT)
}

/// Says something of a backup that is in the store.
pub fn say(store: &Store, backup_id: &str, change: Change) -> Result<()> {
    let _held = hold(store)?;
    if !catalog::holds(store, backup_id)? {
        return Err(Error::bad(format!("{backup_id} is not in {}: nothing was said of it", store.root().display()))
            .hint("was it removed meanwhile? backup-catalog list shows what there is"));
    }
    append(store, backup_id, &[Event { at: clock::now(), change, user: host::user(), host: host::name() }])
}

/// Adds lines, as they are.
pub fn append(store: &Store, backup_id: &str, events: &[Event]) -> Result<()> {
    for event in events {
        let line = serde_json::to_string(event).map_err(|error| Error::failed("cannot write a label").because(error))?;
        sidecar::append(store, &store.labels_file(backup_id), &line)?;
    }
    Ok(())
}

/// Every line of a backup, the oldest first, as far as they are known.
pub fn events(store: &Store, backup_id: &str) -> Beside<Event> {
    sidecar::read(&store.labels_file(backup_id))
}

/// The lines of such a file; what is none is passed over.
pub fn parse(bytes: &[u8]) -> Vec<Event> {
    sidecar::parse(bytes).lines
}

/// What holds of a backup now. `made_with` are the tags of its manifest.
pub fn of(store: &Store, backup_id: &str, made_with: &[String]) -> Labels {
    let events = events(store, backup_id);
    Labels { unknown: events.unknown, ..judge(made_with, events.lines) }
}

fn judge(made_with: &[String], events: Vec<Event>) -> Labels {
    let mut labels = Labels { tags: made_with.iter().cloned().collect(), ..Labels::default() };
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
    fn the_last_word_wins() {
        let text = br#"{"at":"2026-11-21T12:00:00.000Z","do":"tag","tag":"a","user":"u","host":"h"}
{"at":"2026-11-21T12:00:01.000Z","do":"untag","tag":"made","user":"u","host":"h"}
{"at":"2026-11-21T12:00:02.000Z","do":"pin","reason":"audit","user":"u","host":"h"}
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
