//! Whether a file's bytes are here, in a folder that a sync service keeps.
//!
//! A sync service takes bytes away (evicted files), leaves stand-ins for them (`.NAME.icloud`), and makes copies where two
//! machines wrote one name (`NAME 2`). None of that shows in a size or a listing. Everything here looks at names and at the
//! file system's flags only: opening an evicted file, or listing an evicted folder, would download it, which can take hours.

mod conflict;
mod download;
mod service;
mod survey;
mod system;

pub use download::wait_until_local;
pub use service::{Service, service_of};
pub use survey::{CloudOnly, Conflict, Survey, survey};
pub use system::SystemProbe;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Result;

/// The end of a name that iCloud does not upload.
pub const NOT_UPLOADED_SUFFIX: &str = ".nosync";

/// Where a file's or folder's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncState {
    /// On this machine.
    Local,
    /// Evicted: only its name is here.
    CloudOnly,
    /// Nothing of that name is here, and no placeholder for it.
    Missing,
}

/// What can be asked of a sync service. The real one is [`SystemProbe`].
pub trait SyncProbe {
    /// Where the bytes of `path` are; neither opens nor lists it.
    fn state(&self, path: &Path) -> Result<SyncState>;

    /// Asks for the bytes of an evicted file and returns at once where the service allows that, and after `deadline` at the
    /// latest. Does nothing where no service is known.
    fn request_download(&self, path: &Path, deadline: Duration) -> Result<()>;
}

/// The name of the staging folder of a backup: hidden, and not uploaded.
pub fn staging_name(id: &str) -> String {
    format!(".staging-{id}{NOT_UPLOADED_SUFFIX}")
}

/// Whether a sync service leaves files of this name alone.
pub fn is_not_uploaded(name: &OsStr) -> bool {
    name.as_encoded_bytes().ends_with(NOT_UPLOADED_SUFFIX.as_bytes())
}

/// The name that a placeholder stands for: `.NAME.icloud` stands for `NAME`.
pub fn placeholder_for(name: &OsStr) -> Option<OsString> {
    use std::os::unix::ffi::OsStrExt;
    let real = name.as_bytes().strip_prefix(b".")?.strip_suffix(b".icloud")?;
    (!real.is_empty()).then(|| OsStr::from_bytes(real).to_owned())
}

/// The name of the placeholder that stands for a file of this name: what [`placeholder_for`] takes apart.
pub fn placeholder_name(name: &OsStr) -> OsString {
    let mut placeholder = OsString::from(".");
    placeholder.push(name);
    placeholder.push(".icloud");
    placeholder
}

/// The placeholder that stands for `path` once it is evicted on an older macOS.
pub fn placeholder_of(path: &Path) -> Option<PathBuf> {
    Some(path.with_file_name(placeholder_name(path.file_name()?)))
}

/// A name as it may be shown on a terminal: control characters, and those that turn the direction of writing, are escaped.
pub fn shown(name: &OsStr) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    name.to_string_lossy().chars().fold(String::new(), |mut text, c| {
        if c.is_control() || turns(c) {
            text.extend(c.escape_default())
        } else {
            text.push(c)
        }
        text
    })
}

#[cfg(test)]
mod tests;
