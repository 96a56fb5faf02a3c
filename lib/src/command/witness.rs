//! The witness: a second process in our group that does nothing but note which signals it gets.
//!
//! A signal's sender says whether it meant one process or a whole group, and its receiver cannot tell. Ctrl-C, a shell's
//! `kill %1`, `timeout` and a session that ends signal the group, so that the command has the signal already; `kill PID` and a
//! supervisor signal us alone, so that it has to be passed on. What the witness has got, the command has got.

use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork, getpid, getsid};

use super::PASSED_ON;
use crate::interrupt::{REPEAT, Received};

/// How long after us the last process of a group gets its signal: the kernel takes microseconds, and `timeout` signals us
/// and then the group.
const SPREAD: Duration = Duration::from_millis(30);
/// How long an answer of the witness may take: on a busy machine it waits for a processor.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// The witness's word that it has told all.
const THAT_IS_ALL: u8 = 0;

/// What it is called in a list of processes; the kernel keeps 15 bytes.
#[cfg(target_os = "linux")]
const NAME: &std::ffi::CStr = c"signal-witness";
/// Where the system has no call that closes all descriptors, those above this stay open.
const DESCRIPTOR_MAX: RawFd = 4096;

/// The other process; gone with this value, or with us.
pub(super) struct Witness {
    pid: Pid,
    questions: Option<PipeWriter>,
    answers: PipeReader,
    /// Signals that it has got, and when that was heard.
    seen: Vec<(i32, Instant)>,
    can_be_heard: bool,
}

impl Witness {
    /// Calls one. Without one (the system has no process left) the signal's cause has to do.
    #[allow(unsafe_code)]
    pub(super) fn call() -> Option<Self> {
        let (questioned, questions) = std::io::pipe().ok()?;
        let (answers, answerer) = std::io::pipe().ok()?;
        let argument_area = argument_area();
        let before = SigSet::all().thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_SETMASK).ok()?;
        // SAFETY: the child calls nothing but async-signal-safe functions and allocates nothing; it ends by _exit.
        let forked = unsafe { fork() };
        if let Ok(ForkResult::Child) = forked {
            testify(questioned.as_raw_fd(), answerer.as_raw_fd(), argument_area);
        }
        let _ = before.thread_set_mask();
        match forked {
            Ok(ForkResult::Parent { child }) => {
                Some(Witness { pid: child, questions: Some(questions), answers, seen: Vec::new(), can_be_heard: true })
            }
            _ => None,
        }
    }

    /// Whether the whole group has just got this signal; nothing where the witness does not answer.
    fn has_seen(&mut self, number: i32) -> Option<bool> {
        if !self.can_be_heard {
            return None;
        }
        std::thread::sleep(SPREAD);
        self.can_be_heard = self.hear().is_some();
        self.seen.retain(|(_, at)| at.elapsed() < REPEAT);
        self.can_be_heard.then(|| self.seen.iter().any(|(seen, _)| *seen == number))
    }

    /// Asks, and listens until it has said that it has told all. Its handlers run before it answers.
    fn hear(&mut self) -> Option<()> {
        self.questions.as_mut()?.write_all(&[THAT_IS_ALL]).ok()?;
        let asked = Instant::now();
        loop {
            let left = ANSWER_MAX.checked_sub(asked.elapsed())?;
            let mut fds = [PollFd::new(self.answers.as_fd(), PollFlags::POLLIN)];
            match poll(&mut fds, PollTimeout::try_from(left).ok()?) {
                Ok(0) => return None,
                Err(nix::errno::Errno::EINTR) => continue,
                Err(_) => return None,
                Ok(_) => {}
            }
            let mut words = [0; 64];
            let count = self.answers.read(&mut words).ok().filter(|count| *count > 0)?;
            for word in &words[..count] {
                match *word {
                    THAT_IS_ALL => return Some(()),
                    number => self.seen.push((i32::from(number), Instant::now())),
                }
            }
        }
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        // It ends when it can be asked no more.
        self.questions = None;
        let _ = nix::sys::signal::kill(self.pid, Signal::SIGKILL);
        let _ = waitpid(self.pid, None);
    }
}

