//! Files and folders the way a backup needs them: private, synced, never over something else.
//!
//! Every step that changes the file system passes [`step`], where a debug build can be told to stop or to fail at the
//! n-th of them: that is how the tests cut a run at each of its file operations in turn.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::error::{Error, Kind, OnPath, Result};

/// Mode of every file Holdfast writes, whatever the umask.
pub const FILE_MODE: u32 = 0o600;
/// Mode of every folder Holdfast makes, whatever the umask.
pub const FOLDER_MODE: u32 = 0o700;
/// How the ending of a file begins that is to replace another; the id of the process that writes it follows.
const DRAFT: &str = "new-";

/// A point where a file operation is about to happen.
///
/// In a debug build `HOLDFAST_TEST_STOP_AT=N` kills the process (SIGKILL) at its N-th step and
/// `HOLDFAST_TEST_FAIL_AT=N:ERRNO` makes that step and every later one fail, `=N-M:ERRNO` those from N to M; a release build does
/// nothing here.
pub fn step() -> io::Result<()> {
    #[cfg(debug_assertions)]
    faults::step()?;
    Ok(())
}

#[cfg(debug_assertions)]
mod faults {
    use std::io;
    use std::ops::RangeInclusive;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static STEPS: AtomicU64 = AtomicU64::new(0);
    static PLAN: OnceLock<Plan> = OnceLock::new();

    /// At which step to stop, and at which steps to fail with which error number.
    struct Plan {
        stop_at: Option<u64>,
        fail_at: Option<(RangeInclusive<u64>, i32)>,
    }

    fn failing(text: &str) -> Option<(RangeInclusive<u64>, i32)> {
        let (steps, errno) = text.split_once(':')?;
        let (from, to) = match steps.split_once('-') {
            Some((from, to)) => (from, to.parse().ok()?),
            None => (steps, u64::MAX),
        };
        Some((from.parse().ok()?..=to, errno.parse().ok()?))
    }

    pub(super) fn step() -> io::Result<()> {
        let plan = PLAN.get_or_init(|| {
            let text = |name: &str| std::env::var(name).ok();
            Plan {
                stop_at: text("HOLDFAST_TEST_STOP_AT").and_then(|text| text.parse().ok()),
                fail_at: text("HOLDFAST_TEST_FAIL_AT").and_then(|text| failing(&text)),
            }
        });
        let step = STEPS.fetch_add(1, Ordering::SeqCst) + 1;
        if plan.stop_at == Some(step) {
            let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
        }
        match &plan.fail_at {
            Some((steps, errno)) if steps.contains(&step) => Err(io::Error::from_raw_os_error(*errno)),
            _ => Ok(()),
        }
    }
}

/// Creates a folder that must not exist yet, 0700.
pub fn create_private_dir(path: &Path) -> Result<()> {
    step().and_then(|()| DirBuilder::new().mode(FOLDER_MODE).create(path)).on("create", path)?;
    set_mode(path, FOLDER_MODE)
}

/// Creates a folder and the missing ones above it, 0700 each; one that exists stays as it is.
pub fn create_private_dirs(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        create_private_dirs(parent)?;
    }
    match step().and_then(|()| DirBuilder::new().mode(FOLDER_MODE).create(path)) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => return Ok(()),
        Err(error) => return Err(error).on("create", path),
    }
    set_mode(path, FOLDER_MODE)?;
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_dir(parent),
        _ => sync_dir(Path::new(".")),
    }
}

/// Creates a file that must not exist yet, 0600, never through a link.
pub fn create_private_file(path: &Path) -> Result<File> {
    let file = step()
        .and_then(|()| {
            OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .mode(FILE_MODE)
                .custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_CLOEXEC)
                .open(path)
        })
        .on("create", path)?;
    match file.set_permissions(std::fs::Permissions::from_mode(FILE_MODE)) {
        Ok(()) => Ok(file),
        // exFAT and some shares know no modes; the guard reports them.
        Err(error) if knows_no_modes(&error) => Ok(file),
        Err(error) => Err(error).on("set the mode of", path),
    }
}

/// Writes a whole new private file and syncs it.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = create_private_file(path)?;
    step().and_then(|()| file.write_all(bytes)).on("write", path)?;
    sync_file(&file, path)
}

