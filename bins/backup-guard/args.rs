//! The command line of `backup-guard`.

use clap::{Parser, ValueEnum};
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
#[command(after_help = manners::after_help(&EXAMPLES))]
pub(crate) struct Args {
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
}

impl AsRef<Common> for Args {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}
