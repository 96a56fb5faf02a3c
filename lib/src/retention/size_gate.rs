//! A backup far smaller than those before it may be of a database that was emptied, or of a disk that was not mounted. It must not push
//! the full ones out.

use std::collections::BTreeMap;

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
    /// What it holds so little of: `bytes`, or as [`Candidate::amounts`] calls it.
    pub(super) what: &'a str,
    /// How much.
    pub(super) amount: u64,
    /// The median of those before it.
    pub(super) usual: u64,
}

/// The collapse that the newest of these backups still stands in, if any: of one of the things they hold, or of all together.
/// `verified` is sorted, the oldest first.
pub(super) fn collapse<'a>(verified: &[&'a Candidate], accepted_until: Option<DateTime<Utc>>) -> Option<Collapse<'a>> {
    let mut series: BTreeMap<&str, Vec<Size<'a>>> = BTreeMap::new();
    for one in verified {
        // What does not say how much it holds is compared with nothing.
        for (what, amount) in &one.amounts {
            series.entry(what).or_default().push((one, *amount));
        }
    }
    let of_each = series.into_iter().find_map(|(what, sizes)| lasting(what, &sizes, accepted_until));
    let all = || verified.iter().map(|one| (*one, one.plain_bytes)).collect::<Vec<_>>();
    of_each.or_else(|| lasting("bytes", &all(), accepted_until))
}

/// How much a backup holds of something.
type Size<'a> = (&'a Candidate, u64);

/// The usual size is the one from before the collapse for as long as it lasts: were the small backups counted in, a few more
/// of them would become the usual, and pruning would go on by itself without anybody having looked. A later backup of usual
/// size ends it, and so does a person's word that the sizes up to a moment are right.
fn lasting<'a>(what: &'a str, sizes: &[Size<'a>], accepted_until: Option<DateTime<Utc>>) -> Option<Collapse<'a>> {
    let accepted = sizes.iter().filter(|(one, _)| accepted_until.is_some_and(|until| one.created_at <= until)).count();
    let mut before: Vec<u64> = Vec::new();
    let mut lasting: Option<Collapse> = None;
    // Of the accepted sizes, the newest is what the next is compared with.
    for (one, amount) in &sizes[accepted.saturating_sub(1)..] {
        let usual = lasting.as_ref().map_or_else(|| median(&before[before.len().saturating_sub(USUAL_OF)..]), |collapse| collapse.usual);
        if u128::from(*amount) * 100 < u128::from(usual) * COLLAPSED_BELOW_PERCENT {
            lasting.get_or_insert(Collapse { id: &one.id, what, amount: *amount, usual });
        } else {
            lasting = None;
            before.push(*amount);
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
