//! The codes that stand for a planned request: noted in the state directory by a dry run, taken once by the run that was
//! approved.
//!
//! `approvals/CODE.json` is a code that can be taken; taking it is the rename to `CODE.used`, which of two runs at once only
//! one can do.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::request::Request;
use crate::clock;
use crate::error::{Error, OnPath, Result};
use crate::fsx;
use crate::state_dir::StateDir;

/// Digits and letters that nobody confuses: no i, l, o, u.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Five random bytes give the eight letters; a guess among those that are noted at a time has a chance of one in a million
/// million, and is made at a command line.
const RANDOM_BYTES: usize = 5;
/// How long what became of a code can be told after it expired.
const REMEMBERED: TimeDelta = TimeDelta::days(7);
/// A request is some hundred bytes beside its subject, which is bounded.
pub(super) const NOTE_MAX_BYTES: u64 = 1 << 20;

/// A code, `k3f9-7a2c`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Code(String);

impl Code {
    /// Reads a code as a person wrote it.
    pub fn parse(text: &str) -> Result<Self> {
        let code = text.trim().to_ascii_lowercase();
        let is_code =
            code.len() == 9 && code.bytes().enumerate().all(|(at, byte)| if at == 4 { byte == b'-' } else { ALPHABET.contains(&byte) });
        if is_code { Ok(Code(code)) } else { Err(Error::usage(format!("{text:?} is no code: one looks like k3f9-7a2c"))) }
    }

    fn random() -> Result<Self> {
        let number = u64::from_str_radix(&fsx::random_hex(RANDOM_BYTES)?, 16).unwrap_or_default();
        let letters: String = (0..8).map(|at| char::from(ALPHABET[(number >> (5 * at) & 31) as usize])).collect();
        Ok(Code(format!("{}-{}", &letters[..4], &letters[4..])))
    }

    /// As it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Code {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Code::parse(&text).map_err(|error| error.to_string())
    }
}

impl From<Code> for String {
    fn from(code: Code) -> String {
        code.0
    }
}

/// A request under its code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// The code.
    pub code: Code,
    /// Until when it is good.
    #[serde(with = "clock::rfc3339_millis")]
    pub expires_at: DateTime<Utc>,
    /// What was planned.
    pub request: Request,
}

impl Note {
    /// Notes a request down, and says by which code it can be approved.
    pub(super) fn make(state: &StateDir, request: &Request, valid: Duration) -> Result<Self> {
        sweep(state)?;
        let valid = TimeDelta::from_std(valid).unwrap_or(TimeDelta::MAX);
        let expires_at = request.at.checked_add_signed(valid).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let note = Note { code: Code::random()?, expires_at, request: request.clone() };
        fsx::write_private(&path(state, &note.code, "json")?, &note.to_bytes()?)?;
        Ok(note)
    }

    /// Finds the request that a code stands for, and refuses it where it does not hold for `now`. Nothing is used up.
    pub(super) fn of(state: &StateDir, code: &Code, now: &Request) -> Result<Self> {
        let anew = |error: Error| error.hint("nothing was changed; look at the plan again with -n, and confirm by the code that it shows");
        let Some(note) = Note::read(&path(state, code, "json")?)? else {
            return Err(anew(match Note::read(&path(state, code, "used")?)? {
                Some(_) => Error::refused(format!("the code {code} was used already, and is good for one run only")),
                None => Error::refused(format!("no plan is known here under the code {code}")),
            }));
        };
        note.require_fresh().map_err(anew)?;
        match note.request.difference(now) {
            Some(difference) => Err(anew(Error::refused(format!("the code {code} is not for this: {difference}")))),
            None => Ok(note),
        }
    }

    pub(super) fn require_fresh(&self) -> Result<()> {
        if clock::now() <= self.expires_at {
            return Ok(());
        }
        Err(Error::refused(format!("the code {} has expired: it was good until {}", self.code, clock::readable(self.expires_at))))
    }

    /// Uses the code up. Of several runs at once one succeeds, and the others are refused.
    pub(super) fn take(&self, state: &StateDir) -> Result<()> {
        let (noted, used) = (path(state, &self.code, "json")?, path(state, &self.code, "used")?);
        match fsx::step().and_then(|()| std::fs::rename(&noted, &used)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(Error::refused(format!("the code {} was used by another run just now", self.code))
                    .hint("nothing was changed by this one"))
            }
            other => {
                other.on("rename", &noted)?;
                // Before anything is done under it: a code that a power cut brings back would be good twice.
                fsx::sync_parent(&used)
            }
        }
    }

    /// Its content, or none where there is no such file.
    pub(super) fn read(path: &Path) -> Result<Option<Self>> {
        let file = match fsx::open_to_read(path) {
            Ok(file) => file,
            Err(_) if path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) => return Ok(None),
            Err(error) => return Err(error),
        };
        Note::from_file(file, path).map(Some)
    }

    /// Reads a note from a file that may hold anything.
    pub(super) fn from_file(file: File, path: &Path) -> Result<Self> {
        let mut bytes = Vec::new();
        file.take(NOTE_MAX_BYTES + 1).read_to_end(&mut bytes).on("read", path)?;
        let is_damaged = || Error::refused(format!("{} is no request for an approval", path.display()));
        if bytes.len() as u64 > NOTE_MAX_BYTES {
            return Err(is_damaged());
        }
        serde_json::from_slice(&bytes).map_err(|error| is_damaged().because(error))
    }

    /// As it is stored, and shown to another user.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec_pretty(self).map_err(|error| Error::failed("cannot write the request").because(error))
    }
}

fn path(state: &StateDir, code: &Code, ending: &str) -> Result<PathBuf> {
    Ok(state.folder("approvals")?.join(format!("{code}.{ending}")))
}

/// Removes what expired long ago. Only tidiness: no error counts.
fn sweep(state: &StateDir) -> Result<()> {
    let folder = state.folder("approvals")?;
    for entry in std::fs::read_dir(&folder).on("list", &folder)?.flatten() {
        if let Ok(Some(note)) = Note::read(&entry.path())
            && clock::now() - note.expires_at > REMEMBERED
        {
            let _ = std::fs::remove_file(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
