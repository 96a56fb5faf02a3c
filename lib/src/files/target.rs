//! The folder that files are restored into. Everything in it is reached by descriptors, part by part and never through a link, so
//! nothing that an archive or that folder holds leads out of it.

use std::collections::{BTreeMap, HashSet};
use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{
    FchmodatFlags, FileStat, Mode, SFlag, UtimensatFlags, fchmod, fchmodat, fstat, fstatat, futimens, mkdirat, utimensat,
};
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, LinkatFlags, Uid, UnlinkatFlags, fchown, fchownat, geteuid, linkat, symlinkat, unlinkat};

use super::before::{self, Before};
use super::entry::{Entry, Name, Time};
use super::unfinished::{Call, Taken, Unfinished, require_free_place};
use super::walk::kind_of;
use super::writeback::Writeback;
use crate::error::{Error, OnPath, Result};
use crate::fsx;

/// Bits that would give a file more rights than its reader has: set user, set group, sticky.
const SPECIAL_BITS: u32 = 0o7000;
/// What is needed of a folder to put something into it.
const OPEN_BITS: u32 = 0o700;

/// Why one entry could not be restored; the others can.
pub(super) type Refused = String;

/// What came of something that was made under the name of a draft.
enum Made {
    /// It may appear, …
    Whole,
    /// … though not all about it is as it was.
    Undressed(Refused),
    /// There is nothing.
    Not(Refused),
}

/// A folder that files are restored into.
pub(super) struct Target {
    path: PathBuf,
    root: Rc<OwnedFd>,
    /// The folders that are open at present, one in the other.
    open: Vec<(Vec<u8>, Rc<OwnedFd>)>,
    /// What this run has made: a second entry of the same name in this file system's eyes must not replace it.
    made: HashSet<(u64, u64)>,
    /// Folders that their owner, who is us, could not write in, with the modes that they had.
    opened_up: BTreeMap<Vec<u8>, u32>,
    writeback: Writeback,
    unfinished: Unfinished,
    draft: CString,
    is_resumed: bool,
    overwrite: bool,
    owner: bool,
}

impl Target {
    /// Opens the folder, and says in it that a restore has begun. `taken` are names that nothing of ours may have.
    pub(super) fn begin(path: &Path, call: Call, taken: &Taken) -> Result<Self> {
        let begun = require_free_place(path, &call)?;
        if path.symlink_metadata().is_err() {
            fsx::create_private_dir(path)?;
            fsx::sync_parent(path)?;
        }
        // The folder itself may be reached through a link: the user has named it.
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let root = nix::fcntl::open(path, flags, Mode::empty()).on("open", path)?;
        let (overwrite, owner, is_resumed) = (call.overwrite, call.owner, begun.is_some());
        let unfinished = match begun {
            Some(unfinished) => unfinished,
            None => {
                let unfinished = Unfinished::new(call, taken)?;
                unfinished.write(path)?;
                unfinished
            }
        };
        Ok(Target {
            path: path.to_owned(),
            root: Rc::new(root),
            open: Vec::new(),
            made: HashSet::new(),
            opened_up: BTreeMap::new(),
            writeback: Writeback::default(),
            draft: c_name(unfinished.draft.as_bytes())?,
            unfinished,
            is_resumed,
            overwrite,
            owner,
        })
    }

    /// Everything is on disk, and then the folder is no unfinished one any more.
    pub(super) fn finish(mut self) -> Result<()> {
        self.close_up();
        fsx::step().and_then(|()| sync_all(&self.root)).on("sync", &self.path)?;
        // Should this not reach the disk before a power cut, the folder says that it is unfinished, and is not: no harm.
        fsx::remove_file(&self.path.join(&self.unfinished.note))
    }

    /// The error of a restore that ends because its backup is damaged: it says what is left.
    pub(super) fn leave(&self, error: Error) -> Error {
        self.unfinished.clone().leave(&self.path, error)
    }

