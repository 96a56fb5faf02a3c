use std::collections::BTreeSet;

use super::super::tests::planned;
use super::*;
use crate::error::Kind;
use crate::guardian::State;

#[test]
fn a_code_is_read_as_people_write_it_and_nothing_else_is_one() {
    let code = Code::random().expect("random bytes");
    assert_eq!(Code::parse(code.as_str()).expect("itself"), code);
    assert_eq!(Code::parse(" K3F9-7A2C ").expect("one").as_str(), "k3f9-7a2c");
    for text in ["", "k3f9", "k3f97a2c", "k3f9-7a2", "k3f9-7a2cc", "k3f9_7a2c", "k3f9-7a2l", "../../../x", "k3f9-../x", "k3f9-é2c"] {
        Code::parse(text).expect_err(text);
    }
    let many: BTreeSet<String> = (0..1_000).map(|_| Code::random().expect("random bytes").0).collect();
    assert_eq!(many.len(), 1_000);
    assert!(many.iter().all(|text| Code::parse(text).is_ok()));
}

#[track_caller]
fn refused(state: &StateDir, code: &Code, now: &Request, why: &str) {
    let error = Note::of(state, code, now).expect_err(why);
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.to_string().contains(why), "{error}");
    assert!(error.next_step().is_some_and(|hint| hint.contains("-n")), "{error}");
}

#[test]
fn a_code_holds_for_exactly_what_was_planned() {
    let (folder, state) = state();
    let plan = planned();
    let code = Note::make(&state, &plan, HOUR).expect("noted").code;
    Note::of(&state, &code, &plan).expect("the plan itself");
    // What changes by itself does not matter: the time, and how old the newest backup is.
    let mut later = plan.clone();
    later.at += TimeDelta::minutes(20);
    later.reasons[0].why = "other words".to_owned();
    if let Some(newest) = &mut later.newest_backup {
        newest.age_seconds += 1_200;
    }
    Note::of(&state, &code, &later).expect("some minutes later");

    let but = |change: &dyn Fn(&mut Request)| {
        let mut now = plan.clone();
        change(&mut now);
        now
    };
    use crate::guardian::{Operation, Risk};
    refused(&state, &code, &but(&|now| now.operation = Operation::Discard), "it was planned for restore, this is discard");
    refused(
        &state,
        &code,
        &but(&|now| now.target = "sqlite:/b".to_owned()),
        "it was planned for sqlite:/srv/prod.db, this is about sqlite:/b",
    );
    refused(
        &state,
        &code,
        &but(&|now| now.environment = None),
        "sqlite:/srv/prod.db was that of prod, which is protected when it was planned",
    );
    refused(&state, &code, &but(&|now| now.is_protected = false), "is that of prod now");
    refused(&state, &code, &but(&|now| now.subject = "B2".to_owned()), "the backup is now B2, the plan was for B1");
    let newer = but(&|now| {
        now.subject = "B2".to_owned();
        now.newest_backup.as_mut().expect("one").id = "B2".to_owned();
    });
    refused(&state, &code, &newer, "the newest backup is now B2, the plan was for B1");
    let moved = but(&|now| now.state = State::default().with("found", "nothing"));
    refused(&state, &code, &moved, r#"found was "a database" when it was planned, and is "nothing""#);
    refused(&state, &code, &but(&|now| now.marker = None), "bears no marker now, it bore the marker prod");
    refused(&state, &code, &but(&|now| now.loses = Some("all".to_owned())), "it would lose all now, it was planned to lose nothing");
    refused(&state, &code, &but(&|now| now.risk = Risk::Critical), "the risk is critical now, it was high");
    refused(&state, &code, &but(&|now| now.uid += 1), "planned it");
    // A lower risk than the approved one is no objection.
    Note::of(&state, &code, &but(&|now| now.risk = Risk::Medium)).expect("a lower risk");
    refused(&state, &Code::parse("0000-0000").expect("a code"), &plan, "no plan is known here under the code 0000-0000");
    drop(folder);
}

#[test]
fn a_code_is_good_once_and_for_its_time() {
    let (_folder, state) = state();
    let plan = planned();
    let note = Note::make(&state, &plan, HOUR).expect("noted");
    let found = Note::of(&state, &note.code, &plan).expect("noted");
    assert_eq!(found, note);
    found.take(&state).expect("the first");
    let error = note.take(&state).expect_err("the second of two that had both found it");
    assert!(error.to_string().contains("was used by another run just now"), "{error}");
    refused(&state, &note.code, &plan, "was used already");

    let mut old = planned();
    old.at -= TimeDelta::minutes(61);
    let code = Note::make(&state, &old, HOUR).expect("noted").code;
    refused(&state, &code, &old, "has expired");
}

#[test]
fn of_many_at_once_one_takes_the_code() {
    let (_folder, state) = state();
    let note = Note::make(&state, &planned(), HOUR).expect("noted");
    let taken = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..16).map(|_| scope.spawn(|| note.take(&state).is_ok())).collect();
        runs.into_iter().map(|run| run.join().expect("no panic")).filter(|is_taken| *is_taken).count()
    });
    assert_eq!(taken, 1);
}

#[test]
fn what_expired_long_ago_is_forgotten_and_the_rest_is_not() {
    let (_folder, state) = state();
    let mut old = planned();
    old.at -= TimeDelta::days(8);
    let long_ago = Note::make(&state, &old, HOUR).expect("noted").code;
    old.at += TimeDelta::days(2);
    let lately = Note::make(&state, &old, HOUR).expect("noted").code;
    std::fs::write(state.folder("approvals").expect("a folder").join("notes.txt"), "somebody's").expect("written");
    Note::make(&state, &planned(), HOUR).expect("noted");
    refused(&state, &long_ago, &old, "no plan is known");
    refused(&state, &lately, &old, "has expired");
    assert!(state.path().join("approvals/notes.txt").exists());
}

const HOUR: Duration = Duration::from_secs(3_600);

fn state() -> (tempfile::TempDir, StateDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let state = StateDir::at(folder.path());
    (folder, state)
}
