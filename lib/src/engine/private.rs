//! What the private servers of all engines have in common: the folder they live in, the user they run as, and a fresh data
//! directory that is made once.

pub(super) mod folder;
pub(super) mod template;

use std::time::Duration;

use nix::unistd::{Uid, User};

use super::Settings;
use crate::error::{Error, Result};
use crate::exec::{self, RunAs};
use crate::shell;

/// The longest a fresh server may take to be ready.
pub(super) const READY_WAIT: Duration = Duration::from_secs(60);

/// The user a private `server` runs as: ourselves, but where we are root, as which servers refuse to run; then the configured
/// user, or the first there is of `usual`.
pub(super) fn run_as(settings: &Settings, server: &str, usual: &[&str]) -> Result<Option<RunAs>> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(None);
    }
    let names = match &settings.scratch_user {
        Some(name) => vec![name.as_str()],
        None => usual.to_vec(),
    };
    for name in &names {
        if let Ok(Some(user)) = User::from_name(name) {
            return Ok(Some(RunAs { uid: user.uid.as_raw(), gid: user.gid.as_raw() }));
        }
    }
    Err(Error::config(format!("there is no user {} to run a private {server} server as (root may not)", names.join(" or ")))
        .hint("set scratch_user"))
}

/// A line for a person's shell that runs `line` as the user of a private server.
pub(super) fn shell_as(user: Option<RunAs>, line: String) -> String {
    let name = user.and_then(|user| User::from_uid(Uid::from_raw(user.uid)).ok().flatten()).map(|user| shell::word(&user.name));
    match name {
        None => line,
        Some(name) if !exec::find("runuser", &[]).is_empty() => format!("runuser -u {name} -- {line}"),
        Some(name) => format!("su -s /bin/sh {name} -c {}", shell::word(&line)),
    }
}
