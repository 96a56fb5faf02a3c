//! Every key of `holdfast.toml`. The doc comments are what the schema, and so an editor, shows.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::values::{Assert, Command, OneOrMore, Text};
use crate::compression::Compression;
use crate::manifest::Level;
use crate::rules::{AllowedLoss, ApprovalBy, OnFailure, OnLeak, RowLoss, Wanted};

/// Declares a table of the file with its own keys and, after them, those that stand at the top for every environment and
/// may be given again in one of them. One list for both, because serde cannot tell unknown keys through `flatten`.
macro_rules! table {
    ($(#[$meta:meta])* struct $name:ident { $($own:tt)* }) => {
        $(#[$meta])*
        // No Debug: the texts may hold passwords.
        #[derive(Clone, Default, Deserialize)]
        #[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            $($own)*
            /// The folder that holds the backups.
            pub(crate) store: Option<String>,
            /// gzip (default), zstd or none, with a level as in gzip:6 or zstd:3.
            pub(crate) compression: Option<Text<Compression>>,
            /// What a backup may refer to: full (default, nothing), incremental (the newest good backup), differential (the newest good
            /// full), auto (as incremental, with a full now and then).
            #[serde(rename = "type")]
            pub(crate) wanted: Option<Text<Wanted>>,
            /// With type = "auto": how old a full may be before the next one is made; default 7d.
            pub(crate) full_every: Option<Text<Duration>>,
            /// How thoroughly a backup is checked before it counts: quick, checksum, structure (default), restore, exact.
            pub(crate) verify: Option<Text<Level>>,
            /// How old the newest backup may be before the guard reports a missed run.
            pub(crate) max_age: Option<Text<Duration>>,
            /// A backup that stores fewer bytes than this is an error.
            pub(crate) min_size: Option<Text<u64>>,
            /// Free space that must be left on the store's file system.
            pub(crate) min_free: Option<Text<u64>>,
            /// Verified backups that are always kept, whatever the retention says; at least 1, default 3.
            pub(crate) min_verified: Option<u32>,
            /// How long to wait for another run's lock; by default not at all.
            pub(crate) wait: Option<Text<Duration>>,
            /// How long to wait for a lock inside the database; default 60s.
            pub(crate) busy_timeout: Option<Text<Duration>>,
            /// The longest a dump or a load may make no progress; default 15m.
            pub(crate) stall_timeout: Option<Text<Duration>>,
            /// The longest a whole run may take; default 6h.
            pub(crate) timeout: Option<Text<Duration>>,
            /// Whether a database without any table may be backed up; default false.
            pub(crate) allow_empty: Option<bool>,
            /// Folder, or list of folders, in which PostgreSQL's programs are looked for first.
            #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<super::schema::OneOrMoreForm>"))]
            pub(crate) pg_bin: Option<OneOrMore>,
            /// Folder, or list of folders, in which the programs of MariaDB or MySQL are looked for first.
            #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<super::schema::OneOrMoreForm>"))]
            pub(crate) mariadb_bin: Option<OneOrMore>,
            /// Whether all tables of a MariaDB or MySQL database are locked for writing while they are dumped, for the sake of
            /// those that no snapshot holds for (MyISAM, Aria, MEMORY); default false.
            pub(crate) lock_tables: Option<bool>,
            /// The user that a private scratch server runs as when Holdfast runs as root.
            pub(crate) scratch_user: Option<String>,
            /// URL of a server on which scratch databases may be made, instead of a private one.
            pub(crate) scratch_server: Option<String>,
            /// Patterns of files and folders that a full backup leaves out: *.tmp fits names, media/cache/** paths in the archive.
            pub(crate) exclude: Option<Vec<String>>,
            /// Patterns of the only files that a full backup takes along; without it all files.
            pub(crate) include: Option<Vec<String>>,
            /// Whether file systems that are mounted below a folder of files stay out; default true.
            pub(crate) one_file_system: Option<bool>,
            /// Whether a full backup takes along the versions of files that file-versions keeps in the store; default false.
            pub(crate) include_versions: Option<bool>,
            /// What becomes of the database when a migration fails: restore (default), keep, ask.
            pub(crate) on_failure: Option<Text<OnFailure>>,
            /// How many rows a migration may lose: a number over all tables, or a percentage of each; default "0".
            pub(crate) max_row_loss: Option<Text<RowLoss>>,
            /// The longest the command of a migration or a test run may take; by default as long as it likes.
            pub(crate) command_timeout: Option<Text<Duration>>,
            /// Handed to a migration: how long one of its statements may wait for a lock.
            pub(crate) lock_timeout: Option<Text<Duration>>,
            /// Handed to a migration: how long one of its statements may take.
            pub(crate) statement_timeout: Option<Text<Duration>>,
            /// What becomes of the real database when tests have reached it: report (default), restore.
            pub(crate) on_leak: Option<Text<OnLeak>>,
            /// Who approves what is risky.
            pub(crate) approval: Option<ApprovalTable>,
            /// What to keep; without it every backup is kept.
            pub(crate) retention: Option<Retention>,
        }
    };
}

table! {
    /// Configuration of Holdfast. Relative paths are relative to this file; `~` and `${VAR}` expand in paths and URLs.
    struct File {
        /// Where the log goes: state (default, the local state directory), store (the store's logs folder), or the path of a folder.
        pub(crate) log: Option<String>,
        /// For how many days log files are kept; default 30, and 0 keeps them for ever.
        pub(crate) log_keep_days: Option<u32>,
        /// The local directory for locks, journals and caches; never in a synced folder.
        pub(crate) state_dir: Option<String>,
        /// The environments by name: a-z, 0-9 and -, at most 40 characters.
        #[serde(default)]
        #[cfg_attr(any(test, feature = "schema"), schemars(extend("propertyNames" = { "pattern": "^[a-z0-9][a-z0-9-]{0,39}$" })))]
        pub(crate) env: BTreeMap<String, EnvTable>,
    }
}

table! {
    /// An environment: one database, its files and its rules.
    struct EnvTable {
        /// The database: a path, sqlite:PATH, postgres://USER@HOST/NAME or mariadb://USER@HOST/NAME.
        pub(crate) database: Option<String>,
        /// Files and folders that a full backup takes along.
        pub(crate) files: Option<Vec<String>>,
        /// Configuration files that a full backup takes along.
        pub(crate) config_files: Option<Vec<String>>,
        /// A private file (mode 0600) whose first line is the database's password.
        pub(crate) password_file: Option<String>,
        /// Whether destructive operations need an approval; default false.
        pub(crate) protected: Option<bool>,
        /// A command, as a list of words without a shell, that is run after a restore.
        #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<Vec<String>>"))]
        pub(crate) restart: Option<Command>,
        /// Tables that a migration may take rows from: a name, or a name with the most rows it may lose, as in "log=100".
        #[serde(default)]
        pub(crate) allow_loss: Vec<Text<AllowedLoss>>,
        /// A command, as a list of words without a shell, whose exit status says whether the application works after a migration.
        #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<Vec<String>>"))]
        pub(crate) check: Option<Command>,
        /// Environment variables by which the application finds its database, for runs on a clone; {url}, {path}, {host}, {port},
        /// {socket}, {user} and {database} stand for the clone's.
        #[serde(default)]
        pub(crate) clone_env: BTreeMap<String, String>,
        /// Queries that a restored database must answer.
        #[serde(default)]
        #[cfg_attr(any(test, feature = "schema"), schemars(with = "Vec<super::schema::AssertForm>"))]
        pub(crate) assert: Vec<Assert>,
    }
}

/// Who approves what is risky.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct ApprovalTable {
    /// A command, as a list of words without a shell, that gets the request as JSON on stdin and approves it with status 0.
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<Vec<String>>"))]
    pub(crate) command: Option<Command>,
    /// Who may approve: anyone (default), or other, which is another user of this machine.
    pub(crate) by: Option<Text<ApprovalBy>>,
    /// The folder through which another user approves; both must be able to write there.
    pub(crate) folder: Option<String>,
    /// How long a plan's code, or an approval, is good for; default 1h.
    pub(crate) valid: Option<Text<Duration>>,
    /// How long the command may take to answer; default 15m.
    pub(crate) timeout: Option<Text<Duration>>,
}

