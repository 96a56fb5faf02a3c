//! Before a command runs: what can be refused is refused then, and the journal has it before it has done anything.

use std::process::Output;

use crate::wrapper::{Order, Place, a_while, sh, status_of, until, wait};

fn run(place: &Place, argv: &[&str]) -> Output {
    let order = Order { argv: argv.iter().map(|word| (*word).to_owned()).collect(), ..Order::default() };
    place.prepare(&order).output().expect("an end")
}

#[test]
fn fm_g14_a_command_that_is_not_there_is_127_and_one_that_cannot_run_126() {
    let place = Place::new();
    let file = |name: &str, text: &str, mode: u32| {
        // By another process: a file that a child of another test still has open for writing cannot be executed.
        let made = std::process::Command::new("sh")
            .args(["-c", "printf %s \"$2\" >\"$1\" && chmod \"$3\" \"$1\"", "sh", name, text, &format!("{mode:o}")])
            .current_dir(place.path("."))
            .status();
        assert!(made.expect("sh runs").success());
    };
    file("plain", "#!/bin/sh\n", 0o644);
    file("orphan", "#!/nonexistent/python3\n", 0o755);
    file("windows", "#!/bin/sh\r\n", 0o755);
    file("bare", "exit 8\n", 0o755);
    file("good", "#!/bin/sh\nexit 9\n", 0o755);
    for (argv, status, message) in [
        (&["no-such-command-anywhere"][..], 127, "cannot run no-such-command-anywhere: not found"),
        (&["./missing"], 127, "cannot run ./missing: not found"),
        (&["good/x"], 127, "cannot run good/x: not found"),
        (&[""], 127, "there is no command to run"),
        (&[], 127, "there is no command to run"),
        (&["./plain"], 126, "cannot run ./plain: ./plain: Permission denied"),
        (&["/"], 126, "cannot run /: / is a directory"),
        (&["./orphan"], 126, "the interpreter in its first line, /nonexistent/python3, does not exist"),
        (&["./windows"], 126, "does not exist"),
        (&["./bare"], 8, ""),
        (&["./good"], 9, ""),
    ] {
        let output = run(&place, argv);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(status_of(output.status), status, "{argv:?}: {said}");
        assert!(said.contains(message), "{argv:?}: {said}");
    }
    assert_eq!(place.read("journal").lines().count(), 1, "only what could run was written down");
}

#[test]
fn fm_g14_a_command_that_cannot_be_executed_after_all_is_126() {
    let place = Place::new();
    // More than Linux takes as one argument.
    let output = place.prepare(&Order { long_argument_bytes: Some(200_000), ..sh(":") }).output().expect("an end");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(status_of(output.status), 126, "{said}");
    assert!(said.contains("cannot run /bin/sh: Argument list too long"), "{said}");
    assert!(!place.path("report").exists());
}

#[test]
fn the_journal_has_the_command_before_it_does_anything() {
    let place = Place::new();
    let output = place.wrap("cat journal >seen; echo $$ >pid").output().expect("an end");
    assert_eq!(status_of(output.status), 0);
    assert_eq!(place.read("seen"), place.read("journal"));
    assert_eq!(place.read("pid"), format!("{}\n", place.journal().pid));
    assert_eq!(place.journal().command, "/bin/sh -c 'cat journal >seen; echo $$ >pid'");
}

#[test]
fn a_command_that_cannot_be_written_down_never_runs() {
    let place = Place::new();
    let output = place.prepare(&Order { refuses_the_start: true, ..sh("echo ran >ran") }).output().expect("an end");
    assert_eq!(status_of(output.status), 125, "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("the journal cannot be written"));
    a_while();
    assert!(!place.path("ran").exists());
    assert!(!place.journal().is_alive());
}

#[test]
fn a_signal_while_the_journal_is_written_ends_the_command_before_it_does_anything() {
    let place = Place::new();
    let order = Order { pauses_at_the_start: true, ..sh("echo ran >ran") };
    let mut child = place.prepare(&order).stdout(std::process::Stdio::null()).spawn().expect("a start");
    let process = place.journal();
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
    nix::sys::signal::kill(pid, nix::sys::signal::SIGINT).expect("sent");
    assert_eq!(wait(&mut child), 130);
    assert!(!process.is_alive() && !place.path("ran").exists());
    assert_eq!(place.report().signals, [2]);
}

#[test]
fn a_command_of_which_we_were_killed_too_early_never_runs() {
    let place = Place::new();
    let mut child = place.prepare(&Order { hangs_at_the_start: true, ..sh("echo ran >ran") }).spawn().expect("a start");
    let process = place.journal();
    assert!(process.is_alive());
    child.kill().expect("killed");
    assert_eq!(wait(&mut child), 137);
    until("the process has gone", || !process.is_alive());
    assert!(!place.path("ran").exists());
}

#[test]
fn a_command_that_outlives_us_is_known_to_run() {
    let place = Place::new();
    let mut child = place.wrap("echo ready >ready; while [ ! -e stop ]; do sleep 0.05; done").spawn().expect("a start");
    place.wait_for("ready");
    child.kill().expect("killed");
    assert_eq!(wait(&mut child), 137);
    let process = place.journal();
    a_while();
    assert!(process.is_alive(), "kill -9 of us does not end the command");
    place.write("stop");
    until("it has ended", || !process.is_alive());
}

#[test]
fn the_witness_goes_with_us_however_we_go() {
    let place = Place::new();
    let mut child = place.wrap("exec >/dev/null 2>&1; echo ready >ready; exec sleep 5").spawn().expect("a start");
    place.wait_for("ready");
    let children = || {
        let list = std::process::Command::new("ps").args(["-eo", "pid=,ppid=,args="]).output().expect("ps runs");
        String::from_utf8_lossy(&list.stdout).into_owned()
    };
    let id = child.id().to_string();
    let all = children();
    let mine: Vec<Vec<&str>> = all.lines().map(|line| line.split_whitespace().collect()).filter(|line: &Vec<&str>| line[1] == id).collect();
    let witness = mine.iter().find(|line| line[2] == "signal-witness").unwrap_or_else(|| panic!("{mine:?}"))[0].to_owned();
    assert_eq!(mine.len(), 2, "the command and the witness: {mine:?}");
    child.kill().expect("killed");
    wait(&mut child);
    until("the witness has gone", || !std::path::Path::new("/proc").join(&witness).exists());
}
