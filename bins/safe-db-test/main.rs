//! `safe-db-test`: run tests that cannot reach the real database.

mod args;
mod report;

use std::process::ExitCode;

use args::Args;
use holdfast::audit::{Run, Trail};
use holdfast::command::Wrapped;
use holdfast::engine::Engine;
use holdfast::environment::Environment;
use holdfast::error::Result;
use holdfast::exit;
use holdfast::journal::{Entry, Kind};
use holdfast::verbs::dbtest::{self, Report, Request};
use holdfast::verbs::guarded::Guarded;
use holdfast::verbs::migrate;
use manners::wrapper::{self, Watcher};
use manners::{Out, Setting, approval};
use serde_json::json;

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
        dbtest::refuse_inside(&around, args.in_place)?;
        return wrapper::run_inside(&around, command, args.common.dry_run, out);
    }
    let request = Request {
        command,
        keep: args.keep,
        timeout: args.timeout.map(|span| span.0).or(environment.migration.timeout),
        on_leak: args.on_leak.unwrap_or(environment.test_run.on_leak),
    };
    if args.common.dry_run {
        let (engine, probe) = Guarded::look(&environment, &setting.state)?;
        let plan = dbtest::plan(&environment, &*engine, &probe, &request, args.in_place);
        let store = setting.store_if_any(&args.common, &environment)?;
        let asked = plan.request(&environment, &probe, store.as_ref())?;
        approval::print_plan(&plan, &plan.lines(), &asked, &environment.approval, &setting, out)?;
        return Ok(exit::DONE);
    }
    let store = setting.store(&args.common, &environment, true)?;
    setting.start_log("safe-db-test", &args.common, Some(&store), out)?;
    let audited = setting.audited(out, Some(&store), run_of(&environment, &*engine), |trail| {
        let watcher = Watcher { out, trail };
        let report = if args.in_place {
            let (guarded, probe) = Guarded::begin(&environment, &store)?;
            let plan = dbtest::plan(&environment, &*guarded.engine, &probe, &request, true);
            trail.plan(json!({ "plan": plan }));
            let asked = plan.request(&environment, &probe, Some(&store))?;
            let approval = args.confirm.approve_audited(&asked, &environment.approval, &setting, trail, out)?;
            dbtest::run_in_place(&guarded, &probe, &request, &approval, &watcher)?
        } else {
            dbtest::run(&environment, &store, &request, &watcher)?
        };
        Ok((report.status(), note(trail, report)))
    })?;
    report::tell(out, &audited.value);
    wrapper::document(out, &audited.value, args.report.as_deref());
    Ok(audited.status)
}

fn end_interrupted(args: &Args, setting: &Setting, environment: &Environment, out: &Out) -> Result<u8> {
    let store = setting.store(&args.common, environment, false)?;
    setting.start_log("safe-db-test", &args.common, Some(&store), out)?;
    if args.common.dry_run {
        let standing = migrate::standing(environment, &store, Kind::InPlaceTest)?;
        let described = standing.describe();
        let asked = standing.request(args.abandon)?;
        approval::print_plan(&described, &described.lines(args.abandon), &asked, &environment.approval, setting, out)?;
        return Ok(exit::DONE);
    }
    let engine = environment.engine(&setting.state)?;
    let audited = setting.audited(out, Some(&store), run_of(environment, &*engine), |trail| {
        let standing = migrate::standing(environment, &store, Kind::InPlaceTest)?;
        let watcher = Watcher { out, trail };
        let rules = &environment.migration;
        let report = wrapper::end_interrupted(standing, args.abandon, rules, &args.confirm, environment, setting, &watcher)?;
        Ok((report.status(), report))
    })?;
    wrapper::tell_failure(out, &audited.value);
    wrapper::document(out, &audited.value, args.report.as_deref());
    Ok(audited.status)
}

fn run_of(environment: &Environment, engine: &dyn Engine) -> Run {
    Run {
        tool: "safe-db-test".to_owned(),
        operation: "test".to_owned(),
        environment: Some(environment.name.clone()),
        target: Some(engine.location()),
    }
}

/// What the audit trail keeps of the end.
fn note(trail: &Trail, report: Report) -> Report {
    trail.note(|facts| {
        facts.backup = Some(report.backup.clone());
        facts.detail.insert("database".to_owned(), json!(report.state));
        facts.detail.insert("leak".to_owned(), json!(report.leak));
    });
    report
}
