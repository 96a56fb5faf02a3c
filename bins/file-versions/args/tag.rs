//! The command line of `file-versions tag`.

use std::path::PathBuf;

use clap::Args;
use manners::{Common, Example, Span};

pub(crate) const EXAMPLES: [Example; 2] = [
    Example { command: "file-versions tag settings.toml v1.0", what: "the newest version is v1.0 from now on, and stays" },
    Example { command: "file-versions tag settings.toml v1.0 --delete", what: "take the tag away again; the version stays" },
];

/// Give a version of a file a tag, by which it can be named and which gc never removes; without a tag, list them.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&EXAMPLES))]
pub(crate) struct Tag {
    /// the file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// the tag: a letter, then letters, digits, '.', '-' and '_'
    #[arg(value_name = "TAG")]
    pub(crate) tag: Option<String>,

    /// latest, latest~N, an id or its beginning, a tag, or @TIME
    #[arg(value_name = "VERSION", default_value = "latest")]
    pub(crate) selector: String,

    /// take the tag away
    #[arg(long, requires = "tag", conflicts_with_all = ["selector", "force"])]
    pub(crate) delete: bool,

    /// move the tag where another version bears it
    #[arg(long, requires = "tag")]
    pub(crate) force: bool,

    /// who gives it [default: the user's name]
    #[arg(long, value_name = "NAME")]
    pub(crate) author: Option<String>,

    /// wait this long for another run to end, for instance 10m [default: the config's wait, at least 1m]
    #[arg(long, value_name = "DURATION")]
    pub(crate) wait: Option<Span>,

    #[command(flatten)]
    pub(crate) common: Common,
}
