//! `file-versions`: keep versions of single files.

mod args;
mod cat;
mod diff;
mod gc;
mod log;
mod report;
mod restore;
mod save;
mod scope;
mod stats;
mod tag;

use std::process::ExitCode;

use args::{Args, Command};
use holdfast::error::Result;
use manners::Out;

fn main() -> ExitCode {
    manners::run("file-versions", body)
}

fn body(args: Args, out: &Out) -> Result<u8> {
    match &args.command {
        Command::Save(args) => save::run(args, out),
        Command::Log(args) => log::run(args, out),
        Command::Cat(args) => cat::run(args, out),
        Command::Diff(args) => diff::run(args, out),
        Command::Tag(args) => tag::run(args, out),
        Command::Restore(args) => restore::run(args, out),
        Command::Stats(args) => stats::run(args, out),
        Command::Gc(args) => gc::run(args, out),
    }
}
