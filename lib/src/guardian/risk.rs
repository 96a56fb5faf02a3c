//! How risky an operation is, and why: one table, in [`assess`].

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::evidence::Newest;
use super::request::{Loses, Operation};
use crate::config::duration;
use crate::marker::{Marker, Role};
use crate::retention::SKEW_MAX;

/// How risky an operation is. From medium on it needs an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Nothing is lost that cannot be had again, and nothing that is protected is touched.
    Low,
    /// Something would be lost that nothing else holds, or may be somebody's.
    Medium,
    /// A protected environment is changed.
    High,
    /// A protected environment is changed, and no good backup could make up for a mistake.
    Critical,
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Risk::Low => "low",
            Risk::Medium => "medium",
            Risk::High => "high",
            Risk::Critical => "critical",
        })
    }
}

/// A reason, and the risk that it alone would give. The risk of a request is the highest of its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The risk.
    pub risk: Risk,
    /// The reason in words.
    pub why: String,
}

/// What the risk depends on.
pub(super) struct Facts<'a> {
    pub(super) operation: Operation,
    /// The environment whose database or backups it is about, and whether it is protected.
    pub(super) environment: Option<(&'a str, bool)>,
    /// What the database says of itself.
    pub(super) marker: Option<&'a Marker>,
    /// What is taken away.
    pub(super) loses: &'a Loses,
    /// Whether no verified backup holds what is removed for good.
    pub(super) is_only_copy: bool,
    /// The newest verified backup.
    pub(super) newest: Option<&'a Newest>,
    /// How old that may be.
    pub(super) max_age: Option<Duration>,
}

/// Every reason there is, the gravest first. There is always one.
pub(super) fn assess(facts: &Facts<'_>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut add = |risk: Risk, why: String| reasons.push(Reason { risk, why });
    match facts.environment {
        Some((name, true)) => {
            if facts.touches_what_is_there() {
                add(Risk::High, format!("{name} is protected, and {}", does(facts.operation)));
                if facts.operation != Operation::Mark
                    && let Some(lack) = facts.lack_of_backup(name)
                {
                    add(Risk::Critical, lack);
                }
            }
            let is_something_there = !matches!(facts.loses, Loses::Nothing);
            if facts.marker.is_none() && is_something_there && facts.operation.is_on_database() && facts.operation != Operation::Mark {
                add(Risk::Medium, format!("the database bears no marker: only the configuration says that it is {name}'s"));
            }
            if facts.marker.is_some_and(|marker| marker.role == Role::Real && marker.environment == name) {
                add(Risk::Low, format!("the database says too that it is {name}"));
            }
        }
        Some((name, false)) => add(Risk::Low, format!("{name} is not protected")),
        None => match facts.marker.filter(|marker| marker.role == Role::Real) {
            Some(marker) => add(Risk::Medium, format!("the database says that it is {marker}, which no configuration here describes")),
            None => add(Risk::Low, "it belongs to no environment that is described here".to_owned()),
        },
    }
    if let (Operation::Mark, Some(marker)) = (facts.operation, facts.marker) {
        let risk = if marker.role == Role::Real { Risk::High } else { Risk::Medium };
        add(risk, format!("the database says that it is {marker}: is it the right one?"));
    }
    if let (Loses::ForGood { what, .. }, true) = (facts.loses, facts.is_only_copy) {
        add(Risk::Medium, format!("no verified backup holds what would be gone: {what}"));
    }
    if let Some(newest) = facts.newest {
        let age = duration::text(Duration::from_secs(newest.age_seconds.try_into().unwrap_or(0)));
        add(Risk::Low, format!("the newest verified backup, {}, passed {} and is {age} old", newest.id, newest.level));
    }
    if reasons.is_empty() {
        reasons.push(Reason { risk: Risk::Low, why: "nothing that is there is touched".to_owned() });
    }
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.risk));
    reasons
}

impl Facts<'_> {
    /// Marking a database that bears no marker adds a small table, and takes nothing away.
    fn touches_what_is_there(&self) -> bool {
        self.operation != Operation::Mark || self.marker.is_some()
    }

    /// Why the backups there are would not make up for a mistake.
    fn lack_of_backup(&self, name: &str) -> Option<String> {
        let Some(newest) = self.newest else {
            // There may be some of the same environment that were made elsewhere, from a database that it had before.
            let made = if self.operation.is_on_database() { ", made from this database," } else { "" };
            return Some(format!("there is no verified backup of {name}{made} to go back to"));
        };
        if newest.age_seconds < -SKEW_MAX.num_seconds() {
            return Some(format!("the newest verified backup of {name}, {}, is dated in the future: its age cannot be told", newest.id));
        }
        let age = Duration::from_secs(newest.age_seconds.try_into().unwrap_or(0));
        let limit = self.max_age.filter(|limit| age > *limit)?;
        let (age, limit) = (duration::text(age), duration::text(limit));
        Some(format!("the newest verified backup of {name}, {}, is {age} old, at most {limit} are allowed", newest.id))
    }
}

/// What an operation does to a protected environment.
fn does(operation: Operation) -> &'static str {
    match operation {
        Operation::Restore => "a restore replaces its database",
        Operation::Undo => "an undo replaces its database",
        Operation::Discard => "what a restore kept aside of it would be removed",
        Operation::Delete | Operation::Prune => "backups of it would be removed",
        Operation::Migrate => "a command changes its database",
        Operation::TestInPlace => "tests would write into its database",
        Operation::Mark => "another marker would be written into its database",
    }
}

#[cfg(test)]
mod tests;
