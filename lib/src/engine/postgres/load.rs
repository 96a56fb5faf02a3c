//! Loading a dump into a database that is not the real one.

use std::io::{Read, Write};

use super::place::Place;
use super::text::Scanner;
use super::{programs, sql};
use crate::engine::Content;
use crate::error::{Error, Result};
use crate::exec::Call;

/// How much is handed on at once.
const BLOCK_BYTES: usize = 256 << 10;

/// Loads a dump; an error of any statement, and a text that ends too early, is an error of the load.
pub(super) fn load(place: &Place, content: Content, plain: &mut dyn Read) -> Result<()> {
    match content {
        Content::PostgresSql => load_text(place, plain),
        Content::PostgresCustom => load_archive(place, plain),
        other => Err(Error::refused(format!("{other} cannot be loaded into PostgreSQL"))),
    }
}

fn load_text(place: &Place, plain: &mut dyn Read) -> Result<()> {
    // `-f -` rather than plain stdin, so that an error names its line.
    let arguments = ["-X", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-f", "-"];
    let call = tuned(place, place.call(place.psql()?)).args(arguments).args(place.address.database_arg());
    // psql takes the end of its input for the end of the rows, and a dump cut there for a whole one.
    let mut scanner = Scanner::of_structure();
    let mut sink = call.sink()?;
    feed(plain, |block| {
        scanner.write(block);
        sink.write_all(block).map_err(|error| Error::from_io("cannot load the dump", error))
    })?;
    scanner.finish_foreign()?;
    sink.finish().map(|_| ())
}

fn load_archive(place: &Place, plain: &mut dyn Read) -> Result<()> {
    let psql = place.psql()?;
    let program =
        programs::beside(&psql, "pg_restore").ok_or_else(|| Error::failed("pg_restore was not found beside psql").hint("set pg_bin"))?;
    let database = place.address.database().unwrap_or_default();
    let call = tuned(place, place.call(program))
        .args(["--exit-on-error", "--no-password", "--format=custom"])
        .arg(format!("--dbname={}", sql::conninfo(&database)));
    let mut sink = call.sink()?;
    feed(plain, |block| sink.write_all(block).map_err(|error| Error::from_io("cannot load the archive", error)))?;
    sink.finish().map(|_| ())
}

fn feed(plain: &mut dyn Read, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut block = vec![0u8; BLOCK_BYTES];
    loop {
        match plain.read(&mut block).map_err(|error| Error::from_io("cannot read the dump", error))? {
            0 => return Ok(()),
            count => take(&block[..count])?,
        }
    }
}

/// A database that is thrown away where its load is cut short needs no commit on disk. The server's own memory for building
/// indexes stays: with four times as much a ledger loaded 17 % slower.
fn tuned(place: &Place, call: Call) -> Call {
    let options = format!(
        "{} -c synchronous_commit=off -c client_min_messages=warning -c statement_timeout=0 -c lock_timeout=0",
        place.address.options()
    );
    call.env("PGOPTIONS", options.trim_start())
}
