//! The marker in a SQLite database: one small table with one row.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use rusqlite::Connection;

use super::open;
use crate::error::{Error, Result};
use crate::marker::{Marker, Role, TABLE};

/// Its columns.
const COLUMNS: [&str; 3] = ["environment", "role", "marked_at"];

/// What stands in the table; nothing where there is none, or one of that name that is not ours.
pub(super) fn rows(connection: &Connection) -> rusqlite::Result<Vec<[String; 3]>> {
    if columns(connection)? != COLUMNS {
        return Ok(Vec::new());
    }
    // One row more than there may be, to tell.
    let mut statement = connection.prepare(&format!("SELECT environment, role, marked_at FROM main.{TABLE} LIMIT 2"))?;
    statement.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))?.collect()
}

/// The columns of the table; none where there is no table of that name.
fn columns(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let is_table = format!("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '{TABLE}' COLLATE NOCASE");
    if connection.query_row(&is_table, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare(&format!("SELECT name FROM pragma_table_info('{TABLE}', 'main') ORDER BY cid"))?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// What the rows of the table say. A marker that cannot be understood is an error: silence would let a wrong flag pass.
pub(super) fn read(rows: &[[String; 3]], path: &Path) -> Result<Option<Marker>> {
    let unclear = |why: String| {
        Error::refused(format!("the marker in {} {why}", path.display()))
            .hint("write it anew with backup-guard mark-env, and the name of the environment that the database belongs to")
    };
    match rows {
        [] => Ok(None),
        [[environment, role, marked_at]] => {
            let marked_at: DateTime<Utc> = DateTime::parse_from_rfc3339(marked_at)
                .map_err(|_| unclear(format!("was written at {marked_at:?}, which is no time")))?
                .with_timezone(&Utc);
            Ok(Some(Marker { environment: environment.clone(), role: Role::read(role), marked_at }))
        }
        _ => Err(unclear("has more than one row".to_owned())),
    }
}

/// Reads it, where nobody else can be writing.
pub(super) fn of(connection: &Connection, path: &Path) -> Result<Option<Marker>> {
    read(&rows(connection).map_err(|error| open::explain(path, error))?, path)
}

/// Writes it in one transaction, in place of any that is there.
pub(super) fn write(path: &Path, marker: &Marker, limit: Duration) -> Result<()> {
    open::require_database_file(path)?;
    let connection = open::target(path, false)?;
    let explain = |error| open::explain(path, error);
    // Whether it can be written is known only once it has been read.
    let found = open::within(limit, path, || columns(&connection))?;
    if connection.is_readonly("main").map_err(explain)? {
        return Err(Error::failed(format!("{} can only be read, so it was not marked", path.display()))
            .hint("run it as the user who owns the file and its folder, where they can be written"));
    }
    if !found.is_empty() && found != COLUMNS {
        return Err(Error::failed(format!("{} has a table {TABLE} that is no marker of Holdfast", path.display()))
            .hint("give that table another name; nothing was changed"));
    }
    open::within(limit, path, || connection.execute_batch("BEGIN IMMEDIATE"))?;
    connection
        .execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS main.{TABLE} (environment TEXT NOT NULL, role TEXT NOT NULL, marked_at TEXT NOT NULL);
             DELETE FROM main.{TABLE}"
        ))
        .map_err(explain)?;
    connection
        .execute(
            &format!("INSERT INTO main.{TABLE} (environment, role, marked_at) VALUES (?, ?, ?)"),
            [&marker.environment, marker.role.name(), &marker.marked_at.to_rfc3339_opts(SecondsFormat::Millis, true)],
        )
        .map_err(explain)?;
    // Without a write-ahead log a commit waits for readers. What is not committed is rolled back when the connection closes.
    open::within(limit, path, || connection.execute_batch("COMMIT"))
}
