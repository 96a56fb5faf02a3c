//! The command line of `backup-catalog show`.

use clap::Args;
use manners::{Common, Example};

pub(crate) const EXAMPLES: [Example; 2] = [
    Example { command: "backup-catalog show latest -e prod", what: "what the newest good backup of prod holds, and where it is" },
    Example { command: "backup-catalog show 20261121T13 --json", what: "all that is known of one backup, its manifest included" },
];

/// Show all that is known of one backup: what it holds, what it needs and what needs it, its tags, and its checks.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&EXAMPLES))]
pub(crate) struct Show {
    /// backup: latest, an id or the unique start of one, or a backup's folder
    #[arg(value_name = "SELECTOR")]
    pub(crate) selector: String,

    #[command(flatten)]
    pub(crate) common: Common,
}
