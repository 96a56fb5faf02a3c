//! Work that has to finish although a stop was asked for: a rollback that ends halfway is worse than none.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc;

use super::{Mode, replace_mode};

static DEFERRED: AtomicI32 = AtomicI32::new(0);

/// Does `work`, from all threads, as if no stop had been asked for: the first signal is only noted (see [`deferred`]) and
/// told to `tell`, child programs are not signalled, and [`super::check`] knows of a deadline only. The second signal ends the
/// process at once, unless it comes within [`super::REPEAT`], or is SIGHUP.
///
/// To leave no gap between a wrapped command and what follows it, open the shield around both: while the command runs,
/// signals are the command's.
pub fn shield<T>(tell: impl FnOnce(i32) + Send, work: impl FnOnce() -> T) -> T {
    let (told, news) = mpsc::channel();
    std::thread::scope(|threads| {
        threads.spawn(move || {
            if let Ok(number) = news.recv() {
                tell(number);
            }
        });
        let shield = Shield(Some(replace_mode(Mode::Shielded(Shielded { tell: told, has_deferred: false }))));
        let outcome = work();
        // The sender goes with it, and the thread above ends.
        drop(shield);
        outcome
    })
}

/// The first signal that a [`shield`] has kept from its work.
pub fn deferred() -> Option<i32> {
    match DEFERRED.load(Ordering::SeqCst) {
        0 => None,
        number => Some(number),
    }
}

pub(super) struct Shielded {
    tell: mpsc::Sender<i32>,
    has_deferred: bool,
}

impl Shielded {
    pub(super) fn has_deferred(&self) -> bool {
        self.has_deferred
    }

    /// Notes the first signal, and tells it.
    pub(super) fn defer(&mut self, number: i32) {
        self.has_deferred = true;
        let _ = DEFERRED.compare_exchange(0, number, Ordering::SeqCst, Ordering::SeqCst);
        // It is heard as long as the shield is up.
        let _ = self.tell.send(number);
    }
}

/// Ends the shield, also where its work panics.
struct Shield(Option<Mode>);

impl Drop for Shield {
    fn drop(&mut self) {
        if let Some(before) = self.0.take() {
            replace_mode(before);
        }
    }
}
