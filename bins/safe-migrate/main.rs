//! `safe-migrate`: run a migration that cannot lose data.

mod args;
mod report;

use std::process::ExitCode;

use args::Args;
use holdfast::audit::{Run, Trail};
use holdfast::command::Wrapped;
use holdfast::engine::Engine;
use holdfast::environment::Environment;
use holdfast::error::{Error, Result};
use holdfast::exit;
use holdfast::journal::{Entry, Kind};
use holdfast::rules::OnFailure;
use holdfast::verbs::guarded::Guarded;
use holdfast::verbs::migrate::{self, Report, Request};
use manners::wrapper::{self, Watcher};
use manners::{Audited, Out, Setting, approval, prompt};
use serde_json::json;

fn main() -> ExitCode {
    manners::run_wrapper("safe-migrate", body)
}

fn body(args: Args, out: &Out) -> Result<u8> {
    let setting = Setting::open(&args.common)?;
    let environment = setting.environment(&args.common, args.overrides())?;
    if args.resume || args.abandon {
        return end_interrupted(&args, &setting, &environment, out);
    }
    // What cannot be run is told before anything is touched.
    let command = Wrapped::find(&args.command)?;
    let engine = environment.engine(&setting.state)?;
    if let Some(around) = Entry::around(&setting.state, &engine.location())? {
        return wrapper::run_inside(&around, command, args.common.dry_run, out);
    }
    let rules = args.rules(&environment.migration);
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
    setting.start_log("safe-migrate", &args.common, Some(&store), out)?;
    let audited = setting.audited(out, Some(&store), run_of(&environment, &*engine), |trail| {
        let (guarded, probe) = Guarded::begin(&environment, &store)?;
        let plan = migrate::plan(&environment, &*guarded.engine, &probe, &request);
        trail.plan(json!({ "plan": plan }));
        let asked = plan.request(&environment, &probe, Some(&store))?;
        let approval = args.confirm.approve_audited(&asked, &environment.approval, &setting, trail, out)?;
        let report = migrate::run(&guarded, &probe, &request, &approval, &Watcher { out, trail })?;
        Ok((report.status(), note(trail, report)))
    })?;
    tell(&args, &audited, out)
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

fn end_interrupted(args: &Args, setting: &Setting, environment: &Environment, out: &Out) -> Result<u8> {
    let store = setting.store(&args.common, environment, false)?;
    setting.start_log("safe-migrate", &args.common, Some(&store), out)?;
    if args.common.dry_run {
        let standing = migrate::standing(environment, &store, Kind::Migration)?;
        let described = standing.describe();
        let asked = standing.request(args.abandon)?;
        approval::print_plan(&described, &described.lines(args.abandon), &asked, &environment.approval, setting, out)?;
        return Ok(exit::DONE);
    }
    let engine = environment.engine(&setting.state)?;
    let audited = setting.audited(out, Some(&store), run_of(environment, &*engine), |trail| {
        let standing = migrate::standing(environment, &store, Kind::Migration)?;
        let rules = args.rules(&environment.migration);
        let watcher = Watcher { out, trail };
        let report = wrapper::end_interrupted(standing, args.abandon, &rules, &args.confirm, environment, setting, &watcher)?;
        Ok((report.status(), note(trail, report)))
    })?;
    tell(args, &audited, out)
}

fn run_of(environment: &Environment, engine: &dyn Engine) -> Run {
    Run {
        tool: "safe-migrate".to_owned(),
        operation: "migrate".to_owned(),
        environment: Some(environment.name.clone()),
        target: Some(engine.location()),
    }
}

/// What the audit trail keeps of the end.
fn note(trail: &Trail, report: Report) -> Report {
    trail.note(|facts| {
        facts.backup = Some(report.backup.clone());
        facts.detail.insert("outcome".to_owned(), json!(report.outcome));
        facts.detail.insert("database".to_owned(), json!(report.state));
        facts.detail.insert("reasons".to_owned(), json!(report.reasons));
    });
    report
}

fn tell(args: &Args, audited: &Audited<Report>, out: &Out) -> Result<u8> {
    report::tell(out, &audited.value);
    wrapper::document(out, &audited.value, args.report.as_deref());
    Ok(audited.status)
}
