//! The command line of `backup-guard mark-env`.

use clap::Args;
use manners::approval::Confirm;
use manners::{Common, Example, Span};

pub(crate) const EXAMPLES: [Example; 2] = [
    Example { command: "backup-guard mark-env prod", what: "write into the database of prod that it is prod's" },
    Example { command: "backup-guard mark-env dev -n", what: "see what the database says of itself now" },
];

/// Write an environment's name into its database, so that a wrong flag or a wrong URL is noticed.
///
/// From then on every operation compares it with the environment that was meant, and refuses another one. It is one
/// small table, holdfast_marker; it goes along into backups and restores, and a copy elsewhere says that it is a clone.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&EXAMPLES))]
pub(crate) struct MarkEnv {
    /// the environment whose database it is
    #[arg(value_name = "ENV")]
    pub(crate) name: String,

    /// the database, where it is not the environment's own: a path, or a URL
    #[arg(value_name = "DATABASE")]
    pub(crate) database: Option<String>,

    /// wait this long for another run to end, for instance 10m [default: the config's wait]
    #[arg(long, value_name = "DURATION")]
    pub(crate) wait: Option<Span>,

    #[command(flatten)]
    pub(crate) confirm: Confirm,

    #[command(flatten)]
    pub(crate) common: Common,
}