/// Replaces a small private file as a whole: a new one beside it, synced, renamed over it. For the state directory;
/// nothing in a published backup is ever replaced.
pub fn replace_private(path: &Path, bytes: &[u8]) -> Result<()> {
    remove_dead_drafts(path);
    let beside = path.with_extension(format!("{DRAFT}{}", std::process::id()));
    let _ = std::fs::remove_file(&beside);
    write_private(&beside, bytes)?;
    step().and_then(|()| std::fs::rename(&beside, path)).on("rename to", path)?;
    sync_parent(path)
}

/// As [`replace_private`], of a file that is not there yet; whatever appears there meanwhile stays, and this fails.
pub fn place_private(path: &Path, bytes: &[u8]) -> Result<()> {
    remove_dead_drafts(path);
    let beside = path.with_extension(format!("{DRAFT}{}", std::process::id()));
    let _ = std::fs::remove_file(&beside);
    write_private(&beside, bytes)?;
    rename_new(&beside, path).inspect_err(|_| drop(std::fs::remove_file(&beside)))
}

/// As [`replace_private`], without waiting for the disk: after a power cut the file may be the old one, or empty. For what is
/// only remembered, and can be missed.
pub fn replace_unsynced(path: &Path, bytes: &[u8]) -> Result<()> {
    remove_dead_drafts(path);
    let beside = path.with_extension(format!("{DRAFT}{}", std::process::id()));
    let _ = std::fs::remove_file(&beside);
    let mut file = create_private_file(&beside)?;
    step().and_then(|()| file.write_all(bytes)).on("write", &beside)?;
    step().and_then(|()| std::fs::rename(&beside, path)).on("rename to", path)
}

/// Removes what processes that were killed while they replaced the same file have left. Only tidiness: no error counts.
fn remove_dead_drafts(path: &Path) {
    let Some(listing) = path.parent().and_then(|folder| std::fs::read_dir(folder).ok()) else { return };
    for entry in listing.flatten() {
        let draft = entry.path();
        let pid = draft.extension().and_then(|ending| ending.to_str()?.strip_prefix(DRAFT)?.parse().ok());
        if draft.file_stem() == path.file_stem() && pid.is_some_and(is_dead) {
            let _ = std::fs::remove_file(draft);
        }
    }
}

/// Whether no process of this machine has that id any more.
pub fn is_dead(pid: i32) -> bool {
    pid > 0 && nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None) == Err(nix::errno::Errno::ESRCH)
}

/// Appends one line to a private file, created where it is missing, and syncs it. A last line that a crash cut short is
/// ended first, with `cut` before its end, so that it takes no other along.
pub fn append_line(path: &Path, line: &str, cut: &[u8]) -> Result<()> {
    let mut file = step()
        .and_then(|()| {
            OpenOptions::new().read(true).append(true).create(true).mode(FILE_MODE).custom_flags(nix::libc::O_NOFOLLOW).open(path)
        })
        .on("open", path)?;
    let text = match ends_in_a_line(&file).on("read", path)? {
        true => [line.as_bytes(), b"\n"].concat(),
        false => [cut, b"\n", line.as_bytes(), b"\n"].concat(),
    };
    step().and_then(|()| file.write_all(&text)).on("write", path)?;
    sync_file(&file, path)
}

fn ends_in_a_line(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::FileExt;
    let Some(last) = file.metadata()?.len().checked_sub(1) else { return Ok(true) };
    let mut byte = [0];
    file.read_exact_at(&mut byte, last)?;
    Ok(byte == *b"\n")
}

/// The path with every link resolved, of something that may be gone: of what is missing, the names stay as they are. A mount
/// point that is reached through a link has the same real path whether its disk is there or not.
pub fn real_path(path: &Path) -> std::path::PathBuf {
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Ok(real), _, _) => real,
        (Err(_), Some(parent), Some(name)) => real_path(parent).join(name),
        (Err(_), _, _) => path.to_owned(),
    }
}

/// Waits until a file's bytes are on disk. After an error the file must be thrown away, never synced again: the kernel
/// has already forgotten the pages it could not write.
pub fn sync_file(file: &File, path: &Path) -> Result<()> {
    step().and_then(|()| file.sync_all()).on("sync", path)
}

