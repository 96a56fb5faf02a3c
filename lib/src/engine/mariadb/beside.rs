//! A database beside the real one, to be loaded, compared, and then swapped in.

use std::io::Read;

use super::exchange::{self, Incoming};
use super::label::{self, Charset, Label, Role};
use super::objects::Objects;
use super::place::Place;
use super::session::Session;
use super::{catalog, ending, load, locks, names, require, sql};
use crate::engine::{Beside, Content, Kept, Left, Loaded, Workspace, our_names};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::manifest::{Database, EngineName};
use crate::shell;

/// `NAME__restore_ID`.
pub(super) struct Restoring {
    place: Place,
    /// Holds the lock that tells a later run that this one is alive.
    held: Option<Session>,
    name: String,
    target: String,
    target_location: String,
    id: String,
    origin: Option<Charset>,
    brings_properties: bool,
}

/// Creates the empty database, after everything that can be refused was looked at.
pub(super) fn create(real: &Place, target: &str, origin: Option<&Database>, id: &str) -> Result<Restoring> {
    require::require_swap(real, target)?;
    let mut session = real.without_database().session()?;
    let id = our_names::plain_id(id);
    let name = names::derived_name(target, "restore", &id);
    if !locks::try_lock(&mut session, &name)? {
        return Err(Error::busy(format!("another restore is loading {name}")));
    }
    if catalog::is_there(&mut session, &name)? {
        return Err(Error::failed(format!("database {name} is there already")));
    }
    if let Some(origin) = origin {
        require::require_definers(real, target, origin)?;
    }
    let origin = origin.and_then(charset_of);
    // From here on a database of this name is ours, also one whose creation we do not live to see the end of.
    let mut restoring = Restoring {
        place: real.with_database(&name),
        held: Some(session),
        name,
        target: target.to_owned(),
        target_location: real.address.location(target),
        id,
        origin,
        brings_properties: false,
    };
    let (name, origin) = (restoring.name.clone(), restoring.origin.clone());
    label::create(restoring.session()?, &name, origin.as_ref(), &Label::new(Role::Restore, target))
        .map_err(|error| error.within(format!("cannot create database {name} beside {target}")))?;
    Ok(restoring)
}

/// What a manifest says of its database's character set.
fn charset_of(origin: &Database) -> Option<Charset> {
    let text = |key: &str| origin.properties.get(key).and_then(serde_json::Value::as_str).map(str::to_owned);
    Some(Charset { charset: text("charset")?, collation: text("collation")?, comment: Some(text("comment").unwrap_or_default()) })
}

impl Restoring {
    fn aside(&self) -> String {
        names::aside_of(&self.target, &self.id)
    }

    fn kept(&self, had_one: bool) -> Kept {
        Kept { engine: EngineName::Mariadb, target: self.target_location.clone(), aside: had_one.then(|| self.aside()) }
    }

    fn session(&mut self) -> Result<&mut Session> {
        self.held.as_mut().ok_or_else(|| Error::failed("the restore has ended already"))
    }
}

impl Workspace for Restoring {
    fn load(&mut self, content: Content, plain: &mut dyn Read) -> Result<()> {
        // Its events would work on the tables beside, or worse on those that their texts name.
        self.place.asleep = load::load_asleep(&self.place, content, plain)?;
        Ok(())
    }

    fn loaded(&self) -> &dyn Loaded {
        &self.place
    }

    fn keep(mut self: Box<Self>) -> Result<Left> {
        let (name, label) = (self.name.clone(), Label::new(Role::Kept, &self.target));
        let session = self.session()?;
        label::write(session, &name, &label).map_err(|error| error.within("the database beside cannot be kept"))?;
        // From here on it is not ours to drop.
        self.held = None;
        let open = self.place.address.client_command();
        let drop = format!(
            "{} -e {}",
            self.place.without_database().address.client_command(),
            shell::word(&format!("DROP DATABASE {}", sql::ident(&name)))
        );
        Ok(Left { location: self.loaded().location(), open, drop })
    }
}

impl Beside for Restoring {
    fn bring_properties(&mut self) {
        self.brings_properties = self.origin.is_some();
    }

    fn swap(mut self: Box<Self>) -> Result<Kept> {
        let mut session = self.place.without_database().session()?;
        let objects = Objects::read(&self.place, &mut session, &self.name)?.with_awake(&self.place.asleep);
        let is_there = catalog::is_there(&mut session, &self.target)?;
        let charset = if is_there && !self.brings_properties { None } else { self.origin.clone() };
        let incoming = Incoming { database: self.name.clone(), objects, charset, is_any: true };
        let (place, target, aside) = (self.place.clone(), self.target.clone(), self.aside());
        let had_target = exchange::exchange(&place, self.session()?, &target, &incoming, &aside)?;
        // From here on there is no database of this name to drop.
        self.held = None;
        Ok(self.kept(had_target))
    }
}

impl Drop for Restoring {
    fn drop(&mut self) {
        let Some(session) = self.held.take() else { return };
        let dropped = interrupt::while_cleaning(|| {
            // A signal ends the client of this session too. What it said last may still be at work in the server, which gives
            // the lock up when it is done.
            drop(session);
            let mut fresh = self.place.without_database().session()?;
            locks::lock_within(&mut fresh, &self.name, ending::CLEANING_WAIT)?;
            ending::remove(&mut fresh, &self.place, &self.name)
        });
        if let Err(error) = dropped {
            tracing::warn!("the database {} is still there: {error}", self.name);
        }
    }
}
