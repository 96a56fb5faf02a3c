//! A command that records each signal together with its sender: this test binary once more.

use std::os::fd::IntoRawFd;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use nix::libc;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use crate::wrapper::{Order, Place, until};

const RECORDS: &str = "HOLDFAST_TEST_RECORDS";
/// Number, cause and sender, 4 bytes each.
const RECORD_BYTES: usize = 12;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) number: i32,
    /// 0 is the kernel.
    pub(crate) sender: i32,
}

/// The command: it ends with 7 when it is told to. Unlike a shell's trap it misses no signal that comes twice.
pub(crate) fn order() -> Order {
    let myself = std::env::current_exe().expect("own path").display().to_string();
    let env = format!("{RECORDS}=1");
    let argv =
        ["/usr/bin/env", "-u", "HOLDFAST_TEST_ORDER", &env, &myself, "recorder::the_recorder", "--exact"].map(str::to_owned).to_vec();
    Order { argv, ..Order::default() }
}

/// The names of what it has got so far.
pub(crate) fn names(place: &Place) -> Vec<&'static str> {
    let name = |got: &Got| Signal::try_from(got.number).expect("a signal").as_str();
    got(place).iter().map(name).collect()
}

/// Waits until it has got so many.
#[track_caller]
pub(crate) fn wait_for(place: &Place, count: usize) {
    until("the signal has come", || got(place).len() >= count);
}

/// What it has got so far, and from whom.
pub(crate) fn got(place: &Place) -> Vec<Got> {
    let bytes = std::fs::read(place.path("records")).unwrap_or_default();
    let field = |record: &[u8], at: usize| i32::from_ne_bytes(record[at..at + 4].try_into().expect("4 bytes"));
    bytes
        .chunks_exact(RECORD_BYTES)
        .map(|record| {
            let by_kernel = field(record, 4) == libc::SI_KERNEL;
            Got { number: field(record, 0), sender: if by_kernel { 0 } else { field(record, 8) } }
        })
        .collect()
}

static RECORD: AtomicI32 = AtomicI32::new(-1);

#[allow(unsafe_code)]
extern "C" fn record(number: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the system passes a valid siginfo_t, and 12 bytes stand where they are written from.
    unsafe {
        let fields = [number, (*info).si_code, (*info).si_pid()];
        libc::write(RECORD.load(Ordering::SeqCst), fields.as_ptr().cast(), RECORD_BYTES);
    }
}

/// No test: the command of some of them.
#[test]
#[allow(unsafe_code, clippy::exit)]
fn the_recorder() {
    if std::env::var_os(RECORDS).is_none() {
        return;
    }
    let file = std::fs::OpenOptions::new().create(true).append(true).open("records").expect("a file");
    RECORD.store(file.into_raw_fd(), Ordering::SeqCst);
    let action = SigAction::new(SigHandler::SigAction(record), SaFlags::SA_SIGINFO | SaFlags::SA_RESTART, SigSet::all());
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGUSR1, Signal::SIGUSR2] {
        // SAFETY: the handler only reads what it is given and calls write.
        unsafe { sigaction(signal, &action) }.expect("a handler");
    }
    std::fs::write("ready", "ready\n").expect("written");
    while !std::path::Path::new("stop").exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::process::exit(7);
}
