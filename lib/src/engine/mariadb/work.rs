//! What the server may do for a run's command. No variable gives a session a name, so that nothing tells whose it is; but sessions are
//! numbered as they come, and what the command has begun bears a later number than all that was there before.
//!
//! Whoever kills a client does not end what the server does for it: a statement goes on to its end, and takes effect when nobody
//! expects it any more.

use super::place::Place;
use super::sql;
use super::waiting::{Row, columns};
use crate::engine::Work;
use crate::error::{Error, Result};

/// The number of a session that begins now. None where the server does not tell sessions apart (behind a proxy that gives its own).
pub(super) fn newest(place: &Place) -> Result<Option<u64>> {
    Ok(place.without_database().session()?.text("SELECT CONNECTION_ID()")?.parse().ok())
}

/// The later sessions that do something in the database, in none, or in another where they name it. What only reads counts too: of a
/// routine the server shows the statement that it is at, and it may be about to write. A dump program reads and nothing else,
/// and replication has its own sessions. Those of other accounts are hidden from one without PROCESS.
pub(super) fn since(place: &Place, database: &str, newest: u64) -> Result<Vec<Work>> {
    let rows: Vec<Row> = place.without_database().session()?.rows(&format!(
        "SELECT {} FROM information_schema.PROCESSLIST WHERE ID > {newest} AND ID <> CONNECTION_ID() \
         AND (IFNULL(DB, {name}) = {name} OR LOCATE({name}, INFO) > 0) AND COMMAND NOT IN ('Sleep', 'Daemon') \
         AND COMMAND NOT LIKE 'Binlog Dump%' AND USER <> 'system user' AND IFNULL(INFO, '') NOT LIKE 'SELECT /*!40001 SQL\\_NO\\_CACHE */ %' ORDER BY ID",
        columns(),
        name = sql::literal(database)
    ))?;
    Ok(rows.iter().map(|row| Work { session: row.id, what: row.is_at_work() }).collect())
}

/// Refuses where there is any: it may be the application's.
pub(super) fn require_none(work: &[Work]) -> Result<()> {
    let Some(first) = work.first() else { return Ok(()) };
    Err(Error::failed("the server is still at work in the database for sessions that have begun since the command did, and may be its own")
        .hint(format!("wait for their end, or where they are the command's, end them: KILL {}", first.session)))
}
