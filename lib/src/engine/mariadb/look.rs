//! The state of a database without its rows' content: counts, and the schema as the dump program writes it.

use super::catalog;
use super::dump::{self, Extent};
use super::place::Place;
use super::probe::dump_program;
use super::session::Session;
use super::text::Scanner;
use crate::engine::Live;
use crate::engine::sql_stream::{Nowhere, cut_for, pump};
use crate::error::Result;
use crate::fingerprint::Fingerprint;
use crate::schema::Schema;

/// What is at the real place now.
pub(super) fn live(place: &Place, target: &str) -> Result<Live> {
    if !catalog::is_there(&mut place.without_database().session()?, target)? {
        return Ok(Live::Missing);
    }
    let mut session = match place.session() {
        Ok(session) => session,
        Err(error) => return Ok(Live::Broken(error.to_string())),
    };
    let server = catalog::server(&mut session)?;
    let relations = catalog::relations(&mut session, &server)?;
    Ok(Live::Present { bytes: catalog::estimated_bytes(&relations), is_empty: !relations.iter().any(catalog::Relation::is_table) })
}

/// Schema, row counts and objects; the counts in one snapshot.
pub(super) fn rows_only(place: &Place) -> Result<Fingerprint> {
    let mut session = place.session()?;
    let server = catalog::server(&mut session)?;
    let relations = catalog::relations(&mut session, &server)?;
    let moves_history = server.moves_history(&dump_program(place, &server)?);
    let mut fingerprint = schema_only(place, &mut session)?.finish()?;
    session.run("START TRANSACTION WITH CONSISTENT SNAPSHOT")?;
    for (name, rows) in catalog::count_rows(&mut session, &relations, moves_history)? {
        let table = fingerprint.tables.entry(name).or_default();
        table.rows = rows;
    }
    session.run("COMMIT")?;
    fingerprint.tables.values_mut().for_each(|table| table.content_sha256 = None);
    Ok(fingerprint)
}

/// The schema, object by object.
pub(super) fn schema(place: &Place) -> Result<Schema> {
    schema_only(place, &mut place.session()?)?.finish_schema()
}

fn schema_only(place: &Place, session: &mut Session) -> Result<Scanner> {
    let server = catalog::server(session)?;
    let program = dump_program(place, &server)?;
    let relations = catalog::relations(session, &server)?;
    let mut stream = dump::call(place, session, &server, &program, &relations, Extent::Schema)?.stream()?;
    let mut scanner = Scanner::new().with_asleep(&place.asleep);
    pump(&mut stream, &mut Nowhere, cut_for(0), |block| scanner.write(block))?;
    Ok(scanner)
}
