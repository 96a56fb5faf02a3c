//! The marker: the environment's name, kept inside the database, so that a wrong flag or a wrong URL is noticed.
//!
//! It is one small table, written only where somebody asks for it (`backup-guard mark-env`). It goes along into backups,
//! restores and clones; a clone says of itself that it is one.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::error::{Error, Result};

/// Name of the table.
pub const TABLE: &str = "holdfast_marker";

/// What a marked database says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// The environment it belongs to, or that it was cloned from.
    pub environment: String,
    /// Whether it is that environment's database, or a clone of it.
    pub role: Role,
    /// When it was written.
    #[serde(with = "clock::rfc3339_millis")]
    pub marked_at: DateTime<Utc>,
}

/// What a marked database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The environment's own database.
    Real,
    /// A copy of it that somebody works on.
    Clone,
}

impl Role {
    /// As it stands in the table.
    pub fn name(self) -> &'static str {
        match self {
            Role::Real => "real",
            Role::Clone => "clone",
        }
    }

    /// Reads what stands in the table; what a newer version wrote there is taken for no real database.
    pub fn read(text: &str) -> Self {
        if text == "real" { Role::Real } else { Role::Clone }
    }
}

impl Marker {
    /// The marker of an environment's own database.
    pub fn real(environment: &str) -> Self {
        Marker { environment: environment.to_owned(), role: Role::Real, marked_at: clock::now() }
    }

    /// Whether it says that the database is this environment's own.
    pub fn is_real_of(&self, environment: &str) -> bool {
        self.role == Role::Real && self.environment == environment
    }

    /// The marker of a copy of a database that bears this one.
    #[must_use]
    pub fn of_clone(&self) -> Self {
        Marker { environment: self.environment.clone(), role: Role::Clone, marked_at: clock::now() }
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.role {
            Role::Real => write!(f, "{}", self.environment),
            Role::Clone => write!(f, "a clone of {}", self.environment),
        }
    }
}

/// Refuses to work as `environment` on the database at `location` where that says that it is something else. A database
/// without a marker is taken for what the configuration says.
pub fn require(found: Option<&Marker>, environment: &str, location: &str) -> Result<()> {
    match found {
        Some(marker) if !marker.is_real_of(environment) => {
            Err(Error::refused(format!("{environment} was meant, but the database {location} says that it is {marker}")).hint(format!(
                "is it the right environment and the right database? if it is {environment}'s, say so: backup-guard mark-env {environment} {location}"
            )))
        }
        _ => Ok(()),
    }
}

/// Whether a table, by its name in a fingerprint or a schema, is the marker's; nobody's rows are lost with it. A dot alone
/// does not make a schema: SQLite's names may hold one.
pub fn is_marker(table: &str) -> bool {
    table == TABLE || table.strip_prefix("public.") == Some(TABLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_name_and_a_clone_are_refused_with_both_names() {
        let prod = Marker::real("prod");
        assert!(require(Some(&prod), "prod", "sqlite:/a").is_ok());
        assert!(require(None, "dev", "sqlite:/a").is_ok());
        let error = require(Some(&prod), "dev", "sqlite:/a").expect_err("the wrong environment");
        assert!(error.to_string().contains("dev was meant") && error.to_string().contains("it is prod"), "{error}");
        let error = require(Some(&prod.of_clone()), "prod", "sqlite:/a").expect_err("a clone");
        assert!(error.to_string().contains("a clone of prod"), "{error}");
    }

    #[test]
    fn its_table_is_known_by_every_engines_name() {
        for name in ["holdfast_marker", "public.holdfast_marker"] {
            assert!(is_marker(name), "{name}");
        }
        for name in ["public.my_holdfast_marker", "audit.holdfast_marker"] {
            assert!(!is_marker(name), "{name}");
        }
    }
}
