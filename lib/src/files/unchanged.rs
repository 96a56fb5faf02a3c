//! Which files of an earlier backup need not be read again.

use std::iter::Peekable;

use nix::sys::stat::FileStat;

use super::entry::{Entry, Name, Time, Type, ctime, mtime};
use crate::error::Result;

/// A file that was changed less than this before the base began may have been changed again within the same step of a coarse
/// clock, after the base had read it: its times prove nothing. FAT counts in steps of two seconds.
const RACY_SECONDS: i64 = 3;

/// An earlier backup's inventory, held against a walk that goes in the same order.
pub struct Base<'a> {
    entries: Peekable<Box<dyn Iterator<Item = Result<Entry>> + 'a>>,
    began: Time,
}

impl<'a> Base<'a> {
    /// The inventory of a backup, and when that began.
    pub fn new(entries: impl Iterator<Item = Result<Entry>> + 'a, began: Time) -> Self {
        let entries: Box<dyn Iterator<Item = Result<Entry>> + 'a> = Box::new(entries);
        Base { entries: entries.peekable(), began }
    }

    /// The entry of the same path, where all that can be known without reading says that the file is still what it was. To be asked
    /// in the order of the archive.
    pub fn unchanged(&mut self, path: &Name, found: &FileStat, place: Option<&str>) -> Result<Option<Entry>> {
        while let Some(entry) = self.entries.next_if(|entry| entry.as_ref().map_or(true, |entry| entry.path <= *path)) {
            let entry = entry?;
            if entry.path == *path {
                return Ok(is_unchanged(&entry, found, place, self.began).then_some(entry));
            }
        }
        Ok(None)
    }
}

/// Whether a file is still what an entry says, by where it lies and by its size, times and number there; an entry whose bytes are
/// doubtful never is, nor one of a place where times prove nothing.
pub fn is_unchanged(entry: &Entry, found: &FileStat, place: Option<&str>, began: Time) -> bool {
    let settled = began.before(RACY_SECONDS);
    entry.what == Type::File
        && !entry.torn
        && place.is_some()
        && entry.place.as_deref() == place
        && i64::try_from(entry.bytes) == Ok(found.st_size)
        && entry.mtime == mtime(found)
        && entry.ctime == ctime(found)
        && entry.inode == found.st_ino
        && entry.mtime < settled
        && entry.ctime < settled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (Entry, FileStat, Time) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        std::fs::write(&path, b"text").expect("written");
        let found = nix::sys::stat::stat(&path).expect("there");
        let entry =
            Entry { sha256: Some(String::new()), place: Some("here".to_owned()), ..Entry::of(Name(b"a".to_vec()), Type::File, &found) };
        let began = Time { seconds: entry.ctime.seconds + 60, nanos: 0 };
        (entry, found, began)
    }

    #[test]
    fn any_difference_that_can_be_seen_is_a_change() {
        let (entry, found, began) = sample();
        assert!(is_unchanged(&entry, &found, Some("here"), began));
        let later = Time { nanos: entry.mtime.nanos ^ 1, ..entry.mtime };
        for (what, other) in [
            ("size", Entry { bytes: 5, ..entry.clone() }),
            ("mtime", Entry { mtime: later, ..entry.clone() }),
            ("ctime", Entry { ctime: later, ..entry.clone() }),
            ("inode", Entry { inode: entry.inode + 1, ..entry.clone() }),
            ("type", Entry { what: Type::Hardlink, ..entry.clone() }),
            ("torn", Entry { torn: true, ..entry.clone() }),
            ("place", Entry { place: Some("there".to_owned()), ..entry.clone() }),
            ("no place", Entry { place: None, ..entry.clone() }),
        ] {
            assert!(!is_unchanged(&other, &found, Some("here"), began), "{what}");
        }
        for (kept, place) in [(Some("here".to_owned()), None), (None, None)] {
            let other = Entry { place: kept, ..entry.clone() };
            assert!(!is_unchanged(&other, &found, place, began), "times that prove nothing");
        }
    }

    #[test]
    fn times_too_near_to_the_base_prove_nothing() {
        let (entry, found, _) = sample();
        let began = |after: i64| Time { seconds: entry.ctime.seconds + after, nanos: entry.ctime.nanos };
        assert!(!is_unchanged(&entry, &found, Some("here"), began(-10)));
        assert!(!is_unchanged(&entry, &found, Some("here"), began(0)));
        assert!(!is_unchanged(&entry, &found, Some("here"), began(3)));
        assert!(is_unchanged(&entry, &found, Some("here"), began(4)));
    }

    #[test]
    fn a_base_is_gone_through_in_step_with_the_walk() {
        let (entry, found, began) = sample();
        let named = |text: &str| Entry { path: Name(text.as_bytes().to_vec()), ..entry.clone() };
        let entries = ["m", "m/a", "m/c", "m/c.d", "m/e", "z"].map(named);
        let mut base = Base::new(entries.into_iter().map(Ok), began);
        let mut is_there = |text: &str| base.unchanged(&Name(text.as_bytes().to_vec()), &found, Some("here")).expect("read").is_some();
        assert!(is_there("m/a") && !is_there("m/b") && is_there("m/c") && !is_there("m/d"));
        assert!(is_there("m/e") && !is_there("n") && is_there("z") && !is_there("zz"));
    }

    #[test]
    fn a_damaged_base_is_an_error() {
        let (entry, found, began) = sample();
        let mut base = Base::new([Err(crate::error::Error::bad("damaged")), Ok(entry)].into_iter(), began);
        assert!(base.unchanged(&Name(b"a".to_vec()), &found, Some("here")).is_err());
    }
}
