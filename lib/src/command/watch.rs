//! A command's run: what is done with each signal, when its time is over, and when it has ended.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use nix::libc;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use super::family::Family;
use super::start::{Started, start};
use super::terminal::Terminal;
use super::witness::{Witness, was_for_all};
use super::{Changes, Ended, Limits, Wrapped};
use crate::error::Result;
use crate::exit;
use crate::interrupt::{self, Received, is_echo};
use crate::process::Process;

/// What can happen while a command runs.
pub(super) enum Event {
    /// A signal came to us.
    Signal(Received),
    /// The command was stopped, by Ctrl-Z or by itself.
    Stopped,
    /// The command has ended with this status.
    Ended(u8),
}

/// How often orphans are looked for while the command runs, so that those that have ended do not pile up.
const LOOK: Duration = Duration::from_secs(5);
/// How often what was left behind is looked at.
const LINGER_LOOK: Duration = Duration::from_millis(50);
/// Looking takes at most one part in so many of the time, however many processes there are.
const LOOK_SHARE: u32 = 50;
/// How long after the command a signal to the whole group may reach us.
pub(super) const SIGNAL_LAG: Duration = Duration::from_millis(30);
/// How often what was killed is killed again, for what it has started meanwhile.
const KILL_AGAIN: Duration = Duration::from_secs(1);
/// How long killed processes may take to go; one that waits for a dead disk takes for ever.
const KILL_WAIT: Duration = Duration::from_secs(5);

/// Runs a command to its end; see [`Wrapped::run`].
pub(super) fn run(
    wrapped: &Wrapped,
    changes: &Changes,
    limits: Limits,
    starts: impl FnOnce(&Process) -> Result<()>,
    told: Told<'_>,
) -> Result<Ended> {
    let (sender, events) = channel();
    let to_us = sender.clone();
    // Nobody listens any more only after the diversion's end.
    let diversion = interrupt::divert(move |received| drop(to_us.send(Event::Signal(received))))?;
    if let Some(number) = interrupt::received().or(interrupt::deferred()) {
        return Err(interrupt::stopped_by(number));
    }
    let witness = Witness::call();
    // After the witness, which is none of the command's.
    let family = Family::before();
    let mut run = Run {
        limits,
        events,
        witness,
        family,
        terminal: Terminal::take(),
        told,
        heard: Heard::default(),
        held_up: Vec::new(),
        kill_at: None,
    };
    let begun = Instant::now();
    let Started { process, waiter } = start(wrapped, changes, |process| run.let_start(process, starts), &sender)?;
    run.family.begin(process.pid);
    let (status, timed_out) = run.until_its_end(process.pid, begun);
    let duration = begun.elapsed();
    run.terminal.take_back(status > exit::SIGNAL_BASE);
    // Nobody signals it from here on, so its number may go.
    run.family.root_has_gone();
    let _ = waitpid(Pid::from_raw(process.pid), None);
    let _ = waiter.join();
    let left_behind = run.until_its_descendants_end();
    drop(diversion);
    Ok(Ended { status, timed_out, signals_received: run.heard.numbers, left_behind, held_up: run.held_up, duration })
}

/// Whom it tells and asks while it runs.
pub(super) struct Told<'a> {
    /// Asked what keeps the command when its time is over.
    pub(super) held_up: &'a mut dyn FnMut() -> Vec<String>,
    /// Gets sentences for a person who waits.
    pub(super) note: &'a mut dyn FnMut(&str),
}

/// A command under way.
struct Run<'a> {
    limits: Limits,
    events: Receiver<Event>,
    witness: Option<Witness>,
    family: Family,
    terminal: Terminal,
    told: Told<'a>,
    heard: Heard,
    /// What kept it when its time was over.
    held_up: Vec<String>,
    /// When whatever is left gets SIGKILL, once it was told to end.
    kill_at: Option<Instant>,
}

/// The signals that have come to us.
#[derive(Default)]
struct Heard {
    numbers: Vec<i32>,
    last: Option<(i32, Instant)>,
    /// How often somebody pressed Ctrl-C.
    interrupts: usize,
}

impl Heard {
    /// Notes a signal; whether it is a new one, and not the one before once more.
    fn is_news(&mut self, number: i32) -> bool {
        let is_echo = is_echo(self.last, number);
        self.last = Some((number, Instant::now()));
        self.numbers.push(number);
        !is_echo
    }
}

