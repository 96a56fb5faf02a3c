//! Periods across every change of the clocks from 2000 to 2040.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, FixedOffset, NaiveDate, TimeZone, Weekday};

use super::*;

/// The last Sunday of a month with 31 days, 01:00 UTC: when the European Union changes its clocks.
fn last_sunday(year: i32, month: u32) -> DateTime<Utc> {
    let last = NaiveDate::from_ymd_opt(year, month, 31).expect("a date");
    let back = last.weekday().days_since(Weekday::Sun);
    Utc.from_utc_datetime(&(last - TimeDelta::days(i64::from(back))).and_hms_opt(1, 0, 0).expect("a time"))
}

/// Europe/Berlin since 1996.
pub(super) fn berlin(at: DateTime<Utc>) -> FixedOffset {
    let in_range = (1996..=9999).contains(&at.year());
    let summer = in_range && at >= last_sunday(at.year(), 3) && at < last_sunday(at.year(), 10);
    FixedOffset::east_opt(if summer { 7200 } else { 3600 }).expect("an offset")
}

/// A zone whose clocks go back a minute after midnight, as Newfoundland's did: yesterday comes back for an hour.
fn back_over_midnight(at: DateTime<Utc>) -> FixedOffset {
    let change: DateTime<Utc> = "2010-11-07T02:31:00Z".parse().expect("a time");
    FixedOffset::west_opt(if at < change { 9000 } else { 12_600 }).expect("an offset")
}

fn hours_around(at: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    (-72..72).map(|hour| at + TimeDelta::hours(hour)).collect()
}

#[test]
fn fm_c15_every_change_of_the_clocks_gives_days_of_the_right_length() {
    let zone = Zone::Rule(berlin);
    for (year, month, length) in (2000..=2040).flat_map(|year| [(year, 3, 23), (year, 10, 25)]) {
        let change = last_sunday(year, month);
        let hours = hours_around(change);
        let mut days: BTreeMap<String, usize> = BTreeMap::new();
        for hour in &hours {
            *days.entry(period(Cadence::Daily, *hour, zone)).or_default() += 1;
        }
        assert_eq!(days[&change.date_naive().to_string()], length, "{change}");
        let whole = days.values().filter(|count| **count == 24).count();
        assert_eq!(whole, 4, "the two days before and after {change}: {days:?}");
        let distinct: BTreeSet<String> = hours.iter().map(|hour| period(Cadence::Hourly, *hour, zone)).collect();
        assert_eq!(distinct.len(), hours.len(), "each hour that passed is one, around {change}");
    }
}

#[test]
fn fm_c15_no_change_of_the_clocks_costs_or_doubles_a_day() {
    let policy = Policy { daily: Some(5), zone: Zone::Rule(berlin), ..policy() };
    for (year, month) in (2000..=2040).flat_map(|year| [(year, 3), (year, 10)]) {
        let hours = hours_around(last_sunday(year, month));
        let candidates: Vec<Candidate> =
            hours.iter().map(|at| Candidate { created_at: *at, id: clock::compact(*at), ..backup(0) }).collect();
        let newest = *hours.last().expect("hours");
        let plan = preview(&policy, &candidates, newest).expect("a plan");
        let kept: Vec<DateTime<Utc>> =
            candidates.iter().filter(|one| line(&plan, one).starts_with("keep ")).map(|one| one.created_at).collect();
        let days: Vec<NaiveDate> = kept.iter().map(|at| at.with_timezone(&berlin(*at)).date_naive()).collect();
        let last = newest.with_timezone(&berlin(newest)).date_naive();
        let expected: Vec<NaiveDate> = (0..5).rev().map(|back| last - TimeDelta::days(back)).collect();
        assert_eq!(days, expected, "{year}-{month}");
        for at in &kept[..4] {
            assert_eq!(at.with_timezone(&berlin(*at)).format("%H").to_string(), "23", "the newest of its day: {at}");
        }
    }
}

#[test]
fn fm_c15_a_day_that_comes_back_is_one_day() {
    let policy = Policy { daily: Some(2), zone: Zone::Rule(back_over_midnight), ..policy() };
    let times = ["2010-11-07T02:00:00Z", "2010-11-07T02:30:30Z", "2010-11-07T02:45:00Z"];
    // 6 November 23:30, 7 November 00:00:30, and 6 November 23:15 once more.
    let candidates = times.map(|time| Candidate { created_at: time.parse().expect("a time"), id: time.into(), ..backup(0) });
    let plan = preview(&policy, &candidates, candidates[2].created_at).expect("a plan");
    let kept: Vec<bool> = plan.lines.iter().map(|line| line.verdict == Verdict::Keep).collect();
    assert_eq!(kept, [false, true, true]);
}

#[test]
fn the_days_around_new_year_are_one_week() {
    let week = |time: &str| period(Cadence::Weekly, time.parse().expect("a time"), Zone::utc());
    assert_eq!(week("2024-12-30T00:00:00Z"), "2025-W01");
    assert_eq!(week("2025-01-05T23:59:59Z"), "2025-W01");
    assert_eq!(week("2027-01-03T12:00:00Z"), "2026-W53");
}

#[test]
fn the_zone_decides_where_a_period_ends() {
    let at: DateTime<Utc> = "2026-12-31T23:30:00Z".parse().expect("a time");
    let names = |zone| Cadence::ALL.map(|cadence| period(cadence, at, zone));
    assert_eq!(names(Zone::utc()), ["2026-12-31T23+00:00", "2026-12-31", "2026-W53", "2026-12", "2026"]);
    assert_eq!(names(Zone::Rule(berlin)), ["2027-01-01T00+01:00", "2027-01-01", "2026-W53", "2027-01", "2027"]);
}
