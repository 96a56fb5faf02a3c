//! The record of one version: a small file of JSON that is written once.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::name::{Name, is_hex, path_from_hex};
use super::{FORMAT, object};
use crate::clock;
use crate::error::{Error, Result};
use crate::fsx;

/// How a record's file name ends.
pub(super) const ENDING: &str = ".json";
/// So many hex digits of the hash of a record's bytes stand at the end of its id: enough to notice any damage, and to keep
/// two versions of one second apart.
const HASH_DIGITS: usize = 12;
/// The time at the beginning of an id, `20261121T130000Z`.
const TIME_CHARS: usize = 16;

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The format of the record.
    pub format: u32,
    /// The file's absolute path; what is not UTF-8 in it is shown as a replacement character.
    pub file: String,
    /// The bytes of that path in hex, where they are not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_hex: Option<String>,
    /// The id of the version before it, when there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// When it was saved. Always after its parent.
    #[serde(with = "clock::rfc3339_millis")]
    pub created_at: DateTime<Utc>,
    /// Who saved it.
    pub author: String,
    /// The machine it was saved on.
    pub host: String,
    /// Why, in the author's words.
    pub message: String,
    /// SHA-256 of the content, in hex: the name of its object.
    pub sha256: String,
    /// Length of the content.
    pub bytes: u64,
    /// The file's permission bits, in octal.
    pub mode: String,
}

/// A version of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its id: the time it was saved, and the beginning of the hash of its record.
    pub id: String,
    /// The file's path.
    pub path: PathBuf,
    /// What its record says.
    pub record: Record,
    /// The tags it bears, sorted.
    pub tags: Vec<String>,
}

impl Version {
    /// Reads a record, whose name was `id`, of the file with this key.
    pub(super) fn parse(id: &str, key: &str, bytes: &[u8]) -> Result<Self> {
        let bad = |why: String| Error::bad(format!("version {id} is damaged: {why}"));
        if id_of(id, bytes).as_deref() != Some(id) {
            return Err(bad("its record has another hash".to_owned()));
        }
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let head: Head = serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
        if head.format > FORMAT {
            return Err(Error::bad(format!("version {id} has format {}, this version of Holdfast reads up to {FORMAT}", head.format))
                .hint("use a newer version of Holdfast"));
        }
        let record: Record = serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
        let path = match &record.file_hex {
            None => PathBuf::from(&record.file),
            Some(hex) => path_from_hex(hex).ok_or_else(|| bad("its path is no hex".to_owned()))?,
        };
        // A record is input, not truth.
        if !path.is_absolute() || Name::at(path.clone()).key() != key {
            return Err(bad(format!("it is of {}, and lies among those of another file", path.display())));
        }
        if !object::is_sha256(&record.sha256) || record.permissions().is_none() || record.parent.as_deref().is_some_and(|id| !is_id(id)) {
            return Err(bad("it names no object, mode or parent that could be".to_owned()));
        }
        Ok(Version { id: id.to_owned(), path, record, tags: Vec::new() })
    }

    /// The permission bits its file had.
    pub fn mode(&self) -> u32 {
        self.record.permissions().unwrap_or(fsx::FILE_MODE)
    }
}

impl Record {
    /// Its bytes, and the id that follows from them.
    pub(super) fn seal(&self) -> Result<(String, Vec<u8>)> {
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|error| Error::failed("cannot write the record").because(error))?;
        bytes.push(b'\n');
        let id = format!("{}-{}", clock::compact(self.created_at), &fsx::sha256_hex(&bytes)[..HASH_DIGITS]);
        Ok((id, bytes))
    }

    fn permissions(&self) -> Option<u32> {
        u32::from_str_radix(&self.mode, 8).ok().filter(|mode| *mode <= 0o7777)
    }
}

/// The id that bytes have whose id begins with the same time.
fn id_of(id: &str, bytes: &[u8]) -> Option<String> {
    Some(format!("{}-{}", id.get(..TIME_CHARS)?, &fsx::sha256_hex(bytes)[..HASH_DIGITS]))
}

/// Whether a text has the form of a version's id.
pub(super) fn is_id(text: &str) -> bool {
    crate::id::is_id(text) && text.len() == TIME_CHARS + 1 + HASH_DIGITS && is_hex(&text[TIME_CHARS + 1..])
}

/// The time that an id carries, to the second.
pub(super) fn time_in(id: &str) -> Option<DateTime<Utc>> {
    chrono::NaiveDateTime::parse_from_str(id.get(..TIME_CHARS)?, "%Y%m%dT%H%M%SZ").ok().map(|time| time.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            format: 1,
            file: "/x/a.txt".into(),
            file_hex: None,
            parent: None,
            created_at: clock::now(),
            author: "ann".into(),
            host: "here".into(),
            message: "one\ntwo".into(),
            sha256: fsx::sha256_hex(b""),
            bytes: 0,
            mode: "644".into(),
        }
    }

    #[test]
    fn a_record_comes_back_and_any_changed_byte_is_noticed() {
        let key = Name::at("/x/a.txt".into()).key().to_owned();
        let (id, bytes) = record().seal().expect("bytes");
        assert!(is_id(&id), "{id}");
        let version = Version::parse(&id, &key, &bytes).expect("it is whole");
        assert_eq!((version.record.clone(), version.mode()), (record_at(&version), 0o644));
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            Version::parse(&id, &key, &changed).expect_err("a changed byte");
            Version::parse(&id, &key, &bytes[..at]).expect_err("a cut record");
        }
    }

    fn record_at(version: &Version) -> Record {
        Record { created_at: version.record.created_at, ..record() }
    }

    #[test]
    fn a_record_that_was_made_up_is_refused() {
        let key = Name::at("/x/a.txt".into()).key().to_owned();
        let refuse = |what: &str, change: &dyn Fn(&mut Record)| {
            let mut record = record();
            change(&mut record);
            let (id, bytes) = record.seal().expect("bytes");
            Version::parse(&id, &key, &bytes).expect_err(what);
        };
        refuse("another file", &|record| record.file = "/x/b.txt".into());
        refuse("a path by hex", &|record| record.file_hex = Some("2f78".into()));
        refuse("an object elsewhere", &|record| record.sha256 = "../../../../etc/passwd".into());
        refuse("a mode", &|record| record.mode = "17777777".into());
        refuse("a parent", &|record| record.parent = Some("../x".into()));
        refuse("a newer format", &|record| record.format = 2);
    }
}
