//! The JSON Schema of `holdfast.toml`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::keys::File;
use super::values::{AssertTable, Text, Written};

impl<T: Written> JsonSchema for Text<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::WHAT.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": T::PATTERN })
    }
}

/// One text, or a list of them.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
#[allow(dead_code)]
pub(crate) enum OneOrMoreForm {
    One(String),
    More(Vec<String>),
}

/// A query that must give a true-like value, or a query with the answer it must give.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
#[allow(dead_code)]
pub(crate) enum AssertForm {
    Query(String),
    Table(AssertTable),
}

/// The schema as it is checked in at `docs/holdfast.schema.json`.
pub fn text() -> String {
    let mut schema = schemars::schema_for!(File);
    schema.insert("title".to_owned(), "holdfast.toml".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
