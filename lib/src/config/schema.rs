//! The JSON Schema of `holdfast.toml`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

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

/// Takes `null` out: serde's options may be null in JSON, and TOML has no such thing.
fn without_null(value: &mut Value) {
    let is_null = |value: &Value| value == "null" || value.get("type").is_some_and(|kind| kind == "null");
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(without_null);
            if let Some(Value::Array(kinds)) = fields.get_mut("type") {
                kinds.retain(|kind| !is_null(kind));
                if let [only] = kinds.as_slice() {
                    let only = only.clone();
                    fields.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = fields.get_mut("anyOf") {
                choices.retain(|choice| !is_null(choice));
                if let [Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    fields.shift_remove("anyOf");
                    fields.extend(only);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}

/// The schema as it is checked in at `docs/holdfast.schema.json`.
pub fn text() -> String {
    let mut schema = schemars::schema_for!(File);
    schema.insert("title".to_owned(), "holdfast.toml".into());
    let mut schema = Value::from(schema);
    without_null(&mut schema);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
