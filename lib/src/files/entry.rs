//! One thing in an archive, as the inventory has it.

use std::cmp::Ordering;
use std::fmt;

use nix::sys::stat::FileStat;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::fsx;

/// A path inside an archive: any bytes but zero, separated by `/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Name(pub Vec<u8>);

impl Name {
    /// The path of something in this folder.
    pub fn join(&self, name: &[u8]) -> Name {
        let mut path = Vec::with_capacity(self.0.len() + 1 + name.len());
        path.extend_from_slice(&self.0);
        path.push(b'/');
        path.extend_from_slice(name);
        Name(path)
    }

    /// The first of its parts: the name of the root that it is below, or is.
    pub fn root(&self) -> &[u8] {
        self.parts().next().unwrap_or_default()
    }

    /// Its parts.
    pub fn parts(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|byte| *byte == b'/')
    }

    /// The folder it is in, and its own name there.
    pub fn split(&self) -> (&[u8], &[u8]) {
        match self.0.iter().rposition(|byte| *byte == b'/') {
            Some(at) => (&self.0[..at], &self.0[at + 1..]),
            None => (&[], &self.0),
        }
    }

    /// The folders that it is in, the outermost first.
    pub fn above(&self) -> impl Iterator<Item = Name> + '_ {
        self.0.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| Name(self.0[..at].to_vec()))
    }

    /// Why it must not be the name of anything that is restored; none where it may.
    pub fn is_unsafe(&self) -> Option<&'static str> {
        if self.0.contains(&0) {
            return Some("it holds a zero byte");
        }
        if self.0.starts_with(b"/") {
            return Some("it is absolute");
        }
        self.parts().find_map(|part| match part {
            b"" => Some("a part of it is empty"),
            b"." => Some("a part of it is ."),
            b".." => Some("it leads out of its folder"),
            _ => None,
        })
    }
}

/// In the order of an archive: a folder comes before what is in it, and all of that before its next neighbour.
impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        let rank = |byte: &u8| if *byte == b'/' { 0 } else { u16::from(*byte) + 1 };
        self.0.iter().map(rank).cmp(other.0.iter().map(rank))
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

/// A point in time as file systems have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Time {
    /// Whole seconds since 1970, rounded down.
    pub seconds: i64,
    /// Nanoseconds after that.
    pub nanos: u32,
}

/// As PAX writes it: `1763730000.123456789`, without the point where nothing follows it.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.seconds < 0, self.nanos) {
            (_, 0) => write!(f, "{}", self.seconds),
            (false, nanos) => write!(f, "{}.{nanos:09}", self.seconds),
            (true, nanos) => write!(f, "-{}.{:09}", (self.seconds + 1).unsigned_abs(), 1_000_000_000 - nanos),
        }
    }
}

impl Time {
    /// Reads what [`Time`] is shown as.
    pub fn read(text: &str) -> Option<Self> {
        let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || digits.ends_with('.') || !is_number(whole) || !is_number(fraction) || fraction.len() > 9 {
            return None;
        }
        let whole: i64 = whole.parse().ok()?;
        let nanos: u32 = format!("{fraction:0<9}").parse().ok()?;
        Some(match (is_negative, nanos) {
            (false, nanos) => Time { seconds: whole, nanos },
            (true, 0) => Time { seconds: -whole, nanos: 0 },
            (true, nanos) => Time { seconds: -whole - 1, nanos: 1_000_000_000 - nanos },
        })
    }

    /// This much earlier.
    pub fn before(self, seconds: i64) -> Self {
        Time { seconds: self.seconds.saturating_sub(seconds), ..self }
    }
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// A folder.
    Folder,
    /// A file with its content.
    File,
    /// A symbolic link.
    Link,
    /// Another name of a file that stands before it.
    Hardlink,
}

