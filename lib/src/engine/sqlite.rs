//! SQLite, embedded: no program is needed, and a database file is never copied as a file.

mod address;
mod content;
mod dump;
mod exchange;
mod fingerprint;
mod image;
mod load;
mod marker;
mod open;
mod schema;
mod structure;
mod swap;

pub use structure::{ImageStructure, SqlStructure};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Beside, Content, Depth, Dumped, Engine, Kept, Live, Outlet, Probe, Settings, Workspace};
use crate::error::{Error, Kind, OnPath, Result};
use crate::fingerprint::Fingerprint;
use crate::fsx;
use crate::manifest::{Database, EngineName};
use crate::marker::Marker;
use crate::schema::Schema;

/// A SQLite database file at its real place.
pub struct Sqlite {
    path: PathBuf,
    settings: Settings,
}

impl Sqlite {
    /// Reads `sqlite:PATH`, `sqlite:///PATH`, `file:PATH` or a plain path; relative ones are relative to `base`. A link is
    /// followed once, here, so that everything later speaks of one file.
    pub fn parse(text: &str, base: &Path, settings: Settings) -> Result<Self> {
        let path = ["sqlite3:", "sqlite:", "file:"].iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or(text);
        let path = path.strip_prefix("//").filter(|rest| rest.starts_with('/')).unwrap_or(path);
        if path.is_empty() || path == ":memory:" {
            return Err(Error::usage(format!("{text:?} names no database file")).hint("use a path, or sqlite:PATH"));
        }
        if path.contains('\0') {
            return Err(Error::usage("a path cannot hold a NUL byte"));
        }
        let path = base.join(path);
        let path = match path.canonicalize() {
            Ok(real) => real,
            Err(_) => match (path.parent().and_then(|parent| parent.canonicalize().ok()), path.file_name()) {
                (Some(parent), Some(name)) => parent.join(name),
                _ => path,
            },
        };
        Ok(Sqlite { path, settings })
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    fn beside_path(&self, what: &str, id: &str) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{what}-{id}"));
        self.path.with_file_name(name)
    }
}

impl Engine for Sqlite {
    fn name(&self) -> EngineName {
        EngineName::Sqlite
    }

    fn content(&self) -> Content {
        Content::SqliteImage
    }

    fn location(&self) -> String {
        format!("sqlite:{}", self.path.display())
    }

    fn database_name(&self) -> String {
        self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    fn identity(&self) -> Option<String> {
        dump::identity(&self.path).ok()
    }

    fn probe(&self) -> Result<Probe> {
        let (tables, estimated_bytes, marked) = open::in_snapshot(&self.path, self.settings.busy_timeout, |connection| {
            let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema WHERE type = 'table'", [], |row| row.get(0))?;
            Ok((tables, open::size(connection)?, marker::rows(connection)?))
        })?;
        if tables == 0 && !self.settings.allow_empty {
            return Err(Error::failed(format!("{} has no tables", self.path.display())).hint(
                "is it the right file? allow_empty in the configuration, or --allow-empty of backup-db, says that an empty one is meant",
            ));
        }
        Ok(Probe { estimated_bytes, warnings: Vec::new(), marker: marker::read(&marked, &self.path)? })
    }

    fn dump(&self, out: &mut dyn Outlet) -> Result<Dumped> {
        dump::dump(&self.path, &self.settings, out)
    }

    fn image(&self, out: &mut dyn Outlet) -> Result<Option<Fingerprint>> {
        image::image(&self.path, &self.settings, out).map(|()| None)
    }

    fn schema(&self) -> Result<Schema> {
        open::in_snapshot(&self.path, self.settings.busy_timeout, schema::read)
    }

    fn examine(&self) -> Result<Vec<String>> {
        open::in_snapshot(&self.path, self.settings.busy_timeout, fingerprint::quick_check).map(|checked| checked.problems)
    }

    fn marker(&self) -> Result<Option<Marker>> {
        if matches!(self.path.metadata(), Err(error) if error.kind() == std::io::ErrorKind::NotFound) {
            return Ok(None);
        }
        match open::in_snapshot(&self.path, self.settings.busy_timeout, marker::rows) {
            // What is no database, or too damaged to be read, says nothing of itself: it must be possible to restore over it.
            Err(error) if error.kind() == Kind::Bad => Ok(None),
            other => marker::read(&other?, &self.path),
        }
    }

    fn mark(&self, marker: &Marker) -> Result<()> {
        marker::write(&self.path, marker, self.settings.busy_timeout)
    }

    fn is_named_by(&self, value: &str) -> bool {
        address::names(value, &self.path)
    }

    fn places(&self) -> BTreeMap<&'static str, String> {
        address::reach(&self.path).places
    }

