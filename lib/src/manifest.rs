//! `manifest.json`: what a backup is, where it came from, and what it must contain.
//!
//! A manifest is input, not truth: it is read with a size limit, its file names must be bare names inside its own
//! backup, and a newer `format` is refused. Fields it does not know are ignored.

mod content;
mod files;

pub use content::{ADOPTED, content};
pub use files::{Files, Inventory, Remark, Root};

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::id::{is_bare_name, is_id};

/// The format this library writes, and the newest it reads.
pub const FORMAT: u32 = 1;
/// The file's name inside a backup.
pub const FILE: &str = "manifest.json";
/// A manifest larger than this is refused unread. A table takes about 150 bytes, so this is some hundred thousand tables.
pub const MAX_BYTES: u64 = 64 << 20;

/// What `manifest.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this format.
    pub format: u32,
    /// The backup's id, which is also its folder's name.
    pub id: String,
    /// The store it was made for.
    pub store_id: String,
    /// The environment it was taken from.
    pub environment: String,
    /// Whether that environment was protected: then its place is not overwritten where no configuration speaks of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protected: bool,
    /// Why it was made.
    pub kind: Kind,
    /// Whether it stands alone.
    #[serde(rename = "type")]
    pub backup_type: Type,
    /// The backup that an increment refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// When the run began, on this host's clock, never before the newest earlier backup of the environment.
    #[serde(with = "clock::rfc3339_millis")]
    pub created_at: DateTime<Utc>,
    /// When everything but the publishing rename was done.
    #[serde(with = "clock::rfc3339_millis")]
    pub finished_at: DateTime<Utc>,
    /// The machine it was made on.
    pub host: String,
    /// Name and version of what made it.
    pub tool: String,
    /// The reason the user gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The user's tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The check it passed before it was published; none where the source itself was found corrupt.
    pub verification: Option<Verification>,
    /// What is wrong with the source, where that was found corrupt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// What a person should know, secrets struck out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Where the database came from.
    pub database: Option<Database>,
    /// The database's state in the dumped snapshot.
    pub fingerprint: Option<Fingerprint>,
    /// The files that hold the data.
    pub components: Vec<Component>,
    /// How long each stage took.
    #[serde(default)]
    pub durations_ms: BTreeMap<String, u64>,
    /// The newest line of the store's audit trail at that time: where it is not there any more, the trail was cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit_head: Option<AuditHead>,
}

/// A line of the audit trail, by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// SHA-256 (hex) of the line, without its newline.
    pub sha256: String,
    /// When it was written.
    #[serde(with = "clock::rfc3339_millis")]
    pub at: DateTime<Utc>,
}

/// Why a backup was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// `backup-db`.
    Db,
    /// `backup-full`.
    Full,
    /// Before a migration.
    Migration,
    /// Before a restore or another risky step.
    Safety,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Db => "db",
            Kind::Full => "full",
            Kind::Migration => "migration",
            Kind::Safety => "safety",
        })
    }
}

/// Whether a backup stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// It refers to no other.
    Full,
    /// It refers to the last backup.
    Incremental,
    /// It refers to the last full.
    Differential,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Full => "full",
            Type::Incremental => "incremental",
            Type::Differential => "differential",
        })
    }
}

/// How thoroughly a backup was checked; each level includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Manifest, sizes, modes.
    Quick,
    /// Every stored byte.
    Checksum,
    /// Every plain byte, and that it is a whole dump.
    Structure,
    /// A restore into a scratch database, compared with the fingerprint.
    Restore,
    /// A second dump of the restored database has the same content.
    Exact,
}

impl Level {
    /// All levels, the weakest first.
    pub const ALL: [Level; 5] = [Level::Quick, Level::Checksum, Level::Structure, Level::Restore, Level::Exact];

    /// Its name in flags, config and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Level::Quick => "quick",
            Level::Checksum => "checksum",
            Level::Structure => "structure",
            Level::Restore => "restore",
            Level::Exact => "exact",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Level::ALL
            .into_iter()
            .find(|level| level.name() == text)
            .ok_or_else(|| format!("{text:?} is no verification level: use {}", Level::ALL.map(Level::name).join(", ")))
    }
}

/// A check that a backup passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// The strongest level it passed.
    pub level: Level,
    /// When.
    #[serde(with = "clock::rfc3339_millis")]
    pub at: DateTime<Utc>,
}

/// Where a database came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Database {
    /// Its engine.
    pub engine: EngineName,
    /// The database's name; for SQLite the file's.
    pub name: String,
    /// Where it was, without any secret.
    pub location: String,
    /// What tells it from another of the same name: PostgreSQL's system identifier and database oid, SQLite's device and inode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Version of the server, or of SQLite's library.
    pub server_version: String,
    /// The program that dumped it, with its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_version: Option<String>,
    /// Character set.
    pub charset: String,
    /// How it was read: `page stream`, `page copy`, `pg_dump`.
    pub method: String,
    /// `snapshot`, or what less was to be had.
    pub consistency: String,
    /// What the engine needs to rebuild the database around its content: owner, collation, grants, settings.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, serde_json::Value>,
    /// What the dump leaves out by its nature, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_included: Vec<String>,
}

/// The database engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineName {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MariaDB or MySQL.
    Mariadb,
}

impl fmt::Display for EngineName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            EngineName::Sqlite => "sqlite",
            EngineName::Postgres => "postgres",
            EngineName::Mariadb => "mariadb",
        })
    }
}