    /// Makes a folder. Its mode and times are for [`Target::settle`], when nothing more is put into it.
    pub(super) fn make_folder(&mut self, path: &Name) -> Result<Result<(), Refused>> {
        Ok(self.folder(&path.0)?.map(|_| ()))
    }

    /// Gives a folder its mode, owner and times.
    pub(super) fn settle(&mut self, entry: &Entry) -> Result<Result<(), Refused>> {
        let owner = self.owner;
        let shown = self.shown(&entry.path);
        let folder = match self.folder(&entry.path.0)? {
            Ok(folder) => folder,
            Err(why) => return Ok(Err(why)),
        };
        let dressed = fsx::step().and_then(|()| dress(folder, entry, owner));
        self.opened_up.remove(&entry.path.0);
        Ok(of_the_entry(dressed, "set the mode of", &shown)?.and_then(|dressed| dressed))
    }

    /// Makes a file: `fill` writes its content.
    pub(super) fn make_file(&mut self, entry: &Entry, fill: &mut dyn FnMut(&File) -> Result<()>) -> Result<Result<(), Refused>> {
        let shown = self.shown(&entry.path);
        let (owner, draft) = (self.owner, self.draft.clone());
        let mut written = None;
        let made = self.put(&entry.path, &Before::File(entry), |folder| {
            let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            let created = openat(folder, draft.as_c_str(), flags, Mode::from_bits_truncate(fsx::FILE_MODE)).map_err(io::Error::from);
            let file = match of_the_entry(created, "create", &shown)? {
                Ok(file) => File::from(file),
                Err(why) => return Ok(Made::Not(why)),
            };
            fill(&file)?;
            let dressed = of_the_entry(dress(&file, entry, owner), "set the mode of", &shown)?;
            if !cfg!(target_os = "linux") {
                fsx::sync_file(&file, &shown)?;
            }
            written = Some(file);
            Ok(made(dressed.and_then(|dressed| dressed)))
        });
        if let Some(file) = written {
            self.writeback.take(file, entry.bytes);
        }
        made
    }

    /// Makes a symbolic link, wherever it leads.
    pub(super) fn make_link(&mut self, entry: &Entry) -> Result<Result<(), Refused>> {
        use std::os::unix::ffi::OsStrExt;
        let shown = self.shown(&entry.path);
        let (owner, draft) = (self.owner, self.draft.clone());
        let target = entry.target.clone().unwrap_or_default();
        self.put(&entry.path, &Before::Link(&target), |folder| {
            let created = symlinkat(std::ffi::OsStr::from_bytes(&target.0), folder, draft.as_c_str()).map_err(io::Error::from);
            if let Err(why) = of_the_entry(created, "create", &shown)? {
                return Ok(Made::Not(why));
            }
            if owner && let Err(error) = fchownat(folder, draft.as_c_str(), uid(entry), gid(entry), AtFlags::AT_SYMLINK_NOFOLLOW) {
                return Ok(Made::Undressed(not_owned(error)));
            }
            let _ = utimensat(folder, draft.as_c_str(), &TimeSpec::UTIME_OMIT, &time(entry.mtime), UtimensatFlags::NoFollowSymlink);
            Ok(Made::Whole)
        })
    }

    /// Makes another name of a file that this run has made.
    pub(super) fn make_hardlink(&mut self, entry: &Entry, first: &Name) -> Result<Result<(), Refused>> {
        let shown = self.shown(&entry.path);
        let draft = self.draft.clone();
        let (parent, name) = first.split();
        let name = c_name(name)?;
        let source = match self.folder(parent)? {
            Ok(folder) => Rc::clone(folder),
            Err(why) => return Ok(Err(why)),
        };
        match fstatat(&source, name.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(found) if self.made.contains(&identity(&found)) && kind_of(&found) == SFlag::S_IFREG => {}
            _ => return Ok(Err(format!("{first}, whose other name it is, was not restored"))),
        }
        self.put(&entry.path, &Before::Hardlink(entry, &source, &name), |folder| {
            let linked = linkat(&source, name.as_c_str(), folder, draft.as_c_str(), LinkatFlags::empty()).map_err(io::Error::from);
            Ok(of_the_entry(linked, "link", &shown)?.map_or_else(Made::Not, |()| Made::Whole))
        })
    }

