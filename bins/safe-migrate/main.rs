//! `safe-migrate`: run a migration that cannot lose data.

mod args;

use std::process::ExitCode;

use args::Args;
use holdfast::command::Wrapped;
use holdfast::environment::Environment;
use holdfast::error::{Error, Result};
use holdfast::exit;
use holdfast::journal::{Entry, Kind};
use holdfast::rules::OnFailure;
use holdfast::verbs::guarded::Guarded;
use holdfast::verbs::migrate::{self, Request};
use manners::wrapper::{self, Tool, Watcher};
use manners::{Out, Setting, approval, prompt};
use serde_json::json;

const TOOL: Tool = Tool { name: "safe-migrate", operation: "migrate", kind: Kind::Migration };

fn main() -> ExitCode {
    manners::run_wrapper(TOOL.name, body)
}

fn body(args: Args, out: &Out) -> Result<u8> {
    let setting = Setting::open(&args.common)?;
    let environment = setting.environment(&args.common, args.overrides())?;
    let rules = args.rules(&environment.migration);
    if args.around.resume || args.around.abandon {
        return wrapper::end_interrupted(TOOL, &args.around, &args.common, &environment, &setting, out);
    }
    // What cannot be run is told before anything is touched.
    let command = Wrapped::find(&args.around.command)?;
    let engine = environment.engine(&setting.state)?;
    wrapper::refuse_report(args.around.report.as_deref(), &*engine)?;
    if let Some(around) = Entry::around(&setting.state, &engine.location())? {
        return wrapper::run_inside(&around, command, args.common.dry_run, out);
    }
    let request = Request { command, rehearse: args.rehearse, prove: !args.no_prove, rules };
    refuse(&environment, &request)?;
    if args.common.dry_run {
        let (engine, probe) = Guarded::look(&environment, &setting.state)?;
        let plan = migrate::plan(&environment, &*engine, &probe, &request);
        let store = setting.store_if_any(&args.common, &environment)?;
        let asked = plan.request(&environment, &probe, store.as_ref())?;
        approval::print_plan(&plan, &plan.lines(), &asked, &environment.approval, &setting, out)?;
        return Ok(exit::DONE);
    }
    let store = setting.store(&args.common, &environment, true)?;
    setting.start_log(TOOL.name, &args.common, Some(&store), out)?;
    let audited = setting.audited(out, Some(&store), TOOL.run_on(&environment, &*engine), |trail| {
        let (guarded, probe) = Guarded::begin(&environment, &store)?;
        let plan = migrate::plan(&environment, &*guarded.engine, &probe, &request);
        trail.plan(json!({ "plan": plan }));
        let asked = plan.request(&environment, &probe, Some(&store))?;
        let approval = args.around.confirm.approve_audited(&asked, &environment.approval, &setting, trail, out)?;
        let report = migrate::run(&guarded, &probe, &request, &approval, &Watcher { out, trail })?;
        wrapper::note(trail, &report);
        Ok((report.status(), report))
    })?;
    wrapper::tell(out, TOOL, &audited.value);
    wrapper::document(out, &audited, args.around.report.as_deref());
    Ok(audited.status)
}

/// What can be refused before the database is looked at.
fn refuse(environment: &Environment, request: &Request) -> Result<()> {
    if environment.protected && !request.prove {
        return Err(Error::refused(format!("{} is protected, so nothing is run on it before its backup is proven", environment.name))
            .hint("leave --no-prove out"));
    }
    if request.rules.on_failure == OnFailure::Ask && !prompt::can_ask() {
        return Err(
            Error::refused("on_failure is ask, and there is no terminal to ask at").hint("say --on-failure restore or --on-failure keep")
        );
    }
    Ok(())
}
