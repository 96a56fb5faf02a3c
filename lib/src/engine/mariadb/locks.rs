//! Locks of the server's that tell a later run that the one that works on a database is alive.

use std::time::Duration;

use sha2::{Digest, Sha256};

use super::session::Session;
use super::sql;
use crate::error::{Error, Result};
use crate::fsx;

/// How long the session of a run that is dead may still be there.
const LINGERING_SECONDS: u32 = 3;

/// Takes a lock that ends with the session; false where another session has it.
pub(super) fn try_lock(session: &mut Session, name: &str) -> Result<bool> {
    Ok(session.text(&format!("SELECT GET_LOCK({}, 0)", lock_name(name)))? == "1")
}

/// The same where a killed run may have had it: its session ends a moment after the run.
pub(super) fn try_lock_of_dead(session: &mut Session, name: &str) -> Result<bool> {
    Ok(session.text(&format!("SELECT GET_LOCK({}, {LINGERING_SECONDS})", lock_name(name)))? == "1")
}

/// Waits for such a lock, but no longer than `wait`.
pub(super) fn lock_within(session: &mut Session, name: &str, wait: Duration) -> Result<()> {
    if session.text(&format!("SELECT GET_LOCK({}, {})", lock_name(name), wait.as_secs()))? == "1" {
        return Ok(());
    }
    Err(Error::busy(format!("another run works on {name}")))
}

pub(super) fn unlock(session: &mut Session, name: &str) -> Result<()> {
    session.run(&format!("SELECT RELEASE_LOCK({})", lock_name(name)))
}

/// A lock has a name for the whole server, of at most 64 characters.
fn lock_name(name: &str) -> String {
    sql::literal(&format!("holdfast-{}", &fsx::hex(&Sha256::digest(name))[..40]))
}
