//! The command line of `file-versions`: whatever it does is a subcommand, with arguments in `args/NAME.rs` and its work in
//! `NAME.rs`.

// By path, since the tests and the manual take this file in from elsewhere.
#[path = "args/cat.rs"]
pub(crate) mod cat;
#[path = "args/diff.rs"]
pub(crate) mod diff;
#[path = "args/gc.rs"]
pub(crate) mod gc;
#[path = "args/log.rs"]
pub(crate) mod log;
#[path = "args/restore.rs"]
pub(crate) mod restore;
#[path = "args/save.rs"]
pub(crate) mod save;
#[path = "args/stats.rs"]
pub(crate) mod stats;
#[path = "args/tag.rs"]
pub(crate) mod tag;

use clap::{Parser, Subcommand};
use manners::{Common, Example};

pub(crate) const EXAMPLES: [Example; 2] = [
    Example { command: "file-versions save settings.toml -m 'before the change'", what: "keep a file as it is now" },
    Example { command: "file-versions restore settings.toml latest~1", what: "bring back the version before the newest" },
];

/// Keep versions of single files: every content once, compressed, found by its hash.
///
/// A version is the whole content of one file at one time, with who saved it and why. A VERSION is said as latest,
/// latest~2, an id or the beginning of one, a tag, or a time: @2026-11-21T13:00Z is the newest one of then or before.
#[derive(Debug, Parser)]
#[command(name = "file-versions", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(after_help = manners::after_help(&EXAMPLES))]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The examples of each subcommand, for the manual and the tests.
#[allow(dead_code)]
pub(crate) const SUBCOMMANDS: [(&str, [Example; 2]); 8] = [
    ("save", save::EXAMPLES),
    ("log", log::EXAMPLES),
    ("cat", cat::EXAMPLES),
    ("diff", diff::EXAMPLES),
    ("tag", tag::EXAMPLES),
    ("restore", restore::EXAMPLES),
    ("stats", stats::EXAMPLES),
    ("gc", gc::EXAMPLES),
];

/// What is to be done. Each is described where its arguments stand: a line here would stand in for all of that.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Save(save::Save),
    Log(log::Log),
    Cat(cat::Cat),
    Diff(diff::Diff),
    Tag(tag::Tag),
    Restore(restore::Restore),
    Stats(stats::Stats),
    Gc(gc::Gc),
}

impl AsRef<Common> for Args {
    fn as_ref(&self) -> &Common {
        match &self.command {
            Command::Save(args) => &args.common,
            Command::Log(args) => &args.common,
            Command::Cat(args) => &args.common,
            Command::Diff(args) => &args.common,
            Command::Tag(args) => &args.common,
            Command::Restore(args) => &args.common,
            Command::Stats(args) => &args.common,
            Command::Gc(args) => &args.common,
        }
    }
}
