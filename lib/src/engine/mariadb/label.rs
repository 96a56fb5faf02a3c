//! The databases that are ours, and what marks them: one small table in each, so that no other is ever dropped.
//!
//! The same table is the journal of a swap. It is renamed from one database into another by the very statement that renames all
//! the others: where it stands tells on which side of the swap the server is.

use serde::{Deserialize, Serialize};

use super::names::is_name_of_ours;
use super::objects::Objects;
use super::place::Place;
use super::session::Session;
use super::{catalog, sql};
use crate::error::{Error, Result};
use crate::fsx;

/// The table's name.
pub(super) const TABLE: &str = "holdfast_swap";
/// Its rows.
const LABEL: &str = "label";
const OBJECTS: &str = "objects";
const INCOMING: &str = "incoming";

/// What a database of ours is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Label {
    pub(super) role: Role,
    /// The database that it belongs to.
    pub(super) target: String,
    /// The swap that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) swap: Option<Swap>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    /// Being loaded, to be swapped in.
    Restore,
    /// What a swap kept aside: tables alone, with the text of all that stood around them.
    Aside,
    /// One that was left behind on purpose; whoever asked for it drops it.
    Kept,
    /// Being dropped, table by table: good for nothing else any more.
    Going,
}

/// A swap that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Swap {
    /// From where the new tables come.
    pub(super) incoming: String,
    /// Where the old ones go.
    pub(super) aside: String,
    /// Whether there was a target.
    pub(super) had_target: bool,
    /// Whether there is to be one.
    pub(super) has_target: bool,
    /// What the target's character set is to be from then on.
    pub(super) charset: Option<Charset>,
}

/// A database's character set, with the collation, and the comment that stands beside them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Charset {
    pub(super) charset: String,
    pub(super) collation: String,
    /// None where nothing is known of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<String>,
}

impl Charset {
    /// As it stands behind a database's name.
    pub(super) fn clause(&self, session: &mut Session) -> Result<String> {
        let comment = match &self.comment {
            Some(comment) if catalog::has_comments(session)? => format!(" COMMENT {}", sql::literal(comment)),
            _ => String::new(),
        };
        Ok(format!("CHARACTER SET {} COLLATE {}{comment}", sql::ident(&self.charset), sql::ident(&self.collation)))
    }
}

impl Label {
    pub(super) fn new(role: Role, target: &str) -> Self {
        Label { role, target: target.to_owned(), swap: None }
    }
}

/// Creates a database of ours, empty but for its label.
pub(super) fn create(session: &mut Session, database: &str, charset: Option<&Charset>, label: &Label) -> Result<()> {
    let clause = match charset {
        Some(charset) => charset.clause(session)?,
        None => String::new(),
    };
    session.run(&format!("CREATE DATABASE {} {clause}", sql::ident(database)))?;
    session.run(&create_table(database))?;
    write(session, database, label)
}

fn create_table(database: &str) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {} (name VARCHAR(16) CHARACTER SET ascii PRIMARY KEY, text LONGBLOB NOT NULL) ENGINE=InnoDB",
        table(database)
    )
}

/// The table within a database, quoted.
pub(super) fn table(database: &str) -> String {
    format!("{}.{}", sql::ident(database), sql::ident(TABLE))
}

/// Puts a label on a database of ours, in place of the one that it has.
pub(super) fn write(session: &mut Session, database: &str, label: &Label) -> Result<()> {
    put(session, database, &[(LABEL, &text(label)?)])
}

/// The label, what stands around the tables that are kept, and what is to stand around the new ones: in one statement, so that a
/// kill leaves all of it old or all of it new.
pub(super) fn write_with(session: &mut Session, database: &str, label: &Label, kept: &Objects, incoming: &Objects) -> Result<()> {
    put(session, database, &[(LABEL, &text(label)?), (OBJECTS, &text(kept)?), (INCOMING, &text(incoming)?)])
}