/// One entry of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path.
    pub path: Name,
    /// What it is.
    pub what: Type,
    /// Its mode, the permission bits only.
    pub mode: u32,
    /// Whose it is.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// The name of its owner, where the system knew one.
    pub user: Option<String>,
    /// The name of its group.
    pub group: Option<String>,
    /// When its content last changed.
    pub mtime: Time,
    /// When anything about it last changed.
    pub ctime: Time,
    /// Its number on its file system.
    pub inode: u64,
    /// Of a file: which file system that is; none where its times prove nothing.
    pub place: Option<String>,
    /// A file's length; else 0.
    pub bytes: u64,
    /// The length of the entry's content in the archive, where that is another: a file with holes.
    pub stored: Option<u64>,
    /// SHA-256 (hex) of a file's content; of one with holes, of what it holds between them.
    pub sha256: Option<String>,
    /// Where a symbolic link leads, or the path of the entry that a hard link names.
    pub target: Option<Name>,
    /// Where it begins in the plain stream of the archive.
    pub offset: u64,
    /// How long it is there: headers, content, padding.
    pub length: u64,
    /// Whether the file changed, or could not be read to its end, while it was read: its bytes may be of different moments.
    pub torn: bool,
}

impl Entry {
    /// An entry by what the file system says; content and place are for later.
    pub fn of(path: Name, what: Type, found: &FileStat) -> Self {
        Entry {
            path,
            what,
            mode: found.st_mode & 0o7777,
            uid: found.st_uid,
            gid: found.st_gid,
            user: None,
            group: None,
            mtime: mtime(found),
            ctime: ctime(found),
            inode: found.st_ino,
            place: None,
            bytes: if what == Type::File { u64::try_from(found.st_size).unwrap_or(0) } else { 0 },
            stored: None,
            sha256: None,
            target: None,
            offset: 0,
            length: 0,
            torn: false,
        }
    }

    /// The length of its content in the archive.
    pub fn stored_bytes(&self) -> u64 {
        if self.what == Type::File { self.stored.unwrap_or(self.bytes) } else { 0 }
    }

    /// Where its content begins in the plain stream; none where the entry is too short to hold it.
    pub fn content_offset(&self) -> Option<u64> {
        let content = self.stored_bytes().checked_next_multiple_of(super::BLOCK_BYTES)?;
        self.offset.checked_add(self.length.checked_sub(content)?)
    }

    /// Its line in the inventory, without a newline.
    pub fn to_line(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(&Line::of(self)).map_err(|error| Error::failed("cannot write the inventory").because(error))
    }

    /// Reads a line of an inventory.
    pub fn parse(line: &[u8]) -> Result<Self> {
        let damaged = || Error::bad("a line of the inventory is damaged");
        let line: Line = serde_json::from_slice(line).map_err(|error| damaged().because(error))?;
        line.entry().ok_or_else(damaged)
    }
}

/// The time of the last change of content.
pub fn mtime(found: &FileStat) -> Time {
    Time { seconds: found.st_mtime, nanos: u32::try_from(found.st_mtime_nsec).unwrap_or(0) }
}

/// The time of the last change of anything.
pub fn ctime(found: &FileStat) -> Time {
    Time { seconds: found.st_ctime, nanos: u32::try_from(found.st_ctime_nsec).unwrap_or(0) }
}

/// A line as JSON has it: names that are no text are written in hex, beside.
#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    #[serde(rename = "type")]
    what: Type,
    mode: String,
    uid: u32,
    gid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    mtime: String,
    ctime: String,
    inode: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stored: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_hex: Option<String>,
    offset: u64,
    length: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    torn: bool,
}

impl Line {
    fn of(entry: &Entry) -> Self {
        let (path, path_hex) = as_text(&entry.path);
        let (target, target_hex) = entry.target.as_ref().map_or((None, None), as_text);
        let (sha256, data_sha256) = if entry.stored.is_some() { (None, entry.sha256.clone()) } else { (entry.sha256.clone(), None) };
        Line {
            path,
            path_hex,
            what: entry.what,
            mode: format!("{:04o}", entry.mode),
            uid: entry.uid,
            gid: entry.gid,
            user: entry.user.clone(),
            group: entry.group.clone(),
            mtime: entry.mtime.to_string(),
            ctime: entry.ctime.to_string(),
            inode: entry.inode,
            place: entry.place.clone(),
            bytes: (entry.what == Type::File).then_some(entry.bytes),
            stored: entry.stored,
            sha256,
            data_sha256,
            target,
            target_hex,
            offset: entry.offset,
            length: entry.length,
            torn: entry.torn,
        }
    }

