//! `safe-db-test`: run tests that cannot reach the real database.

mod args;
mod report;

use std::process::ExitCode;

use args::Args;
use holdfast::command::Wrapped;
use holdfast::environment::Environment;
use holdfast::error::Result;
use holdfast::exit;
use holdfast::journal::{Entry, Kind};
use holdfast::verbs::dbtest::{self, Request};
use holdfast::verbs::guarded::Guarded;
use holdfast::verbs::migrate;
use manners::{Out, Setting, wrapper};

fn main() -> ExitCode {
    manners::run_wrapper("safe-db-test", body)
}

fn body(args: Args, out: &Out) -> Result<u8> {
    let setting = Setting::open(&args.common)?;
    let environment = setting.environment(&args.common, args.overrides())?;
    dbtest::refuse_protected(&environment)?;
    if args.resume || args.abandon {
        return end_interrupted(&args, &setting, &environment, out);
    }
    // What cannot be run is told before anything is touched.
    let command = Wrapped::find(&args.command)?;
    let engine = environment.engine(&setting.state)?;
    if let Some(around) = Entry::around(&setting.state, &engine.location())? {
        out.note(&format!("inside {}: the command runs as it is", around.kind.tool()));
        return Err(command.replace_us());
    }
    let request = Request {
        command,
        shown: wrapper::shown(&args.command),
        keep: args.keep,
        timeout: args.timeout.map(|span| span.0).or(environment.migration.timeout),
        on_leak: args.on_leak.unwrap_or(environment.test_run.on_leak),
    };
    if args.common.dry_run {
        let probe = engine.probe()?;
        let plan = dbtest::plan(&environment, &*engine, &probe, &request, args.in_place)?;
        return args.confirm.show(&plan.approval(&environment), &plan, &plan.lines(), &setting, out);
    }
    let store = setting.store(&args.common, &environment, true)?;
    setting.start_log("safe-db-test", &args.common, Some(&store), out)?;
    let report = if args.in_place {
        let (guarded, probe) = Guarded::begin(&environment, &store)?;
        let plan = dbtest::plan(&environment, &*guarded.engine, &probe, &request, true)?;
        let approval = args.confirm.approve(&plan.approval(&environment), &environment, &setting, out)?;
        dbtest::run_in_place(&guarded, &probe, &request, &approval, out)?
    } else {
        dbtest::run(&environment, &store, &request, out)?
    };
    report::tell(out, &report);
    wrapper::document(out, &report, args.report.as_deref())?;
    Ok(report.status())
}

fn end_interrupted(args: &Args, setting: &Setting, environment: &Environment, out: &Out) -> Result<u8> {
    let store = setting.store(&args.common, environment, false)?;
    setting.start_log("safe-db-test", &args.common, Some(&store), out)?;
    let standing = migrate::standing(environment, &store, Kind::InPlaceTest)?;
    wrapper::end_interrupted(standing, args.abandon, &environment.migration, &args.confirm, environment, setting, out)
}

