//! The pipes to and from a child: a stream to read, a sink to write, a conversation of lines.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{Child, TICK};
use crate::error::{Error, Result};
use crate::interrupt;

/// How much a pipe holds at best: what Linux allows everybody (`fs.pipe-max-size`).
#[cfg(target_os = "linux")]
const PIPE_BYTES: i32 = 1 << 20;
/// How long a child is left to write where little has come.
const GATHER_WAIT: Duration = Duration::from_micros(500);

/// A child's stdout. Its end is an error where the child failed; dropped early, the child is stopped.
pub struct Stream {
    child: Child,
    pipe: io::PipeReader,
    silence_max: Option<Duration>,
    last_heard: Instant,
    at_end: bool,
}

impl Stream {
    pub(super) fn new(child: Child, pipe: io::PipeReader, silence_max: Option<Duration>) -> Self {
        widen(&pipe);
        Stream { child, pipe, silence_max, last_heard: Instant::now(), at_end: false }
    }

    /// The child behind it.
    pub fn child(&self) -> &Child {
        &self.child
    }

    /// Reads what there is. Programs write in pieces of a page: where each woke us, two processes would change places 50,000
    /// times for 200 MB, so a child that has written little is left to write for a moment.
    fn gather(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut count = self.pipe.read(buffer)?;
        while count > 0 && count < buffer.len() / 2 {
            std::thread::sleep(GATHER_WAIT);
            if !is_ready_within(self.pipe.as_fd(), PollFlags::POLLIN, Duration::ZERO)? {
                break;
            }
            match self.pipe.read(&mut buffer[count..])? {
                0 => break,
                more => count += more,
            }
        }
        Ok(count)
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at_end || buffer.is_empty() {
            return Ok(0);
        }
        loop {
            interrupt::check()?;
            if is_ready(self.pipe.as_fd(), PollFlags::POLLIN)? {
                let count = self.gather(buffer)?;
                self.last_heard = Instant::now();
                if count == 0 {
                    self.at_end = true;
                    self.child.finish()?;
                }
                return Ok(count);
            }
            if self.silence_max.is_some_and(|limit| self.last_heard.elapsed() > limit) {
                let silence = self.last_heard.elapsed().as_secs();
                let name = self.child.name.clone();
                self.child.stop();
                return Err(Error::failed(format!("{name} hangs: nothing came from it for {silence} s; it was stopped"))
                    .hint("look for a lock it waits for, or allow more with stall_timeout")
                    .into());
            }
        }
    }
}

/// A child's stdin. [`Sink::finish`] closes it and judges the child; dropped before that, the child is stopped.
pub struct Sink {
    child: Child,
    pipe: Option<io::PipeWriter>,
}

impl Sink {
    pub(super) fn new(child: Child, pipe: io::PipeWriter) -> Result<Self> {
        never_block(&pipe)?;
        widen(&pipe);
        Ok(Sink { child, pipe: Some(pipe) })
    }

    /// The child behind it.
    pub fn child(&self) -> &Child {
        &self.child
    }

    /// Closes the child's stdin and waits for its end; an error where it failed. Returns the tail of its stderr.
    pub fn finish(&mut self) -> Result<String> {
        self.pipe = None;
        self.child.finish()?;
        Ok(self.child.stderr_tail())
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(pipe) = &mut self.pipe else { return Err(io::ErrorKind::BrokenPipe.into()) };
        match write_when_ready(pipe, bytes) {
            // The child has closed its end: what it died of says more than "broken pipe".
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.pipe = None;
                self.child.finish()?;
                Err(Error::failed(format!("{} ended before it had read everything", self.child.name)).into())
            }
            other => other,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A child that is told lines and answers with lines.
pub struct Conversation {
    child: Child,
    to: io::PipeWriter,
    from: BufReader<io::PipeReader>,
    pending: Vec<u8>,
}

impl Conversation {
    pub(super) fn new(child: Child, to: io::PipeWriter, from: io::PipeReader) -> Result<Self> {
        never_block(&to)?;
        Ok(Conversation { child, to, from: BufReader::new(from), pending: Vec::new() })
    }

    /// Tells the child something.
    pub fn say(&mut self, text: &str) -> Result<()> {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            match write_when_ready(&mut self.to, rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Err(self.ended()),
                Err(error) => return Err(Error::from_io(format!("cannot talk to {}", self.child.name), error)),
            }
        }
        Ok(())
    }

    /// The child's next line, without its newline. Errors where the child has ended, failed, or says nothing for `limit`.
    pub fn hear(&mut self, limit: Duration) -> Result<Vec<u8>> {
        let start = Instant::now();
        loop {
            let buffered = self.from.buffer();
            if let Some(end) = buffered.iter().position(|byte| *byte == b'\n') {
                self.pending.extend_from_slice(&buffered[..end]);
                self.from.consume(end + 1);
                return Ok(std::mem::take(&mut self.pending));
            }
            let taken = buffered.len();
            self.pending.extend_from_slice(buffered);
            self.from.consume(taken);
            let name = &self.child.name;
            let cannot = |error| Error::from_io(format!("cannot listen to {name}"), error);
            loop {
                interrupt::check()?;
                if is_ready(self.from.get_ref().as_fd(), PollFlags::POLLIN).map_err(cannot)? {
                    break;
                }
                if start.elapsed() > limit {
                    return Err(Error::failed(format!("{name} gave no answer within {} s", limit.as_secs())));
                }
            }
            if self.from.fill_buf().map_err(cannot)?.is_empty() {
                return Err(self.ended());
            }
        }
    }

    /// The child behind it.
    pub fn child(&self) -> &Child {
        &self.child
    }

    fn ended(&mut self) -> Error {
        match self.child.finish() {
            Err(error) => error,
            Ok(()) => Error::failed(format!("{} ended in the middle of the conversation", self.child.name)),
        }
    }
}

fn never_block(pipe: &io::PipeWriter) -> Result<()> {
    fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map(|_| ()).map_err(|error| Error::failed("cannot set up a pipe").because(error))
}

fn write_when_ready(pipe: &mut io::PipeWriter, bytes: &[u8]) -> io::Result<usize> {
    loop {
        interrupt::check()?;
        if is_ready(pipe.as_fd(), PollFlags::POLLOUT)? {
            match pipe.write(bytes) {
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                other => return other,
            }
        }
    }
}

/// Waits one tick at most for the descriptor.
fn is_ready(fd: BorrowedFd<'_>, flags: PollFlags) -> io::Result<bool> {
    is_ready_within(fd, flags, TICK)
}

fn is_ready_within(fd: BorrowedFd<'_>, flags: PollFlags, wait: Duration) -> io::Result<bool> {
    let mut fds = [PollFd::new(fd, flags)];
    match poll(&mut fds, PollTimeout::try_from(wait).unwrap_or(PollTimeout::ZERO)) {
        Ok(count) => Ok(count > 0),
        Err(nix::errno::Errno::EINTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Gives a pipe as much room as it may have; with less it is only slower.
#[cfg_attr(not(target_os = "linux"), allow(unused_variables))]
fn widen(pipe: &impl AsFd) {
    #[cfg(target_os = "linux")]
    let _ = fcntl(pipe, FcntlArg::F_SETPIPE_SZ(PIPE_BYTES));
}
