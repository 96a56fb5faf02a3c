//! What a database was in a backup, and whether it still is.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;

use super::verify::{self, Compared, Demands, Proven};
use crate::backup::Backup;
use crate::changes::Changes;
use crate::engine::{Depth, Engine, Left, Settings, Workspace};
use crate::error::{Error, Kind, Result};
use crate::fingerprint::Fingerprint;
use crate::frames::index::Index;
use crate::manifest::{EngineName, Level};
use crate::marker;
use crate::progress::Silent;
use crate::schema::Schema;
use crate::store;

/// The state that a backup holds. What the manifest does not say of it is read off a clone, which is the one by which the
/// backup was proven, or one that is loaded when it is first needed.
pub struct Before {
    backup: Backup,
    /// Of the backup's database, read before anything could happen to it.
    index: Index,
    settings: Settings,
    clone: RefCell<Option<Box<dyn Workspace>>>,
}

/// What a database is now, against what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Since {
    /// Not one row and no definition is different.
    Unchanged,
    /// What is different.
    Changed(Changes),
}

impl Since {
    fn of(changes: Changes) -> Self {
        if changes.is_empty() { Since::Unchanged } else { Since::Changed(changes) }
    }
}

/// What a database that is compared with a backup is to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    /// The one that the backup was made of.
    TheSame,
    /// One that was loaded from it.
    ACopy,
}

impl Before {
    /// The state in a backup, with the clone that proved it.
    pub fn proven(backup: Backup, settings: Settings, proven: Proven) -> Result<Self> {
        if proven.backup_id() != backup.id() {
            return Err(Error::failed(format!("the proof is of {}, not of {}", proven.backup_id(), backup.id())));
        }
        let before = Self::of(backup, settings)?;
        *before.clone.borrow_mut() = Some(proven.into_clone());
        Ok(before)
    }

    /// The state in a backup of which there is no clone yet.
    pub fn of(backup: Backup, settings: Settings) -> Result<Self> {
        let index = backup.index(backup.database()?)?;
        Ok(Before { backup, index, settings, clone: RefCell::new(None) })
    }

    /// The backup.
    pub fn backup(&self) -> &Backup {
        &self.backup
    }

    /// Takes the clone away, to be worked on; another is loaded when one is needed again.
    pub fn take_clone(&self) -> Result<Box<dyn Workspace>> {
        self.with_clone(|_| Ok(()))?;
        self.clone.borrow_mut().take().ok_or_else(|| Error::failed("the clone is gone"))
    }

    /// Leaves the clone behind for inspection, where there is one: its state is that of the backup.
    pub fn keep_clone(&self) -> Option<Result<Left>> {
        self.clone.borrow_mut().take().map(Workspace::keep)
    }

    /// Rows that a table had.
    pub fn rows_of(&self, table: &str) -> u64 {
        self.fingerprint().and_then(|fingerprint| fingerprint.tables.get(table)).map_or(0, |table| table.rows)
    }

    /// The tables that it had.
    pub fn tables(&self) -> impl Iterator<Item = &str> + Clone {
        self.fingerprint().into_iter().flat_map(|fingerprint| fingerprint.tables.keys().map(String::as_str))
    }

    /// Whether the database bore a marker.
    pub fn is_marked(&self) -> bool {
        self.tables().any(marker::is_marker)
    }

    fn fingerprint(&self) -> Option<&Fingerprint> {
        self.backup.manifest().fingerprint.as_ref()
    }

    /// Compares a live database with this state, by content. First by the bytes that a backup of it would have, which
    /// costs one pass and mostly is enough; where they differ, table by table and definition by definition.
    pub fn compare(&self, engine: &dyn Engine) -> Result<Since> {
        self.compare_as(engine, Is::TheSame)
    }

    /// The same for the database that was loaded from this backup.
    pub fn compare_restored(&self, engine: &dyn Engine) -> Result<Since> {
        self.compare_as(engine, Is::ACopy)
    }

