//! The audit trail: who did what, when, to what, and how it ended. One JSON object a line, one file a UTC day, appended and
//! never rewritten; each line holds the hash of the line before it, across files.
//!
//! What keeps it honest: a line that is changed, removed, added or moved breaks the chain of hashes; a tail that is cut off
//! is missed by the state directory, which remembers the newest line, and by the manifests of the backups made since.
//! [`Trail`] writes the lines of one run, [`append`] a single one; [`read`] verifies and searches.

mod append;
mod chain;
mod days;
mod line;
mod memory;
mod place;
mod query;
mod read;
mod summary;
mod tail;
mod trail;

pub use append::append;
pub use chain::{Finding, Findings};
pub use line::{Entry, Event, Line};
pub use memory::{Head, head};
pub use place::Place;
pub use query::{Query, moment};
pub use read::{Answer, Witness, read, witnesses};
pub use summary::{Process, Summary, Unfinished};
pub use trail::{Facts, Run, Trail};

/// What the first line of all has for the hash of the line before it.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

#[cfg(test)]
mod tests;
