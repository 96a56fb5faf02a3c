//! Signals: the first asks for a clean stop, the second ends the process at once.
//!
//! SIGINT, SIGTERM and SIGHUP are noted here and passed on to the process groups of the running child programs, so that
//! a blocked read ends; whoever works in a loop asks [`check`] and returns its error, and what was staged is removed on
//! the way out. What was ignored when we started (`nohup`) stays ignored.
//!
//! Two things change that for a while: [`divert`] hands signals to whoever runs a wrapped command, and [`shield`] lets
//! work that must not stop halfway go on.

mod group;
mod shield;

pub use group::Group;
pub(crate) use group::{groups, starting};
use shield::Shielded;
pub use shield::{deferred, shield};

use std::cell::Cell;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use nix::libc::siginfo_t;
use nix::sys::signal::Signal;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGXFSZ};
use signal_hook::iterator::exfiltrator::WithRawSiginfo;
use signal_hook::iterator::{Handle, SignalsInfo};

use crate::error::{Error, Kind, Result};
use crate::inherited;

/// How long a child program has to end by itself before it is killed.
pub const GRACE: Duration = Duration::from_secs(10);
/// What comes within this time of a request to stop is no second one: `timeout` signals a process and then its group, and
/// nobody who presses Ctrl-C means two things that fast.
pub const REPEAT: Duration = Duration::from_millis(300);

/// What asks a process to stop.
const STOPS: [i32; 4] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT];
/// What is listened for in addition, once a wrapped command has run.
const FOR_A_COMMAND: [i32; 3] = [SIGQUIT, SIGUSR1, SIGUSR2];

static RECEIVED: AtomicI32 = AtomicI32::new(0);
static DEADLINE: Mutex<Option<(Instant, Duration)>> = Mutex::new(None);
static LISTENER: OnceLock<Handle> = OnceLock::new();
static STATE: Mutex<State> = Mutex::new(State { mode: Mode::Ours, last: None });
thread_local! {
    static CLEANING: Cell<bool> = const { Cell::new(false) };
}

struct State {
    mode: Mode,
    /// The last signal that asked to stop, and when it came.
    last: Option<(i32, Instant)>,
}

/// Who the signals are for.
enum Mode {
    /// They ask us to stop.
    Ours,
    /// Somebody else decides.
    Diverted(Box<dyn Fn(Received) + Send>),
    /// They have to wait.
    Shielded(Shielded),
}

/// A signal, and where it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Its number.
    pub number: i32,
    /// The kernel sent it (a key at the terminal, a terminal that went away), and no process.
    pub by_kernel: bool,
}

impl Received {
    #[allow(unsafe_code)]
    fn read(info: &siginfo_t) -> Self {
        #[cfg(target_os = "linux")]
        let by_kernel = info.si_code == nix::libc::SI_KERNEL;
        // SAFETY: the system has filled in the fields that belong to a signal of this kind.
        #[cfg(not(target_os = "linux"))]
        let by_kernel = unsafe { info.si_pid() } == 0;
        Received { number: info.si_signo, by_kernel }
    }

    /// Whether it asks to stop.
    pub fn is_stop(&self) -> bool {
        STOPS.contains(&self.number)
    }
}

/// Starts listening; called by a binary's main. A second call does nothing.
pub fn install() -> Result<()> {
    let cannot = |error| Error::failed("cannot listen for signals").because(error);
    let wanted = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|number| !inherited::was_ignored(*number));
    let mut signals = SignalsInfo::<WithRawSiginfo>::new(wanted).map_err(cannot)?;
    if LISTENER.set(signals.handle()).is_err() {
        return Ok(());
    }
    // With a handler of any kind a write beyond `ulimit -f` is an error that can be told, and does not kill the process.
    signal_hook::flag::register(SIGXFSZ, Arc::default()).map_err(cannot)?;
    std::thread::spawn(move || {
        for info in signals.forever() {
            hear(Received::read(&info));
        }
    });
    Ok(())
}

