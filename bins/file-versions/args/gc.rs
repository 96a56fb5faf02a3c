//! The command line of `file-versions gc`.

use clap::Args;
use manners::{Common, Example, Span};

pub(crate) const EXAMPLES: [Example; 2] = [
    Example { command: "file-versions gc", what: "remove the contents that no version needs" },
    Example { command: "file-versions gc --keep-last 20 --keep-days 90 -n", what: "see which older versions would go too" },
];

/// Remove the contents that no version needs, and older versions only where that is asked for.
///
/// With both --keep flags a version stays that either of them keeps. The newest version of a file and one with a tag always
/// stay. A content that is younger than an hour stays as well: a save on another machine may be about to name it.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&EXAMPLES))]
pub(crate) struct Gc {
    /// keep the newest N versions of each file, and remove older ones
    #[arg(long, value_name = "N")]
    pub(crate) keep_last: Option<u32>,

    /// keep versions that are not older than N days, and remove older ones
    #[arg(long, value_name = "N")]
    pub(crate) keep_days: Option<u32>,

    /// wait this long for another run to end, for instance 10m [default: the config's wait, at least 1m]
    #[arg(long, value_name = "DURATION")]
    pub(crate) wait: Option<Span>,

    #[command(flatten)]
    pub(crate) common: Common,
}
