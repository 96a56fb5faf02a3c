//! A database's schema as text, object by object, and how two of them differ.

use std::collections::BTreeMap;

use serde::Serialize;

/// Every object by what it is and its name (`table account`, `index public.entry_at`), with the SQL that makes it, in the
/// engine's own normal form: the same database gives the same text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Schema(pub BTreeMap<String, String>);

/// One object that two schemas do not have alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SchemaChange {
    /// What it is and its name.
    pub object: String,
    /// Its SQL in the old schema, where it was there.
    pub before: Option<String>,
    /// Its SQL in the new one, where it is there.
    pub after: Option<String>,
}

impl Schema {
    /// Every object that `after` does not have as this has it, by name. The marker's own is left out.
    pub fn changes(&self, after: &Schema) -> Vec<SchemaChange> {
        let names: std::collections::BTreeSet<&String> = self.0.keys().chain(after.0.keys()).collect();
        names
            .into_iter()
            .filter(|name| self.0.get(*name) != after.0.get(*name) && !crate::marker::is_marker(name.rsplit(' ').next().unwrap_or(name)))
            .map(|name| SchemaChange { object: name.clone(), before: self.0.get(name).cloned(), after: after.0.get(name).cloned() })
            .collect()
    }
}
