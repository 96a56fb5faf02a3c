//! A listing in figures, environment by environment.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::{Listed, Verdict};
use crate::clock;
use crate::manifest::{Kind, Type};
use crate::store::ARCHIVES;

/// Growth is told over this many days before the newest backup: what grew last year says little of next month.
const GROWTH_DAYS: i64 = 30;
/// Two backups of one hour say nothing of a day.
const GROWTH_SPAN_MIN: TimeDelta = TimeDelta::hours(1);
/// As many of the newest sizes and durations are given for a plot.
const SERIES_MAX: usize = 60;

/// An environment's backups in figures.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Stats {
    /// The environment.
    pub environment: String,
    /// How many backups it has.
    pub backups: u64,
    /// How many of each kind.
    pub by_kind: BTreeMap<String, u64>,
    /// How many of each type.
    pub by_type: BTreeMap<String, u64>,
    /// How many are known to be good.
    pub verified: u64,
    /// How many lack files, or hold torn ones.
    pub incomplete: u64,
    /// How many cannot be read, or were found bad, themselves or in what they need.
    pub damaged: u64,
    /// How many are pinned.
    pub pinned: u64,
    /// How many are in the archives.
    pub archived: u64,
    /// Bytes they take in the store.
    pub stored_bytes: u64,
    /// Bytes of their content.
    pub plain_bytes: u64,
    /// The oldest.
    pub oldest: Option<Made>,
    /// The newest.
    pub newest: Option<Made>,
    /// How fast the content grows.
    pub growth: Option<Growth>,
    /// What increments save.
    pub saved: Option<Saved>,
    /// The last time that one of them restored into a scratch database, and how long that took: the recovery time to expect.
    pub last_restore: Option<Restored>,
    /// Stored bytes of the newest readable ones, the newest last.
    pub sizes_bytes: Vec<u64>,
    /// How long each of those took to make, in milliseconds.
    pub durations_ms: Vec<u64>,
}

/// A backup and its time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Made {
    /// Its id.
    pub id: String,
    /// When its run began.
    #[serde(with = "clock::rfc3339_millis")]
    pub at: DateTime<Utc>,
}

/// How fast the content of the verified backups of the last days grows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Growth {
    /// Bytes of content a day; below zero where it shrinks.
    pub plain_bytes_per_day: i64,
    /// Over so many seconds.
    pub span_seconds: i64,
}

/// What increments save against full backups of the same content.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Saved {
    /// About so many bytes more would be stored: each increment's content, packed as well as the full of its chain.
    pub bytes: u64,
    /// In percent of what would be stored then.
    pub percent: u64,
}

/// The last proven restore.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Restored {
    /// The backup's id.
    pub id: String,
    /// When.
    #[serde(with = "clock::rfc3339_millis")]
    pub at: DateTime<Utc>,
    /// How long the load took, in milliseconds.
    pub restore_ms: u64,
}

/// The figures of each environment, by name. The listing stands the oldest first.
pub fn stats(listing: &[Listed]) -> Vec<Stats> {
    let mut environments: BTreeMap<&str, Vec<&Listed>> = BTreeMap::new();
    for listed in listing {
        environments.entry(listed.environment.as_deref().unwrap_or(&listed.place)).or_default().push(listed);
    }
    let fulls: BTreeMap<&str, &Listed> = listing.iter().map(|listed| (listed.id.as_str(), listed)).collect();
    environments.into_iter().map(|(name, backups)| of_environment(name, &backups, &fulls)).collect()
}