/// What to keep. A backup stays if any rule keeps it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Every backup of the last so many days; 0 keeps all for ever.
    pub keep_days: Option<u32>,
    /// The newest so many.
    pub keep_last: Option<u32>,
    /// Never fewer than this.
    pub keep_min: Option<u32>,
    /// The newest of each of the last so many hours that have one.
    pub hourly: Option<u32>,
    /// The newest of each of the last so many days that have one.
    pub daily: Option<u32>,
    /// The newest of each of the last so many weeks that have one.
    pub weekly: Option<u32>,
    /// The newest of each of the last so many months that have one.
    pub monthly: Option<u32>,
    /// The newest of each of the last so many years that have one.
    pub yearly: Option<u32>,
    /// Moves kept backups older than this into the store's archives.
    pub archive_after_days: Option<u32>,
}

impl Retention {
    /// Every key with its value.
    pub fn keys(&self) -> [(&'static str, Option<u32>); 9] {
        [
            ("keep_days", self.keep_days),
            ("keep_last", self.keep_last),
            ("keep_min", self.keep_min),
            ("hourly", self.hourly),
            ("daily", self.daily),
            ("weekly", self.weekly),
            ("monthly", self.monthly),
            ("yearly", self.yearly),
            ("archive_after_days", self.archive_after_days),
        ]
    }

    /// Whether no key is set: nothing is ever pruned.
    pub fn is_empty(&self) -> bool {
        self.keys().iter().all(|(_, value)| value.is_none())
    }

    /// This policy, with each key that `flags` sets taken from there.
    #[must_use]
    pub fn overridden_by(self, flags: Retention) -> Self {
        Retention {
            keep_days: flags.keep_days.or(self.keep_days),
            keep_last: flags.keep_last.or(self.keep_last),
            keep_min: flags.keep_min.or(self.keep_min),
            hourly: flags.hourly.or(self.hourly),
            daily: flags.daily.or(self.daily),
            weekly: flags.weekly.or(self.weekly),
            monthly: flags.monthly.or(self.monthly),
            yearly: flags.yearly.or(self.yearly),
            archive_after_days: flags.archive_after_days.or(self.archive_after_days),
        }
    }

    /// The key at fault and why, where a policy says something that nobody can have meant: a count of 0 (a typo for 10 must
    /// not prune everything), or no rule that keeps anything.
    pub fn check(&self) -> Result<(), (Option<&'static str>, String)> {
        for (key, value) in self.keys() {
            if value == Some(0) && key != "keep_days" {
                return Err((Some(key), "0 keeps nothing: write 1 or more, or take the key out".to_owned()));
            }
        }
        if self.keys().iter().all(|(key, value)| value.is_none() || *key == "keep_min") {
            return Err((
                None,
                "no rule says what to keep: write one such as keep_days = 7, or take the table out to keep everything".to_owned(),
            ));
        }
        Ok(())
    }
}
