//! The folder that files are restored into. Everything in it is reached by descriptors, part by part and never through a link, so
//! nothing that an archive or that folder holds leads out of it.

use std::collections::HashSet;
use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{FileStat, Mode, SFlag, UtimensatFlags, fchmod, fstat, fstatat, futimens, mkdirat, utimensat};
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, LinkatFlags, Uid, UnlinkatFlags, fchown, fchownat, linkat, symlinkat, unlinkat};

use super::entry::{Entry, Name, Time};
use super::walk::kind_of;
use crate::error::{Error, OnPath, Result};
use crate::fsx;

/// What a file is called until it is whole.
const DRAFT: &std::ffi::CStr = c".holdfast-new.part";
/// The file that says of a folder that a restore into it has not come to its end.
const UNFINISHED: &str = ".holdfast-unfinished";
/// Bits that would give a file more rights than its reader has: set user, set group, sticky.
const SPECIAL_BITS: u32 = 0o7000;

/// Why one entry could not be restored; the others can.
pub(super) type Refused = String;

/// A folder that files are restored into.
pub(super) struct Target {
    path: PathBuf,
    root: OwnedFd,
    /// The folders that are open at present, one in the other.
    open: Vec<(Vec<u8>, OwnedFd)>,
    /// What this run has made: a second entry of the same name in this file system's eyes must not replace it.
    made: HashSet<(u64, u64)>,
    overwrite: bool,
    owner: bool,
}

impl Target {
    /// Opens the folder, and says in it that a restore has begun.
    pub(super) fn begin(path: &Path, backup_id: &str, overwrite: bool, owner: bool) -> Result<Self> {
        let is_resumed = require_free_place(path, overwrite)?;
        if path.symlink_metadata().is_err() {
            fsx::create_private_dir(path)?;
            fsx::sync_parent(path)?;
        }
        // The folder itself may be reached through a link: the user has named it.
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let root = nix::fcntl::open(path, flags, Mode::empty()).on("open", path)?;
        if !is_resumed {
            fsx::write_private(&path.join(UNFINISHED), format!("{backup_id}\n").as_bytes())?;
        }
        Ok(Target { path: path.to_owned(), root, open: Vec::new(), made: HashSet::new(), overwrite: overwrite || is_resumed, owner })
    }

    /// Everything is on disk, and then the folder is no unfinished one any more.
    pub(super) fn finish(self) -> Result<()> {
        fsx::step().and_then(|()| sync_all(&self.root)).on("sync", &self.path)?;
        // Should this not reach the disk before a power cut, the folder says that it is unfinished, and is not: no harm.
        fsx::remove_file(&self.path.join(UNFINISHED))
    }

    /// Makes a folder. Its mode and times are for [`Target::settle`], when nothing more is put into it.
    pub(super) fn make_folder(&mut self, path: &Name) -> Result<Result<(), Refused>> {
        let (parent, name) = path.split();
        let folder = match self.folder(parent)? {
            Ok(folder) => folder,
            Err(why) => return Ok(Err(why)),
        };
        make_in(folder, &c_name(name)?).map(|made| made.map(|_| ())).on("create", &self.shown(path))
    }

    /// Gives a folder its mode, owner and times.
    pub(super) fn settle(&mut self, entry: &Entry) -> Result<Result<(), Refused>> {
        let owner = self.owner;
        let shown = self.shown(&entry.path);
        let folder = match self.folder(&entry.path.0)? {
            Ok(folder) => folder,
            Err(why) => return Ok(Err(why)),
        };
        fsx::step().and_then(|()| dress(folder, entry, owner)).on("set the mode of", &shown)
    }

    /// Makes a file: `fill` writes its content.
    pub(super) fn make_file(&mut self, entry: &Entry, fill: &mut dyn FnMut(&File) -> Result<()>) -> Result<Result<(), Refused>> {
        let shown = self.shown(&entry.path);
        let owner = self.owner;
        self.put(&entry.path, |folder| {
            let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            let file = File::from(openat(folder, DRAFT, flags, Mode::from_bits_truncate(fsx::FILE_MODE)).on("create", &shown)?);
            fill(&file)?;
            // The disk works while the next files are unpacked, and the sync at the end has little left to wait for.
            fsx::start_writeback(&file, 0, entry.bytes);
            let dressed = dress(&file, entry, owner).on("set the mode of", &shown)?;
            if !cfg!(target_os = "linux") {
                fsx::sync_file(&file, &shown)?;
            }
            Ok(dressed)
        })
    }

