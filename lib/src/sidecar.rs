//! What stands beside a backup, in `checks/ID.jsonl` and `labels/ID.jsonl` of the store: JSON lines that are only ever appended.
//!
//! A pin and a failed check stand there and nowhere else, so whatever cannot be read is told and never taken for nothing: a file that
//! a sync service has taken away, one that is no file, a line that is none. Only what a crash cut short is passed over: the beginning
//! of a line with no end, or ended by [`CUT`].

use std::io::Read;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::{Error, OnPath, Result};
use crate::fsx;
use crate::store::Store;
use crate::sync_state::{SyncProbe, SyncState, SystemProbe, placeholder_of};

/// Ends a line that a crash cut short when the next one is written; no line of JSON holds it.
const CUT: u8 = 0x18;
/// An hourly check for ten years, each with a long finding.
const MAX_BYTES: u64 = 64 << 20;

/// What could be read of such a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside<T> {
    /// The lines, the oldest first.
    pub lines: Vec<T>,
    /// Why there may be more; none where all of it was read.
    pub unknown: Option<String>,
}

/// Reads the lines; a file that was never written has none.
pub fn read<T: DeserializeOwned>(path: &Path) -> Beside<T> {
    match bytes(path) {
        Ok(bytes) => parse(&bytes).unknown_in(path),
        Err(why) => Beside { lines: Vec::new(), unknown: Some(why) }.unknown_in(path),
    }
}

/// The lines in these bytes.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Beside<T> {
    let mut found = Beside { lines: Vec::new(), unknown: None };
    let mut pieces: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    // Behind the last line's end is nothing, or a line without one.
    let last = pieces.pop().unwrap_or_default();
    let whole = pieces.into_iter().map(|line| line.strip_suffix(&[CUT]).map_or((line, false), |line| (line, true)));
    for (number, (line, is_cut)) in whole.chain([(last, true)]).enumerate() {
        match serde_json::from_slice(line) {
            Ok(line) => found.lines.push(line),
            Err(error) if is_cut && error.is_eof() => {}
            Err(_) => found.unknown = found.unknown.or_else(|| Some(format!("line {} cannot be read", number + 1))),
        }
    }
    found
}

impl<T> Beside<T> {
    fn unknown_in(mut self, path: &Path) -> Self {
        // Two names say enough, and the store's path is known to whoever reads this.
        let name = path.strip_prefix(path.ancestors().nth(2).unwrap_or(path)).unwrap_or(path);
        self.unknown = self.unknown.map(|why| format!("{} is not known: {why}", name.display()));
        self
    }
}

/// All of a file; none of one that is not there, and why where that cannot be said.
fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    for place in path.parent().into_iter().chain([path]) {
        match SystemProbe.state(place).map_err(|error| error.to_string())? {
            SyncState::Local => {}
            SyncState::Missing => return Ok(Vec::new()),
            SyncState::CloudOnly => return Err("it is only in the cloud just now".to_owned()),
        }
    }
    // Where somebody wrote beside a file that was away, there are two of that name.
    if stands_in(path) {
        return Err("a part of it is only in the cloud just now".to_owned());
    }
    let said = |error: Error| error.to_string();
    let found = path.symlink_metadata().on("look at", path).map_err(said)?;
    if !found.is_file() || found.len() > MAX_BYTES {
        return Err(if found.is_file() { format!("it has {} bytes", found.len()) } else { "it is no file".to_owned() });
    }
    let mut bytes = Vec::new();
    fsx::open_to_read(path).and_then(|mut file| file.read_to_end(&mut bytes).on("read", path)).map_err(said)?;
    Ok(bytes)
}

fn stands_in(path: &Path) -> bool {
    placeholder_of(path).is_some_and(|placeholder| placeholder.symlink_metadata().is_ok())
}

