//! The command line of `backup-catalog`: a subcommand for each thing to do, with arguments in `args/NAME.rs`.

// By path, since the tests and the manual take this file in from elsewhere.
#[path = "args/checks.rs"]
pub(crate) mod checks;
#[path = "args/diff.rs"]
pub(crate) mod diff;
#[path = "args/exchange.rs"]
pub(crate) mod exchange;
#[path = "args/label.rs"]
pub(crate) mod label;
#[path = "args/list.rs"]
pub(crate) mod list;
#[path = "args/remove.rs"]
pub(crate) mod remove;
#[path = "args/show.rs"]
pub(crate) mod show;
#[path = "args/stats.rs"]
pub(crate) mod stats;

use clap::{Parser, Subcommand};
use manners::{Common, Example};

pub(crate) const EXAMPLES: [Example; 2] = [
    Example { command: "backup-catalog list -e prod --since 7d", what: "what was backed up of prod in the last seven days" },
    Example { command: "backup-catalog diff latest -e prod --with-current", what: "what has changed since the newest good backup" },
];

/// Look at the backups there are, compare them, label them, and put the store in order.
#[derive(Debug, Parser)]
#[command(name = "backup-catalog", version, max_term_width = 100, disable_help_subcommand = true, disable_help_flag = true)]
#[command(after_help = manners::after_help(&EXAMPLES))]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// print help; -h is the short form of --help
    #[arg(short, long, action = clap::ArgAction::Help)]
    help: Option<bool>,
}

/// The examples of each subcommand, for the manual and the tests.
#[allow(dead_code)]
pub(crate) const SUBCOMMANDS: [(&str, [Example; 2]); 16] = [
    ("list", list::EXAMPLES),
    ("show", show::EXAMPLES),
    ("stats", stats::EXAMPLES),
    ("checks", checks::EXAMPLES),
    ("diff", diff::EXAMPLES),
    ("tag", label::TAG),
    ("untag", label::UNTAG),
    ("pin", label::PIN),
    ("unpin", label::UNPIN),
    ("delete", remove::DELETE),
    ("forget", remove::FORGET),
    ("prune", remove::PRUNE),
    ("cleanup", remove::CLEANUP),
    ("archive", remove::ARCHIVE),
    ("export", exchange::EXPORT),
    ("import", exchange::IMPORT),
];

/// What it does. Each is described where its arguments stand: a line here would stand in for all of that.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(list::List),
    Show(show::Show),
    Stats(stats::Stats),
    Checks(checks::Checks),
    Diff(diff::Diff),
    Tag(label::Tag),
    Untag(label::Untag),
    Pin(label::Pin),
    Unpin(label::Unpin),
    Delete(remove::Delete),
    Forget(remove::Forget),
    Prune(remove::Prune),
    Cleanup(remove::Cleanup),
    Archive(remove::Archive),
    Export(exchange::Export),
    Import(exchange::Import),
}

impl AsRef<Common> for Args {
    fn as_ref(&self) -> &Common {
        match &self.command {
            Command::List(args) => &args.common,
            Command::Show(args) => &args.common,
            Command::Stats(args) => &args.common,
            Command::Checks(args) => &args.common,
            Command::Diff(args) => &args.common,
            Command::Tag(args) => &args.common,
            Command::Untag(args) => &args.common,
            Command::Pin(args) => &args.common,
            Command::Unpin(args) => &args.common,
            Command::Delete(args) => &args.common,
            Command::Forget(args) => &args.common,
            Command::Prune(args) => &args.common,
            Command::Cleanup(args) => &args.common,
            Command::Archive(args) => &args.common,
            Command::Export(args) => &args.common,
            Command::Import(args) => &args.common,
        }
    }
}
