//! The command lines of `backup-catalog export` and `import`.

use std::path::PathBuf;

use clap::Args;
use manners::{Common, Example, Span};

/// Write a backup as one file: a tar.gz with all that it needs and all that is known of it.
///
/// tar and gzip unpack it too; its folders are then backups as they lie in a store.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&EXPORT))]
pub(crate) struct Export {
    /// backup: latest, an id or the unique start of one, or a backup's folder
    #[arg(value_name = "SELECTOR")]
    pub(crate) selector: String,

    /// the file to write, which must not exist [default: ID.tar.gz]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) common: Common,
}

pub(crate) const EXPORT: [Example; 2] = [
    Example { command: "backup-catalog export latest -e prod", what: "the newest good backup of prod as ID.tar.gz" },
    Example { command: "backup-catalog export 20261121T13 -o /media/stick/ledger.tar.gz", what: "one backup to another disk" },
];

/// Bring a backup into the store: one that was exported, or with --as a dump that another program made.
///
/// Nothing is believed: every file must have the size and the hash that the backup's own manifest says. A dump of another program
/// is restored into a scratch database, and becomes a backup of the environment when that works.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&IMPORT))]
pub(crate) struct Import {
    /// the export; or the dump: .sql, .sql.gz, .sql.zst, or a SQLite file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// adopt a dump that another program made, as a backup of this kind
    #[arg(long = "as", value_name = "KIND", value_parser = ["db"], requires = "env")]
    pub(crate) kind: Option<String>,

    /// when the dump was made [default: the time of its file]
    #[arg(long, value_name = "TIME", requires = "kind")]
    pub(crate) at: Option<String>,

    /// why it is kept, for the catalog
    #[arg(long, value_name = "TEXT", requires = "kind")]
    pub(crate) reason: Option<String>,

    /// tag to find it by; may be given more than once
    #[arg(long = "tag", value_name = "TAG", requires = "kind")]
    pub(crate) tags: Vec<String>,

    /// wait this long for another run to end, for instance 10m [default: the config's wait]
    #[arg(long, value_name = "DURATION")]
    pub(crate) wait: Option<Span>,

    #[command(flatten)]
    pub(crate) common: Common,
}

pub(crate) const IMPORT: [Example; 2] = [
    Example { command: "backup-catalog import ledger.tar.gz", what: "bring an exported backup into the store" },
    Example { command: "backup-catalog import --as db -e prod old.sql.gz", what: "adopt a dump of another program" },
];
