//! The command line of `backup-catalog stats`.

use clap::Args;
use manners::{Common, Example};

pub(crate) const EXAMPLES: [Example; 2] = [
    Example { command: "backup-catalog stats", what: "how many backups there are, how large, how they grow" },
    Example { command: "backup-catalog stats -e prod --json", what: "the same of prod, for a script" },
];

/// Show the store in figures: counts, sizes, the oldest and the newest, growth, what increments save, and how long the last
/// proven restore took.
///
/// A plot shows the newest backups, from 0 to the highest value.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&EXAMPLES))]
pub(crate) struct Stats {
    #[command(flatten)]
    pub(crate) common: Common,
}
