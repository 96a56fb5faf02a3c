//! Giving way: while a database is dumped, its server and the program that reads it go first, and what is done with their bytes is
//! done in the time that they leave.
//!
//! The server is the slowest of the three, and a dump is over when the server is. Where hashing and compression compete with it as
//! equals it waits for its turn at a core, and the application that it serves waits with it. Linux has a class for that: a thread of
//! `SCHED_IDLE` is set aside at once for any other, and a core that runs nothing else counts as free (`sched(7)`).
//!
//! That class has no lower bound: on a machine that is busy for hours a dump would hold its snapshot for hours. So a watcher sees to
//! it that we get on, and takes us back to where we were when we do not. To come back is a privilege (`CAP_SYS_NICE`, as root has
//! it, or a raised `RLIMIT_NICE`): who may not come back does not go.

use std::fs;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

#[cfg(target_os = "linux")]
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// How often the watcher looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Less than this part of one core, while there is something to do, is too little.
const LEAST_SHARE: f64 = 0.25;
/// After so many looks in a row that saw too little we no longer give way.
const LOOKS_MAX: u32 = 5;

/// While it lives, the thread that began it, and all threads that it starts, give way to everything else on the machine.
pub(crate) struct GivingWay {
    over: Option<Sender<()>>,
    watcher: Option<JoinHandle<()>>,
}

impl GivingWay {
    /// None where there is no such class, where this thread has been given a class already, or where it could not come back.
    pub(crate) fn begin() -> Option<Self> {
        if class_of(0)? != NORMAL || !may_return() {
            return None;
        }
        let (over, is_over) = channel();
        let (able, is_able) = channel();
        let watcher = Builder::new().name("give-way".to_owned()).spawn(move || {
            // Tried by this thread first: the other could not come back from it, or would not be found.
            let can_go = enter(0, SET_ASIDE).is_ok() && !giving_way().is_empty();
            let can_return = enter(0, NORMAL).is_ok() && can_go;
            if able.send(can_return).is_ok() && can_return {
                watch(&is_over);
            }
        });
        let this = GivingWay { over: Some(over), watcher: Some(watcher.ok()?) };
        let begun = is_able.recv().unwrap_or(false) && enter(0, SET_ASIDE).is_ok();
        begun.then_some(this)
    }
}

impl Drop for GivingWay {
    fn drop(&mut self) {
        self.over = None;
        if let Some(watcher) = self.watcher.take() {
            let _ = watcher.join();
        }
        come_back();
    }
}

/// Looks until it is over, or until we have got too little for too long.
fn watch(is_over: &Receiver<()>) {
    let mut patience = Patience::default();
    let (mut before, mut at) = (used(), Instant::now());
    while is_over.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
        let now = used();
        let got = now.zip(before).map_or(Duration::ZERO, |(now, before)| now.saturating_sub(before));
        if patience.is_over(got, at.elapsed(), wants_more()) {
            break;
        }
        (before, at) = (now, Instant::now());
    }
    come_back();
}

/// How many looks in a row saw that we get too little.
#[derive(Default)]
struct Patience {
    looks: u32,
}

impl Patience {
    /// After a look that saw how much we `got` of this much time, and whether we had use for more.
    fn is_over(&mut self, got: Duration, of: Duration, wants_more: bool) -> bool {
        let is_too_little = wants_more && got < of.mul_f64(LEAST_SHARE);
        self.looks = if is_too_little { self.looks + 1 } else { 0 };
        self.looks == LOOKS_MAX
    }
}

/// What this process has had of the cores so far; none where the system does not tell.
fn used() -> Option<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    let micros = (usage.user_time() + usage.system_time()).num_microseconds();
    u64::try_from(micros).ok().map(Duration::from_micros)
}

/// Whether a thread that gives way has something to do at this moment.
fn wants_more() -> bool {
    // `stat` is "ID (NAME) STATE …". A thread that has ended meanwhile has none.
    let state = |thread: &i32| fs::read_to_string(format!("/proc/self/task/{thread}/stat")).ok()?.rsplit(") ").next()?.chars().next();
    giving_way().iter().any(|thread| state(thread) == Some('R'))
}

/// Takes every thread of this process that gives way back to where it was; also those that such threads start meanwhile.
fn come_back() {
    while giving_way().into_iter().filter(|thread| enter(*thread, NORMAL).is_ok()).count() > 0 {}
}

/// The threads of this process that are set aside for others.
fn giving_way() -> Vec<i32> {
    let entries = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let threads = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    threads.filter(|thread| class_of(*thread) == Some(SET_ASIDE)).collect()
}

