//! A database that can be connected to, whichever it is: the real one, one beside it, one in a scratch server.

use std::collections::BTreeSet;
use std::time::Duration;

use super::address::Address;
use super::idle::Idle;
use super::programs::{self, Program, Tool};
use super::session::{FOR_PROGRAMS, Session, connection_error};
use super::{dump, look, marker};
use crate::engine::{Depth, Dumped, Loaded, Outlet, Reach, Settings};
use crate::error::Result;
use crate::exec::Call;
use crate::fingerprint::Fingerprint;
use crate::marker::Marker;
use crate::schema::Schema;

/// The longest a lock inside the database is waited for at once. While we wait behind somebody's `ALTER TABLE`, every
/// reader waits behind both.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(10);

/// Where a database is, and how to work with it.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) address: Address,
    pub(super) settings: Settings,
    /// Events of a database beside the real one that were put to sleep, and count as if they ran.
    pub(super) asleep: BTreeSet<String>,
    /// A session in it that nobody uses for the moment.
    pub(super) idle: Idle,
}

impl Place {
    pub(super) fn new(address: Address, settings: Settings) -> Self {
        Place { address, settings, asleep: BTreeSet::new(), idle: Idle::default() }
    }

    /// A session in it.
    pub(super) fn session(&self) -> Result<Session> {
        Session::open(&self.client()?, &self.address, self.lock_wait()).map_err(connection_error)
    }

    /// The same server, another database.
    pub(super) fn with_database(&self, database: &str) -> Self {
        Place { address: self.address.with_database(database), ..self.clone() }
    }

    /// The same server, with no database chosen.
    pub(super) fn without_database(&self) -> Self {
        Place { address: self.address.without_database(), ..self.clone() }
    }

    /// The program that talks with the server, of the family that the URL names where both are there.
    pub(super) fn client(&self) -> Result<Program> {
        programs::for_server(Tool::Client, &self.settings.program_dirs, self.address.scheme())
    }

    /// A program of the client, told where the server is, and who we are.
    pub(super) fn call(&self, program: &Program) -> Result<Call> {
        self.address.call(program)
    }

    pub(super) fn lock_wait(&self) -> Duration {
        self.settings.busy_timeout.clamp(Duration::from_secs(1), LOCK_WAIT_MAX)
    }
}

impl Loaded for Place {
    fn location(&self) -> String {
        self.address.location(self.address.database().unwrap_or_default())
    }

    fn reach(&self) -> Reach {
        self.address.reach()
    }

    fn fingerprint(&self, depth: Depth) -> Result<Fingerprint> {
        match depth {
            Depth::Rows => look::rows_only(self),
            Depth::Content => dump::content(self),
        }
    }

    fn dump(&self, out: &mut dyn Outlet) -> Result<Dumped> {
        dump::dump(self, out)
    }

    fn schema(&self) -> Result<Schema> {
        look::schema(self)
    }

    fn marker(&self) -> Result<Option<Marker>> {
        marker::read(self)
    }

    fn mark(&self, marker: &Marker) -> Result<()> {
        marker::write(self, marker)
    }

    fn ask(&self, query: &str) -> Result<Option<String>> {
        let call = self.call(&self.client()?)?.args(FOR_PROGRAMS.into_iter().filter(|option| *option != "--raw"));
        let database = self.address.database().map(|name| format!("--database={name}"));
        let answer = call.args(database).arg(format!("--execute={query}")).run()?;
        let Some(first_row) = answer.stdout.split_inclusive(|byte| *byte == b'\n').next() else { return Ok(None) };
        let first_row = first_row.strip_suffix(b"\n").unwrap_or(first_row);
        let first_column = first_row.split(|byte| *byte == b'\t').next().unwrap_or_default();
        // A NULL is no answer. That a text might be these letters is not worth more.
        let is_null = first_column == b"NULL";
        Ok(Some(if is_null { String::new() } else { unescape(&String::from_utf8_lossy(first_column)) }))
    }
}

/// What `--batch` writes with a backslash.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('0') => out.push('\0'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_answer_is_read_as_it_was() {
        assert_eq!(super::unescape("a\\tb\\nc\\\\d\\0"), "a\tb\nc\\d\0");
    }
}
