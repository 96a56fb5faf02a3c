//! The command line of `backup-catalog checks`.

use clap::Args;
use manners::{Common, Example};

pub(crate) const EXAMPLES: [Example; 2] = [
    Example { command: "backup-catalog checks -e prod", what: "what every check of prod's backups found, and how long restores took" },
    Example { command: "backup-catalog checks latest -e prod --limit 5", what: "the last five checks of one backup" },
];

/// Show the history of checks: when which backup was verified, how thoroughly, and what was found.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&EXAMPLES))]
pub(crate) struct Checks {
    /// only of this backup [default: all]
    #[arg(value_name = "SELECTOR")]
    pub(crate) selector: Option<String>,

    /// only checks that found something wrong
    #[arg(long)]
    pub(crate) failed: bool,

    /// only the newest N; 0 means all
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,

    #[command(flatten)]
    pub(crate) common: Common,
}