fn of_environment(name: &str, backups: &[&Listed], all: &BTreeMap<&str, &Listed>) -> Stats {
    let count = |fits: &dyn Fn(&Listed) -> bool| backups.iter().filter(|listed| fits(listed)).count() as u64;
    let sum = |of: &dyn Fn(&Listed) -> Option<u64>| backups.iter().filter_map(|listed| of(listed)).fold(0, u64::saturating_add);
    let mut stats = Stats {
        environment: name.to_owned(),
        backups: backups.len() as u64,
        verified: count(&|listed| listed.verified.is_some()),
        incomplete: count(&|listed| listed.verdict == Verdict::Incomplete),
        damaged: count(&|listed| listed.is_damaged),
        pinned: count(&|listed| listed.pin.is_some()),
        archived: count(&|listed| listed.place == ARCHIVES),
        stored_bytes: sum(&|listed| listed.stored_bytes),
        plain_bytes: sum(&|listed| listed.plain_bytes),
        oldest: backups.iter().find_map(|listed| made(listed)),
        newest: backups.iter().rev().find_map(|listed| made(listed)),
        growth: growth(backups),
        saved: saved(backups, all),
        last_restore: last_restore(backups),
        ..Stats::default()
    };
    for listed in backups {
        if let Some(kind) = listed.kind {
            *stats.by_kind.entry(kind.to_string()).or_default() += 1;
        }
        if let Some(backup_type) = listed.backup_type {
            *stats.by_type.entry(backup_type.to_string()).or_default() += 1;
        }
    }
    let mut series: Vec<(u64, u64)> =
        backups.iter().rev().filter_map(|listed| Some((listed.stored_bytes?, listed.made_ms?))).take(SERIES_MAX).collect();
    series.reverse();
    (stats.sizes_bytes, stats.durations_ms) = series.into_iter().unzip();
    stats
}

fn made(listed: &Listed) -> Option<Made> {
    listed.created_at.map(|at| Made { id: listed.id.clone(), at })
}

/// From the first to the last verified backup of the newest one's database within the last days.
fn growth(backups: &[&Listed]) -> Option<Growth> {
    let counts = |listed: &&&Listed| listed.verified.is_some() && listed.kind != Some(Kind::Safety);
    let newest = backups.iter().rev().find(counts)?;
    let (end, end_bytes) = (newest.created_at?, newest.plain_bytes?);
    let alike = |listed: &&&Listed| counts(listed) && listed.database == newest.database && listed.kind == newest.kind;
    let is_recent = |listed: &&&Listed| listed.created_at.is_some_and(|at| end - at <= TimeDelta::days(GROWTH_DAYS));
    let first = backups.iter().filter(alike).find(is_recent)?;
    let span = end - first.created_at?;
    if span < GROWTH_SPAN_MIN {
        return None;
    }
    let grown = i128::from(end_bytes) - i128::from(first.plain_bytes?);
    let per_day = grown * i128::from(TimeDelta::days(1).num_seconds()) / i128::from(span.num_seconds());
    Some(Growth { plain_bytes_per_day: i64::try_from(per_day).ok()?, span_seconds: span.num_seconds() })
}

fn saved(backups: &[&Listed], all: &BTreeMap<&str, &Listed>) -> Option<Saved> {
    let (mut would_be, mut is) = (0u128, 0u128);
    for increment in backups.iter().filter(|listed| listed.backup_type.is_some_and(|found| found != Type::Full)) {
        let Some(full) = full_of(increment, all) else { continue };
        let (Some(plain), Some(stored)) = (full.plain_bytes.filter(|bytes| *bytes > 0), full.stored_bytes) else { continue };
        would_be += u128::from(increment.plain_bytes?) * u128::from(stored) / u128::from(plain);
        is += u128::from(increment.stored_bytes?);
    }
    (would_be > 0).then(|| {
        let bytes = would_be.saturating_sub(is);
        Saved { bytes: u64::try_from(bytes).unwrap_or(u64::MAX), percent: u64::try_from(bytes * 100 / would_be).unwrap_or(0) }
    })
}

/// The full that an increment descends from, where all in between are there; a circle leads nowhere.
fn full_of<'a>(increment: &Listed, all: &BTreeMap<&str, &'a Listed>) -> Option<&'a Listed> {
    let mut parent = increment.parent.as_deref();
    for _ in 0..all.len() {
        let found = *all.get(parent?)?;
        if found.backup_type == Some(Type::Full) {
            return Some(found);
        }
        parent = found.parent.as_deref();
    }
    None
}

fn last_restore(backups: &[&Listed]) -> Option<Restored> {
    let restored = backups.iter().filter_map(|listed| Some((listed, listed.restored.as_ref()?)));
    let (listed, restored) = restored.max_by_key(|(_, restored)| restored.at)?;
    Some(Restored { id: listed.id.clone(), at: restored.at, restore_ms: restored.restore_ms })
}
