//! A database beside the real one, to be loaded, compared, and then swapped in.

use std::io::Read;

use serde_json::Value;

use super::create::{self, Label, Role};
use super::exchange::{self, Incoming};
use super::place::Place;
use super::session::Session;
use super::{catalog, load, sql};
use crate::engine::{Beside, Content, Kept, Left, Loaded, Workspace, our_names};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::manifest::{Database, EngineName};
use crate::shell;

/// Settings whose values are lists of names, each to be quoted by itself.
const LISTS: &[&str] =
    &["search_path", "local_preload_libraries", "session_preload_libraries", "shared_preload_libraries", "temp_tablespaces"];

/// `NAME__restore_ID`.
pub(super) struct Restoring {
    place: Place,
    /// Holds the lock that tells a later run that this one is alive.
    maintenance: Option<Session>,
    name: String,
    target: String,
    target_location: String,
    id: String,
    origin: Option<Database>,
    brings_properties: bool,
}

/// Creates the empty database, after everything that can be refused was looked at.
pub(super) fn create(real: &Place, target: &str, origin: Option<&Database>, id: &str) -> Result<Restoring> {
    let mut session = exchange::maintenance(real, target)?;
    exchange::require_rights(&mut session, target)?;
    if let Some(origin) = origin {
        create::require_needs(&mut session, origin, true)?;
    }
    let id = our_names::plain_id(id);
    let name = exchange::derived_name(target, "restore", &id);
    if !exchange::try_lock(&mut session, &name)? {
        return Err(Error::busy(format!("another restore is loading {name}")));
    }
    if create::look_at(&mut session, &name)?.is_some() {
        return Err(Error::failed(format!("database {name} is there already")));
    }
    // From here on a database of this name is ours, also one whose creation we do not live to see the end of.
    let mut restoring = Restoring {
        place: real.with_database(&name),
        maintenance: Some(session),
        name,
        target: target.to_owned(),
        target_location: real.address.location(target),
        id,
        origin: origin.cloned(),
        brings_properties: false,
    };
    let name = restoring.name.clone();
    if let Err(objection) = create::create(restoring.session()?, &name, origin)? {
        return Err(objection.into_error().within(format!("cannot create database {name} beside {target}")));
    }
    mark(restoring.session()?, &name, target)?;
    Ok(restoring)
}

/// Marks a database as being loaded for `target`.
pub(super) fn mark(session: &mut Session, name: &str, target: &str) -> Result<()> {
    let label = Label { role: Role::Restore, target: target.to_owned(), comment: None };
    session.run(&create::comment_statement(name, Some(&label.to_comment())))
}

impl Restoring {
    fn aside(&self) -> String {
        exchange::aside_of(&self.target, &self.id)
    }

    fn kept(&self, had_one: bool) -> Kept {
        Kept { engine: EngineName::Postgres, target: self.target_location.clone(), aside: had_one.then(|| self.aside()) }
    }

    fn remove(&self, session: &mut Session) -> Result<()> {
        if create::look_at(session, &self.name)? == Some(None) {
            mark(session, &self.name, &self.target)?;
        }
        create::drop_ours(session, &self.name, Role::Restore).map(|_| ())
    }

    fn session(&mut self) -> Result<&mut Session> {
        self.maintenance.as_mut().ok_or_else(|| Error::failed("the restore has ended already"))
    }

    /// Gives the new database what stands around the old one; owner, grants and settings belong to a database's oid and
    /// would not come along with the name.
    fn put_on_properties(&mut self, properties: &std::collections::BTreeMap<String, Value>) -> Result<()> {
        let name = self.name.clone();
        let session = self.session()?;
        for statement in property_statements(&name, properties) {
            session.run(&statement).map_err(|error| error.within(format!("cannot give {name} what its predecessor has ({statement})")))?;
        }
        Ok(())
    }
}

