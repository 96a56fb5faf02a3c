//! The command line of `restore-db`.

use std::path::PathBuf;

use clap::{ArgGroup, Parser};
use manners::approval::Confirm;
use manners::{Common, Example, Span};

pub(crate) const EXAMPLES: [Example; 2] = [
    Example {
        command: "restore-db -e dev latest",
        what: "put the newest backup of dev back; the old database is kept aside for restore-db --undo",
    },
    Example {
        command: "restore-db -f dump.sql.gz --to sqlite:/tmp/look.db",
        what: "load anyone's dump into a new file and touch nothing else",
    },
];

/// Bring a database back: loaded beside the old one, checked, then swapped in.
///
/// The database that was there is backed up first and kept aside after the swap, until --discard.
#[derive(Debug, Parser)]
#[command(name = "restore-db", version, max_term_width = 100, disable_help_flag = true, disable_version_flag = true)]
#[command(after_help = manners::after_help(&EXAMPLES))]
#[command(group = ArgGroup::new("what").args(["selector", "file", "at", "list", "undo", "discard"]).required(true))]
pub(crate) struct Args {
    /// backup to restore: latest, an id or the unique start of one, or a backup's folder
    #[arg(value_name = "SELECTOR")]
    pub(crate) selector: Option<String>,

    /// restore this file, ours or anyone's: .sql, .sql.gz, .sql.zst, pg_dump -Fc, SQLite
    ///
    /// What it is is told by its content, not by its name.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// restore the newest backup that is not newer than TIME, for instance 2026-11-21T13:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,

    /// list the backups there are
    #[arg(long, conflicts_with = "confirm")]
    pub(crate) list: bool,

    /// bring back the database that the last restore replaced
    #[arg(long)]
    pub(crate) undo: bool,

    /// remove the database that the last restore kept aside; it cannot be undone after that
    #[arg(long)]
    pub(crate) discard: bool,

    /// restore into this database instead of the environment's own: sqlite:PATH or postgres://...
    ///
    /// With --undo and --discard it names the database whose last restore is meant.
    #[arg(long, value_name = "URL", conflicts_with = "list")]
    pub(crate) to: Option<String>,

    /// connect as this user
    #[arg(short, long, value_name = "USER", conflicts_with = "list")]
    pub(crate) user: Option<String>,

    /// restore into the database of this name on the same server
    #[arg(short, long, value_name = "NAME", conflicts_with_all = ["list", "to"])]
    pub(crate) dbname: Option<String>,

    /// do not back up the database that is about to be replaced
    #[arg(long, conflicts_with_all = ["list", "undo", "discard"])]
    pub(crate) no_safety_backup: bool,

    #[command(flatten)]
    pub(crate) confirm: Confirm,

    /// wait this long for another run to end, for instance 10m [default: do not wait]
    #[arg(long, value_name = "DURATION", conflicts_with = "list")]
    pub(crate) wait: Option<Span>,

    #[command(flatten)]
    pub(crate) common: Common,
}

impl Args {
    /// What the flags ask for.
    pub(crate) fn operation(&self) -> &'static str {
        match (self.list, self.undo, self.discard) {
            (true, ..) => "list",
            (_, true, _) => "undo",
            (_, _, true) => "discard",
            _ => "restore",
        }
    }
}

impl AsRef<Common> for Args {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}
