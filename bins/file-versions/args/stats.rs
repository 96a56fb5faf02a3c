//! The command line of `file-versions stats`.

use clap::Args;
use manners::{Common, Example};

pub(crate) const EXAMPLES: [Example; 2] = [
    Example { command: "file-versions stats", what: "files, versions, bytes, and what is saved by keeping contents once" },
    Example { command: "file-versions stats --verify", what: "read every content and compare it with its hash" },
];

/// Show what the versions take, and what is wrong with them.
///
/// The status is 3 when something is.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&EXAMPLES))]
pub(crate) struct Stats {
    /// read every content and compare it with its hash
    #[arg(long)]
    pub(crate) verify: bool,

    #[command(flatten)]
    pub(crate) common: Common,
}
