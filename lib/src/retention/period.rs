//! The period that a backup falls into: one function for every cadence, in the zone of the people who read the calendar.

use std::fmt;

use chrono::{DateTime, Datelike, FixedOffset, Local, NaiveDateTime, Offset, TimeZone, Timelike, Utc};

/// How long a period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cadence {
    /// An hour that passed, so that the hour a clock shows twice in autumn is two periods.
    Hourly,
    /// A day of the calendar, of 23 to 25 hours.
    Daily,
    /// An ISO week, Monday to Sunday.
    Weekly,
    /// A month of the calendar.
    Monthly,
    /// A year of the calendar.
    Yearly,
}

impl Cadence {
    /// All of them, the shortest first.
    pub const ALL: [Cadence; 5] = [Cadence::Hourly, Cadence::Daily, Cadence::Weekly, Cadence::Monthly, Cadence::Yearly];
}

impl fmt::Display for Cadence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cadence::Hourly => "hourly",
            Cadence::Daily => "daily",
            Cadence::Weekly => "weekly",
            Cadence::Monthly => "monthly",
            Cadence::Yearly => "yearly",
        })
    }
}

/// Where days begin.
#[derive(Debug, Clone, Copy, Default)]
pub enum Zone {
    /// The machine's own zone, with its rules for summer time.
    #[default]
    Local,
    /// A fixed distance from UTC.
    Fixed(FixedOffset),
    /// Any other rule: the distance from UTC at a moment.
    Rule(fn(DateTime<Utc>) -> FixedOffset),
}

impl Zone {
    /// Days begin at midnight UTC.
    pub fn utc() -> Self {
        Zone::Fixed(Utc.fix())
    }

    fn offset(self, at: DateTime<Utc>) -> FixedOffset {
        match self {
            Zone::Local => Local.offset_from_utc_datetime(&at.naive_utc()).fix(),
            Zone::Fixed(offset) => offset,
            Zone::Rule(rule) => rule(at),
        }
    }

    /// What the wall clock shows. At the two ends of what a date can hold it shows UTC.
    fn wall_clock(self, at: DateTime<Utc>) -> NaiveDateTime {
        at.naive_utc().checked_add_offset(self.offset(at)).unwrap_or_else(|| at.naive_utc())
    }
}

/// The name of the period of `cadence` that `at` falls into: `2026-11-21T13+01:00`, `2026-11-21`, `2026-W47`, `2026-11`, `2026`.
pub fn period(cadence: Cadence, at: DateTime<Utc>, zone: Zone) -> String {
    let wall = zone.wall_clock(at);
    match cadence {
        Cadence::Hourly => format!("{}T{:02}{}", wall.date(), wall.hour(), zone.offset(at)),
        Cadence::Daily => wall.date().to_string(),
        // A week belongs to the year of its Thursday: the days around New Year are one week, not two halves.
        Cadence::Weekly => format!("{}-W{:02}", wall.iso_week().year(), wall.iso_week().week()),
        Cadence::Monthly => format!("{}-{:02}", wall.year(), wall.month()),
        Cadence::Yearly => wall.year().to_string(),
    }
}
