//! Where in the file something stands, and what is wrong there, in words.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use crate::error::Error;
use crate::secret;

/// How alike two words must be (Jaro-Winkler, 0 to 1) to be taken for one mistyped: `retenton` and `retention` are at
/// 0.98, `compress` and `compression` at 0.95, `media` and `max_age` at 0.56.
const ALIKE_AT_LEAST: f64 = 0.8;

/// A file's text, which knows the line of each key.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// One key with the bytes that it and its value take.
struct Entry {
    keys: Vec<String>,
    key: Range<usize>,
    value: Range<usize>,
}

impl Source {
    /// A configuration error at the key with this path; `why` follows the key's name.
    pub(crate) fn error_at(&self, keys: &[&str], why: impl std::fmt::Display) -> Error {
        Error::config(format!("{}: {}: {why}", self.at_key(keys), keys.join(".")))
    }

    /// `FILE:LINE` of a key, or of the nearest table around it that is there.
    pub(crate) fn at_key(&self, keys: &[&str]) -> String {
        let entries = self.entries();
        let line = (1..=keys.len())
            .rev()
            .find_map(|depth| entries.iter().find(|entry| entry.keys == keys[..depth]))
            .map_or(1, |entry| self.line(entry.key.start));
        self.at_line(line)
    }

    fn at_line(&self, line: usize) -> String {
        format!("{}:{line}", self.path.display())
    }

    fn line(&self, offset: usize) -> usize {
        1 + self.text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
    }

    fn entries(&self) -> Vec<Entry> {
        let mut out = Vec::new();
        if let Ok(table) = DeTable::parse(&self.text) {
            collect(table.get_ref(), &[], &mut out);
        }
        out
    }

    /// Turns what the parser says into an error with line and key.
    pub(crate) fn explain(&self, error: &toml::de::Error) -> Error {
        let message = error.message();
        let Some(span) = error.span() else { return Error::config(format!("{}: {}", self.path.display(), plain(message))) };
        let place = self.at_line(self.line(span.start));
        // The smallest key or value around the place is the one at fault.
        let entry = self
            .entries()
            .into_iter()
            .filter_map(|entry| {
                let around = [&entry.key, &entry.value]
                    .into_iter()
                    .filter(|range| range.contains(&span.start) || **range == span)
                    .map(Range::len)
                    .min();
                around.map(|length| (length, entry))
            })
            .min_by_key(|(length, _)| *length)
            .map(|(_, entry)| entry);
        if let Some((key, known)) = unknown_key(message) {
            let parent = entry.map(|entry| entry.keys[..entry.keys.len() - 1].join(".")).unwrap_or_default();
            return unknown(&place, &key, &parent, &known);
        }
        match entry {
            Some(entry) => Error::config(format!("{place}: {}: {}", entry.keys.join("."), plain(message))),
            None => Error::config(format!("{place}: {}", plain(message))),
        }
    }
}

fn collect(table: &DeTable<'_>, above: &[String], out: &mut Vec<Entry>) {
    for (key, value) in table {
        let keys: Vec<String> = above.iter().cloned().chain([key.get_ref().to_string()]).collect();
        collect_value(value.get_ref(), &keys, out);
        out.push(Entry { keys, key: key.span(), value: value.span() });
    }
}

fn collect_value(value: &DeValue<'_>, keys: &[String], out: &mut Vec<Entry>) {
    match value {
        DeValue::Table(inner) => collect(inner, keys, out),
        DeValue::Array(items) => items.iter().for_each(|item| collect_value(item.get_ref(), keys, out)),
        _ => {}
    }
}

/// Takes serde's words for an unknown key apart: the key, and those there are.
fn unknown_key(message: &str) -> Option<(String, Vec<String>)> {
    let mut quoted = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2).map(str::to_owned);
    Some((quoted.next()?, quoted.collect()))
}

fn unknown(place: &str, key: &str, parent: &str, known: &[String]) -> Error {
    let within = if parent.is_empty() { String::new() } else { format!(" in [{parent}]") };
    match nearest(key, known.iter().map(String::as_str)) {
        Some(near) => Error::config(format!("{place}: unknown key {key:?}{within}, did you mean {near:?}?")),
        None => Error::config(format!("{place}: unknown key {key:?}{within}")).hint(format!("the keys there are {}", known.join(", "))),
    }
}

/// The word that a mistyped one was most likely meant to be.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    known
        .map(|candidate| (strsim::jaro_winkler(&word, &candidate.replace('-', "_")), candidate))
        .filter(|(alike, _)| *alike >= ALIKE_AT_LEAST)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// Says a parser's message in the words of the file's author, on one line and without secrets.
fn plain(message: &str) -> String {
    let mut out = message.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    for (rust, words) in [
        ("expected u32", "expected a whole number, 0 or more"),
        ("expected a boolean", "expected true or false"),
        ("expected a sequence", "expected a list"),
        ("expected a map", "expected a table"),
        ("expected struct EnvTable", "expected a table"),
        ("expected struct Retention", "expected a table"),
    ] {
        out = out.replace(rust, words);
    }
    secret::redact(&out)
}

/// Whether a path is `file` in one of its parents, nearest first.
pub(crate) fn in_parents(folder: &Path, file: &str) -> Option<PathBuf> {
    // A dangling link counts as there: opening it then fails loudly, where skipping it would silently mean the defaults.
    folder.ancestors().map(|folder| folder.join(file)).find(|path| path.symlink_metadata().is_ok())
}
