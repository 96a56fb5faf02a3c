//! Laws that hold for every history. `HOLDFAST_SOAK_CASES=1000000` tries that many instead of the usual number.

use std::collections::BTreeSet;

use chrono::FixedOffset;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

/// Histories tried by an ordinary test run; a few seconds.
const CASES: u32 = 2_000;

fn cases() -> u32 {
    std::env::var("HOLDFAST_SOAK_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES)
}

#[derive(Debug)]
struct History {
    candidates: Vec<Candidate>,
    now: DateTime<Utc>,
}

/// One run of a backup: how the clock moved since the last, and what came of it.
#[derive(Debug, Clone)]
struct Run {
    minutes: i64,
    standing: Standing,
    kind: Kind,
    group: u8,
    pinned: bool,
    deletable: bool,
    needs: Option<prop::sample::Index>,
    plain_bytes: u64,
}

fn runs() -> impl Strategy<Value = Vec<Run>> {
    let minutes = prop_oneof![
        6 => 50i64..70,
        6 => 1400i64..1480,
        2 => 0i64..2,
        1 => -3000i64..0,
        1 => 0i64..600_000,
    ];
    let standing = prop_oneof![
        6 => Just(Standing::Verified),
        1 => Just(Standing::CloudOnly),
        1 => Just(Standing::Unverified),
        1 => Just(Standing::Damaged),
        1 => Just(Standing::NewerFormat),
        1 => Just(Standing::Incomplete),
        1 => Just(Standing::Unknown),
    ];
    let kind = prop_oneof![6 => Just(Kind::Db), 1 => Just(Kind::Full), 1 => Just(Kind::Migration), 1 => Just(Kind::Safety)];
    let plain_bytes = prop_oneof![20 => 900u64..1100, 1 => 0u64..100_000];
    let needs = prop::option::weighted(0.1, any::<prop::sample::Index>());
    let run = (minutes, standing, kind, 0u8..2, prop::bool::weighted(0.05), prop::bool::weighted(0.9), needs, plain_bytes);
    prop::collection::vec(
        run.prop_map(|(minutes, standing, kind, group, pinned, deletable, needs, plain_bytes)| Run {
            minutes,
            standing,
            kind,
            group,
            pinned,
            deletable,
            needs,
            plain_bytes,
        }),
        0..60,
    )
}

fn histories() -> impl Strategy<Value = History> {
    (runs(), prop_oneof![8 => 0i64..60, 1 => -1400i64..0, 1 => 0i64..900_000]).prop_map(|(runs, minutes_since)| {
        let mut time: DateTime<Utc> = "2026-03-01T00:00:00Z".parse().expect("a time");
        let mut candidates: Vec<Candidate> = Vec::new();
        for (nth, run) in runs.into_iter().enumerate() {
            time += TimeDelta::minutes(run.minutes);
            let id = format!("{}-prod-{}-{nth:04x}", clock::compact(time), run.kind);
            if let Some(base) = run.needs.filter(|_| nth > 0).map(|index| index.index(nth)) {
                candidates[base].referred_to_by.push(id.clone());
            }
            candidates.push(Candidate {
                id,
                group: format!("group {}", run.group),
                created_at: time,
                standing: run.standing,
                kind: run.kind,
                pinned: run.pinned,
                referred_to_by: Vec::new(),
                stored_bytes: run.plain_bytes / 5,
                plain_bytes: run.plain_bytes,
                amounts: Vec::new(),
                deletable: run.deletable,
            });
        }
        History { candidates, now: time + TimeDelta::minutes(minutes_since) }
    })
}

fn policies() -> impl Strategy<Value = Policy> {
    let count = |most: u32| prop::option::weighted(0.3, 1..most);
    let rules = (prop::option::weighted(0.4, 0u32..60), count(30), count(12), count(30), count(15), count(6), count(6), count(3));
    let zone = prop_oneof![Just(Zone::utc()), Just(Zone::Rule(zones::berlin)), (-720i32..=840).prop_map(fixed)];
    (rules, 1u32..5, 1u32..10, zone).prop_map(
        |((keep_days, keep_last, keep_min, hourly, daily, weekly, monthly, yearly), min_verified, window_days, zone)| Policy {
            keep_days,
            keep_last,
            keep_min,
            hourly,
            daily,
            weekly,
            monthly,
            yearly,
            min_verified,
            window_days,
            zone,
            ..Policy::default()
        },
    )
}

fn fixed(minutes: i32) -> Zone {
    Zone::Fixed(FixedOffset::east_opt(minutes * 60).expect("an offset"))
}

/// Counts as verified at this time.
fn good(one: &Candidate, now: DateTime<Utc>) -> bool {
    one.deletable && one.standing == Standing::Verified && one.created_at.signed_duration_since(now) <= SKEW_MAX
}

fn check(policy: &Policy, history: &History) -> Result<usize, TestCaseError> {
    let History { candidates, now } = history;
    let Ok(first) = preview(policy, candidates, *now) else { return Ok(0) };
    prop_assert_eq!(first.lines.len(), candidates.len());
    let removed: BTreeSet<&str> = first.removals().map(|line| line.id.as_str()).collect();
    let stays = |one: &&Candidate| !removed.contains(one.id.as_str());

    for group in ["group 0", "group 1"] {
        let members: Vec<&Candidate> = candidates.iter().filter(|one| one.group == group).collect();
        let verified: Vec<&Candidate> = members.iter().copied().filter(|one| good(one, *now)).collect();
        let left = verified.iter().filter(|one| stays(one)).count();
        let floor = policy.min_verified.max(policy.keep_min.unwrap_or(0)) as usize;
        prop_assert!(left >= verified.len().min(floor), "{} of {} verified left, at least {}", left, verified.len(), floor);
        let newest = verified.iter().max_by_key(|one| (one.created_at, &one.id));
        prop_assert!(newest.is_none_or(&stays), "the newest verified goes");
        let superseded = |one: &Candidate| newest.is_some_and(|newest| (newest.created_at, &newest.id) > (one.created_at, &one.id));
        for one in members.iter().filter(|one| !stays(one)) {
            prop_assert!(one.deletable && !one.pinned, "a foreign or a pinned one goes: {}", one.id);
            prop_assert!(one.standing != Standing::NewerFormat, "one of a newer format goes: {}", one.id);
            prop_assert!(one.standing != Standing::Unknown, "one goes of which it is not known what it is: {}", one.id);
            prop_assert!(one.created_at.signed_duration_since(*now) <= SKEW_MAX, "one from the future goes: {}", one.id);
            let age = now.signed_duration_since(one.created_at);
            prop_assert!(!matches!(one.kind, Kind::Migration | Kind::Safety) || age >= TimeDelta::days(7), "too young: {}", one.id);
            prop_assert!(one.standing.counts() || superseded(one), "an unverified one goes and nothing better exists: {}", one.id);
            prop_assert!(policy.keep_days != Some(0), "for ever is for ever: {}", one.id);
        }
    }
    for one in candidates.iter().filter(|one| !stays(one)) {
        let needed = candidates.iter().find(|other| stays(other) && one.referred_to_by.contains(&other.id));
        prop_assert!(needed.is_none(), "{} goes and {:?} needs it", one.id, needed.map(|other| &other.id));
    }

    // As the next run finds the store: what is gone needs nothing any more.
    let mut left: Vec<Candidate> = candidates.iter().filter(stays).cloned().collect();
    for one in &mut left {
        one.referred_to_by.retain(|owner| !removed.contains(owner.as_str()));
    }
    let second = preview(policy, &left, *now).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let again: Vec<&Line> = second.removals().collect();
    prop_assert!(again.is_empty(), "applied twice it removes more: {:?}", again);
    let mut shuffled = candidates.clone();
    shuffled.reverse();
    prop_assert_eq!(preview(policy, &shuffled, *now).map_err(|error| TestCaseError::fail(error.to_string()))?, first);
    Ok(candidates.len() - left.len())
}

#[test]
fn fm_e01_no_history_loses_what_it_must_keep() {
    let removed = std::cell::Cell::new(0usize);
    let config = Config { cases: cases(), failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&(policies(), histories()), |(policy, history)| {
            removed.set(removed.get() + check(&policy, &history)?);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    // Histories in which nothing is ever removed would prove nothing.
    assert!(removed.get() as u64 > u64::from(cases()), "only {} removals in {} histories", removed.get(), cases());
}
