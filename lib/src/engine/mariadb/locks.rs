//! Locks of the server's that tell a later run that the one that works on a database is alive.

use std::time::Duration;

use sha2::{Digest, Sha256};

use super::session::Session;
use super::sql;
use crate::error::{Error, Result};
use crate::fsx;

/// Takes a lock that ends with the session; false where another session has it.
pub(super) fn try_lock(session: &mut Session, name: &str) -> Result<bool> {
    Ok(session.text(&format!("SELECT GET_LOCK({}, 0)", lock_name(name)))? == "1")
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
