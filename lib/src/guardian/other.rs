//! Two persons: a request lies in a folder that two users of the machine share, and counts as approved when a file of
//! another user lies beside it that names its code and its digest.
//!
//! Whose a file is, is what the kernel says of the opened file, not what stands in it. So it must be a regular file with one
//! name, reached through no link, and nobody but its owner may have been able to write into it. And the folder must keep
//! owners apart at all: on a share that shows every file as `nobody`'s, our own request would be another user's too.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use nix::unistd::{geteuid, getuid};
use serde::{Deserialize, Serialize};

use super::code::{Code, NOTE_MAX_BYTES, Note};
use crate::clock;
use crate::error::{Error, OnPath, Result};
use crate::fsx;
use crate::host::user_name;

/// Everybody who can enter the folder may read what is asked and approved; nobody else may write it.
const SHARED_MODE: u32 = 0o644;
/// An approval may seem to come before its request by this much: a clock that was set in between.
const CLOCK_SET_MAX: TimeDelta = TimeDelta::minutes(1);

/// What another user has written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Approved {
    code: Code,
    /// Of the request, as it was shown.
    digest: String,
    #[serde(with = "clock::rfc3339_millis")]
    at: DateTime<Utc>,
}

/// Who approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Other {
    pub(super) user: String,
    pub(super) uid: u32,
}

/// Puts a request into the folder, for another user to see.
pub(super) fn ask(folder: &Path, note: &Note) -> Result<()> {
    let path = request_path(folder, &note.code);
    write_shared(&path, &note.to_bytes()?).map_err(|error| {
        error.hint(format!("approval.folder must be there, and both users must be able to write to it: {}", folder.display()))
    })?;
    require_own(&open_regular(&path)?, &path)
}

/// Whether another user has approved the request; an error of kind `Refused` that says why not.
pub(super) fn answer(folder: &Path, note: &Note) -> Result<Other> {
    let path = request_path(folder, &note.code);
    require_own(&open_regular(&path)?, &path)?;
    let path = approval_path(folder, &note.code);
    if path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        return Err(Error::refused(format!("no other user has approved {} yet", note.code)).hint(how(folder, &note.code)));
    }
    let file = open_regular(&path)?;
    let found = file.metadata().on("look at", &path)?;
    let not = |why: String| Error::refused(format!("{} is no approval by another user: {why}", path.display()));
    let (uid, own) = (found.uid(), [getuid().as_raw(), geteuid().as_raw(), note.request.uid]);
    if own.contains(&uid) {
        return Err(not(format!("it belongs to {}, who asks", user_name(uid))).hint(how(folder, &note.code)));
    }
    if who_became_root() == Some(uid) {
        return Err(not(format!("it belongs to {}, who asks as root through sudo", user_name(uid))));
    }
    if found.mode() & 0o022 != 0 {
        return Err(not(format!("others than its owner can write into it (mode {:04o})", found.mode() & 0o7777)));
    }
    let approved: Approved =
        serde_json::from_slice(&read_capped(file, &path)?).map_err(|error| not("it cannot be read".to_owned()).because(error))?;
    if approved.code != note.code {
        return Err(not(format!("it is for {}", approved.code)));
    }
    if approved.digest != note.request.digest()? {
        return Err(not("what was approved is another request than what is asked".to_owned()));
    }
    let now = clock::now();
    if approved.at < note.request.at - CLOCK_SET_MAX || approved.at > now + CLOCK_SET_MAX || now > note.expires_at {
        return Err(not(format!("it is of {}, and does not fit the time of the request", clock::readable(approved.at))));
    }
    Ok(Other { user: user_name(uid), uid })
}

/// A request in the folder, as another user finds it.
pub struct Asked {
    /// What is asked, under its code.
    pub note: Note,
    /// Who asks, by the owner of the file.
    pub asked_by: String,
    folder: PathBuf,
}

