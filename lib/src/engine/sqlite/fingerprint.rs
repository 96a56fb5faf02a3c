//! The fingerprint of a SQLite database, and the check of its pages.

use std::collections::BTreeMap;

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use crate::fingerprint::{Fingerprint, Table};
use crate::fsx;

/// At most this many findings of a check are kept; a corrupt file can have millions.
const FINDINGS_MAX: usize = 5;

/// Takes the fingerprint inside the transaction that the caller has open. Virtual tables are left to the tables that
/// hold their data, since their modules may not be here. The content hash of a SQLite database is the page image's own.
pub(super) fn take(connection: &Connection) -> rusqlite::Result<Fingerprint> {
    let mut schema = Sha256::new();
    let mut objects = BTreeMap::new();
    let mut statement = connection.prepare("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema ORDER BY 1, 2, 3")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for column in 0..4 {
            schema.update(row.get_ref(column)?.as_bytes_or_null()?.unwrap_or_default());
            schema.update([0]);
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
    let mut tables = BTreeMap::new();
    let mut statement = connection.prepare(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'shadow') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    for name in names {
        let rows: i64 = connection.query_row(&format!("SELECT count(*) FROM main.{}", quote(&name)), [], |row| row.get(0))?;
        tables.insert(name, Table { rows: u64::try_from(rows).unwrap_or(0), content_sha256: None });
    }
    Ok(Fingerprint { schema_sha256: fsx::hex(&schema.finalize()), tables, objects, sequences: BTreeMap::new() })
}

/// A name as SQL has it.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What `PRAGMA quick_check` finds wrong; nothing in a sound database. A damaged page can also end the check with an
/// error, which is a finding too.
pub(super) fn quick_check(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let look = || {
        let mut statement = connection.prepare("PRAGMA quick_check")?;
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

/// Whether an error says that the database itself is damaged.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase))
}
