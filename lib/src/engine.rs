//! What the verbs know of a database: a [`Engine`] and the places it can be loaded into. They never know which one it is.

mod private;
mod named;
mod our_names;
mod shown;
mod sql_stream;
mod url;
pub mod mariadb;
pub mod postgres;
pub mod source;
pub mod sqlite;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::fingerprint::Fingerprint;
pub use crate::frames::cut::Cut;
use crate::manifest::{Database, EngineName};
use crate::marker::Marker;
use crate::schema::Schema;

/// What may be set for every engine, resolved from the configuration and the flags.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long to wait for a lock inside the database (a busy SQLite file, a table lock).
    pub busy_timeout: Duration,
    /// The longest a dump or load may make no progress before it is taken for hung.
    pub stall_timeout: Duration,
    /// Whether a database without any table may be backed up.
    pub allow_empty: bool,
    /// Whether tables for which no snapshot holds (MariaDB's MyISAM and its like) are locked while they are dumped.
    pub lock_tables: bool,
    /// Folders in which an engine's programs are looked for first.
    pub program_dirs: Vec<PathBuf>,
    /// A folder for scratch databases that are files: with room for a whole database, on a local disk or the store's own.
    pub scratch_dir: PathBuf,
    /// Where what can be made once and used again is kept (a fresh PostgreSQL data directory): a private local folder.
    pub cache: PathBuf,
    /// The user a private server runs as where we are root; none means `postgres`, else `nobody`.
    pub scratch_user: Option<String>,
    /// A server on which scratch databases may be made, instead of a private one.
    pub scratch_server: Option<String>,
}

/// How the sessions of a run's command are told from all others on the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Badge {
    /// The run, of which they bear the name where they can be given one.
    pub run: String,
    /// The newest session before the command started, on a server that gives its sessions numbers only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_before: Option<u64>,
}

/// What a session does on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// The session's number.
    pub session: u64,
    /// Whose it is and what it does: one sentence.
    pub what: String,
}

/// How deep a fingerprint of a live database looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Schema and row counts.
    Rows,
    /// Also every row's content, where the engine gives it, and in the schema's hash also the settings that the one of a dump
    /// leaves out (SQLite's `user_version`). Only to be compared with another of this depth.
    Content,
}

/// What can be known of a source before anything is touched.
#[derive(Debug, Clone)]
pub struct Probe {
    /// About how many plain bytes a dump will have; decides chunk sizes and the space asked for.
    pub estimated_bytes: u64,
    /// What a person should know before the dump.
    pub warnings: Vec<String>,
    /// What the database says of itself; none where it bears no marker.
    pub marker: Option<Marker>,
}

/// Takes what an engine dumps. [`Outlet::begin`] is called once, before the first byte.
pub trait Outlet: Write {
    /// Says how the coming bytes are to be cut.
    fn begin(&mut self, cut: Cut) -> Result<()>;

    /// A folder for the engine's own temporary files, which goes with the run whatever becomes of it.
    fn spool(&self) -> &Path;

    /// Whether no further byte of an [`Engine::image`] can tell it more: a comparison that has met a difference. A dump is
    /// always written to its end.
    fn is_satisfied(&self) -> bool {
        false
    }

    /// Whether something was sent that differs from what an earlier dump had in its place. As long as nothing was, it may all
    /// be a repetition, and what was found out about that then holds for this one too.
    fn has_news(&self) -> bool {
        true
    }

    /// Says that the stream has ended, unless the dump has to begin anew: what has come may go its way while the engine finds out the
    /// rest. An engine that has nothing to find out need not say it.
    fn end(&mut self) -> Result<()> {
        Ok(())
    }

    /// At the end of the stream: the state that an earlier dump had which was the very same bytes, and was found sound.
    fn repeats(&mut self) -> Result<Option<Fingerprint>> {
        Ok(None)
    }
}

/// What a finished dump was.
#[derive(Debug, Clone)]
pub struct Dumped {
    /// The state of the database in the dumped snapshot.
    pub fingerprint: Fingerprint,
    /// Where it came from.
    pub database: Database,
    /// What a person should know of it.
    pub warnings: Vec<String>,
    /// What is wrong with the source itself; a backup with any is published unverified.
    pub problems: Vec<String>,
    /// Small texts that belong beside the dump, each to become a component: PostgreSQL's `globals`.
    pub extras: Vec<Extra>,
}

