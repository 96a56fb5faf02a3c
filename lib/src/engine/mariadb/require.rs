//! What a swap needs, looked at before anything is loaded or a command is run that may have to be rolled back.

use serde::Deserialize;
use serde_json::Value;

use super::catalog::{self, Server};
use super::names::derived_name;
use super::place::Place;
use super::programs::Flavour;
use super::questions::Questions;
use super::rights::{self, Rights};
use super::session::Session;
use super::sql;
use crate::error::{Error, Result};
use crate::manifest::Database;

/// What the swap does in the real database and in those beside it: rows are loaded, tables renamed, all that stands around them made
/// anew.
const NEEDED: [&str; 15] = [
    "SELECT",
    "INSERT",
    "DELETE",
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
    let mut questions = Questions::new(&place);
    let server = catalog::server(questions.session()?)?;
    let beside = derived_name(target, "restore", "id");
    for (database, pattern) in [(target, pattern(target)), (beside.as_str(), format!("{}\\_\\_%", pattern(target)))] {
        let Some(rights) = Rights::of(&mut questions, &server, database)? else { continue };
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
    let definers: Vec<Definer> = session.rows(&definers_in(target))?;
    require_giving(&mut questions, &server, definers.into_iter().map(|Definer { definer }| definer).collect(), "the database")?;
    require_no_foreign_references(&mut session, target)
}

#[derive(Deserialize)]
struct Definer {
    definer: String,
}

/// In whose name something works there: what a restore of its own backup makes anew.
fn definers_in(database: &str) -> String {
    let lists = [("VIEWS", "TABLE_SCHEMA"), ("ROUTINES", "ROUTINE_SCHEMA"), ("TRIGGERS", "TRIGGER_SCHEMA"), ("EVENTS", "EVENT_SCHEMA")];
    let each = lists.map(|(list, of)| format!("SELECT DEFINER FROM information_schema.{list} WHERE {of} = {}", sql::literal(database)));
    format!("SELECT {} FROM ({}) AS d", sql::json(&[("definer", "d.DEFINER")]), each.join(" UNION "))
}

/// Refuses where objects of the backup work in the name of accounts that ours may not give them to.
pub(super) fn require_definers(place: &Place, target: &str, origin: &Database) -> Result<()> {
    let definers = origin.properties.get("definers").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut session = place.without_database().session()?;
    if !catalog::is_there(&mut session, target)? {
        return Ok(());
    }
    let place = place.with_database(target);
    let mut questions = Questions::new(&place);
    let server = catalog::server(questions.session()?)?;
    require_giving(&mut questions, &server, definers.map(str::to_owned).collect(), "the backup")
}

/// Refuses where these accounts are others than ours, and ours may not make anything that works in their name.
fn require_giving(questions: &mut Questions<'_>, server: &Server, mut definers: Vec<String>, of: &str) -> Result<()> {
    definers.retain(|definer| *definer != server.account);
    if definers.is_empty() {
        return Ok(());
    }
    let Some(rights) = Rights::of(questions, server, &server.database)? else { return Ok(()) };
    if GIVING.iter().any(|right| rights.has_everywhere(right)) {
        return Ok(());
    }
    let right = match (server.flavour(), server.version_num()) {
        (Flavour::Mariadb, 100_502..) => "SET USER",
        (Flavour::Mysql, 80_200..) => "SET_ANY_DEFINER",
        (Flavour::Mysql, 80_000..) => "SET_USER_ID",
        _ => "SUPER",
    };
    Err(Error::failed(format!(
        "views, routines, triggers or events of {of} work in the name of {}, and {} may not make such",
        definers.join(", "),
        server.account
    ))
    .hint(format!("as an administrator: GRANT {right} ON *.* TO {}", rights::grantee(&server.account))))
}

/// With one of these an account may make objects that work in another's name.
const GIVING: [&str; 4] = ["SET USER", "SET_ANY_DEFINER", "SET_USER_ID", "SUPER"];

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
