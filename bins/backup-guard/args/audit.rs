//! The command line of `backup-guard audit`.

use clap::Args;
use clap::builder::PossibleValuesParser;
use holdfast::audit::Event;
use manners::{Common, Example};

pub(crate) const EXAMPLES: [Example; 2] = [
    Example { command: "backup-guard audit --since 7d", what: "what was done in the last seven days, and whether the log is whole" },
    Example { command: "backup-guard audit -e prod --summary --json", what: "how the operations on prod ended, for a script" },
];

/// Show the audit trail: who did what, when, and how it ended.
///
/// The whole log is verified first, whatever is asked for: each line holds the hash of the one before it. The status is 3
/// when a line was changed, removed, added or moved, or when the end of the log was cut off.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true, version, after_help = manners::after_help(&EXAMPLES))]
pub(crate) struct Audit {
    /// only lines of this event
    #[arg(long, value_name = "EVENT", value_parser = PossibleValuesParser::new(Event::ALL.map(Event::name)), conflicts_with = "summary")]
    pub(crate) event: Option<String>,

    /// only what this user of the machine did, by name or number
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,

    /// only this run, by its id or the beginning of one
    #[arg(long, value_name = "ID")]
    pub(crate) run: Option<String>,

    /// only this operation (backup, restore, migrate, ...) or program (backup-db, ...)
    #[arg(long, value_name = "OPERATION")]
    pub(crate) operation: Option<String>,

    /// not before TIME: 2026-11-21T13:00Z, a day, or how long ago: 36h
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,

    /// not after TIME; a day means all of it
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,

    /// only the newest N lines; 0 means all
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,

    /// count operations by how they ended, and name the runs that never did
    #[arg(long)]
    pub(crate) summary: bool,

    /// the trail of this machine's runs without a store, which is in the state directory
    #[arg(long)]
    pub(crate) local: bool,

    #[command(flatten)]
    pub(crate) common: Common,
}
