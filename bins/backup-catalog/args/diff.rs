//! The command line of `backup-catalog diff`.

use clap::{ArgGroup, Args};
use manners::{Common, Example};

pub(crate) const EXAMPLES: [Example; 2] = [
    Example { command: "backup-catalog diff latest -e prod --with-current", what: "what has changed since the newest good backup" },
    Example { command: "backup-catalog diff 20261120T13 20261121T13", what: "what became of the database from one day to the next" },
];

/// Show what is different between two backups, or between a backup and what is there now: tables with their rows, definitions,
/// and files that were added, changed or removed.
///
/// Nothing is changed. Definitions that differ are read off two scratch databases that the backups are restored into.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, override_usage = "backup-catalog diff [OPTIONS] BEFORE <AFTER|--with-current>", after_help = manners::after_help(&EXAMPLES))]
#[command(group = ArgGroup::new("with").args(["after", "with_current"]).required(true))]
pub(crate) struct Diff {
    /// backup before: latest, an id or the unique start of one, or a backup's folder
    #[arg(value_name = "BEFORE")]
    pub(crate) before: String,

    /// backup after
    #[arg(value_name = "AFTER")]
    pub(crate) after: Option<String>,

    /// compare with what is there now: the database row by row, files by length and time
    #[arg(long)]
    pub(crate) with_current: bool,

    /// compare two backups row by row, for which both are restored into scratch databases
    #[arg(long, conflicts_with_all = ["quick", "with_current"])]
    pub(crate) content: bool,

    /// restore nothing: only what the two manifests say
    #[arg(long, conflicts_with = "with_current")]
    pub(crate) quick: bool,

    #[command(flatten)]
    pub(crate) common: Common,
}
