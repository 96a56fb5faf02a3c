//! The judgement of one group of backups.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::plan::{Line, Verdict};
use super::size_gate::collapse;
use super::{Cadence, Candidate, MIN_AGE_DAYS, Policy, SKEW_MAX, Standing, period};
use crate::manifest::Kind;

/// A backup and what is to become of it.
pub(super) struct Judged<'a> {
    pub(super) candidate: &'a Candidate,
    pub(super) ruling: Ruling,
}

/// What is to become of a backup, with the reasons.
pub(super) enum Ruling {
    Keep(Vec<String>),
    Remove(String),
}

impl Ruling {
    /// Keeps it, for one more reason.
    pub(super) fn keep(&mut self, reason: impl Into<String>) {
        match self {
            Ruling::Keep(reasons) => reasons.push(reason.into()),
            Ruling::Remove(_) => *self = Ruling::Keep(vec![reason.into()]),
        }
    }

    /// Keeps it, for these reasons more.
    pub(super) fn keep_for(&mut self, reasons: Vec<String>) {
        reasons.into_iter().for_each(|reason| self.keep(reason));
    }

    pub(super) fn keeps(&self) -> bool {
        matches!(self, Ruling::Keep(_))
    }
}

impl Judged<'_> {
    pub(super) fn into_line(self) -> Line {
        let (verdict, reason) = match self.ruling {
            Ruling::Keep(reasons) => (Verdict::Keep, reasons.join(", ")),
            Ruling::Remove(reason) => (Verdict::Remove, reason),
        };
        Line { id: self.candidate.id.clone(), verdict, reason, bytes: self.candidate.stored_bytes }
    }
}

/// Whether less than so many times 24 hours have passed.
fn younger(candidate: &Candidate, days: u32, now: DateTime<Utc>) -> bool {
    now.signed_duration_since(candidate.created_at) < TimeDelta::days(i64::from(days))
}

/// Judges the backups of one group; what other backups need is added afterwards.
pub(super) fn judge<'a>(policy: &Policy, mut members: Vec<&'a Candidate>, now: DateTime<Utc>) -> Vec<Judged<'a>> {
    members.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
    let mut judged: Vec<Judged> =
        members.into_iter().map(|candidate| Judged { candidate, ruling: Ruling::Remove(String::new()) }).collect();

    set_aside(&mut judged, now);
    let ours: Vec<usize> = (0..judged.len()).filter(|at| !judged[*at].ruling.keeps()).collect();
    let counting: Vec<usize> = ours.iter().copied().filter(|at| judged[*at].candidate.standing.counts()).collect();
    let verified: Vec<usize> = counting.iter().copied().filter(|at| judged[*at].candidate.standing == Standing::Verified).collect();

    keep_by_rules(policy, &mut judged, &counting, now);
    keep_what_failed(policy, &mut judged, &ours, verified.first().copied(), now);
    keep_whatever_the_rules_say(policy, &mut judged, &ours, &verified, now);
    for at in ours {
        let candidate = judged[at].candidate;
        if let Ruling::Remove(reason) = &mut judged[at].ruling {
            *reason = why_it_goes(policy, candidate, now);
        }
    }
    judged
}

/// Keeps what is not to be judged at all.
fn set_aside(judged: &mut [Judged], now: DateTime<Utc>) {
    for Judged { candidate, ruling } in judged {
        if !candidate.deletable {
            ruling.keep("not ours to delete");
        }
        if candidate.standing == Standing::NewerFormat {
            ruling.keep("written by a newer version");
        }
        if candidate.standing == Standing::Unknown {
            ruling.keep("held: its checks or labels cannot be read");
        }
        if candidate.created_at.signed_duration_since(now) > SKEW_MAX {
            ruling.keep("dated in the future, does not count");
        }
    }
}

fn keep_by_rules(policy: &Policy, judged: &mut [Judged], counting: &[usize], now: DateTime<Utc>) {
    if let Some(count) = policy.keep_last {
        for (nth, at) in counting.iter().take(count as usize).enumerate() {
            judged[*at].ruling.keep(format!("last {} of {count}", nth + 1));
        }
    }
    for cadence in Cadence::ALL {
        let Some(count) = policy.periods(cadence) else { continue };
        for (nth, at) in newest_of_each(policy, judged, counting, cadence).into_iter().take(count as usize).enumerate() {
            judged[at].ruling.keep(format!("{cadence} {} of {count}", nth + 1));
        }
    }
    match policy.keep_days {
        Some(0) | None => {}
        Some(days) => {
            for at in counting {
                if younger(judged[*at].candidate, days, now) {
                    judged[*at].ruling.keep(format!("younger than {}", of_days(days)));
                }
            }
        }
    }
}

