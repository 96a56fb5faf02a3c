//! The rows of the fault matrix that retention answers for.

use super::*;
use crate::error::Kind as ErrorKind;

#[test]
fn fm_e01_fifteen_failed_nights_leave_the_last_good_backups() {
    let mut candidates: Vec<Candidate> = (0..15).map(|day| of_standing(Standing::Unverified, day * 24)).collect();
    candidates.extend((15..20).map(|day| backup(day * 24)));
    // By age all of the good ones are over.
    let policy = Policy { keep_days: Some(7), min_verified: 3, ..policy() };
    let plan = plan_of(&policy, &candidates);
    assert_eq!(line(&plan, &candidates[15]), format!("keep {}  newest verified", candidates[15].id));
    assert_eq!(line(&plan, &candidates[17]), format!("keep {}  at least 3 verified", candidates[17].id));
    let removed: Vec<&str> = plan.removals().map(|line| line.id.as_str()).collect();
    assert_eq!(removed, [&candidates[19].id, &candidates[18].id]);
}

#[test]
fn fm_e01_no_setting_goes_below_one() {
    let policy = Policy { keep_days: Some(1), min_verified: 0, ..policy() };
    assert_eq!(plan(&policy, &daily(3), now()).expect_err("no floor").kind(), ErrorKind::Config);
    assert_eq!(kept_hours(&Policy { min_verified: 1, ..policy }, &[backup(900), backup(901)]), [900]);
}

#[test]
fn fm_e02_an_unverified_backup_never_counts_and_stays_until_it_is_superseded() {
    for standing in [Standing::Unverified, Standing::Damaged] {
        let newer = [of_standing(standing, 500), backup(600), backup(700)];
        assert_eq!(kept_hours(&Policy { keep_last: Some(1), ..policy() }, &newer), [500, 600], "{standing:?}");

        // Superseded it is judged by age: that of keep_days, or a week where the policy names none.
        let older = [backup(1), of_standing(standing, 167), of_standing(standing, 168)];
        assert_eq!(kept_hours(&Policy { keep_last: Some(3), ..policy() }, &older), [1, 167], "{standing:?}");
        assert_eq!(kept_hours(&Policy { keep_days: Some(2), ..policy() }, &older), [1], "{standing:?}");
    }
}

#[test]
fn fm_e04_a_backup_dated_in_the_future_is_kept_and_never_counts() {
    let candidates = [backup(-20), backup(0), backup(24), of_standing(Standing::Unverified, 1)];
    let plan = plan_of(&Policy { keep_last: Some(1), ..policy() }, &candidates);
    assert_eq!(line(&plan, &candidates[0]), format!("keep {}  dated in the future, does not count", candidates[0].id));
    assert_eq!(line(&plan, &candidates[1]), format!("keep {}  last 1 of 1, newest verified", candidates[1].id));
    assert!(line(&plan, &candidates[2]).starts_with("remove "));
    // A clock that differs a little is no future.
    let near = Candidate { created_at: now() + SKEW_MAX, ..backup(0) };
    assert_eq!(
        line(&plan_of(&Policy { keep_last: Some(1), ..policy() }, std::slice::from_ref(&near)), &near),
        format!("keep {}  last 1 of 1, newest verified", near.id)
    );
}

#[test]
fn fm_e05_what_is_not_ours_is_kept_and_never_counts() {
    let foreign = Candidate { deletable: false, ..backup(900) };
    let newer_foreign = Candidate { deletable: false, ..backup(0) };
    let newer_format = of_standing(Standing::NewerFormat, 800);
    let candidates = [newer_foreign, backup(24), backup(48), newer_format, foreign];
    assert_eq!(kept_hours(&Policy { keep_last: Some(1), ..policy() }, &candidates), [0, 24, 800, 900]);
}