    /// Lets something appear under its name once it is whole.
    fn put(&mut self, path: &Name, wanted: &Before<'_>, make: impl FnOnce(&OwnedFd) -> Result<Made>) -> Result<Result<(), Refused>> {
        let shown = self.shown(path);
        let (parent, name) = path.split();
        let name = c_name(name)?;
        let folder = match self.folder(parent)? {
            Ok(folder) => Rc::clone(folder),
            Err(why) => return Ok(Err(why)),
        };
        let there = fstatat(&folder, name.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW).ok();
        if let Some(there) = &there {
            if self.made.contains(&identity(there)) || !(self.overwrite || self.is_resumed) {
                return Ok(Err("there is something of this name already, as this file system sees it".to_owned()));
            }
            if kind_of(there) == SFlag::S_IFDIR {
                return Ok(Err("there is a folder of this name".to_owned()));
            }
            if !self.overwrite && !before::is_ours(wanted, &folder, &name, there)? {
                return Ok(Err("what is there now was not made by the restore that was cut short; --overwrite replaces it".to_owned()));
            }
        }
        let draft = self.draft.clone();
        if self.is_resumed {
            let _ = unlinkat(&folder, draft.as_c_str(), UnlinkatFlags::NoRemoveDir);
        }
        if fstatat(&folder, draft.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW).is_ok() {
            return Ok(Err(format!("{} is in its folder, and not ours", draft.to_string_lossy())));
        }
        fsx::step().on("create", &shown)?;
        let made = make(&folder).and_then(|made| {
            let dressed = match made {
                Made::Whole => Ok(()),
                Made::Undressed(why) => Err(why),
                Made::Not(why) => return Ok(Err(why)),
            };
            let found = fstatat(&folder, draft.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW).on("look at", &shown)?;
            let renamed = fsx::step().and_then(|()| renameat(&folder, draft.as_c_str(), &folder, name.as_c_str()).map_err(io::Error::from));
            if let Err(why) = of_the_entry(renamed, "rename to", &shown)? {
                return Ok(Err(why));
            }
            self.made.insert(identity(&found));
            Ok(dressed)
        });
        // After an error, and where both names were one file's already, which a rename leaves as they are.
        if there.is_some() || !matches!(made, Ok(Ok(_))) {
            let _ = unlinkat(&folder, draft.as_c_str(), UnlinkatFlags::NoRemoveDir);
        }
        made
    }

    /// Opens a folder part by part, and makes what is missing of it.
    fn folder(&mut self, path: &[u8]) -> Result<Result<&Rc<OwnedFd>, Refused>> {
        let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).collect();
        let common = self.open.iter().zip(&parts).take_while(|((name, _), part)| name == *part).count();
        self.open.truncate(common);
        for (depth, part) in parts.iter().enumerate().skip(common) {
            let around = self.open.last().map_or(&self.root, |(_, folder)| folder);
            let own = parts[..=depth].join(&b'/');
            let shown = self.path.join(shown(&own));
            match enter(around, &c_name(part)?) {
                Ok((folder, before)) => {
                    if let Some(mode) = before {
                        self.opened_up.entry(own).or_insert(mode);
                    }
                    self.open.push((part.to_vec(), Rc::new(folder)));
                }
                Err(error) if matches!(error.raw_os_error().map(Errno::from_raw), Some(Errno::ELOOP | Errno::ENOTDIR)) => {
                    return Ok(Err(format!("{} is no folder, and nothing is written through it", shown.display())));
                }
                Err(error) => return Ok(of_the_entry(Err(error), "open", &shown)?.map_err(|why| format!("in {}: {why}", shown.display()))),
            }
        }
        Ok(Ok(self.open.last().map_or(&self.root, |(_, folder)| folder)))
    }

    /// Folders that were opened up and have no entry of their own get their modes back.
    fn close_up(&mut self) {
        while let Some((path, mode)) = self.opened_up.pop_last() {
            let closed = self.folder(&path).map(|folder| folder.map(|folder| fchmod(folder, Mode::from_bits_truncate(mode))));
            // What it was before may stand in its way again.
            self.opened_up.remove(&path);
            if !matches!(closed, Ok(Ok(Ok(())))) {
                tracing::warn!("{} could not be given its mode {mode:04o} again", self.path.join(shown(&path)).display());
            }
        }
    }

    fn shown(&self, path: &Name) -> PathBuf {
        self.path.join(shown(&path.0))
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.close_up();
    }
}

