//! A session that has been asked all for now, and waits a moment for the next who asks at its place: another would have to start a
//! client program and to connect.

use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::session::Session;

/// The longest it waits. Networks forget connections over which nothing goes, and a server has better use for them.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Room for one such session.
#[derive(Default)]
pub(super) struct Idle(Mutex<Option<(Session, Instant)>>);

impl Idle {
    /// Lets it wait here.
    pub(super) fn put(&self, session: Session) {
        *self.room() = Some((session, Instant::now()));
    }

    /// The one that waits here, where it has not done so for too long and the server still answers it.
    pub(super) fn take(&self) -> Option<Session> {
        self.end_late();
        let (mut session, _) = self.room().take()?;
        session.run("DO 0").is_ok().then_some(session)
    }

    /// Ends one that has waited for too long.
    pub(super) fn end_late(&self) {
        self.room().take_if(|(_, since)| since.elapsed() > WAIT_MAX);
    }

    fn room(&self) -> MutexGuard<'_, Option<(Session, Instant)>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// A place that is derived from another is another place.
impl Clone for Idle {
    fn clone(&self) -> Self {
        Idle::default()
    }
}