#[test]
fn fm_e07_a_policy_that_says_nothing_is_an_error_and_not_delete_all() {
    let zero = Some(0);
    let slips = [
        policy(),
        Policy { keep_min: Some(10), ..policy() },
        Policy { daily: zero, ..policy() },
        Policy { hourly: zero, keep_days: Some(7), ..policy() },
        Policy { weekly: zero, keep_days: Some(7), ..policy() },
        Policy { monthly: zero, keep_days: Some(7), ..policy() },
        Policy { yearly: zero, keep_days: Some(7), ..policy() },
        Policy { keep_last: zero, keep_days: Some(7), ..policy() },
        Policy { keep_min: zero, keep_days: Some(7), ..policy() },
        Policy { window_days: 0, keep_days: Some(7), ..policy() },
    ];
    for slip in slips {
        let error = plan(&slip, &daily(3), now()).expect_err("a slip");
        assert_eq!(error.kind(), ErrorKind::Config, "{slip}");
        assert!(error.to_string().starts_with("retention: "), "{error}");
    }
    let good = Policy { keep_days: Some(7), daily: Some(14), keep_min: Some(10), ..policy() };
    good.check().expect("a policy");
    assert_eq!(good.to_string(), "keep_days 7, daily 14, keep_min 10, min_verified 1, window_days 1");
}

#[test]
fn fm_e08_a_mass_deletion_is_refused_until_its_count_is_confirmed() {
    // The clock jumped a year: by age nearly all would go.
    let later = now() + TimeDelta::days(365);
    let policy = Policy { keep_days: Some(90), min_verified: 3, ..policy() };
    let candidates = daily(60);
    let error = plan(&policy, &candidates, later).expect_err("a mass deletion");
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(error.to_string(), "retention would remove 57 of the 60 backups of prod/db/app at once");
    assert!(error.next_step().is_some_and(|hint| hint.ends_with("--confirm-delete 57")), "{error}");
    assert_eq!(preview(&policy, &candidates, later).expect("to look at").removals().count(), 57);

    let wrong = Policy { confirm_delete: Some(56), ..policy.clone() };
    assert_eq!(plan(&wrong, &candidates, later).expect_err("another count").kind(), ErrorKind::Refused);
    let right = Policy { confirm_delete: Some(57), ..policy };
    assert_eq!(plan(&right, &candidates, later).expect("confirmed").removals().count(), 57);
}

#[test]
fn fm_e08_small_stores_and_the_steady_state_are_not_stopped() {
    let removed =
        |keep_last, have| plan(&Policy { keep_last: Some(keep_last), ..policy() }, &daily(have), now()).map(|plan| plan.removals().count());
    assert_eq!(removed(5, 10).expect("a small store"), 5);
    // At most 20 go without a question, however large their share; of the 21st on the share decides, over 30 percent.
    assert_eq!(removed(5, 25).expect("20 of 25"), 20);
    assert_eq!(removed(5, 26).expect_err("21 of 26").kind(), ErrorKind::Refused);
    assert_eq!(removed(49, 70).expect("21 of 70 is 30 percent"), 21);
    assert_eq!(removed(48, 69).expect_err("21 of 69 is more").kind(), ErrorKind::Refused);
}

