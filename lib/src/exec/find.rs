//! Finding programs where a scheduler's short PATH does not look.

use std::path::PathBuf;
use std::time::Duration;

use super::Call;
use crate::error::Result;

/// The folders the usual packagers install to; cron's PATH is `/usr/bin:/bin`.
const FOLDERS: &[&str] = &["/usr/local/bin", "/usr/bin", "/bin", "/opt/homebrew/bin", "/opt/local/bin", "/usr/sbin", "/usr/local/sbin"];

/// Every program called `name`: first in `preferred`, then on PATH, then in the usual folders; each file once.
pub fn find(name: &str, preferred: &[PathBuf]) -> Vec<PathBuf> {
    let on_path = which::which_all(name).into_iter().flatten();
    let candidates = preferred
        .iter()
        .map(|folder| folder.join(name))
        .chain(on_path)
        .chain(FOLDERS.iter().map(|folder| PathBuf::from(folder).join(name)));
    let mut found: Vec<PathBuf> = Vec::new();
    for candidate in candidates {
        if which::which(&candidate).is_ok() && !found.contains(&candidate) {
            found.push(candidate);
        }
    }
    found
}

/// What `PROGRAM --version` says, as one line.
pub fn version_of(program: &std::path::Path) -> Result<String> {
    Ok(Call::new(program).arg("--version").silence_max(Duration::from_secs(20)).run()?.text())
}
