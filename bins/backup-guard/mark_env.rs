//! `backup-guard mark-env`: an environment's name goes into its database.

use holdfast::audit::Run;
use holdfast::environment::{Environment, Overrides};
use holdfast::error::{Error, Kind, Result};
use holdfast::exit;
use holdfast::store::Store;
use holdfast::verbs::mark::{self, Plan};
use holdfast::verbs::restore;
use manners::{Out, Setting, Span, approval};
use serde::Serialize;

use crate::args::mark_env::MarkEnv;

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    audit_error: Option<&'a str>,
}

pub(crate) fn run(args: &MarkEnv, out: &Out) -> Result<u8> {
    if let Some(other) = args.common.env.as_ref().filter(|name| **name != args.name) {
        return Err(Error::usage(format!("is it {} or {other}?", args.name)).hint("leave -e (and HOLDFAST_ENV) away, or name the same"));
    }
    let setting = Setting::open(&args.common)?;
    let overrides = Overrides {
        source: args.database.clone(),
        store: args.common.store.clone(),
        wait: args.wait.map(|Span(wait)| wait),
        ..Overrides::default()
    };
    let environment = setting.config.environment(Some(&args.name), overrides)?;
    let store = store(args, &setting, &environment)?;
    setting.start_log("backup-guard", &args.common, store.as_ref(), out)?;
    let engine = environment.engine(&setting.state)?;
    if args.common.dry_run {
        let plan = mark::plan(&environment, &*engine)?;
        let request = mark::request(&plan, &environment, &*engine, store.as_ref())?;
        approval::print_plan(&plan, &plan.lines(), &request, &environment.approval, &setting, out)?;
        return Ok(exit::DONE);
    }
    let run = Run {
        tool: "backup-guard".to_owned(),
        operation: "mark-env".to_owned(),
        environment: Some(environment.name.clone()),
        target: Some(engine.location()),
    };
    let marked = setting.audited(out, store.as_ref(), run, |trail| {
        let held = restore::hold(&*engine, &setting.state, environment.wait)?;
        let plan = mark::plan(&environment, &*engine)?;
        trail.plan(serde_json::json!({ "plan": plan }));
        if plan.is_change {
            let request = mark::request(&plan, &environment, &*engine, store.as_ref())?;
            let approval = args.confirm.approve_audited(&request, &environment.approval, &setting, trail, out)?;
            mark::run(&plan, &*engine, &held, &approval)?;
        }
        Ok((exit::DONE, plan))
    })?;
    let plan = &marked.value;
    if out.is_json() {
        out.document(&Document { plan, audit_error: marked.audit_error.as_deref() })?;
    } else {
        out.line(&format!("{}\t{}\t{}", if plan.is_change { "marked" } else { "unchanged" }, plan.environment, plan.target))?;
    }
    if let Some(before) = plan.before.as_ref().filter(|_| plan.is_change) {
        out.note(&format!("before, it said that it was {before}"));
    }
    Ok(marked.status)
}

/// The environment's store; a database can be marked before its first backup.
fn store(args: &MarkEnv, setting: &Setting, environment: &Environment) -> Result<Option<Store>> {
    match setting.store(&args.common, environment, false) {
        Ok(store) => Ok(Some(store)),
        Err(error) if error.kind() == Kind::Bad => Ok(None),
        Err(error) => Err(error),
    }
}
