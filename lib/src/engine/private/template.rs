//! A fresh data directory, kept and copied.

use std::fs::{self, DirEntry};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::folder;
use crate::engine::Settings;
use crate::error::{OnPath, Result};
use crate::exec::RunAs;
use crate::{fsx, interrupt};

/// The stamp in a cached data directory, written last: how many files it holds and how many bytes.
const STAMP: &str = "holdfast.complete";

/// A fresh data directory, made once and then copied: to make one takes longer than all the rest together. `name` says which
/// program of which version made it; `make` is given an empty folder of the user's, and makes `data` in it.
pub(in crate::engine) fn ready(
    settings: &Settings,
    name: &str,
    user: Option<RunAs>,
    make: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let uid = user.map_or_else(|| nix::unistd::geteuid().as_raw(), |user| user.uid);
    let path = settings.cache.join(format!("{name}-{uid}"));
    if is_complete(&path) {
        return Ok(path);
    }
    fsx::create_private_dirs(&settings.cache)?;
    // Two may build at once: each in a folder of its own, and the first to rename wins.
    let fresh = folder::create(user)?;
    make(fresh.path())?;
    let made = fresh.path().join("data");
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

/// A copy that belongs to the user.
pub(in crate::engine) fn copy_tree(from: &Path, to: &Path, user: Option<RunAs>) -> Result<()> {
    interrupt::check()?;
    fs::DirBuilder::new().mode(fsx::FOLDER_MODE).create(to).on("create", to)?;
    folder::own(to, user)?;
    for entry in entries(from)? {
        let (source, copy) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().on("look at", &source)?.is_dir() {
            copy_tree(&source, &copy, user)?;
        } else if entry.file_name() != STAMP {
            // Shares the blocks where the file system can.
            fs::copy(&source, &copy).on("copy to", &copy)?;
            folder::own(&copy, user)?;
        }
    }
    Ok(())
}
