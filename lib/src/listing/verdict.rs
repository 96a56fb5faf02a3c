//! How good a backup is: one verdict, whoever asks. A list, the figures, retention and the guard all go by it.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::facts::{Facts, Made};

/// How good a backup is known to be, with all that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It passed its structure's check, or more, and no later check found it bad.
    Verified,
    /// As verified, but its bytes, or some of those that it needs, are only in the cloud at present.
    CloudOnly,
    /// As verified, but a backup that it needs is not there, or is not verified itself.
    Stranded,
    /// Something is missing from it or torn: its run ended with status 7.
    Incomplete,
    /// It passed less, or nothing.
    Unverified,
    /// A check found it bad, or one that it needs.
    Damaged,
    /// What checks found, or what people said of it, cannot be read just now: it may be damaged, or pinned.
    Unknown,
}

impl Verdict {
    /// Every one of them.
    pub const ALL: [Verdict; 7] = [
        Verdict::Verified,
        Verdict::CloudOnly,
        Verdict::Stranded,
        Verdict::Incomplete,
        Verdict::Unverified,
        Verdict::Damaged,
        Verdict::Unknown,
    ];
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Verified => "verified",
            Verdict::CloudOnly => "cloud-only",
            Verdict::Stranded => "stranded",
            Verdict::Incomplete => "incomplete",
            Verdict::Unverified => "unverified",
            Verdict::Damaged => "damaged",
            Verdict::Unknown => "unknown",
        })
    }
}

impl Facts {
    /// How good a backup's own files are.
    pub fn own_verdict(&self) -> Verdict {
        match self.made {
            _ if self.unknown.is_some() => Verdict::Unknown,
            _ if self.is_damaged => Verdict::Damaged,
            _ if self.has_placeholder => Verdict::CloudOnly,
            Made::Corrupt => Verdict::Unverified,
            _ if !self.has_its_sizes => Verdict::Damaged,
            // What lacks something must never push out what lacks nothing.
            Made::Incomplete => Verdict::Incomplete,
            Made::Unproven => Verdict::Unverified,
            Made::Proven => Verdict::Verified,
        }
    }
}

/// A backup is no better than what it needs. `of` gives the own verdict of one that is needed, or none where it is not there: it may come
/// back, from a sync service's bin or with the rest of a copy, so that is no damage. With the first that is not good.
pub fn with_needs(
    own: Verdict,
    needs: &BTreeSet<String>,
    of: impl Fn(&str) -> Option<Verdict>,
) -> (Verdict, Option<(&str, Option<Verdict>)>) {
    if !matches!(own, Verdict::Verified | Verdict::CloudOnly) {
        return (own, None);
    }
    let not_good: Vec<(&str, Option<Verdict>)> =
        needs.iter().map(|id| (id.as_str(), of(id))).filter(|(_, found)| *found != Some(Verdict::Verified)).collect();
    for worst in [Verdict::Damaged, Verdict::Unknown] {
        if let Some(found) = not_good.iter().find(|(_, found)| *found == Some(worst)) {
            return (worst, Some(*found));
        }
    }
    let is_evicted = |(_, found): &&(&str, Option<Verdict>)| *found == Some(Verdict::CloudOnly);
    match (not_good.iter().find(|needed| !is_evicted(needed)), not_good.first()) {
        (Some(first), _) => (Verdict::Stranded, Some(*first)),
        (None, Some(first)) => (Verdict::CloudOnly, Some(*first)),
        (None, None) => (own, None),
    }
}

/// What is wrong with a backup that needs one that is not good.
pub(super) fn said((id, found): (&str, Option<Verdict>)) -> String {
    match found {
        None => format!("needs {id}, which is not there or cannot be read"),
        Some(Verdict::CloudOnly) => format!("needs {id}, which is only in the cloud just now"),
        Some(found) => format!("needs {id}, which is {found}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_no_better_than_what_it_needs() {
        let needs: BTreeSet<String> = ["a", "b"].map(str::to_owned).into();
        let judged = |own, a, b| with_needs(own, &needs, |id| if id == "a" { a } else { b }).0;
        let good = Some(Verdict::Verified);
        assert_eq!(judged(Verdict::Verified, good, good), Verdict::Verified);
        assert_eq!(judged(Verdict::Verified, good, None), Verdict::Stranded);
        assert_eq!(judged(Verdict::Verified, Some(Verdict::CloudOnly), good), Verdict::CloudOnly);
        assert_eq!(judged(Verdict::Verified, Some(Verdict::CloudOnly), Some(Verdict::Incomplete)), Verdict::Stranded);
        assert_eq!(judged(Verdict::Verified, None, Some(Verdict::Damaged)), Verdict::Damaged);
        assert_eq!(judged(Verdict::Verified, Some(Verdict::Unknown), None), Verdict::Unknown);
        assert_eq!(judged(Verdict::CloudOnly, good, good), Verdict::CloudOnly);
        for own in [Verdict::Incomplete, Verdict::Unverified, Verdict::Damaged, Verdict::Unknown] {
            assert_eq!(judged(own, None, Some(Verdict::Damaged)), own);
        }
    }
}
