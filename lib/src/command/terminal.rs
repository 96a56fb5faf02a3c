//! Our part at the terminal and in job control.

use std::fs::File;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigHandler, Signal, kill, raise, signal};
use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use nix::unistd::{Pid, getpgrp, tcgetpgrp, tcsetpgrp};

use super::watch::SIGNAL_LAG;
use crate::process::Stat;

/// The terminal that a command runs at. As long as this lives, we stop when the command stops, neither sooner nor later, so that
/// the shell sees what it would see of the command alone.
pub(super) struct Terminal {
    tty: Option<Tty>,
    before: Vec<(Signal, SigHandler)>,
}

/// What a shell would put right after a command.
struct Tty {
    file: File,
    is_ours: bool,
    modes: Option<Termios>,
}

impl Terminal {
    /// From now on the keys and the background stop us only by way of the command.
    #[allow(unsafe_code)]
    pub(super) fn take() -> Self {
        let ignore = |number| {
            // SAFETY: ignoring a signal runs no code. A started command gets its own dispositions back.
            Some((number, unsafe { signal(number, SigHandler::SigIgn) }.ok()?))
        };
        let tty = File::options().read(true).write(true).open("/dev/tty").ok().map(|file| Tty {
            is_ours: tcgetpgrp(&file) == Ok(getpgrp()),
            modes: tcgetattr(&file).ok(),
            file,
        });
        Terminal { tty, before: [Signal::SIGTSTP, Signal::SIGTTIN, Signal::SIGTTOU].into_iter().filter_map(ignore).collect() }
    }

    /// Stops us as the command was stopped, until somebody lets us go on; how long that was.
    ///
    /// Not without a terminal: there is no shell that would let both go on, and a command that was continued alone would end
    /// unheard.
    pub(super) fn stop_with(&self, pid: i32) -> Duration {
        let begun = Instant::now();
        let is_stopped = || Stat::of(pid).is_none_or(|stat| stat.is_stopped());
        if self.tty.is_some() && is_stopped() {
            // To this very thread, so that it takes no step further.
            let _ = raise(Signal::SIGSTOP);
            // The shell has let the whole group go on; anybody else perhaps us alone.
            std::thread::sleep(SIGNAL_LAG);
            if is_stopped() {
                let _ = kill(Pid::from_raw(pid), Signal::SIGCONT);
            }
        }
        begun.elapsed()
    }

    /// After the command, does what a shell does: is in the foreground again, and has its modes back where a signal ended the
    /// command (in the middle of a password, perhaps). A question may have to be asked next.
    pub(super) fn take_back(&self, was_killed: bool) {
        let Some(tty) = self.tty.as_ref().filter(|tty| tty.is_ours) else { return };
        if tcgetpgrp(&tty.file) != Ok(getpgrp()) {
            let _ = tcsetpgrp(&tty.file, getpgrp());
        }
        if let Some(modes) = tty.modes.as_ref().filter(|_| was_killed) {
            let _ = tcsetattr(&tty.file, SetArg::TCSADRAIN, modes);
        }
    }
}

impl Drop for Terminal {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        for (number, handler) in &self.before {
            // SAFETY: what was there before.
            let _ = unsafe { signal(*number, *handler) };
        }
    }
}