#[test]
fn fm_e09_a_collapse_of_the_size_suspends_pruning_until_it_is_accepted() {
    let of_size = |hours, plain_bytes| Candidate { plain_bytes, ..backup(hours) };
    let mut candidates: Vec<Candidate> = (1..6).map(|day| of_size(day * 24, 1000)).collect();
    candidates.push(of_standing(Standing::Damaged, 900));
    candidates.push(of_size(0, 200));
    let policy = Policy { keep_last: Some(2), ..policy() };
    assert_eq!(kept_hours(&policy, &candidates), [0, 24], "80 percent smaller is the edge");

    candidates.last_mut().expect("the newest").plain_bytes = 199;
    let collapsed = candidates.last().expect("the newest").clone();
    let plan = plan_of(&policy, &candidates);
    assert_eq!(plan.removals().count(), 0);
    let why = format!("pruning suspended: {} holds 199 bytes, usual are 1000", collapsed.id);
    assert_eq!(line(&plan, &candidates[4]), format!("keep {}  {why}", candidates[4].id));

    // Ten more small ones do not make it the usual size.
    let later =
        |hours: i64| Candidate { created_at: now() + TimeDelta::hours(hours), id: format!("later-{hours:02}"), ..collapsed.clone() };
    candidates.extend((1..=10).map(later));
    let at = now() + TimeDelta::hours(10);
    assert_eq!(preview(&policy, &candidates, at).expect("a plan").removals().count(), 0);

    let accepted = Policy { sizes_accepted_until: Some(now()), ..policy.clone() };
    assert_eq!(preview(&accepted, &candidates, at).expect("a plan").removals().count(), 15);

    candidates.push(Candidate { plain_bytes: 900, ..later(10) });
    candidates.last_mut().expect("the newest").id = "recovered".into();
    assert_eq!(preview(&policy, &candidates, at).expect("a plan").removals().count(), 16);
}

#[test]
fn fm_e10_a_flood_of_new_backups_leaves_those_of_the_days_before() {
    let mut candidates: Vec<Candidate> = (0..200)
        .map(|minute| Candidate { created_at: now() - TimeDelta::seconds(minute), id: format!("flood-{minute:03}"), ..backup(0) })
        .collect();
    candidates.extend(daily(6).into_iter().skip(1));
    let policy = Policy { keep_last: Some(5), window_days: 4, ..policy() };
    assert_eq!(kept_hours(&policy, &candidates), [0, 0, 0, 0, 0, 24, 48, 72]);
    assert!(Policy::default().window_days >= 1, "the window is there without being asked for");
}

#[test]
fn fm_e11_a_backup_made_before_a_migration_stays_a_week_and_while_it_is_pinned() {
    for kind in [Kind::Migration, Kind::Safety] {
        let mut candidates: Vec<Candidate> = [0, 1, 167, 168].map(|hours| Candidate { kind, ..backup(hours) }).into();
        let policy = Policy { keep_last: Some(1), ..policy() };
        assert_eq!(kept_hours(&policy, &candidates), [0, 1, 167]);
        candidates[3].pinned = true;
        assert_eq!(line(&plan_of(&policy, &candidates), &candidates[3]), format!("keep {}  pinned", candidates[3].id));
    }
}

#[test]
fn fm_c14_a_clock_that_went_back_more_than_a_day_prunes_nothing() {
    let policy = Policy { keep_last: Some(1), ..policy() };
    let candidates = daily(3);
    let error = plan(&policy, &candidates, now() - TimeDelta::days(1) - TimeDelta::seconds(1)).expect_err("a clock gone wrong");
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains(&candidates[0].id), "{error}");
    assert!(plan(&policy, &candidates, now() - TimeDelta::days(1)).is_ok());
}

#[test]
fn fm_e09_a_large_database_does_not_hide_that_the_files_are_gone() {
    let holding = |hours, photos| Candidate {
        amounts: vec![("bytes of database".into(), 1_000_000), ("entries of /srv/media".into(), photos)],
        plain_bytes: 1_000_000 + photos,
        ..backup(hours)
    };
    let mut candidates: Vec<Candidate> = (1..6).map(|day| holding(day * 24, 500)).collect();
    candidates.push(holding(0, 1));
    let policy = Policy { keep_last: Some(2), ..policy() };
    let plan = plan_of(&policy, &candidates);
    assert_eq!(plan.removals().count(), 0);
    let why = format!("pruning suspended: {} holds 1 entries of /srv/media, usual are 500", candidates[5].id);
    assert_eq!(line(&plan, &candidates[4]), format!("keep {}  {why}", candidates[4].id));
    // What says nothing of it, an older version's backup, is compared with nothing.
    candidates.iter_mut().for_each(|one| one.amounts.retain(|(what, _)| one.created_at == now() || what.starts_with("bytes")));
    assert_eq!(plan_of(&policy, &candidates).removals().count(), 4);
}
