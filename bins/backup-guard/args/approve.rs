//! The command line of `backup-guard approve`.

use std::path::PathBuf;

use clap::Args;
use manners::{Common, Example};

pub(crate) const EXAMPLES: [Example; 2] = [
    Example { command: "backup-guard approve CODE -n", what: "see what a colleague asks for" },
    Example { command: "backup-guard approve CODE --folder /var/lib/approvals", what: "approve it" },
];

/// Approve what another user of this machine has asked for (approval.by = "other").
///
/// The request is shown first; at a terminal the environment's name must be typed. What is approved is exactly what is
/// shown, once, until the code expires.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&EXAMPLES))]
pub(crate) struct Approve {
    /// the code that the other user was shown
    #[arg(value_name = "CODE")]
    pub(crate) code: String,

    /// folder through which the two of you work [default: the config's approval.folder]
    ///
    /// With it no configuration is read: it need not be readable for who approves.
    #[arg(long, value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) common: Common,
}
