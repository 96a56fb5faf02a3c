//! The schema of a SQLite database, object by object.

use rusqlite::Connection;

use crate::schema::Schema;

/// Settings in the header that applications give a meaning to.
const PRAGMAS: [&str; 2] = ["user_version", "application_id"];

/// Every object as its SQL stands in the schema table, and the pragmas that applications set. What SQLite makes by itself
/// (the indexes of constraints, its own tables) follows from the rest and is left out.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Schema> {
    let mut schema = Schema::default();
    let mut statement = connection
        .prepare("SELECT type || ' ' || name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        schema.0.insert(row.get(0)?, row.get(1)?);
    }
    for pragma in PRAGMAS {
        schema.0.insert(format!("pragma {pragma}"), setting(connection, pragma)?);
    }
    Ok(schema)
}

/// The statements that make the settings what they are.
pub(super) fn settings(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    PRAGMAS.iter().map(|pragma| setting(connection, pragma)).collect()
}

fn setting(connection: &Connection, pragma: &str) -> rusqlite::Result<String> {
    let value: i64 = connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))?;
    Ok(format!("PRAGMA {pragma} = {value}"))
}
