//! Locks: one an environment of a store, in the local state directory, gone with their process.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use fs2::FileExt;
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::error::{Error, OnPath, Result};
use crate::interrupt;
use crate::state_dir::StateDir;

/// How often a waiting run looks again.
const RETRY: Duration = Duration::from_millis(100);

/// The right to change one environment of one store. Ends with the value, or with the process.
#[derive(Debug)]
pub struct Held {
    _file: File,
    environment: String,
}

/// Who holds a lock; for messages only, the lock itself is the kernel's.
#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    program: String,
    pid: u32,
    #[serde(with = "clock::rfc3339_millis")]
    since: DateTime<Utc>,
}

impl Held {
    /// Takes the lock of `environment` in the store with this id, waiting at most `wait`.
    ///
    /// Errors: [`crate::error::Kind::Busy`] with the holder's name, pid and start.
    pub fn acquire(state: &StateDir, store_id: &str, environment: &str, wait: Duration) -> Result<Self> {
        let path = lock_path(state, store_id, environment)?;
        // Read and write, since NFS turns flock into fcntl locks, which ask for a writable descriptor.
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path).on("open", &path)?;
        let start = Instant::now();
        loop {
            match FileExt::try_lock_exclusive(&file) {
                Ok(()) => break,
                Err(error) if error.kind() == fs2::lock_contended_error().kind() => {
                    interrupt::check()?;
                    if start.elapsed() >= wait {
                        return Err(busy(environment, &mut file));
                    }
                    std::thread::sleep(RETRY.min(wait));
                }
                Err(error) => {
                    return Err(error)
                        .on("lock", &path)
                        .map_err(|error: Error| error.hint("the state directory must be on a local disk: set HOLDFAST_STATE_DIR"));
                }
            }
        }
        note_holder(&mut file).on("write", &path)?;
        Ok(Held { _file: file, environment: environment.to_owned() })
    }

    /// The environment that is held.
    pub fn environment(&self) -> &str {
        &self.environment
    }
}

/// Whether a run holds the lock at this moment.
pub fn is_held(state: &StateDir, store_id: &str, environment: &str) -> Result<bool> {
    let path = lock_path(state, store_id, environment)?;
    match OpenOptions::new().read(true).write(true).open(&path) {
        Ok(file) => Ok(FileExt::try_lock_exclusive(&file).is_err()),
        Err(_) => Ok(false),
    }
}

fn lock_path(state: &StateDir, store_id: &str, environment: &str) -> Result<PathBuf> {
    Ok(state.folder("locks")?.join(format!("{store_id}-{environment}.lock")))
}

fn note_holder(file: &mut File) -> std::io::Result<()> {
    let holder = Holder { program: program_name(), pid: std::process::id(), since: clock::now() };
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(serde_json::to_string(&holder)?.as_bytes())
}

fn busy(environment: &str, file: &mut File) -> Error {
    let mut text = String::new();
    let holder = file.rewind().and_then(|()| file.read_to_string(&mut text)).ok().and_then(|_| serde_json::from_str::<Holder>(&text).ok());
    let who = match holder {
        Some(holder) => format!("held by {}, pid {}, since {}", holder.program, holder.pid, clock::readable(holder.since)),
        None => "held by another run".to_owned(),
    };
    Error::busy(format!("{environment} is busy: {who}")).hint("wait for it with --wait 10m")
}

fn program_name() -> String {
    std::env::args_os()
        .next()
        .map(PathBuf::from)
        .and_then(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()))
        .unwrap_or_else(|| "holdfast".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_holder_is_told_who_the_first_is() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let state = StateDir::at(folder.path());
        let first = Held::acquire(&state, "s", "prod", Duration::ZERO).expect("the first lock");
        let error = Held::acquire(&state, "s", "prod", Duration::from_millis(150)).expect_err("a second lock");
        assert_eq!(error.kind(), crate::error::Kind::Busy);
        assert!(error.to_string().contains(&format!("pid {}", std::process::id())), "{error}");
        Held::acquire(&state, "s", "dev", Duration::ZERO).expect("another environment is free");
        drop(first);
        Held::acquire(&state, "s", "prod", Duration::ZERO).expect("free again");
    }
}
