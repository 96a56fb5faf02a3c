//! `backup-db`: back a database up.

mod args;
mod report;

use std::process::ExitCode;

use args::Args;
use holdfast::error::Result;
use holdfast::manifest::Kind;
use holdfast::verbs::backup::{self, Request};
use manners::{Out, Setting};

fn main() -> ExitCode {
    manners::run("backup-db", body)
}

fn body(args: Args, out: &Out) -> Result<u8> {
    let setting = Setting::open(&args.common)?;
    let environment = setting.environment(&args.common, args.overrides())?;
    if args.common.dry_run {
        return report::print_plan(out, &backup::plan(&environment, &setting.state)?);
    }
    let store = setting.store(&args.common, &environment, true)?;
    setting.start_log("backup-db", &args.common, Some(&store), out)?;
    let request = Request { kind: Kind::Db, reason: args.reason, tags: args.tags, verify: environment.verify, prune: !args.keep.no_prune };
    report::print(out, &backup::run(&environment, &store, &request, out)?)
}
