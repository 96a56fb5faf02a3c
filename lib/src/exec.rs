//! Child programs: found, started with argument arrays, read as streams, and never left behind.
//!
//! Every child of the library is spawned here, but for somebody's command, which must not be isolated (`command`). It gets a process group of its own (so that all of it can be signalled),
//! dies with us (Linux: `PR_SET_PDEATHSIG`), speaks `LC_ALL=C`, and has its stderr drained into a bounded tail. A stream
//! from a child *fails at its end* when the child failed: half a dump is an error. Errors never show the argument list.

mod ask;
mod find;
mod stderr;
mod stream;

pub use ask::Answered;
pub use find::{find, version_of};
pub use stream::{Conversation, Sink, Stream};

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::error::{Error, Result};
use crate::interrupt::{self, Group};
use crate::secret::Secret;
use stderr::StderrTail;

/// The most a child's answer may hold when it is collected as a whole; longer output is read as a [`Stream`].
pub const ANSWER_MAX_BYTES: u64 = 64 << 20;
/// How long a child that was told to end may take before it is killed.
const STOP_GRACE: Duration = Duration::from_secs(5);
/// How often a waiting loop looks at signals and deadlines.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// The user a child runs as, where it must not be ours (a server refuses to run as root).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunAs {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

/// A program about to be called.
#[derive(Clone)]
pub struct Call {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    env_remove: Vec<OsString>,
    dir: Option<PathBuf>,
    run_as: Option<RunAs>,
    silence_max: Option<Duration>,
    stop_signal: Signal,
    files: Vec<Arc<File>>,
}

/// What a child that ended well has said.
#[derive(Debug)]
pub struct Answer {
    /// All of its stdout.
    pub stdout: Vec<u8>,
    /// The tail of its stderr, secrets struck out.
    pub stderr: String,
}

impl Answer {
    /// stdout as text, without the newline at its end.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end().to_owned()
    }
}

