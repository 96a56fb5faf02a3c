//! A private server: a data directory of its own, reachable by a socket in a private folder and nothing else.

use std::fs::{self, DirEntry, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fs2::FileExt;
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid, User};
use tempfile::TempDir;

use super::programs::{self, Program};
use super::scratch::no_server_programs;
use crate::engine::Settings;
use crate::error::{Error, OnPath, Result};
use crate::exec::{Call, Child, RunAs};
use crate::{fsx, interrupt};

/// The longest a fresh server may take to be ready.
const READY_WAIT: Duration = Duration::from_secs(60);
/// A socket's path has at most 107 bytes, `/.s.PGSQL.5432.lock` included.
const SOCKET_FOLDER_MAX_BYTES: usize = 85;
/// How its folder's name begins, by which a later run finds what a killed one left.
const FOLDER_PREFIX: &str = "holdfast-scratch-";
/// A file in the folder that is locked for as long as its run lives.
const ALIVE: &str = "alive";
/// The stamp in a cached data directory, written last: how many files it holds and how many bytes.
const STAMP: &str = "holdfast.complete";

/// Durability off: what it holds is thrown away. Every table may be locked at once by a dump.
const OPTIONS: &[&str] = &[
    "listen_addresses=",
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "autovacuum=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_wal_size=4GB",
    "shared_buffers=128MB",
    "max_connections=40",
    "max_locks_per_transaction=1024",
    "jit=off",
    "log_min_messages=fatal",
    "log_statement=none",
];

/// A running private server. Dropped, it is stopped and its folder removed; in this order, which the fields' order gives.
pub(super) struct Cluster {
    _server: Child,
    folder: TempDir,
    _alive: File,
}

impl Cluster {
    /// Starts one of the origin's major version where that is installed, else of the next newer.
    pub(super) fn start(settings: &Settings, origin_version: Option<&str>, superuser: &str) -> Result<Self> {
        let needed = origin_version.and_then(programs::read_version).map_or(0, |(version, _)| programs::major(version));
        let initdb = programs::at_least("initdb", &settings.program_dirs, needed).ok_or_else(|| no_server_programs(needed))?;
        let postgres = programs::beside(&initdb.path, "postgres").ok_or_else(|| no_server_programs(needed))?;
        let user = run_as(settings)?;
        let folder = private_folder(user)?;
        sweep(folder.path(), user);
        let alive = hold(folder.path())?;
        let data = folder.path().join("data");
        let template = template(settings, &initdb, user, superuser)?;
        copy_tree(&template, &data, user)?;
        let mut call = Call::new(postgres).arg("-D").arg(&data).args(["-p", "5432"]).arg("-k").arg(folder.path());
        for option in OPTIONS {
            call = call.arg("-c").arg(*option);
        }
        let server = call.run_as(user).dir(folder.path()).stop_signal(Signal::SIGQUIT).background()?;
        wait_until_ready(&server, &data)?;
        Ok(Cluster { _server: server, folder, _alive: alive })
    }

    /// The folder of its socket, which is all that leads to it.
    pub(super) fn socket_folder(&self) -> String {
        self.folder.path().display().to_string()
    }
}

/// Whether a socket in this folder is a private server's.
pub(super) fn is_private_folder(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(FOLDER_PREFIX))
}

/// A server refuses to run as root; as anybody else it runs as ourselves.
fn run_as(settings: &Settings) -> Result<Option<RunAs>> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(None);
    }
    let names = match &settings.scratch_user {
        Some(name) => vec![name.as_str()],
        None => vec!["postgres", "nobody"],
    };
    for name in &names {
        if let Ok(Some(user)) = User::from_name(name) {
            return Ok(Some(RunAs { uid: user.uid.as_raw(), gid: user.gid.as_raw() }));
        }
    }
    Err(Error::config(format!("there is no user {} to run a private PostgreSQL server as (root may not)", names.join(" or ")))
        .hint("set scratch_user"))
}

/// A private folder with a short path: in TMPDIR, else in /var/tmp, which is a disk where /tmp is memory.
fn private_folder(user: Option<RunAs>) -> Result<TempDir> {
    let named = std::env::var_os("TMPDIR").map(PathBuf::from);
    let mut candidates = named.into_iter().chain(["/var/tmp".into(), "/tmp".into()]);
    let parent = candidates
        .find(|path: &PathBuf| path.is_dir() && path.as_os_str().len() + 20 < SOCKET_FOLDER_MAX_BYTES && may_enter(path, user))
        .unwrap_or_else(|| "/tmp".into());
    let folder = tempfile::Builder::new().prefix(FOLDER_PREFIX).tempdir_in(&parent).on("create a folder in", &parent)?;
    own(folder.path(), user)?;
    Ok(folder)
}

/// Marks a folder as in use. The mark gets its name when it is locked already, so that no sweep comes in between.
fn hold(folder: &Path) -> Result<File> {
    let path = folder.join("marking");
    let file = fsx::create_private_file(&path)?;
    FileExt::try_lock_exclusive(&file).on("lock", &path)?;
    fs::rename(&path, folder.join(ALIVE)).on("rename", &path)?;
    Ok(file)
}

/// Removes the folders of killed runs beside `ours`: those whose mark nobody holds and whose server has ended. What cannot
/// be removed is left for another time.
fn sweep(ours: &Path, user: Option<RunAs>) {
    let uid = user.map_or_else(|| nix::unistd::geteuid().as_raw(), |user| user.uid);
    let Some(parent) = ours.parent() else { return };
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_candidate = entry.file_name().to_string_lossy().starts_with(FOLDER_PREFIX)
            && entry.path() != ours
            && entry.metadata().is_ok_and(|meta| meta.is_dir() && meta.uid() == uid);
        if is_candidate && is_abandoned(&entry.path()) {
            let _ = fsx::remove_tree(&entry.path());
        }
    }
}

