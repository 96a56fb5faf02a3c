//! A command's run: what is done with each signal, when its time is over, and when it has ended.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use nix::libc;
use nix::sys::signal::{SigHandler, Signal, kill, signal};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, getpid};

use super::family::Family;
use super::start::{Started, start};
use super::witness::{Witness, was_for_all};
use super::{Changes, Ended, Limits, PASSED_ON, Wrapped};
use crate::error::Result;
use crate::interrupt::{self, Received, is_echo};
use crate::process::{Process, Stat};

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
/// Looking takes at most this part of the time, however many processes there are.
const LOOK_SHARE: u32 = 100;
/// How often what was left behind is looked at.
const LINGER_LOOK: Duration = Duration::from_millis(50);
/// How long the signal that ended a command may reach us after its end has.
const SIGNAL_LAG: Duration = Duration::from_millis(30);
/// How long killed processes may take to go.
const KILL_WAIT: Duration = Duration::from_secs(5);

pub(super) fn run(
    wrapped: &Wrapped,
    changes: &Changes,
    limits: Limits,
    starts: impl FnOnce(&Process) -> Result<()>,
    note: &mut dyn FnMut(&str),
) -> Result<Ended> {
    let (sender, events) = channel();
    let to_us = sender.clone();
    // The receiver is gone only when nobody diverts any more.
    let diversion = interrupt::divert(move |received| drop(to_us.send(Event::Signal(received))))?;
    if let Some(number) = interrupt::received().or(interrupt::deferred()) {
        return Err(interrupt::stopped_by(number));
    }
    let witness = Witness::call();
    // The witness is one of the processes that were there before.
    let family = Family::before();
    let terminal = Terminal::take();
    let run = Run { wrapped, limits, events, witness, family, terminal, note, seen: Seen::default() };
    let ended = run.to_its_end(|sender| start(wrapped, changes, starts, sender), sender);
    drop(diversion);
    ended
}