/// What a database says of itself; none where it is none of ours, or none at all.
pub(super) fn read(session: &mut Session, database: &str) -> Result<Option<Label>> {
    let has_table = format!(
        "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = {} AND table_name = {}",
        sql::literal(database),
        sql::literal(TABLE)
    );
    if session.text(&has_table)? == "0" { Ok(None) } else { get(session, database, LABEL) }
}

/// What stood around the tables that are kept.
pub(super) fn objects(session: &mut Session, database: &str) -> Result<Objects> {
    written_down(session, database, OBJECTS)
}

/// What is to stand around the new tables.
pub(super) fn incoming(session: &mut Session, database: &str) -> Result<Objects> {
    written_down(session, database, INCOMING)
}

/// Every database of ours that belongs to a target.
pub(super) fn all_of(session: &mut Session, target: &str) -> Result<Vec<(String, Label)>> {
    #[derive(Deserialize)]
    struct Row {
        name: String,
    }
    let query = format!(
        "SELECT {} FROM information_schema.tables WHERE table_name = {} ORDER BY table_schema",
        sql::json(&[("name", "table_schema")]),
        sql::literal(TABLE)
    );
    let mut out = Vec::new();
    // A copy of one by another name is somebody's own, and so is whatever else bears the table's name.
    for Row { name } in session.rows(&query)?.into_iter().filter(|Row { name }| is_name_of_ours(target, name)) {
        if let Some(label) = read(session, &name)?.filter(|label| label.target == target) {
            out.push((name, label));
        }
    }
    Ok(out)
}

/// Drops a database, by a place without one, provided that its label still says that it is ours in this role. Whether it was there.
pub(super) fn drop_ours(place: &Place, database: &str, role: Role) -> Result<bool> {
    let mut session = place.session()?;
    if !catalog::is_there(&mut session, database)? {
        return Ok(false);
    }
    let Some(label) = read(&mut session, database)?.filter(|label| label.role == role || label.role == Role::Going) else {
        return Err(Error::refused(format!("database {database} does not bear the label that marks it as Holdfast's; it was not dropped"))
            .hint(format!("look at it, and drop it by hand: DROP DATABASE {}", sql::ident(database))));
    };
    // The server drops table by table, and may be stopped in between: by a kill, or at a table to which another database refers.
    let label = Label { role: Role::Going, ..label };
    write(&mut session, database, &label)?;
    let Err(objection) = session.ask(&format!("DROP DATABASE {}", sql::ident(database)))? else { return Ok(true) };
    let mut fresh = place.session()?;
    fresh.run(&create_table(database))?;
    write(&mut fresh, database, &label)?;
    Err(objection
        .into_error()
        .within(format!("database {database} cannot be dropped as a whole"))
        .hint("does a table of another database refer to it by a foreign key? drop that key, and do this again"))
}

fn written_down(session: &mut Session, database: &str, row: &str) -> Result<Objects> {
    get(session, database, row)?.ok_or_else(|| {
        Error::failed(format!("{} does not tell what stands around the tables (row {row})", table(database)))
            .hint("the tables are all there; views, triggers, events and routines come from a backup")
    })
}

fn text(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::failed("a label cannot be written").because(error))
}

fn put(session: &mut Session, database: &str, rows: &[(&str, &str)]) -> Result<()> {
    let values: Vec<_> = rows.iter().map(|(row, text)| format!("({}, X'{}')", sql::literal(row), fsx::hex(text.as_bytes()))).collect();
    session.run(&format!("REPLACE INTO {} VALUES {}", table(database), values.join(", ")))
}

fn get<T: for<'a> Deserialize<'a>>(session: &mut Session, database: &str, row: &str) -> Result<Option<T>> {
    let hex = session.text(&format!("SELECT HEX(text) FROM {} WHERE name = {}", table(database), sql::literal(row)))?;
    let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect();
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}
