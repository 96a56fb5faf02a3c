//! A backup far smaller than those before it may be a database that was emptied. It must not push the full ones out.

use chrono::{DateTime, Utc};

use super::Candidate;

/// A backup below this share of the usual size, in percent, is a collapse.
const COLLAPSED_BELOW_PERCENT: u128 = 20;
/// How many earlier backups say what the usual size is: enough that one odd size does not, few enough to follow growth.
const USUAL_OF: usize = 10;

/// A collapse that still lasts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Collapse<'a> {
    /// The first backup that was so small.
    pub(super) id: &'a str,
    /// Its size.
    pub(super) bytes: u64,
    /// The median of those before it.
    pub(super) usual_bytes: u64,
}

/// The collapse that the newest of these backups still stands in, if any. `verified` is sorted, the oldest first.
///
/// The usual size is the one from before the collapse for as long as it lasts: were the small backups counted in, a few more
/// of them would become the usual, and pruning would go on by itself without anybody having looked. A later backup of usual
/// size ends it, and so does a person's word that the sizes up to a moment are right.
pub(super) fn collapse<'a>(verified: &[&'a Candidate], accepted_until: Option<DateTime<Utc>>) -> Option<Collapse<'a>> {
    let accepted = verified.iter().filter(|one| accepted_until.is_some_and(|until| one.created_at <= until)).count();
    let mut usual: Vec<u64> = Vec::new();
    let mut lasting: Option<Collapse> = None;
    // Of the accepted sizes, the newest is what the next is compared with.
    for one in &verified[accepted.saturating_sub(1)..] {
        let usual_bytes =
            lasting.as_ref().map_or_else(|| median(&usual[usual.len().saturating_sub(USUAL_OF)..]), |collapse| collapse.usual_bytes);
        if u128::from(one.plain_bytes) * 100 < u128::from(usual_bytes) * COLLAPSED_BELOW_PERCENT {
            lasting.get_or_insert(Collapse { id: &one.id, bytes: one.plain_bytes, usual_bytes });
        } else {
            lasting = None;
            usual.push(one.plain_bytes);
        }
    }
    lasting
}

/// The middle size, the larger of two; 0 of none.
fn median(sizes: &[u64]) -> u64 {
    let mut sorted = sizes.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or(0)
}