/// A small text beside a dump.
#[derive(Debug, Clone)]
pub struct Extra {
    /// The component's role.
    pub role: String,
    /// Its plain bytes: SQL.
    pub bytes: Vec<u8>,
}

/// What a stream of plain bytes is, told by its content and never by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A SQLite page image.
    SqliteImage,
    /// SQL text that a PostgreSQL server made.
    PostgresSql,
    /// `pg_dump -Fc`.
    PostgresCustom,
    /// SQL text of SQLite's `.dump`.
    SqliteSql,
    /// SQL text that `mariadb-dump` or `mysqldump` made.
    MariadbSql,
}

impl Content {
    /// The engine that can load it.
    pub fn engine(self) -> EngineName {
        match self {
            Content::SqliteImage | Content::SqliteSql => EngineName::Sqlite,
            Content::PostgresSql | Content::PostgresCustom => EngineName::Postgres,
            Content::MariadbSql => EngineName::Mariadb,
        }
    }

    /// Whether the stream alone tells the state of the database, with every table's content.
    pub fn tells_state(self) -> bool {
        matches!(self, Content::PostgresSql | Content::MariadbSql)
    }

    /// Its name in a manifest's component.
    pub fn name(self) -> &'static str {
        match self {
            Content::SqliteImage => "sqlite",
            Content::PostgresSql | Content::SqliteSql | Content::MariadbSql => "sql",
            Content::PostgresCustom => "pg_dump custom",
        }
    }

    /// The ending of a component's file before its compression's.
    pub fn file_ending(self) -> &'static str {
        match self {
            Content::SqliteImage => "sqlite",
            Content::PostgresSql | Content::SqliteSql | Content::MariadbSql => "sql",
            Content::PostgresCustom => "dump",
        }
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Content::SqliteImage => "a SQLite database",
            Content::SqliteSql => "SQL text for SQLite",
            Content::PostgresSql => "SQL text for PostgreSQL",
            Content::PostgresCustom => "a pg_dump archive",
            Content::MariadbSql => "SQL text for MariaDB or MySQL",
        })
    }
}

/// What a component's `content` in a manifest means for an engine.
pub fn content_named(engine: Option<EngineName>, name: &str) -> Option<Content> {
    match (engine, name) {
        (_, "sqlite") => Some(Content::SqliteImage),
        (Some(EngineName::Postgres), "sql") => Some(Content::PostgresSql),
        (Some(EngineName::Sqlite), "sql") => Some(Content::SqliteSql),
        (Some(EngineName::Mariadb), "sql") => Some(Content::MariadbSql),
        _ => None,
    }
}

/// Looks at a plain stream as it passes, and says at its end whether it is a whole dump.
pub trait Structure {
    /// The next part of the stream.
    fn take(&mut self, bytes: &[u8]) -> Result<()>;

    /// The end of the stream: an error of kind `Bad` where it is not whole; else the fingerprint, where a stream alone
    /// gives it.
    fn finish(self: Box<Self>) -> Result<Option<Fingerprint>>;
}

/// The structure check for streams of this content.
pub fn structure_of(content: Content) -> Box<dyn Structure> {
    match content {
        Content::SqliteImage => Box::new(sqlite::ImageStructure::default()),
        Content::SqliteSql => Box::new(sqlite::SqlStructure::default()),
        Content::PostgresSql => Box::new(postgres::SqlStructure::default()),
        Content::PostgresCustom => Box::new(postgres::ArchiveStructure::default()),
        Content::MariadbSql => Box::new(mariadb::SqlStructure::default()),
    }
}

/// The state of a restore's target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Live {
    /// There is nothing.
    Missing,
    /// There is something that cannot be opened as a database, and why.
    Broken(String),
    /// A database.
    Present {
        /// About its size.
        bytes: u64,
        /// Whether it has no table at all.
        is_empty: bool,
    },
}

/// A database, at its real place.
pub trait Engine {
    /// Which engine it is.
    fn name(&self) -> EngineName;

    /// What its dumps are.
    fn content(&self) -> Content;