/// Waits until a folder's entries are on disk.
pub fn sync_dir(path: &Path) -> Result<()> {
    let synced = step().and_then(|()| File::open(path)).and_then(|folder| folder.sync_all());
    match synced {
        // SMB and some FUSE file systems cannot sync a folder.
        Err(error) if matches!(error.raw_os_error(), Some(nix::libc::EINVAL | nix::libc::ENOTSUP)) => Ok(()),
        other => other.on("sync", path),
    }
}

/// Syncs the folder that holds `path`.
pub fn sync_parent(path: &Path) -> Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_dir(parent),
        _ => sync_dir(Path::new(".")),
    }
}

/// Renames a file or folder to a name that must not exist, and syncs both parents.
pub fn rename_new(from: &Path, to: &Path) -> Result<()> {
    step().and_then(|()| rename_noreplace(from, to)).on("rename to", to)?;
    sync_parent(to)?;
    if from.parent() != to.parent() {
        sync_parent(from)?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn rename_noreplace(from: &Path, to: &Path) -> io::Result<()> {
    use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
    match renameat2(AT_FDCWD, from, AT_FDCWD, to, RenameFlags::RENAME_NOREPLACE) {
        // Some network file systems have no such flag.
        Err(nix::errno::Errno::EINVAL | nix::errno::Errno::ENOSYS) => rename_after_looking(from, to),
        other => other.map_err(io::Error::from),
    }
}

#[cfg(not(target_os = "linux"))]
fn rename_noreplace(from: &Path, to: &Path) -> io::Result<()> {
    rename_after_looking(from, to)
}

/// The lock of the environment keeps our own runs apart, so looking first is enough where the system has nothing better;
/// a non-empty folder is never replaced by rename(2) in any case.
fn rename_after_looking(from: &Path, to: &Path) -> io::Result<()> {
    if to.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    std::fs::rename(from, to)
}

/// Removes one file.
pub fn remove_file(path: &Path) -> Result<()> {
    step().and_then(|()| std::fs::remove_file(path)).on("remove", path)
}

/// Removes a folder that Holdfast made, with everything in it; links in it are removed, not followed.
pub fn remove_tree(path: &Path) -> Result<()> {
    step().and_then(|()| std::fs::remove_dir_all(path)).on("remove", path)
}

/// Sets a mode, where the file system knows modes.
pub fn set_mode(path: &Path, mode: u32) -> Result<()> {
    match std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)) {
        Err(error) if !knows_no_modes(&error) => Err(error).on("set the mode of", path),
        _ => Ok(()),
    }
}

fn knows_no_modes(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(nix::libc::EPERM | nix::libc::ENOTSUP | nix::libc::ENOSYS))
}

/// Bytes that an unprivileged user may still write on the file system of `path`.
pub fn free_bytes(path: &Path) -> Result<u64> {
    fs2::available_space(path).on("ask for the free space of", path)
}

/// Refuses when fewer than `needed` bytes are free where `path` is.
pub fn require_free(path: &Path, needed: u64) -> Result<()> {
    let free = free_bytes(path)?;
    if free < needed {
        return Err(Error::failed(format!(
            "not enough space on the file system of {}: {needed} bytes needed, {free} free",
            path.display()
        ))
        .hint("free some space there, or name another store; nothing was touched"));
    }
    Ok(())
}

/// A file that is about to be read once from start to end: not through a link, and without keeping it in the page cache.
pub fn open_to_read(path: &Path) -> Result<File> {
    OpenOptions::new().read(true).custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_CLOEXEC).open(path).on("open", path)
}

/// The same of a file that a backup must have: bad where it is not there, or no file. Whatever else the system says of it is no word
/// on the backup.
pub fn open_held(path: &Path) -> Result<File> {
    open_to_read(path).map_err(|error| of_held(path, error))
}

/// The error of opening such a file.
pub fn of_held(path: &Path, error: Error) -> Error {
    let is_no_file = path.symlink_metadata().map_or_else(|error| error.kind() == io::ErrorKind::NotFound, |found| !found.is_file());
    if is_no_file { error.as_kind(Kind::Bad) } else { error }
}

