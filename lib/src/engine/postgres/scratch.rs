//! Throwaway databases: on a private server that lives as long as the value, or on a server that the configuration names.

use std::collections::BTreeSet;
use std::io::Read;

use super::address::Address;
use super::cluster::Cluster;
use super::place::Place;
use super::shared::Shared;
use super::{create, load, sql};
use crate::engine::{Content, Left, Loaded, Settings, Workspace};
use crate::error::{Error, Result};
use crate::manifest::Database;
use crate::shell;

/// The superuser of a private server.
const SUPERUSER: &str = "postgres";

/// A throwaway database.
pub(super) struct Scratch {
    place: Place,
    home: Home,
    /// Every role that the dump to come may name.
    roles: BTreeSet<String>,
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
            Ok(Scratch {
                place: shared.place(),
                home: Home::Shared(Box::new(shared)),
                roles: origin.map(create::roles_of).unwrap_or_default(),
            })
        }
        None => private(settings, origin),
    }
}

fn private(settings: &Settings, origin: Option<&Database>) -> Result<Scratch> {
    let cluster = Cluster::start(settings, origin.map(|origin| origin.server_version.as_str()), SUPERUSER)?;
    let socket_folder = cluster.socket_folder();
    let at = |database: &str| Place { address: Address::private(&socket_folder, SUPERUSER, database), settings: settings.clone() };
    let mut session = at("postgres").session()?;
    let name = match origin.map(|origin| origin.name.as_str()) {
        None | Some("postgres" | "template0" | "template1" | "") => "restored".to_owned(),
        Some(name) => name.to_owned(),
    };
    if let Some(origin) = origin {
        create::require_needs(&mut session, origin, false)?;
        for role in create::missing_roles(&mut session, origin)? {
            session.run(&format!("CREATE ROLE {} NOLOGIN", sql::ident(&role)))?;
        }
    }
    if let Err(objection) = create::create(&mut session, &name, origin)? {
        tracing::warn!("this machine lacks the database's locale, the scratch database sorts by bytes: {}", objection.into_error());
        create::create_without_locale(&mut session, &name, origin)?;
    }
    Ok(Scratch { place: at(&name), home: Home::Private(Box::new(cluster)), roles: BTreeSet::new() })
}

impl Workspace for Scratch {
    fn load(&mut self, content: Content, plain: &mut dyn Read) -> Result<()> {
        load::load(&self.place, content, plain).map_err(|error| match &self.home {
            Home::Shared(shared) => shared.explain(error, &self.roles),
            Home::Private(_) => error,
        })
    }

    fn loaded(&self) -> &dyn Loaded {
        &self.place
    }

    fn keep(self: Box<Self>) -> Result<Left> {
        let (location, place) = (self.loaded().location(), self.place);
        match self.home {
            Home::Shared(shared) => shared.keep(),
            Home::Private(cluster) => {
                let open = format!("psql {}", shell::word(&place.address.url_without_password()));
                Ok(Left { location, open, drop: cluster.keep()? })
            }
        }
    }
}

/// What a person should know where no private server can be had.
pub(super) fn no_server_programs(needed_major: u32) -> Error {
    let wanted = if needed_major == 0 { String::new() } else { format!("-{needed_major}") };
    Error::failed("PostgreSQL's server programs, by which a restore is rehearsed, were not found on this machine")
        .hint(format!("install postgresql{wanted}, set pg_bin, or name a scratch_server"))
}
