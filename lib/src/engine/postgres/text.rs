//! Reading a plain SQL dump as it streams past: what it holds, and whether it is whole.

mod copy;
pub mod objects;
mod quotes;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::sql;
use crate::error::{Error, Result};
use crate::fingerprint::{Fingerprint, Table};
use crate::fsx::hex;
use copy::CopyEnd;
use quotes::Quotes;
use schema::{Line, Schema};

/// The name under which a fingerprint counts large objects, which belong to no table.
pub(super) const LARGE_OBJECTS: &str = "large objects";
/// The longest line that is put together over block borders before it is looked at. A `COPY` line names at most 1,600
/// columns of at most 63 bytes, so every line that means something is shorter; a longer one is a value.
const LINE_MAX_BYTES: usize = 1 << 20;

/// Reads a plain dump block by block, in constant memory, and gives the fingerprint of what it holds.
///
/// Rows are counted and hashed from the `COPY` blocks. The schema hash is over everything else that is not a comment or
/// a setting of `pg_dump`, paragraph by paragraph and independent of their order, so that `pg_dump --schema-only` of the
/// restored database gives the same.
pub struct Scanner {
    hashes: bool,
    quotes: Quotes,
    /// A line that began in an earlier block.
    pending: Vec<u8>,
    /// Whether the present line was too long to be put together, and has begun already.
    in_long_line: bool,
    copy: Option<Copying>,
    schema: Schema,
    tables: BTreeMap<String, Table>,
    sequences: BTreeMap<String, i64>,
    large_objects: (u64, Sha256),
    restrict_key: Option<Vec<u8>>,
    unrestricted: bool,
    has_header: bool,
    has_trailer: bool,
    statements: u64,
    bytes: u64,
}

struct Copying {
    table: String,
    rows: u64,
    hash: Sha256,
    end: CopyEnd,
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

impl Scanner {
    /// A scanner that hashes and counts.
    pub fn new() -> Self {
        Scanner {
            hashes: true,
            quotes: Quotes::default(),
            pending: Vec::new(),
            in_long_line: false,
            copy: None,
            schema: Schema::default(),
            tables: BTreeMap::new(),
            sequences: BTreeMap::new(),
            large_objects: (0, Sha256::new()),
            restrict_key: None,
            unrestricted: false,
            has_header: false,
            has_trailer: false,
            statements: 0,
            bytes: 0,
        }
    }

    /// A scanner that only looks whether the dump is whole: no content hashes, several times as fast.
    pub fn of_structure() -> Self {
        Scanner { hashes: false, ..Self::new() }
    }

    /// Takes the next block of the dump.
    pub fn write(&mut self, mut block: &[u8]) {
        self.bytes += block.len() as u64;
        while !block.is_empty() {
            block = match &mut self.copy {
                Some(_) => self.copy_block(block),
                None => self.sql_block(block),
            };
        }
    }

