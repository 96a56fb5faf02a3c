//! The marker's table inside a database.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;

use super::session::Session;
use super::sql;
use crate::error::{Error, Result};
use crate::marker::{Marker, Role, TABLE};

/// In which schema it stands: the one that is there unless somebody has dropped it.
const SCHEMA: &str = "public";
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

/// What the connected database says of itself; none where it says nothing.
pub(super) fn read(session: &mut Session) -> Result<Option<Marker>> {
    #[derive(Deserialize)]
    struct Row {
        environment: Option<String>,
        role: Option<String>,
        marked_at: Option<String>,
    }
    // The catalogue is asked first: a SELECT that fails would stand in the server's log each time.
    if look(session)? != Found::Marker {
        return Ok(None);
    }
    let table = name();
    let query = format!("SELECT environment::text, role::text, marked_at::text FROM {table} LIMIT 2");
    let rows: Vec<Row> = match session.rows(&query) {
        Ok(rows) => rows,
        Err(error) => return Err(error.within("cannot read the marker").hint(grant(session, &format!("SELECT ON {table}"))?)),
    };
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
pub(super) fn write(session: &mut Session, marker: &Marker) -> Result<()> {
    session.run("BEGIN")?;
    let written = replace(session, marker);
    session.run(if written.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    written.map_err(|error| error.within("cannot mark the database"))
}

fn replace(session: &mut Session, marker: &Marker) -> Result<()> {
    let table = name();
    match look(session)? {
        Found::Marker => {}
        Found::Other => {
            return Err(Error::refused(format!("{table} is there already, and it is not Holdfast's")).hint("rename it, or drop it"));
        }
        Found::Nothing => {
            let columns = COLUMNS.map(|column| format!("{column} text NOT NULL")).join(", ");
            step(session, &format!("CREATE TABLE {table} ({columns})"), &format!("CREATE ON SCHEMA {SCHEMA}"))?;
            // Whoever works here must see where he is, and a backup stumbles over any table that its role may not read.
            session.run(&format!("GRANT SELECT ON {table} TO PUBLIC"))?;
        }
    }
    let rights = format!("SELECT, INSERT, DELETE ON {table}");
    step(session, &format!("DELETE FROM {table}"), &rights)?;
    let marked_at = marker.marked_at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let values = [marker.environment.as_str(), &marked_at, marker.role.name()].map(sql::literal).join(", ");
    step(session, &format!("INSERT INTO {table} ({}) VALUES ({values})", COLUMNS.join(", ")), &rights)
}

/// Says a statement; where the role lacks the rights for it, the error has the GRANT that gives them.
fn step(session: &mut Session, statement: &str, rights: &str) -> Result<()> {
    let Err(objection) = session.ask(statement)? else { return Ok(()) };
    let lacks_right = objection.state == "42501";
    let error = objection.into_error();
    if !lacks_right {
        return Err(error);
    }
    // Within a transaction that has failed, nothing more can be asked.
    session.run("ROLLBACK")?;
    Err(error.hint(grant(session, rights)?))
}

fn grant(session: &mut Session, rights: &str) -> Result<String> {
    let role = session.text("SELECT current_user")?;
    Ok(format!("as the owner: GRANT {rights} TO {}", sql::ident(&role)))
}

fn look(session: &mut Session) -> Result<Found> {
    #[derive(Deserialize)]
    struct Row {
        kind: char,
        columns: Vec<String>,
    }
    let rows: Vec<Row> = session.rows(&format!(
        "SELECT c.relkind AS kind, (SELECT coalesce(json_agg(a.attname ORDER BY a.attname), '[]') FROM pg_attribute a \
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {} AND c.relname = {}",
        sql::literal(SCHEMA),
        sql::literal(TABLE)
    ))?;
    Ok(match rows.first() {
        None => Found::Nothing,
        Some(row) if row.kind == 'r' && row.columns == COLUMNS => Found::Marker,
        Some(_) => Found::Other,
    })
}

fn name() -> String {
    sql::table_name(SCHEMA, TABLE)
}
