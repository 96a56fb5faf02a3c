//! Throwaway databases: on a private server that lives as long as the value, or on a server that the configuration names.

use std::io::Read;

use super::address::Address;
use super::cluster::{Cluster, SUPERUSER};
use super::place::Place;
use super::shared::Shared;
use super::{create, load};
use crate::engine::{Content, Left, Loaded, Settings, Workspace};
use crate::error::{Error, Result};
use crate::manifest::Database;

/// Names that a server's own databases have.
const SYSTEM: [&str; 5] = ["", "mysql", "sys", "information_schema", "performance_schema"];

/// A throwaway database.
pub(super) struct Scratch {
    place: Place,
    home: Home,
}

enum Home {
    /// Gone with its server.
    Private(Box<Cluster>),
    /// To be dropped there.
    Shared(Box<Shared>),
}

/// Makes one for a backup of `origin`.
pub(super) fn scratch(settings: &Settings, origin: Option<&Database>) -> Result<Scratch> {
    match &settings.scratch_server {
        Some(url) => {
            let shared = Shared::create(url, settings, origin).map_err(|error| error.within("scratch_server"))?;
            Ok(Scratch { place: shared.place(), home: Home::Shared(Box::new(shared)) })
        }
        None => private(settings, origin),
    }
}

fn private(settings: &Settings, origin: Option<&Database>) -> Result<Scratch> {
    let cluster = Cluster::start(settings, origin)?;
    let socket = cluster.socket();
    let at = |database: &str| Place::new(Address::private(&socket, SUPERUSER, database), settings.clone());
    let name = origin.map(|origin| origin.name.as_str()).filter(|name| !SYSTEM.contains(name)).unwrap_or("restored");
    let server = at("");
    if !create::create(&mut || server.session(), name, origin)? {
        tracing::warn!("the private server lacks the database's character set or collation, the scratch database has its own");
    }
    Ok(Scratch { place: at(name), home: Home::Private(Box::new(cluster)) })
}

impl Workspace for Scratch {
    fn load(&mut self, content: Content, plain: &mut dyn Read) -> Result<()> {
        match &self.home {
            Home::Private(_) => {
                let place = &self.place;
                load::load(place, content, plain, |accounts| create::create_definers(&mut place.without_database().session()?, accounts))
            }
            Home::Shared(_) => {
                self.place.asleep = load::load_asleep(&self.place, content, plain).map_err(lack_of_rights)?;
                Ok(())
            }
        }
    }

    fn loaded(&self) -> &dyn Loaded {
        &self.place
    }

    fn keep(self: Box<Self>) -> Result<Left> {
        let (location, place) = (self.loaded().location(), self.place);
        match self.home {
            Home::Shared(shared) => shared.keep(),
            Home::Private(cluster) => Ok(Left { location, open: place.address.client_command(), drop: cluster.keep()? }),
        }
    }
}

/// A load that failed for what our account may not do on somebody's server says nothing of the backup.
fn lack_of_rights(error: Error) -> Error {
    let said = error.to_string();
    if said.contains("ERROR 1227 ") || said.contains("(42000)") && said.contains("Access denied; you need") {
        return error.as_kind(crate::error::Kind::Config).hint(
            "views and routines of other accounts are loaded there: GRANT SET USER ON *.* (MariaDB) or SET_USER_ID ON *.* (MySQL) to the account; \
             or leave scratch_server out, for a private server",
        );
    }
    error
}