    /// Where it is, without any secret: what a person or a manifest may see.
    fn location(&self) -> String;

    /// The database's own name.
    fn database_name(&self) -> String;

    /// What tells the database that is there now from every other, however its place was spelled: a host by another name
    /// or another user, a second link to a file. None where there is none, or where it cannot be known.
    fn identity(&self) -> Option<String>;

    /// Refuses everything that can be refused before anything is touched: no such database, programs missing or too
    /// old, no right to read something.
    fn probe(&self) -> Result<Probe>;

    /// Dumps one consistent snapshot into `out`, with its fingerprint. Bytes written before an error are worthless.
    fn dump(&self, out: &mut dyn Outlet) -> Result<Dumped>;

    /// Streams the bytes that a dump of the present snapshot has, for a comparison with an earlier one; nothing is checked,
    /// and it may end early where the outlet [is satisfied](Outlet::is_satisfied). The snapshot's fingerprint where it comes
    /// with the stream, with every table's content.
    fn image(&self, out: &mut dyn Outlet) -> Result<Option<Fingerprint>>;

    /// What of the live database is in no dump of it and a command may change all the same, by the names that the manifest of
    /// a backup has for it ([`Database::properties`]); null where there is none of it.
    fn around(&self) -> Result<BTreeMap<String, serde_json::Value>> {
        Ok(BTreeMap::new())
    }

    /// The live schema, object by object.
    fn schema(&self) -> Result<Schema>;

