//! The note in a folder that a restore into it has not come to its end: which restore it was, and what its drafts are called.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, OnPath, Result};
use crate::fsx;
use crate::shell;

/// The name of the note; where an entry has it, hyphens follow until none has.
const NAME: &str = ".holdfast-unfinished";
/// How the names of the note and of drafts begin.
const OURS: &str = ".holdfast-";
/// How the name of a draft ends.
const DRAFT_END: &str = ".part";
/// The random part of a draft's name, in bytes.
const RANDOM_BYTES: usize = 8;
/// A longer file of the name is no note: it holds patterns of a command line at most.
const NOTE_MAX_BYTES: u64 = 4 << 20;

/// What is restored: the same call has the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Call {
    /// The backup's id.
    pub(super) backup: String,
    /// The roles of the components.
    pub(super) components: Vec<String>,
    /// The patterns that choose among the entries.
    pub(super) only: Vec<String>,
    /// Whether owners are restored.
    pub(super) owner: bool,
    /// Whether what was there before is replaced.
    pub(super) overwrite: bool,
}

impl Call {
    /// Whether a restore that was cut short is finished by this call. One that was not to replace anything may be finished by one
    /// that is.
    fn finishes(&self, begun: &Call) -> bool {
        let began = Call { overwrite: self.overwrite, ..begun.clone() };
        *self == began && (self.overwrite || !begun.overwrite)
    }

    /// As a person would type it.
    fn shown(&self, folder: &Path) -> String {
        let mut line = format!("restore-db {} --files-to {}", self.backup, shell::word(&folder.display().to_string()));
        for pattern in &self.only {
            line.push_str(" --only ");
            line.push_str(&shell::word(pattern));
        }
        for (flag, is_said) in [(" --owner", self.owner), (" --overwrite", self.overwrite)] {
            line.push_str(if is_said { flag } else { "" });
        }
        line
    }
}

/// The note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Unfinished {
    /// Its own name: a copy under another is none.
    pub(super) note: String,
    /// What a file is called until it is whole.
    pub(super) draft: String,
    /// Whether the restore ended because its backup is damaged: then the same call will not finish it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_damaged: bool,
    #[serde(flatten)]
    call: Call,
}

impl Unfinished {
    /// One for a new restore, with names that no entry has.
    pub(super) fn new(call: Call, taken: &Taken) -> Result<Self> {
        let mut note = NAME.to_owned();
        while taken.has(&note) {
            note.push('-');
        }
        let mut draft = String::new();
        while draft.is_empty() || taken.has(&draft) {
            draft = format!("{OURS}{}{DRAFT_END}", fsx::random_hex(RANDOM_BYTES)?);
        }
        Ok(Unfinished { note, draft, is_damaged: false, call })
    }

    /// Writes it, durably.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_vec(self).map_err(|error| Error::failed("cannot write a note").because(error))?;
        let path = folder.join(&self.note);
        // What a kill has left of one before it was written.
        if is_blank(&path) {
            fsx::remove_file(&path)?;
        }
        fsx::write_private(&path, &text)?;
        fsx::sync_dir(folder)
    }

    /// Says in it that the backup is damaged, and in the error what is left and how to go on.
    pub(super) fn leave(mut self, folder: &Path, error: Error) -> Error {
        self.is_damaged = true;
        let hints = error.next_step().into_iter().map(str::to_owned).chain([self.how_to_go_on(folder)]);
        let hint = hints.collect::<Vec<_>>().join("\n");
        if let Err(error) = self.rewrite(folder) {
            tracing::warn!("{} does not say that its backup is damaged: {error}", folder.join(&self.note).display());
        }
        error.hint(hint)
    }

    fn how_to_go_on(&self, folder: &Path) -> String {
        let (folder, note) = (folder.display().to_string(), folder.join(&self.note).display().to_string());
        let begin_again = if self.call.overwrite {
            format!("to restore another backup over it, or to keep it as it is, first: rm {}", shell::word(&note))
        } else {
            format!("restore another backup into another folder; to keep what is there: rm {}", shell::word(&note))
        };
        format!("{folder} is left unfinished, with what was restored by then; {begin_again}")
    }

    fn rewrite(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_vec(self).map_err(|error| Error::failed("cannot write a note").because(error))?;
        let (draft, note) = (folder.join(&self.draft), folder.join(&self.note));
        fsx::write_private(&draft, &text)?;
        fsx::step().and_then(|()| std::fs::rename(&draft, &note)).on("rename to", &note)?;
        fsx::sync_dir(folder)
    }

    /// Reads the note of this name; none where the file is something else.
    fn read(path: &Path, name: &str) -> Option<Self> {
        let found = path.symlink_metadata().ok().filter(|found| found.is_file() && found.len() <= NOTE_MAX_BYTES);
        let read: Unfinished = serde_json::from_slice(&found.and_then(|_| std::fs::read(path).ok())?).ok()?;
        let random = read.draft.strip_prefix(OURS)?.strip_suffix(DRAFT_END)?;
        (read.note == name && random.len() == 2 * RANDOM_BYTES && random.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(read)
    }
}

/// Names of entries that a note or a draft might have.
#[derive(Debug, Default)]
pub(super) struct Taken(HashSet<Vec<u8>>);

