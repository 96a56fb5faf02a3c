//! Locks: one an environment of a store, in the local state directory, gone with their process.

use std::collections::BTreeSet;
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
use crate::fsx;
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

/// How a lock is held.
#[derive(Debug, Clone, Copy)]
enum Claim {
    /// By one alone.
    Alone,
    /// By as many as only look.
    Shared,
}

impl Held {
    /// Takes the lock of `environment` in the store with this id, waiting at most `wait`.
    ///
    /// Errors: [`crate::error::Kind::Busy`] with the holder's name, pid and start.
    pub fn acquire(state: &StateDir, store_id: &str, environment: &str, wait: Duration) -> Result<Self> {
        Self::take(state, (store_id, environment), environment, Claim::Alone, wait)
    }

    /// Takes the same lock together with others who share it, and keeps out whoever wants it alone.
    pub fn share(state: &StateDir, store_id: &str, environment: &str, wait: Duration) -> Result<Self> {
        Self::take(state, (store_id, environment), environment, Claim::Shared, wait)
    }

    /// `called` is what the error calls it.
    fn take(state: &StateDir, (scope, name): (&str, &str), called: &str, claim: Claim, wait: Duration) -> Result<Self> {
        let path = lock_path(state, scope, name)?;
        // Read and write, since NFS turns flock into fcntl locks, which ask for a writable descriptor.
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path).on("open", &path)?;
        let start = Instant::now();
        loop {
            let tried = match claim {
                Claim::Alone => FileExt::try_lock_exclusive(&file),
                Claim::Shared => FileExt::try_lock_shared(&file),
            };
            match tried {
                Ok(()) => break,
                Err(error) if error.kind() == fs2::lock_contended_error().kind() => {
                    interrupt::check()?;
                    if start.elapsed() >= wait {
                        return Err(busy(called, &mut file));
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
        Ok(Held { _file: file, environment: called.to_owned() })
    }

    /// The environment that is held.
    pub fn environment(&self) -> &str {
        &self.environment
    }
}

/// The right to work on one database, by whatever way it was named. Ends with the value, or with the process.
#[derive(Debug)]
pub struct Target {
    held: Vec<Held>,
}

impl Target {
    /// Takes the database at `location` alone, waiting at most `wait`. Where its `identity` is known (what stays the same under
    /// every name that leads to it), nobody else who knows it can take it under another name.
    ///
    /// Errors: [`crate::error::Kind::Busy`] with the location, and the holder's name, pid and start.
    pub fn acquire(state: &StateDir, location: &str, identity: Option<&str>, wait: Duration) -> Result<Self> {
        Self::take(state, location, identity, Claim::Alone, wait)
    }

    /// Takes it together with others who only look.
    pub fn share(state: &StateDir, location: &str, identity: Option<&str>, wait: Duration) -> Result<Self> {
        Self::take(state, location, identity, Claim::Shared, wait)
    }

    fn take(state: &StateDir, location: &str, identity: Option<&str>, claim: Claim, wait: Duration) -> Result<Self> {
        // In one order for everybody, so that two who want both never wait for each other; one name twice would be in its own way.
        let names: BTreeSet<String> = [Some(location), identity].into_iter().flatten().map(target_name).collect();
        let start = Instant::now();
        let left = || wait.saturating_sub(start.elapsed());
        let held = names.iter().map(|name| Held::take(state, (TARGET, name), location, claim, left())).collect::<Result<_>>()?;
        Ok(Target { held })
    }

    /// Refuses to work on any other database by this right.
    pub fn require(&self, location: &str) -> Result<()> {
        if self.location() == location {
            return Ok(());
        }
        Err(Error::refused(format!("{} is held, and not {location}", self.location())))
    }

    /// The location it was taken by.
    pub fn location(&self) -> &str {
        self.held.first().map_or("", Held::environment)
    }
}

/// Stands for the store in the lock of a target, which belongs to none.
const TARGET: &str = "target";

/// The name of a target's lock, and of what else the state directory keeps of it.
pub fn target_name(target: &str) -> String {
    fsx::sha256_hex(target.as_bytes())[..16].to_owned()
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

    #[test]
    fn many_share_what_nobody_may_have_alone_meanwhile() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let state = StateDir::at(folder.path());
        let first = Held::share(&state, "s", "prod", Duration::ZERO).expect("the first share");
        let second = Held::share(&state, "s", "prod", Duration::ZERO).expect("a second share");
        drop(first);
        Held::acquire(&state, "s", "prod", Duration::ZERO).expect_err("one share is left");
        drop(second);
        let alone = Held::acquire(&state, "s", "prod", Duration::ZERO).expect("free again");
        Held::share(&state, "s", "prod", Duration::ZERO).expect_err("held alone");
        drop(alone);
    }

    #[test]
    fn a_database_is_the_same_under_every_name() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let state = StateDir::at(folder.path());
        let take = |location, identity| Target::acquire(&state, location, identity, Duration::ZERO);
        let share = |location, identity| Target::share(&state, location, identity, Duration::ZERO);
        let held = take("postgres://localhost/ledger", Some("cluster 7, database 5")).expect("free");
        assert_eq!(held.location(), "postgres://localhost/ledger");
        let error = take("postgres://127.0.0.1/ledger", Some("cluster 7, database 5")).expect_err("the same database");
        assert!(error.to_string().starts_with("postgres://127.0.0.1/ledger is busy: held by "), "{error}");
        take("postgres://localhost/ledger", None).expect_err("the same location");
        Held::acquire(&state, "target", &target_name("postgres://localhost/ledger"), Duration::ZERO).expect_err("as an older binary asks");
        take("postgres://localhost/other", Some("cluster 7, database 6")).expect("another database");
        drop(held);
        take("sqlite:a.db", Some("sqlite:a.db")).expect("one name twice is one lock");
        let one = share("sqlite:a.db", Some("inode 5")).expect("shared");
        let two = share("sqlite:b.db", Some("inode 5")).expect("shared under another name");
        take("sqlite:b.db", Some("inode 5")).expect_err("two look at it");
        drop((one, two));
        take("sqlite:b.db", Some("inode 5")).expect("free again");
    }
}
