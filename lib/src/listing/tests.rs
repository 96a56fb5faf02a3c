use super::*;

/// A verified full backup of `hours` after midnight.
pub(crate) fn listed(hours: i64, stored_bytes: u64, plain_bytes: u64) -> Listed {
    let midnight: DateTime<Utc> = "2026-11-21T00:00:00Z".parse().expect("a time");
    let at = midnight + chrono::TimeDelta::hours(hours);
    Listed {
        id: format!("{}-dev-db-7f3a", clock::compact(at)),
        place: "dev".into(),
        environment: Some("dev".into()),
        created_at: Some(at),
        kind: Some(Kind::Db),
        backup_type: Some(Type::Full),
        parent: None,
        database: Some("app".into()),
        stored_bytes: Some(stored_bytes),
        plain_bytes: Some(plain_bytes),
        rows: Some(10),
        made_ms: Some(1000),
        verified: Some(Level::Structure),
        checked: None,
        restored: None,
        is_damaged: false,
        tags: vec!["release".into()],
        pin: None,
        reason: None,
        problem: None,
    }
}

#[test]
fn a_filter_wants_everything_that_it_says() {
    let one = listed(5, 10, 100);
    let fits = |filter: Filter| filter.fits(&one);
    assert!(fits(Filter::default()));
    assert!(fits(Filter { kind: Some(Kind::Db), backup_type: Some(Type::Full), tags: vec!["release".into()], ..Filter::default() }));
    assert!(!fits(Filter { kind: Some(Kind::Full), ..Filter::default() }));
    assert!(!fits(Filter { tags: vec!["release".into(), "other".into()], ..Filter::default() }));
    assert!(fits(Filter { since: one.created_at, until: one.created_at, ..Filter::default() }));
    assert!(!fits(Filter { since: one.created_at.map(|at| at + chrono::TimeDelta::seconds(1)), ..Filter::default() }));
    assert!(fits(Filter { verified: Some(Level::Structure), ..Filter::default() }));
    assert!(!fits(Filter { verified: Some(Level::Restore), ..Filter::default() }));
    assert!(!fits(Filter { bad: true, ..Filter::default() }));
    assert!(!fits(Filter { pinned: true, ..Filter::default() }));
}

#[test]
fn growth_is_told_a_day_and_over_the_last_days_only() {
    let old = listed(-24 * 90, 1, 1_000_000);
    let of = |listing: &[Listed]| stats(listing).remove(0).growth;
    assert_eq!(of(&[old.clone(), listed(0, 1, 1000), listed(12, 1, 1600)]).expect("growth").plain_bytes_per_day, 1200);
    assert_eq!(of(&[listed(0, 1, 1000), listed(48, 1, 600)]).expect("growth").plain_bytes_per_day, -200);
    assert_eq!(of(&[listed(0, 1, 1000)]), None);
    assert_eq!(of(&[old, listed(0, 1, 1000)]), None);
    assert_eq!(of(&[Listed { verified: None, ..listed(0, 1, 5) }, Listed { verified: None, ..listed(9, 1, 1) }]), None);
}

#[test]
fn what_increments_save_is_measured_by_the_full_of_their_chain() {
    let full = listed(0, 500, 1000);
    let next = Listed { backup_type: Some(Type::Incremental), parent: Some(full.id.clone()), ..listed(1, 50, 1000) };
    let last = Listed { backup_type: Some(Type::Incremental), parent: Some(next.id.clone()), ..listed(2, 100, 2000) };
    let lost = Listed { backup_type: Some(Type::Incremental), parent: Some("gone".into()), ..listed(3, 1, 9000) };
    let saved = stats(&[full.clone(), next, last, lost]).remove(0).saved.expect("increments");
    // 500 and 1000 would have been stored, 50 and 100 are.
    assert_eq!(saved, Saved { bytes: 1350, percent: 90 });
    assert_eq!(stats(&[full]).remove(0).saved, None);
}

#[test]
fn figures_are_of_one_environment_each() {
    let other = Listed { environment: Some("prod".into()), place: "archives".into(), is_damaged: true, verified: None, ..listed(1, 7, 9) };
    let restored = LastRestore { at: clock::now(), restore_ms: 12 };
    let all = stats(&[Listed { restored: Some(restored), ..listed(0, 5, 10) }, other, listed(2, 6, 11)]);
    assert_eq!(all.iter().map(|stats| stats.environment.as_str()).collect::<Vec<_>>(), ["dev", "prod"]);
    assert_eq!((all[0].backups, all[0].stored_bytes, all[0].plain_bytes, all[0].verified, all[0].damaged), (2, 11, 21, 2, 0));
    assert_eq!((all[1].backups, all[1].damaged, all[1].archived), (1, 1, 1));
    assert_eq!(all[0].by_kind["db"], 2);
    assert_eq!(all[0].last_restore.as_ref().map(|restored| restored.restore_ms), Some(12));
    assert_eq!((all[0].sizes_bytes.as_slice(), all[0].durations_ms.as_slice()), (&[5, 6][..], &[1000, 1000][..]));
    assert!(all[0].oldest.as_ref().map(|made| made.at) < all[0].newest.as_ref().map(|made| made.at));
}