    fn limits(&self, lock: Option<Duration>, statement: Option<Duration>) -> Result<BTreeMap<String, String>> {
        if lock.is_none() && statement.is_none() {
            return Ok(BTreeMap::new());
        }
        Err(Error::usage("SQLite has no server that could hold a command to a lock or statement timeout")
            .hint("set the application's own busy timeout, or bound the whole command with --timeout"))
    }

    fn live(&self) -> Result<Live> {
        let found = match self.path.symlink_metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Live::Missing),
            other => other.on("look at", &self.path)?,
        };
        if !found.is_file() {
            return Err(Error::failed(format!("{} is not a file", self.path.display())));
        }
        let look = || {
            let connection = open::source(&self.path)?;
            open::within(self.settings.busy_timeout, &self.path, || {
                let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
                Ok(Live::Present { bytes: open::size(&connection)?, is_empty: tables == 0 })
            })
        };
        match look() {
            Err(error) if error.kind() == Kind::Bad => Ok(Live::Broken(error.to_string())),
            other => other,
        }
    }

    fn fingerprint(&self, depth: Depth) -> Result<Fingerprint> {
        open::in_snapshot(&self.path, self.settings.busy_timeout, |connection| fingerprint::take(connection, depth))
    }

    fn require_room(&self, plain_bytes: u64) -> Result<()> {
        let kept_bytes = self.path.metadata().map_or(0, |found| found.len());
        fsx::require_free(self.folder(), plain_bytes.saturating_add(kept_bytes))
    }

    fn scratch(&self, origin: Option<&Database>) -> Result<Box<dyn Workspace>> {
        Ok(Box::new(load::File::scratch(origin, &self.settings)?))
    }

    fn beside(&self, origin: Option<&Database>, id: &str) -> Result<Box<dyn Beside>> {
        let folder = self.folder();
        if !folder.is_dir() {
            return Err(Error::failed(format!("the folder {} is not there", folder.display()))
                .hint("is its disk mounted? else make it, for the user who works with the database"));
        }
        let file = load::File::at(self.beside_path("restore", id), &self.settings);
        let own = origin.filter(|origin| origin.location == self.location());
        Ok(Box::new(swap::Incoming::new(file, self.path.clone(), self.beside_path("before", id), own.and_then(dump::mode_in))))
    }

    fn would_keep(&self, id: &str) -> Result<Kept> {
        Ok(swap::would_keep(&self.path, &self.beside_path("before", id)))
    }

    fn is_kept(&self, kept: &Kept) -> Result<bool> {
        Ok(kept.aside.as_ref().is_some_and(|aside| swap::is_anything_at(Path::new(aside))))
    }

    fn undo(&self, kept: &Kept, id: &str) -> Result<Kept> {
        swap::undo(&self.path, kept, &self.settings, &self.beside_path("before", id))
    }

    fn discard(&self, kept: &Kept) -> Result<()> {
        swap::discard(&self.path, kept)
    }

    fn recover(&self) -> Result<Vec<String>> {
        swap::recover(&self.path)
    }
}

#[cfg(test)]
mod tests;
