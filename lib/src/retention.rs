//! Which backups stay and which go: a pure function from a policy, the backups there are, and the time, to a plan with a
//! reason for every backup. Nothing here touches a file; what applies a plan is a verb.
//!
//! # What a plan holds to
//!
//! Backups are judged by group (one environment, one kind, the same database and the same files), newest first.
//!
//! - A **rule** (`keep_days`, `keep_last`, `hourly` … `yearly`) keeps what it names; what several rules keep is the union.
//!   Only verified backups count for a rule, so failed runs never push good backups out. One whose bytes are only in the
//!   cloud right now still takes its place in a rule, but is no substitute for a verified one.
//! - Whatever the rules say, these stay: the newest verified backup; the newest `min_verified` (or `keep_min`) verified ones
//!   where the rules leave fewer; the newest verified one of each of the last `window_days` days, so that a burst of new
//!   backups cannot push yesterday's out; what is pinned; migration and safety backups for [`MIN_AGE_DAYS`]; every backup
//!   that a kept one, or one that is not in sight, needs.
//! - An **unverified or damaged** backup stays until a newer verified one exists, and then for as long as `keep_days` says
//!   ([`MIN_AGE_DAYS`] where the policy has no `keep_days`): somebody may still want to look at it.
//! - What is **not ours**, was written by a newer version, or is dated in the future never goes, and never counts.
//! - Where the newest verified backup holds far less of anything than those before it, nothing of its group goes until a person has
//!   accepted the new size (see [`Policy::sizes_accepted_until`]).
//! - A clock that stands more than a day before the newest backup, and a plan that would remove very much at once, are
//!   refused (see [`plan`]).
//!
//! A plan is stable: applied, and made again at the same time, it removes nothing more.

mod candidate;
mod group;
mod period;
mod plan;
mod policy;
mod size_gate;

pub use candidate::{Candidate, Standing};
pub use period::{Cadence, Zone, period};
pub use plan::{Line, Plan, Verdict};
pub use policy::Policy;

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::clock;
use crate::error::{Error, Result};
use group::{Judged, Ruling};

/// How long a migration or safety backup stays at least, and an unverified one where no `keep_days` says otherwise: the
/// mistake that calls for it is found within a week, or it is found too late for any of them.
pub const MIN_AGE_DAYS: u32 = 7;
/// A backup dated later than this from now is dated in the future; two machines' clocks may differ by that much.
pub const SKEW_MAX: TimeDelta = TimeDelta::minutes(5);
/// How far the clock may stand before the newest backup. Beyond it the clock is wrong, and every age with it.
pub const CLOCK_BACK_MAX: TimeDelta = TimeDelta::days(1);
/// A plan may remove this many backups of a group without being asked. An hourly schedule removes one or two a run.
pub const REMOVE_MAX_COUNT: usize = 20;
/// A plan may remove this share of a group, in percent, without being asked.
pub const REMOVE_MAX_PERCENT: usize = 30;

/// The plan for these backups at this time.
///
/// Fails with kind `Config` where the policy says nothing or contradicts itself; with `Bad` where two backups have one
/// id; with `Refused` where the clock stands more than [`CLOCK_BACK_MAX`] before the newest backup, and where the plan is
/// a **mass deletion**: in some group it removes more than [`REMOVE_MAX_COUNT`] backups *and* more than
/// [`REMOVE_MAX_PERCENT`] percent of those that are ours. Both, so that neither a small store (ten backups, five to go)
/// nor the steady state of a large one is ever stopped. [`Policy::confirm_delete`] lets it pass when it is exactly the number
/// of backups that the whole plan removes.
pub fn plan(policy: &Policy, candidates: &[Candidate], now: DateTime<Utc>) -> Result<Plan> {
    let (plan, refused) = plan_and_refusal(policy, candidates, now)?;
    refused.map_or(Ok(plan), Err)
}

/// The same plan to be looked at and not applied: a mass deletion is shown, with why it would be refused.
pub fn plan_and_refusal(policy: &Policy, candidates: &[Candidate], now: DateTime<Utc>) -> Result<(Plan, Option<Error>)> {
    let (plan, mass) = judge(policy, candidates, now)?;
    let Some(mass) = mass else { return Ok((plan, None)) };
    let count = plan.removals().count();
    if policy.confirm_delete == Some(count) {
        return Ok((plan, None));
    }
    let asked = match policy.confirm_delete {
        Some(other) => format!(", and {other} were confirmed"),
        None => String::new(),
    };
    let refused =
        Error::refused(format!("retention would remove {} of the {} backups of {} at once{asked}", mass.removed, mass.of, mass.group))
            .hint(format!(
                "is the clock right, and is the policy meant? look at the plan with --dry-run, then give --confirm-delete {count}"
            ));
    Ok((plan, Some(refused)))
}

