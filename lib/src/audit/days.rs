//! The names of the files: one a UTC day.

use std::path::Path;

use chrono::NaiveDate;

use crate::error::{OnPath, Result};

const BEGIN: &str = "audit_";
const END: &str = ".jsonl";
const DATE: &str = "%Y-%m-%d";

/// The name of a day's file.
pub(super) fn name_of(day: NaiveDate) -> String {
    format!("{BEGIN}{}{END}", day.format(DATE))
}

/// The day of a file's name, if it is exactly one of ours.
pub(super) fn day_of(name: &str) -> Option<NaiveDate> {
    let date = name.strip_prefix(BEGIN)?.strip_suffix(END)?;
    // The way back tells 2026-1-2 from 2026-01-02.
    NaiveDate::parse_from_str(date, DATE).ok().filter(|day| name_of(*day) == name)
}

/// What lies in the folder of a trail.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The names of its files, the oldest first.
    pub(super) files: Vec<String>,
    /// What looks like one and is none: a renamed file, a link, a conflict copy, the placeholder of one that is only in the cloud.
    pub(super) odd: Vec<String>,
}

/// Lists a folder; one that does not exist holds nothing.
pub(super) fn list(folder: &Path) -> Result<Listing> {
    let mut listing = Listing::default();
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(listing),
        other => other.on("list", folder)?,
    };
    for entry in entries {
        let entry = entry.on("list", folder)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_file = entry.file_type().on("look at", &entry.path())?.is_file();
        if is_file && day_of(&name).is_some() {
            listing.files.push(name);
        } else if name.to_ascii_lowercase().trim_start_matches('.').starts_with(BEGIN) {
            listing.odd.push(name);
        }
    }
    // Years of four digits sort as text.
    listing.files.sort();
    listing.odd.sort();
    Ok(listing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_exact_name_is_a_day() {
        assert_eq!(day_of("audit_2026-11-21.jsonl"), NaiveDate::from_ymd_opt(2026, 11, 21));
        for name in ["audit_2026-11-1.jsonl", "audit_2026-13-01.jsonl", "audit_2026-11-21 2.jsonl", "audit_2026-11-21.jsonl.gz", "x"] {
            assert_eq!(day_of(name), None, "{name}");
        }
    }
}
