//! Whether a migration lost rows that it may not lose.

use crate::changes::{Changes, TableChange, What};
use crate::rules::{AllowedLoss, Migration, RowLoss};

/// Every rule that the changes break, in words; empty where they keep to all. `rows_before` gives the rows that a table had.
pub fn broken_rules(changes: &Changes, rules: &Migration, rows_before: impl Fn(&str) -> u64) -> Vec<String> {
    let mut broken = Vec::new();
    let mut counted = Vec::new();
    for change in changes.tables.iter().filter(|change| change.what == What::Unreadable && allowance(rules, &change.table).is_none()) {
        broken.push(format!("{change}; --allow-loss {} does without", change.table));
    }
    for change in changes.tables.iter().filter(|change| change.rows_lost() > 0) {
        match allowance(rules, &change.table) {
            Some(AllowedLoss { rows: None, .. }) => {}
            Some(AllowedLoss { rows: Some(most), .. }) if change.rows_lost() <= *most => {}
            Some(AllowedLoss { rows: Some(most), .. }) => broken.push(format!("{}; at most {most} are allowed", sentence(change))),
            None => counted.push(change),
        }
    }
    match rules.max_row_loss {
        RowLoss::Rows(most) => {
            let lost: u64 = counted.iter().map(|change| change.rows_lost()).sum();
            if lost > most {
                let limit = if most == 0 { String::new() } else { format!("; at most {most} are allowed over all tables") };
                broken.extend(counted.iter().map(|change| format!("{}{limit}", sentence(change))));
            }
        }
        RowLoss::Percent(most) => {
            for change in counted {
                let percent = change.rows_lost() as f64 * 100.0 / rows_before(&change.table).max(1) as f64;
                if percent > most {
                    broken.push(format!("{} ({percent:.2} %); at most {most} % are allowed", sentence(change)));
                }
            }
        }
    }
    broken
}

/// A sentence for each table that may lose rows and is not there: mostly its name is misspelt.
pub fn unknown_tables<'a>(rules: &Migration, tables: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    let is_unknown = |allowed: &&AllowedLoss| !tables.clone().any(|table| is_of(allowed, table));
    rules.allow_loss.iter().filter(is_unknown).map(|allowed| format!("there is no table {}, which may lose rows", allowed.table)).collect()
}

fn sentence(change: &TableChange) -> String {
    match change.what {
        What::Removed { rows } => format!("table {} is gone, with its {rows} rows", change.table),
        _ => format!("table {} has lost {} rows", change.table, change.rows_lost()),
    }
}

/// The rule for a table; its name may be said without its schema.
fn allowance<'a>(rules: &'a Migration, table: &str) -> Option<&'a AllowedLoss> {
    rules.allow_loss.iter().find(|allowed| is_of(allowed, table))
}

fn is_of(allowed: &AllowedLoss, table: &str) -> bool {
    let bare = table.rsplit('.').next().unwrap_or(table).trim_matches('"');
    allowed.table == table || allowed.table == bare
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(tables: &[(&str, u64, u64)]) -> Changes {
        let tables = tables
            .iter()
            .map(|(table, before, after)| TableChange { table: (*table).to_owned(), what: What::Rows { before: *before, after: *after } })
            .collect();
        Changes { tables, schema: Vec::new() }
    }

    fn broken(changes: &Changes, max: &str, allowed: &[&str]) -> Vec<String> {
        let rules = Migration {
            max_row_loss: max.parse().expect("a rule"),
            allow_loss: allowed.iter().map(|text| text.parse().expect("a rule")).collect(),
            ..Migration::default()
        };
        broken_rules(changes, &rules, |_| 1000)
    }

    #[test]
    fn one_row_of_a_million_is_one_too_many_by_default() {
        assert_eq!(broken(&lost(&[("entry", 1_000_000, 999_999)]), "0", &[]), ["table entry has lost 1 rows"]);
        assert!(broken(&lost(&[("entry", 5, 6)]), "0", &[]).is_empty());
    }

    #[test]
    fn a_number_counts_over_all_tables_and_a_percentage_for_each() {
        let changes = lost(&[("a", 1000, 994), ("b", 1000, 994)]);
        assert_eq!(broken(&changes, "11", &[]).len(), 2);
        assert!(broken(&changes, "12", &[]).is_empty());
        assert_eq!(broken(&changes, "0.5%", &[]).len(), 2);
        assert!(broken(&changes, "0.6%", &[]).is_empty());
    }

    #[test]
    fn a_rule_for_a_table_that_is_not_there_is_told() {
        let rules =
            Migration { allow_loss: vec!["sesion".parse().expect("a rule"), "log=5".parse().expect("a rule")], ..Migration::default() };
        assert_eq!(unknown_tables(&rules, ["public.session", "public.log"].into_iter()), ["there is no table sesion, which may lose rows"]);
    }

    #[test]
    fn an_allowed_table_is_counted_by_its_own_rule_only() {
        let changes = lost(&[("public.session", 1000, 0), ("public.log", 1000, 900)]);
        assert!(broken(&changes, "0", &["session", "public.log=100"]).is_empty());
        assert_eq!(broken(&changes, "0", &["session", "log=99"]), ["table public.log has lost 100 rows; at most 99 are allowed"]);
    }
}
