//! Loading a dump into a database file of its own, which is not the real one.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use super::{address, dump, fingerprint, marker, open, schema};
use crate::engine::{Content, Depth, Dumped, Left, Loaded, Outlet, Reach, Settings, Workspace};
use crate::error::{Error, OnPath, Result};
use crate::fingerprint::Fingerprint;
use crate::fsx;
use crate::id;
use crate::interrupt;
use crate::manifest::Database;
use crate::marker::Marker;
use crate::schema::Schema;
use crate::shell;
use crate::store;

/// The first bytes of every SQLite database.
pub(crate) const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// A single statement of SQL text may have this many bytes: SQLite's own limit is 1,000,000,000.
const STATEMENT_MAX_BYTES: usize = 1_000_000_000;

/// After this many bytes the kernel is asked to begin writing, so that the sync at the end has little left to wait for.
const WRITEBACK_BYTES: u64 = 8 << 20;

/// Name of a scratch file whose origin is not known.
const SCRATCH_NAME: &str = "scratch.sqlite";

/// A database file that is being loaded. Dropped, it is removed.
pub(super) struct File {
    path: PathBuf,
    settings: Settings,
    is_scratch: bool,
    folder: Option<tempfile::TempDir>,
}

impl File {
    /// A file in a temporary folder of its own, with the name that its origin has, by which a person knows it again.
    pub(super) fn scratch(origin: Option<&Database>, settings: &Settings) -> Result<Self> {
        let folder = store::scratch_folder(&settings.scratch_dir)?;
        let name = origin.map(|origin| origin.name.as_str()).filter(|name| id::is_bare_name(name)).unwrap_or(SCRATCH_NAME);
        Ok(File { path: folder.path().join(name), settings: settings.clone(), is_scratch: true, folder: Some(folder) })
    }

    /// A file at a path that must not exist yet.
    pub(super) fn at(path: PathBuf, settings: &Settings) -> Self {
        File { path, settings: settings.clone(), is_scratch: false, folder: None }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    fn open(&self) -> Result<Connection> {
        open::source(&self.path)
    }

    fn load_image(&self, plain: &mut dyn Read) -> Result<()> {
        let mut file = fsx::create_private_file(&self.path)?;
        let mut buffer = vec![0; 256 << 10];
        let mut written = 0u64;
        let mut writeback_from = 0u64;
        loop {
            let count = plain.read(&mut buffer).map_err(|error| Error::from_io("cannot read the backup", error))?;
            if count == 0 {
                break;
            }
            if written == 0 && !buffer[..count].starts_with(MAGIC) {
                return Err(Error::bad("the backup holds no SQLite database"));
            }
            fsx::step().and_then(|()| file.write_all(&buffer[..count])).on("write", &self.path)?;
            written += count as u64;
            if !self.is_scratch && written - writeback_from >= WRITEBACK_BYTES {
                fsx::start_writeback(&file, writeback_from, written - writeback_from);
                writeback_from = written;
            }
        }
        if !self.is_scratch {
            fsx::sync_file(&file, &self.path)?;
        }
        drop(file);
        let connection = self.open()?;
        let explain = |error| open::explain(&self.path, error);
        let size = open::size(&connection).map_err(explain)?;
        if size != written {
            return Err(Error::bad(format!("the database image has {written} bytes, its header says {size}")));
        }
        Ok(())
    }

    /// Runs SQL text statement by statement, so that a large dump needs the memory of its largest statement only.
    fn load_sql(&self, plain: &mut dyn Read) -> Result<()> {
        drop(fsx::create_private_file(&self.path)?);
        let mut connection = open::target(&self.path, false)?;
        let explain = |error| open::explain(&self.path, error);
        connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF").map_err(explain)?;
        // A dump is anybody's text: it must not reach another database of this machine.
        connection
            .authorizer(Some(|context: AuthContext<'_>| match context.action {
                // One without a name is temporary; VACUUM needs it.
                AuthAction::Attach { filename } if !filename.is_empty() => Authorization::Deny,
                _ => Authorization::Allow,
            }))
            .map_err(explain)?;
        let mut reader = BufReader::with_capacity(256 << 10, plain);
        let mut statement = Vec::new();
        let mut line_number = 0u64;
        loop {
            interrupt::check()?;
            let begin = statement.len();
            let count = reader.read_until(b'\n', &mut statement).map_err(|error| Error::from_io("cannot read the SQL text", error))?;
            line_number += 1;
            let at_end = count == 0;
            if statement.len() > STATEMENT_MAX_BYTES {
                return Err(Error::bad(format!("a statement that ends at line {line_number} is longer than SQLite takes")));
            }
            let line_ends_statement = statement[begin..].trim_ascii_end().ends_with(b";");
            if at_end || line_ends_statement {
                let text =
                    std::str::from_utf8(&statement).map_err(|_| Error::bad(format!("the SQL text is not UTF-8 at line {line_number}")))?;
                if at_end && !text.trim().is_empty() && !is_complete(text) {
                    return Err(Error::bad("the SQL text ends in the middle of a statement").hint("it is not a whole dump"));
                }
                if at_end || is_complete(text) {
                    connection.execute_batch(text).map_err(|error| explain(error).within(format!("line {line_number}")))?;
                    statement.clear();
                }
            }
            if at_end {
                break;
            }
        }
        if !connection.is_autocommit() {
            return Err(Error::bad("the SQL text ends inside a transaction").hint("it is not a whole dump"));
        }
        connection.close().map_err(|(_, error)| explain(error))?;
        let file = fsx::open_to_read(&self.path)?;
        fsx::sync_file(&file, &self.path)
    }
}

