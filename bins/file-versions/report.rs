//! A version as it is printed.

use chrono::{DateTime, Utc};
use holdfast::clock;
use holdfast::versions::Version;
use manners::{Out, visible};
use serde::Serialize;

/// A version, for `--json`.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    id: &'a str,
    file: String,
    file_hex: Option<&'a str>,
    parent: Option<&'a str>,
    #[serde(with = "clock::rfc3339_millis")]
    created_at: DateTime<Utc>,
    author: &'a str,
    host: &'a str,
    message: &'a str,
    sha256: &'a str,
    bytes: u64,
    mode: &'a str,
    tags: &'a [String],
}

impl<'a> Document<'a> {
    pub(crate) fn of(version: &'a Version) -> Self {
        let record = &version.record;
        Document {
            id: &version.id,
            file: version.path.to_string_lossy().into_owned(),
            file_hex: record.file_hex.as_deref(),
            parent: record.parent.as_deref(),
            created_at: record.created_at,
            author: &record.author,
            host: &record.host,
            message: &record.message,
            sha256: &record.sha256,
            bytes: record.bytes,
            mode: &record.mode,
            tags: &version.tags,
        }
    }
}

/// A path in a line that other programs cut: one line, whatever the name holds.
pub(crate) fn shown(path: &std::path::Path) -> String {
    visible(&path.to_string_lossy()).into_owned()
}

pub(crate) fn warn_all(out: &Out, notes: &[String]) {
    notes.iter().for_each(|note| out.warn(note));
}