/// Adds a line. Refused where the file is away: what is written now would hide what was.
pub fn append(store: &Store, path: &Path, line: &str) -> Result<()> {
    let away =
        |path: &Path| Error::failed(format!("{} is only in the cloud just now", path.display())).hint("have it downloaded, then try again");
    if let Some(folder) = path.parent() {
        if stands_in(folder) {
            return Err(away(folder));
        }
        fsx::create_private_dirs(folder)?;
        store.require_real(folder)?;
    }
    if stands_in(path) {
        return Err(away(path));
    }
    let is_new = path.symlink_metadata().is_err();
    fsx::append_line(path, line, &[CUT])?;
    if is_new { fsx::sync_parent(path) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(bytes: &[u8]) -> (Vec<u32>, bool) {
        let found = parse::<u32>(bytes);
        (found.lines, found.unknown.is_some())
    }

    #[test]
    fn only_what_a_crash_cut_short_is_passed_over() {
        let found = |bytes: &[u8]| {
            let found = parse::<Vec<u32>>(bytes);
            (found.lines, found.unknown)
        };
        assert_eq!(found(b""), (vec![], None));
        assert_eq!(found(b"[1]\n[2]\n"), (vec![vec![1], vec![2]], None));
        assert_eq!(found(b"[1]\n[2"), (vec![vec![1]], None), "a last line without its end");
        assert_eq!(found(b"[1]\n[2]"), (vec![vec![1], vec![2]], None), "only the end is missing");
        assert_eq!(found(b"[1\x18\n[2]\n"), (vec![vec![2]], None), "one that the next writer ended");
        for harmed in [&b"[1\n[2]\n"[..], b"{1]\x18\n[2]\n", b"[\xff]\n[2]\n", b"\n[2]\n"] {
            let (lines, unknown) = found(harmed);
            assert_eq!((lines, unknown.as_deref()), (vec![vec![2]], Some("line 1 cannot be read")), "{harmed:?}");
        }
        assert_eq!(found(b"[2]\n{1]").1.as_deref(), Some("line 2 cannot be read"), "that is no beginning of a line");
        assert_eq!(read_of(b"1\nx\n"), (vec![1], true));
    }

    #[test]
    fn a_flipped_bit_takes_no_line_along_untold() {
        let text = b"[\"pinned\"]\n[\"tagged\"]\n";
        let whole = parse::<Vec<String>>(text).lines;
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut bytes = text.to_vec();
                bytes[at] ^= 1 << bit;
                let found = parse::<Vec<String>>(&bytes);
                assert!(found.unknown.is_some() || found.lines.len() == whole.len(), "byte {at}, bit {bit}: {found:?}");
            }
        }
    }

    #[test]
    fn fm_d02_what_is_away_or_no_file_is_unknown() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("labels/x.jsonl");
        let unknown = || read::<u32>(&path).unknown;
        assert_eq!(unknown(), None);
        std::fs::write(folder.path().join(".labels.icloud"), "").expect("a placeholder");
        assert_eq!(unknown().as_deref(), Some("labels/x.jsonl is not known: it is only in the cloud just now"));
        std::fs::remove_file(folder.path().join(".labels.icloud")).expect("removed");
        std::fs::create_dir(folder.path().join("labels")).expect("a folder");
        assert_eq!(unknown(), None);
        std::fs::write(folder.path().join("labels/.x.jsonl.icloud"), "").expect("a placeholder");
        assert!(unknown().is_some());
        std::fs::write(&path, "1\n").expect("written beside it");
        assert!(unknown().is_some());
        std::fs::remove_file(folder.path().join("labels/.x.jsonl.icloud")).expect("removed");
        assert_eq!(read::<u32>(&path), Beside { lines: vec![1], unknown: None });
        std::fs::remove_file(&path).expect("removed");
        std::fs::create_dir(&path).expect("a folder in its place");
        assert_eq!(unknown().as_deref(), Some("labels/x.jsonl is not known: it is no file"));
    }
}
