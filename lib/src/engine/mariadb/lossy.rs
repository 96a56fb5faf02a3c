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

/// A column of a type that may have such values.
#[derive(Deserialize)]
struct Column {
    table: String,
    name: String,
    charset: Option<String>,
}

impl Column {
    /// What is true of a row whose value does not come back.
    fn differs(&self) -> String {
        let column = sql::ident(&self.name);
        match &self.charset {
            None => format!("{column} <> CAST(CONCAT({column}) AS FLOAT)"),
            Some(charset) => format!("BINARY CONVERT(CONVERT({column} USING utf8mb4) USING {charset}) <> BINARY {column}"),
        }
    }

    fn full_name(&self) -> String {
        format!("{}.{}", text::name(&self.table), text::name(&self.name))
    }
}

/// Those of a table's columns that have such a value; all of them where the server objects. Each question reads up to the first row that
/// has one: a table without any is read once, however many columns it has.
fn with_such_values<'a>(questions: &mut Questions<'_>, columns: &'a [Column]) -> Result<Vec<&'a Column>> {
    let (mut found, mut open): (Vec<&Column>, Vec<&Column>) = (Vec::new(), columns.iter().collect());
    while let Some(first) = open.first() {
        let each: Vec<String> = open.iter().map(|column| format!("({}) IS TRUE", column.differs())).collect();
        let query = format!("SELECT {} FROM {} WHERE {} LIMIT 1", each.join(", "), sql::ident(&first.table), each.join(" OR "));
        let Ok(row) = questions.ask(&query)? else {
            found.append(&mut open);
            break;
        };
        let mut answers = row.trim_ascii_end().split(|byte| *byte == b'\t').map(|answer| answer == b"1");
        let (such, others): (Vec<&Column>, Vec<&Column>) = open.into_iter().partition(|_| answers.next().unwrap_or(false));
        open = if such.is_empty() { Vec::new() } else { others };
        found.extend(such);
    }
    found.sort_by_key(|column| columns.iter().position(|other| std::ptr::eq(other, *column)));
    Ok(found)
}

impl Lossy {
    /// Looks through the columns of such types; the others cost nothing.
    pub(super) fn find(questions: &mut Questions<'_>, server: &Server, relations: &[Relation]) -> Result<Self> {
        let mut columns: Vec<Column> = questions.session()?.rows(&format!(
            "SELECT {} FROM information_schema.COLUMNS WHERE {} AND EXTRA NOT LIKE '%GENERATED%' \
             AND (DATA_TYPE = 'float' OR CHARACTER_SET_NAME NOT IN ({FAITHFUL})) \
             ORDER BY TABLE_NAME, CHARACTER_SET_NAME IS NULL, ORDINAL_POSITION",
            json(&[("table", "TABLE_NAME"), ("name", "COLUMN_NAME"), ("charset", "CHARACTER_SET_NAME")]),
            catalog::in_this(server, "TABLE_SCHEMA")
        ))?;
        columns.retain(|column| relations.iter().any(|relation| relation.name == column.table && relation.has_rows_in_dump()));
        let mut lossy = Lossy::default();
        for alike in columns.chunk_by(|one, next| one.table == next.table && one.charset.is_none() == next.charset.is_none()) {
            let found = if alike[0].charset.is_none() { &mut lossy.rounded } else { &mut lossy.undefined };
            found.extend(with_such_values(questions, alike)?.iter().map(|column| column.full_name()));
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
