//! The flags that mean the same in every binary.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args};
use holdfast::manifest::Level;

/// Flags of every binary.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// environment to work on, as named in the config file
    #[arg(short, long, value_name = "NAME", env = "HOLDFAST_ENV")]
    pub env: Option<String>,

    /// config file [default: the nearest holdfast.toml]
    ///
    /// Without this, holdfast.toml is looked for in the working directory and its parents, then in
    /// $XDG_CONFIG_HOME/holdfast, then in /etc/holdfast.
    #[arg(short, long, value_name = "FILE", env = "HOLDFAST_CONFIG")]
    pub config: Option<PathBuf>,

    /// folder that holds the backups [default: the config's store, else ./backups]
    #[arg(long, value_name = "DIR", env = "HOLDFAST_STORE")]
    pub store: Option<PathBuf>,

    /// accept a store that this machine does not know or that is empty now
    ///
    /// A path that held a store before and now lacks its id (an unmounted disk, a folder emptied by a sync service) is
    /// refused. This says that a new store there is meant.
    #[arg(long)]
    pub new_store: bool,

    /// print one JSON document on stdout, errors included
    #[arg(long)]
    pub json: bool,

    /// print no notes and no progress; results, warnings and errors remain
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,

    /// say more on stderr; -vv says everything
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,

    /// say what would be done, and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// print help; -h is the short form of --help
    #[arg(short, long, action = ArgAction::Help)]
    help: Option<bool>,

    /// print the version
    #[arg(short = 'V', long, action = ArgAction::Version)]
    version: Option<bool>,
}

/// Reads a verification level, and offers its values to help and completion.
pub fn level() -> impl TypedValueParser<Value = Level> {
    PossibleValuesParser::new(Level::ALL.map(Level::name)).try_map(|text| text.parse::<Level>())
}
