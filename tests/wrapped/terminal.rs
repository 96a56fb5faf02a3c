//! At a terminal.

use std::process::Command;

use crate::pty::{CTRL_C, CTRL_Z, Session};
use crate::recorder;
use crate::wrapper::{Order, Place, a_while, sh, until};

/// An interactive shell with job control, in this folder.
fn shell(place: &Place, order: &Order) -> Session {
    let mut bash = Command::new("bash");
    bash.args(["--norc", "--noprofile", "-i"]).env("PS1", "prompt> ").env("HISTFILE", "/dev/null");
    place.instruct(&mut bash, order);
    let session = Session::open(bash);
    session.see("prompt> ");
    session
}

#[test]
fn fm_g11_ctrl_c_reaches_a_command_that_traps_it_exactly_once_and_its_status_passes() {
    let place = Place::new();
    let mut session = Session::open(place.prepare(&recorder::order()));
    place.wait_for("ready");
    session.press(CTRL_C);
    recorder::wait_for(&place, 1);
    a_while();
    assert_eq!(recorder::names(&place), ["SIGINT"]);
    place.write("stop");
    assert_eq!(session.status(), 7);
    let report = place.report();
    assert_eq!((report.status, report.signals), (7, vec![2]));
    assert_eq!(report.notes, ["waiting for the command to end; Ctrl-C once more sends it SIGTERM"]);
}

#[test]
fn fm_g11_ctrl_c_ends_a_command_that_does_not_mind_and_is_status_130() {
    let place = Place::new();
    let mut session = Session::open(place.wrap("echo ready >ready; exec sleep 100"));
    place.wait_for("ready");
    session.press(CTRL_C);
    assert_eq!(session.status(), 130);
    assert_eq!(place.report().signals, [2]);
}

#[test]
fn fm_g11_the_second_ctrl_c_is_sigterm_for_all_and_the_third_kills() {
    let place = Place::new();
    // The child is in a session of its own: no key of this terminal reaches it.
    let script = r#"
        setsid sh -c 'trap "echo child TERM >>got" TERM; echo ready >ready; while :; do sleep 0.05; done' &
        trap '' INT; trap 'echo TERM >>got' TERM
        while :; do sleep 0.05; done"#;
    let mut session = Session::open(place.wrap(script));
    place.wait_for("ready");
    session.press(CTRL_C);
    a_while();
    assert_eq!(place.read("got"), "");
    session.press(CTRL_C);
    until("both have it", || place.read("got").lines().count() == 2);
    a_while();
    let got = place.read("got");
    assert!(got.contains("child TERM\n") && got.contains("\nTERM\n") || got.starts_with("TERM\n"), "{got}");
    assert_eq!(got.lines().count(), 2, "{got}");
    session.press(CTRL_C);
    assert_eq!(session.status(), 137);
    let report = place.report();
    assert_eq!(report.signals, [2, 2, 2]);
    assert_eq!(report.left_behind, [], "the child was killed too");
}

#[test]
fn fm_g11_a_held_down_ctrl_c_is_one() {
    let place = Place::new();
    let mut session = Session::open(place.prepare(&recorder::order()));
    place.wait_for("ready");
    for _ in 0..4 {
        session.press(CTRL_C);
        std::thread::sleep(std::time::Duration::from_millis(30));
    }
    a_while();
    assert!(recorder::names(&place).iter().all(|name| *name == "SIGINT"), "{:?}", recorder::names(&place));
    place.write("stop");
    assert_eq!(session.status(), 7);
}

#[test]
fn fm_g12_a_terminal_that_goes_away_is_told_to_the_command_once_and_the_rest_still_runs() {
    let place = Place::new();
    // We lead the session ourselves, as under `ssh HOST safe-migrate …`: then the kernel tells us alone.
    let mut session = Session::open(place.prepare(&Order { rolls_back: true, ..recorder::order() }));
    place.wait_for("ready");
    session.hang_up();
    recorder::wait_for(&place, 1);
    a_while();
    assert_eq!(recorder::names(&place), ["SIGHUP"]);
    place.write("stop");
    assert_eq!(session.status(), 7);
    assert_eq!(place.read("rolled-back"), "whole\n");
    assert_eq!(place.report().signals, [1]);
}

#[test]
fn fm_g12_under_a_shell_that_tells_its_jobs_of_a_hangup_we_do_not_tell_the_command_again() {
    let place = Place::new();
    let mut session = shell(&place, &Order { rolls_back: true, ..recorder::order() });
    session.press("sh wrap\n");
    place.wait_for("ready");
    session.hang_up();
    recorder::wait_for(&place, 1);
    a_while();
    // From the shell, and perhaps from the kernel too, when the shell has ended.
    let got = recorder::got(&place);
    let ourselves = place.read("wrapper").parse::<i32>().expect("a pid");
    assert!(got.iter().all(|signal| signal.number == 1 && signal.sender != ourselves), "{ourselves}: {got:?}");
    place.write("stop");
    assert_eq!(place.report().status, 7);
    assert_eq!(place.read("rolled-back"), "whole\n", "no second hangup has ended it");
}