/// One file of a backup.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Component {
    /// `database`, `globals`, `files`, `config`.
    pub role: String,
    /// Its file's name.
    pub file: String,
    /// What its plain bytes are: `sqlite` (a page image), `sql` or `tar`.
    pub content: String,
    /// `gzip`, `zstd` or `none`.
    pub compression: String,
    /// Size of the file.
    pub stored_bytes: u64,
    /// Size of the plain stream.
    pub plain_bytes: u64,
    /// SHA-256 (hex) of the file.
    pub stored_sha256: String,
    /// How many frames the file holds.
    pub frames: u64,
    /// How many chunks the plain stream is cut into.
    pub chunks: u64,
    /// Its index file's name.
    pub index: String,
    /// Size of the index file.
    pub index_bytes: u64,
    /// SHA-256 (hex) of the index file. The index holds the hash of every chunk of the plain stream, so this is the plain
    /// stream's own hash too: its bytes are not hashed a second time as a whole.
    pub index_sha256: String,
    /// What it holds, where that is files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Files>,
    /// The backups that its index names as sources, in that order; none in a full backup.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
}

/// A backup in which chunks of an increment lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its id.
    pub id: String,
    /// SHA-256 (hex) of its index of the same component: another backup of that name is not taken for it.
    pub index_sha256: String,
}

impl Component {
    /// Its files in the backup's folder, each with its size and SHA-256 (hex).
    pub fn parts(&self) -> impl Iterator<Item = (&String, u64, &String)> {
        let own = [(&self.file, self.stored_bytes, &self.stored_sha256), (&self.index, self.index_bytes, &self.index_sha256)];
        let inventory = self.files.as_ref().map(|files| (&files.inventory.file, files.inventory.bytes, &files.inventory.sha256));
        own.into_iter().chain(inventory)
    }
}

impl Manifest {
    /// Reads a manifest and checks everything that can be checked without its backup.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let bad = |error: serde_json::Error| match error.classify() {
            serde_json::error::Category::Data => Error::bad("the manifest says something that this version does not know")
                .because(error)
                .hint("was it made by a newer version of Holdfast? then use that"),
            _ => Error::bad("the manifest is damaged").because(error),
        };
        let version: Version = serde_json::from_slice(bytes).map_err(bad)?;
        if version.format > FORMAT {
            return Err(Error::bad(format!("the manifest has format {}, this version reads up to {FORMAT}", version.format))
                .hint("use a newer version of Holdfast for this backup"));
        }
        let manifest: Manifest = serde_json::from_slice(bytes).map_err(bad)?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<()> {
        if !is_id(&self.id) {
            return Err(Error::bad(format!("the manifest's id {:?} is not one", self.id)));
        }
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.environment.is_empty() || !self.environment.bytes().all(is_name) {
            return Err(Error::bad(format!("the manifest's environment {:?} is not the name of one", self.environment)));
        }
        if (self.backup_type == Type::Full) != self.parent.is_none() || self.parent.as_deref().is_some_and(|parent| !is_id(parent)) {
            return Err(Error::bad(format!("the manifest calls it {}, and that does not fit its parent", self.backup_type)));
        }
        let sources = self.components.iter().flat_map(|component| &component.sources);
        if let Some(source) = sources.into_iter().find(|source| self.parent.is_none() || !is_id(&source.id)) {
            return Err(Error::bad(format!("the manifest names the source {:?}, which it cannot have", source.id)));
        }
        let names = self.components.iter().flat_map(|component| component.parts().map(|(name, _, _)| name));
        let mut seen = std::collections::BTreeSet::new();
        for name in names {
            if !is_bare_name(name) || matches!(name.as_str(), FILE | "SHA256SUMS" | "RESTORE.txt" | "recover.py") {
                return Err(Error::bad(format!("the manifest names a file {name:?}, which is no plain file name of a component")));
            }
            if !seen.insert(name) {
                return Err(Error::bad(format!("the manifest names the file {name:?} twice")));
            }
        }
        Ok(())
    }

    /// The manifest as it is stored: indented JSON with a newline at its end.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|error| Error::failed("cannot write the manifest").because(error))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The component with this role.
    pub fn component(&self, role: &str) -> Option<&Component> {
        self.components.iter().find(|component| component.role == role)
    }

    /// What the backup should hold and does not, or holds torn: each with its path. Empty where it is whole.
    pub fn incomplete(&self) -> impl Iterator<Item = &Remark> {
        self.components.iter().filter_map(|component| component.files.as_ref()).flat_map(|files| &files.incomplete)
    }

    /// How many things the backup should hold and does not, or holds torn; more than [`Manifest::incomplete`] names.
    pub fn incomplete_count(&self) -> u64 {
        self.components
            .iter()
            .filter_map(|component| component.files.as_ref())
            .map(|files| files.incomplete_count)
            .fold(0, u64::saturating_add)
    }

    /// Ids of the backups that this one cannot do without: those in which chunks of it lie, and its parent, which is one of them in
    /// every increment that has anything in common with it.
    pub fn needs(&self) -> std::collections::BTreeSet<&str> {
        let sources = self.components.iter().flat_map(|component| &component.sources).map(|source| source.id.as_str());
        sources.chain(self.parent.as_deref()).collect()
    }

    /// Bytes of all components as stored.
    pub fn stored_bytes(&self) -> u64 {
        self.components.iter().flat_map(Component::parts).map(|(_, bytes, _)| bytes).fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests;
