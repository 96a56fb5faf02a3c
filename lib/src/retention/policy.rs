//! What a user says about which backups to keep.

use std::fmt;

use chrono::{DateTime, Utc};

use super::{Cadence, Zone};
use crate::error::{Error, Result};

/// How many verified backups stay at least, where the policy does not ask for more or fewer: one that fails to restore on
/// the bad day, one behind it, and one from before whatever happened.
const MIN_VERIFIED: u32 = 3;
/// See [`Policy::window_days`]. With one backup a day this keeps no more than [`MIN_VERIFIED`] keeps anyway.
const WINDOW_DAYS: u32 = 3;

/// Which backups stay. What several rules keep is the union.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Every verified backup younger than this many times 24 hours stays. 0 keeps everything for ever.
    pub keep_days: Option<u32>,
    /// The newest verified backups, by count.
    pub keep_last: Option<u32>,
    /// A floor and no rule: where the rules leave fewer verified backups, the newest others fill up to this count.
    pub keep_min: Option<u32>,
    /// The newest backup of each of the last so many hours *that have one*; likewise the four below. A period without a
    /// backup is not counted, so a machine that was switched off loses nothing by it.
    pub hourly: Option<u32>,
    /// Days.
    pub daily: Option<u32>,
    /// ISO weeks.
    pub weekly: Option<u32>,
    /// Months.
    pub monthly: Option<u32>,
    /// Years.
    pub yearly: Option<u32>,
    /// So many verified backups of each group stay, whatever else is said. At least 1; 3 by default.
    pub min_verified: u32,
    /// The newest verified backup of each day younger than so many times 24 hours stays, whatever the counts say: a burst of new
    /// backups must not push all older ones out. At least 1; 3 by default.
    pub window_days: u32,
    /// Where days begin.
    pub zone: Zone,
    /// The exact number of backups that a mass deletion may remove.
    pub confirm_delete: Option<usize>,
    /// A person has accepted the sizes of all backups up to this moment: a collapse of the size before it suspends nothing.
    pub sizes_accepted_until: Option<DateTime<Utc>>,
}

impl Default for Policy {
    /// The floors, and no rule: a policy that [`Policy::check`] refuses until it says what to keep.
    fn default() -> Self {
        Policy {
            keep_days: None,
            keep_last: None,
            keep_min: None,
            hourly: None,
            daily: None,
            weekly: None,
            monthly: None,
            yearly: None,
            min_verified: MIN_VERIFIED,
            window_days: WINDOW_DAYS,
            zone: Zone::default(),
            confirm_delete: None,
            sizes_accepted_until: None,
        }
    }
}

impl Policy {
    /// Refuses a policy that says nothing, or says zero where zero can only be a slip.
    pub fn check(&self) -> Result<()> {
        let counts = Cadence::ALL.map(|cadence| (cadence.to_string(), self.periods(cadence)));
        let counts = [("keep_last".to_owned(), self.keep_last), ("keep_min".to_owned(), self.keep_min)].into_iter().chain(counts);
        let floors = [("min_verified".to_owned(), Some(self.min_verified)), ("window_days".to_owned(), Some(self.window_days))];
        if let Some((name, _)) = counts.chain(floors).find(|(_, count)| *count == Some(0)) {
            return Err(Error::config(format!("retention: {name} = 0: at least 1"))
                .hint(format!("leave {name} out to go without it; keep_days = 0 keeps every backup for ever")));
        }
        if self.rules().next().is_none() {
            let what = match self.keep_min {
                Some(_) => "retention: keep_min is a floor, and nothing says which backups to keep",
                None => "retention: the policy is empty: nothing says which backups to keep",
            };
            return Err(Error::config(what).hint("set keep_days, keep_last, daily, …; keep_days = 0 keeps every backup for ever"));
        }
        Ok(())
    }

    /// Whether it keeps everything.
    pub fn keeps_for_ever(&self) -> bool {
        self.keep_days == Some(0)
    }

    /// How many periods of a cadence it keeps.
    pub(super) fn periods(&self, cadence: Cadence) -> Option<u32> {
        match cadence {
            Cadence::Hourly => self.hourly,
            Cadence::Daily => self.daily,
            Cadence::Weekly => self.weekly,
            Cadence::Monthly => self.monthly,
            Cadence::Yearly => self.yearly,
        }
    }

    /// The fewest verified backups a group is left with, where it has them.
    pub(super) fn floor(&self) -> usize {
        self.keep_min.unwrap_or(0).max(self.min_verified).max(1) as usize
    }

    fn rules(&self) -> impl Iterator<Item = String> {
        let rule = |name: String, count: Option<u32>| count.map(|count| format!("{name} {count}"));
        let cadences = Cadence::ALL.into_iter().filter_map(move |cadence| rule(cadence.to_string(), self.periods(cadence)));
        rule("keep_days".into(), self.keep_days).into_iter().chain(rule("keep_last".into(), self.keep_last)).chain(cadences)
    }
}

/// `keep_days 7, daily 14, keep_min 10`: what a report names, and what two runs compare to see that it changed.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.rules().collect();
        parts.extend(self.keep_min.map(|count| format!("keep_min {count}")));
        parts.push(format!("min_verified {}", self.min_verified));
        parts.push(format!("window_days {}", self.window_days));
        f.write_str(&parts.join(", "))
    }
}
