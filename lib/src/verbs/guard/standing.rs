//! Which backups of an environment are good.

use super::{Finding, Report, State};
use crate::backup::Backup;
use crate::catalog::Catalog;
use crate::error::Result;
use crate::listing::{self, Verdict};
use crate::select;
use crate::store::Store;

/// An environment's backups, by what they are worth.
pub(super) struct Sorted<'a> {
    /// The good ones, the oldest first.
    pub(super) good: Vec<&'a Backup>,
    /// Those after the newest good one that lack something, the oldest first.
    pub(super) incomplete: Vec<&'a Backup>,
}

/// Sorts them. What cannot be told of one is a finding, and it is not good.
pub(super) fn sort<'a>(store: &Store, catalog: &'a Catalog, environment: &str, report: &mut Report) -> Result<Sorted<'a>> {
    let mut sorted = Sorted { good: Vec::new(), incomplete: Vec::new() };
    for backup in catalog.backups() {
        let listed = listing::of_backup(store, backup)?;
        match listed.verdict {
            Verdict::Unknown => {
                let why = listed.problem.unwrap_or_default();
                report.findings.push(Finding {
                    check: "held",
                    environment: Some(environment.to_owned()),
                    backup: Some(backup.id().to_owned()),
                    state: State::Unknown,
                    message: format!("{why}: until that can be read it counts for nothing, and no retention removes it"),
                });
            }
            Verdict::Damaged => {}
            _ if !select::counts(backup.manifest()) => {}
            _ if backup.manifest().incomplete_count() > 0 => sorted.incomplete.push(backup),
            Verdict::Verified | Verdict::CloudOnly | Verdict::Stranded | Verdict::Incomplete | Verdict::Unverified => {
                sorted.good.push(backup);
                sorted.incomplete.clear();
            }
        }
    }
    Ok(sorted)
}

impl Sorted<'_> {
    /// What the newest good one is, where others are not.
    pub(super) fn word(&self) -> &'static str {
        if self.incomplete.is_empty() { "verified" } else { "complete" }
    }

    /// `; 2 newer ones lack files (media/locked, …)`
    pub(super) fn lacking(&self) -> String {
        let Some(last) = self.incomplete.last() else { return String::new() };
        let (newer, lack) = match (self.good.is_empty(), self.incomplete.len()) {
            (true, 1) => ("1".to_owned(), "lacks"),
            (true, count) => (count.to_string(), "lack"),
            (false, 1) => ("1 newer one".to_owned(), "lacks"),
            (false, count) => (format!("{count} newer ones"), "lack"),
        };
        let more = if last.manifest().incomplete_count() > 1 { ", …" } else { "" };
        let first = last.manifest().incomplete().next().map_or("", |remark| remark.path.as_str());
        format!("; {newer} {lack} files ({first}{more})")
    }
}
