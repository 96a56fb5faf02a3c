//! How two states of one database differ: tables, rows, definitions.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::fingerprint::{Fingerprint, Table};
use crate::marker;
use crate::schema::{Schema, SchemaChange};

/// Everything in which two states differ. The marker's table is left out: it is Holdfast's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// Tables, by name.
    pub tables: Vec<TableChange>,
    /// Definitions, by what they are and their name.
    pub schema: Vec<SchemaChange>,
}

/// A table that the two states do not have alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableChange {
    /// Its qualified name; where it was renamed, the old one.
    pub table: String,
    /// What became of it.
    #[serde(flatten)]
    pub what: What,
}

/// What became of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum What {
    /// It is new, with so many rows.
    Added {
        /// Its rows.
        rows: u64,
    },
    /// It is gone, with so many rows.
    Removed {
        /// The rows it had.
        rows: u64,
    },
    /// It has another name and the same rows.
    Renamed {
        /// Its new name.
        to: String,
    },
    /// It has more or fewer rows.
    Rows {
        /// The rows it had.
        before: u64,
        /// The rows it has.
        after: u64,
    },
    /// The database has changed, and what only the application can read may have too: nothing is known of its rows.
    Unreadable,
    /// It has as many rows, and others.
    Content {
        /// Its rows.
        rows: u64,
    },
}

impl Changes {
    /// What is different in `after`. Contents are compared where both sides know them.
    pub fn between(before: &Fingerprint, after: &Fingerprint) -> Self {
        let of = |fingerprint: &Fingerprint| -> BTreeMap<String, Table> {
            fingerprint
                .tables
                .iter()
                .filter(|(name, _)| !marker::is_marker(name))
                .map(|(name, table)| (name.clone(), table.clone()))
                .collect()
        };
        let (before, mut after) = (of(before), of(after));
        let mut tables = Vec::new();
        let mut removed = Vec::new();
        for (name, old) in before {
            match after.remove(&name) {
                None => removed.push((name, old)),
                Some(new) => tables.extend(change_of(&old, &new).map(|what| TableChange { table: name, what })),
            }
        }
        for (name, old) in removed {
            // A table that vanished while another with the very same rows appeared has got another name.
            let heir = after.iter().find(|(_, new)| old.rows > 0 && has_same_content(&old, new)).map(|(name, _)| name.clone());
            let what = match heir {
                Some(to) => {
                    after.remove(&to);
                    What::Renamed { to }
                }
                None => What::Removed { rows: old.rows },
            };
            tables.push(TableChange { table: name, what });
        }
        tables.extend(after.into_iter().map(|(table, new)| TableChange { table, what: What::Added { rows: new.rows } }));
        tables.sort_by(|a, b| a.table.cmp(&b.table));
        Changes { tables, schema: Vec::new() }
    }

    /// Adds tables of which nothing can be known.
    #[must_use]
    pub fn with_unreadable(mut self, tables: impl IntoIterator<Item = String>) -> Self {
        let known: Vec<String> = self.tables.iter().map(|change| change.table.clone()).collect();
        let unknown = tables.into_iter().filter(|table| !known.contains(table));
        self.tables.extend(unknown.map(|table| TableChange { table, what: What::Unreadable }));
        self
    }

    /// Adds what is different in the definitions.
    #[must_use]
    pub fn with_schema(self, before: &Schema, after: &Schema) -> Self {
        Changes { schema: before.changes(after), ..self }
    }

    /// Adds what is different around the database, where neither rows nor definitions show it.
    #[must_use]
    pub fn with_around(mut self, before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>) -> Self {
        let text = |value: Option<&Value>| value.and_then(plain);
        let changed = after.iter().map(|(name, value)| (name, text(before.get(name)), text(Some(value))));
        self.schema.extend(changed.filter(|(_, before, after)| before != after).map(|(name, before, after)| SchemaChange {
            object: format!("the database's {}", name.replace('_', " ")),
            before,
            after,
        }));
        self
    }

