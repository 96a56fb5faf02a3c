//! The logical state of a database: a schema hash, and per table its rows and, where the engine gives it, a content hash.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What two databases are compared by. Taken in the very snapshot that was dumped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// SHA-256 (hex) of the schema in the engine's own normal form.
    pub schema_sha256: String,
    /// Every table, by its qualified name.
    pub tables: BTreeMap<String, Table>,
    /// How many objects of each other kind there are: views, triggers, functions, …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub objects: BTreeMap<String, u64>,
    /// Sequence values; not part of a snapshot, so a restored one may only be compared with "at least the data's".
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sequences: BTreeMap<String, i64>,
}

/// One table's state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// How many rows it has.
    pub rows: u64,
    /// SHA-256 (hex) of its rows in the engine's own form and order, where that was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_sha256: Option<String>,
}

impl Fingerprint {
    /// The rows of all tables together.
    pub fn total_rows(&self) -> u64 {
        self.tables.values().map(|table| table.rows).sum()
    }

    /// As [`Fingerprint::differences`], where `found` was read off a dump and so cannot know the kinds of object that only a
    /// server counts.
    pub fn differences_in_dump(&self, found: &Fingerprint) -> Vec<String> {
        self.differences(&Fingerprint { objects: self.objects.clone(), ..found.clone() })
    }

    /// Every way in which `found` differs from this, as sentences; empty where they agree. Content hashes are compared
    /// where both sides have one; sequences are not compared.
    pub fn differences(&self, found: &Fingerprint) -> Vec<String> {
        let mut out = Vec::new();
        for (name, expected) in &self.tables {
            match found.tables.get(name) {
                None => out.push(format!("table {name} is missing ({} rows expected)", expected.rows)),
                Some(actual) if actual.rows != expected.rows => {
                    out.push(format!("table {name} has {} rows, expected {}", actual.rows, expected.rows));
                }
                Some(Table { content_sha256: Some(actual), .. }) if expected.content_sha256.as_ref().is_some_and(|hash| hash != actual) => {
                    out.push(format!("table {name} has the expected {} rows but other content", expected.rows));
                }
                Some(_) => {}
            }
        }
        out.extend(
            found.tables.keys().filter(|name| !self.tables.contains_key(*name)).map(|name| format!("table {name} was not expected")),
        );
        for (kind, expected) in &self.objects {
            let actual = found.objects.get(kind).copied().unwrap_or(0);
            if actual != *expected {
                out.push(format!("{actual} {kind}, expected {expected}"));
            }
        }
        if self.schema_sha256 != found.schema_sha256 {
            out.push("the schema differs".to_owned());
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(tables: &[(&str, u64, Option<&str>)]) -> Fingerprint {
        let tables = tables
            .iter()
            .map(|(name, rows, hash)| ((*name).to_owned(), Table { rows: *rows, content_sha256: hash.map(str::to_owned) }))
            .collect();
        Fingerprint { schema_sha256: "s".into(), tables, ..Fingerprint::default() }
    }

    #[test]
    fn every_difference_is_named_with_its_table() {
        let expected = of(&[("a", 1, None), ("b", 2, Some("x")), ("c", 3, None)]);
        let found = of(&[("a", 5, None), ("b", 2, Some("y")), ("d", 1, None)]);
        assert_eq!(expected.differences(&expected), Vec::<String>::new());
        assert_eq!(
            expected.differences(&found),
            [
                "table a has 5 rows, expected 1",
                "table b has the expected 2 rows but other content",
                "table c is missing (3 rows expected)",
                "table d was not expected",
            ]
        );
    }
}