fn made(dressed: Result<(), Refused>) -> Made {
    dressed.map_or_else(Made::Undressed, |()| Made::Whole)
}

/// What stands in the way of one entry only is no reason to leave the others out; any other error ends the restore.
fn of_the_entry<T>(outcome: io::Result<T>, what: &str, path: &Path) -> Result<Result<T, Refused>> {
    use Errno::{
        EACCES, EBUSY, EEXIST, EILSEQ, EINVAL, EISDIR, ELOOP, EMLINK, ENAMETOOLONG, ENOENT, ENOTDIR, ENOTEMPTY, EOPNOTSUPP, EPERM, ETXTBSY,
    };
    let is_of_the_entry = |error: &io::Error| {
        let errno = error.raw_os_error().map(Errno::from_raw);
        let (rights, names) = ([EPERM, EACCES, EBUSY, ETXTBSY, EOPNOTSUPP], [ENOENT, ENOTDIR, EISDIR, EEXIST, ENOTEMPTY, ELOOP, EMLINK]);
        errno.is_some_and(|errno| rights.contains(&errno) || names.contains(&errno) || [ENAMETOOLONG, EINVAL, EILSEQ].contains(&errno))
    };
    match outcome {
        Ok(done) => Ok(Ok(done)),
        Err(error) if is_of_the_entry(&error) => Ok(Err(format!("cannot {what} {}: {error}", path.display()))),
        Err(error) => Err(error).on(what, path),
    }
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// Opens a folder, made where it is missing. One of our own that we cannot write in is opened up: then with the mode it had.
fn enter(around: &OwnedFd, name: &CString) -> io::Result<(OwnedFd, Option<u32>)> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let open = || openat(around, name.as_c_str(), flags, Mode::empty()).map_err(io::Error::from);
    let is_shut = |found: &FileStat| {
        found.st_uid == geteuid().as_raw()
            && !geteuid().is_root()
            && found.st_mode & OPEN_BITS != OPEN_BITS
            && kind_of(found) == SFlag::S_IFDIR
    };
    let mode_of = |found: &FileStat| found.st_mode & 0o7777;
    let opened_up = |found: &FileStat| Mode::from_bits_truncate(mode_of(found) | OPEN_BITS);
    match open() {
        Ok(folder) => {
            let found = fstat(&folder)?;
            if !is_shut(&found) {
                return Ok((folder, None));
            }
            fsx::step()?;
            fchmod(&folder, opened_up(&found))?;
            Ok((folder, Some(mode_of(&found))))
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let found = fstatat(around, name.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW)?;
            if !is_shut(&found) {
                return Err(error);
            }
            fsx::step()?;
            fchmodat(around, name.as_c_str(), opened_up(&found), FchmodatFlags::NoFollowSymlink)?;
            Ok((open()?, Some(mode_of(&found))))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fsx::step()?;
            match mkdirat(around, name.as_c_str(), Mode::from_bits_truncate(fsx::FOLDER_MODE)) {
                Ok(()) | Err(Errno::EEXIST) => Ok((open()?, None)),
                Err(error) => Err(error.into()),
            }
        }
        Err(error) => Err(error),
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
