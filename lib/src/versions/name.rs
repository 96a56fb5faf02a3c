//! A file as it is named, and as it is found at its place.

use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::BUFFER_BYTES;
use crate::error::{Error, OnPath, Result};
use crate::fsx;
use crate::interrupt;
use crate::progress::Progress;

/// A file's name: its absolute path, with the links in its folder resolved, so that one file has one history by whatever way
/// it is reached. The file itself need not be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    path: PathBuf,
    key: String,
}

impl Name {
    /// Names a file from the working directory.
    pub fn of(path: &Path) -> Result<Self> {
        let absolute = std::path::absolute(path).map_err(|error| Error::usage(format!("{:?} is no path", path)).because(error))?;
        let (Some(folder), Some(name)) = (absolute.parent(), absolute.file_name()) else {
            return Err(Error::usage(format!("{} is a folder, and not a file", path.display())));
        };
        Ok(Self::at(fsx::real_path(folder).join(name)))
    }

    /// The name for a path that was resolved before.
    pub(super) fn at(path: PathBuf) -> Self {
        let key = fsx::sha256_hex(path.as_os_str().as_bytes())[..KEY_DIGITS].to_owned();
        Name { path, key }
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the folder of its history is called: the first 128 bits of the SHA-256 of the path's bytes, in hex.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The file as it is now: its hash, and its content where that has at most so many bytes. None where nothing is there.
    pub fn read_now(&self, max_bytes: u64, progress: &dyn Progress) -> Result<Option<(Present, Option<Vec<u8>>)>> {
        for _ in 0..TRIES {
            let Some(found) = Present::look(self, progress)? else { return Ok(None) };
            if found.bytes > max_bytes {
                return Ok(Some((found, None)));
            }
            let Some((file, _)) = open(&self.path)? else { continue };
            let mut content = Vec::new();
            file.take(max_bytes).read_to_end(&mut content).on("read", &self.path)?;
            if fsx::sha256_hex(&content) == found.sha256 {
                return Ok(Some((found, Some(content))));
            }
        }
        Err(changing(self))
    }

    /// Its bytes in hex, where they are not UTF-8.
    pub(super) fn hex(&self) -> Option<String> {
        self.path.to_str().is_none().then(|| fsx::hex(self.path.as_os_str().as_bytes()))
    }
}

/// As many hex digits has a key.
const KEY_DIGITS: usize = 32;

/// Whether a text has the form of a key.
pub(super) fn is_key(text: &str) -> bool {
    text.len() == KEY_DIGITS && is_hex(text)
}

pub(super) fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A path from the hex of its bytes.
pub(super) fn path_from_hex(text: &str) -> Option<PathBuf> {
    if !text.len().is_multiple_of(2) || !is_hex(text) {
        return None;
    }
    let bytes = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok());
    bytes.collect::<Option<Vec<u8>>>().map(|bytes| PathBuf::from(OsString::from_vec(bytes)))
}

/// What tells whether somebody has written to a file meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(found: &Metadata) -> Self {
        Stamp {
            device: found.dev(),
            inode: found.ino(),
            bytes: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }

    /// The stamp of what is at a path now; none where nothing is.
    pub(super) fn at(path: &Path) -> Result<Option<Self>> {
        Ok(look(path)?.map(|found| Stamp::of(&found)))
    }
}

/// A file that is there, with the hash of its content.
#[derive(Debug, Clone)]
pub struct Present {
    /// Length of its content.
    pub bytes: u64,
    /// SHA-256 of its content, in hex.
    pub sha256: String,
    /// Its permission bits.
    pub mode: u32,
    /// How many names lead to it.
    pub(super) links: u64,
    /// Whose it is.
    pub(super) owner: (u32, u32),
    pub(super) stamp: Stamp,
}

