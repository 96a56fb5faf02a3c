//! Whether something that stands where an entry is to come was put there by a restore that was cut short.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;

use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{FileStat, Mode, SFlag};
use sha2::{Digest, Sha256};

use super::entry::{Entry, Name, mtime};
use super::walk::{kind_of, target_of};
use crate::error::Result;
use crate::fsx;
use crate::interrupt;

/// Read by so much at a time.
const BUFFER_BYTES: usize = 128 << 10;

/// What is to come there.
pub(super) enum Before<'a> {
    /// A file.
    File(&'a Entry),
    /// A symbolic link to this.
    Link(&'a Name),
    /// Another name of the file of this name in this folder.
    Hardlink(&'a Entry, &'a OwnedFd, &'a CString),
}

/// Whether what is there is what the entry would bring, or at least bears its time to the nanosecond: a restore gives a file that
/// before it gives it its name, and whoever writes to it gives it another. After a power cut its content may be short.
pub(super) fn is_ours(wanted: &Before<'_>, folder: &OwnedFd, name: &CString, there: &FileStat) -> Result<bool> {
    let is_file = kind_of(there) == SFlag::S_IFREG;
    Ok(match wanted {
        Before::Link(target) => kind_of(there) == SFlag::S_IFLNK && target_of(folder, name).is_ok_and(|found| found == **target),
        // Some file systems keep less of a time: then the content decides.
        Before::File(entry) => {
            is_file
                && (mtime(there) == entry.mtime
                    || i64::try_from(entry.bytes) == Ok(there.st_size)
                        && entry.stored.is_none()
                        && hash(folder, name)?.is_some_and(|sha256| entry.sha256.as_ref() == Some(&sha256)))
        }
        Before::Hardlink(entry, around, first) => {
            is_file
                && (mtime(there) == entry.mtime
                    || hash(folder, name)?.is_some_and(|sha256| hash(around, first).ok().flatten() == Some(sha256)))
        }
    })
}

/// SHA-256 (hex) of a file; none where it cannot be read.
fn hash(folder: &OwnedFd, name: &CString) -> Result<Option<String>> {
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let Ok(file) = openat(folder, name.as_c_str(), flags, Mode::empty()) else { return Ok(None) };
    let mut file = File::from(file);
    let mut hash = Sha256::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        interrupt::check()?;
        match file.read(&mut buffer) {
            Ok(0) => return Ok(Some(fsx::hex(&hash.finalize()))),
            Ok(count) => hash.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Ok(None),
        }
    }
}
