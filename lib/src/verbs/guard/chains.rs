//! Whether every increment has what it needs.

use std::collections::BTreeMap;

use super::{Report, State};
use crate::catalog::Catalog;
use crate::error::Result;
use crate::listing::Verdict;
use crate::verbs::standing::Standings;

/// So many are named, where one lost backup takes many along.
const NAMED: usize = 8;

/// Names every backup that is gone or bad and that others need, each with all of those.
pub(super) fn check(standings: &Standings<'_>, catalog: &Catalog, environment: &str, report: &mut Report) -> Result<()> {
    let mut needed_by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut increments = 0;
    for backup in catalog.backups() {
        let needs = backup.manifest().needs();
        increments += usize::from(!needs.is_empty());
        for id in needs {
            needed_by.entry(id).or_default().push(backup.id());
        }
    }
    if increments == 0 {
        return Ok(());
    }
    let bad = bad(standings, catalog, &needed_by)?;
    for (id, what) in &bad {
        // One that is bad because of what it needs itself is told there.
        let own_needs = catalog.backups().find(|backup| backup.id() == *id).map(|backup| backup.manifest().needs()).unwrap_or_default();
        if own_needs.iter().any(|needed| bad.contains_key(needed)) {
            continue;
        }
        let owners = &needed_by[id];
        let others = if owners.len() > NAMED { format!(" and {} more", owners.len() - NAMED) } else { String::new() };
        let named = owners.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        report.add("chain", Some(environment), State::Failed, format!("{id} is {what}, and these need it: {named}{others}"));
    }
    if bad.is_empty() {
        report.add("chain", Some(environment), State::Ok, format!("all that {increments} increments need is there"));
    }
    Ok(())
}

/// Of what is needed, what is not there or not good.
fn bad<'a>(
    standings: &Standings<'_>,
    catalog: &Catalog,
    needed_by: &BTreeMap<&'a str, Vec<&str>>,
) -> Result<BTreeMap<&'a str, &'static str>> {
    let mut bad: BTreeMap<&str, &str> = needed_by.keys().map(|id| (*id, "missing")).collect();
    for entry in &catalog.entries {
        let verdict = entry.backup.as_ref().map_or(Ok(Verdict::Damaged), |backup| standings.verdict(backup))?;
        match (verdict, bad.get_mut(entry.name.as_str())) {
            (_, None) => {}
            (Verdict::Damaged, Some(what)) => *what = "damaged",
            (Verdict::Unknown, Some(what)) => *what = "not known to be good",
            (_, Some(_)) => {
                bad.remove(entry.name.as_str());
            }
        }
    }
    Ok(bad)
}
