//! A wrapped command has what it would have had without us.

use std::process::{Command, Stdio};

use crate::wrapper::{Order, Place, sh, status_of};

/// What a process can say of what it was given; the numbers of processes differ anyway.
const SELF: &str = r#"
umask; ulimit -Sc; ulimit -Hc; ulimit -a; pwd
grep -E '^(SigBlk|SigIgn|SigCgt|Umask|NoNewPrivs|CoreDumping)' /proc/self/status
env | grep -v '^_=' | sort
ls -l /proc/self/fd | grep -vE 'pipe:|/proc/|^total' | sed 's/.*[0-9] \([0-9]* -> .*\)/\1/'
ps -o pgid=,sid=,tty= -p $$ | sed "s/$PGID/group/g; s/  */ /g; s/^ //"
cat; exit 3"#;

/// The same start, once of the command and once of the wrapper around it: what each printed, and its status.
fn both(before: &str, order: &Order) -> [(String, i32); 2] {
    let place = Place::new();
    std::fs::write(place.path("direct"), &order.argv[2]).expect("written");
    ["sh direct", "sh wrap"].map(|line| {
        // A shell that leads its group gives what `before` says to what it becomes.
        let mut command = Command::new("setsid");
        command.args(["-w", "sh", "-c", &format!("export PGID=$$; {before}\nexec {line}")]);
        place.instruct(&mut command, order);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("a start");
        use std::io::Write;
        // A command that does not read it may have ended by now.
        let _ = child.stdin.take().expect("a pipe").write_all(b"from stdin\n");
        let output = child.wait_with_output().expect("an end");
        let stdout = String::from_utf8(output.stdout).expect("text");
        let lines: Vec<&str> = stdout.lines().filter(|line| !line.is_empty() && !line.starts_with("running 1 test")).collect();
        let stderr = String::from_utf8_lossy(&output.stderr);
        (format!("{}\n{stderr}", lines.join("\n").replace(place.path("").to_str().expect("UTF-8"), "PLACE")), status_of(output.status))
    })
}

/// The signals in a line of /proc/PID/status, bit n - 1 for signal n.
fn mask(line: &str) -> u64 {
    u64::from_str_radix(line.split_whitespace().nth(1).expect("a mask"), 16).expect("hexadecimal")
}

#[track_caller]
fn is_the_same(before: &str) -> String {
    let [(direct, status), (wrapped, wrapped_status)] = both(before, &sh(SELF));
    assert!(direct.contains("SigIgn") && direct.contains("from stdin") && status == 3, "{direct}");
    for (wrapped, direct) in wrapped.lines().zip(direct.lines()) {
        // `PGID` is the shell's number. Signals 32 and 33 are the C library's own, and ignored only where somebody went round it.
        let is_ignored = wrapped.starts_with("SigIgn") && (mask(wrapped) ^ mask(direct)) & !(3 << 31) == 0;
        assert!(wrapped == direct || wrapped.starts_with("PGID=") || is_ignored, "after {before:?}: {wrapped} instead of {direct}");
    }
    assert_eq!(wrapped.lines().count(), direct.lines().count());
    assert_eq!(wrapped_status, status);
    wrapped
}

#[test]
fn a_command_gets_umask_limits_directory_and_streams_as_they_were() {
    assert!(is_the_same("umask 027").contains("0027"));
    assert!(is_the_same("umask 000; ulimit -Sc 100; ulimit -n 500").contains("500"));
    is_the_same("ulimit -c 0");
    let with_more = is_the_same("exec 5</etc/passwd; exec 2>/dev/null");
    assert!(with_more.contains("5 -> /etc/passwd"), "{with_more}");
}

#[test]
fn a_command_gets_signals_as_they_were() {
    let ignored = |text: &str| mask(text.lines().find(|line| line.starts_with("SigIgn")).expect("a line"));
    let bit = |number: u32| 1u64 << (number - 1);
    let pipe = bit(13);
    assert_eq!(ignored(&is_the_same(":")) & pipe, 0, "the Rust runtime's SIGPIPE is no business of the command");
    assert_eq!(ignored(&is_the_same("trap '' PIPE")) & pipe, pipe);
    // As nohup leaves them, and a shell without job control in the background.
    let all = bit(1) | bit(2) | bit(3) | bit(10);
    assert_eq!(ignored(&is_the_same("trap '' HUP INT QUIT USR1")) & all, all);
}

#[test]
fn only_the_wanted_changes_are_made_to_the_environment() {
    let mut order = sh("echo \"${DATABASE_URL-unset} ${PGHOST-unset} ${KEPT-unset}\"");
    order.changes.insert("DATABASE_URL".to_owned(), Some("sqlite:clone.db".to_owned()));
    order.changes.insert("PGHOST".to_owned(), None);
    let [(direct, _), (wrapped, _)] = both("export DATABASE_URL=real PGHOST=real KEPT=yes", &order);
    assert_eq!((direct.trim(), wrapped.trim()), ("real real yes", "sqlite:clone.db unset yes"));
}

#[test]
fn the_program_is_called_by_the_name_that_was_typed() {
    let place = Place::new();
    let order = Order { argv: ["sh", "-c", "tr '\\0' ' ' </proc/$$/cmdline"].map(str::to_owned).to_vec(), ..Order::default() };
    let output = place.prepare(&order).output().expect("an end");
    assert!(String::from_utf8_lossy(&output.stdout).contains("\nsh -c tr"), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn fm_g12_under_nohup_a_hangup_ends_neither() {
    let place = Place::new();
    let mut nohup = Command::new("nohup");
    nohup.args(["sh", "wrap"]).stdout(Stdio::null()).stderr(Stdio::null());
    place.instruct(&mut nohup, &sh("trap 'echo HUP >>got' HUP; echo ready >ready; while [ ! -e stop ]; do sleep 0.05; done; exit 7"));
    let mut child = nohup.spawn().expect("a start");
    place.wait_for("ready");
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
    nix::sys::signal::kill(pid, nix::sys::signal::SIGHUP).expect("sent");
    nix::sys::signal::kill(pid, nix::sys::signal::SIGHUP).expect("sent");
    crate::wrapper::a_while();
    assert_eq!(place.read("got"), "");
    place.write("stop");
    assert_eq!(crate::wrapper::wait(&mut child), 7);
    assert_eq!(place.report().signals, [0; 0]);
}