    /// Makes a symbolic link, wherever it leads.
    pub(super) fn make_link(&mut self, entry: &Entry) -> Result<Result<(), Refused>> {
        use std::os::unix::ffi::OsStrExt;
        let shown = self.shown(&entry.path);
        let owner = self.owner;
        let target = entry.target.clone().unwrap_or_default();
        self.put(&entry.path, |folder| {
            symlinkat(std::ffi::OsStr::from_bytes(&target.0), folder, DRAFT).on("create", &shown)?;
            if owner && let Err(error) = fchownat(folder, DRAFT, uid(entry), gid(entry), AtFlags::AT_SYMLINK_NOFOLLOW) {
                return Ok(Err(not_owned(error)));
            }
            let _ = utimensat(folder, DRAFT, &TimeSpec::UTIME_OMIT, &time(entry.mtime), UtimensatFlags::NoFollowSymlink);
            Ok(Ok(()))
        })
    }

    /// Makes another name of a file that this run has made.
    pub(super) fn make_hardlink(&mut self, entry: &Entry, first: &Name) -> Result<Result<(), Refused>> {
        let shown = self.shown(&entry.path);
        let (parent, name) = first.split();
        let name = c_name(name)?;
        let source = match self.folder(parent)? {
            Ok(folder) => folder.try_clone().on("open", &shown)?,
            Err(why) => return Ok(Err(why)),
        };
        match fstatat(&source, name.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(found) if self.made.contains(&identity(&found)) && kind_of(&found) == SFlag::S_IFREG => {}
            _ => return Ok(Err(format!("{first}, whose other name it is, was not restored"))),
        }
        self.put(&entry.path, |folder| {
            linkat(&source, name.as_c_str(), folder, DRAFT, LinkatFlags::empty()).on("link", &shown)?;
            Ok(Ok(()))
        })
    }

    /// Lets something appear under its name once it is whole.
    fn put(&mut self, path: &Name, make: impl FnOnce(&OwnedFd) -> Result<Result<(), Refused>>) -> Result<Result<(), Refused>> {
        let shown = self.shown(path);
        let (parent, name) = path.split();
        let name = c_name(name)?;
        let folder = match self.folder(parent)? {
            Ok(folder) => folder.try_clone().on("open", &shown)?,
            Err(why) => return Ok(Err(why)),
        };
        if let Ok(there) = fstatat(&folder, name.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
            if self.made.contains(&identity(&there)) || !self.overwrite {
                return Ok(Err("there is something of this name already, as this file system sees it".to_owned()));
            }
            if kind_of(&there) == SFlag::S_IFDIR {
                return Ok(Err("there is a folder of this name".to_owned()));
            }
        }
        let _ = unlinkat(&folder, DRAFT, UnlinkatFlags::NoRemoveDir);
        fsx::step().on("create", &shown)?;
        let made = make(&folder).and_then(|dressed| {
            let found = fstatat(&folder, DRAFT, AtFlags::AT_SYMLINK_NOFOLLOW).on("look at", &shown)?;
            fsx::step()
                .and_then(|()| renameat(&folder, DRAFT, &folder, name.as_c_str()).map_err(io::Error::from))
                .on("rename to", &shown)?;
            self.made.insert(identity(&found));
            Ok(dressed)
        });
        // After an error, and where both names were one file's already, which a rename leaves as they are.
        let _ = unlinkat(&folder, DRAFT, UnlinkatFlags::NoRemoveDir);
        made
    }

