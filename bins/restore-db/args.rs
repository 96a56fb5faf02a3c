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

/// Bring a database back: loaded beside the old one, checked, then swapped in. Or bring files back, into a folder.
///
/// The database that was there is backed up first and kept aside after the swap, until --discard. With --files-to only files are
/// restored, and no database is touched.
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

    /// restore into this database instead of the environment's own: sqlite:PATH, postgres://... or mariadb://...
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
    pub(crate) files: Files,

    #[command(flatten)]
    pub(crate) confirm: Confirm,

    /// wait this long for another run to end, for instance 10m [default: do not wait]
    #[arg(long, value_name = "DURATION", conflicts_with = "list")]
    pub(crate) wait: Option<Span>,

    #[command(flatten)]
    pub(crate) common: Common,
}

/// The flags about files.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Files")]
pub(crate) struct Files {
    /// restore the files of the backup into this folder, which must be empty or not exist, and nothing else
    ///
    /// Each file or folder that was backed up has its own name in there. After an interrupted run the same call goes on.
    #[arg(long = "files-to", value_name = "DIR", conflicts_with_all = ["list", "undo", "discard", "file", "to", "user", "dbname", "no_safety_backup", "confirm"])]
    pub(crate) files_to: Option<PathBuf>,

    /// only what fits; may be given more than once
    ///
    /// A pattern without a slash is held against names, as in '*.jpg'; one with a slash against paths as --preview shows them. What
    /// fits a folder fits everything in it. The rest of the archive is not read.
    #[arg(long = "only", value_name = "PATTERN", conflicts_with_all = ["list", "undo", "discard"])]
    pub(crate) only: Vec<String>,

    /// replace files of the same name that are in the folder; all others stay
    ///
    /// What is replaced is gone for good: nothing of it is kept. -n shows what that would be.
    #[arg(long, requires = "files_to")]
    pub(crate) overwrite: bool,

    /// restore owners and groups too, which mostly only root may
    #[arg(long, requires = "files_to")]
    pub(crate) owner: bool,

    /// show the files in the backup, and what differs from now
    ///
    /// They are compared, by type, length and time, with the places that they were taken from, or with what is in --files-to. What is the
    /// same is only counted; --all shows it too.
    #[arg(long, conflicts_with_all = ["list", "undo", "discard", "file", "user", "dbname", "no_safety_backup", "confirm"])]
    pub(crate) preview: bool,

    /// with --preview: also what is the same
    #[arg(long, requires = "preview")]
    pub(crate) all: bool,
}

impl Args {
    /// What the flags ask for.
    pub(crate) fn operation(&self) -> &'static str {
        if self.files.files_to.is_some() {
            return "restore-files";
        }
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
