//! From the text of a source (`app.db`, `sqlite:PATH`, `postgres://…`, `mariadb://…`) to its engine.

use std::path::{Path, PathBuf};

use super::mariadb::Mariadb;
use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::{Engine, Settings, Workspace};
use crate::error::{Error, Result};
use crate::manifest::{Database, EngineName};
use crate::secret::Secret;

/// What names a database.
#[derive(Debug, Clone)]
pub struct Source {
    /// A path, `sqlite:PATH`, `postgres://…` or `mariadb://…`.
    pub text: String,
    /// What a relative path is relative to.
    pub base: PathBuf,
    /// The password, where it is not in the text; it wins over one that is.
    pub password: Option<Secret>,
    /// Another user than the text's.
    pub user: Option<String>,
    /// Another database of the same server.
    pub dbname: Option<String>,
}

impl Source {
    /// A source that is its text and nothing more.
    pub fn of(text: impl Into<String>, base: impl Into<PathBuf>) -> Self {
        Source { text: text.into(), base: base.into(), password: None, user: None, dbname: None }
    }

    /// Opens its engine. Nothing is connected to yet.
    pub fn open(&self, settings: Settings) -> Result<Box<dyn Engine>> {
        match scheme_of(&self.text) {
            Some("postgres" | "postgresql") => {
                let mut postgres = Postgres::parse(&self.text, self.password.clone(), settings)?;
                if let Some(user) = &self.user {
                    postgres = postgres.as_user(user);
                }
                if let Some(database) = &self.dbname {
                    postgres = postgres.on_database(database);
                }
                Ok(Box::new(postgres))
            }
            Some("mariadb" | "mysql") => {
                let mut mariadb = Mariadb::parse(&self.text, self.password.clone(), settings)?;
                if let Some(user) = &self.user {
                    mariadb = mariadb.as_user(user);
                }
                if let Some(database) = &self.dbname {
                    mariadb = mariadb.on_database(database);
                }
                Ok(Box::new(mariadb))
            }
            Some(other) if !matches!(other, "sqlite" | "sqlite3" | "file") && self.text[other.len()..].starts_with("://") => {
                Err(Error::usage(format!("there is no engine for {other}://"))
                    .hint("use sqlite:PATH, a plain path, postgres://USER@HOST/DATABASE, or mariadb://USER@HOST/DATABASE"))
            }
            _ if self.user.is_some() || self.dbname.is_some() => {
                Err(Error::usage(format!("{} is SQLite, which has no users and one database a file", self.text))
                    .hint("name the file with --to"))
            }
            _ => Ok(Box::new(Sqlite::parse(&self.text, &self.base, settings)?)),
        }
    }
}

/// The engine of a source's text, by its scheme alone.
pub fn engine_of(text: &str) -> EngineName {
    match scheme_of(text) {
        Some("postgres" | "postgresql") => EngineName::Postgres,
        Some("mariadb" | "mysql") => EngineName::Mariadb,
        _ => EngineName::Sqlite,
    }
}

/// A throwaway database of this engine.
pub fn scratch(engine: EngineName, origin: Option<&Database>, settings: Settings) -> Result<Box<dyn Workspace>> {
    match engine {
        EngineName::Sqlite => Sqlite::parse("scratch", Path::new("/"), settings)?.scratch(origin),
        EngineName::Postgres => Postgres::parse("postgres:", None, settings)?.scratch(origin),
        EngineName::Mariadb => Mariadb::parse("mariadb:", None, settings)?.scratch(origin),
    }
}

/// What stands before the colon, where that can be a scheme: one letter alone would be a drive.
fn scheme_of(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    (scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+')).then_some(scheme)
}
