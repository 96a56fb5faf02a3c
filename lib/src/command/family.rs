//! The command's processes: its own one, all that descend from it, and what it has left behind.
//!
//! While a command runs we adopt its orphans (Linux: `PR_SET_CHILD_SUBREAPER`), so that a process which has turned itself
//! into a daemon is still found below us. Our own children (a private server, `psql`) and all that descends from them are none of
//! the command's.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::{Pid, getpid};

use crate::interrupt;
use crate::process::{Process, Stat, command_line};

/// Processes by id and start.
type Known = BTreeSet<(i32, u64)>;

/// Tells the command's processes from our own.
pub(super) struct Family {
    /// Ours: they were there before, or descend from a child of [`crate::exec`].
    ours: Known,
    /// The process of the command, as long as it was not waited for.
    root: Option<i32>,
    /// Whether we adopted orphans before.
    #[cfg(target_os = "linux")]
    adopted_before: bool,
}

impl Family {
    /// Notes which children we have before the command starts, and adopts orphans from now on.
    pub(super) fn before() -> Self {
        let _still = interrupt::starting();
        let me = getpid().as_raw();
        let all = Stat::all();
        let ours = below(&all, all.iter().filter(|stat| stat.parent == me)).iter().map(known).collect();
        #[cfg(target_os = "linux")]
        {
            let adopted_before = nix::sys::prctl::get_child_subreaper().unwrap_or(false);
            let _ = nix::sys::prctl::set_child_subreaper(true);
            Family { ours, root: None, adopted_before }
        }
        #[cfg(not(target_os = "linux"))]
        Family { ours, root: None }
    }

    /// The command has started as this process.
    pub(super) fn begin(&mut self, root: i32) {
        self.root = Some(root);
    }

    /// The process of the command was waited for.
    pub(super) fn root_has_gone(&mut self) {
        self.root = None;
    }

    /// Every process of the command that runs now, parents before children. What has ended and was ours to wait for is gone
    /// afterwards.
    pub(super) fn members(&mut self) -> Vec<Stat> {
        let found = {
            let _still = interrupt::starting();
            self.sort(&Stat::all(), getpid().as_raw(), &interrupt::groups())
        };
        let me = getpid().as_raw();
        for orphan in found.iter().filter(|stat| stat.has_ended() && stat.parent == me && Some(stat.pid) != self.root) {
            let _ = waitpid(Pid::from_raw(orphan.pid), Some(WaitPidFlag::WNOHANG));
        }
        found.into_iter().filter(|stat| !stat.has_ended()).collect()
    }

    /// Parts all processes below `me` into ours, which are remembered, and the command's, which are given.
    fn sort(&mut self, all: &[Stat], me: i32, our_groups: &BTreeSet<i32>) -> Vec<Stat> {
        let children = || all.iter().filter(|stat| stat.parent == me);
        let is_ours = |stat: &&Stat| Some(stat.pid) != self.root && (self.ours.contains(&known(stat)) || our_groups.contains(&stat.group));
        let ours: Known = below(all, children().filter(is_ours)).iter().map(known).collect();
        self.ours.extend(ours);
        // A descendant of ours may have been adopted since it was last seen.
        below(all, children().filter(|stat| Some(stat.pid) == self.root || !self.ours.contains(&known(stat))))
    }

    /// Sends a signal to each of the command's processes, parents first: a shell that waits for its child must not go on to
    /// the next line of its script.
    pub(super) fn signal(&mut self, signal: Signal) {
        let members = self.members();
        for stat in &members {
            // The number may belong to another process by now.
            if Stat::of(stat.pid).is_some_and(|now| known(&now) == known(stat)) {
                let _ = kill(Pid::from_raw(stat.pid), signal);
                if stat.is_stopped() && signal != Signal::SIGKILL {
                    let _ = kill(Pid::from_raw(stat.pid), Signal::SIGCONT);
                }
            }
        }
        // Without /proc, only the command itself is known.
        if let (true, Some(root)) = (members.is_empty(), self.root) {
            let _ = kill(Pid::from_raw(root), signal);
        }
    }

    /// The command's processes, for people.
    pub(super) fn names(&mut self) -> Vec<Process> {
        self.members().iter().map(|stat| Process::of(stat.pid, command_line(stat.pid))).collect()
    }
}

#[cfg(target_os = "linux")]
impl Drop for Family {
    fn drop(&mut self) {
        let _ = nix::sys::prctl::set_child_subreaper(self.adopted_before);
    }
}

fn known(stat: &Stat) -> (i32, u64) {
    (stat.pid, stat.started)
}

/// These processes and all that descend from them, parents first.
fn below<'a>(all: &[Stat], roots: impl Iterator<Item = &'a Stat>) -> Vec<Stat> {
    let mut children: BTreeMap<i32, Vec<&Stat>> = BTreeMap::new();
    for stat in all {
        children.entry(stat.parent).or_default().push(stat);
    }
    let mut found: Vec<Stat> = Vec::new();
    let mut next: VecDeque<&Stat> = roots.collect();
    while let Some(stat) = next.pop_front() {
        found.push(*stat);
        next.extend(children.get(&stat.pid).into_iter().flatten());
    }
    found
}
