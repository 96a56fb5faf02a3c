//! The process groups of the child programs that run now.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::{CLEANING, is_shielded, received};

static GROUPS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());
static STARTING: Mutex<()> = Mutex::new(());

/// A child's process group, signalled on a stop for as long as this value lives.
#[derive(Debug)]
pub struct Group(i32);

impl Group {
    /// Notes the process group of a child program.
    pub fn watch(process_group: i32) -> Self {
        locked().insert(process_group);
        // A signal that came between the child's start and this line was passed to nobody.
        if received().is_some() && !CLEANING.get() && !is_shielded() {
            signal_one(process_group, Signal::SIGTERM);
        }
        Group(process_group)
    }

    /// Sends a signal to every process of the group.
    pub fn signal(&self, signal: Signal) {
        signal_one(self.0, signal);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        locked().remove(&self.0);
    }
}

/// Held while a child program is started, until its group is watched: whoever looks for processes that belong to nobody
/// holds it too.
pub(crate) fn starting() -> MutexGuard<'static, ()> {
    STARTING.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The groups that are watched now.
pub(crate) fn groups() -> BTreeSet<i32> {
    locked().clone()
}

fn locked() -> MutexGuard<'static, BTreeSet<i32>> {
    GROUPS.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

pub(super) fn signal_all(groups: &BTreeSet<i32>, signal: Signal) {
    for group in groups {
        signal_one(*group, signal);
    }
}

fn signal_one(group: i32, signal: Signal) {
    // To the kernel 0 is our own group, and 1 everybody.
    if group <= 1 {
        return;
    }
    // ESRCH only says that the group has ended already.
    let _ = killpg(Pid::from_raw(group), signal);
}
