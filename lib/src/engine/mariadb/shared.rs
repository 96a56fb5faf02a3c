//! Scratch databases on a server that the configuration names: made there, dropped there, and swept by the next run where
//! theirs was killed.

use super::address::Address;
use super::locks::{try_lock, unlock};
use super::place::Place;
use super::session::Session;
use super::sql::ident;
use super::{create, rights};
use crate::engine::our_names::{self, SCRATCH_PREFIX};
use crate::engine::{Left, Settings};
use crate::error::{Error, Result};
use crate::manifest::Database;
use crate::{interrupt, shell};

/// The same of one that was kept, and which no sweep takes.
const KEPT_PREFIX: &str = "holdfast_kept_";

/// One such database. Dropped, it is gone.
pub(super) struct Shared {
    server: Place,
    /// Holds the lock that tells every other run that this one is alive.
    owner: Option<Session>,
    name: String,
}

impl Shared {
    /// Creates an empty one for a backup of `origin`, after those of killed runs were swept.
    pub(super) fn create(url: &str, settings: &Settings, origin: Option<&Database>) -> Result<Self> {
        let address = Address::parse(url, None)?.without_database();
        let server = Place::new(address, settings.clone());
        if let Err(error) = sweep(&server) {
            tracing::warn!("scratch databases of killed runs may still be there: {error}");
        }
        let name = our_names::new_scratch()?;
        let mut session = server.session()?;
        if !try_lock(&mut session, &name)? {
            return Err(Error::busy(format!("another run works on {name}")));
        }
        let account = session.text("SELECT CURRENT_USER()")?;
        // From here on a database of this name is ours, also one whose creation we do not live to see the end of.
        let shared = Shared { server, owner: Some(session), name };
        let has_its_own = !create::create(&mut || shared.server.session(), &shared.name, origin).map_err(|error| {
            error.hint(format!(
                "as an administrator: GRANT ALL ON `{}%`.* TO {}",
                SCRATCH_PREFIX.replace('_', "\\_"),
                rights::grantee(&account)
            ))
        })?;
        if has_its_own {
            tracing::warn!("the scratch server lacks the database's character set or collation, the scratch database has its own");
        }
        Ok(shared)
    }

    /// Where it is.
    pub(super) fn place(&self) -> Place {
        self.server.with_database(&self.name)
    }

    /// Leaves it there. A database cannot be renamed, so what keeps it from a sweep is another one, empty, that says so.
    pub(super) fn keep(mut self) -> Result<Left> {
        let sign = self.name.replacen(SCRATCH_PREFIX, KEPT_PREFIX, 1);
        interrupt::while_cleaning(|| self.server.session()?.run(&format!("CREATE DATABASE {}", ident(&sign))))
            .map_err(|error| error.within("the clone cannot be kept"))?;
        self.owner = None;
        let drop_statement = format!("DROP DATABASE {}; DROP DATABASE {}", ident(&self.name), ident(&sign));
        Ok(Left {
            location: self.place().address.location(&self.name),
            open: self.place().address.client_command(),
            drop: format!("{} --execute={}", self.server.address.client_command(), shell::word(&drop_statement)),
        })
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if self.owner.is_none() {
            return;
        }
        let dropped = interrupt::while_cleaning(|| self.server.session()?.run(&format!("DROP DATABASE IF EXISTS {}", ident(&self.name))));
        // Let go of only now, so that nobody else takes it for a dead one's.
        self.owner = None;
        if let Err(error) = dropped {
            tracing::warn!("the scratch database {} is still there: {error}", self.name);
        }
    }
}

/// Drops the scratch databases of killed runs: those of the whole name whose owner's lock nobody holds, and which nobody has
/// kept. What cannot be dropped is left for another time.
fn sweep(server: &Place) -> Result<()> {
    let mut session = server.session()?;
    let all = session.text("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA")?;
    for name in all.lines().filter(|name| our_names::is_scratch(name)) {
        let is_kept = all.lines().any(|other| other == name.replacen(SCRATCH_PREFIX, KEPT_PREFIX, 1));
        if is_kept || !try_lock(&mut session, name)? {
            continue;
        }
        // Another session: an objection ends the one that it is said to.
        let dropped = server.session()?.run(&format!("DROP DATABASE IF EXISTS {}", ident(name)));
        unlock(&mut session, name)?;
        match dropped {
            Ok(()) => tracing::info!("dropped the scratch database {name}, which a killed run had left"),
            Err(error) => tracing::warn!("the scratch database {name}, which a killed run has left, is still there: {error}"),
        }
    }
    Ok(())
}
