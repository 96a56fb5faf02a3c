//! Which lines of a dump are its schema, and their hash.

use sha2::{Digest, Sha256};

use crate::fsx::hex;

/// What a line outside of rows is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Blank,
    /// One of the comments that `pg_dump` writes itself.
    Comment,
    /// A session setting.
    Setting,
    /// What only a dump with data holds: `REFRESH MATERIALIZED VIEW`, statistics.
    Data,
    Sequence,
    LargeObject,
    Schema,
}

/// The hash of a schema: of its paragraphs, in an order that does not depend on oids.
#[derive(Default)]
pub(super) struct Schema {
    paragraphs: Vec<[u8; 32]>,
    paragraph: Option<Sha256>,
    present: Option<Line>,
}

/// The forms of comment that `pg_dump` writes. Anything else is hashed as schema.
const COMMENTS: &[&[u8]] = &[
    b"-- Name: ",
    b"-- Data for Name: ",
    b"-- Statistics for Name: ",
    b"-- PostgreSQL database dump",
    b"-- Dumped from database version ",
    b"-- Dumped by pg_dump version ",
    b"-- Started on ",
    b"-- Completed on ",
    b"-- TOC entry ",
    b"-- Dependencies: ",
    b"-- *not* ",
];

const SETTINGS: &[&[u8]] = &[b"SET ", b"SELECT pg_catalog.set_config('search_path'"];

const DATA: &[&[u8]] = &[
    b"REFRESH MATERIALIZED VIEW ",
    b"SELECT * FROM pg_catalog.pg_restore_relation_stats(",
    b"SELECT * FROM pg_catalog.pg_restore_attribute_stats(",
];

const LARGE_OBJECT: &[&[u8]] = &[
    b"SELECT pg_catalog.lo_create(",
    b"SELECT pg_catalog.lo_open(",
    b"SELECT pg_catalog.lowrite(",
    b"SELECT pg_catalog.lo_close(",
    b"ALTER LARGE OBJECT ",
    b"COMMENT ON LARGE OBJECT ",
];

impl Schema {
    /// What a line is, by its beginning. One that begins inside quotes belongs to the line before.
    pub(super) fn classify(&mut self, line: &[u8], began_plain: bool) -> Line {
        let mut kind = if began_plain { kind(line) } else { self.present() };
        // Statistics are calls over several lines, each indented.
        if began_plain && kind == Line::Schema && self.present == Some(Line::Data) && matches!(line.first(), Some(b'\t' | b' ')) {
            kind = Line::Data;
        }
        self.present = Some(kind);
        kind
    }

    /// What the present line is.
    pub(super) fn present(&self) -> Line {
        self.present.unwrap_or(Line::Schema)
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.paragraph.get_or_insert_with(Sha256::new).update(bytes);
    }

    pub(super) fn end_paragraph(&mut self) {
        if let Some(hash) = self.paragraph.take() {
            self.paragraphs.push(hash.finalize().into());
        }
    }

    pub(super) fn finish(mut self) -> String {
        self.end_paragraph();
        self.paragraphs.sort_unstable();
        hex(&self.paragraphs.iter().fold(Sha256::new(), |hash, paragraph| hash.chain_update(paragraph)).finalize())
    }
}

fn kind(line: &[u8]) -> Line {
    let starts = |forms: &[&[u8]]| forms.iter().any(|form| line.starts_with(form));
    let trimmed = line.trim_ascii();
    if trimmed.is_empty() {
        Line::Blank
    } else if line.starts_with(b"--") {
        if trimmed == b"--" || starts(COMMENTS) { Line::Comment } else { Line::Schema }
    } else if starts(SETTINGS) {
        Line::Setting
    } else if line.starts_with(b"SELECT pg_catalog.setval(") {
        Line::Sequence
    } else if starts(LARGE_OBJECT) || is_large_object_grant(line) || matches!(trimmed, b"BEGIN;" | b"COMMIT;") {
        Line::LargeObject
    } else if starts(DATA) {
        Line::Data
    } else {
        Line::Schema
    }
}

fn is_large_object_grant(line: &[u8]) -> bool {
    let words: &[u8] = b" ON LARGE OBJECT ";
    (line.starts_with(b"GRANT ") || line.starts_with(b"REVOKE ")) && line.windows(words.len()).take(200).any(|window| window == words)
}