/// The statements that make `name` a database with these properties; a comment is put on in the swap itself.
fn property_statements(name: &str, properties: &std::collections::BTreeMap<String, Value>) -> Vec<String> {
    let database = sql::ident(name);
    let mut out = Vec::new();
    let entries = |key: &str| properties.get(key).and_then(Value::as_array).into_iter().flatten();
    let limit = properties.get("connection_limit").and_then(Value::as_i64).unwrap_or(-1);
    out.push(format!("ALTER DATABASE {database} CONNECTION LIMIT {limit}"));
    for entry in entries("settings") {
        let Some((setting, value)) = entry["setting"].as_str().and_then(|text| text.split_once('=')) else { continue };
        let value = match LISTS.contains(&setting).then(|| sql::read_list(value)).flatten() {
            Some(names) if names.is_empty() => "''".to_owned(),
            Some(names) => names.iter().map(|name| sql::literal(name)).collect::<Vec<_>>().join(", "),
            None => sql::literal(value),
        };
        // A custom setting's name has a dot between its parts.
        let setting = setting.split('.').map(sql::ident).collect::<Vec<_>>().join(".");
        out.push(match entry["role"].as_str() {
            Some(role) if !role.is_empty() => format!("ALTER ROLE {} IN DATABASE {database} SET {setting} TO {value}", sql::ident(role)),
            _ => format!("ALTER DATABASE {database} SET {setting} TO {value}"),
        });
    }
    if let Some(owner) = properties.get("owner").and_then(Value::as_str) {
        out.push(format!("ALTER DATABASE {database} OWNER TO {}", sql::ident(owner)));
        if properties.contains_key("grants") {
            // The default rights go first, what was granted comes back one by one.
            out.push(format!("REVOKE ALL ON DATABASE {database} FROM PUBLIC, {}", sql::ident(owner)));
        }
    }
    for grant in entries("grants") {
        let (Some(grantee), Some(privilege)) = (grant["grantee"].as_str(), grant["privilege"].as_str()) else { continue };
        if !["CREATE", "CONNECT", "TEMPORARY"].contains(&privilege) {
            continue;
        }
        let to = if grantee.is_empty() { "PUBLIC".to_owned() } else { sql::ident(grantee) };
        let option = if grant["grantable"] == true { " WITH GRANT OPTION" } else { "" };
        out.push(format!("GRANT {privilege} ON DATABASE {database} TO {to}{option}"));
    }
    out
}

impl Workspace for Restoring {
    fn load(&mut self, content: Content, plain: &mut dyn Read) -> Result<()> {
        load::load(&self.place, content, plain)?;
        // Without statistics the first queries after the swap would be planned blindly.
        self.place.session()?.run("ANALYZE")
    }

    fn loaded(&self) -> &dyn Loaded {
        &self.place
    }

    fn keep(mut self: Box<Self>) -> Result<Left> {
        let name = self.name.clone();
        let label = Label { role: Role::Kept, target: self.target.clone(), comment: None };
        let statement = create::comment_statement(&name, Some(&label.to_comment()));
        self.session()?.run(&statement).map_err(|error| error.within("the database beside cannot be kept"))?;
        // From here on it is not ours to drop.
        self.maintenance = None;
        let psql = |database: &str| format!("psql {}", shell::word(&self.place.with_database(database).address.url_without_password()));
        let drop = format!("{} -c {}", psql("postgres"), shell::word(&format!("DROP DATABASE {}", sql::ident(&name))));
        Ok(Left { location: self.loaded().location(), open: psql(&name), drop })
    }
}

impl Beside for Restoring {
    fn bring_properties(&mut self) {
        self.brings_properties = self.origin.is_some();
    }

    fn swap(mut self: Box<Self>) -> Result<Kept> {
        let target = self.target.clone();
        let aside = self.aside();
        let incoming_name = self.name.clone();
        let is_there = create::look_at(self.session()?, &target)?.is_some();
        let properties = if is_there && !self.brings_properties {
            catalog::properties(self.session()?, &target)?
        } else {
            self.origin.as_ref().map(|origin| origin.properties.clone()).unwrap_or_default()
        };
        self.put_on_properties(&properties)?;
        let comment = properties.get("comment").and_then(Value::as_str).map(str::to_owned);
        let incoming = Incoming { name: incoming_name, comment };
        let place = self.place.clone();
        exchange::exchange(self.session()?, &place, &target, Some(&incoming), &aside)?;
        // From here on there is no database of this name to drop.
        self.maintenance = None;
        Ok(self.kept(is_there))
    }
}

impl Drop for Restoring {
    fn drop(&mut self) {
        let Some(mut session) = self.maintenance.take() else { return };
        let dropped = interrupt::while_cleaning(|| {
            if self.remove(&mut session).is_ok() {
                return Ok(());
            }
            // A signal ends the client of this session too. What it said last may still be at work in the server, which
            // gives the lock up when it is done.
            drop(session);
            let mut fresh = exchange::maintenance(&self.place, &self.target)?;
            exchange::lock_within(&mut fresh, &self.name, exchange::CLEANING_WAIT)?;
            self.remove(&mut fresh)
        });
        if let Err(error) = dropped {
            tracing::warn!("the database {} is still there: {error}", self.name);
        }
    }
}
