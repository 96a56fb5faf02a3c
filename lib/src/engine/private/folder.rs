//! The private folders that servers live in: made, held for as long as a run lives, and swept when it was killed.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fs2::FileExt;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Gid, Pid, Uid};
use tempfile::TempDir;

use crate::error::{OnPath, Result};
use crate::exec::RunAs;
use crate::fsx;

/// A socket's path has at most 107 bytes, its longest name, `/.s.PGSQL.5432.lock`, included.
const SOCKET_FOLDER_MAX_BYTES: usize = 85;
/// How its folder's name begins, by which a later run finds what a killed one left.
const PREFIX: &str = "holdfast-scratch-";
/// A file in the folder that is locked for as long as its run lives.
const ALIVE: &str = "alive";
/// How long a run may take to mark the folder that it has made.
const MARK_WAIT: Duration = Duration::from_secs(60);
/// Where a server in the folder `data` writes its number, and the signal that ends it at once.
const SERVERS: [(&str, Signal); 2] = [("postmaster.pid", Signal::SIGQUIT), ("mariadbd.pid", Signal::SIGKILL)];
/// How long a server that outlived its run may take to end.
const END_WAIT: Duration = Duration::from_secs(2);

/// Whether a socket, by its own path or by its folder's, is a private server's.
pub(in crate::engine) fn is_private(path: &Path) -> bool {
    path.ancestors().take(2).filter_map(Path::file_name).any(|name| name.to_string_lossy().starts_with(PREFIX))
}

/// A private folder with a short path: in TMPDIR, else in /var/tmp, which is a disk where /tmp is memory.
pub(in crate::engine) fn create(user: Option<RunAs>) -> Result<TempDir> {
    let named = std::env::var_os("TMPDIR").map(PathBuf::from);
    let mut candidates = named.into_iter().chain(["/var/tmp".into(), "/tmp".into()]);
    let parent = candidates
        .find(|path: &PathBuf| path.is_dir() && path.as_os_str().len() + 20 < SOCKET_FOLDER_MAX_BYTES && may_enter(path, user))
        .unwrap_or_else(|| "/tmp".into());
    // Whoever reaches a socket in it is let in without a password.
    let mode = fs::Permissions::from_mode(fsx::FOLDER_MODE);
    let folder = tempfile::Builder::new().prefix(PREFIX).permissions(mode).tempdir_in(&parent).on("create a folder in", &parent)?;
    own(folder.path(), user)?;
    Ok(folder)
}

/// Marks a folder as in use. The mark gets its name when it is locked already, so that no sweep comes in between.
pub(in crate::engine) fn hold(folder: &Path) -> Result<File> {
    let path = folder.join("marking");
    let file = fsx::create_private_file(&path)?;
    FileExt::try_lock_exclusive(&file).on("lock", &path)?;
    fs::rename(&path, folder.join(ALIVE)).on("rename", &path)?;
    Ok(file)
}

/// Takes the mark away: no sweep takes a folder that never had one, or has none any more.
pub(in crate::engine) fn release(folder: &Path) -> Result<()> {
    let path = folder.join(ALIVE);
    fs::remove_file(&path).on("remove", &path)
}

/// Removes the folders of killed runs beside `ours`: those whose mark nobody holds, and old empty ones, whose run was killed
/// before it could mark them. What cannot be removed is left for another time.
pub(in crate::engine) fn sweep(ours: &Path, user: Option<RunAs>) {
    let uid = user.map_or_else(|| nix::unistd::geteuid().as_raw(), |user| user.uid);
    let Some(parent) = ours.parent() else { return };
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let path = entry.path();
        let Some(meta) = entry.metadata().ok().filter(|meta| meta.is_dir() && is_private(&path) && path != ours) else { continue };
        let age = meta.modified().ok().and_then(|at| at.elapsed().ok()).unwrap_or_default();
        if age > MARK_WAIT {
            // Refused for any but an empty one.
            let _ = fs::remove_dir(&path);
        }
        let is_candidate = meta.uid() == uid;
        // The lock is held meanwhile, so that of two sweeps one goes on.
        if is_candidate && let Some(_mark) = abandoned(&path) {
            SERVERS.iter().for_each(|(pid_file, signal)| end_server(&path.join("data"), pid_file, *signal, uid));
            let _ = fsx::remove_tree(&path);
        }
    }
}

fn abandoned(folder: &Path) -> Option<File> {
    let file = OpenOptions::new().read(true).write(true).custom_flags(nix::libc::O_NOFOLLOW).open(folder.join(ALIVE)).ok()?;
    FileExt::try_lock_exclusive(&file).ok().map(|()| file)
}

/// Ends the server of a data directory, where one has outlived its run: it dies with us only where the system sees to that.
fn end_server(data: &Path, pid_file: &str, signal: Signal, uid: u32) {
    let pid_file = data.join(pid_file);
    let pid = fs::read_to_string(&pid_file).ok().and_then(|text| text.lines().next()?.trim().parse::<i32>().ok());
    // PostgreSQL's server ends by itself within a minute when its file is gone.
    let _ = fs::remove_file(&pid_file);
    let Some(pid) = pid.filter(|pid| *pid > 1) else { return };
    // The number may be another process's by now. One that has ended has no folder.
    let process = PathBuf::from(format!("/proc/{pid}"));
    let is_server =
        || process.metadata().is_ok_and(|meta| meta.uid() == uid) && fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == data);
    if !is_server() || kill(Pid::from_raw(pid), signal).is_err() {
        return;
    }
    let asked = Instant::now();
    while is_server() && asked.elapsed() < END_WAIT {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether the user can reach what is in a folder.
fn may_enter(path: &Path, user: Option<RunAs>) -> bool {
    let Some(user) = user else { return true };
    path.ancestors()
        .all(|folder| folder.metadata().is_ok_and(|meta| meta.mode() & 0o001 != 0 || (meta.uid() == user.uid && meta.mode() & 0o100 != 0)))
}

pub(in crate::engine) fn own(path: &Path, user: Option<RunAs>) -> Result<()> {
    let Some(user) = user else { return Ok(()) };
    nix::unistd::chown(path, Some(Uid::from_raw(user.uid)), Some(Gid::from_raw(user.gid))).on("change the owner of", path)
}
