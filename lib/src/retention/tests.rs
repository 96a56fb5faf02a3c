//! What every test of retention starts from, and the rules by example.

use super::*;
use crate::manifest::Kind;

mod faults;
mod laws;
mod zones;

/// The time at which these tests plan.
fn now() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().expect("a time")
}

/// A verified backup of so many hours ago.
fn backup(hours_ago: i64) -> Candidate {
    let created_at = now() - TimeDelta::hours(hours_ago);
    Candidate {
        id: format!("{}-prod-db-{hours_ago:04x}", clock::compact(created_at)),
        group: "prod/db/app".into(),
        created_at,
        standing: Standing::Verified,
        kind: Kind::Db,
        pinned: false,
        referred_to_by: Vec::new(),
        stored_bytes: 100,
        plain_bytes: 1000,
        amounts: Vec::new(),
        deletable: true,
    }
}

fn of_standing(standing: Standing, hours_ago: i64) -> Candidate {
    Candidate { standing, ..backup(hours_ago) }
}

/// One backup a day at noon, the newest now.
fn daily(count: i64) -> Vec<Candidate> {
    (0..count).map(|day| backup(day * 24)).collect()
}

/// A policy in UTC whose floors are as low as they go, so that a test sees the rule it is about.
fn policy() -> Policy {
    Policy { min_verified: 1, window_days: 1, zone: Zone::utc(), ..Policy::default() }
}

fn plan_of(policy: &Policy, candidates: &[Candidate]) -> Plan {
    preview(policy, candidates, now()).expect("a plan")
}

/// The ages, in hours, of what stays, the newest first.
fn kept_hours(policy: &Policy, candidates: &[Candidate]) -> Vec<i64> {
    let plan = plan_of(policy, candidates);
    assert_eq!(plan.lines.len(), candidates.len());
    let kept = plan.lines.iter().rev().filter(|line| line.verdict == Verdict::Keep);
    kept.map(|line| {
        let one = candidates.iter().find(|one| one.id == line.id).expect("a candidate for each line");
        now().signed_duration_since(one.created_at).num_hours()
    })
    .collect()
}

fn line(plan: &Plan, one: &Candidate) -> String {
    plan.lines.iter().find(|line| line.id == one.id).expect("a line").to_string()
}

#[test]
fn a_line_reads_as_the_design_says() {
    let one = Candidate { id: "20261120T020000Z-prod-full-91c2".into(), ..backup(34) };
    let plan = plan_of(&Policy { daily: Some(14), ..policy() }, &[one]);
    assert_eq!(plan.lines[0].to_string(), "keep 20261120T020000Z-prod-full-91c2  daily 1 of 14, newest verified");
    let json = serde_json::to_string(&plan).expect("json");
    assert_eq!(
        json,
        r#"{"lines":[{"id":"20261120T020000Z-prod-full-91c2","verdict":"keep","reason":"daily 1 of 14, newest verified","bytes":100}]}"#
    );
}

#[test]
fn keep_days_keeps_what_is_younger_and_removes_the_rest() {
    let plan = plan_of(&Policy { keep_days: Some(7), ..policy() }, &daily(9));
    let lines: Vec<String> = plan.lines.iter().map(|line| line.to_string()).collect();
    assert_eq!(lines[0], format!("remove {}  no rule keeps it, 8 days old", daily(9)[8].id));
    assert_eq!(lines[1], format!("remove {}  no rule keeps it, 7 days old", daily(9)[7].id));
    assert_eq!(lines[2], format!("keep {}  younger than 7 days", daily(9)[6].id));
    assert_eq!((plan.removals().count(), plan.freed_bytes()), (2, 200));
}

#[test]
fn keep_days_of_zero_keeps_for_ever() {
    let mut candidates = daily(900);
    candidates.push(of_standing(Standing::Damaged, 20_000));
    let plan = plan(&Policy { keep_days: Some(0), keep_last: Some(2), ..policy() }, &candidates, now()).expect("a plan");
    assert_eq!(plan.removals().count(), 0);
}

#[test]
fn keep_last_counts_and_keep_min_fills_up() {
    assert_eq!(kept_hours(&Policy { keep_last: Some(5), ..policy() }, &daily(8)), [0, 24, 48, 72, 96]);
    // Nothing was made for weeks: the age says remove, the floor says no.
    let old: Vec<Candidate> = (0..6).map(|day| backup(1000 + day * 24)).collect();
    assert_eq!(kept_hours(&Policy { keep_days: Some(7), keep_min: Some(4), ..policy() }, &old), [1000, 1024, 1048, 1072]);
    assert_eq!(kept_hours(&Policy { keep_days: Some(7), min_verified: 3, ..policy() }, &old), [1000, 1024, 1048]);
}

