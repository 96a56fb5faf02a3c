//! From the text of a source (`app.db`, `sqlite:PATH`, `postgres://…`) to its engine.

use std::path::Path;

use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::{Engine, Settings};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Opens the engine that a source's text names. Relative paths are relative to `base`; a password given here wins over
/// one in the text.
pub fn open(text: &str, base: &Path, password: Option<Secret>, settings: Settings) -> Result<Box<dyn Engine>> {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+'));
    match scheme {
        Some("postgres" | "postgresql") => Ok(Box::new(Postgres::parse(text, password, settings)?)),
        Some("sqlite" | "sqlite3" | "file") => Ok(Box::new(Sqlite::parse(text, base, settings)?)),
        Some(other) if text[other.len()..].starts_with("://") => Err(Error::usage(format!("no engine for {other}://"))
            .hint("use sqlite:PATH, a plain path, or postgres://USER@HOST/DATABASE")),
        _ => Ok(Box::new(Sqlite::parse(text, base, settings)?)),
    }
}
