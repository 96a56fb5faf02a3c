//! What can be known, and refused, before a dump.

use super::catalog::{self, Relation, Server};
use super::marker;
use super::place::Place;
use super::programs::{self, Program};
use crate::engine::Probe;
use crate::error::{Error, Result};

/// Refuses what a dump would only find out later.
pub(super) fn probe(place: &Place) -> Result<Probe> {
    let mut session = place.session()?;
    let server = catalog::server(&mut session)?;
    pg_dump_for(place, &server)?;
    let relations = catalog::relations(&mut session)?;
    check(place, &server, &relations)?;
    let mut warnings = Vec::new();
    if server.is_standby {
        warnings.push("the server is a standby: the backup is as old as its replay".to_owned());
    }
    Ok(Probe { estimated_bytes: catalog::estimated_bytes(&mut session)?, warnings, marker: marker::read(&mut session)? })
}

pub(super) fn pg_dump_for(place: &Place, server: &Server) -> Result<Program> {
    programs::for_server("pg_dump", &place.settings.program_dirs, server.version_num, &server.version, &server.database)
}

/// What would make the dump fail, or silently hold less than the database: all of it in one message.
pub(super) fn check(place: &Place, server: &Server, relations: &[Relation]) -> Result<()> {
    let named = |which: &dyn Fn(&Relation) -> bool| {
        relations.iter().filter(|relation| which(relation)).map(Relation::full_name).collect::<Vec<_>>().join(", ")
    };
    let (database, role) = (&server.database, &server.role);
    if !place.settings.allow_empty && !relations.iter().any(Relation::is_table) {
        return Err(
            Error::failed(format!("database {database} has no table")).hint("is it the right one? if it may be empty, set allow_empty")
        );
    }
    let forbidden = named(&Relation::is_forbidden);
    if !forbidden.is_empty() {
        return Err(Error::failed(format!("role {role} may not read everything in database {database}: {forbidden}"))
            .hint(format!("GRANT pg_read_all_data TO \"{role}\" (PostgreSQL 14 and newer), or back up as the owner")));
    }
    let hidden = named(&Relation::hides_rows);
    if !hidden.is_empty() {
        return Err(Error::failed(format!("row security hides rows from role {role} in database {database}: {hidden}"))
            .hint(format!("back up as a superuser, or ALTER ROLE \"{role}\" BYPASSRLS")));
    }
    Ok(())
}