impl Asked {
    /// Opens the request with this code; none where the folder holds none.
    pub fn open(folder: &Path, code: &Code) -> Result<Option<Self>> {
        let path = request_path(folder, code);
        if path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
            return Ok(None);
        }
        let file = open_regular(&path)?;
        let owner = file.metadata().on("look at", &path)?.uid();
        let note = Note::from_file(file, &path)?;
        if note.code != *code || note.request.uid != owner {
            return Err(Error::refused(format!(
                "{} is not what it says: it is of {} and of {}",
                path.display(),
                note.code,
                note.request.user
            ))
            .hint("ask who wants the approval to plan again with -n"));
        }
        Ok(Some(Asked { note, asked_by: user_name(owner), folder: folder.to_owned() }))
    }

    /// Refuses what has expired, and what this process's user asks for.
    pub fn require_other(&self) -> Result<()> {
        let note = &self.note;
        note.require_fresh().map_err(|error| error.hint("ask who wants the approval to plan again with -n"))?;
        if getuid().as_raw() == note.request.uid || geteuid().as_raw() == note.request.uid {
            return Err(Error::refused(format!("{} asks for this, and cannot approve it too", self.asked_by))
                .hint(format!("another user of this machine must run: backup-guard approve {}", note.code)));
        }
        Ok(())
    }

    /// Writes the approval, as this process's user.
    pub fn approve(&self) -> Result<PathBuf> {
        self.require_other()?;
        let note = &self.note;
        let path = approval_path(&self.folder, &note.code);
        let approved = Approved { code: note.code.clone(), digest: note.request.digest()?, at: clock::now() };
        let bytes = serde_json::to_vec_pretty(&approved).map_err(|error| Error::failed("cannot write the approval").because(error))?;
        write_shared(&path, &bytes)
            .map_err(|error| error.hint(format!("is {} approved already, and can you write to {}?", note.code, self.folder.display())))?;
        Ok(path)
    }
}

/// Takes a request out of the folder once it was used; what the other user wrote is not ours to remove.
pub(super) fn withdraw(folder: &Path, code: &Code) {
    let _ = std::fs::remove_file(request_path(folder, code));
}

/// The command by which another user approves.
pub(super) fn how(folder: &Path, code: &Code) -> String {
    format!("another user of this machine approves it with: backup-guard approve {code} --folder {}", folder.display())
}

fn request_path(folder: &Path, code: &Code) -> PathBuf {
    folder.join(format!("{code}.request.json"))
}

fn approval_path(folder: &Path, code: &Code) -> PathBuf {
    folder.join(format!("{code}.approval.json"))
}

/// Writes a new file that every user of the folder can read, never over one that is there and never through a link.
fn write_shared(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = fsx::create_private_file(path)?;
    fsx::step().and_then(|()| file.write_all(bytes)).on("write", path)?;
    file.set_permissions(std::fs::Permissions::from_mode(SHARED_MODE)).on("set the mode of", path)?;
    fsx::sync_file(&file, path)
}

/// Opens a file that somebody else may have put there: no link, nothing but a regular file, one name.
fn open_regular(path: &Path) -> Result<File> {
    // Without O_NONBLOCK a planted pipe would be waited for.
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK | nix::libc::O_CLOEXEC;
    let refused = |why: &str| Error::refused(format!("{} {why}", path.display())).hint("nothing was changed; who put it there?");
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Err(error) if error.raw_os_error() == Some(nix::libc::ELOOP) => return Err(refused("is a link")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(refused("is gone")),
        other => other.on("open", path)?,
    };
    let found = file.metadata().on("look at", path)?;
    if !found.is_file() {
        return Err(refused("is no regular file"));
    }
    if found.nlink() != 1 {
        return Err(refused("has several names (hard links)"));
    }
    Ok(file)
}

/// Whether what we wrote ourselves is ours there: else owners mean nothing on that file system.
fn require_own(file: &File, path: &Path) -> Result<()> {
    let owner = file.metadata().on("look at", path)?.uid();
    if owner == geteuid().as_raw() {
        return Ok(());
    }
    Err(Error::refused(format!("{} belongs to {}, not to who asks", path.display(), user_name(owner)))
        .hint("approval.folder must be on a local file system, where every file belongs to who wrote it"))
}

/// The user who runs this as root through `sudo`: the same person, by another number.
fn who_became_root() -> Option<u32> {
    if !getuid().is_root() {
        return None;
    }
    std::env::var("SUDO_UID").ok()?.parse().ok()
}

fn read_capped(file: File, path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(NOTE_MAX_BYTES).read_to_end(&mut bytes).on("read", path)?;
    Ok(bytes)
}
