//! The command line of `file-versions log`.

use std::path::PathBuf;

use clap::Args;
use manners::{Common, Example};

pub(crate) const EXAMPLES: [Example; 2] = [
    Example { command: "file-versions log settings.toml", what: "the versions of a file, the newest first" },
    Example { command: "file-versions log --json", what: "every file that has versions, for a script" },
];

/// Show the versions of a file, the newest first; without a file, every file that has versions.
///
/// The status is 3 when a record cannot be read or a content is missing; what can be read is shown all the same.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&EXAMPLES))]
pub(crate) struct Log {
    /// the file; it need not be there any more [default: all]
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// only the newest N versions; 0 means all
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) limit: usize,

    #[command(flatten)]
    pub(crate) common: Common,
}
