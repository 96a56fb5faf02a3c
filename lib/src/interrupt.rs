//! Signals: the first asks for a clean stop, the second ends the process at once.
//!
//! SIGINT, SIGTERM and SIGHUP are noted here and passed on to the process groups of the running child programs, so that
//! a blocked read ends; whoever works in a loop asks [`check`] and returns its error, and what was staged is removed on
//! the way out.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;

use crate::error::{Error, Kind, Result};

/// How long a child program has to end by itself before it is killed.
pub const GRACE: Duration = Duration::from_secs(10);

static RECEIVED: AtomicI32 = AtomicI32::new(0);
static DEADLINE: OnceLock<(Instant, Duration)> = OnceLock::new();
static GROUPS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());
thread_local! {
    static CLEANING: Cell<bool> = const { Cell::new(false) };
}

/// Starts listening; called once, by a binary's main.
pub fn install() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(|error| Error::failed("cannot listen for signals").because(error))?;
    // With a handler of any kind a write beyond `ulimit -f` is an error that can be told, and does not kill the process.
    signal_hook::flag::register(SIGXFSZ, Arc::default()).map_err(|error| Error::failed("cannot listen for signals").because(error))?;
    std::thread::spawn(move || {
        for number in signals.forever() {
            if RECEIVED.swap(number, Ordering::SeqCst) != 0 {
                signal_groups(Signal::SIGKILL);
                signal_hook::low_level::exit(i32::from(Kind::Signal(number).status()));
            }
            signal_groups(Signal::SIGTERM);
            std::thread::spawn(|| {
                std::thread::sleep(GRACE);
                signal_groups(Signal::SIGKILL);
            });
        }
    });
    Ok(())
}

/// The signal that asked for a stop, if one did.
pub fn received() -> Option<i32> {
    match RECEIVED.load(Ordering::SeqCst) {
        0 => None,
        number => Some(number),
    }
}

/// Sets the time that the whole run may take from now on; the first call counts.
pub fn set_deadline(limit: Duration) {
    let _ = DEADLINE.set((Instant::now(), limit));
}

/// Lets this thread take away what it has made although a stop was asked for or the time is over: [`check`] holds nothing
/// against it meanwhile, and children that it starts are not stopped before [`GRACE`] is over.
pub fn while_cleaning<T>(work: impl FnOnce() -> T) -> T {
    let before = CLEANING.replace(true);
    let outcome = work();
    CLEANING.set(before);
    outcome
}

/// An error as soon as a stop was asked for, or the run has taken longer than it may.
pub fn check() -> Result<()> {
    if CLEANING.get() {
        return Ok(());
    }
    if let Some(number) = received() {
        return Err(Error::new(Kind::Signal(number), format!("stopped by signal {number}")));
    }
    match DEADLINE.get() {
        Some((begin, limit)) if begin.elapsed() > *limit => {
            Err(Error::failed(format!("it took longer than {} s", limit.as_secs())).hint("allow more with timeout in the configuration"))
        }
        _ => Ok(()),
    }
}

/// A child's process group, signalled on a stop for as long as this value lives.
#[derive(Debug)]
pub struct Group(i32);

impl Group {
    /// Notes the process group of a child program.
    pub fn watch(process_group: i32) -> Self {
        groups().insert(process_group);
        // A signal that came between the child's start and this line was passed to nobody.
        if received().is_some() && !CLEANING.get() {
            signal_group(process_group, Signal::SIGTERM);
        }
        Group(process_group)
    }

    /// Sends a signal to every process of the group.
    pub fn signal(&self, signal: Signal) {
        signal_group(self.0, signal);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        groups().remove(&self.0);
    }
}

fn groups() -> std::sync::MutexGuard<'static, BTreeSet<i32>> {
    GROUPS.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn signal_groups(signal: Signal) {
    for group in groups().iter() {
        signal_group(*group, signal);
    }
}

fn signal_group(group: i32, signal: Signal) {
    // To the kernel 0 is our own group, and 1 everybody.
    if group <= 1 {
        return;
    }
    // ESRCH only says that the group has ended already.
    let _ = killpg(Pid::from_raw(group), signal);
}
