//! `restore-db`: bring a database back.

mod args;
mod choice;
mod files;
mod report;
mod work;

use std::process::ExitCode;

use args::Args;
use choice::Choice;
use holdfast::audit::Run;
use holdfast::error::{Error, Result};
use holdfast::exit;
use holdfast::listing;
use holdfast::verbs::{requests, restore};
use manners::{Out, Setting, approval};

fn main() -> ExitCode {
    manners::run("restore-db", body)
}

fn body(args: Args, out: &Out) -> Result<u8> {
    let setting = Setting::open(&args.common)?;
    let choice = Choice::open(&args, &setting)?;
    setting.start_log("restore-db", &args.common, choice.store.as_ref(), out)?;
    if args.list {
        return report::print_list(out, listing::read(choice.require_store()?, choice.settled())?);
    }
    if args.files.preview {
        return files::preview(&args, &setting, &choice, out);
    }
    if args.files.files_to.is_some() {
        return files::run(&args, &setting, &choice, out);
    }
    if !args.files.only.is_empty() {
        return Err(Error::usage("--only is about files").hint("say where they go, with --files-to DIR, or look at them with --preview"));
    }
    if args.common.dry_run {
        return rehearse(&args, &setting, &choice, out);
    }
    let run = Run {
        tool: "restore-db".to_owned(),
        operation: args.operation().to_owned(),
        environment: choice.settled().map(str::to_owned),
        target: None,
    };
    let audited = setting.audited(out, choice.store.as_ref(), run, |trail| work::run(&args, &setting, &choice, trail, out))?;
    report::print(out, &audited)
}

/// Says what would be done, and how it can be approved.
fn rehearse(args: &Args, setting: &Setting, choice: &Choice, out: &Out) -> Result<u8> {
    if args.undo || args.discard {
        let (target, record) = choice.last_restore(args, setting)?;
        let store = choice.store_of(args, setting, &target)?;
        let request = if args.discard { requests::discard } else { requests::undo }(&target, &record, store.as_ref())?;
        let rules = choice.approval_of(&target);
        approval::print_plan(&record, &report::lines_of(&record, args.discard), &request, rules, setting, out)?;
        return Ok(exit::DONE);
    }
    let (origin, target) = choice.restore(args, setting, out)?;
    let plan = restore::plan(&origin, &target, !args.no_safety_backup)?;
    let store = choice.store_of(args, setting, &target)?;
    let request = requests::restore(&plan, &origin, &target, store.as_ref())?;
    let lines: Vec<String> = plan.lines().iter().map(|line| out.to_paste(line)).collect();
    approval::print_plan(&plan, &lines, &request, choice.approval_of(&target), setting, out)?;
    plan.require_swap(&*target.engine)?;
    Ok(exit::DONE)
}
