//! What the tables of a SQLite database hold, as one hash each.
//!
//! The hash is SHA-256 over the number of stored columns (8 bytes), and then over row after row in the order of the rowid,
//! or of the primary key in a table WITHOUT ROWID: value after value, each a byte for its type and what it is.
//!
//! | type | byte | what follows |
//! | --- | --- | --- |
//! | NULL | 0 | nothing |
//! | INTEGER | 1 | 8 bytes |
//! | REAL | 2 | 8 bytes, IEEE 754 |
//! | TEXT | 3 | its length in bytes as 8 bytes, and the text in UTF-8 |
//! | BLOB | 4 | its length as 8 bytes, and the bytes |
//!
//! All numbers have their highest byte first. No two different tables of values give the same bytes. The rowid itself is left
//! out, unless a column shows it: VACUUM may change one that no column shows. So are virtual generated columns, which
//! follow from the others and may need functions that only the application has.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use sha2::{Digest, Sha256};

use super::fingerprint::quote;
use crate::fingerprint::Table;
use crate::fsx;

/// So many bytes of rows are gathered before they are hashed: a call of the hash costs more than a value.
const BLOCK_BYTES: usize = 64 << 10;

/// Reads every row of a table once.
pub(super) fn of(connection: &Connection, name: &str) -> rusqlite::Result<Table> {
    let columns = stored_columns(connection, name)?;
    // Without an index the rows come in the order of the table itself, which needs no collation of the application.
    let list: Vec<String> = columns.iter().map(|column| quote(column)).collect();
    let mut statement = connection.prepare(&format!("SELECT {} FROM main.{} NOT INDEXED", list.join(", "), quote(name)))?;
    let mut rows = statement.query([])?;
    let mut content = Content::default();
    content.number(columns.len() as u64);
    let mut count = 0;
    while let Some(row) = rows.next()? {
        content.row(row, columns.len())?;
        count += 1;
    }
    Ok(Table { rows: count, content_sha256: Some(content.finish()) })
}

/// The columns whose values stand in the file.
fn stored_columns(connection: &Connection, name: &str) -> rusqlite::Result<Vec<String>> {
    // 2 is a virtual generated column, and 3 one that is stored.
    let mut statement = connection.prepare("SELECT name FROM pragma_table_xinfo(?, 'main') WHERE hidden IN (0, 3) ORDER BY cid")?;
    statement.query_map([name], |row| row.get(0))?.collect()
}

/// Values on their way into the hash.
#[derive(Default)]
struct Content {
    hash: Sha256,
    block: Vec<u8>,
}

impl Content {
    fn row(&mut self, row: &Row<'_>, columns: usize) -> rusqlite::Result<()> {
        for column in 0..columns {
            match row.get_ref(column)? {
                ValueRef::Null => self.block.push(0),
                ValueRef::Integer(value) => {
                    self.block.push(1);
                    self.block.extend_from_slice(&value.to_be_bytes());
                }
                ValueRef::Real(value) => {
                    self.block.push(2);
                    self.block.extend_from_slice(&value.to_be_bytes());
                }
                ValueRef::Text(bytes) => self.bytes(3, bytes),
                ValueRef::Blob(bytes) => self.bytes(4, bytes),
            }
        }
        if self.block.len() >= BLOCK_BYTES {
            self.flush();
        }
        Ok(())
    }

    fn number(&mut self, value: u64) {
        self.block.extend_from_slice(&value.to_be_bytes());
    }

    fn bytes(&mut self, kind: u8, bytes: &[u8]) {
        self.block.push(kind);
        self.number(bytes.len() as u64);
        if bytes.len() < BLOCK_BYTES {
            self.block.extend_from_slice(bytes);
        } else {
            self.flush();
            self.hash.update(bytes);
        }
    }

    fn flush(&mut self) {
        self.hash.update(&self.block);
        self.block.clear();
    }

    fn finish(mut self) -> String {
        self.flush();
        fsx::hex(&self.hash.finalize())
    }
}
