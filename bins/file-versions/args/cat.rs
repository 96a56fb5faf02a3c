//! The command line of `file-versions cat`.

use std::path::PathBuf;

use clap::Args;
use manners::{Common, Example};

pub(crate) const EXAMPLES: [Example; 2] = [
    Example { command: "file-versions cat settings.toml latest~1", what: "the content of the version before the newest" },
    Example { command: "file-versions cat settings.toml @2026-11-20", what: "as it was at the end of that day (UTC)" },
];

/// Print the content of a version, byte for byte.
///
/// It is compared with its hash from start to end before the first byte is printed.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&EXAMPLES))]
pub(crate) struct Cat {
    /// the file; it need not be there any more
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// latest, latest~N, an id or its beginning, a tag, or @TIME
    #[arg(value_name = "VERSION", default_value = "latest")]
    pub(crate) selector: String,

    #[command(flatten)]
    pub(crate) common: Common,
}
