//! `backup-guard`: check that the backups are there, young, whole, private, and that they restore.

mod args;
mod report;
mod scope;

use std::process::ExitCode;

use args::Args;
use holdfast::error::Result;
use holdfast::sync_state::SystemProbe;
use holdfast::verbs::guard;
use manners::{Out, Setting};
use scope::Chosen;

fn main() -> ExitCode {
    manners::run("backup-guard", body)
}

fn body(args: Args, out: &Out) -> Result<u8> {
    let setting = Setting::open(&args.common)?;
    let chosen = Chosen::open(&args, &setting)?;
    setting.start_log("backup-guard", &args.common, Some(&chosen.store), out)?;
    let report = guard::run(&chosen.store, &chosen.scope()?, &SystemProbe, out)?;
    report::print(out, &report, args.format())
}
