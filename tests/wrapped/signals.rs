//! Signals without a terminal: from supervisors, schedulers and scripts.

use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::recorder;
use crate::wrapper::{Order, Place, a_while, sh, wait};

/// Starts the wrapper as a scheduler does: with a group, but no terminal.
fn start(place: &Place, order: &Order) -> (Child, Pid) {
    let child = place.prepare(order).stdin(Stdio::null()).stdout(Stdio::null()).process_group(0).spawn().expect("a start");
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
    (child, pid)
}

#[test]
fn fm_g11_a_signal_to_us_alone_reaches_the_command_once() {
    let place = Place::new();
    let (mut child, pid) = start(&place, &recorder::order());
    place.wait_for("ready");
    let names = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"];
    let signals = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGUSR1, Signal::SIGUSR2];
    for (sent, signal) in signals.into_iter().enumerate() {
        kill(pid, signal).expect("sent");
        recorder::wait_for(&place, sent + 1);
    }
    a_while();
    assert_eq!(recorder::names(&place), names);
    place.write("stop");
    assert_eq!(wait(&mut child), 7);
    assert_eq!(place.report().signals, [2, 15, 1, 3, 10, 12]);
}

#[test]
fn fm_g11_a_signal_to_our_whole_group_reaches_the_command_once() {
    let place = Place::new();
    let (mut child, pid) = start(&place, &recorder::order());
    place.wait_for("ready");
    for (sent, signal) in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT].into_iter().enumerate() {
        killpg(pid, signal).expect("sent");
        recorder::wait_for(&place, sent + 1);
        a_while();
    }
    assert_eq!(recorder::names(&place), ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]);
    place.write("stop");
    assert_eq!(wait(&mut child), 7);
}

#[test]
fn fm_g11_what_timeout_sends_to_us_and_then_to_our_group_is_one_signal() {
    let place = Place::new();
    let mut timeout = std::process::Command::new("timeout");
    timeout.args(["-s", "INT", "2", "sh", "wrap"]);
    place.instruct(&mut timeout, &recorder::order());
    let mut child = timeout.stdout(Stdio::null()).spawn().expect("a start");
    recorder::wait_for(&place, 1);
    a_while();
    assert_eq!(recorder::names(&place), ["SIGINT"]);
    place.write("stop");
    assert_eq!(wait(&mut child), 124);
    assert!(place.report().notes.iter().all(|note| !note.contains("SIGTERM;")), "it was not taken for a second Ctrl-C");
}

#[test]
fn fm_g11_a_wrapper_in_a_wrapper_changes_nothing() {
    let place = Place::new();
    let inner = Place::new();
    let prepared = inner.prepare(&recorder::order());
    let order = prepared.get_envs().next().expect("an order").1.expect("a value").to_str().expect("UTF-8").to_owned();
    let mut outer = sh(&format!("cd '{}'; exec sh wrap", inner.path(".").display()));
    outer.changes.insert("HOLDFAST_TEST_ORDER".to_owned(), Some(order));
    let mut child = place.prepare(&outer).stdout(Stdio::null()).process_group(0).spawn().expect("a start");
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
    inner.wait_for("ready");
    kill(pid, Signal::SIGTERM).expect("sent");
    recorder::wait_for(&inner, 1);
    a_while();
    killpg(pid, Signal::SIGHUP).expect("sent");
    recorder::wait_for(&inner, 2);
    a_while();
    assert_eq!(recorder::names(&inner), ["SIGTERM", "SIGHUP"]);
    inner.write("stop");
    assert_eq!(wait(&mut child), 7);
    assert_eq!(place.report().signals, inner.report().signals);
}

#[test]
fn fm_g02_a_command_that_a_signal_ends_is_128_plus_its_number() {
    for (signal, number) in [("KILL", 9), ("TERM", 15), ("SEGV", 11)] {
        let place = Place::new();
        let (mut child, _) = start(&place, &sh(&format!("kill -{signal} $$")));
        assert_eq!(wait(&mut child), 128 + number);
        let report = place.report();
        assert_eq!((i32::from(report.status), report.signals), (128 + number, vec![]));
    }
}

#[test]
fn fm_g02_the_kernels_killer_ends_the_command_and_not_us() {
    let place = Place::new();
    let (mut child, _) = start(&place, &sh("echo ready >ready; exec sleep 100"));
    place.wait_for("ready");
    kill(Pid::from_raw(place.journal().pid), Signal::SIGKILL).expect("sent");
    assert_eq!(wait(&mut child), 137);
}

#[test]
fn after_a_command_its_signals_are_ours_again() {
    let place = Place::new();
    let (mut child, pid) = start(&place, &sh("exit 0"));
    assert_eq!(wait(&mut child), 0);
    assert!(kill(pid, None).is_err());
    let (mut child, pid) = start(&place, &sh("sleep 0.2; (setsid sleep 3 >/dev/null 2>&1 &)"));
    place.journal();
    std::thread::sleep(std::time::Duration::from_millis(1000));
    // While we wait for what it has left behind.
    kill(pid, Signal::SIGTERM).expect("sent");
    assert_eq!(wait(&mut child), 0);
    let report = place.report();
    assert_eq!(report.signals, [15]);
    assert_eq!(report.left_behind.len(), 1, "a stop ends that wait: {report:?}");
}
