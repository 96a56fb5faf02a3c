//! Reading the text of `mariadb-dump` and `mysqldump` as it streams past: what it holds, and whether it is whole.

mod marks;
mod rows;
pub(super) mod schema;
pub(super) mod split;
pub(super) mod statement;
#[cfg(test)]
mod tests;
pub(super) mod tokens;
pub(super) mod variables;

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::fingerprint::{Fingerprint, Table};
use crate::fsx::hex;
use crate::schema::Schema;
use rows::SEPARATOR;
use schema::{Effect, Objects};
use split::{Event, Splitter};
use statement::Account;
use variables::Variables;

/// How the dumps of each program begin, behind the sandbox line.
const HEADERS: [&[u8]; 2] = [b"-- MariaDB dump ", b"-- MySQL dump "];
/// How they end; the date may follow.
const TRAILER: &[u8] = b"-- Dump completed";
/// What they write before the rows of each table, also where there are none.
const ROWS_FOLLOW: &[u8] = b"-- Dumping data for table ";
/// How the line of a dump's header begins that names the database, …
const HOST: &[u8] = b"-- Host: ";
/// … and what stands before the name in it.
const DATABASE: &str = "    Database: ";
/// How much is hashed at once.
const HASHED_BYTES: usize = 8 << 10;
/// What the programs write into a dump that lacks something, and then go on.
const COMPLAINTS: [&[u8]; 2] = [b"-- insufficient privileges to ", b"-- failed on view "];

/// Reads a dump block by block, and gives the state of the database that it holds. In memory are the texts that make its
/// objects, never its rows.
///
/// A table's content is the hash of the text of its rows, `(1,'a')` and so on, in the order in which they come, with `,` and a
/// newline between two: however they are spread over statements and lines.
#[derive(Default)]
pub struct Scanner {
    splitter: Splitter,
    read: Reading,
}

#[derive(Default)]
struct Reading {
    skips_hashes: bool,
    objects: Objects,
    tables: BTreeMap<String, Rows>,
    /// The table whose rows come now.
    filled: Option<(String, Rows)>,
    /// A statement that was too long to be kept: it is known by its hash.
    long: Option<Sha256>,
    complaints: Vec<String>,
    /// Tables behind whose name the program has written that their rows follow.
    row_parts: usize,
    has_header: bool,
    has_trailer: bool,
    statements: u64,
    bytes: u64,
}

#[derive(Default)]
struct Rows {
    count: u64,
    /// Whether a row has begun.
    has_any: bool,
    hash: Sha256,
    /// What is still to be hashed: single rows come in small pieces, and each would cost as much as a block.
    pending: Vec<u8>,
}

impl Rows {
    fn update(&mut self, bytes: &[u8]) {
        if self.pending.len() + bytes.len() > HASHED_BYTES {
            self.flush();
        }
        if bytes.len() > HASHED_BYTES { self.hash.update(bytes) } else { self.pending.extend_from_slice(bytes) }
    }

    fn flush(&mut self) {
        self.hash.update(&self.pending);
        self.pending.clear();
    }
}

impl Scanner {
    /// A scanner that hashes and counts.
    pub fn new() -> Self {
        Self::default()
    }

    /// A scanner that only counts and looks whether the dump is whole.
    pub fn of_structure() -> Self {
        Scanner { read: Reading { skips_hashes: true, ..Reading::default() }, ..Self::default() }
    }

    /// The same for a database in which these events were put to sleep: their text is that of when they ran.
    pub(super) fn with_asleep(mut self, events: &BTreeSet<String>) -> Self {
        self.read.objects.asleep = events.clone();
        self
    }

    /// Takes the next block of the dump.
    pub fn write(&mut self, block: &[u8]) {
        self.write_past(block, |_, _| {});
    }