#[test]
fn fm_g13_a_command_asks_and_is_answered_at_the_terminal() {
    let place = Place::new();
    let script = r#"
        test -t 0 && test -t 1 && test -t 2 || exit 1
        printf 'really? '; read answer
        stty -echo; printf 'password: '; read password; stty echo
        echo "answer $answer, password $password" >answers"#;
    let mut session = Session::open(place.wrap(script));
    session.see("really? ");
    session.press("yes\n");
    session.see("password: ");
    session.press("secret\n");
    assert_eq!(session.status(), 0);
    assert_eq!(place.read("answers"), "answer yes, password secret\n");
    assert!(!session.screen().contains("secret"), "{}", session.screen());
}

#[test]
fn fm_g13_ctrl_z_stops_both_and_fg_lets_both_go_on() {
    let place = Place::new();
    let session = shell(&place, &recorder::order());
    session.press("sh wrap; echo status $?\n");
    place.wait_for("ready");
    session.press(CTRL_Z);
    session.see("Stopped");
    let command = place.journal().pid;
    let state = |pid: i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it is there");
        stat.rsplit_once(')').expect("a stat").1.trim_start().chars().next().expect("a state")
    };
    assert_eq!(state(command), 'T');
    session.press("fg; echo status $?\n");
    until("it goes on", || state(command) != 'T');
    a_while();
    assert_ne!(state(command), 'T');
    session.press(CTRL_Z);
    until("it has stopped again", || session.screen().matches("Stopped").count() == 2);
    session.press("bg\n");
    until("it goes on in the background", || state(command) != 'T');
    place.write("stop");
    let report = place.report();
    assert_eq!((report.status, report.signals), (7, vec![]));
}

#[test]
fn fm_g13_a_command_that_stops_itself_stops_us_too() {
    let place = Place::new();
    let session = shell(&place, &sh("kill -STOP $$; echo went on >on"));
    session.press("sh wrap\n");
    session.see("Stopped");
    assert_eq!(place.read("on"), "");
    session.press("fg; echo \"status $?.\"\n");
    session.see("status 0.");
    assert_eq!(place.read("on"), "went on\n");
}

#[test]
fn fm_g13_a_command_that_minds_no_ctrl_z_is_not_left_alone_by_us() {
    let place = Place::new();
    let session = shell(&place, &sh("trap '' TSTP; echo ready >ready; while [ ! -e stop ]; do sleep 0.05; done; exit 7"));
    session.press("sh wrap; echo \"status $?.\"\n");
    place.wait_for("ready");
    session.press(CTRL_Z);
    a_while();
    assert!(!session.screen().contains("Stopped"), "{}", session.screen());
    place.write("stop");
    session.see("status 7.");
}

#[test]
fn fm_g11_in_a_pipeline_the_command_gets_ctrl_c_once_and_the_reader_sees_its_end() {
    let place = Place::new();
    let session = shell(&place, &recorder::order());
    session.press("sh wrap | sh -c \"trap '' INT; cat >/dev/null; echo done >read\"\n");
    place.wait_for("ready");
    session.press(CTRL_C);
    recorder::wait_for(&place, 1);
    a_while();
    assert_eq!((recorder::names(&place), place.read("read")), (vec!["SIGINT"], String::new()));
    place.write("stop");
    assert_eq!(place.report().status, 7);
    place.wait_for("read");
}

#[test]
fn fm_g11_the_kill_of_a_shell_that_means_the_whole_job_is_one_signal() {
    let place = Place::new();
    let session = shell(&place, &recorder::order());
    session.press("sh wrap &\n");
    place.wait_for("ready");
    for (name, lines) in [("INT", 1), ("TERM", 2), ("USR1", 3)] {
        session.press(&format!("kill -{name} %1\n"));
        recorder::wait_for(&place, lines);
        a_while();
    }
    assert_eq!(recorder::names(&place), ["SIGINT", "SIGTERM", "SIGUSR1"]);
    place.write("stop");
    assert_eq!(place.report().signals, [2, 15, 10]);
}

#[test]
fn fm_g13_after_a_killed_command_the_terminal_can_be_used_for_a_question() {
    for script in [
        "stty -echo; echo >taken; sleep 0.3; kill -KILL $$",
        // A shell with job control takes the terminal for a group of its own.
        "exec bash --norc --noprofile -i -c 'echo >taken; sleep 0.3; kill -KILL $$'",
    ] {
        let place = Place::new();
        let mut session = Session::open(place.prepare(&Order { rolls_back: true, ..sh(script) }));
        let usable = (true, session.pid());
        place.wait_for("taken");
        assert_ne!(session.state(), usable, "{script}");
        until("the command has ended", || place.path("rolling-back").exists());
        assert_eq!(session.state(), usable, "{script}");
        assert_eq!(session.status(), 137);
    }
}
