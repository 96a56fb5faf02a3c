//! Throwaway databases: on a private server that lives as long as the value, or on a server that the configuration names.

use std::io::Read;

use super::address::Address;
use super::cluster::Cluster;
use super::create::{self, Label, Role};
use super::load;
use super::place::Place;
use super::sql;
use crate::engine::{Content, Depth, Dumped, Left, Outlet, Reach, Settings, Workspace};
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::fsx;
use crate::interrupt;
use crate::manifest::Database;
use crate::marker::Marker;
use crate::schema::Schema;

/// The superuser of a private server.
const SUPERUSER: &str = "postgres";

/// A throwaway database.
pub(super) struct Scratch {
    place: Place,
    home: Home,
}

enum Home {
    /// Gone with its server.
    Private { _cluster: Box<Cluster> },
    /// To be dropped there.
    Shared { maintenance: Box<Place>, name: String },
}

/// Makes one for a backup of `origin`.
pub(super) fn scratch(settings: &Settings, origin: Option<&Database>) -> Result<Scratch> {
    match &settings.scratch_server {
        Some(url) => shared(url, settings, origin),
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
    Ok(Scratch { place: at(&name), home: Home::Private { _cluster: Box::new(cluster) } })
}

fn shared(url: &str, settings: &Settings, origin: Option<&Database>) -> Result<Scratch> {
    let address = Address::parse(url, None).map_err(|error| error.within("scratch_server"))?;
    let maintenance = Place { address, settings: settings.clone() };
    let mut session = maintenance.session().map_err(|error| error.within("scratch_server"))?;
    if let Some(origin) = origin {
        create::require_needs(&mut session, origin, true).map_err(|error| error.within("scratch_server"))?;
    }
    let name = format!("holdfast_scratch_{}", fsx::random_hex(6)?);
    if let Err(objection) = create::create(&mut session, &name, origin)? {
        if objection.state == "42501" {
            return Err(objection
                .into_error()
                .within("scratch_server")
                .hint("its role needs the right to create databases: ALTER ROLE … CREATEDB"));
        }
        tracing::warn!("the scratch server lacks the database's locale, the scratch database sorts by bytes: {}", objection.into_error());
        create::create_without_locale(&mut session, &name, origin)?;
    }
    let place = maintenance.with_database(&name);
    let scratch = Scratch { place, home: Home::Shared { maintenance: Box::new(maintenance), name: name.clone() } };
    let label = Label { role: Role::Scratch, target: origin.map(|origin| origin.name.clone()).unwrap_or_default(), comment: None };
    session.run(&create::comment_statement(&name, Some(&label.to_comment())))?;
    Ok(scratch)
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Home::Shared { maintenance, name } = &self.home {
            let dropped = interrupt::while_cleaning(|| {
                maintenance.session().and_then(|mut session| create::drop_ours(&mut session, name, Role::Scratch))
            });
            if let Err(error) = dropped {
                tracing::warn!("the scratch database {name} is still there: {error}");
            }
        }
    }
}

impl Workspace for Scratch {
    fn load(&mut self, content: Content, plain: &mut dyn Read) -> Result<()> {
        load::load(&self.place, content, plain)
    }

    fn fingerprint(&self, depth: Depth) -> Result<Fingerprint> {
        self.place.fingerprint(depth)
    }

    fn ask(&self, query: &str) -> Result<Option<String>> {
        self.place.ask(query)
    }

    fn dump(&self, out: &mut dyn Outlet) -> Result<Dumped> {
        self.place.dump(out)
    }

    fn location(&self) -> String {
        self.place.address.location(&self.place.address.database().unwrap_or_default())
    }

    fn schema(&self) -> Result<Schema> {
        self.place.schema()
    }

    fn marker(&self) -> Result<Option<Marker>> {
        self.place.marker()
    }

    fn mark(&self, marker: &Marker) -> Result<()> {
        self.place.mark(marker)
    }

    fn reach(&self) -> Reach {
        self.place.address.reach()
    }

    fn keep(self: Box<Self>) -> Result<Left> {
        Err(Error::failed("to be built"))
    }
}

/// What a person should know where no private server can be had.
pub(super) fn no_server_programs(needed_major: u32) -> Error {
    let wanted = if needed_major == 0 { String::new() } else { format!("-{needed_major}") };
    Error::failed("PostgreSQL's server programs, by which a restore is rehearsed, were not found on this machine")
        .hint(format!("install postgresql{wanted}, set pg_bin, or name a scratch_server"))
}
