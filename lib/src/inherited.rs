//! What this process was started with, noted before anything of ours or of the Rust runtime changes it (the runtime
//! ignores SIGPIPE, a binary forbids core files and takes a private umask), so that a wrapped command can be given
//! exactly what a direct start would have given it.

use std::io;
use std::sync::OnceLock;

use nix::libc;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use nix::sys::stat::{Mode, umask};

/// The signals that have a disposition worth keeping; the real-time ones are touched by nobody here.
const LAST_SIGNAL: i32 = 31;

static AT_START: OnceLock<Inherited> = OnceLock::new();

#[derive(Debug)]
struct Inherited {
    /// Bit n is set where signal n was ignored.
    ignored: u32,
    mask: SigSet,
    umask: Mode,
    core_max_bytes: Option<u64>,
}

// SAFETY: the loader calls what stands in this section once, before main, and `note` is a function of the C convention
// that needs no argument and does not unwind.
#[used]
#[allow(unsafe_code)]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
static BEFORE_MAIN: extern "C" fn() = note;

extern "C" fn note() {
    let _ = AT_START.set(Inherited::now());
}

impl Inherited {
    fn now() -> Self {
        let mut mask = SigSet::empty();
        let _ = sigprocmask(SigmaskHow::SIG_BLOCK, None, Some(&mut mask));
        // It can only be read by setting it; there is no second thread yet.
        let mode = umask(Mode::empty());
        umask(mode);
        Inherited {
            ignored: (1..=LAST_SIGNAL).filter(|number| is_ignored_now(*number)).fold(0, |bits, number| bits | 1 << number),
            mask,
            umask: mode,
            core_max_bytes: getrlimit(Resource::RLIMIT_CORE).ok().map(|(soft, _)| soft),
        }
    }
}

#[allow(unsafe_code)]
fn is_ignored_now(signal: i32) -> bool {
    // SAFETY: an all-zero sigaction is a valid one; with no new action, sigaction only fills in the old one.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &mut action) == 0 && action.sa_sigaction == libc::SIG_IGN
    }
}

/// Whether whoever started this process had this signal ignored, as `nohup` does with SIGHUP, and a shell with SIGINT for
/// what it puts into the background without job control.
pub fn was_ignored(signal: i32) -> bool {
    AT_START.get().is_some_and(|start| (1..=LAST_SIGNAL).contains(&signal) && start.ignored & 1 << signal != 0)
}

/// Gives the calling process all of it back. For a child between fork and exec: only async-signal-safe calls are made.
#[allow(unsafe_code)]
pub(crate) fn restore() -> io::Result<()> {
    let Some(start) = AT_START.get() else { return Ok(()) };
    for number in (1..=LAST_SIGNAL).filter(|number| !matches!(*number, libc::SIGKILL | libc::SIGSTOP)) {
        let disposition = if start.ignored & 1 << number != 0 { libc::SIG_IGN } else { libc::SIG_DFL };
        // SAFETY: neither disposition is a function of ours. What the system keeps to itself is refused, and stays.
        unsafe { libc::signal(number, disposition) };
    }
    umask(start.umask);
    if let (Some(soft), Ok((_, hard))) = (start.core_max_bytes, getrlimit(Resource::RLIMIT_CORE)) {
        setrlimit(Resource::RLIMIT_CORE, soft.min(hard), hard)?;
    }
    // Last: what was sent meanwhile takes effect now, as it would have in a direct start.
    start.mask.thread_set_mask()?;
    Ok(())
}