    fn copy_block<'a>(&mut self, block: &'a [u8]) -> &'a [u8] {
        let Some(copy) = &mut self.copy else { return block };
        let hash = self.hashes.then_some(&mut copy.hash);
        let (rest, ended) = copy.end.feed(block, &mut copy.rows, hash);
        if ended && let Some(copy) = self.copy.take() {
            let content_sha256 = self.hashes.then(|| hex(&copy.hash.finalize()));
            // A table that a foreign file fills by several blocks: the rows are summed, a hash of the whole there is none.
            match self.tables.entry(copy.table) {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert(Table { rows: copy.rows, content_sha256 });
                }
                std::collections::btree_map::Entry::Occupied(mut entry) => {
                    let table = entry.get_mut();
                    table.rows += copy.rows;
                    table.content_sha256 = None;
                }
            }
        }
        rest
    }

    fn sql_block<'a>(&mut self, block: &'a [u8]) -> &'a [u8] {
        match copy::find_newline(block) {
            Some(end) => {
                let (line, rest) = block.split_at(end + 1);
                if self.pending.is_empty() {
                    self.piece(line, true);
                } else {
                    let mut whole = std::mem::take(&mut self.pending);
                    whole.extend_from_slice(line);
                    self.piece(&whole, true);
                    whole.clear();
                    self.pending = whole;
                }
                rest
            }
            None if self.in_long_line || self.pending.len() + block.len() > LINE_MAX_BYTES => {
                let pending = std::mem::take(&mut self.pending);
                if !pending.is_empty() {
                    self.piece(&pending, false);
                }
                self.piece(block, false);
                &[]
            }
            None => {
                self.pending.extend_from_slice(block);
                &[]
            }
        }
    }

    /// One line with its newline, or a part of a line longer than [`LINE_MAX_BYTES`].
    fn piece(&mut self, piece: &[u8], ends_line: bool) {
        let starts_line = !self.in_long_line;
        self.in_long_line = !ends_line;
        let began_plain = self.quotes.is_plain();
        let line = if starts_line { self.schema.classify(piece, began_plain) } else { self.schema.present() };
        if matches!(line, Line::Comment) {
            self.schema.end_paragraph();
            if starts_line {
                self.note_comment(piece);
            }
            return;
        }
        if began_plain && starts_line {
            if piece.starts_with(b"\\") {
                self.meta_command(piece.trim_ascii_end());
                return;
            }
            if ends_line && self.begin_copy(piece) {
                self.schema.end_paragraph();
                return;
            }
        }
        self.quotes.feed(piece);
        if starts_line && !piece.trim_ascii().is_empty() {
            self.statements += 1;
        }
        match line {
            Line::Blank => self.schema.end_paragraph(),
            Line::Comment | Line::Setting | Line::Data => {}
            Line::Sequence => self.note_sequence(piece),
            Line::LargeObject => {
                if piece.starts_with(b"SELECT pg_catalog.lo_create(") && began_plain {
                    self.large_objects.0 += 1;
                }
                if self.hashes {
                    self.large_objects.1.update(piece);
                }
            }
            Line::Schema => self.schema.update(piece),
        }
    }

    fn note_comment(&mut self, piece: &[u8]) {
        match piece.trim_ascii_end() {
            b"-- PostgreSQL database dump" => self.has_header = true,
            b"-- PostgreSQL database dump complete" => self.has_trailer = true,
            _ => {}
        }
    }

    fn meta_command(&mut self, line: &[u8]) {
        if let Some(key) = line.strip_prefix(b"\\restrict ") {
            self.restrict_key = Some(key.to_vec());
            self.unrestricted = false;
        } else if let Some(key) = line.strip_prefix(b"\\unrestrict ") {
            self.unrestricted = self.restrict_key.as_deref() == Some(key);
        }
    }

    /// Whether this line begins a `COPY` block.
    fn begin_copy(&mut self, line: &[u8]) -> bool {
        let Some(rest) = line.strip_prefix(b"COPY ") else { return false };
        if !line.trim_ascii_end().ends_with(b" FROM stdin;") {
            return false;
        }
        let Some((table, _)) = sql::read_table(rest) else { return false };
        self.copy = Some(Copying { table, rows: 0, hash: Sha256::new(), end: CopyEnd::default() });
        self.statements += 1;
        true
    }

    /// `SELECT pg_catalog.setval('public.a_id_seq', 3, true);`
    fn note_sequence(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let Some(arguments) = text.trim_end().strip_prefix("SELECT pg_catalog.setval('").and_then(|rest| rest.strip_suffix(");")) else {
            return;
        };
        let mut parts = arguments.rsplitn(3, ", ");
        let (Some(_is_called), Some(value), Some(name)) = (parts.next(), parts.next(), parts.next()) else { return };
        let name = name.trim_end_matches('\'').replace("''", "'");
        if let (Ok(value), Some((name, _))) = (value.parse(), sql::read_table(name.as_bytes())) {
            self.sequences.insert(name, value);
        }
    }

    /// How many bytes have come so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether the text began as `pg_dump` begins its dumps.
    pub fn has_header(&self) -> bool {
        self.has_header
    }

    /// Errors where the text ends inside a statement or a `COPY` block: loading it would succeed and lose rows.
    fn check_end(&mut self) -> Result<()> {
        if let Some(copy) = &self.copy {
            return Err(cut_short(format!("it ends inside the rows of {} (after {})", copy.table, copy.rows)));
        }
        if !self.pending.is_empty() {
            let mut last = std::mem::take(&mut self.pending);
            last.push(b'\n');
            self.piece(&last, true);
        }
        if self.copy.is_some() {
            return Err(cut_short("it ends where the rows of a table should begin"));
        }
        if !self.quotes.is_plain() {
            return Err(cut_short("it ends inside a quoted text"));
        }
        Ok(())
    }

    /// The state of the database that the dump holds; an error unless the dump is whole by its own header and trailer.
    pub fn finish(mut self) -> Result<Fingerprint> {
        self.check_end()?;
        if !self.has_trailer {
            let why = if self.bytes == 0 { "it is empty" } else { "its last line, \"PostgreSQL database dump complete\", is missing" };
            return Err(cut_short(why));
        }
        if !self.has_header {
            return Err(cut_short("its first line, \"PostgreSQL database dump\", is missing"));
        }
        self.check_key()?;
        if self.large_objects.0 > 0 {
            let (rows, hash) = self.large_objects;
            self.tables.insert(LARGE_OBJECTS.to_owned(), Table { rows, content_sha256: self.hashes.then(|| hex(&hash.finalize())) });
        }
        Ok(Fingerprint { schema_sha256: self.schema.finish(), tables: self.tables, objects: BTreeMap::new(), sequences: self.sequences })
    }

    /// For SQL text that any tool may have made: the trailer is asked for only where `pg_dump`'s header was there.
    pub fn finish_foreign(mut self) -> Result<()> {
        if self.has_header {
            return self.finish().map(|_| ());
        }
        self.check_end()?;
        if self.statements == 0 {
            return Err(cut_short("it holds no statement"));
        }
        Ok(())
    }

    fn check_key(&self) -> Result<()> {
        if self.restrict_key.is_some() && !self.unrestricted {
            return Err(cut_short("the \\unrestrict line that answers its \\restrict is missing"));
        }
        Ok(())
    }
}

fn cut_short(why: impl std::fmt::Display) -> Error {
    Error::bad(format!("the dump is not whole: {why}")).hint("do not restore it; take another backup")
}
