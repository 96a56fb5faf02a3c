//! What follows a command and must not stop halfway.

use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::time::Duration;

use holdfast::interrupt;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::wrapper::{Order, Place, a_while, sh, until, wait};

/// A wrapper that is in its rollback.
fn rolling_back(place: &Place) -> (Child, Pid) {
    let order = Order { rolls_back: true, ..sh("exit 1") };
    let mut command = place.prepare(&order);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0).spawn().expect("a start");
    until("the rollback has begun", || place.path("rolling-back").exists());
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
    (child, pid)
}

#[test]
fn fm_g11_the_first_signal_does_not_stop_a_rollback_and_is_told_once() {
    let place = Place::new();
    let (mut child, pid) = rolling_back(&place);
    killpg(pid, Signal::SIGINT).expect("sent");
    kill(pid, Signal::SIGINT).expect("sent, as timeout does");
    assert_eq!(wait(&mut child), 1);
    assert_eq!(place.read("rolled-back"), "whole\n");
    assert_eq!(place.report().deferred, Some(2));
    let said = std::io::read_to_string(child.stderr.take().expect("a pipe")).expect("text");
    assert_eq!(said.matches("signal 2 has to wait: the rollback goes on; once more ends it").count(), 1, "{said}");
}

#[test]
fn fm_g11_the_second_signal_ends_a_rollback_at_once() {
    let place = Place::new();
    let (mut child, pid) = rolling_back(&place);
    kill(pid, Signal::SIGINT).expect("sent");
    a_while();
    kill(pid, Signal::SIGTERM).expect("sent");
    assert_eq!(wait(&mut child), 143);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(place.read("rolled-back"), "", "its child went with it");
}

#[test]
fn fm_g12_no_number_of_hangups_ends_a_rollback() {
    let place = Place::new();
    let (mut child, pid) = rolling_back(&place);
    kill(pid, Signal::SIGTERM).expect("sent");
    for _ in 0..3 {
        kill(pid, Signal::SIGHUP).expect("sent");
        std::thread::sleep(Duration::from_millis(400));
    }
    assert_eq!(wait(&mut child), 1);
    assert_eq!(place.read("rolled-back"), "whole\n");
    assert!(matches!(place.report().deferred, Some(1 | 15)), "both came together");
}

/// Here and not beside the code: the deadline is the whole process's, and this binary's other tests do not ask for it.
#[test]
fn a_deadline_can_be_replaced_and_taken_away() {
    interrupt::set_deadline(Duration::ZERO);
    std::thread::sleep(Duration::from_millis(2));
    assert!(interrupt::check().is_err());
    interrupt::set_deadline(Duration::from_secs(60));
    assert!(interrupt::check().is_err(), "the first one counts");
    interrupt::replace_deadline(None);
    interrupt::check().expect("without one");
    interrupt::replace_deadline(Some(Duration::from_secs(60)));
    interrupt::check().expect("a new one");
    interrupt::replace_deadline(None);
}