impl Run<'_> {
    /// The process is there and waits. A stop that came before is one of ours, and the command does not begin; what comes from now
    /// on is the command's, and takes effect before it executes anything.
    fn let_start(&mut self, process: &Process, starts: impl FnOnce(&Process) -> Result<()>) -> Result<()> {
        let is_stop = |event| match event {
            Event::Signal(received) if received.is_stop() => Some(received.number),
            _ => None,
        };
        if let Some(number) = self.events.try_iter().find_map(is_stop) {
            return Err(interrupt::stopped_by(number));
        }
        starts(process)?;
        while let Ok(event) = self.events.try_recv() {
            if let Event::Signal(received) = event {
                self.pass_on(received, process.pid);
            }
        }
        Ok(())
    }

    /// Waits for the command itself; its status, and whether its time was over.
    fn until_its_end(&mut self, pid: i32, begun: Instant) -> (u8, bool) {
        let mut ends_at = self.limits.timeout.and_then(|timeout| begun.checked_add(timeout));
        let mut look_at = begun + LOOK;
        let mut timed_out = false;
        loop {
            let next = [ends_at, self.kill_at].into_iter().flatten().fold(look_at, Instant::min);
            match self.events.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(Event::Signal(received)) => self.pass_on(received, pid),
                Ok(Event::Stopped) => {
                    // Whoever has put it aside has put its time aside too.
                    let stopped = self.terminal.stop_with(pid);
                    ends_at = ends_at.and_then(|at| at.checked_add(stopped));
                }
                Ok(Event::Ended(status)) => return (status, timed_out),
                Err(RecvTimeoutError::Timeout) => {}
                // We hold a sender ourselves.
                Err(RecvTimeoutError::Disconnected) => return (exit::FAILED, timed_out),
            }
            if is_due(ends_at) {
                (timed_out, ends_at) = (true, None);
                self.held_up = (self.told.held_up)();
                self.held_up.iter().for_each(|line| (self.told.note)(line));
                (self.told.note)("the command's time is over: it and all it has started get SIGTERM");
                self.family.signal(Signal::SIGTERM);
                self.kill_at = Instant::now().checked_add(self.limits.grace);
            }
            if is_due(self.kill_at) {
                self.family.signal(Signal::SIGKILL);
                self.kill_at = Some(Instant::now() + KILL_AGAIN);
            }
            if is_due(Some(look_at)) {
                let begun = Instant::now();
                self.family.members();
                look_at = Instant::now() + LOOK.max(begun.elapsed() * LOOK_SHARE);
            }
        }
    }

    /// Sees to it that a signal to us reaches the command, once.
    fn pass_on(&mut self, received: Received, pid: i32) {
        let is_news = self.heard.is_news(received.number);
        if !was_for_all(self.witness.as_mut(), received)
            && let Ok(signal) = Signal::try_from(received.number)
        {
            let _ = kill(Pid::from_raw(pid), signal);
        }
        if received.number != libc::SIGINT || !is_news {
            return;
        }
        self.heard.interrupts += 1;
        match self.heard.interrupts {
            1 => (self.told.note)("waiting for the command to end; Ctrl-C once more sends it SIGTERM"),
            2 => {
                (self.told.note)("the command and all it has started get SIGTERM; Ctrl-C once more kills them");
                self.family.signal(Signal::SIGTERM);
            }
            _ => {
                self.family.signal(Signal::SIGKILL);
                self.kill_at = Some(Instant::now() + KILL_AGAIN);
            }
        }
    }

    /// Waits for what the command has left behind, and gives what still runs then. What was told to end is killed in the end.
    fn until_its_descendants_end(&mut self) -> Vec<Process> {
        while let Ok(event) = self.events.recv_timeout(SIGNAL_LAG) {
            if let Event::Signal(received) = event {
                self.heard.is_news(received.number);
            }
        }
        let is_to_die = self.kill_at.is_some();
        let until = self.kill_at.or(Instant::now().checked_add(self.limits.linger));
        self.wait_for_descendants(until, !is_to_die);
        if is_to_die {
            let until = Instant::now() + KILL_WAIT;
            while !self.family.members().is_empty() && Instant::now() < until {
                self.family.signal(Signal::SIGKILL);
                std::thread::sleep(LINGER_LOOK);
            }
        }
        self.family.names()
    }

    fn wait_for_descendants(&mut self, until: Option<Instant>, mut is_to_be_told: bool) {
        loop {
            let begun = Instant::now();
            let count = self.family.members().len();
            if count == 0 || is_due(until) {
                return;
            }
            if std::mem::take(&mut is_to_be_told) {
                let limit = self.limits.linger.as_secs();
                (self.told.note)(&format!("the command has ended, but {count} of its processes have not: waiting {limit} s at most"));
            }
            let pause = LINGER_LOOK.max(begun.elapsed() * LOOK_SHARE);
            let left = until.map_or(pause, |until| until.saturating_duration_since(Instant::now()));
            if let Ok(Event::Signal(received)) = self.events.recv_timeout(pause.min(left)) {
                // A terminal that goes away sends several of these.
                let is_late_hangup = received.number == libc::SIGHUP && self.heard.numbers.contains(&libc::SIGHUP);
                if self.heard.is_news(received.number) && received.is_stop() && !is_late_hangup {
                    return;
                }
            }
        }
    }
}

fn is_due(at: Option<Instant>) -> bool {
    at.is_some_and(|at| at <= Instant::now())
}
