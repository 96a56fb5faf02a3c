//! Questions to a server that may object to some of them.

use super::catalog::Server;
use super::place::Place;
use super::session::{Objection, Session};
use crate::error::Result;

/// One session for many questions: one that is idle, or opened where it is first needed, and anew where an objection has ended it.
/// What a session keeps, transactions, locks, variables, has no place here.
pub(super) struct Questions<'a> {
    place: &'a Place,
    session: Option<Session>,
}

impl<'a> Questions<'a> {
    /// Nothing is connected yet.
    pub(super) fn new(place: &'a Place) -> Self {
        Questions { place, session: None }
    }

    /// The session as it is now, for what no server objects to.
    pub(super) fn session(&mut self) -> Result<&mut Session> {
        let session = match self.session.take().or_else(|| self.place.idle.take()) {
            Some(session) => session,
            None => self.place.session()?,
        };
        Ok(self.session.insert(session))
    }

    /// Lets the session wait for who asks next, where the account may have another beside it.
    pub(super) fn rest(self, server: &Server) {
        if let Some(session) = self.session.filter(|_| !server.limits_connections) {
            self.place.idle.put(session);
        }
    }

    /// The answer, or the server's objection.
    pub(super) fn ask(&mut self, question: &str) -> Result<Result<Vec<u8>, Objection>> {
        let heard = self.session()?.ask(question);
        if !matches!(heard, Ok(Ok(_))) {
            self.session = None;
        }
        heard
    }
}