    /// The same; `also` sees every part of the dump when the scanner has.
    pub(super) fn write_past(&mut self, block: &[u8], mut also: impl FnMut(&Event<'_>, &Variables)) {
        let Scanner { splitter, read } = self;
        read.bytes += block.len() as u64;
        splitter.write(block, &mut |event, variables| {
            read.take(&event, variables);
            also(&event, variables);
        });
    }

    /// How many bytes have come so far.
    pub fn bytes(&self) -> u64 {
        self.read.bytes
    }

    /// Whether the text began as the dump programs begin theirs.
    pub fn has_header(&self) -> bool {
        self.read.has_header
    }

    /// What the program that made the dump could not put into it.
    pub fn complaints(&self) -> &[String] {
        &self.read.complaints
    }

    /// For how many tables the program has written that their rows follow: it does so for those without any, too.
    pub(super) fn row_parts(&self) -> usize {
        self.read.row_parts
    }

    /// The accounts in whose name views, routines, triggers and events of the dump work.
    pub(super) fn definers(&self) -> &BTreeSet<Account> {
        &self.read.objects.definers
    }

    /// Errors where the text ends inside something: the client program would run what there is, and end well.
    fn check_end(&mut self) -> Result<()> {
        let Scanner { splitter, read } = self;
        splitter.finish(&mut |event, variables| read.take(&event, variables)).map_err(cut_short)?;
        read.end_rows();
        Ok(())
    }

    fn check_whole(&mut self) -> Result<()> {
        self.check_end()?;
        if !self.read.has_trailer {
            let why = if self.read.bytes == 0 { "it is empty" } else { "its last line, \"-- Dump completed\", is missing" };
            return Err(cut_short(why));
        }
        if !self.read.has_header {
            return Err(cut_short("its first line, \"-- MariaDB dump\" or \"-- MySQL dump\", is missing"));
        }
        Ok(())
    }

    /// The state of the database that the dump holds; an error unless the dump is whole by its own header and trailer.
    pub fn finish(mut self) -> Result<Fingerprint> {
        self.check_whole()?;
        let Reading { skips_hashes, objects, tables, .. } = self.read;
        let state = |rows: Rows| Table { rows: rows.count, content_sha256: (!skips_hashes).then(|| hex(&rows.hash.finalize())) };
        Ok(Fingerprint {
            schema_sha256: objects.sha256(),
            tables: tables.into_iter().map(|(name, rows)| (name, state(rows))).collect(),
            objects: objects.counts(),
            sequences: objects.sequences,
        })
    }

    /// The schema that the dump holds, object by object; an error as from [`Scanner::finish`].
    pub fn finish_schema(mut self) -> Result<Schema> {
        self.check_whole()?;
        Ok(self.read.objects.schema())
    }

    /// For SQL text that any tool may have made: the trailer is asked for only where the header was there.
    pub fn finish_foreign(mut self) -> Result<()> {
        if self.read.has_header {
            return self.check_whole();
        }
        self.check_end()?;
        if self.read.statements == 0 {
            return Err(cut_short("it holds no statement"));
        }
        Ok(())
    }
}

impl Reading {
    fn take(&mut self, event: &Event<'_>, variables: &Variables) {
        match event {
            Event::Between(text) => self.note_comment(text),
            Event::Part(text) => self.long.get_or_insert_default().update(text),
            Event::Statement(text) => match self.long.take() {
                Some(hash) => {
                    let text = format!("a long statement, {}", hex(&hash.chain_update(text).finalize()));
                    self.note_statement(text.as_bytes(), variables);
                }
                None => self.note_statement(text, variables),
            },
            Event::Insert(text) => self.begin_rows(text),
            Event::Rows { bytes, begins, ended } => {
                let Some((_, rows)) = &mut self.filled else { return };
                rows.count += ended;
                if !self.skips_hashes {
                    if *begins && std::mem::replace(&mut rows.has_any, true) {
                        rows.update(SEPARATOR);
                    }
                    rows.update(bytes);
                }
            }
            Event::Gap(_) | Event::Delimiter(_) | Event::End(_) => {}
        }
    }

    fn note_comment(&mut self, text: &[u8]) {
        let line = text.trim_ascii_end();
        if HEADERS.iter().any(|header| line.starts_with(header)) {
            self.has_header = true;
            self.has_trailer = false;
        } else if line == TRAILER || line.strip_prefix(TRAILER).is_some_and(|rest| rest.starts_with(b" on ")) {
            self.has_trailer = true;
        } else if line.starts_with(ROWS_FOLLOW) {
            self.row_parts += 1;
        } else if self.objects.home.is_none() && line.starts_with(HOST) {
            self.objects.home = dumped_database(line);
        } else if COMPLAINTS.iter().any(|complaint| line.starts_with(complaint)) {
            self.complaints.push(String::from_utf8_lossy(line.strip_prefix(b"-- ").unwrap_or(line)).into_owned());
        }
    }

    fn note_statement(&mut self, text: &[u8], variables: &Variables) {
        self.statements += 1;
        self.has_trailer = false;
        match self.objects.note(text, variables) {
            Effect::None => {}
            Effect::Table(name) => {
                self.end_rows();
                self.tables.insert(name, Rows::default());
            }
            Effect::Gone(names) => {
                self.end_rows();
                for name in names {
                    self.tables.remove(&name);
                }
            }
        }
    }

    fn begin_rows(&mut self, insert: &[u8]) {
        self.statements += 1;
        self.has_trailer = false;
        let table = statement::target(insert).map(|table| name(&table)).unwrap_or_default();
        if self.filled.as_ref().is_none_or(|(present, _)| *present != table) {
            self.end_rows();
            let rows = self.tables.remove(&table).unwrap_or_default();
            self.filled = Some((table, rows));
        }
    }

    fn end_rows(&mut self) {
        if let Some((_, rows)) = &mut self.filled {
            rows.flush();
            rows.pending = Vec::new();
        }
        self.tables.extend(self.filled.take());
    }
}

/// The database that was dumped, of the comment that names it: `-- Host: localhost    Database: app`.
pub(super) fn dumped_database(comment: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(comment.trim_ascii_end().strip_prefix(HOST)?).ok()?;
    line.split_once(DATABASE).map(|(_, database)| database.to_owned())
}

/// An object's name as fingerprints carry it: quoted only where it is not plain, whatever a server's list of keywords says.
pub fn name(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let starts_plain = name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
    if starts_plain && name.bytes().all(is_plain) { name.to_owned() } else { format!("`{}`", name.replace('`', "``")) }
}

fn cut_short(why: impl std::fmt::Display) -> Error {
    Error::bad(format!("the dump is not whole: {why}")).hint("do not restore it; take another backup")
}