fn hear(received: Received) {
    let number = received.number;
    let mut state = state();
    let is_echo = is_echo(state.last, number);
    // `systemctl stop` may send SIGTERM and SIGHUP together, and they come in any order. A terminal that goes away sends SIGHUP
    // more than once, over a longer time: by its shell, and by the kernel when that has ended.
    let is_second = number != SIGHUP && state.last.is_none_or(|(_, at)| at.elapsed() >= REPEAT);
    if received.is_stop() {
        state.last = Some((number, Instant::now()));
    }
    match &mut state.mode {
        Mode::Diverted(deliver) => deliver(received),
        Mode::Shielded(_) if !received.is_stop() => {}
        Mode::Shielded(shielded) if !shielded.has_deferred() && !is_echo => shielded.defer(number),
        Mode::Shielded(shielded) if shielded.has_deferred() && is_second => end(number),
        Mode::Ours if FOR_A_COMMAND.contains(&number) => {
            let _ = signal_hook::low_level::emulate_default_handler(number);
        }
        Mode::Ours if RECEIVED.load(Ordering::SeqCst) == 0 && !is_echo => {
            RECEIVED.store(number, Ordering::SeqCst);
            stop_children();
        }
        Mode::Ours if RECEIVED.load(Ordering::SeqCst) != 0 && is_second => end(number),
        Mode::Shielded(_) | Mode::Ours => {}
    }
}

/// Whether it is the same signal once more, within [`REPEAT`].
pub(crate) fn is_echo(last: Option<(i32, Instant)>, number: i32) -> bool {
    last.is_some_and(|(before, at)| before == number && at.elapsed() < REPEAT)
}

fn stop_children() {
    let asked = groups();
    group::signal_all(&asked, Signal::SIGTERM);
    std::thread::spawn(move || {
        std::thread::sleep(GRACE);
        // Children that were started to clean up get the same time, those that a shielded work has started are let be.
        let late = if is_shielded() { asked } else { groups() };
        group::signal_all(&late, Signal::SIGKILL);
    });
}

fn end(number: i32) {
    group::signal_all(&groups(), Signal::SIGKILL);
    signal_hook::low_level::exit(i32::from(Kind::Signal(number).status()));
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Puts a mode in force, and gives the one before it.
fn replace_mode(mode: Mode) -> Mode {
    std::mem::replace(&mut state().mode, mode)
}

fn is_shielded() -> bool {
    matches!(state().mode, Mode::Shielded(_))
}

/// While this lives, signals go to somebody else and ask nothing of us.
#[must_use]
pub struct Diversion(Option<Mode>);

/// Hands every signal to `deliver` from now on: also SIGQUIT, SIGUSR1 and SIGUSR2, which otherwise do to us what they
/// always do. Called from the thread that listens; it must be quick.
pub fn divert(deliver: impl Fn(Received) + Send + 'static) -> Result<Diversion> {
    install()?;
    let before = replace_mode(Mode::Diverted(Box::new(deliver)));
    let diversion = Diversion(Some(before));
    for number in FOR_A_COMMAND.into_iter().filter(|number| !inherited::was_ignored(*number)) {
        if let Some(listener) = LISTENER.get() {
            listener.add_signal(number).map_err(|error| Error::failed("cannot listen for signals").because(error))?;
        }
    }
    Ok(diversion)
}

impl Drop for Diversion {
    fn drop(&mut self) {
        if let Some(before) = self.0.take() {
            replace_mode(before);
        }
    }
}

/// The signal that asked for a stop, if one did.
pub fn received() -> Option<i32> {
    match RECEIVED.load(Ordering::SeqCst) {
        0 => None,
        number => Some(number),
    }
}

/// Sets the time that the whole run may take from now on, unless it is set already.
pub fn set_deadline(limit: Duration) {
    deadline().get_or_insert((Instant::now(), limit));
}

/// Sets the time that all work may take from now on, whatever was set before; none: as long as it takes. A wrapped command
/// runs without a deadline of ours, and its rollback gets a new one.
pub fn replace_deadline(limit: Option<Duration>) {
    *deadline() = limit.map(|limit| (Instant::now(), limit));
}

fn deadline() -> MutexGuard<'static, Option<(Instant, Duration)>> {
    DEADLINE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
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
    if let Some(number) = received().filter(|_| !is_shielded()) {
        return Err(stopped_by(number));
    }
    match *deadline() {
        Some((begin, limit)) if begin.elapsed() > limit => {
            Err(Error::failed(format!("it took longer than {} s", limit.as_secs())).hint("allow more with timeout in the configuration"))
        }
        _ => Ok(()),
    }
}

/// The error of a stop by this signal.
pub(crate) fn stopped_by(number: i32) -> Error {
    Error::new(Kind::Signal(number), format!("stopped by signal {number}"))
}

#[cfg(test)]
mod tests;
