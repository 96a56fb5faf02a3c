//! `restore-db`: bring a database back.

mod args;
mod choice;
mod report;

use std::process::ExitCode;

use args::Args;
use choice::Choice;
use holdfast::error::Result;
use holdfast::exit;
use holdfast::verbs::{requests, restore, undo};
use manners::{Out, Setting, Span, approval};

fn main() -> ExitCode {
    manners::run("restore-db", body)
}

fn body(args: Args, out: &Out) -> Result<u8> {
    let setting = Setting::open(&args.common)?;
    let choice = Choice::open(&args, &setting)?;
    setting.start_log("restore-db", &args.common, choice.store.as_ref(), out)?;
    if args.list {
        return report::print_list(out, &choice.catalog(&args)?);
    }
    let wait = args.wait.map_or(choice.environment.wait, |Span(wait)| wait);
    if args.undo || args.discard {
        let (target, record) = choice.last_restore(&args, &setting)?;
        let store = choice.store_of(&args, &setting, &target)?;
        let request = if args.discard { requests::discard } else { requests::undo }(&target, &record, store.as_ref())?;
        let rules = &choice.filed_under(&target).approval;
        if args.common.dry_run {
            approval::print_plan(&record, &report::lines_of(&record, args.discard), &request, rules, &setting, out)?;
            return Ok(exit::DONE);
        }
        let approval = args.confirm.approve(&request, rules, &setting, out)?;
        if args.discard {
            undo::discard(&*target.engine, &record, &approval, &setting.state, wait)?;
            return report::print_discarded(out, &record);
        }
        let kept = undo::undo(&*target.engine, &record, &approval, &setting.state, wait)?;
        return report::print_undone(out, &record, &kept);
    }
    let (origin, target) = choice.restore(&args, &setting)?;
    if !args.common.dry_run {
        for note in restore::put_right(&origin, &target, &setting.state, wait)? {
            out.warn(&note);
        }
    }
    let plan = restore::plan(&origin, &target, !args.no_safety_backup)?;
    let store = choice.store_of(&args, &setting, &target)?;
    let request = requests::restore(&plan, &origin, &target, store.as_ref())?;
    let rules = &choice.filed_under(&target).approval;
    if args.common.dry_run {
        approval::print_plan(&plan, &plan.lines(), &request, rules, &setting, out)?;
        return Ok(exit::DONE);
    }
    report::tell_plan(out, &plan);
    let approval = args.confirm.approve(&request, rules, &setting, out)?;
    let settings = choice.environment.engine_settings(&setting.state)?;
    let means = restore::Means {
        state: &setting.state,
        store: choice.store.as_ref().map(|store| (store, choice.filed_under(&target))),
        settings: &settings,
        wait,
    };
    report::print(out, &restore::run(&plan, &origin, &target, &approval, &means, out)?)
}
