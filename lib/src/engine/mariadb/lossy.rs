//! Values that a dump does not give back as they are. The dump programs write of a FLOAT what the server shows, six digits, and texts
//! as utf8mb4, in which a byte that the column's character set gives no meaning becomes `?`.

use serde::Deserialize;

use super::catalog::{self, Relation, Server};
use super::probe::named;
use super::programs::Program;
use super::questions::Questions;
use super::sql::{self, json};
use super::text;
use crate::error::Result;

/// Character sets in which every text that a server takes comes back from utf8mb4 as it was: those of Unicode, and `latin1`, which
/// servers give a meaning for every byte.
const FAITHFUL: &str = "'utf8mb4', 'utf8mb3', 'utf8', 'ucs2', 'utf16', 'utf16le', 'utf32', 'latin1'";

/// Columns with such values, `entry.rate`; on a server that cannot tell, all that may.
#[derive(Default)]
pub(super) struct Lossy {
    rounded: Vec<String>,
    undefined: Vec<String>,
}

impl Lossy {
    /// Looks through the columns of such types; the others cost nothing.
    pub(super) fn find(questions: &mut Questions<'_>, server: &Server, relations: &[Relation]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Column {
            table: String,
            name: String,
            charset: Option<String>,
        }
        let columns: Vec<Column> = questions.session()?.rows(&format!(
            "SELECT {} FROM information_schema.COLUMNS WHERE {} AND EXTRA NOT LIKE '%GENERATED%' \
             AND (DATA_TYPE = 'float' OR CHARACTER_SET_NAME NOT IN ({FAITHFUL})) ORDER BY TABLE_NAME, ORDINAL_POSITION",
            json(&[("table", "TABLE_NAME"), ("name", "COLUMN_NAME"), ("charset", "CHARACTER_SET_NAME")]),
            catalog::in_this(server, "TABLE_SCHEMA")
        ))?;
        let mut lossy = Lossy::default();
        for Column { table, name, charset } in columns {
            if !relations.iter().any(|relation| relation.name == table && relation.has_rows_in_dump()) {
                continue;
            }
            let column = sql::ident(&name);
            let (differs, found) = match &charset {
                None => (format!("{column} <> CAST(CONCAT({column}) AS FLOAT)"), &mut lossy.rounded),
                Some(charset) => {
                    (format!("BINARY CONVERT(CONVERT({column} USING utf8mb4) USING {charset}) <> BINARY {column}"), &mut lossy.undefined)
                }
            };
            let query = format!("SELECT 1 FROM {} WHERE {differs} LIMIT 1", sql::ident(&table));
            if questions.ask(&query)?.map_or(true, |rows| !rows.is_empty()) {
                found.push(format!("{}.{}", text::name(&table), text::name(&name)));
            }
        }
        Ok(lossy)
    }

    /// One sentence for each kind.
    pub(super) fn warnings(&self, program: &Program) -> Vec<String> {
        let program = program.name();
        let rounded = (!self.rounded.is_empty()).then(|| {
            let columns = named(&self.rounded);
            format!(
                "{program} writes six digits of a FLOAT, and these columns have values with more, which come back rounded: {columns} (ALTER TABLE … MODIFY … DOUBLE)"
            )
        });
        let undefined = (!self.undefined.is_empty()).then(|| {
            let columns = named(&self.undefined);
            format!(
                "{program} writes utf8mb4, and these columns have bytes that are no characters of their character set, which come back as others: {columns} (ALTER TABLE … MODIFY … VARBINARY)"
            )
        });
        rounded.into_iter().chain(undefined).collect()
    }

    /// What is not in the dump, by name.
    pub(super) fn not_included(&self) -> impl Iterator<Item = String> {
        let rounded = self.rounded.iter().map(|column| format!("digits behind the sixth of FLOAT column {column}"));
        let undefined = self.undefined.iter().map(|column| format!("bytes without a character in column {column}"));
        rounded.chain(undefined)
    }
}