    fn compare_as(&self, engine: &dyn Engine, what: Is) -> Result<Since> {
        let folder = store::scratch_folder(&self.settings.scratch_dir)?;
        let mut out = Compared::with(self.index.clone(), folder.path());
        let streamed = engine.image(&mut out)?;
        let around = if what == Is::TheSame { engine.around()? } else { BTreeMap::new() };
        if out.was_same() {
            return Ok(Since::of(Changes::default().with_around(self.around(), &around)));
        }
        let after = match streamed {
            Some(fingerprint) => fingerprint,
            None => engine.fingerprint(Depth::Content)?,
        };
        Ok(Since::of(self.changes(&after, what, || engine.schema())?.with_around(self.around(), &around)))
    }

    /// What stood around the database, as far as the manifest says.
    fn around(&self) -> &BTreeMap<String, Value> {
        const NOTHING: &BTreeMap<String, Value> = &BTreeMap::new();
        self.backup.manifest().database.as_ref().map_or(NOTHING, |database| &database.properties)
    }

    /// The same for a clone that something has worked on.
    pub fn compare_clone(&self, clone: &dyn Workspace) -> Result<Since> {
        self.changes(&clone.loaded().fingerprint(Depth::Content)?, Is::ACopy, || clone.loaded().schema()).map(Since::of)
    }

    fn changes(&self, after: &Fingerprint, what: Is, schema_after: impl FnOnce() -> Result<Schema>) -> Result<Changes> {
        let before = self.content(what).map_err(of_the_backup)?;
        let changes = Changes::between(&before, after).with_unreadable(self.unreadable(&before)?);
        if before.schema_sha256 == after.schema_sha256 {
            return Ok(changes);
        }
        Ok(changes.with_schema(&self.with_clone(|clone| clone.loaded().schema())?, &schema_after()?))
    }

    /// Tables of SQLite that only the application can read, for want of a collation or a module: a fingerprint leaves them out,
    /// and nothing may be concluded from that.
    fn unreadable(&self, before: &Fingerprint) -> Result<Vec<String>> {
        if self.backup.manifest().database.as_ref().is_none_or(|database| database.engine != EngineName::Sqlite) {
            return Ok(Vec::new());
        }
        let is_known = |table: &str| before.tables.get(table).is_some_and(|known| known.content_sha256.is_some());
        let is_virtual = |sql: &str| sql.trim_start().get(..14).is_some_and(|start| start.eq_ignore_ascii_case("CREATE VIRTUAL"));
        let schema = self.with_clone(|clone| clone.loaded().schema())?;
        let tables = schema.0.iter().filter(|(_, sql)| !is_virtual(sql)).filter_map(|(name, _)| name.strip_prefix("table "));
        Ok(tables.filter(|table| !is_known(table)).map(str::to_owned).collect())
    }

    /// The fingerprint with every table's content. Where the manifest leaves some out, it is because a copy may have their
    /// columns in another order: then the backup's own stream tells them for the database that it was made of.
    fn content(&self, what: Is) -> Result<Fingerprint> {
        let tells_state = verify::content_of(&self.backup, self.backup.database()?)?.tells_state();
        match self.fingerprint() {
            Some(known) if (tells_state && what == Is::ACopy) || known.tables.values().all(|table| table.content_sha256.is_some()) => {
                Ok(known.clone())
            }
            _ => match verify::read_back(&self.backup)? {
                Some(read) => Ok(read),
                None => self.with_clone(|clone| clone.loaded().fingerprint(Depth::Content)),
            },
        }
    }

    fn with_clone<T>(&self, ask: impl FnOnce(&dyn Workspace) -> Result<T>) -> Result<T> {
        if self.clone.borrow().is_none() {
            *self.clone.borrow_mut() = Some(self.load_clone().map_err(of_the_backup)?);
        }
        let clone = self.clone.borrow();
        ask(&**clone.as_ref().ok_or_else(|| Error::failed("the clone is gone"))?)
    }

    fn load_clone(&self) -> Result<Box<dyn Workspace>> {
        let demands = Demands { level: Level::Restore, min_size: None, asserts: &[], settings: &self.settings };
        let proven = verify::rehearse(&self.backup, &demands, &Silent)?.outcome;
        let proven = proven.map_err(|findings| {
            Error::failed(format!("{} does not restore: {}", self.backup.id(), findings.first().map_or("", String::as_str)))
        })?;
        Ok(proven.into_clone())
    }
}

/// A bad backup says nothing of the database that is compared with it.
fn of_the_backup(error: Error) -> Error {
    if error.kind() == Kind::Bad { error.as_kind(Kind::Failed) } else { error }
}
