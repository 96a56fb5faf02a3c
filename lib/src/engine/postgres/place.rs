//! A database that can be connected to, whichever it is: the real one, one beside it, one in a scratch server.

use std::path::PathBuf;
use std::time::Duration;

use super::address::Address;
use super::programs;
use super::session::{Session, connection_error};
use super::{dump, look, marker};
use crate::engine::{Depth, Dumped, Loaded, Outlet, Reach, Settings};
use crate::error::{Error, Result};
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
}

impl Place {
    /// A session in it.
    pub(super) fn session(&self) -> Result<Session> {
        Session::open(&self.psql()?, &self.address, self.lock_wait()).map_err(connection_error)
    }

    /// The same server, another database.
    pub(super) fn with_database(&self, database: &str) -> Self {
        Place { address: self.address.with_database(database), settings: self.settings.clone() }
    }

    pub(super) fn psql(&self) -> Result<PathBuf> {
        programs::newest("psql", &self.settings.program_dirs)
    }

    /// A program of the client, told where the database is.
    pub(super) fn call(&self, program: impl Into<PathBuf>) -> Call {
        self.address.call(program)
    }

    pub(super) fn lock_wait(&self) -> Duration {
        self.settings.busy_timeout.clamp(Duration::from_millis(100), LOCK_WAIT_MAX)
    }
}

impl Loaded for Place {
    fn location(&self) -> String {
        self.address.location(&self.address.database().unwrap_or_default())
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
        marker::read(&mut self.session()?)
    }

    fn mark(&self, marker: &Marker) -> Result<()> {
        marker::write(&mut self.session()?, marker)
    }

    fn ask(&self, query: &str) -> Result<Option<String>> {
        if query.trim_start().starts_with('\\') {
            return Err(Error::config(format!("not a query: {query}")).hint("write SQL; psql's own commands are not run"));
        }
        let call = self
            .call(self.psql()?)
            .args(["-X", "-A", "-t", "-q", "-w", "-0", "-z", "-v", "ON_ERROR_STOP=1"])
            .args(self.address.database_arg());
        let answer = call.arg("-c").arg(query).run()?;
        let Some(first_row) = answer.stdout.split_inclusive(|byte| *byte == 0).next() else { return Ok(None) };
        let first_column = first_row.split(|byte| *byte == 0).next().unwrap_or_default();
        Ok(Some(String::from_utf8_lossy(first_column).into_owned()))
    }
}