impl Present {
    /// Reads the file at a name from start to end, in bounded memory; none where there is nothing.
    ///
    /// Errors: it is no ordinary file, cannot be read, or keeps changing while it is read.
    pub fn look(name: &Name, progress: &dyn Progress) -> Result<Option<Self>> {
        for _ in 0..TRIES {
            let Some((mut file, before)) = open(name.path())? else { return Ok(None) };
            progress.begin("hash", Some(before.len()));
            let mut hash = Sha256::new();
            let mut buffer = vec![0; BUFFER_BYTES];
            let mut done = 0;
            loop {
                interrupt::check()?;
                let count = file.read(&mut buffer).on("read", name.path())?;
                hash.update(&buffer[..count]);
                done += count as u64;
                progress.reached(done);
                // One that grows as fast as it is read would never end.
                if count == 0 || done > before.len() {
                    break;
                }
            }
            progress.end();
            let stamp = Stamp::of(&before);
            if done == before.len() && Stamp::of(&file.metadata().on("look at", name.path())?) == stamp {
                return Ok(Some(Present {
                    bytes: done,
                    sha256: fsx::hex(&hash.finalize()),
                    mode: before.mode() & 0o7777,
                    links: before.nlink(),
                    owner: (before.uid(), before.gid()),
                    stamp,
                }));
            }
        }
        Err(changing(name))
    }
}

/// So often a file that changes while it is read is read again.
pub(super) const TRIES: u32 = 3;

pub(super) fn changing(name: &Name) -> Error {
    Error::failed(format!("{} keeps changing while it is read", name.path().display()))
        .hint("wait until its writer has ended; for a database take backup-db")
}

/// What is at a path, if it is an ordinary file; none where nothing is.
fn look(path: &Path) -> Result<Option<Metadata>> {
    let found = match path.symlink_metadata() {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(None),
        other => other.on("look at", path)?,
    };
    require_file(path, &found)?;
    Ok(Some(found))
}

/// Opens an ordinary file: never through a link, and without waiting for the other end of a pipe.
pub(super) fn open(path: &Path) -> Result<Option<(File, Metadata)>> {
    if look(path)?.is_none() {
        return Ok(None);
    }
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK | nix::libc::O_CLOEXEC;
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.on("read", path)?,
    };
    let found = file.metadata().on("look at", path)?;
    require_file(path, &found)?;
    Ok(Some((file, found)))
}

fn require_file(path: &Path, found: &Metadata) -> Result<()> {
    let kind = found.file_type();
    if kind.is_file() {
        return Ok(());
    }
    if kind.is_symlink() {
        let leads = std::fs::read_link(path).on("read", path)?;
        let leads = path.parent().map_or(leads.clone(), |folder| folder.join(leads));
        return Err(Error::usage(format!("{} is a link, and no link is followed", path.display()))
            .hint(format!("name what it leads to: {}", leads.display())));
    }
    let what = if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    Err(Error::usage(format!("{} is {what}, and not a file", path.display())).hint("versions are kept of single files"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    #[test]
    fn one_file_has_one_name_by_whatever_way_it_is_reached() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("real")).expect("a folder");
        std::os::unix::fs::symlink("real", folder.path().join("link")).expect("a link");
        let names = ["real/a", "link/a", "real/./a", "real/../real/a"].map(|path| Name::of(&folder.path().join(path)).expect("a name"));
        assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
        assert_ne!(names[0], Name::of(&folder.path().join("real/b")).expect("a name"));
        assert!(is_key(names[0].key()));
        for path in ["", "/", ".."] {
            Name::of(Path::new(path)).expect_err(path);
        }
    }

    #[test]
    fn a_name_that_is_not_utf8_comes_back_from_its_hex() {
        let name = Name::at(PathBuf::from(OsString::from_vec(b"/x/\xff\n".to_vec())));
        assert_eq!(path_from_hex(&name.hex().expect("not UTF-8")).as_deref(), Some(name.path()));
        assert_eq!(Name::at("/x/y".into()).hex(), None);
        for text in ["f", "zz", "F0"] {
            assert_eq!(path_from_hex(text), None, "{text}");
        }
    }

    #[test]
    fn only_ordinary_files_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| Name::of(&folder.path().join(name)).expect("a name");
        assert!(Present::look(&at("none"), &Silent).expect("nothing").is_none());
        std::fs::write(folder.path().join("file"), b"abc").expect("written");
        let found = Present::look(&at("file"), &Silent).expect("reads").expect("there");
        assert_eq!((found.bytes, found.sha256), (3, fsx::sha256_hex(b"abc")));
        std::os::unix::fs::symlink("file", folder.path().join("link")).expect("a link");
        nix::unistd::mkfifo(&folder.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        std::fs::create_dir(folder.path().join("folder")).expect("a folder");
        for name in ["link", "pipe", "folder"] {
            let error = Present::look(&at(name), &Silent).expect_err(name);
            assert_eq!(error.kind(), crate::error::Kind::Usage, "{error}");
        }
    }
}