    /// Whether there is no difference at all.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.schema.is_empty()
    }

    /// Rows that are fewer now, over all tables.
    pub fn rows_lost(&self) -> u64 {
        self.tables.iter().map(TableChange::rows_lost).sum()
    }

    /// Rows that are more now, over all tables.
    pub fn rows_gained(&self) -> u64 {
        self.tables.iter().map(TableChange::rows_gained).sum()
    }

    /// The whole of it in one line: `3 tables changed, 12 rows gained, 1 lost, 2 definitions changed`.
    pub fn summary(&self) -> String {
        if self.is_empty() {
            return "nothing changed".to_owned();
        }
        let mut parts = Vec::new();
        if !self.tables.is_empty() {
            parts.push(format!("{} changed", counted(self.tables.len(), "table")));
        }
        match (self.rows_gained(), self.rows_lost()) {
            (0, 0) => {}
            (gained, 0) => parts.push(format!("{gained} rows gained")),
            (0, lost) => parts.push(format!("{lost} rows lost")),
            (gained, lost) => parts.push(format!("{gained} rows gained, {lost} lost")),
        }
        if !self.schema.is_empty() {
            parts.push(format!("{} changed", counted(self.schema.len(), "definition")));
        }
        parts.join(", ")
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

impl TableChange {
    /// Rows that it has lost.
    pub fn rows_lost(&self) -> u64 {
        match self.what {
            What::Removed { rows } => rows,
            What::Rows { before, after } => before.saturating_sub(after),
            _ => 0,
        }
    }

    fn rows_gained(&self) -> u64 {
        match self.what {
            What::Added { rows } => rows,
            What::Rows { before, after } => after.saturating_sub(before),
            _ => 0,
        }
    }
}

impl fmt::Display for TableChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = &self.table;
        match &self.what {
            What::Added { rows } => write!(f, "table {table} is new, with {rows} rows"),
            What::Removed { rows } => write!(f, "table {table} is gone, with its {rows} rows"),
            What::Renamed { to } => write!(f, "table {table} is {to} now"),
            What::Rows { before, after } if after < before => write!(f, "table {table} has {after} rows, {} fewer", before - after),
            What::Rows { before, after } => write!(f, "table {table} has {after} rows, {} more", after - before),
            What::Content { rows: 0 } => write!(f, "table {table} is not the same"),
            What::Unreadable => write!(f, "table {table} cannot be compared: only the application can read it"),
            What::Content { rows } => write!(f, "table {table} has as many rows ({rows}), but not the same"),
        }
    }
}

/// A property as text, a line for each element of a list in whatever order it came; none where there is nothing of it.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let mut lines: Vec<String> = items.iter().filter_map(plain).collect();
            lines.sort();
            (!lines.is_empty()).then(|| lines.join("\n"))
        }
        other => Some(other.to_string()),
    }
}

fn change_of(old: &Table, new: &Table) -> Option<What> {
    if old.rows != new.rows {
        return Some(What::Rows { before: old.rows, after: new.rows });
    }
    let is_other = matches!((&old.content_sha256, &new.content_sha256), (Some(old), Some(new)) if old != new);
    is_other.then_some(What::Content { rows: old.rows })
}

fn has_same_content(old: &Table, new: &Table) -> bool {
    old.rows == new.rows && old.content_sha256.is_some() && old.content_sha256 == new.content_sha256
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(tables: &[(&str, u64, &str)]) -> Fingerprint {
        let tables = tables
            .iter()
            .map(|(name, rows, hash)| ((*name).to_owned(), Table { rows: *rows, content_sha256: Some((*hash).to_owned()) }))
            .collect();
        Fingerprint { tables, ..Fingerprint::default() }
    }

    #[test]
    fn every_way_to_differ_is_told_apart() {
        let before =
            of(&[("a", 5, "a"), ("b", 5, "b"), ("c", 5, "c"), ("d", 5, "d"), ("e", 0, "e"), ("same", 1, "s"), (marker::TABLE, 1, "m")]);
        let after =
            of(&[("a", 4, "x"), ("b", 7, "x"), ("c", 5, "x"), ("d2", 5, "d"), ("new", 2, "n"), ("same", 1, "s"), (marker::TABLE, 1, "k")]);
        let changes = Changes::between(&before, &after);
        let lines: Vec<String> = changes.tables.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "table a has 4 rows, 1 fewer",
                "table b has 7 rows, 2 more",
                "table c has as many rows (5), but not the same",
                "table d is d2 now",
                "table e is gone, with its 0 rows",
                "table new is new, with 2 rows",
            ]
        );
        assert_eq!((changes.rows_lost(), changes.rows_gained()), (1, 4));
        assert_eq!(changes.summary(), "6 tables changed, 4 rows gained, 1 lost");
        assert!(Changes::between(&before, &before).is_empty());
    }

    #[test]
    fn what_stands_around_a_database_is_compared_whatever_its_order() {
        let of = |text: &str| serde_json::from_str::<BTreeMap<String, Value>>(text).expect("properties");
        let before = of(r#"{"owner": "ann", "settings": [{"setting": "a=1"}, {"setting": "b=2"}], "roles": ["ann"]}"#);
        let same = of(r#"{"owner": "ann", "settings": [{"setting": "b=2"}, {"setting": "a=1"}], "invalid_indexes": [], "comment": null}"#);
        assert!(Changes::default().with_around(&before, &same).is_empty());
        let other = of(r#"{"owner": "bob", "settings": null, "invalid_indexes": ["public.i"]}"#);
        let changes = Changes::default().with_around(&before, &other);
        let objects: Vec<&str> = changes.schema.iter().map(|change| change.object.as_str()).collect();
        assert_eq!(objects, ["the database's invalid indexes", "the database's owner", "the database's settings"]);
        assert_eq!(changes.schema[0].after.as_deref(), Some("public.i"));
        assert_eq!(changes.schema[2].before.as_deref(), Some("{\"setting\":\"a=1\"}\n{\"setting\":\"b=2\"}"));
    }

    #[test]
    fn a_table_renamed_and_changed_at_once_counts_as_lost() {
        let changes = Changes::between(&of(&[("a", 5, "a")]), &of(&[("b", 5, "b")]));
        assert_eq!(changes.rows_lost(), 5);
    }
}