    fn entry(self) -> Option<Entry> {
        let is_file = self.what == Type::File;
        let is_linked = matches!(self.what, Type::Link | Type::Hardlink);
        let target = as_name(self.target, self.target_hex);
        let sha256 = if self.stored.is_some() { self.data_sha256 } else { self.sha256 };
        if is_file != self.bytes.is_some() || is_file != sha256.is_some() || is_linked != target.is_some() {
            return None;
        }
        Some(Entry {
            path: as_name(self.path, self.path_hex)?,
            what: self.what,
            mode: u32::from_str_radix(&self.mode, 8).ok().filter(|mode| *mode <= 0o7777)?,
            uid: self.uid,
            gid: self.gid,
            user: self.user,
            group: self.group,
            mtime: Time::read(&self.mtime)?,
            ctime: Time::read(&self.ctime)?,
            inode: self.inode,
            place: self.place,
            bytes: self.bytes.unwrap_or(0),
            stored: self.stored.filter(|_| is_file),
            sha256,
            target,
            offset: self.offset,
            length: self.length,
            torn: self.torn,
        })
    }
}

fn as_text(name: &Name) -> (Option<String>, Option<String>) {
    match std::str::from_utf8(&name.0) {
        Ok(text) => (Some(text.to_owned()), None),
        Err(_) => (None, Some(fsx::hex(&name.0))),
    }
}

fn as_name(text: Option<String>, hex: Option<String>) -> Option<Name> {
    match (text, hex) {
        (Some(text), None) => Some(Name(text.into_bytes())),
        (None, Some(hex)) if hex.len() % 2 == 0 && hex.is_ascii() => {
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect::<Option<Vec<u8>>>().map(Name)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_stands_before_its_content_and_that_before_its_neighbours() {
        let mut names: Vec<Name> =
            ["a-b", "a", "a/b", "a/b/c", "a.txt", "a/b.c", "b"].iter().map(|text| Name(text.as_bytes().to_vec())).collect();
        names.sort();
        let sorted: Vec<String> = names.iter().map(ToString::to_string).collect();
        assert_eq!(sorted, ["a", "a/b", "a/b/c", "a/b.c", "a-b", "a.txt", "b"]);
    }

    #[test]
    fn a_time_is_read_as_it_was_written() {
        for (seconds, nanos, text) in [
            (0, 0, "0"),
            (1_763_730_000, 123_456_789, "1763730000.123456789"),
            (5, 1, "5.000000001"),
            (-1, 500_000_000, "-0.500000000"),
            (-2, 750_000_000, "-1.250000000"),
            (-7, 0, "-7"),
        ] {
            let time = Time { seconds, nanos };
            assert_eq!(time.to_string(), text);
            assert_eq!(Time::read(text), Some(time), "{text}");
        }
        for text in ["", "-", "1.", ".5", "1e5", "1.1234567890", " 1"] {
            assert!(Time::read(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn fm_f10_names_that_lead_elsewhere_are_known() {
        for text in ["/etc/passwd", "..", "a/../b", "a//b", "", "a/", "./a", "a\0b"] {
            assert!(Name(text.as_bytes().to_vec()).is_unsafe().is_some(), "{text:?}");
        }
        for text in ["a", "a/b", "..a", "a/...", "a b\n", "\\..\\x"] {
            assert!(Name(text.as_bytes().to_vec()).is_unsafe().is_none(), "{text:?}");
        }
    }

    #[test]
    fn an_entry_of_any_name_is_read_as_it_was_written() {
        let found: FileStat = nix::sys::stat::stat("/").expect("the root");
        for path in [b"plain".to_vec(), b"new\nline \"quote\"".to_vec(), vec![0xff, b'/', 0xfe], "Größe".into()] {
            let mut entry = Entry::of(Name(path), Type::Folder, &found);
            assert_eq!(Entry::parse(&entry.to_line().expect("a line")).expect("an entry"), entry);
            entry.what = Type::Link;
            entry.target = Some(Name(vec![0xc3, 0x28]));
            assert_eq!(Entry::parse(&entry.to_line().expect("a line")).expect("an entry"), entry);
        }
    }
}
