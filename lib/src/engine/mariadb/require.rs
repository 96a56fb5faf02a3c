//! What a swap needs, looked at before anything is loaded or a command is run that may have to be rolled back.

use serde::Deserialize;

use super::catalog;
use super::exchange::derived_name;
use super::place::Place;
use super::rights::{self, Rights};
use super::session::Session;
use super::sql;
use crate::error::{Error, Result};

/// What the swap does in the real database and in those beside it: rows are loaded, tables renamed, all that stands around them made
/// anew.
const NEEDED: [&str; 14] = [
    "SELECT",
    "INSERT",
    "CREATE",
    "DROP",
    "ALTER",
    "INDEX",
    "REFERENCES",
    "LOCK TABLES",
    "CREATE VIEW",
    "SHOW VIEW",
    "CREATE ROUTINE",
    "ALTER ROUTINE",
    "EVENT",
    "TRIGGER",
];

/// Refuses where the swap could not be done in the end.
pub(super) fn require_swap(place: &Place, target: &str) -> Result<()> {
    let mut session = place.without_database().session()?;
    if !catalog::is_there(&mut session, target)? {
        return Ok(());
    }
    let place = place.with_database(target);
    let server = catalog::server(&mut place.session()?)?;
    let beside = derived_name(target, "restore", "id");
    for (database, pattern) in [(target, pattern(target)), (beside.as_str(), format!("{}\\_\\_%", pattern(target)))] {
        let Some(rights) = Rights::of(&place, &server, database)? else { continue };
        let missing: Vec<&str> = NEEDED.into_iter().filter(|right| !rights.has(right)).collect();
        if !missing.is_empty() {
            let what = if database == target { format!("in {target}") } else { format!("in databases beside {target}") };
            return Err(Error::failed(format!(
                "{} lacks rights {what}, with which it could be restored: {}",
                server.account,
                missing.join(", ")
            ))
            .hint(format!(
                "as an administrator: GRANT {} ON {}.* TO {}",
                NEEDED.join(", "),
                sql::ident(&pattern),
                rights::grantee(&server.account)
            )));
        }
    }
    require_no_foreign_references(&mut session, target)
}

/// A name as a grant's pattern that means it alone.
fn pattern(name: &str) -> String {
    name.replace('\\', "\\\\").replace('_', "\\_").replace('%', "\\%")
}

/// A foreign key from another database would follow the old tables out of this one.
fn require_no_foreign_references(session: &mut Session, target: &str) -> Result<()> {
    #[derive(Deserialize)]
    struct Row {
        from: String,
        to: String,
    }
    let rows: Vec<Row> = session.rows(&format!(
        "SELECT DISTINCT {} FROM information_schema.key_column_usage WHERE referenced_table_schema = {} AND table_schema <> {} LIMIT 5",
        sql::json(&[("from", "CONCAT(table_schema, '.', table_name)"), ("to", "referenced_table_name")]),
        sql::literal(target),
        sql::literal(target)
    ))?;
    let Some(Row { from, to }) = rows.first() else { return Ok(()) };
    Err(Error::refused(format!("{from} of another database has a foreign key to {to} of {target}, which would go with the old table"))
        .hint("drop the foreign key first, and add it again afterwards"))
}
