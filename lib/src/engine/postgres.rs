//! PostgreSQL, through its own client programs.

mod sql;
pub mod text;

use super::Settings;
use crate::error::Result;
use crate::secret::Secret;

/// A PostgreSQL database.
pub struct Postgres {
    _settings: Settings,
}

impl Postgres {
    /// Reads a source's text.
    pub fn parse(_text: &str, _password: Option<Secret>, settings: Settings) -> Result<Self> {
        Ok(Postgres { _settings: settings })
    }
}
