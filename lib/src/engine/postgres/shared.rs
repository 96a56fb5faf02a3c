//! Scratch databases on a server that the configuration names: made there, dropped there, and swept by the next run where
//! theirs was killed.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::address::Address;
use super::create::{self, Label, Role};
use super::exchange;
use super::place::Place;
use super::session::Session;
use super::sql;
use crate::engine::our_names::{self, SCRATCH_PREFIX};
use crate::engine::{Left, Settings};
use crate::error::{Error, Kind, Result};
use crate::manifest::Database;
use crate::{interrupt, shell};

/// How a server says that a role may not do something, where it speaks English.
const RIGHTS: [&str; 4] = ["must be member of role", "must be able to SET ROLE", "must be owner of", "permission denied"];

/// One such database. Dropped, it is gone.
pub(super) struct Shared {
    server: Place,
    /// Holds the lock that tells every other run that this one is alive.
    owner: Option<Session>,
    name: String,
    target: String,
}

impl Shared {
    /// Creates an empty one for a backup of `origin`, after those of killed runs were swept.
    pub(super) fn create(url: &str, settings: &Settings, origin: Option<&Database>) -> Result<Self> {
        let address = Address::parse(url, None)?;
        let server = Place { address, settings: settings.clone() };
        let mut session = server.session()?;
        if let Err(error) = sweep(&mut session) {
            tracing::warn!("scratch databases of killed runs may still be there: {error}");
        }
        if let Some(origin) = origin {
            create::require_needs(&mut session, origin, true)?;
        }
        let name = our_names::new_scratch()?;
        if !exchange::try_lock(&mut session, &name)? {
            return Err(Error::busy(format!("another run works on {name}")));
        }
        // From here on a database of this name is ours, also one whose creation we do not live to see the end of.
        let target = origin.map(|origin| origin.name.clone()).unwrap_or_default();
        let mut shared = Shared { server, owner: Some(session), name, target };
        shared.fill_in(origin)?;
        Ok(shared)
    }

    fn fill_in(&mut self, origin: Option<&Database>) -> Result<()> {
        let Some(session) = &mut self.owner else { return Ok(()) };
        if let Err(objection) = create::create(session, &self.name, origin)? {
            if objection.state == "42501" {
                let role = session.text("SELECT current_user")?;
                return Err(objection.into_error().hint(format!("as a superuser: ALTER ROLE {} CREATEDB", sql::ident(&role))));
            }
            let why = objection.into_error();
            tracing::warn!("the scratch server lacks the database's locale, the scratch database sorts by bytes: {why}");
            create::create_without_locale(session, &self.name, origin)?;
        }
        mark(session, &self.name, Role::Scratch, &self.target)
    }

    /// Where it is.
    pub(super) fn place(&self) -> Place {
        self.server.with_database(&self.name)
    }

    /// Leaves it there, marked so that no sweep takes it.
    pub(super) fn keep(mut self) -> Result<Left> {
        let kept = interrupt::while_cleaning(|| {
            let mut session = self.server.session()?;
            let force = if create::server_major(&mut session)? >= 13 { " WITH (FORCE)" } else { "" };
            mark(&mut session, &self.name, Role::Kept, &self.target)?;
            Ok(format!("DROP DATABASE {}{force}", sql::ident(&self.name)))
        });
        let drop_statement = kept.map_err(|error: Error| error.within("the clone cannot be kept"))?;
        self.owner = None;
        let psql = |place: &Place| format!("psql {}", shell::word(&place.address.url_without_password()));
        Ok(Left {
            location: self.place().address.location(&self.name),
            open: psql(&self.place()),
            drop: format!("{} -c {}", psql(&self.server), shell::word(&drop_statement)),
        })
    }