/// The number by which Linux knows the kind of file system that something open lies on.
#[cfg(target_os = "linux")]
pub fn file_system_kind(open: &impl AsFd) -> Option<i64> {
    let kind = nix::sys::statfs::fstatfs(open).ok()?.filesystem_type().0;
    // The type differs between C libraries and processors.
    #[allow(clippy::unnecessary_cast, clippy::cast_lossless, clippy::cast_possible_wrap)]
    Some(kind as i64 & 0xffff_ffff)
}

/// Asks the kernel to begin writing a range out, without waiting. Only a hint.
pub fn start_writeback(file: &File, offset: u64, length: u64) {
    #[cfg(target_os = "linux")]
    {
        sync_file_range(file, offset, length, nix::libc::SYNC_FILE_RANGE_WRITE);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (file, offset, length);
}

/// Has the kernel write a range out, and waits until the disk has taken it. That is no sync: where the bytes lie may not be on the disk
/// yet, nor what is in the disk's own cache. False where it cannot be done.
pub fn write_out(file: &File, offset: u64, length: u64) -> bool {
    #[cfg(target_os = "linux")]
    {
        use nix::libc::{SYNC_FILE_RANGE_WAIT_AFTER, SYNC_FILE_RANGE_WAIT_BEFORE, SYNC_FILE_RANGE_WRITE};
        // All three, or the kernel may leave out what is busy just now.
        let flags = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
        sync_file_range(file, offset, length, flags)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (file, offset, length);
        false
    }
}

/// Has the kernel write all of a file's dirty pages, and waits for that: the next write through a mapping then gives the file a new
/// time. Nothing else of a sync is waited for, so a file that is clean costs next to nothing. False where it cannot be done.
pub fn write_mapped_pages(file: &File) -> bool {
    write_out(file, 0, 0) || nix::unistd::fsync(file).is_ok()
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn sync_file_range(file: &File, offset: u64, length: u64, flags: u32) -> bool {
    use std::os::fd::AsRawFd;
    let (Ok(offset), Ok(length)) = (i64::try_from(offset), i64::try_from(length)) else { return false };
    // SAFETY: the descriptor is open for as long as `file` is borrowed, and the call touches no memory of ours.
    unsafe { nix::libc::sync_file_range(file.as_fd().as_raw_fd(), offset, length, flags) == 0 }
}

/// Drops a file's clean pages from the page cache, so that the next read comes from the disk; a length of 0 reaches to its end. Only
/// a hint.
pub fn drop_cache(file: &File, offset: u64, length: u64) {
    #[cfg(target_os = "linux")]
    {
        use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
        if let (Ok(offset), Ok(length)) = (i64::try_from(offset), i64::try_from(length)) {
            let _ = posix_fadvise(file, offset, length, PosixFadviseAdvice::POSIX_FADV_DONTNEED);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (file.as_fd(), offset, length);
}

/// Asks the kernel to begin reading a range. Only a hint.
pub fn read_ahead(file: &File, offset: u64, length: u64) {
    #[cfg(target_os = "linux")]
    {
        use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
        if let (Ok(offset), Ok(length)) = (i64::try_from(offset), i64::try_from(length)) {
            let _ = posix_fadvise(file, offset, length, PosixFadviseAdvice::POSIX_FADV_WILLNEED);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (file.as_fd(), offset, length);
}

/// The names of what lies in a folder, in no order.
pub fn names_in(folder: &Path) -> Result<Vec<OsString>> {
    let listing = std::fs::read_dir(folder).on("list", folder)?;
    listing.map(|entry| Ok(entry.on("list", folder)?.file_name())).collect()
}

/// The permission bits of a file or folder, links not followed.
pub fn mode_of(path: &Path) -> Result<u32> {
    Ok(path.symlink_metadata().on("look at", path)?.mode() & 0o7777)
}

/// Hex of random bytes from the operating system.
pub fn random_hex(bytes: usize) -> Result<String> {
    let mut buffer = vec![0u8; bytes];
    getrandom::fill(&mut buffer).map_err(|error| Error::failed(format!("the operating system gives no random bytes: {error}")))?;
    Ok(hex(&buffer))
}

/// SHA-256 of some bytes, in hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::Digest;
    hex(&sha2::Sha256::digest(bytes))
}

/// Lowercase hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
