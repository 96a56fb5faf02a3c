//! A dump that no manifest describes: ours out of its folder, or anybody's. What it is, its content says.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use crate::engine::Content;
use crate::error::{Error, OnPath, Result};
use crate::manifest::EngineName;

/// As many plain bytes are looked at to tell what a file is.
const HEAD_BYTES: u64 = 64 << 10;

/// A dump file.
#[derive(Debug, Clone)]
pub struct Foreign {
    path: PathBuf,
    packing: Packing,
    content: Content,
}

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    None,
    Gzip,
    Zstd,
}

impl Foreign {
    /// Looks at the beginning of a file. `target` decides for SQL text that does not say whose it is.
    pub fn open(path: &Path, target: Option<EngineName>) -> Result<Self> {
        let found = path.metadata().on("look at", path)?;
        if !found.is_file() {
            return Err(Error::usage(format!("{} is not a file", path.display())).hint("a backup's folder is named without -f"));
        }
        let mut head = Vec::new();
        File::open(path).on("open", path)?.take(6).read_to_end(&mut head).on("read", path)?;
        let packing = match head.as_slice() {
            [0x1f, 0x8b, ..] => Packing::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Packing::Zstd,
            [b'B', b'Z', b'h', ..] | [0xfd, b'7', b'z', b'X', b'Z', ..] | [b'P', b'K', 3, 4, ..] => {
                return Err(Error::usage(format!("{} is packed by a program that Holdfast does not read", path.display()))
                    .hint("unpack it first, or pack it with gzip or zstd"));
            }
            _ => Packing::None,
        };
        let foreign = Foreign { path: path.to_owned(), packing, content: Content::SqliteImage };
        let mut head = Vec::new();
        foreign.plain()?.take(HEAD_BYTES).read_to_end(&mut head).map_err(|error| foreign.unreadable(error))?;
        let content = content_of(&head, target).ok_or_else(|| foreign.unknown(&head))?;
        if content == Content::SqliteImage && packing == Packing::None {
            foreign.refuse_unfinished()?;
        }
        Ok(Foreign { content, ..foreign })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds.
    pub fn content(&self) -> Content {
        self.content
    }

    /// Its plain bytes.
    pub fn read(&self) -> Result<Box<dyn Read>> {
        self.plain()
    }

    fn plain(&self) -> Result<Box<dyn Read>> {
        let file = BufReader::with_capacity(256 << 10, File::open(&self.path).on("open", &self.path)?);
        Ok(match self.packing {
            Packing::None => Box::new(file),
            // All members: a reader of the first one alone would give the beginning of the dump and no error.
            Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
            Packing::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(file).map_err(|error| self.unreadable(error))?),
        })
    }

    /// A database file is only half of a database as long as a log or a journal lies beside it.
    fn refuse_unfinished(&self) -> Result<()> {
        for ending in ["-wal", "-journal"] {
            let mut beside = self.path.clone().into_os_string();
            beside.push(ending);
            if Path::new(&beside).metadata().is_ok_and(|found| found.len() > 0) {
                let path = self.path.display();
                return Err(Error::refused(format!("{path} is not the whole database: {path}{ending} belongs to it"))
                    .hint("back it up with backup-db, which reads both, and restore that"));
            }
        }
        Ok(())
    }

    fn unreadable(&self, error: std::io::Error) -> Error {
        Error::bad(format!("{} is damaged", self.path.display())).because(error)
    }

    fn unknown(&self, head: &[u8]) -> Error {
        let path = self.path.display();
        if head.is_empty() {
            return Error::bad(format!("{path} is empty"));
        }
        if head.get(257..262) == Some(b"ustar") {
            return Error::usage(format!("{path} is a tar archive, not a database dump"))
                .hint("unpack it first; pg_dump -Ft is restored by pg_restore");
        }
        Error::usage(format!("{path} is no dump that Holdfast knows"))
            .hint("it restores SQL text, pg_dump -Fc and SQLite files, plain or packed by gzip or zstd")
    }
}

fn content_of(head: &[u8], target: Option<EngineName>) -> Option<Content> {
    if head.starts_with(b"SQLite format 3\0") {
        return Some(Content::SqliteImage);
    }
    if head.starts_with(b"PGDMP") {
        return Some(Content::PostgresCustom);
    }
    if head.contains(&0) || head.is_empty() {
        return None;
    }
    let text = String::from_utf8_lossy(head);
    // The line that newer programs put first, by which a client forbids itself the shell.
    if text.contains("-- MariaDB dump") || text.contains("-- MySQL dump") || text.starts_with("/*M!999999") {
        return Some(Content::MariadbSql);
    }
    if text.contains("-- PostgreSQL database dump") {
        return Some(Content::PostgresSql);
    }
    if text.trim_start().starts_with("PRAGMA foreign_keys=OFF;") || text.trim_start().starts_with("BEGIN TRANSACTION;") {
        return Some(Content::SqliteSql);
    }
    let words = ["CREATE TABLE", "INSERT INTO", "COPY ", "SELECT ", "ALTER "];
    if !words.iter().any(|word| text.to_ascii_uppercase().contains(word)) {
        return None;
    }
    match target? {
        EngineName::Sqlite => Some(Content::SqliteSql),
        EngineName::Postgres => Some(Content::PostgresSql),
        EngineName::Mariadb => Some(Content::MariadbSql),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_is_is_told_by_its_content() {
        let cases: [(&[u8], Option<EngineName>, Option<Content>); 12] = [
            (b"SQLite format 3\0....", None, Some(Content::SqliteImage)),
            (b"PGDMP\x01\x0e", None, Some(Content::PostgresCustom)),
            (b"--\n-- PostgreSQL database dump\n--\n", Some(EngineName::Sqlite), Some(Content::PostgresSql)),
            (b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n", None, Some(Content::SqliteSql)),
            (b"create table a(b);\n", Some(EngineName::Sqlite), Some(Content::SqliteSql)),
            (b"create table a(b);\n", None, None),
            (b"-- MariaDB dump 10.19\ncreate table a(b);", Some(EngineName::Sqlite), Some(Content::MariadbSql)),
            (b"/*M!999999\\- enable the sandbox mode */ \n", None, Some(Content::MariadbSql)),
            (b"-- MySQL dump 10.13  Distrib 5.7.44\n", None, Some(Content::MariadbSql)),
            (b"create table a(b);\n", Some(EngineName::Mariadb), Some(Content::MariadbSql)),
            (b"hello", Some(EngineName::Postgres), None),
            (b"", Some(EngineName::Postgres), None),
        ];
        for (head, target, expected) in cases {
            assert_eq!(content_of(head, target), expected, "{:?}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn a_packed_file_of_several_members_is_read_to_its_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("dump.txt");
        let mut packed = Vec::new();
        for part in ["PRAGMA foreign_keys=OFF;\n", "COMMIT;\n"] {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut encoder, part.as_bytes()).expect("written");
            packed.extend(encoder.finish().expect("packed"));
        }
        std::fs::write(&path, packed).expect("written");
        let foreign = Foreign::open(&path, None).expect("known");
        let mut text = String::new();
        foreign.read().expect("open").read_to_string(&mut text).expect("read");
        assert_eq!(text, "PRAGMA foreign_keys=OFF;\nCOMMIT;\n");
    }
}
