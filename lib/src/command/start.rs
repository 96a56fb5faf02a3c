//! The start: the process is there, and is written down, before it executes anything.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;

use nix::libc;
use nix::sys::signal::SigSet;

use super::watch::Event;
use super::{Changes, Wrapped};
use crate::error::{Error, Kind, Result};
use crate::process::Process;
use crate::{exit, inherited};

/// What lets the waiting process go on; anything else, or nothing, ends it.
const GO: u8 = b'g';

/// The process of the command. Its end comes as [`Event`]s.
pub(super) struct Started {
    pub(super) process: Process,
    pub(super) waiter: JoinHandle<()>,
}

/// Starts it, once `starts` has returned.
pub(super) fn start(
    wrapped: &Wrapped,
    changes: &Changes,
    starts: impl FnOnce(&Process) -> Result<()>,
    events: &Sender<Event>,
) -> Result<Started> {
    let no_pipe = |error| Error::from_io("cannot make a pipe for the command", error);
    let (mut announcement, announcer) = io::pipe().map_err(no_pipe)?;
    let (gate, mut opener) = io::pipe().map_err(no_pipe)?;
    let (spawned, outcome) = std::sync::mpsc::channel();

    let command = prepare(wrapped, changes, announcer, gate, &opener);
    let events = events.clone();
    let waiter = std::thread::spawn(move || spawn_and_wait(command, &spawned, &events));

    let mut pid = [0; 4];
    let is_there = announcement.read_exact(&mut pid).is_ok();
    let process = Process::of(i32::from_ne_bytes(pid), wrapped.line());
    let noted = if is_there { starts(&process) } else { Ok(()) };
    if is_there && noted.is_ok() {
        // A process that is gone by now is told about below.
        let _ = opener.write_all(&[GO]);
    }
    drop(opener);
    let outcome = outcome.recv().unwrap_or_else(|_| Err(io::Error::other("its thread has ended")));
    noted?;
    outcome.map_err(|error| cannot_run(wrapped, error))?;
    Ok(Started { process, waiter })
}

/// Executes the command in our own place.
#[allow(unsafe_code)]
pub(super) fn become_it(wrapped: &Wrapped) -> Error {
    let mut command = words_of(wrapped);
    // SAFETY: what `restore` calls is async-signal-safe, and nothing is allocated.
    unsafe { command.pre_exec(inherited::restore) };
    cannot_run(wrapped, command.exec())
}

fn words_of(wrapped: &Wrapped) -> Command {
    let mut command = Command::new(&wrapped.program);
    if let Some((name, args)) = wrapped.argv.split_first() {
        command.arg0(name).args(args);
    }
    command
}

#[allow(unsafe_code)]
fn prepare(wrapped: &Wrapped, changes: &Changes, mut announcer: PipeWriter, mut gate: PipeReader, opener: &PipeWriter) -> Command {
    let mut command = words_of(wrapped);
    for (name, value) in changes {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let opener = opener.as_raw_fd();
    // SAFETY: between fork and exec only getpid, write, close, read and what `restore` calls are called, all of them
    // async-signal-safe, and nothing is allocated. The closed descriptor is the child's own copy.
    unsafe {
        command.pre_exec(move || {
            announcer.write_all(&libc::getpid().to_ne_bytes())?;
            // With our own copy of the other end open, the end of a killed wrapper would never be heard of.
            libc::close(opener);
            let mut word = [0];
            if gate.read(&mut word)? != 1 || word[0] != GO {
                return Err(io::Error::from_raw_os_error(libc::ECANCELED));
            }
            inherited::restore()
        });
    }
    command
}

/// Starts it with every signal blocked until the last moment: one that came between fork and exec would be taken by our
/// handlers, in the child, and be lost to the command.
fn spawn_and_wait(mut command: Command, spawned: &Sender<io::Result<()>>, events: &Sender<Event>) {
    let _ = SigSet::all().thread_block();
    let outcome = command.spawn();
    // The other ends of both pipes go with it.
    drop(command);
    match outcome {
        Ok(child) => {
            let _ = spawned.send(Ok(()));
            wait(child.id(), events);
        }
        Err(error) => {
            let _ = spawned.send(Err(error));
        }
    }
}

/// Tells of each stop of the process, and of its end; it is left to be reaped by who knows that nobody signals it any more.
#[allow(unsafe_code)]
fn wait(pid: u32, events: &Sender<Event>) {
    let ask = |flags| {
        // SAFETY: an all-zero siginfo_t is a valid one, and waitid fills it in.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        // SAFETY: as above; the pid is that of a child that nobody else waits for.
        let answer = unsafe { libc::waitid(libc::P_PID, pid, &mut info, flags) };
        // SAFETY: after success the fields of a child's change of state are there.
        (answer, info.si_code, unsafe { info.si_status() })
    };
    loop {
        match ask(libc::WEXITED | libc::WSTOPPED | libc::WNOWAIT) {
            (0, libc::CLD_STOPPED, _) => {
                let _ = ask(libc::WSTOPPED | libc::WNOHANG);
                let _ = events.send(Event::Stopped);
            }
            (0, libc::CLD_EXITED, code) => return ended(events, u8::try_from(code & 0xff).unwrap_or(u8::MAX)),
            (0, libc::CLD_KILLED | libc::CLD_DUMPED, signal) => return ended(events, Kind::Signal(signal).status()),
            (0, _, _) => {}
            // Not our child: only a bug can say that, and there is nothing to wait for.
            _ if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted => return ended(events, exit::FAILED),
            _ => {}
        }
    }
}

fn ended(events: &Sender<Event>, status: u8) {
    let _ = events.send(Event::Ended(status));
}

fn cannot_run(wrapped: &Wrapped, error: io::Error) -> Error {
    let status = if error.kind() == io::ErrorKind::NotFound { exit::NOT_FOUND } else { exit::NOT_RUNNABLE };
    Error::new(Kind::Wrapper(status), format!("cannot run {}", wrapped.program.display())).because(error)
}
