//! The newest backup against the ones before it of the same kind: what shrinks suddenly was not backed up whole, or was
//! emptied at the source.

use super::{Report, State};
use crate::backup::Backup;
use crate::fingerprint::Fingerprint;

/// As many earlier backups are compared with.
const LAST: usize = 10;
/// The newest may have this share of the median before it is a failure, …
const FAILED_PERCENT: u64 = 20;
/// … and this share before it is worth a look.
const WARNING_PERCENT: u64 = 50;

/// Compares plain bytes and rows with the median of the last backups of the same database and kind.
pub(super) fn compare(report: &mut Report, newest: &Backup, earlier: &[&Backup]) {
    let manifest = newest.manifest();
    let database = |backup: &Backup| backup.manifest().database.as_ref().map(|database| database.name.clone());
    let alike: Vec<&&Backup> = earlier
        .iter()
        .rev()
        .filter(|backup| backup.manifest().kind == manifest.kind && database(backup) == database(newest))
        .take(LAST)
        .collect();
    if alike.is_empty() {
        return;
    }
    let environment = Some(manifest.environment.as_str());
    let plain = |backup: &Backup| backup.manifest().components.iter().map(|component| component.plain_bytes).sum::<u64>();
    let (state, message) = judge("bytes", plain(newest), alike.iter().map(|backup| plain(backup)).collect());
    report.add("size", environment, state, message);
    let rows = |backup: &Backup| backup.manifest().fingerprint.as_ref().map(Fingerprint::total_rows);
    if let Some(now) = rows(newest) {
        let (state, message) = judge("rows", now, alike.iter().filter_map(|backup| rows(backup)).collect());
        report.add("rows", environment, state, message);
    }
}

fn judge(what: &str, now: u64, mut before: Vec<u64>) -> (State, String) {
    before.sort_unstable();
    let Some(median) = before.get(before.len() / 2).copied() else { return (State::Ok, format!("{now} {what}")) };
    let percent = now.saturating_mul(100).checked_div(median).unwrap_or(100);
    let message = format!("{now} {what}, {percent} % of what is usual ({median})");
    let state = match percent {
        0..FAILED_PERCENT => State::Failed,
        FAILED_PERCENT..WARNING_PERCENT => State::Warning,
        _ => State::Ok,
    };
    (state, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fm_e09_a_collapse_is_told_and_growth_is_not() {
        assert_eq!(judge("rows", 19, vec![100, 100, 90]).0, State::Failed);
        assert_eq!(judge("rows", 49, vec![100]).0, State::Warning);
        assert_eq!(judge("rows", 51, vec![100]).0, State::Ok);
        assert_eq!(judge("rows", 100_000, vec![100]).0, State::Ok);
        assert_eq!(judge("rows", 0, vec![0]).0, State::Ok);
        assert_eq!(judge("rows", 5, vec![]).0, State::Ok);
    }
}
