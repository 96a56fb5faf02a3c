//! What a command starts, and leaves behind.

use std::time::{Duration, Instant};

use crate::wrapper::{Order, Place, sh, status_of, until};

fn status(place: &Place, order: &Order) -> i32 {
    status_of(place.prepare(order).output().expect("an end").status)
}

/// Whether any process has this in its command line.
fn runs(mark: &str) -> bool {
    let found = std::process::Command::new("pgrep").args(["-f", "--", mark]).output().expect("pgrep runs");
    !found.stdout.is_empty()
}

#[test]
fn fm_g03_a_daemon_that_the_command_left_is_waited_for() {
    let place = Place::new();
    let order = sh("(setsid sh -c 'sleep 1; echo done >daemon' </dev/null >/dev/null 2>&1 &); exit 4");
    assert_eq!(status(&place, &order), 4);
    assert_eq!(place.read("daemon"), "done\n", "it was over before we were");
    let report = place.report();
    assert_eq!(report.left_behind, []);
    assert!(report.milliseconds < 1000, "the command itself was done sooner: {report:?}");
    assert_eq!(report.notes.len(), 1, "{report:?}");
    assert!(report.notes[0].contains("processes have not: waiting 5 s at most"), "{report:?}");
}

#[test]
fn fm_g03_a_daemon_that_stays_is_named_in_the_end() {
    let place = Place::new();
    let order = Order { linger_ms: Some(700), ..sh("(setsid sleep 1234.5 </dev/null >/dev/null 2>&1 &)") };
    let begun = Instant::now();
    assert_eq!(status(&place, &order), 0);
    assert!(begun.elapsed() >= Duration::from_millis(700));
    let [daemon] = &place.report().left_behind[..] else { panic!("{:?}", place.report()) };
    assert_eq!(daemon.command, "sleep 1234.5");
    assert!(daemon.is_alive());
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(daemon.pid), nix::sys::signal::SIGKILL).expect("it is there");
    until("it has gone", || !daemon.is_alive());
}

#[test]
fn fm_g03_orphans_that_ended_do_not_pile_up() {
    let place = Place::new();
    // Each of them is orphaned at once and ends soon, long before the command does.
    let script = "for i in 1 2 3 4 5; do (sleep 0.1 &); done; sleep 6; ps -o stat= --ppid $PPID | grep -c Z >zombies; exit 0";
    assert_eq!(status(&place, &sh(script)), 0);
    assert_eq!(place.read("zombies"), "0\n");
}

#[test]
fn fm_g04_a_command_whose_time_is_over_gets_sigterm() {
    let place = Place::new();
    let order = Order { timeout_ms: Some(500), ..sh("trap 'echo TERM >>got; exit 9' TERM; while :; do sleep 0.05; done") };
    assert_eq!(status(&place, &order), 124);
    assert_eq!(place.read("got"), "TERM\n");
    let report = place.report();
    assert!(report.timed_out && report.status == 9 && report.milliseconds < 5000, "{report:?}");
}

#[test]
fn fm_g04_what_ignores_sigterm_is_killed_with_all_it_has_started() {
    let place = Place::new();
    // Of all the sleeping processes of this machine, these two.
    let mark = format!("100{}", std::process::id());
    let script = format!("trap '' TERM; (setsid sleep {mark}.5 >/dev/null 2>&1 &); sleep {mark}.6 & while :; do sleep 0.05; done");
    let order = Order { timeout_ms: Some(500), grace_ms: Some(500), ..sh(&script) };
    assert_eq!(status(&place, &order), 124);
    let report = place.report();
    assert!(report.timed_out && report.status == 137, "{report:?}");
    assert!(report.milliseconds >= 1000, "it had its grace: {report:?}");
    assert_eq!(report.left_behind, []);
    assert!(!runs(&format!("^sleep {mark}[.]")));
}

#[test]
fn fm_g04_a_command_that_was_stopped_is_ended_all_the_same() {
    let place = Place::new();
    let order = Order { timeout_ms: Some(500), ..sh("kill -STOP $$") };
    assert_eq!(status(&place, &order), 124);
    assert_eq!(place.report().status, 143);
}

#[test]
fn no_child_of_ours_is_taken_for_the_commands() {
    let place = Place::new();
    let order = Order { with_own_children: true, ..sh("sleep 1; exit 5") };
    let begun = Instant::now();
    assert_eq!(status(&place, &order), 5);
    assert!(begun.elapsed() < Duration::from_secs(4), "nobody was waited for");
    let report = place.report();
    assert_eq!(report.left_behind, []);
    assert!(report.own_children_live, "{report:?}");
}

#[test]
fn no_child_of_ours_is_ended_with_the_command() {
    let place = Place::new();
    let order =
        Order { with_own_children: true, timeout_ms: Some(1000), grace_ms: Some(300), ..sh("trap '' TERM; while :; do sleep 0.05; done") };
    assert_eq!(status(&place, &order), 124);
    let report = place.report();
    assert!(report.own_children_live, "{report:?}");
}