    /// Whether a load failed for what our role may not do there, which says nothing of the backup.
    pub(super) fn explain(&self, error: Error, origin_roles: &BTreeSet<String>) -> Error {
        let said = error.to_string();
        if !RIGHTS.iter().any(|words| said.contains(words)) {
            return error;
        }
        match self.server.session().and_then(|mut session| create::roles_to_join(&mut session, origin_roles)) {
            Ok((role, missing)) if !missing.is_empty() => {
                let roles: Vec<String> = missing.iter().map(|role| sql::ident(role)).collect();
                let grant = format!("GRANT {} TO {}", roles.join(", "), sql::ident(&role));
                error.within(format!("role {role} may not load it into scratch_server")).as_kind(Kind::Config).hint(format!(
                    "what it loads belongs to others there; as a superuser: {grant}; or leave scratch_server out, for a private server"
                ))
            }
            _ => error,
        }
    }

    fn remove(&self, session: &mut Session) -> Result<()> {
        if create::look_at(session, &self.name)? == Some(None) {
            mark(session, &self.name, Role::Scratch, &self.target)?;
        }
        create::drop_ours(session, &self.name, Role::Scratch).map(|_| ())
    }
}

/// Marks a database as ours by its comment, in place of the limit that marks it before.
fn mark(session: &mut Session, name: &str, role: Role, target: &str) -> Result<()> {
    let label = Label { role, target: target.to_owned(), comment: None };
    session.run(&create::comment_statement(name, Some(&label.to_comment())))?;
    session.run(&format!("ALTER DATABASE {} CONNECTION LIMIT -1", sql::ident(name)))
}

impl Drop for Shared {
    fn drop(&mut self) {
        let Some(mut session) = self.owner.take() else { return };
        let dropped = interrupt::while_cleaning(|| {
            if self.remove(&mut session).is_ok() {
                return Ok(());
            }
            // A signal ends the client of this session too; what it said last may still be at work in the server, which
            // gives the lock up when it is done.
            drop(session);
            let mut fresh = self.server.session()?;
            exchange::lock_within(&mut fresh, &self.name, exchange::CLEANING_WAIT)?;
            self.remove(&mut fresh)
        });
        if let Err(error) = dropped {
            tracing::warn!("the scratch database {} is still there: {error}", self.name);
        }
    }
}

/// Drops the scratch databases of killed runs: those that bear the name and the mark, and whose owner's lock nobody holds.
/// Never one that lacks any of the three. What cannot be dropped is left for another time.
fn sweep(session: &mut Session) -> Result<()> {
    #[derive(Deserialize)]
    struct Row {
        name: String,
        comment: Option<String>,
        is_unmarked: bool,
    }
    let rows: Vec<Row> = session.rows(&format!(
        "SELECT d.datname AS name, shobj_description(d.oid, 'pg_database') AS comment, d.datconnlimit = {} AS is_unmarked \
         FROM pg_database d WHERE starts_with(d.datname::text, {}) AND pg_has_role(d.datdba, 'MEMBER') ORDER BY 1",
        create::UNMARKED_LIMIT,
        sql::literal(SCRATCH_PREFIX)
    ))?;
    for row in rows.iter().filter(|row| our_names::is_scratch(&row.name)) {
        let label = Label::of(row.comment.as_deref());
        // Between its creation and its comment a database is marked by its limit.
        let is_ours = label.as_ref().is_some_and(|label| label.role == Role::Scratch) || (row.comment.is_none() && row.is_unmarked);
        if !is_ours || exchange::is_locked(session, &row.name)? || !exchange::try_lock(session, &row.name)? {
            continue;
        }
        let outcome = drop_abandoned(session, &row.name, row.comment.is_none());
        exchange::unlock(session, &row.name)?;
        match outcome {
            Ok(()) => tracing::info!("dropped the scratch database {}, which a killed run had left", row.name),
            Err(error) => tracing::warn!("the scratch database {}, which a killed run has left, is still there: {error}", row.name),
        }
    }
    Ok(())
}

fn drop_abandoned(session: &mut Session, name: &str, is_unmarked: bool) -> Result<()> {
    if is_unmarked && create::look_at(session, name)? == Some(None) {
        mark(session, name, Role::Scratch, "")?;
    }
    create::drop_ours(session, name, Role::Scratch).map(|_| ())
}
