//! The command line of `file-versions restore`.

use std::path::PathBuf;

use clap::Args;
use manners::{Common, Example, Span};

pub(crate) const EXAMPLES: [Example; 2] = [
    Example { command: "file-versions restore settings.toml latest~1", what: "bring back the version before the newest" },
    Example { command: "file-versions restore settings.toml v1.0 --to /tmp/settings.toml", what: "the same beside it" },
];

/// Bring a version of a file back.
///
/// Its content is compared with its hash first. What is at that place now is saved as a version before anything is written
/// over it, unless it is one already; so a restore is undone by another one.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&EXAMPLES))]
pub(crate) struct Restore {
    /// the file; it need not be there any more
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// latest, latest~N, an id or its beginning, a tag, or @TIME
    #[arg(value_name = "VERSION", default_value = "latest")]
    pub(crate) selector: String,

    /// where it goes [default: FILE itself]
    #[arg(long, value_name = "PATH")]
    pub(crate) to: Option<PathBuf>,

    /// who saves what is there now [default: the user's name]
    #[arg(long, value_name = "NAME")]
    pub(crate) author: Option<String>,

    /// wait this long for another run to end, for instance 10m [default: the config's wait, at least 1m]
    #[arg(long, value_name = "DURATION")]
    pub(crate) wait: Option<Span>,

    #[command(flatten)]
    pub(crate) common: Common,
}
