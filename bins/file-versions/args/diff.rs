//! The command line of `file-versions diff`.

use std::path::PathBuf;

use clap::Args;
use manners::{Common, Example};

pub(crate) const EXAMPLES: [Example; 2] = [
    Example { command: "file-versions diff settings.toml", what: "what has changed since the newest version" },
    Example { command: "file-versions diff settings.toml latest~2 latest --stat", what: "how many lines two versions differ in" },
];

/// Show what differs between two versions of a file, or between a version and the file as it is now.
///
/// The status is 0 whether or not anything differs. Of binary content only the sizes are shown.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&EXAMPLES))]
pub(crate) struct Diff {
    /// the file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// the older side: latest, latest~N, an id or its beginning, a tag, or @TIME
    #[arg(value_name = "A", default_value = "latest")]
    pub(crate) from: String,

    /// the newer side [default: the file as it is now]
    #[arg(value_name = "B")]
    pub(crate) to: Option<String>,

    /// only count the lines
    #[arg(long)]
    pub(crate) stat: bool,

    #[command(flatten)]
    pub(crate) common: Common,
}
