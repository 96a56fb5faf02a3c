//! `restore-db`: bring a database back.

mod args;
mod choice;
mod report;

use std::process::ExitCode;

use args::Args;
use choice::Choice;
use holdfast::error::Result;
use holdfast::guardian;
use holdfast::verbs::{restore, undo};
use manners::{Out, Setting, Span, prompt};

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
    let approve = |operation: &str, target: &restore::Target<'_>| {
        let location = target.engine.location();
        guardian::approve(operation, &location, target.environment, args.confirm.as_deref(), |question, name| {
            prompt::confirm_by_name(question, name, &format!("--confirm {name}"))
        })
    };
    if args.undo || args.discard {
        let (target, record) = choice.last_restore(&args, &setting)?;
        if args.common.dry_run {
            return report::print_record(out, &record, args.discard);
        }
        if args.discard {
            undo::discard(&*target.engine, &record, &approve("discard", &target)?, &setting.state, wait)?;
            return report::print_discarded(out, &record);
        }
        let kept = undo::undo(&*target.engine, &record, &approve("undo", &target)?, &setting.state, wait)?;
        return report::print_undone(out, &record, &kept);
    }
    let (origin, target) = choice.restore(&args, &setting)?;
    if !args.common.dry_run {
        for note in restore::put_right(&origin, &target, &setting.state, wait)? {
            out.warn(&note);
        }
    }
    let plan = restore::plan(&origin, &target, !args.no_safety_backup)?;
    if args.common.dry_run {
        return report::print_plan(out, &plan);
    }
    report::tell_plan(out, &plan);
    let approval = approve("restore", &target)?;
    let settings = choice.environment.engine_settings(&setting.state)?;
    let means = restore::Means {
        state: &setting.state,
        store: choice.store.as_ref().map(|store| (store, choice.filed_under(&target))),
        settings: &settings,
        wait,
    };
    report::print(out, &restore::run(&plan, &origin, &target, &approval, &means, out)?)
}
