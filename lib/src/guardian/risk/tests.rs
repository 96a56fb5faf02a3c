use chrono::TimeDelta;

use super::*;
use crate::clock;
use crate::manifest::Level;

const HOUR: i64 = 3_600;

fn backup(age_seconds: i64) -> Newest {
    let made_at = clock::now() - TimeDelta::seconds(age_seconds);
    Newest { id: "20261121T130000Z-prod-db-7f3a".to_owned(), level: Level::Restore, made_at, age_seconds }
}

fn for_good() -> Loses {
    Loses::ForGood { what: "app.db.before-1".to_owned(), as_of: clock::now(), held_by: None, going: Vec::new() }
}

fn kept() -> Loses {
    Loses::Kept("what is there now".to_owned())
}

/// The risk, and the words of each of the reasons from medium on.
fn weigh(facts: &Facts<'_>) -> (Risk, Vec<(Risk, String)>) {
    let reasons = assess(facts);
    let risk = reasons.iter().map(|reason| reason.risk).max().expect("there is always a reason");
    assert_eq!(reasons[0].risk, risk, "the gravest stands first");
    (risk, reasons.into_iter().filter(|reason| reason.risk > Risk::Low).map(|reason| (reason.risk, reason.why)).collect())
}

#[track_caller]
fn holds(facts: &Facts<'_>, risk: Risk, words: &[(Risk, &str)]) {
    let (found, reasons) = weigh(facts);
    assert_eq!(found, risk, "{reasons:?}");
    assert_eq!(reasons.len(), words.len(), "{reasons:?}");
    for ((found, why), (risk, part)) in reasons.iter().zip(words) {
        assert!(found == risk && why.contains(part), "{found:?} {why:?} is not {risk:?} with {part:?}");
    }
}

/// A restore into an unprotected environment that has a good backup; the rows below change one thing each.
fn ordinary<'a>(loses: &'a Loses, newest: Option<&'a Newest>) -> Facts<'a> {
    let environment = Some(("dev", false));
    Facts { operation: Operation::Restore, environment, marker: None, loses, is_only_copy: false, newest, max_age: None }
}

const ON_A_DATABASE: [Operation; 5] = [Operation::Restore, Operation::Undo, Operation::Discard, Operation::Migrate, Operation::TestInPlace];

#[test]
fn an_unprotected_environment_is_low_whatever_is_done_and_whatever_backups_it_has() {
    let (loses, newest, old) = (kept(), backup(HOUR), backup(1000 * HOUR));
    for operation in ON_A_DATABASE.into_iter().chain([Operation::Delete, Operation::Prune, Operation::Mark]) {
        for newest in [None, Some(&newest), Some(&old)] {
            let max_age = Some(Duration::from_secs(60));
            holds(&Facts { operation, max_age, ..ordinary(&loses, newest) }, Risk::Low, &[]);
        }
    }
    // A clone that belongs to no environment, and a database that says nothing of itself, may be overwritten.
    let clone = Marker::real("prod").of_clone();
    holds(&Facts { environment: None, ..ordinary(&loses, None) }, Risk::Low, &[]);
    holds(&Facts { environment: None, marker: Some(&clone), ..ordinary(&loses, None) }, Risk::Low, &[]);
}

#[test]
fn what_nothing_else_holds_is_medium() {
    let (loses, newest) = (for_good(), backup(HOUR));
    for operation in [Operation::Discard, Operation::Delete, Operation::Prune] {
        holds(&Facts { operation, ..ordinary(&loses, Some(&newest)) }, Risk::Low, &[]);
        let facts = Facts { operation, is_only_copy: true, ..ordinary(&loses, Some(&newest)) };
        holds(&facts, Risk::Medium, &[(Risk::Medium, "app.db.before-1")]);
    }
}

#[test]
fn what_a_protected_environment_has_is_high_and_critical_without_a_good_backup() {
    let (loses, newest, marker) = (kept(), backup(26 * HOUR), Marker::real("prod"));
    let protected = |operation, newest| Facts {
        operation,
        environment: Some(("prod", true)),
        marker: Some(&marker),
        max_age: Some(Duration::from_secs(26 * 3_600)),
        ..ordinary(&loses, newest)
    };
    let (old, future) = (backup(26 * HOUR + 1), backup(-HOUR));
    for operation in ON_A_DATABASE.into_iter().chain([Operation::Delete, Operation::Prune]) {
        let high = (Risk::High, "prod is protected, and ");
        holds(&protected(operation, Some(&newest)), Risk::High, &[high]);
        holds(&protected(operation, None), Risk::Critical, &[(Risk::Critical, "no verified backup of prod"), high]);
        holds(&protected(operation, Some(&old)), Risk::Critical, &[(Risk::Critical, "is 1d2h1s old, at most 1d2h"), high]);
        holds(&protected(operation, Some(&future)), Risk::Critical, &[(Risk::Critical, "dated in the future"), high]);
        // Without max_age nobody has said what is too old.
        holds(&Facts { max_age: None, ..protected(operation, Some(&old)) }, Risk::High, &[high]);
    }
}

#[test]
fn a_marker_that_is_absent_from_a_protected_database_is_a_reason() {
    let (loses, newest) = (kept(), backup(HOUR));
    let high = (Risk::High, "prod is protected, and ");
    let protected = |operation| Facts { operation, environment: Some(("prod", true)), ..ordinary(&loses, Some(&newest)) };
    for operation in ON_A_DATABASE {
        holds(&protected(operation), Risk::High, &[high, (Risk::Medium, "bears no marker")]);
    }
    // Backups bear none, and neither does a database that is not there.
    holds(&protected(Operation::Delete), Risk::High, &[high]);
    holds(&protected(Operation::Prune), Risk::High, &[high]);
    holds(&Facts { loses: &Loses::Nothing, ..protected(Operation::Restore) }, Risk::High, &[high]);
}

#[test]
fn a_marker_over_another_is_high_over_a_clones_medium_and_over_none_low() {
    let (loses, prod) = (Loses::Nothing, Marker::real("prod"));
    let clone = prod.of_clone();
    for is_protected in [false, true] {
        let marking =
            |marker| Facts { operation: Operation::Mark, environment: Some(("dev", is_protected)), marker, ..ordinary(&loses, None) };
        holds(&marking(None), Risk::Low, &[]);
        let mut over_prod = vec![(Risk::High, "says that it is prod")];
        let mut over_clone = vec![(Risk::Medium, "says that it is a clone of prod")];
        if is_protected {
            over_prod.insert(0, (Risk::High, "dev is protected, and another marker"));
            over_clone.insert(0, (Risk::High, "dev is protected, and another marker"));
        }
        holds(&marking(Some(&prod)), Risk::High, &over_prod);
        holds(&marking(Some(&clone)), over_clone[0].0, &over_clone);
    }
}

#[test]
fn a_database_that_says_it_is_somebodys_is_medium_where_nobody_describes_it() {
    let (loses, prod) = (kept(), Marker::real("prod"));
    let facts = Facts { environment: None, marker: Some(&prod), ..ordinary(&loses, None) };
    holds(&facts, Risk::Medium, &[(Risk::Medium, "says that it is prod, which no configuration here describes")]);
}

#[test]
fn a_good_backup_is_told_with_its_level_and_its_age() {
    let (loses, newest) = (kept(), backup(3 * HOUR));
    let reasons = assess(&ordinary(&loses, Some(&newest)));
    assert!(reasons.iter().any(|reason| reason.why.contains("passed restore and is 3h old")), "{reasons:?}");
}
