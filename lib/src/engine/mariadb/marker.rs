//! The marker's table inside a database.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;

use super::catalog::{self, Server};
use super::place::Place;
use super::rights;
use super::session::Session;
use super::sql::{self, json};
use crate::error::{Error, Result};
use crate::marker::{Marker, Role, TABLE};

/// Its columns by name, all of them texts.
const COLUMNS: [&str; 3] = ["environment", "marked_at", "role"];

/// What stands under the marker's name.
#[derive(PartialEq, Eq)]
enum Found {
    Nothing,
    Marker,
    /// Something that others made.
    Other,
}

/// What the database says of itself; none where it says nothing.
pub(super) fn read(place: &Place) -> Result<Option<Marker>> {
    let mut session = place.session()?;
    let server = catalog::server(&mut session)?;
    of(&mut session, &server)
}

/// The same, by a session that is there.
pub(super) fn of(session: &mut Session, server: &Server) -> Result<Option<Marker>> {
    #[derive(Deserialize)]
    struct Row {
        environment: Option<String>,
        role: Option<String>,
        marked_at: Option<String>,
    }
    if look(session, server)? != Found::Marker {
        return Ok(None);
    }
    let table = sql::ident(TABLE);
    let columns = json(&COLUMNS.map(|column| (column, column)));
    let rows: Vec<Row> = session
        .rows(&format!("SELECT {columns} FROM {table} LIMIT 2"))
        .map_err(|error| error.within("cannot read the marker").hint(grant(server, "SELECT")))?;
    if rows.len() > 1 {
        return Err(Error::refused(format!("{table} has more than one row, so it cannot be known whose database this is"))
            .hint("mark it anew: backup-guard mark-env ENV"));
    }
    Ok(rows.into_iter().next().and_then(|row| {
        let marked_at = DateTime::parse_from_rfc3339(&row.marked_at?).ok()?.with_timezone(&Utc);
        Some(Marker { environment: row.environment?, role: Role::read(&row.role?), marked_at })
    }))
}

/// Writes the marker, in one transaction, in place of whatever it said before.
pub(super) fn write(place: &Place, marker: &Marker) -> Result<()> {
    replace(place, marker).map_err(|error| error.within("cannot mark the database"))
}

fn replace(place: &Place, marker: &Marker) -> Result<()> {
    let mut session = place.session()?;
    let server = catalog::server(&mut session)?;
    let table = sql::ident(TABLE);
    match look(&mut session, &server)? {
        Found::Marker => {}
        Found::Other => {
            return Err(Error::refused(format!("{table} is there already, and it is not Holdfast's")).hint("rename it, or drop it"));
        }
        Found::Nothing => {
            let columns = COLUMNS.map(|column| format!("{column} varchar(255) NOT NULL")).join(", ");
            // A table that no transaction holds for would be in the way of every snapshot.
            let create = format!("CREATE TABLE {table} ({columns}) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
            step(&mut session, &create, &server, "CREATE")?;
        }
    }
    let rights = "SELECT, INSERT, DELETE";
    step(&mut session, "START TRANSACTION", &server, rights)?;
    step(&mut session, &format!("DELETE FROM {table}"), &server, rights)?;
    let marked_at = marker.marked_at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let values = [marker.environment.as_str(), &marked_at, marker.role.name()].map(sql::literal).join(", ");
    step(&mut session, &format!("INSERT INTO {table} ({}) VALUES ({values})", COLUMNS.join(", ")), &server, rights)?;
    session.run("COMMIT")
}

/// Says a statement; where the account lacks the rights for it, the error has the GRANT that gives them.
fn step(session: &mut Session, statement: &str, server: &Server, rights: &str) -> Result<()> {
    let Err(objection) = session.ask(statement)? else { return Ok(()) };
    let lacks_right = objection.is_lack_of_right();
    let error = objection.into_error();
    Err(if lacks_right { error.hint(grant(server, rights)) } else { error })
}

fn grant(server: &Server, rights: &str) -> String {
    let (database, grantee) = (sql::ident(&server.database), rights::grantee(&server.account));
    format!("as an administrator: GRANT {rights} ON {database}.{} TO {grantee}", sql::ident(TABLE))
}

fn look(session: &mut Session, server: &Server) -> Result<Found> {
    #[derive(Deserialize)]
    struct Row {
        column: String,
        kind: String,
    }
    let name = sql::literal(TABLE);
    let this = format!("{} AND TABLE_NAME = {name} AND BINARY TABLE_NAME = BINARY {name}", catalog::in_this(server, "TABLE_SCHEMA"));
    // Not joined: for that MariaDB makes a table of the columns of all databases.
    let kind = format!("(SELECT TABLE_TYPE FROM information_schema.TABLES WHERE {this})");
    let columns = json(&[("column", "COLUMN_NAME"), ("kind", &kind)]);
    let rows: Vec<Row> = session.rows(&format!("SELECT {columns} FROM information_schema.COLUMNS WHERE {this}"))?;
    let mut names: Vec<&str> = rows.iter().map(|row| row.column.as_str()).collect();
    names.sort_unstable();
    Ok(match rows.first() {
        None => Found::Nothing,
        Some(row) if row.kind == "BASE TABLE" && names == COLUMNS => Found::Marker,
        Some(_) => Found::Other,
    })
}
