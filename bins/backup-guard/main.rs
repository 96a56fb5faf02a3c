//! `backup-guard`: check that the backups are there, young, whole, private, and that they restore.

mod approve;
mod args;
mod audit;
mod check;
mod mark_env;
mod report;
mod scope;

use std::process::ExitCode;

use args::{Args, Command};
use holdfast::error::Result;
use manners::Out;

fn main() -> ExitCode {
    manners::run("backup-guard", body)
}

fn body(args: Args, out: &Out) -> Result<u8> {
    match &args.command {
        None => check::run(&args, out),
        Some(Command::Approve(args)) => approve::run(args, out),
        Some(Command::Audit(args)) => audit::run(args, out),
        Some(Command::MarkEnv(args)) => mark_env::run(args, out),
    }
}