/// The newest backup of each period, the newest period first. Periods are told apart by name and not by their order: where a
/// clock goes back over midnight, a day comes twice.
fn newest_of_each(policy: &Policy, judged: &[Judged], counting: &[usize], cadence: Cadence) -> Vec<usize> {
    let mut seen = BTreeSet::new();
    counting.iter().copied().filter(|at| seen.insert(period(cadence, judged[*at].candidate.created_at, policy.zone))).collect()
}

/// Keeps unverified and damaged backups until a newer verified one exists, and then while they are young.
fn keep_what_failed(policy: &Policy, judged: &mut [Judged], ours: &[usize], newest_verified: Option<usize>, now: DateTime<Utc>) {
    for at in ours {
        let Judged { candidate, ruling } = &mut judged[*at];
        let Some(standing) = failed(candidate) else { continue };
        let days = days_for_failed(policy);
        // Positions run from the newest to the oldest.
        if newest_verified.is_none_or(|newest| *at < newest) {
            ruling.keep(format!("{standing}, no newer verified one"));
        } else if younger(candidate, days, now) {
            ruling.keep(format!("{standing}, younger than {}", of_days(days)));
        }
    }
}

fn keep_whatever_the_rules_say(policy: &Policy, judged: &mut [Judged], ours: &[usize], verified: &[usize], now: DateTime<Utc>) {
    for at in ours {
        let Judged { candidate, ruling } = &mut judged[*at];
        if policy.keeps_for_ever() {
            ruling.keep("kept for ever");
        }
        if candidate.pinned {
            ruling.keep("pinned");
        }
        if matches!(candidate.kind, Kind::Migration | Kind::Safety) && younger(candidate, MIN_AGE_DAYS, now) {
            ruling.keep(format!("{}, younger than {}", candidate.kind, of_days(MIN_AGE_DAYS)));
        }
    }
    for at in newest_of_each(policy, judged, verified, Cadence::Daily) {
        if younger(judged[at].candidate, policy.window_days, now) && !judged[at].ruling.keeps() {
            judged[at].ruling.keep(format!("newest of its day, within {}", of_days(policy.window_days)));
        }
    }
    if let Some(newest) = verified.first() {
        judged[*newest].ruling.keep("newest verified");
    }
    let floor = policy.floor();
    let missing = floor.saturating_sub(verified.iter().filter(|at| judged[**at].ruling.keeps()).count());
    let filling: Vec<usize> = verified.iter().copied().filter(|at| !judged[*at].ruling.keeps()).take(missing).collect();
    for at in filling {
        judged[at].ruling.keep(format!("at least {floor} verified"));
    }
    let oldest_first: Vec<&Candidate> = verified.iter().rev().map(|at| judged[*at].candidate).collect();
    if let Some(found) = collapse(&oldest_first, policy.sizes_accepted_until) {
        for at in ours {
            judged[*at]
                .ruling
                .keep(format!("pruning suspended: {} holds {} {}, usual are {}", found.id, found.amount, found.what, found.usual));
        }
    }
}

/// What is wrong with a backup that counts for nothing.
fn failed(candidate: &Candidate) -> Option<&'static str> {
    match candidate.standing {
        Standing::Unverified => Some("unverified"),
        Standing::Incomplete => Some("incomplete"),
        Standing::Damaged => Some("damaged"),
        Standing::Verified | Standing::CloudOnly | Standing::NewerFormat | Standing::Unknown => None,
    }
}

fn days_for_failed(policy: &Policy) -> u32 {
    policy.keep_days.unwrap_or(MIN_AGE_DAYS)
}

fn why_it_goes(policy: &Policy, candidate: &Candidate, now: DateTime<Utc>) -> String {
    if let Some(standing) = failed(candidate) {
        return format!("{standing}, a newer verified one exists, older than {}", of_days(days_for_failed(policy)));
    }
    let age = now.signed_duration_since(candidate.created_at);
    match age.num_days() {
        0 => format!("no rule keeps it, {} hours old", age.num_hours().max(0)),
        days => format!("no rule keeps it, {days} days old"),
    }
}

fn of_days(days: u32) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}
