//! From the text of a source (`app.db`, `sqlite:PATH`, `postgres://…`) to its engine.

use std::path::Path;

use super::sqlite::Sqlite;
use super::{Engine, Settings, Workspace};
use crate::error::{Error, Result};
use crate::manifest::{Database, EngineName};
use crate::secret::Secret;

/// Opens the engine that a source's text names. Relative paths are relative to `base`; a password given here wins over
/// one in the text.
pub fn open(text: &str, base: &Path, _password: Option<Secret>, settings: Settings) -> Result<Box<dyn Engine>> {
    match scheme_of(text) {
        Some("sqlite" | "sqlite3" | "file") => Ok(Box::new(Sqlite::parse(text, base, settings)?)),
        Some(other) if text[other.len()..].starts_with("://") => Err(Error::usage(format!("there is no engine for {other}://"))
            .hint("use sqlite:PATH, a plain path, or postgres://USER@HOST/DATABASE")),
        _ => Ok(Box::new(Sqlite::parse(text, base, settings)?)),
    }
}

/// A throwaway database of this engine.
pub fn scratch(engine: EngineName, origin: Option<&Database>, settings: Settings) -> Result<Box<dyn Workspace>> {
    match engine {
        EngineName::Sqlite => Sqlite::parse("scratch", Path::new("/"), settings)?.scratch(origin),
        EngineName::Postgres => Err(Error::failed("not yet")),
    }
}

/// What stands before the colon, where that can be a scheme: one letter alone would be a drive.
fn scheme_of(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    (scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+')).then_some(scheme)
}
