//! Columns of type FLOAT, of which the dump programs write what the server shows: six digits. A value that has more comes back
//! rounded.

use serde::Deserialize;

use super::catalog::{self, Relation, Server};
use super::questions::Questions;
use super::sql::{self, json};
use super::text;
use crate::error::Result;

/// The columns that hold a value which six digits do not give back, `entry.rate`; on a server that cannot tell
/// (without `CAST(… AS FLOAT)`) all that may.
pub(super) fn rounded(questions: &mut Questions<'_>, server: &Server, relations: &[Relation]) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Column {
        table: String,
        name: String,
    }
    let columns: Vec<Column> = questions.session()?.rows(&format!(
        "SELECT {} FROM information_schema.COLUMNS WHERE {} AND DATA_TYPE = 'float' AND EXTRA NOT LIKE '%GENERATED%' \
         ORDER BY TABLE_NAME, ORDINAL_POSITION",
        json(&[("table", "TABLE_NAME"), ("name", "COLUMN_NAME")]),
        catalog::in_this(server, "TABLE_SCHEMA")
    ))?;
    let mut out = Vec::new();
    for Column { table, name } in columns {
        if !relations.iter().any(|relation| relation.name == table && relation.has_rows_in_dump()) {
            continue;
        }
        let column = sql::ident(&name);
        let loses = format!("SELECT 1 FROM {} WHERE {column} <> CAST(CONCAT({column}) AS FLOAT) LIMIT 1", sql::ident(&table));
        if questions.ask(&loses)?.map_or(true, |found| !found.is_empty()) {
            out.push(format!("{}.{}", text::name(&table), text::name(&name)));
        }
    }
    Ok(out)
}