/// The plan alone, to be looked at.
#[cfg(test)]
pub(crate) fn preview(policy: &Policy, candidates: &[Candidate], now: DateTime<Utc>) -> Result<Plan> {
    judge(policy, candidates, now).map(|(plan, _)| plan)
}

/// A group that would lose very much at once.
struct Mass {
    group: String,
    removed: usize,
    of: usize,
}

fn judge(policy: &Policy, candidates: &[Candidate], now: DateTime<Utc>) -> Result<(Plan, Option<Mass>)> {
    policy.check()?;
    require_unique_ids(candidates)?;
    require_clock(candidates, now)?;

    let mut groups: BTreeMap<&str, Vec<&Candidate>> = BTreeMap::new();
    for candidate in candidates {
        groups.entry(&candidate.group).or_default().push(candidate);
    }
    let mut judged: Vec<Judged> = Vec::with_capacity(candidates.len());
    for members in groups.into_values() {
        judged.extend(group::judge(policy, members, now));
    }
    keep_what_is_needed(&mut judged);
    let mass = mass_deletion(&judged);
    judged.sort_by_key(|one| (one.candidate.created_at, &one.candidate.id));
    Ok((Plan { lines: judged.into_iter().map(Judged::into_line).collect() }, mass))
}

fn require_unique_ids(candidates: &[Candidate]) -> Result<()> {
    let mut seen = HashSet::with_capacity(candidates.len());
    match candidates.iter().find(|candidate| !seen.insert(&candidate.id)) {
        None => Ok(()),
        Some(twice) => Err(Error::bad(format!("two backups have the id {}", twice.id))
            .hint("one of them is a copy: move it out of the store, then prune again")),
    }
}

fn require_clock(candidates: &[Candidate], now: DateTime<Utc>) -> Result<()> {
    let Some(newest) = candidates.iter().max_by_key(|candidate| candidate.created_at) else { return Ok(()) };
    if newest.created_at.signed_duration_since(now) <= CLOCK_BACK_MAX {
        return Ok(());
    }
    Err(Error::refused(format!(
        "no pruning: the clock says {}, but the backup {} is of {}",
        clock::readable(now),
        newest.id,
        clock::readable(newest.created_at)
    ))
    .hint("set the clock right; if it is right, that backup was made under a wrong one: delete it by its id"))
}

/// Keeps every backup that a kept one needs, and so on down; a need whose owner is not in sight counts as one.
fn keep_what_is_needed(judged: &mut [Judged]) {
    let candidates: Vec<&Candidate> = judged.iter().map(|one| one.candidate).collect();
    let index: HashMap<&str, usize> = candidates.iter().enumerate().map(|(at, one)| (one.id.as_str(), at)).collect();
    let mut needs: Vec<Vec<usize>> = vec![Vec::new(); judged.len()];
    for (at, one) in judged.iter_mut().enumerate() {
        for owner in &one.candidate.referred_to_by {
            match index.get(owner.as_str()) {
                Some(owner) => needs[*owner].push(at),
                None => one.ruling.keep(format!("needed by {owner}, which is not in sight")),
            }
        }
    }
    let mut owners: Vec<Vec<usize>> = vec![Vec::new(); judged.len()];
    let mut kept: Vec<usize> = (0..judged.len()).filter(|at| judged[*at].ruling.keeps()).collect();
    while let Some(owner) = kept.pop() {
        for at in std::mem::take(&mut needs[owner]) {
            owners[at].push(owner);
            if !judged[at].ruling.keeps() {
                judged[at].ruling = Ruling::Keep(Vec::new());
                kept.push(at);
            }
        }
    }
    for (one, mut owners) in judged.iter_mut().zip(owners) {
        owners.sort_by_key(|owner| (candidates[*owner].created_at, &candidates[*owner].id));
        let named: Vec<String> = owners.iter().map(|owner| format!("needed by {}", candidates[*owner].id)).collect();
        match named.len() {
            0 => {}
            1 | 2 => one.ruling.keep_for(named),
            // Every later link of a chain needs each before it.
            count => one.ruling.keep_for(vec![format!("needed by {count}")]),
        }
    }
}

fn mass_deletion(judged: &[Judged]) -> Option<Mass> {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for one in judged.iter().filter(|one| one.candidate.deletable) {
        let (removed, of) = counts.entry(&one.candidate.group).or_default();
        *of += 1;
        *removed += usize::from(matches!(one.ruling, Ruling::Remove(_)));
    }
    counts
        .into_iter()
        .find(|(_, (removed, of))| *removed > REMOVE_MAX_COUNT && removed.saturating_mul(100) > of.saturating_mul(REMOVE_MAX_PERCENT))
        .map(|(group, (removed, of))| Mass { group: group.to_owned(), removed, of })
}

#[cfg(test)]
mod tests;
