//! A session that has been asked all for now, and waits a moment for the next who asks at its place: another would have to start a
//! client program and to connect.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::Builder;
use std::time::Duration;

use super::session::Session;

/// The longest it waits. Networks forget connections over which nothing goes, and a server has better use for them.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Room for one such session.
#[derive(Default)]
pub(super) struct Idle(Mutex<Option<Waiting>>);

struct Waiting {
    session: Arc<Mutex<Option<Session>>>,
    /// Dropped with this, it tells the watch that nobody waits any more.
    _watched: Sender<()>,
}

impl Idle {
    /// Lets it wait here, and ends it when it has done so for too long.
    pub(super) fn put(&self, session: Session) {
        let session = Arc::new(Mutex::new(Some(session)));
        let (watched, is_over) = channel();
        let late = Arc::clone(&session);
        let watch = move || {
            if is_over.recv_timeout(WAIT_MAX) == Err(RecvTimeoutError::Timeout) {
                end(&late);
            }
        };
        if Builder::new().name("idle".to_owned()).spawn(watch).is_ok() {
            *locked(&self.0) = Some(Waiting { session, _watched: watched });
        }
    }

    /// The one that waits here, where the server still answers it.
    pub(super) fn take(&self) -> Option<Session> {
        let waiting = locked(&self.0).take()?;
        let mut session = locked(&waiting.session).take()?;
        session.begin_anew().is_ok().then_some(session)
    }
}

/// Ends the session, which has nobody else to do so where the program ends before the watch.
impl Drop for Waiting {
    fn drop(&mut self) {
        end(&self.session);
    }
}

/// A place that is derived from another is another place.
impl Clone for Idle {
    fn clone(&self) -> Self {
        Idle::default()
    }
}

/// Ends it, and nobody waits for the room meanwhile.
fn end(room: &Mutex<Option<Session>>) {
    let session = locked(room).take();
    drop(session);
}

fn locked<T>(room: &Mutex<T>) -> MutexGuard<'_, T> {
    room.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
