//! `backup-catalog`: look at the backups there are, compare them, label them, and put the store in order.

mod archive;
mod args;
mod checks;
mod cleanup;
mod delete;
mod diff;
mod exchange;
mod forget;
mod label;
mod list;
mod prune;
mod shelf;
mod show;
mod stats;

use std::process::ExitCode;

use args::{Args, Command};
use holdfast::error::Result;
use manners::Out;

/// Its name in the log and in the audit trail.
pub(crate) const TOOL: &str = "backup-catalog";

fn main() -> ExitCode {
    manners::run(TOOL, body)
}

fn body(args: Args, out: &Out) -> Result<u8> {
    match &args.command {
        Command::List(args) => list::run(args, out),
        Command::Show(args) => show::run(args, out),
        Command::Stats(args) => stats::run(args, out),
        Command::Checks(args) => checks::run(args, out),
        Command::Diff(args) => diff::run(args, out),
        Command::Tag(args) => label::tag(args, out),
        Command::Untag(args) => label::untag(args, out),
        Command::Pin(args) => label::pin(args, out),
        Command::Unpin(args) => label::unpin(args, out),
        Command::Delete(args) => delete::run(args, out),
        Command::Forget(args) => forget::run(args, out),
        Command::Prune(args) => prune::run(args, out),
        Command::Cleanup(args) => cleanup::run(args, out),
        Command::Archive(args) => archive::run(args, out),
        Command::Export(args) => exchange::export(args, out),
        Command::Import(args) => exchange::import(args, out),
    }
}
