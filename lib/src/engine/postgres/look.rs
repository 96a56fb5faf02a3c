//! The state of a database without its rows' content: counts and objects, and the schema as `pg_dump` writes it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

use super::catalog::{self, Server};
use super::place::Place;
use super::probe::pg_dump_for;
use super::text::{Scanner, objects::Objects};
use crate::error::{Error, Result};
use crate::exec::Stream;
use crate::fingerprint::{Fingerprint, Table};
use crate::schema::Schema;

/// How much of the stream is read at once.
const BLOCK_BYTES: usize = 64 << 10;

/// Schema, row counts and objects, in one snapshot.
pub(super) fn rows_only(place: &Place) -> Result<Fingerprint> {
    let mut session = place.session()?;
    let server = catalog::server(&mut session)?;
    session.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
    let snapshot = session.text("SELECT pg_export_snapshot()")?;
    let relations = catalog::relations(&mut session)?;
    let counts = catalog::count_rows(&mut session, &server, &relations)?;
    let objects = catalog::objects(&mut session)?;
    let schema_sha256 = schema_hash(schema_only(place, &server, Some(&snapshot))?)?;
    session.run("COMMIT")?;
    let tables = counts.into_iter().map(|(name, rows)| (name, Table { rows, content_sha256: None })).collect();
    Ok(Fingerprint { schema_sha256, tables, objects, sequences: BTreeMap::new() })
}

/// The schema, object by object.
pub(super) fn schema(place: &Place) -> Result<Schema> {
    let server = catalog::server(&mut place.session()?)?;
    let mut stream = BufReader::with_capacity(BLOCK_BYTES, schema_only(place, &server, None)?);
    let mut objects = Objects::default();
    let mut line = Vec::new();
    while stream.read_until(b'\n', &mut line).map_err(cannot_read)? > 0 {
        objects.line(&line);
        line.clear();
    }
    objects.finish().map_err(|error| error.within("pg_dump ended well, but"))
}

fn schema_only(place: &Place, server: &Server, snapshot: Option<&str>) -> Result<Stream> {
    place
        .call(&pg_dump_for(place, server)?.path)
        .args(["--format=plain", "--schema-only", "--no-password"])
        .args(snapshot.map(|snapshot| format!("--snapshot={snapshot}")))
        .arg(format!("--lock-wait-timeout={}", place.lock_wait().as_millis()))
        .args(place.address.database_arg())
        .silence_max(place.settings.stall_timeout)
        .stream()
}

fn schema_hash(mut dump: impl Read) -> Result<String> {
    let mut scanner = Scanner::new();
    let mut block = vec![0u8; BLOCK_BYTES];
    loop {
        match dump.read(&mut block).map_err(cannot_read)? {
            0 => return Ok(scanner.finish()?.schema_sha256),
            count => scanner.write(&block[..count]),
        }
    }
}

fn cannot_read(error: std::io::Error) -> Error {
    Error::from_io("cannot read the schema", error)
}
