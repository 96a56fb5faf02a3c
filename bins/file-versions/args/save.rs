//! The command line of `file-versions save`.

use std::path::PathBuf;

use clap::Args;
use manners::{Common, Example, Span};

pub(crate) const EXAMPLES: [Example; 2] = [
    Example { command: "file-versions save settings.toml -m 'before the change'", what: "keep the file as it is now" },
    Example { command: "file-versions save settings.toml -m nightly --author cron -q", what: "the same from a schedule" },
];

/// Save a file as it is now.
///
/// A file that is as its newest version has it makes no new version: then that one's id is printed, and the
/// message is not kept: file-versions tag says more of a version that is there. A content that is in
/// the store already, of whatever file, is not stored again.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&EXAMPLES))]
pub(crate) struct Save {
    /// the file; links are not followed
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// why this version is kept
    #[arg(short, long, value_name = "MESSAGE")]
    pub(crate) message: String,

    /// who saves it [default: the user's name]
    #[arg(long, value_name = "NAME")]
    pub(crate) author: Option<String>,

    /// wait this long for another run to end, for instance 10m [default: the config's wait, at least 1m]
    #[arg(long, value_name = "DURATION")]
    pub(crate) wait: Option<Span>,

    #[command(flatten)]
    pub(crate) common: Common,
}