#[test]
fn rules_are_a_union_and_the_newest_of_each_period_stays() {
    let hourly: Vec<Candidate> = (0..72).map(backup).collect();
    // Noon, the last hours, and the 23:00 of the two days before.
    assert_eq!(kept_hours(&Policy { hourly: Some(3), daily: Some(3), ..policy() }, &hourly), [0, 1, 2, 13, 37]);
    // 2026-11-21 is a Saturday: the weeks end on the 15th and the 8th, the month on 31 October.
    let policy = Policy { weekly: Some(3), monthly: Some(2), yearly: Some(1), ..policy() };
    assert_eq!(kept_hours(&policy, &daily(60)), [0, 6 * 24, 13 * 24, 21 * 24]);
}

#[test]
fn groups_are_judged_apart() {
    let mut candidates = daily(4);
    candidates.extend((0..4).map(|day| {
        let one = backup(500 + day);
        Candidate { group: "dev/db/app".into(), id: format!("{}x", one.id), ..one }
    }));
    assert_eq!(kept_hours(&Policy { keep_last: Some(1), min_verified: 2, ..policy() }, &candidates), [0, 24, 500, 501]);
}

#[test]
fn what_a_kept_backup_needs_is_kept_all_the_way_down() {
    let mut candidates = daily(6);
    let ids: Vec<String> = candidates.iter().map(|one| one.id.clone()).collect();
    candidates[3].referred_to_by = vec![ids[0].clone()];
    candidates[5].referred_to_by = vec![ids[3].clone(), ids[4].clone()];
    let plan = plan_of(&Policy { keep_last: Some(1), ..policy() }, &candidates);
    assert_eq!(line(&plan, &candidates[3]), format!("keep {}  needed by {}", ids[3], ids[0]));
    assert_eq!(line(&plan, &candidates[5]), format!("keep {}  needed by {}", ids[5], ids[3]));
    assert!(line(&plan, &candidates[4]).starts_with("remove "));

    // Of many only how many: a full is needed by every increment of its chain.
    candidates[5].referred_to_by = vec![ids[0].clone(), ids[1].clone()];
    let kept = Policy { keep_last: Some(3), ..policy() };
    assert_eq!(line(&plan_of(&kept, &candidates), &candidates[5]), format!("keep {}  needed by {}, needed by {}", ids[5], ids[1], ids[0]));
    candidates[5].referred_to_by.push(ids[2].clone());
    assert_eq!(line(&plan_of(&kept, &candidates), &candidates[5]), format!("keep {}  needed by 3", ids[5]));

    candidates[4].referred_to_by = vec!["20990101T000000Z-prod-db-beef".into()];
    let plan = plan_of(&Policy { keep_last: Some(1), ..policy() }, &candidates);
    assert_eq!(line(&plan, &candidates[4]), format!("keep {}  needed by 20990101T000000Z-prod-db-beef, which is not in sight", ids[4]));
}

#[test]
fn a_circle_of_needs_ends() {
    let mut candidates = daily(3);
    candidates[1].referred_to_by = vec![candidates[2].id.clone()];
    candidates[2].referred_to_by = vec![candidates[1].id.clone()];
    assert_eq!(kept_hours(&Policy { keep_last: Some(1), ..policy() }, &candidates), [0]);
}

#[test]
fn a_cloud_only_backup_takes_its_place_but_replaces_no_verified_one() {
    let candidates = [
        of_standing(Standing::CloudOnly, 0),
        of_standing(Standing::CloudOnly, 24),
        backup(48),
        backup(72),
        of_standing(Standing::Damaged, 60),
    ];
    let policy = Policy { keep_last: Some(2), ..policy() };
    assert_eq!(kept_hours(&policy, &candidates), [0, 24, 48, 60]);
}

#[test]
fn dates_at_the_ends_of_the_calendar_do_no_harm() {
    for created_at in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        let one = Candidate { created_at, id: "x".into(), ..backup(0) };
        let policy = Policy { hourly: Some(1), weekly: Some(1), zone: Zone::Rule(zones::berlin), ..policy() };
        for cadence in Cadence::ALL {
            assert!(!period(cadence, created_at, Zone::Local).is_empty());
            assert!(!period(cadence, created_at, policy.zone).is_empty());
        }
        assert!(preview(&policy, std::slice::from_ref(&one), created_at).is_ok());
        assert!(plan(&policy, &[one, backup(1)], DateTime::<Utc>::MAX_UTC).is_ok());
    }
    let far = Policy { keep_days: Some(u32::MAX), ..policy() };
    assert_eq!(kept_hours(&far, &daily(3)), [0, 24, 48]);
}

#[test]
fn two_backups_of_one_id_are_refused() {
    let error = plan(&Policy { keep_last: Some(1), ..policy() }, &[backup(1), backup(1)], now()).expect_err("a double");
    assert_eq!(error.kind(), crate::error::Kind::Bad);
}