impl Taken {
    /// Takes note of an entry's own name.
    pub(super) fn add(&mut self, name: &[u8]) {
        let name = name.to_ascii_lowercase();
        if name.starts_with(OURS.as_bytes()) {
            self.0.insert(name);
        }
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains(name.as_bytes())
    }
}

/// Whether the folder may be restored into: it is missing or empty, or the same restore into it was cut short, or what is in it
/// may be replaced. Where it was cut short, its note.
pub(super) fn require_free_place(path: &Path, call: &Call) -> Result<Option<Unfinished>> {
    let listing = match std::fs::read_dir(path) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).on("list", path),
    };
    let mut is_empty = true;
    for entry in listing {
        let name: OsString = entry.on("list", path)?.file_name();
        let note = name.to_str().filter(|name| name.strip_prefix(NAME).is_some_and(|rest| rest.bytes().all(|byte| byte == b'-')));
        match note.and_then(|name| Unfinished::read(&path.join(name), name)) {
            Some(unfinished) => return require_same(path, call, unfinished).map(Some),
            None => is_empty &= note.is_some() && is_blank(&path.join(&name)),
        }
    }
    if is_empty || call.overwrite {
        return Ok(None);
    }
    Err(Error::refused(format!("{} is not empty", path.display())).hint(
        "name an empty folder, or say --overwrite: then files of the same name are replaced and gone for good, and all others stay; what is replaced is kept nowhere, so look first with -n",
    ))
}

fn require_same(path: &Path, call: &Call, unfinished: Unfinished) -> Result<Unfinished> {
    if call.finishes(&unfinished.call) {
        return Ok(unfinished);
    }
    let begun = &unfinished.call;
    let what = if begun.backup == call.backup { "another call".to_owned() } else { format!("a restore of {}", begun.backup) };
    let refused = Error::refused(format!("{what} into {} was cut short, and this one would make a mixture of it", path.display()));
    if unfinished.is_damaged {
        return Err(refused.hint(format!("{} is damaged, and {}", begun.backup, unfinished.how_to_go_on(path))));
    }
    Err(refused.hint(format!(
        "finish that one with {}; or name another folder; or keep what is there as it is: then remove {} in it",
        begun.shown(path),
        unfinished.note
    )))
}

/// A note that a kill or a power cut has left before anything was in it.
fn is_blank(path: &Path) -> bool {
    let Ok(found) = path.symlink_metadata() else { return false };
    let is_zero = || std::fs::read(path).is_ok_and(|bytes| bytes.iter().all(|byte| *byte == 0));
    found.is_file() && found.len() <= NOTE_MAX_BYTES && is_zero()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(backup: &str, only: &[&str]) -> Call {
        let only = only.iter().map(|text| (*text).to_owned()).collect();
        Call { backup: backup.to_owned(), components: vec!["files".to_owned()], only, owner: false, overwrite: false }
    }

    #[test]
    fn only_the_same_call_finishes_what_was_cut_short() {
        let folder = tempfile::tempdir().expect("a folder");
        let begun = call("a", &["x y"]);
        Unfinished::new(begun.clone(), &Taken::default()).expect("a note").write(folder.path()).expect("written");
        assert!(require_free_place(folder.path(), &begun).expect("the same").is_some());
        assert!(require_free_place(folder.path(), &Call { overwrite: true, ..begun.clone() }).expect("it may do more").is_some());
        let other = [call("b", &["x y"]), call("a", &[]), Call { owner: true, ..begun.clone() }, Call { components: Vec::new(), ..begun }];
        for other in other.into_iter().flat_map(|other| [Call { overwrite: true, ..other.clone() }, other]) {
            let error = require_free_place(folder.path(), &other).expect_err("another");
            assert!(
                error.next_step().is_some_and(|hint| hint.contains("restore-db a --files-to") && hint.contains("--only 'x y'")),
                "{error}"
            );
        }
    }

    #[test]
    fn one_that_was_to_replace_is_finished_by_one_that_is() {
        let begun = Call { overwrite: true, ..call("a", &[]) };
        assert!(begun.finishes(&begun) && !call("a", &[]).finishes(&begun));
    }

    #[test]
    fn fm_f14_no_entry_has_the_name_of_a_note_or_of_a_draft() {
        let mut taken = Taken::default();
        for name in [&b".Holdfast-Unfinished"[..], b".holdfast-unfinished-", b"a"] {
            taken.add(name);
        }
        assert_eq!(Unfinished::new(call("a", &[]), &taken).expect("a note").note, ".holdfast-unfinished--");
    }

    #[test]
    fn a_file_of_the_name_that_is_no_note_is_only_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(NAME);
        for (text, is_free) in [(&b""[..], true), (b"\0\0\0", true), (b"keep", false), (b"{}", false)] {
            std::fs::write(&path, text).expect("written");
            assert_eq!(require_free_place(folder.path(), &call("a", &[])).is_ok(), is_free, "{text:?}");
        }
        let forged = r#"{"note":".holdfast-unfinished","draft":".holdfast-../../../../x.part","backup":"a","components":["files"],"only":[],"owner":false,"overwrite":false}"#;
        std::fs::write(&path, forged).expect("written");
        assert!(require_free_place(folder.path(), &call("a", &[])).is_err());
    }
}