fn is_abandoned(folder: &Path) -> bool {
    let open = OpenOptions::new().read(true).write(true).custom_flags(nix::libc::O_NOFOLLOW).open(folder.join(ALIVE));
    let Ok(file) = open else { return false };
    let pid = fs::read_to_string(folder.join("data/postmaster.pid")).ok().and_then(|text| text.lines().next()?.trim().parse::<i32>().ok());
    let runs = pid.is_some_and(|pid| nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None) != Err(nix::errno::Errno::ESRCH));
    FileExt::try_lock_exclusive(&file).is_ok() && !runs
}

/// Whether the user can reach what is in a folder.
fn may_enter(path: &Path, user: Option<RunAs>) -> bool {
    let Some(user) = user else { return true };
    path.ancestors()
        .all(|folder| folder.metadata().is_ok_and(|meta| meta.mode() & 0o001 != 0 || (meta.uid() == user.uid && meta.mode() & 0o100 != 0)))
}

fn own(path: &Path, user: Option<RunAs>) -> Result<()> {
    let Some(user) = user else { return Ok(()) };
    nix::unistd::chown(path, Some(Uid::from_raw(user.uid)), Some(Gid::from_raw(user.gid))).on("change the owner of", path)
}

/// A fresh data directory, made once for each version and then copied: `initdb` takes longer than all the rest together.
fn template(settings: &Settings, initdb: &Program, user: Option<RunAs>, superuser: &str) -> Result<PathBuf> {
    let uid = user.map_or_else(|| nix::unistd::geteuid().as_raw(), |user| user.uid);
    let path = settings.cache.join(format!("postgres-{}-{uid}", initdb.text));
    if is_complete(&path) {
        return Ok(path);
    }
    fsx::create_private_dirs(&settings.cache)?;
    // Two may build at once: each in a folder of its own, and the first to rename wins.
    let fresh = private_folder(user)?;
    let made = fresh.path().join("data");
    Call::new(&initdb.path)
        .arg("-D")
        .arg(&made)
        .args(["--username", superuser, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"])
        .run_as(user)
        .dir(fresh.path())
        .silence_max(READY_WAIT * 2)
        .run()?;
    let building = settings.cache.join(format!(".building-{}", fsx::random_hex(6)?));
    copy_tree(&made, &building, None)?;
    let (files, bytes) = measure(&building)?;
    fsx::write_private(&building.join(STAMP), format!("{files} {bytes}\n").as_bytes())?;
    if path.exists() && !is_complete(&path) {
        fsx::remove_tree(&path)?;
    }
    if let Err(error) = fsx::rename_new(&building, &path) {
        fsx::remove_tree(&building)?;
        if !is_complete(&path) {
            return Err(error);
        }
    }
    Ok(path)
}

/// Whether a cached data directory holds what its stamp says: a power cut can leave files empty.
fn is_complete(path: &Path) -> bool {
    let Ok(stamp) = fs::read_to_string(path.join(STAMP)) else { return false };
    let own = u64::try_from(stamp.len()).unwrap_or(0);
    let mut numbers = stamp.split_whitespace().filter_map(|word| word.parse::<u64>().ok());
    match (numbers.next(), numbers.next(), measure(path)) {
        (Some(files), Some(bytes), Ok(found)) => found == (files + 1, bytes + own),
        _ => false,
    }
}

fn measure(path: &Path) -> Result<(u64, u64)> {
    let mut sum = (0, 0);
    for entry in entries(path)? {
        let meta = entry.metadata().on("look at", &entry.path())?;
        let (files, bytes) = if meta.is_dir() { measure(&entry.path())? } else { (1, meta.len()) };
        sum = (sum.0 + files, sum.1 + bytes);
    }
    Ok(sum)
}

fn entries(path: &Path) -> Result<Vec<DirEntry>> {
    fs::read_dir(path).and_then(Iterator::collect).on("read", path)
}

fn copy_tree(from: &Path, to: &Path, user: Option<RunAs>) -> Result<()> {
    interrupt::check()?;
    fs::DirBuilder::new().mode(fsx::FOLDER_MODE).create(to).on("create", to)?;
    own(to, user)?;
    for entry in entries(from)? {
        let (source, copy) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().on("look at", &source)?.is_dir() {
            copy_tree(&source, &copy, user)?;
        } else if entry.file_name() != STAMP {
            // Shares the blocks where the file system can.
            fs::copy(&source, &copy).on("copy to", &copy)?;
            own(&copy, user)?;
        }
    }
    Ok(())
}

/// The server itself says when it is ready, in the last line of its pid file.
fn wait_until_ready(server: &Child, data: &Path) -> Result<()> {
    let start = Instant::now();
    let pid_file = data.join("postmaster.pid");
    loop {
        interrupt::check()?;
        if fs::read_to_string(&pid_file).is_ok_and(|text| text.lines().nth(7).is_some_and(|line| line.trim() == "ready")) {
            return Ok(());
        }
        if !server.is_running() || start.elapsed() > READY_WAIT {
            let said = server.stderr_tail();
            let last = said.lines().rev().find(|line| line.contains("FATAL") || line.contains("ERROR")).or(said.lines().last());
            return Err(Error::failed(format!("the private PostgreSQL server did not start: {}", last.unwrap_or("it said nothing"))));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
