//! The fingerprint of a SQLite database, and the check of its pages.

use std::collections::BTreeMap;

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::{content, schema};
use crate::engine::Depth;
use crate::fingerprint::{Fingerprint, Table};
use crate::fsx;

/// At most this many findings of a check are kept; a corrupt file can have millions.
const FINDINGS_MAX: usize = 5;

/// Where SQLite counts the ids that AUTOINCREMENT has given.
const COUNTERS: &str = "sqlite_sequence";

/// Takes the fingerprint inside the transaction that the caller has open. Virtual tables are left to the tables that
/// hold their data, since their modules may not be here. A dump needs no deeper one than [`Depth::Rows`]: its content hash is
/// the page image's own.
pub(super) fn take(connection: &Connection, depth: Depth) -> rusqlite::Result<Fingerprint> {
    let mut schema_hash = Sha256::new();
    let mut objects = BTreeMap::new();
    let mut statement = connection.prepare("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema ORDER BY 1, 2, 3")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for column in 0..4 {
            schema_hash.update(row.get_ref(column)?.as_bytes_or_null()?.unwrap_or_default());
            schema_hash.update([0]);
        }
        let kind: String = row.get(0)?;
        let plural = match kind.as_str() {
            "index" => "indexes",
            "trigger" => "triggers",
            "view" => "views",
            _ => continue,
        };
        *objects.entry(plural.to_owned()).or_insert(0) += 1;
    }
    if depth == Depth::Content {
        // Many an application keeps there which of its migrations have run.
        schema::settings(connection)?.iter().for_each(|setting| schema_hash.update(setting));
    }
    let mut tables = BTreeMap::new();
    if depth == Depth::Content && connection.table_exists(Some("main"), COUNTERS)? {
        // As a table without rows: a counter that goes with its table is no row that is lost.
        tables.insert(COUNTERS.to_owned(), Table { rows: 0, ..content::of(connection, COUNTERS)? });
    }
    for name in names_of(connection, "'table', 'shadow'")? {
        let read = match depth {
            Depth::Rows => None,
            Depth::Content => if_readable(content::of(connection, &name))?,
        };
        let table = match read {
            Some(table) => Some(table),
            None => count(connection, &name)?.map(|rows| Table { rows, content_sha256: None }),
        };
        tables.extend(table.map(|table| (name, table)));
    }
    Ok(Fingerprint { schema_sha256: fsx::hex(&schema_hash.finalize()), tables, objects, sequences: BTreeMap::new() })
}

fn names_of(connection: &Connection, types: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ({types}) AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    ))?;
    statement.query_map([], |row| row.get::<_, String>(0))?.collect()
}

/// The rows of a table; none where they cannot be counted without what only the application has.
fn count(connection: &Connection, name: &str) -> rusqlite::Result<Option<u64>> {
    let table = quote(name);
    // The smallest index is the quickest to count, unless it is in an order that is not known here.
    for query in [format!("SELECT count(*) FROM main.{table}"), format!("SELECT count(*) FROM main.{table} NOT INDEXED")] {
        if let Some(rows) = if_readable(connection.query_row(&query, [], |row| row.get::<_, i64>(0)))? {
            return Ok(Some(u64::try_from(rows).unwrap_or(0)));
        }
    }
    Ok(None)
}

/// A name as SQL has it.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What a check of the pages found.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// What is wrong; nothing in a sound database.
    pub(super) problems: Vec<String>,
    /// What could not be looked at.
    pub(super) gaps: Vec<String>,
}

/// What `PRAGMA quick_check` finds wrong. A damaged page can also end the check with an error, which is a finding too.
///
/// A database may use collations and functions that only its application has. The pragma then refuses as a whole, so the
/// tables are checked one by one, and those that cannot be are named.
pub(super) fn quick_check(connection: &Connection) -> rusqlite::Result<Checked> {
    match check_pages(connection, "PRAGMA quick_check") {
        Err(error) if needs_application(&error) => {}
        other => return other.map(|problems| Checked { problems, gaps: Vec::new() }),
    }
    let mut checked = Checked::default();
    for name in names_of(connection, "'table', 'shadow', 'virtual'")? {
        match check_pages(connection, &format!("PRAGMA main.quick_check({})", quote(&name))) {
            Err(error) if needs_application(&error) => checked.gaps.push(format!("the table {name} could not be checked: {error}")),
            other => checked.problems.extend(other?),
        }
    }
    Ok(checked)
}

fn check_pages(connection: &Connection, pragma: &str) -> rusqlite::Result<Vec<String>> {
    let look = || {
        let mut statement = connection.prepare(pragma)?;
        let mut rows = statement.query([])?;
        let mut findings = Vec::new();
        while let Some(row) = rows.next()? {
            let finding: String = row.get(0)?;
            if finding != "ok" && findings.len() < FINDINGS_MAX {
                findings.push(format!("quick_check: {}", finding.lines().last().unwrap_or_default()));
            }
        }
        Ok(findings)
    };
    match look() {
        Err(error) if is_damage(&error) => Ok(vec![format!("quick_check: {error}")]),
        other => other,
    }
}

/// What was asked, or nothing where only the application can read it.
fn if_readable<T>(answer: rusqlite::Result<T>) -> rusqlite::Result<Option<T>> {
    match answer {
        Err(error) if needs_application(&error) => Ok(None),
        other => other.map(Some),
    }
}

/// Whether an error says that something is missing which the application adds to SQLite. The library has one code for
/// all of these and many others.
fn needs_application(error: &rusqlite::Error) -> bool {
    let text = error.to_string();
    // A key in an order that is not known here is to the planner a table that cannot be read at all.
    [
        "no such collation sequence",
        "no query solution",
        "unknown function",
        "no such function",
        "no such module",
        "unknown tokenizer",
        "no such tokenizer",
    ]
    .iter()
    .any(|known| text.contains(known))
}

/// Whether an error says that the database itself is damaged.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase))
}