/// Whether the command has got this signal together with us.
pub(super) fn was_for_all(witness: Option<&mut Witness>, received: Received) -> bool {
    // Without a word of the witness: the kernel signals the group of the terminal, but at its end the first process of the
    // session alone.
    let by_cause = || received.by_kernel && !(received.number == libc::SIGHUP && getsid(None) == Ok(getpid()));
    witness.and_then(|witness| witness.has_seen(received.number)).unwrap_or_else(by_cause)
}

static ANSWERS: AtomicI32 = AtomicI32::new(-1);

extern "C" fn tell(number: libc::c_int) {
    say(ANSWERS.load(Ordering::Relaxed), u8::try_from(number).unwrap_or(THAT_IS_ALL));
}

#[allow(unsafe_code)]
fn say(to: RawFd, word: u8) {
    // SAFETY: one byte is read from where it stands.
    unsafe { libc::write(to, (&raw const word).cast(), 1) };
}

/// The witness's life, in the forked child.
#[allow(unsafe_code)]
fn testify(questions: RawFd, answers: RawFd, argument_area: Option<(usize, usize)>) -> ! {
    ANSWERS.store(answers, Ordering::Relaxed);
    // It must keep nobody's pipe, lock or terminal open.
    close_all_but(questions.min(answers), questions.max(answers));
    take_another_name(argument_area);
    let action = |handler| SigAction::new(handler, SaFlags::empty(), SigSet::all());
    for signal in Signal::iterator() {
        let handler = match signal {
            signal if PASSED_ON.contains(&(signal as i32)) => SigHandler::Handler(tell),
            // It has to answer although the command was stopped.
            Signal::SIGTSTP | Signal::SIGTTIN | Signal::SIGTTOU | Signal::SIGPIPE => SigHandler::SigIgn,
            _ => SigHandler::SigDfl,
        };
        // SAFETY: `tell` only writes a byte. SIGKILL and SIGSTOP are refused, as they must be.
        let _ = unsafe { sigaction(signal, &action(handler)) };
    }
    let _ = SigSet::empty().thread_set_mask();
    loop {
        let mut word = 0u8;
        // SAFETY: one byte is written where there is room for it.
        let count = unsafe { libc::read(questions, (&raw mut word).cast(), 1) };
        let is_interrupted = count < 0 && nix::errno::Errno::last() == nix::errno::Errno::EINTR;
        match count {
            1 => say(answers, THAT_IS_ALL),
            _ if is_interrupted => {}
            // SAFETY: ends this process at once, as a forked child must.
            _ => unsafe { libc::_exit(0) },
        }
    }
}

/// Closes every descriptor but two.
#[allow(unsafe_code)]
fn close_all_but(low: RawFd, high: RawFd) {
    #[cfg(target_os = "linux")]
    {
        let close_range = |first: RawFd, last: RawFd| {
            // SAFETY: nothing of this process uses the descriptors any more.
            first > last || unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } == 0
        };
        if close_range(0, low - 1) && close_range(low + 1, high - 1) && close_range(high + 1, RawFd::MAX) {
            return;
        }
    }
    for descriptor in (0..DESCRIPTOR_MAX).filter(|number| *number != low && *number != high) {
        // SAFETY: as above.
        unsafe { libc::close(descriptor) };
    }
}

/// Shows itself under a name of its own, so that `pkill` with our name does not look like a signal to the whole group.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn take_another_name(argument_area: Option<(usize, usize)>) {
    let _ = nix::sys::prctl::set_name(NAME);
    if let Some((begin, end)) = argument_area.filter(|(begin, end)| end - begin > NAME.count_bytes()) {
        // SAFETY: the system says that this process's arguments stand there; in this process nobody reads them.
        unsafe {
            std::ptr::write_bytes(begin as *mut u8, 0, end - begin);
            std::ptr::copy_nonoverlapping(NAME.as_ptr().cast(), begin as *mut u8, NAME.count_bytes());
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn take_another_name(_argument_area: Option<(usize, usize)>) {}

/// Where the arguments stand in memory: the 48th and 49th field of `/proc/self/stat`.
fn argument_area() -> Option<(usize, usize)> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(45).map(|field| field.parse().ok());
    let (begin, end) = (fields.next()??, fields.next()??);
    (begin != 0 && begin < end).then_some((begin, end))
}
