//! `safe-db-test`: run tests that cannot reach the real database.

mod args;
mod report;

use std::process::ExitCode;

use args::Args;
use holdfast::audit::Trail;
use holdfast::command::Wrapped;
use holdfast::error::Result;
use holdfast::exit;
use holdfast::journal::{Entry, Kind};
use holdfast::verbs::dbtest::{self, Report, Request};
use holdfast::verbs::guarded::Guarded;
use manners::wrapper::{self, Tool, Watcher};
use manners::{Out, Setting, approval};
use serde_json::json;

const TOOL: Tool = Tool { name: "safe-db-test", operation: "test", kind: Kind::InPlaceTest };

fn main() -> ExitCode {
    manners::run_wrapper(TOOL.name, body)
}

fn body(args: Args, out: &Out) -> Result<u8> {
    let setting = Setting::open(&args.common)?;
    let environment = setting.environment(&args.common, args.overrides())?;
    if args.around.resume || args.around.abandon {
        return wrapper::end_interrupted(TOOL, &args.around, &args.common, &environment, &setting, out);
    }
    dbtest::refuse_protected(&environment)?;
    // What cannot be run is told before anything is touched.
    let command = Wrapped::find(&args.around.command)?;
    let engine = environment.engine(&setting.state)?;
    wrapper::refuse_report(args.around.report.as_deref(), &*engine)?;
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
    setting.start_log(TOOL.name, &args.common, Some(&store), out)?;
    let audited = setting.audited(out, Some(&store), TOOL.run_on(&environment, &*engine), |trail| {
        let watcher = Watcher { out, trail };
        let take = if args.in_place { Guarded::begin } else { Guarded::beside_others };
        let (guarded, probe) = take(&environment, &store)?;
        let plan = dbtest::plan(&environment, &*guarded.engine, &probe, &request, args.in_place);
        trail.plan(json!({ "plan": plan }));
        let report = if args.in_place {
            let asked = plan.request(&environment, &probe, Some(&store))?;
            let approval = args.around.confirm.approve_audited(&asked, &environment.approval, &setting, trail, out)?;
            dbtest::run_in_place(&guarded, &probe, &request, &approval, &watcher)?
        } else {
            dbtest::run(guarded, &probe, &request, &watcher)?
        };
        Ok((report.status(), note(trail, report)))
    })?;
    report::tell(out, &audited.value);
    wrapper::document(out, &audited, args.around.report.as_deref());
    Ok(audited.status)
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
