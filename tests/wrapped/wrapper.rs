//! The wrapper under test, and the folder it works in.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};
use std::time::{Duration, Instant};

use holdfast::command::{Changes, Limits, Wrapped};
use holdfast::error::{Error, OnPath, Result};
use holdfast::exec::Call;
use holdfast::process::Process;
use holdfast::{exit, interrupt};
use serde::{Deserialize, Serialize};

/// Holds the order, as JSON.
const ORDER: &str = "HOLDFAST_TEST_ORDER";
/// The longest that anything here is waited for: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the wrapper is to do.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) argv: Vec<String>,
    /// One more argument, longer than an order may be.
    pub(crate) long_argument_bytes: Option<usize>,
    pub(crate) changes: BTreeMap<String, Option<String>>,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) grace_ms: Option<u64>,
    pub(crate) linger_ms: Option<u64>,
    /// Children of our own run too, with children of theirs.
    pub(crate) with_own_children: bool,
    /// The journal cannot be written.
    pub(crate) refuses_the_start: bool,
    /// Writing the journal takes a while.
    pub(crate) pauses_at_the_start: bool,
    /// Nothing gets further than the journal.
    pub(crate) hangs_at_the_start: bool,
    /// Work that must not be stopped follows.
    pub(crate) rolls_back: bool,
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) status: u8,
    pub(crate) timed_out: bool,
    pub(crate) signals: Vec<i32>,
    pub(crate) left_behind: Vec<Process>,
    pub(crate) milliseconds: u64,
    pub(crate) notes: Vec<String>,
    pub(crate) own_children_live: bool,
    pub(crate) deferred: Option<i32>,
}

#[derive(Debug, clap::Parser)]
#[command(version, disable_help_flag = true, disable_version_flag = true)]
struct Args {
    #[command(flatten)]
    common: manners::Common,
    /// What the test harness was called with.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _words: Vec<OsString>,
}

impl AsRef<manners::Common> for Args {
    fn as_ref(&self) -> &manners::Common {
        &self.common
    }
}

/// No test: the other side of all of them.
#[test]
#[allow(clippy::exit)]
fn the_wrapper() {
    let Some(order) = std::env::var_os(ORDER) else { return };
    let order: Order = serde_json::from_str(order.to_str().expect("UTF-8")).expect("an order");
    let status = manners::run_wrapper("wrap", |_: Args, out| work(&order, out));
    let code = (0..=u8::MAX).find(|code| ExitCode::from(*code) == status).expect("a status");
    std::process::exit(code.into());
}

fn work(order: &Order, out: &manners::Out) -> Result<u8> {
    fs::write("wrapper", std::process::id().to_string()).expect("written");
    let argv: Vec<OsString> =
        order.argv.iter().map(OsString::from).chain(order.long_argument_bytes.map(|bytes| "x".repeat(bytes).into())).collect();
    let wrapped = Wrapped::find(&argv)?;
    let changes: Changes = order.changes.iter().map(|(name, value)| (name.into(), value.as_ref().map(Into::into))).collect();
    let milliseconds = |value: Option<u64>, default| value.map_or(default, Duration::from_millis);
    let limits = Limits {
        timeout: order.timeout_ms.map(Duration::from_millis),
        grace: milliseconds(order.grace_ms, interrupt::GRACE),
        linger: milliseconds(order.linger_ms, Duration::from_secs(5)),
    };
    let own = if order.with_own_children { Some(own_child()?) } else { None };
    let mut notes = Vec::new();
    let starts = |process: &Process| {
        let path = Path::new("journal");
        fs::write(path, serde_json::to_vec(process).expect("JSON")).on("write", path)?;
        if order.pauses_at_the_start {
            std::thread::sleep(Duration::from_millis(500));
        }
        if order.hangs_at_the_start {
            std::thread::sleep(2 * PATIENCE);
        }
        if order.refuses_the_start { Err(Error::failed("the journal cannot be written")) } else { Ok(()) }
    };
    let mut run = || {
        std::thread::scope(|threads| {
            let (over, wait_until_over) = std::sync::mpsc::channel::<()>();
            let late = threads.spawn(move || {
                // While the command runs. A child of ours does not outlive its thread.
                std::thread::sleep(Duration::from_millis(300));
                let child = order.with_own_children.then(own_child).transpose()?;
                let _ = wait_until_over.recv();
                Ok::<_, Error>(child.is_none_or(|child| child.is_running()))
            });
            let ended = wrapped.run(&changes, limits, starts, Vec::new, |note| notes.push(note.to_owned()));
            drop(over);
            (ended, late.join().is_ok_and(|live| live.unwrap_or(false)))
        })
    };
    let roll_back = || {
        fs::write("rolling-back", "").expect("written");
        let child = Call::new("/bin/sh").arg("-c").arg("sleep 2; echo whole >rolled-back").run();
        interrupt::check().and(child.map(drop))
    };
    let tell = |number| out.warn(&format!("signal {number} has to wait: the rollback goes on; once more ends it"));
    let (ended, late_lives, rolled_back) = if order.rolls_back {
        interrupt::shield(tell, || {
            let (ended, late) = run();
            (ended, late, roll_back())
        })
    } else {
        let (ended, late) = run();
        (ended, late, Ok(()))
    };
    let ended = ended?;
    rolled_back?;
    let own_children_live = late_lives && own.iter().all(|child| child.is_running()) && own_orphans_live(order);
    let report = Report {
        status: ended.status,
        timed_out: ended.timed_out,
        signals: ended.signals_received,
        left_behind: ended.left_behind,
        milliseconds: u64::try_from(ended.duration.as_millis()).expect("not that long"),
        notes,
        own_children_live,
        deferred: interrupt::deferred(),
    };
    fs::write("report.new", serde_json::to_vec(&report).expect("JSON")).expect("written");
    fs::rename("report.new", "report").expect("renamed");
    Ok(if ended.timed_out { exit::TIMED_OUT } else { ended.status })
}

