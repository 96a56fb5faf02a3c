//! The command line of `backup-guard`. What it checks is named by a selector and flags; whatever else it does is a subcommand,
//! with arguments in `args/NAME.rs` and its work in `NAME.rs`.

// By path, since the tests and the manual take this file in from elsewhere.
#[path = "args/approve.rs"]
pub(crate) mod approve;
#[path = "args/audit.rs"]
pub(crate) mod audit;
#[path = "args/mark_env.rs"]
pub(crate) mod mark_env;

use clap::{Parser, Subcommand, ValueEnum};
use holdfast::error::{Error, Result};
use holdfast::manifest::Level;
use manners::{Bytes, Common, Example, Span};

pub(crate) const EXAMPLES: [Example; 2] = [
    Example { command: "backup-guard", what: "check every backup of the store; the status is 3 when one is bad" },
    Example {
        command: "backup-guard -e prod latest --verify restore --max-age 26h",
        what: "prove that the newest backup of prod restores, and that no run was missed",
    },
];

/// Check backups: that they are there, young enough, whole, private, and that they restore.
///
/// Without a selector every backup of the store is checked, or with -e every one of that environment. What cannot be
/// found out counts as bad.
#[derive(Debug, Parser)]
#[command(name = "backup-guard", version, max_term_width = 100, disable_help_flag = true, disable_version_flag = true)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true, after_help = manners::after_help(&EXAMPLES))]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// backup to check: latest, an id or the unique start of one, or a backup's folder [default: all]
    #[arg(value_name = "SELECTOR")]
    pub(crate) selector: Option<String>,

    /// how thoroughly: each level includes the ones before it
    ///
    /// quick: all is there, private and not too small. checksum: not one stored bit has changed. structure: it
    /// decompresses and is a whole dump. restore: it restores into a scratch database with every table, row count and
    /// the schema as they were. exact: a dump of that scratch database has the same content.
    #[arg(long, value_name = "LEVEL", value_parser = manners::level(), default_value = "checksum")]
    pub(crate) verify: Level,

    /// how to print the findings [default: table]
    #[arg(long, value_enum, value_name = "FORMAT", conflicts_with = "json")]
    pub(crate) format: Option<Format>,

    /// the newest backup may be this old, for instance 26h [default: the config's max_age]
    #[arg(long, value_name = "DURATION")]
    pub(crate) max_age: Option<Span>,

    /// a backup smaller than this is bad, for instance 10K [default: the config's min_size]
    #[arg(long, value_name = "SIZE")]
    pub(crate) min_size: Option<Bytes>,

    #[command(flatten)]
    pub(crate) common: Common,
}

/// The examples of each subcommand, for the manual and the tests.
#[allow(dead_code)]
pub(crate) const SUBCOMMANDS: [(&str, [Example; 2]); 3] =
    [("approve", approve::EXAMPLES), ("audit", audit::EXAMPLES), ("mark-env", mark_env::EXAMPLES)];

/// What it does beside checking backups. Each is described where its arguments stand: a line here would stand in for all of that.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Approve(approve::Approve),
    Audit(audit::Audit),
    MarkEnv(mark_env::MarkEnv),
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// a table for people
    Table,
    /// one JSON document; the same as --json
    Json,
    /// metrics for node_exporter's textfile collector
    Prometheus,
    /// one line and a status as monitoring plugins give them
    Nagios,
}

impl Args {
    /// The format that was asked for, by either flag.
    pub(crate) fn format(&self) -> Format {
        if self.common.json { Format::Json } else { self.format.unwrap_or(Format::Table) }
    }

    /// A subcommand is only one where it stands first; after a flag it would be taken for a selector.
    pub(crate) fn refuse_late_subcommand(&self) -> Result<()> {
        match self.selector.as_deref() {
            Some(word) if <Self as clap::CommandFactory>::command().find_subcommand(word).is_some() => {
                Err(Error::usage(format!("{word} must come first")).hint(format!("write backup-guard {word}, and the flags after it")))
            }
            _ => Ok(()),
        }
    }
}

impl AsRef<Common> for Args {
    fn as_ref(&self) -> &Common {
        match &self.command {
            None => &self.common,
            Some(Command::Approve(args)) => &args.common,
            Some(Command::Audit(args)) => &args.common,
            Some(Command::MarkEnv(args)) => &args.common,
        }
    }
}
