//! MariaDB and MySQL, through their own client programs.

mod address;
mod beside;
mod catalog;
mod cluster;
mod create;
mod dump;
mod ending;
mod exchange;
mod idle;
mod insistent;
mod label;
mod load;
mod locks;
mod look;
mod lossy;
mod marker;
mod names;
mod objects;
mod place;
mod probe;
mod programs;
mod questions;
mod require;
mod rights;
mod scratch;
mod session;
mod shared;
mod sql;
mod structure;
mod waiting;
mod work;
pub mod text;

pub use structure::SqlStructure;

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Badge, Beside, Content, Depth, Dumped, Engine, Kept, Live, Loaded, Outlet, Probe, Settings, Work, Workspace};
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::manifest::{Database, EngineName};
use crate::marker::Marker;
use crate::schema::Schema;
use crate::secret::Secret;
use address::Address;
use place::Place;

/// A database of MariaDB or MySQL.
pub struct Mariadb {
    place: Place,
}

impl Mariadb {
    /// Reads a source's text: `mariadb://USER@HOST:PORT/DATABASE?ssl-mode=…`, `mysql://USER@localhost/DATABASE?socket=PATH`,
    /// `mariadb:` with everything from around. What it does not name comes from the option files and the `MYSQL_*` variables,
    /// as for `mariadb`. A password given here wins over one in the text.
    ///
    /// Errors: [`crate::error::Kind::Config`]; nothing is connected yet.
    pub fn parse(text: &str, password: Option<Secret>, settings: Settings) -> Result<Self> {
        Ok(Mariadb { place: Place::new(Address::parse(text, password)?, settings) })
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
        self
    }

    fn target(&self) -> Result<&str> {
        self.place.address.database().ok_or_else(|| {
            Error::usage("the URL of MariaDB or MySQL names no database").hint("write mariadb://USER@HOST/DATABASE, or set MYSQL_DATABASE")
        })
    }
}

impl Engine for Mariadb {
    fn name(&self) -> EngineName {
        EngineName::Mariadb
    }

    fn content(&self) -> Content {
        Content::MariadbSql
    }

    fn location(&self) -> String {
        self.place.address.location(&self.database_name())
    }

    fn database_name(&self) -> String {
        self.place.address.database().unwrap_or_default().to_owned()
    }

    fn identity(&self) -> Option<String> {
        self.target().ok()?;
        let mut session = self.place.session().ok()?;
        catalog::server(&mut session).ok()?.identity()
    }

    fn probe(&self) -> Result<Probe> {
        self.target()?;
        probe::probe(&self.place)
    }

    fn dump(&self, out: &mut dyn Outlet) -> Result<Dumped> {
        self.target()?;
        self.place.dump(out)
    }

    fn image(&self, out: &mut dyn Outlet) -> Result<Option<Fingerprint>> {
        self.target()?;
        dump::image(&self.place, out).map(Some)
    }

    fn around(&self) -> Result<BTreeMap<String, serde_json::Value>> {
        self.target()?;
        catalog::around(&mut self.place.session()?)
    }

    fn schema(&self) -> Result<Schema> {
        self.target()?;
        self.place.schema()
    }

    fn marker(&self) -> Result<Option<Marker>> {
        let target = self.target()?;
        self.place.marker().or_else(|error| {
            let is_there = self.place.without_database().session().and_then(|mut session| catalog::is_there(&mut session, target));
            if is_there.is_ok_and(|there| !there) { Ok(None) } else { Err(error) }
        })
    }

    fn mark(&self, marker: &Marker) -> Result<()> {
        self.target()?;
        self.place.mark(marker)
    }

    fn is_named_by(&self, value: &str) -> bool {
        self.target().is_ok_and(|name| self.place.address.is_named_by(name, value))
    }

    fn places(&self) -> BTreeMap<&'static str, String> {
        let mut places = self.place.address.reach().places;
        places.insert("url", self.place.address.url_without_password());
        places
    }

    fn limits(&self, lock: Option<Duration>, statement: Option<Duration>) -> Result<BTreeMap<String, String>> {
        if lock.is_none() && statement.is_none() {
            return Ok(BTreeMap::new());
        }
        Err(Error::usage("no variable tells the libraries of MariaDB and MySQL how long to wait for a lock or a statement")
            .hint("SET lock_wait_timeout and innodb_lock_wait_timeout in the migration itself, or bound the whole command with --timeout"))
    }

    fn badge(&self, run: &str) -> Badge {
        let newest_before = work::newest(&self.place).unwrap_or_else(|error| {
            tracing::debug!("what the server will do for the command cannot be told: {error}");
            None
        });
        Badge { run: run.to_owned(), newest_before }
    }

    fn at_work(&self, badge: &Badge) -> Result<Vec<Work>> {
        badge.newest_before.map_or_else(|| Ok(Vec::new()), |newest| work::since(&self.place, self.target()?, newest))
    }

    fn end_work(&self, _badge: &Badge, work: &[Work]) -> Result<()> {
        work::require_none(work)
    }

    fn can_end_work(&self) -> bool {
        false
    }

    fn waiting(&self) -> Result<Vec<String>> {
        waiting::sentences(&self.place)
    }

    fn live(&self) -> Result<Live> {
        look::live(&self.place, self.target()?)
    }

    fn fingerprint(&self, depth: Depth) -> Result<Fingerprint> {
        self.target()?;
        self.place.fingerprint(depth)
    }

    fn require_swap(&self) -> Result<()> {
        require::require_swap(&self.place, self.target()?)
    }

    fn require_room(&self, _plain_bytes: u64) -> Result<()> {
        Ok(())
    }

    fn scratch(&self, origin: Option<&Database>) -> Result<Box<dyn Workspace>> {
        Ok(Box::new(scratch::scratch(&self.place.settings, origin)?))
    }

    fn beside(&self, origin: Option<&Database>, id: &str) -> Result<Box<dyn Beside>> {
        Ok(Box::new(beside::create(&self.place, self.target()?, origin, id)?))
    }

    fn would_keep(&self, id: &str) -> Result<Kept> {
        exchange::would_keep(&self.place, self.target()?, self.location(), id)
    }

    fn is_kept(&self, kept: &Kept) -> Result<bool> {
        exchange::is_kept(&self.place, self.target()?, kept)
    }

    fn undo(&self, kept: &Kept, id: &str) -> Result<Kept> {
        exchange::undo(&self.place, self.target()?, kept, id)
    }

    fn discard(&self, kept: &Kept) -> Result<()> {
        exchange::discard(&self.place, self.target()?, kept)
    }

    fn recover(&self) -> Result<Vec<String>> {
        ending::recover(&self.place, self.target()?)
    }
}
