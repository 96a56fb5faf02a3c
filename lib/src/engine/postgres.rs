//! PostgreSQL, through its own client programs.

mod address;
mod beside;
mod catalog;
mod cluster;
mod create;
mod dump;
mod exchange;
mod limits;
mod load;
mod look;
mod marker;
mod place;
mod probe;
mod programs;
mod scratch;
mod session;
mod shared;
mod snapshot;
mod sql;
mod structure;
pub mod text;
mod waiting;
mod work;

pub use structure::{ArchiveStructure, SqlStructure};

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use super::{Badge, Beside, Content, Depth, Dumped, Engine, Kept, Live, Loaded, Outlet, Probe, Settings, Work, Workspace};
use crate::error::Result;
use crate::fingerprint::Fingerprint;
use crate::manifest::{Database, EngineName};
use crate::marker::Marker;
use crate::schema::Schema;
use crate::secret::Secret;
use address::Address;
use place::Place;

/// A PostgreSQL database.
pub struct Postgres {
    place: Place,
    /// The database's name, asked for where only the server (a service file) knows it.
    name: OnceLock<String>,
}

impl Postgres {
    /// Reads a source's text: `postgres://USER@HOST:PORT/DATABASE?sslmode=…`, `postgres:?service=…`, `postgres:` with
    /// everything from the environment. What it does not name comes from the `PG*` variables, the password file and the
    /// service file, as for `psql`. A password given here wins over one in the text.
    ///
    /// Errors: [`crate::error::Kind::Config`]; nothing is connected yet.
    pub fn parse(text: &str, password: Option<Secret>, settings: Settings) -> Result<Self> {
        let address = Address::parse(text, password)?;
        let name = OnceLock::new();
        if let Some(database) = address.database() {
            name.get_or_init(|| database);
        }
        Ok(Postgres { place: Place { address, settings }, name })
    }

    /// The same database, as another user.
    #[must_use]
    pub fn as_user(mut self, user: &str) -> Self {
        self.place.address = self.place.address.with_user(user);
        self
    }

    /// Another database of the same server.
    #[must_use]
    pub fn on_database(mut self, database: &str) -> Self {
        self.place.address = self.place.address.with_database(database);
        self.name = OnceLock::from(database.to_owned());
        self
    }

    fn target(&self) -> Result<String> {
        match self.name.get() {
            Some(name) => Ok(name.clone()),
            None => {
                let asked = self.place.session().and_then(|mut session| session.text("SELECT current_database()"));
                // The service's own database may be the very one that is gone.
                let name = asked.or_else(|error| self.place.address.services_database().ok_or(error))?;
                Ok(self.name.get_or_init(|| name).clone())
            }
        }
    }
}

impl Engine for Postgres {
    fn name(&self) -> EngineName {
        EngineName::Postgres
    }

    fn content(&self) -> Content {
        Content::PostgresSql
    }

    fn location(&self) -> String {
        self.place.address.location(&self.database_name())
    }

    fn database_name(&self) -> String {
        self.target().unwrap_or_default()
    }

    fn identity(&self) -> Option<String> {
        let mut session = self.place.session().ok()?;
        let server = catalog::server(&mut session).ok()?;
        catalog::identity(&mut session, &server).ok()?
    }

    fn probe(&self) -> Result<Probe> {
        probe::probe(&self.place)
    }

    fn dump(&self, out: &mut dyn Outlet) -> Result<Dumped> {
        self.place.dump(out)
    }

    fn image(&self, out: &mut dyn Outlet) -> Result<Option<Fingerprint>> {
        dump::image(&self.place, out).map(Some)
    }

    fn around(&self) -> Result<BTreeMap<String, serde_json::Value>> {
        catalog::around(&mut self.place.session()?, &self.target()?)
    }

    fn schema(&self) -> Result<Schema> {
        self.place.schema()
    }

    fn marker(&self) -> Result<Option<Marker>> {
        self.place.marker().or_else(|error| {
            let is_missing = self.target().and_then(|target| exchange::is_missing(&self.place, &target));
            if is_missing.is_ok_and(|missing| missing) { Ok(None) } else { Err(error) }
        })
    }

    fn mark(&self, marker: &Marker) -> Result<()> {
        self.place.mark(marker)
    }

    fn is_named_by(&self, value: &str) -> bool {
        let name = self.name.get().cloned().or_else(|| self.place.address.services_database());
        name.is_some_and(|name| self.place.address.is_named_by(&name, value))
    }

    fn places(&self) -> BTreeMap<&'static str, String> {
        let address = self.place.address.with_database(&self.database_name());
        let mut places = address.reach().places;
        places.insert("url", address.url_without_password());
        places
    }

    fn limits(&self, lock: Option<Duration>, statement: Option<Duration>) -> Result<BTreeMap<String, String>> {
        Ok(limits::variables(&address::Address::inherited_options(), lock, statement))
    }

    fn badge_variables(&self, badge: &Badge) -> BTreeMap<String, String> {
        work::variables(&badge.run, &address::Address::inherited_application())
    }

    fn at_work(&self, badge: &Badge) -> Result<Vec<Work>> {
        work::at_work(&mut exchange::maintenance(&self.place, &self.target()?)?, &badge.run)
    }

    fn end_work(&self, badge: &Badge, _work: &[Work]) -> Result<()> {
        work::end(&mut exchange::maintenance(&self.place, &self.target()?)?, &badge.run)
    }

    fn waiting(&self) -> Result<Vec<String>> {
        waiting::sentences(&mut self.place.session()?)
    }

    fn live(&self) -> Result<Live> {
        exchange::live(&self.place, &self.target()?)
    }

    fn fingerprint(&self, depth: Depth) -> Result<Fingerprint> {
        self.place.fingerprint(depth)
    }

    fn require_swap(&self) -> Result<()> {
        let target = self.target()?;
        let mut session = exchange::maintenance(&self.place, &target)?;
        exchange::require_rights(&mut session, &target)?;
        exchange::require_endable_sessions(&mut session, &target)
    }

    /// The server's disk cannot be asked for through SQL; a full one ends the load, with the target untouched.
    fn require_room(&self, _plain_bytes: u64) -> Result<()> {
        Ok(())
    }

    fn scratch(&self, origin: Option<&Database>) -> Result<Box<dyn Workspace>> {
        Ok(Box::new(scratch::scratch(&self.place.settings, origin)?))
    }

    fn beside(&self, origin: Option<&Database>, id: &str) -> Result<Box<dyn Beside>> {
        Ok(Box::new(beside::create(&self.place, &self.target()?, origin, id)?))
    }

    fn would_keep(&self, id: &str) -> Result<Kept> {
        exchange::would_keep(&self.place, &self.target()?, self.location(), id)
    }

    fn is_kept(&self, kept: &Kept) -> Result<bool> {
        exchange::is_kept(&self.place, &self.target()?, kept)
    }

    fn undo(&self, kept: &Kept, id: &str) -> Result<Kept> {
        exchange::undo(&self.place, &self.target()?, kept, id)
    }

    fn discard(&self, kept: &Kept) -> Result<()> {
        exchange::discard(&self.place, &self.target()?, kept)
    }

    fn recover(&self) -> Result<Vec<String>> {
        exchange::recover(&self.place, &self.target()?)
    }
}