#[allow(unsafe_code)]
fn is_complete(sql: &str) -> bool {
    std::ffi::CString::new(sql).is_ok_and(|sql| {
        // SAFETY: the pointer is to a NUL-terminated text that lives across the call, which only reads it.
        unsafe { rusqlite::ffi::sqlite3_complete(sql.as_ptr()) != 0 }
    })
}

impl Workspace for File {
    fn load(&mut self, content: Content, plain: &mut dyn Read) -> Result<()> {
        match content {
            Content::SqliteImage => self.load_image(plain),
            Content::SqliteSql => self.load_sql(plain),
            other => Err(Error::refused(format!("{other} cannot be restored into SQLite")).hint("name a PostgreSQL target with --to")),
        }
    }

    fn loaded(&self) -> &dyn Loaded {
        self
    }

    fn keep(mut self: Box<Self>) -> Result<Left> {
        let folder = self.folder.take().ok_or_else(|| Error::failed("only a scratch database can be left behind"))?;
        let kept = std::path::absolute(folder.path().with_file_name(store::clone_name()?)).on("use", folder.path())?;
        fsx::rename_new(folder.path(), &kept)?;
        // By its old name there is nothing left to be removed.
        let _ = folder.keep();
        let path = kept.join(self.path.file_name().unwrap_or_default());
        Ok(Left {
            location: format!("sqlite:{}", path.display()),
            open: format!("sqlite3 {}", shell::word(&path.display().to_string())),
            drop: format!("rm -r {}", shell::word(&kept.display().to_string())),
        })
    }
}

impl Loaded for File {
    fn examine(&self) -> Result<Vec<String>> {
        let checked = fingerprint::quick_check(&self.open()?).map_err(|error| open::explain(&self.path, error))?;
        Ok(checked.problems)
    }

    fn fingerprint(&self, depth: Depth) -> Result<Fingerprint> {
        let connection = self.open()?;
        fingerprint::take(&connection, depth).map_err(|error| open::explain(&self.path, error))
    }

    fn ask(&self, query: &str) -> Result<Option<String>> {
        let connection = self.open()?;
        let explain = |error| open::explain(&self.path, error);
        let mut statement = connection.prepare(query).map_err(explain)?;
        let mut rows = statement.query([]).map_err(explain)?;
        match rows.next().map_err(explain)? {
            None => Ok(None),
            Some(row) => {
                let value: rusqlite::types::Value = row.get(0).map_err(explain)?;
                Ok(Some(match value {
                    rusqlite::types::Value::Null => String::new(),
                    rusqlite::types::Value::Integer(number) => number.to_string(),
                    rusqlite::types::Value::Real(number) => number.to_string(),
                    rusqlite::types::Value::Text(text) => text,
                    rusqlite::types::Value::Blob(bytes) => fsx::hex(&bytes),
                }))
            }
        }
    }

    fn dump(&self, out: &mut dyn Outlet) -> Result<Dumped> {
        dump::dump(&self.path, &self.settings, out)
    }

    fn location(&self) -> String {
        format!("sqlite:{}", self.path.display())
    }

    fn schema(&self) -> Result<Schema> {
        schema::read(&self.open()?).map_err(|error| open::explain(&self.path, error))
    }

    fn marker(&self) -> Result<Option<Marker>> {
        marker::of(&self.open()?, &self.path)
    }

    fn mark(&self, marker: &Marker) -> Result<()> {
        marker::write(&self.path, marker, self.settings.busy_timeout)
    }

    fn reach(&self) -> Reach {
        address::reach(&self.path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        for ending in ["", "-wal", "-shm", "-journal"] {
            let mut path = self.path.clone().into_os_string();
            path.push(ending);
            let _ = std::fs::remove_file(path);
        }
    }
}