    /// What the engine's own check finds wrong with the live database, where it has such a check.
    fn examine(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// What the live database says of itself; none where it bears no marker, or there is no database.
    fn marker(&self) -> Result<Option<Marker>>;

    /// Writes the marker into the live database, in place of any that is there.
    fn mark(&self, marker: &Marker) -> Result<()>;

    /// Whether the value of an environment variable names this very database: its URL, with whatever user and driver, or
    /// its path. Nothing is connected to.
    fn is_named_by(&self, value: &str) -> bool;

    /// What the placeholders in a command stand for where it works on this very database, as for a clone ([`Reach::places`]),
    /// but without any password: everybody can read arguments.
    fn places(&self) -> BTreeMap<&'static str, String>;

    /// Environment variables by which a program that connects gets these limits on waiting for a lock and on a single
    /// statement. An error of kind `Usage` where the engine has no such way.
    fn limits(&self, lock: Option<Duration>, statement: Option<Duration>) -> Result<BTreeMap<String, String>>;

    /// What is known of the sessions of a run's command before it starts.
    fn badge(&self, run: &str) -> Badge {
        Badge { run: run.to_owned(), newest_before: None }
    }

    /// Environment variables by which the server can tell the sessions of a run's command from all others; none where it has no
    /// such thing, or where the user has given them a name already.
    fn badge_variables(&self, _badge: &Badge) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// What the server still does for a run's command, or may do for it where its sessions bear no name. A client that was
    /// killed leaves a statement behind that goes on, or waits for a lock, and takes effect later.
    fn at_work(&self, _badge: &Badge) -> Result<Vec<Work>> {
        Ok(Vec::new())
    }

    /// Ends this work, and whatever else the server does for a run's command: all of it, or an error. Nothing is ended that may be
    /// somebody else's.
    fn end_work(&self, _badge: &Badge, _work: &[Work]) -> Result<()> {
        Ok(())
    }

    /// Whether [`Engine::end_work`] can tell a command's sessions from those of others. Where it cannot, they can only be waited for.
    fn can_end_work(&self) -> bool {
        true
    }

    /// Who waits for whom inside the database at this moment, one sentence each; for the message of a run that hangs.
    fn waiting(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// What is at the real place now, for a restore.
    fn live(&self) -> Result<Live>;

    /// The live database's state.
    fn fingerprint(&self, depth: Depth) -> Result<Fingerprint>;

    /// Refuses where a database that is loaded beside this one could not take its place, for lack of rights or because of what
    /// only its owner can end: before a command is run that may have to be rolled back.
    fn require_swap(&self) -> Result<()> {
        Ok(())
    }

    /// Refuses a restore of so many plain bytes for which there is no room beside the real database.
    fn require_room(&self, plain_bytes: u64) -> Result<()>;

    /// A throwaway database of the same engine: a temporary file, a private server. `origin` is the database whose
    /// backup will be loaded, where that is known (for its character set and collation).
    fn scratch(&self, origin: Option<&Database>) -> Result<Box<dyn Workspace>>;

    /// An empty database beside the real one, to be loaded, checked and then swapped in. `id` names this restore.
    fn beside(&self, origin: Option<&Database>, id: &str) -> Result<Box<dyn Beside>>;

    /// What the swap of the restore or undo with this id will keep: written down before it, so that a kill in between can be undone
    /// too.
    fn would_keep(&self, id: &str) -> Result<Kept>;

    /// Whether what a swap kept aside, or was about to, is there.
    fn is_kept(&self, kept: &Kept) -> Result<bool>;

    /// Puts back what a swap kept aside; what was there until now is kept in its stead, under the name that [`Engine::would_keep`]
    /// gives for this id. What the old state was kept as may remain, for [`Engine::discard`] to remove once the new one is written
    /// down.
    fn undo(&self, kept: &Kept, id: &str) -> Result<Kept>;

    /// Removes what a swap kept aside; what is gone already is no error.
    fn discard(&self, kept: &Kept) -> Result<()>;

    /// Ends what a killed run left half done at the real place (a swap begun, a database beside), and says what it did.
    fn recover(&self) -> Result<Vec<String>>;
}

/// A database that is not the real one: it can be loaded and looked into. Dropped, it is gone.
pub trait Workspace {
    /// Loads a dump; an error of any statement is an error of the load. `origin` as in [`Engine::scratch`].
    fn load(&mut self, content: Content, plain: &mut dyn Read) -> Result<()>;

    /// What was loaded.
    fn loaded(&self) -> &dyn Loaded;

    /// Leaves it behind for inspection, though the value goes.
    fn keep(self: Box<Self>) -> Result<Left>;
}

/// A database as it was loaded: compared, asked, dumped again.
pub trait Loaded {
    /// Where it is: what a person could connect to.
    fn location(&self) -> String;

    /// How a program reaches it.
    fn reach(&self) -> Reach;

    /// What the engine's own check finds wrong with it, where it has such a check.
    fn examine(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Its state.
    fn fingerprint(&self, depth: Depth) -> Result<Fingerprint>;

    /// Its schema, object by object.
    fn schema(&self) -> Result<Schema>;

    /// The first column of the first row that a query gives, as text; none where it gives no row.
    fn ask(&self, query: &str) -> Result<Option<String>>;

    /// Dumps it again, as [`Engine::dump`] would, for the level `exact`.
    fn dump(&self, out: &mut dyn Outlet) -> Result<Dumped>;

    /// What it says of itself.
    fn marker(&self) -> Result<Option<Marker>>;

    /// Writes the marker into it.
    fn mark(&self, marker: &Marker) -> Result<()>;
}

/// How a program reaches a clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// What the placeholders in a command or in the configuration stand for: `url`, and as far as the engine has them
    /// `path`, `host`, `port`, `user`, `database`.
    pub places: BTreeMap<&'static str, String>,
    /// The variables by which this engine's programs and libraries find it; those without a value must not be inherited.
    pub variables: BTreeMap<String, Option<String>>,
}

/// A clone that was left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    /// Where it is.
    pub location: String,
    /// The command that opens it.
    pub open: String,
    /// The command that removes it.
    pub drop: String,
}

/// A workspace beside the real database; the only way in is the swap.
pub trait Beside: Workspace {
    /// For a rollback: what stands around the database (owner, grants, settings) is to be the origin's too, and not what the
    /// replaced database has by now. Nothing where the engine has no such thing.
    fn bring_properties(&mut self) {}

    /// Makes this the real database, all or nothing, and keeps the old one aside under the name it returns.
    fn swap(self: Box<Self>) -> Result<Kept>;
}

/// What a swap kept aside; kept in the state directory, so that `restore-db --undo` finds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The engine.
    pub engine: EngineName,
    /// The real place, as [`Engine::location`] gives it.
    pub target: String,
    /// Name of the database, or path of the file, that holds the old state; none where there was nothing before.
    pub aside: Option<String>,
}