#[cfg(target_os = "linux")]
const NORMAL: i32 = nix::libc::SCHED_OTHER;
#[cfg(target_os = "linux")]
const SET_ASIDE: i32 = nix::libc::SCHED_IDLE;

/// Whether the kernel lets us come back, by its own rules: who could not is not to find out on a busy machine.
#[cfg(target_os = "linux")]
fn may_return() -> bool {
    const CAP_SYS_NICE: u64 = 1 << 23;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let capabilities = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("CapEff:")?.trim(), 16).ok());
    // 20 is nice 0, 1 is nice 19.
    let lowest = getrlimit(Resource::RLIMIT_NICE).map_or(0, |(nice, _)| nice);
    capabilities.is_some_and(|capabilities| capabilities & CAP_SYS_NICE != 0) || lowest >= 20
}

#[cfg(not(target_os = "linux"))]
fn may_return() -> bool {
    false
}

/// The class of a thread; 0 is the one that asks.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn class_of(thread: i32) -> Option<i32> {
    // SAFETY: takes a number and gives one.
    let class = unsafe { nix::libc::syscall(nix::libc::SYS_sched_getscheduler, thread) };
    i32::try_from(class).ok().filter(|class| *class >= 0)
}

/// Puts a thread into a class. (The C library's own function is for whole processes in some of them.)
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn enter(thread: i32, class: i32) -> nix::Result<()> {
    let no_priority: nix::libc::c_int = 0;
    // SAFETY: the kernel reads one number, which lives until it has done so.
    let answer = unsafe { nix::libc::syscall(nix::libc::SYS_sched_setscheduler, thread, class, &raw const no_priority) };
    nix::errno::Errno::result(answer).map(drop)
}

#[cfg(not(target_os = "linux"))]
const NORMAL: i32 = 0;
#[cfg(not(target_os = "linux"))]
const SET_ASIDE: i32 = 1;

#[cfg(not(target_os = "linux"))]
fn class_of(_: i32) -> Option<i32> {
    None
}

#[cfg(not(target_os = "linux"))]
fn enter(_: i32, _: i32) -> nix::Result<()> {
    Err(nix::errno::Errno::ENOSYS)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::{Child, Command};
    use std::thread;

    use super::*;

    #[test]
    fn who_may_return_gives_way_with_all_threads_and_returns_with_them() {
        let way = GivingWay::begin();
        assert_eq!(way.is_some(), may_return());
        assert_eq!(class_of(0) == Some(SET_ASIDE), way.is_some());
        assert!(GivingWay::begin().is_none() || way.is_none(), "only once");
        let (tell, told) = channel();
        let (go, wait) = channel::<()>();
        let other = thread::spawn(move || {
            tell.send(class_of(0)).expect("heard");
            let _ = wait.recv();
            class_of(0)
        });
        assert_eq!(told.recv().expect("told"), class_of(0), "a thread that was begun meanwhile");
        drop(way);
        assert_eq!(class_of(0), Some(NORMAL));
        drop(go);
        assert_eq!(other.join().expect("ended"), Some(NORMAL));
    }

    struct Busy(Vec<Child>);

    impl Drop for Busy {
        fn drop(&mut self) {
            for child in &mut self.0 {
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }

    #[test]
    fn on_a_busy_machine_we_give_way_for_a_moment_only() {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let spin = || Command::new("sh").args(["-c", "while :; do :; done"]).spawn().expect("started");
        let _busy = Busy((0..cores * 3).map(|_| spin()).collect());
        let way = GivingWay::begin();
        assert_eq!(way.is_some(), may_return());
        let begin = Instant::now();
        // This loop is the work that gets no time.
        while class_of(0) == Some(SET_ASIDE) {
            assert!(begin.elapsed() < Duration::from_secs(60), "still set aside");
        }
    }

    #[test]
    fn patience_ends_after_some_looks_in_a_row_and_not_before() {
        let mut patience = Patience::default();
        let of = Duration::from_millis(100);
        let little = Duration::from_millis(24);
        for _ in 1..LOOKS_MAX {
            assert!(!patience.is_over(little, of, true));
        }
        assert!(!patience.is_over(Duration::from_millis(26), of, true), "enough");
        for _ in 1..LOOKS_MAX {
            assert!(!patience.is_over(little, of, true));
        }
        assert!(!patience.is_over(Duration::ZERO, of, false), "nothing to do");
        for _ in 1..LOOKS_MAX {
            assert!(!patience.is_over(Duration::ZERO, of, true));
        }
        assert!(patience.is_over(little, of, true));
    }
}
