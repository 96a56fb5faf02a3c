//! A plan: what is to stay and what is to go, with the reason for each.

use std::fmt;

use serde::Serialize;

/// What is to become of every backup, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// One line for each backup.
    pub lines: Vec<Line>,
}

/// What is to become of one backup, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The backup.
    pub id: String,
    /// Whether it stays.
    pub verdict: Verdict,
    /// Why: `daily 1 of 14, newest verified`.
    pub reason: String,
    /// Its stored bytes.
    pub bytes: u64,
}

/// Whether a backup stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It stays.
    Keep,
    /// It goes.
    Remove,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Keep => "keep",
            Verdict::Remove => "remove",
        })
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}  {}", self.verdict, self.id, self.reason)
    }
}

impl Plan {
    /// What goes.
    pub fn removals(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.verdict == Verdict::Remove)
    }

    /// The stored bytes that it gives back.
    pub fn freed_bytes(&self) -> u64 {
        self.removals().map(|line| line.bytes).fold(0, u64::saturating_add)
    }
}
