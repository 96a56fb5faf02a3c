//! Somebody's command, run as if it had been started directly: with the terminal, the standard streams, the working
//! directory, the environment, the limits and the signals that it would have had, and with its status passed on.
//!
//! It stays in our process group and session, so that the terminal and job control work as ever. Each signal reaches it
//! once: one that was sent to the whole group has reached it already, one that was sent to us alone is passed on (see
//! [`witness`]). We never end before it does. What it leaves behind is waited for, and then named.
//!
//! This is the one place where a child is not started by [`crate::exec`]: that one isolates its children, this one must not.

mod family;
mod find;
mod start;
mod terminal;
mod watch;
mod witness;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::libc;

use crate::error::{Error, Result};
use crate::fsx;
use crate::interrupt;
use crate::process::Process;
use crate::secret::redact_words;
use crate::shell;

/// The signals that are for the command while it runs.
const PASSED_ON: [i32; 6] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT, libc::SIGUSR1, libc::SIGUSR2];
/// How long processes that a command left behind are waited for, unless the caller says otherwise.
pub const LINGER: Duration = Duration::from_secs(30);

/// A command that was found and may be executed.
#[derive(Debug, Clone)]
pub struct Wrapped {
    argv: Vec<OsString>,
    program: PathBuf,
}

/// What to change in the environment: a variable's new value, or none to take it away.
pub type Changes = BTreeMap<OsString, Option<OsString>>;

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The command itself; when it is over, it and all its descendants get SIGTERM.
    pub timeout: Option<Duration>,
    /// From that SIGTERM to SIGKILL.
    pub grace: Duration,
    /// What the command has left behind when it ended.
    pub linger: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { timeout: None, grace: interrupt::GRACE, linger: LINGER }
    }
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its status as a shell gives it: its own, or 128 plus the signal that ended it.
    pub status: u8,
    /// Whether its time was over.
    pub timed_out: bool,
    /// The signals that came to us while it ran, in order; each has reached it once.
    pub signals_received: Vec<i32>,
    /// Its processes that still run.
    pub left_behind: Vec<Process>,
    /// What kept it when its time was over, a sentence each.
    pub held_up: Vec<String>,
    /// From its start to its end.
    pub duration: Duration,
}

impl Wrapped {
    /// Looks for the program as a shell does, and changes nothing.
    ///
    /// Errors: [`crate::error::Kind::Wrapper`] with [`crate::exit::NOT_FOUND`] or [`crate::exit::NOT_RUNNABLE`].
    pub fn find(argv: &[OsString]) -> Result<Self> {
        let program = find::program(argv)?;
        Ok(Wrapped { argv: argv.to_vec(), program })
    }

    /// The file that is executed.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The words it was called with.
    pub fn argv(&self) -> &[OsString] {
        &self.argv
    }

    /// The same program with other arguments, for instance with a placeholder filled in.
    #[must_use]
    pub fn with_args(mut self, args: impl IntoIterator<Item = OsString>) -> Self {
        self.argv.truncate(1);
        self.argv.extend(args);
        self
    }

    /// The command line as it could be typed into a shell, for reasons and reports; secrets are struck out.
    pub fn line(&self) -> String {
        let words: Vec<String> = self.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        redact_words(&words).iter().map(|word| shell::word(word)).collect::<Vec<_>>().join(" ")
    }

    /// What tells this very command from every other one that reads alike: its words byte by byte, the program's file as it is
    /// now, and the working directory.
    pub fn digest(&self) -> String {
        let mut all = Vec::new();
        for word in &self.argv {
            all.extend_from_slice(word.as_encoded_bytes());
            all.push(0);
        }
        let program = self.program.canonicalize().unwrap_or_else(|_| self.program.clone());
        all.extend_from_slice(program.as_os_str().as_encoded_bytes());
        if let Ok(found) = program.metadata() {
            all.extend_from_slice(format!("\0{} {} {}.{:09}\0", found.ino(), found.len(), found.mtime(), found.mtime_nsec()).as_bytes());
        }
        all.extend_from_slice(std::env::current_dir().unwrap_or_default().as_os_str().as_encoded_bytes());
        fsx::sha256_hex(&all)
    }

    /// Becomes the command. Returns only where that cannot be done, with the error.
    pub fn replace_us(self) -> Error {
        start::become_it(&self)
    }

    /// Runs it to its end.
    ///
    /// `starts` is called when its process is there and has not executed anything yet: what it writes down is never too late,
    /// and if it fails, or we are killed meanwhile, nothing runs. `held_up` is asked what keeps the command when its time is
    /// over, while it still is kept; its answer must come soon. `note` gets sentences for a person who waits.
    ///
    /// Errors: only as long as the command has not run. Once it has, there is an [`Ended`].
    pub fn run(
        &self,
        changes: &Changes,
        limits: Limits,
        starts: impl FnOnce(&Process) -> Result<()>,
        mut held_up: impl FnMut() -> Vec<String>,
        mut note: impl FnMut(&str),
    ) -> Result<Ended> {
        watch::run(self, changes, limits, starts, watch::Told { held_up: &mut held_up, note: &mut note })
    }
}