    /// Opens a folder part by part, and makes what is missing of it.
    fn folder(&mut self, path: &[u8]) -> Result<Result<&OwnedFd, Refused>> {
        let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).collect();
        let common = self.open.iter().zip(&parts).take_while(|((name, _), part)| name == *part).count();
        self.open.truncate(common);
        for part in &parts[common..] {
            let around = self.open.last().map_or(&self.root, |(_, folder)| folder);
            let name = c_name(part)?;
            let opened = open_in(around, &name).or_else(|error| match error {
                Errno::ENOENT => match make_in(around, &name) {
                    Ok(Ok(folder)) => Ok(folder),
                    _ => Err(error),
                },
                other => Err(other),
            });
            match opened {
                Ok(folder) => self.open.push((part.to_vec(), folder)),
                Err(Errno::ELOOP | Errno::ENOTDIR) => {
                    return Ok(Err(format!("{} is no folder, and nothing is written through it", self.path.join(shown(part)).display())));
                }
                Err(error) => return Err(io::Error::from(error)).on("open", &self.path.join(shown(path))),
            }
        }
        Ok(Ok(self.open.last().map_or(&self.root, |(_, folder)| folder)))
    }

    fn shown(&self, path: &Name) -> PathBuf {
        self.path.join(shown(&path.0))
    }
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// Whether the folder may be restored into: it is missing or empty, or a restore into it was cut short, or what is in it may be
/// replaced. True where it was cut short.
pub(super) fn require_free_place(path: &Path, overwrite: bool) -> Result<bool> {
    let listing = match std::fs::read_dir(path) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error).on("list", path),
    };
    let mut is_empty = true;
    for entry in listing {
        if entry.on("list", path)?.file_name() == UNFINISHED {
            return Ok(true);
        }
        is_empty = false;
    }
    if is_empty || overwrite {
        return Ok(false);
    }
    Err(Error::refused(format!("{} is not empty", path.display()))
        .hint("name an empty folder, or say --overwrite: then files of the same name are replaced, and all others stay"))
}

fn open_in(folder: &OwnedFd, name: &CString) -> nix::Result<OwnedFd> {
    openat(folder, name.as_c_str(), OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty())
}

fn make_in(folder: &OwnedFd, name: &CString) -> io::Result<Result<OwnedFd, Refused>> {
    fsx::step()?;
    match mkdirat(folder, name.as_c_str(), Mode::from_bits_truncate(fsx::FOLDER_MODE)) {
        Ok(()) | Err(Errno::EEXIST) => {}
        Err(error) => return Err(error.into()),
    }
    match open_in(folder, name) {
        Ok(made) => Ok(Ok(made)),
        Err(Errno::ELOOP | Errno::ENOTDIR) => Ok(Err("there is something of this name that is no folder".to_owned())),
        Err(error) => Err(error.into()),
    }
}

/// Owner, mode and times, in that order: a change of the owner takes bits of the mode away.
fn dress(file: &impl std::os::fd::AsFd, entry: &Entry, owner: bool) -> io::Result<Result<(), Refused>> {
    let owned = if owner { fchown(file, uid(entry), gid(entry)).map_err(not_owned) } else { Ok(()) };
    fchmod(file, Mode::from_bits_truncate(entry.mode & !SPECIAL_BITS))?;
    futimens(file, &TimeSpec::UTIME_OMIT, &time(entry.mtime))?;
    Ok(owned)
}

fn not_owned(error: Errno) -> Refused {
    format!("it is restored, but its owner could not be set: {}", error.desc())
}

fn uid(entry: &Entry) -> Option<Uid> {
    Some(Uid::from_raw(entry.uid))
}

fn gid(entry: &Entry) -> Option<Gid> {
    Some(Gid::from_raw(entry.gid))
}

fn time(time: Time) -> TimeSpec {
    TimeSpec::new(time.seconds, i64::from(time.nanos))
}

fn identity(found: &FileStat) -> (u64, u64) {
    (found.st_dev, found.st_ino)
}

fn c_name(name: &[u8]) -> Result<CString> {
    CString::new(name).map_err(|_| Error::bad("a name holds a zero byte"))
}

/// One call for all that was written: a sync a file takes minutes where there are many.
#[cfg(target_os = "linux")]
fn sync_all(root: &OwnedFd) -> io::Result<()> {
    fstat(root)?;
    nix::unistd::syncfs(root).map_err(io::Error::from)
}

#[cfg(not(target_os = "linux"))]
fn sync_all(root: &OwnedFd) -> io::Result<()> {
    fstat(root).map(|_| ()).map_err(io::Error::from)
}