impl Call {
    /// A call of the program at `program`, which [`find`] has found.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Call {
            program: program.into(),
            args: Vec::new(),
            env: vec![("LC_ALL".into(), "C".into())],
            env_remove: Vec::new(),
            dir: None,
            run_as: None,
            silence_max: None,
            stop_signal: Signal::SIGTERM,
            files: Vec::new(),
        }
    }

    /// A call of a command that the user gives word by word: its first word is a path, or a name to be found. It speaks the
    /// user's own language.
    pub fn of_words(words: &[String]) -> Result<Self> {
        let (program, args) = words.split_first().ok_or_else(|| Error::config("a command has no words"))?;
        let found = if program.contains('/') { Some(PathBuf::from(program)) } else { find(program, &[]).into_iter().next() };
        let found =
            found.ok_or_else(|| Error::failed(format!("{program} is not found")).hint("is it installed, and is its folder on PATH?"))?;
        Ok(Call { env: Vec::new(), ..Call::new(found) }.args(args))
    }

    /// One argument. Never a secret: anyone on the machine can read argument lists.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Several arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// One environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// A secret for the child's environment, which only its own user can read.
    #[must_use]
    pub fn secret_env(self, name: impl Into<OsString>, value: &Secret) -> Self {
        self.env(name, value.expose())
    }

    /// An argument made of `option` and the path of a file that holds `text`, for secrets. The file has no name, is this
    /// child's alone, and is gone with it, also where we are killed.
    pub fn secret_file(mut self, option: &str, text: &str) -> Result<Self> {
        let cannot = |error| Error::from_io(format!("cannot make a private file for {}", self.name()), error);
        let mut file = tempfile::tempfile().map_err(cannot)?;
        file.write_all(text.as_bytes()).and_then(|()| file.rewind()).map_err(cannot)?;
        self.args.push(format!("{option}/dev/fd/{}", file.as_raw_fd()).into());
        self.files.push(Arc::new(file));
        Ok(self)
    }

    /// Takes a variable out of the child's environment.
    #[must_use]
    pub fn without_env(mut self, name: impl Into<OsString>) -> Self {
        self.env_remove.push(name.into());
        self
    }

    /// The child's working directory.
    #[must_use]
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// Runs the child as another user.
    #[must_use]
    pub fn run_as(mut self, user: Option<RunAs>) -> Self {
        self.run_as = user;
        self
    }

    /// The longest a [`Stream`] of this child may say nothing before the child is taken for hung and stopped.
    #[must_use]
    pub fn silence_max(mut self, limit: Duration) -> Self {
        self.silence_max = Some(limit);
        self
    }

    /// The signal that asks this child to stop, and reaches it when we die, where SIGTERM is not the best: a server may wait
    /// for its clients at that one.
    #[must_use]
    pub fn stop_signal(mut self, signal: Signal) -> Self {
        self.stop_signal = signal;
        self
    }

    /// The program's own name, for messages.
    pub fn name(&self) -> String {
        self.program.file_name().map_or_else(|| self.program.display().to_string(), |name| name.to_string_lossy().into_owned())
    }

    /// Runs it to its end; an error where it fails, with its last stderr line.
    pub fn run(self) -> Result<Answer> {
        let mut stream = self.stream()?;
        let mut stdout = Vec::new();
        let name = stream.child().name.clone();
        stream
            .by_ref()
            .take(ANSWER_MAX_BYTES + 1)
            .read_to_end(&mut stdout)
            .map_err(|error| Error::from_io(format!("cannot read what {name} says"), error))?;
        if stdout.len() as u64 > ANSWER_MAX_BYTES {
            return Err(Error::failed(format!("{name} says more than {ANSWER_MAX_BYTES} bytes")));
        }
        Ok(Answer { stdout, stderr: stream.child().stderr_tail() })
    }

    /// Starts it, to read its stdout.
    pub fn stream(self) -> Result<Stream> {
        let (reader, writer) = self.pipe()?;
        let silence_max = self.silence_max;
        let child = self.start(|expression| expression.stdin_null().stdout_file(writer))?;
        Ok(Stream::new(child, reader, silence_max))
    }

    /// Starts it, to write its stdin; what it says on stdout is thrown away.
    pub fn sink(self) -> Result<Sink> {
        let (reader, writer) = self.pipe()?;
        let child = self.start(|expression| expression.stdin_file(reader).stdout_null())?;
        Sink::new(child, writer)
    }

    /// Starts it, to talk with it line by line.
    pub fn talk(self) -> Result<Conversation> {
        let (their_stdin, our_writer) = self.pipe()?;
        let (our_reader, their_stdout) = self.pipe()?;
        let child = self.start(|expression| expression.stdin_file(their_stdin).stdout_file(their_stdout))?;
        Conversation::new(child, our_writer, our_reader)
    }

    /// Starts it in the background, with its stdout thrown away: a server that lives as long as the returned value.
    pub fn background(self) -> Result<Child> {
        self.start(|expression| expression.stdin_null().stdout_null())
    }

    fn pipe(&self) -> Result<(io::PipeReader, io::PipeWriter)> {
        io::pipe().map_err(|error| Error::from_io(format!("cannot make a pipe for {}", self.name()), error))
    }

    fn start(self, wire: impl FnOnce(duct::Expression) -> duct::Expression) -> Result<Child> {
        let name = self.name();
        let (stderr, stderr_writer) = StderrTail::open(&name)?;
        let (run_as, stop_signal) = (self.run_as, self.stop_signal);
        let mut expression = wire(duct::cmd(&self.program, &self.args)).stderr_file(stderr_writer).unchecked();
        for (key, value) in &self.env {
            expression = expression.env(key, value);
        }
        for key in &self.env_remove {
            expression = expression.env_remove(key);
        }
        if let Some(dir) = &self.dir {
            expression = expression.dir(dir);
        }
        let parent = nix::unistd::getpid();
        let files = self.files;
        let _starting = interrupt::starting();
        let handle = expression
            .before_spawn(move |command| {
                command.process_group(0);
                if let Some(user) = run_as {
                    command.gid(user.gid).uid(user.uid);
                }
                die_with_parent(command, parent, stop_signal);
                for file in &files {
                    inherit(command, Arc::clone(file));
                }
                Ok(())
            })
            .start()
            .map_err(|error| cannot_start(&self.program, error))?;
        let process_group = handle.pids().first().and_then(|pid| i32::try_from(*pid).ok()).unwrap_or(0);
        Ok(Child { handle, group: Group::watch(process_group), stderr, name, stop_signal: self.stop_signal, ended: false })
    }
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn die_with_parent(command: &mut std::process::Command, parent: nix::unistd::Pid, signal: Signal) {
    // SAFETY: between fork and exec only prctl and getppid are called, both async-signal-safe.
    unsafe {
        command.pre_exec(move || {
            nix::sys::prctl::set_pdeathsig(signal)?;
            if nix::unistd::getppid() != parent {
                return Err(io::Error::from_raw_os_error(nix::libc::ESRCH));
            }
            Ok(())
        });
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent(_command: &mut std::process::Command, _parent: nix::unistd::Pid, _signal: Signal) {}

/// Leaves an open file open, under its own number, in this one child.
#[allow(unsafe_code)]
fn inherit(command: &mut std::process::Command, file: Arc<File>) {
    // SAFETY: between fork and exec only fcntl is called, which is async-signal-safe.
    unsafe {
        command.pre_exec(move || {
            nix::fcntl::fcntl(&file, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty()))?;
            Ok(())
        });
    }
}

fn cannot_start(program: &Path, error: io::Error) -> Error {
    let what = format!("cannot start {}", program.display());
    match error.kind() {
        io::ErrorKind::NotFound => Error::failed(format!("{what}: not found")).hint("is it installed, and is its folder on PATH?"),
        _ => Error::from_io(what, error),
    }
}

/// A running child program. Dropped, it is stopped and reaped.
pub struct Child {
    handle: duct::Handle,
    group: Group,
    stderr: StderrTail,
    name: String,
    stop_signal: Signal,
    ended: bool,
}

impl Child {
    /// Whether it still runs.
    pub fn is_running(&self) -> bool {
        matches!(self.handle.try_wait(), Ok(None))
    }

    /// The tail of its stderr so far, secrets struck out.
    pub fn stderr_tail(&self) -> String {
        self.stderr.text()
    }

    /// The process id of the program itself.
    pub fn pid(&self) -> u32 {
        self.handle.pids().first().copied().unwrap_or(0)
    }

    /// Waits for its end and judges it: any status but 0 is an error that carries its last stderr line.
    pub fn finish(&mut self) -> Result<()> {
        // Not by a blocking wait: a child that has closed its stdout may still hang, and the deadline must be heard.
        let mut pause = Duration::from_millis(1);
        let status = loop {
            let ended = self.handle.try_wait().map_err(|error| Error::from_io(format!("cannot wait for {}", self.name), error))?;
            if let Some(output) = ended {
                break output.status;
            }
            interrupt::check()?;
            std::thread::sleep(pause);
            pause = (pause * 2).min(TICK);
        };
        self.ended = true;
        self.stderr.wait_for_end();
        if status.success() { Ok(()) } else { Err(self.failure(status)) }
    }

    fn failure(&self, status: ExitStatus) -> Error {
        use std::os::unix::process::ExitStatusExt;
        if let Err(stopped) = crate::interrupt::check() {
            return stopped;
        }
        let name = &self.name;
        if let Some(signal) = status.signal() {
            let error = Error::failed(format!("{name} was ended by signal {signal}"));
            return if signal == nix::libc::SIGKILL {
                error.hint("the kernel kills what uses too much memory: look for 'Out of memory' in dmesg")
            } else {
                error
            };
        }
        let code = status.code().unwrap_or(-1);
        match self.stderr.last_line() {
            Some(line) => {
                Error::failed(format!("{name} failed (status {code}): {}", line.strip_prefix(&format!("{name}: ")).unwrap_or(&line)))
            }
            None => Error::failed(format!("{name} failed with status {code} and said nothing")),
        }
    }

    /// Asks it to stop, waits a little, kills it if it must, and reaps it.
    pub fn stop(&mut self) {
        if self.ended {
            return;
        }
        self.group.signal(self.stop_signal);
        let asked = Instant::now();
        // A client is gone in less than a millisecond, a server takes seconds.
        let mut pause = Duration::from_micros(100);
        while self.is_running() {
            if asked.elapsed() > STOP_GRACE {
                self.group.signal(Signal::SIGKILL);
                break;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(5));
        }
        let _ = self.handle.wait();
        // Whatever it started in its own group goes with it.
        self.group.signal(Signal::SIGKILL);
        self.ended = true;
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests;