/// A child of our own as the engines have them, with a child that it has orphaned.
fn own_child() -> Result<holdfast::exec::Child> {
    Call::new("/bin/sh").arg("-c").arg("(sleep 1000 & echo $! >>own) ; sleep 1000; :").background()
}

fn own_orphans_live(order: &Order) -> bool {
    let pids = fs::read_to_string("own").unwrap_or_default();
    let all_live = pids.lines().all(|pid| Path::new("/proc").join(pid).exists());
    // The first one belongs to init.
    for pid in pids.lines() {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid.parse().expect("a pid")), nix::sys::signal::SIGKILL);
    }
    all_live && pids.lines().count() == if order.with_own_children { 2 } else { 0 }
}

/// An empty folder in which a wrapper and its command work.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Place { folder: tempfile::tempdir().expect("a folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The wrapper as a script `wrap`, with its order, for whoever starts it.
    pub(crate) fn prepare(&self, order: &Order) -> Command {
        let order = serde_json::to_string(order).expect("JSON");
        let myself = std::env::current_exe().expect("own path");
        let wrap = format!("exec '{}' wrapper::the_wrapper --exact --nocapture\n", myself.display());
        fs::write(self.path("wrap"), wrap).expect("written");
        let mut command = Command::new("/bin/sh");
        command.arg("wrap").current_dir(self.folder.path()).env(ORDER, order);
        command
    }

    /// The wrapper around a shell script.
    pub(crate) fn wrap(&self, script: &str) -> Command {
        self.prepare(&sh(script))
    }

    /// Waits until a file is there, and has a whole line in it; gives it.
    pub(crate) fn wait_for(&self, name: &str) -> String {
        until(&format!("{name} is there"), || self.read(name).ends_with('\n'));
        self.read(name)
    }

    /// Gives a command the wrapper's order.
    pub(crate) fn instruct(&self, command: &mut Command, order: &Order) {
        for (name, value) in self.prepare(order).get_envs() {
            command.env(name, value.expect("a value"));
        }
        command.current_dir(self.folder.path());
    }

    /// A file's text; nothing where there is none.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    pub(crate) fn write(&self, name: &str) {
        fs::write(self.path(name), "").expect("written");
    }

    pub(crate) fn report(&self) -> Report {
        until("there is a report", || self.path("report").exists());
        serde_json::from_str(&self.read("report")).expect("a report")
    }

    /// The command's process, as the journal has it.
    pub(crate) fn journal(&self) -> Process {
        until("there is a journal", || serde_json::from_str::<Process>(&self.read("journal")).is_ok());
        serde_json::from_str(&self.read("journal")).expect("a process")
    }
}

/// An order to run a shell script.
pub(crate) fn sh(script: &str) -> Order {
    Order { argv: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(), ..Order::default() }
}

/// Waits for something, but not for ever.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Long enough for a signal that should not come to have come.
pub(crate) fn a_while() {
    std::thread::sleep(Duration::from_millis(600));
}

/// A status as a shell gives it.
pub(crate) fn status_of(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| 128 + status.signal().expect("a signal"))
}

pub(crate) fn wait(child: &mut std::process::Child) -> i32 {
    let mut status = None;
    until("the process has ended", || {
        status = child.try_wait().expect("a child");
        status.is_some()
    });
    status_of(status.expect("it has ended"))
}
