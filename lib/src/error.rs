//! One error type: what failed, why, and what to do next. Its kind decides the exit status.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::Path;

use crate::exit;

/// What the library returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of failure it is; see [`exit::TABLE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The operation failed; nothing was published.
    Failed,
    /// Wrong usage.
    Usage,
    /// A backup is bad, missing or too old.
    Bad,
    /// Protection, approval or policy stands against it.
    Refused,
    /// Another run holds the lock.
    Busy,
    /// The configuration is wrong.
    Config,
    /// Published, but incomplete.
    Partial,
    /// Stopped by this signal.
    Signal(i32),
    /// One of the statuses of [`exit::WRAPPERS`].
    Wrapper(u8),
}

impl Kind {
    /// The exit status of a process that ends with this kind of error.
    pub fn status(self) -> u8 {
        match self {
            Kind::Failed => exit::FAILED,
            Kind::Usage => exit::USAGE,
            Kind::Bad => exit::BAD,
            Kind::Refused => exit::REFUSED,
            Kind::Busy => exit::BUSY,
            Kind::Config => exit::CONFIG,
            Kind::Partial => exit::PARTIAL,
            Kind::Signal(number) => exit::SIGNAL_BASE.saturating_add(u8::try_from(number).unwrap_or(0)),
            Kind::Wrapper(status) => status,
        }
    }
}

/// A failure: one line of what and why, and a hint that says what to do next.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    what: String,
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind`; `what` is lowercase and without a full stop.
    pub fn new(kind: Kind, what: impl Into<String>) -> Self {
        Error(Box::new(Inner { kind, what: what.into(), hint: None, source: None }))
    }

    /// The operation failed.
    pub fn failed(what: impl Into<String>) -> Self {
        Self::new(Kind::Failed, what)
    }

    /// The command line was wrong.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Kind::Usage, what)
    }

    /// A backup is bad, missing or too old.
    pub fn bad(what: impl Into<String>) -> Self {
        Self::new(Kind::Bad, what)
    }

    /// Not allowed.
    pub fn refused(what: impl Into<String>) -> Self {
        Self::new(Kind::Refused, what)
    }

    /// Somebody else is at it.
    pub fn busy(what: impl Into<String>) -> Self {
        Self::new(Kind::Busy, what)
    }

    /// The configuration is wrong.
    pub fn config(what: impl Into<String>) -> Self {
        Self::new(Kind::Config, what)
    }

    /// Adds the sentence, question or command that says what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the cause, which is shown after the `what`.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Says the same under another kind.
    #[must_use]
    pub fn as_kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Puts `prefix: ` before the message.
    #[must_use]
    pub fn within(mut self, prefix: impl fmt::Display) -> Self {
        self.0.what = format!("{prefix}: {}", self.0.what);
        self
    }

    /// The kind, which decides the exit status.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The next step, where there is one.
    pub fn next_step(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.what)?;
        if let Some(source) = &self.0.source {
            write!(f, ": {source}")?;
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// Lets an [`Error`] pass through an interface that speaks [`io::Error`], and come out whole at [`Error::from_io`].
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        io::Error::other(error)
    }
}

impl Error {
    /// Takes an error back out of an [`io::Error`] that carries one; any other becomes `what: why`.
    pub fn from_io(what: impl Into<String>, error: io::Error) -> Self {
        match error.downcast::<Error>() {
            Ok(own) => own,
            Err(foreign) => {
                let hint = hint_for(&foreign);
                let wrapped = Error::failed(what).because(foreign);
                match hint {
                    Some(hint) => wrapped.hint(hint),
                    None => wrapped,
                }
            }
        }
    }
}

/// What usually helps against an error of the operating system.
fn hint_for(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::StorageFull => {
            Some("free some space there or name another store; nothing was published and older backups are untouched")
        }
        io::ErrorKind::QuotaExceeded => Some("your quota there is used up; nothing was published"),
        io::ErrorKind::ReadOnlyFilesystem => Some("that file system is mounted read-only"),
        io::ErrorKind::PermissionDenied if cfg!(target_os = "macos") => {
            Some("on macOS the scheduler's own program needs Full Disk Access (System Settings, Privacy & Security)")
        }
        io::ErrorKind::PermissionDenied => Some("run it as the user who owns that path, or change its owner or mode"),
        io::ErrorKind::InvalidInput if error.raw_os_error() == Some(nix::libc::ENAMETOOLONG) => Some("use a shorter path"),
        _ => None,
    }
}

/// Says on which path an operation of the operating system failed.
pub trait OnPath<T> {
    /// Turns the error into `cannot ACTION PATH: why`.
    fn on(self, action: &str, path: &Path) -> Result<T>;
}

impl<T> OnPath<T> for io::Result<T> {
    fn on(self, action: &str, path: &Path) -> Result<T> {
        self.map_err(|error| Error::from_io(format!("cannot {action} {}", path.display()), error))
    }
}

impl<T> OnPath<T> for nix::Result<T> {
    fn on(self, action: &str, path: &Path) -> Result<T> {
        self.map_err(io::Error::from).on(action, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_survives_the_way_through_io() {
        let inner: io::Error = Error::busy("prod is busy").hint("wait").into();
        let back = Error::from_io("cannot read", inner);
        assert_eq!(back.kind(), Kind::Busy);
        assert_eq!(back.to_string(), "prod is busy");
        assert_eq!(back.next_step(), Some("wait"));
    }

    #[test]
    fn a_full_disk_says_what_to_do() {
        let error = Error::from_io("cannot write x", io::Error::from_raw_os_error(nix::libc::ENOSPC));
        assert!(error.to_string().starts_with("cannot write x: No space left"));
        assert!(error.next_step().is_some_and(|hint| hint.contains("free some space")));
    }

    #[test]
    fn every_kind_has_a_row_in_the_table() {
        for kind in [Kind::Failed, Kind::Usage, Kind::Bad, Kind::Refused, Kind::Busy, Kind::Config, Kind::Partial] {
            assert!(exit::TABLE.iter().any(|row| row.code == kind.status()), "{kind:?}");
        }
        assert_eq!(Kind::Signal(15).status(), 143);
    }
}
